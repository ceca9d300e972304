//! What shows that something was taken or made.

use super::columns::{Group, Levels, group};
use crate::{
    expr::Expr,
    ground::{Act, Need, Record},
};
use milp_schema::protocol::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// What shows that a need is met: sums that are 1 then, and the acts in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    pub(super) terms: Vec<Expr>,
    pub(super) by: BTreeSet<usize>,
    /// The last view whose entry is one of them; 0 if none is.
    pub(super) entered: u32,
    /// Whether one is shown only by what is done in later views than that of a decision.
    pub(super) late: bool,
    /// Whether one may be met only after the replica entered the view of the act.
    pub(super) waits: bool,
}

impl Way {
    pub(super) fn new(term: Expr, by: impl IntoIterator<Item = usize>) -> Self {
        Self {
            terms: vec![term],
            by: by.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same, which may be met only later, or not.
    pub(super) fn waiting(self, waits: bool) -> Self {
        Self { waits, ..self }
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.terms.extend(other.terms.iter().cloned());
        both.by.extend(&other.by);
        both.entered = both.entered.max(other.entered);
        both.late |= other.late;
        both.waits |= other.waits;
        both
    }

    pub(super) fn is_possible(&self) -> bool {
        self.terms.iter().all(|it| it.terms().next().is_some())
    }
}

/// The acts that make these records.
pub(super) fn makers<'a>(
    levels: &Levels,
    records: impl IntoIterator<Item = &'a Record>,
) -> Vec<usize> {
    let makers = records.into_iter().filter_map(|it| levels.makers.get(it));
    makers.flatten().copied().collect()
}

/// Records by kind and view: of each an honest replica makes at most one.
pub(super) fn groups(records: &[Record]) -> BTreeMap<Group, Vec<&Record>> {
    let mut groups: BTreeMap<_, Vec<&Record>> = BTreeMap::new();
    for record in records {
        groups.entry(group(record)).or_default().push(record);
    }
    groups
}

/// Whether the act takes what meets the need.
pub(super) fn takes(levels: &Levels, act: &Act, need: &Need) -> bool {
    act.needs.iter().any(|own| own.covers(need, &levels.ground))
}

/// Whether a replica made all of these, if it ever makes them, before it entered that view.
pub(super) fn come_before<'a>(
    levels: &Levels,
    view: u32,
    records: impl IntoIterator<Item = &'a Record>,
) -> bool {
    let in_view = |act: usize| levels.ground.acts[act].scope == Scope::View;
    let mut records = records.into_iter();
    records.all(|it| it.view < view && makers(levels, [it]).into_iter().all(in_view))
}
