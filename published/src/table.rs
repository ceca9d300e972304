//! A point as a table: who sent, received and decided what, in which slot of which view.

use super::Built;
use std::fmt::Write as _;

/// What a column says, as far as its indices go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The name without its indices.
    act: &'static str,
    view: Option<u32>,
    slot: Option<u32>,
    /// The slot counted over all views.
    overall: Option<u32>,
    replica: Option<u32>,
    from: Option<u32>,
    priority: Option<u32>,
}

impl Meaning {
    /// By the published order of indices: (p,)(t,)i,(j,)v, and v alone.
    pub(crate) fn of(act: &'static str, index: &[u32], prioritised: bool, slots: u32) -> Self {
        let without = [
            "SendCV",
            "RecvCV",
            "changeViewRecvPerNodeAndView",
            "blockRelayed",
        ];
        let has_priority = prioritised && !without.contains(&act) && !index.is_empty();
        let (priority, rest) = match index {
            [p, rest @ ..] if has_priority => (Some(*p), rest),
            rest => (None, rest),
        };
        let (slot, replica, from, view) = match *rest {
            [t, i, j, v] => (Some(t), Some(i), Some(j), Some(v)),
            [t, i, v] => (Some(t), Some(i), None, Some(v)),
            [i, v] => (None, Some(i), None, Some(v)),
            [v] => (None, None, None, Some(v)),
            _ => (None, None, None, None),
        };
        Self {
            act,
            view,
            slot,
            overall: slot.zip(view).map(|(t, v)| t + (v - 1) * slots),
            replica,
            from,
            priority,
        }
    }
}

/// The header of the table.
const HEADER: &str = "view,slot,overall_slot,replica,act,from,priority,value,column";

impl Built {
    /// The columns of a point that are not zero as CSV, in the order of views and slots; what has
    /// no view comes last. Views, slots and replicas count from one, as in the published text.
    ///
    /// # Panics
    /// If `point` does not have one value per column.
    pub fn table(&self, point: &[i64]) -> String {
        let columns = &self.program.columns;
        assert_eq!(point.len(), columns.len(), "one value per column");
        let mut rows: Vec<_> = (0..point.len()).filter(|&at| point[at] != 0).collect();
        rows.sort_by_key(|&at| {
            let it = &self.columns[at];
            let view = it.view.unwrap_or(u32::MAX);
            (view, it.slot, it.replica, it.act, it.from, it.priority, at)
        });
        let mut text = format!("{HEADER}\n");
        let cell = |number: Option<u32>| number.map_or_else(String::new, |it| it.to_string());
        for at in rows {
            let it = &self.columns[at];
            // The published names have commas in them.
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{},\"{}\"",
                cell(it.view),
                cell(it.slot),
                cell(it.overall),
                cell(it.replica),
                it.act,
                cell(it.from),
                cell(it.priority),
                point[at],
                columns[at].name,
            );
        }
        text
    }
}
