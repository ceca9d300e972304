//! Which plots a sweep has: one for each goal, and more where there are many series.

use super::{request::Swept, row::Row};
use crate::sentence;
use milp_schema::{Outcome, sweep::Sweep};
use milp_show::plot::{Axis, Joined, Plot, Point, SERIES, Series, Ticks};
use std::collections::BTreeMap;

/// What fields are called beside an axis.
const NAMES: [(&str, &str); 12] = [
    ("n", "n, replicas"),
    ("replicas", "n, replicas"),
    ("f", "faulty replicas"),
    ("faults.count", "faulty replicas"),
    ("delay_max", "largest delay, slots"),
    ("network.bounded.delay_max", "largest delay, slots"),
    ("delay_min", "smallest delay, slots"),
    ("slots", "horizon, slots"),
    ("budget.late", "late or missing messages, at most"),
    ("budget.timeouts", "requests to leave a view, at most"),
    ("budget.injects", "Byzantine messages, at most"),
    ("block_time", "block time, slots"),
];

/// What stands at the x axis.
struct Across {
    /// Which axis of the sweep.
    axis: usize,
    /// Where each of its steps stands.
    at: Vec<i64>,
    drawn: Axis,
}

/// The plots of what is known.
pub(crate) fn plots(sweep: &Sweep, swept: &Swept) -> Vec<Plot> {
    let across = across(sweep);
    // Values of different goals have different units, so they share no plot.
    let mut goals: Vec<(&'static str, BTreeMap<usize, Vec<&Row>>)> = Vec::new();
    let mut others: Vec<Vec<usize>> = Vec::new();
    for row in &swept.rows {
        let Some(outcome) = row.state.outcome().filter(|it| it.primal.is_some()) else {
            continue;
        };
        let unit = sentence::unit(outcome.instance.goal);
        let mut rest = row.steps.clone();
        rest.remove(across.axis);
        let other = others.iter().position(|it| *it == rest).unwrap_or_else(|| {
            others.push(rest);
            others.len() - 1
        });
        let at = goals.iter().position(|(it, _)| *it == unit);
        let at = at.unwrap_or_else(|| {
            goals.push((unit, BTreeMap::new()));
            goals.len() - 1
        });
        goals[at].1.entry(other).or_default().push(row);
    }
    let notes = notes(swept);
    let mut plots = Vec::new();
    for (unit, series) in &goals {
        let series = series.values().collect::<Vec<_>>();
        let names = named(sweep, &across, &series);
        for part in series.chunks(SERIES) {
            let drawn = part.iter().map(|rows| line(sweep, (&across, &names), rows));
            plots.push(Plot {
                id: format!("plot-{}", plots.len()),
                title: format!("Worst case: {unit}, over {}", across.drawn.label),
                description: described(part, swept),
                x: across.drawn.clone(),
                y: (*unit).to_owned(),
                series: drawn.collect(),
                joined: Joined::Lines,
                notes: notes.clone(),
            });
        }
    }
    plots
}

/// What is not drawn, and what the marks mean.
fn notes(swept: &Swept) -> Vec<String> {
    let without = |row: &&Row| row.state.outcome().is_none_or(|it| it.primal.is_none());
    let missing = swept.rows.iter().filter(without).count();
    let mut notes = vec![
        "Filled: proved. Empty: not proved; the bar leads to the bound. Lines and marks that \
         coincide stand side by side."
            .to_owned(),
    ];
    if missing > 0 {
        let missing = milp_show::words::count(missing as i64, "combination");
        notes.push(format!(
            "{missing} without a value, not drawn: the table says why."
        ));
    }
    notes
}

/// The first axis with several numbers, else the first with several names.
fn across(sweep: &Sweep) -> Across {
    let several = || (0..sweep.axes.len()).filter(|&axis| sweep.axes[axis].len() > 1);
    for axis in several() {
        if let Some((field, at)) = numbers(sweep, axis) {
            let mut sorted = at.clone();
            sorted.sort_unstable();
            let label = label(&sweep.axes[axis].fields[field]);
            let ticks = Ticks::Numbers(sorted);
            return Across {
                axis,
                at,
                drawn: Axis { label, ticks },
            };
        }
    }
    let axis = several().next().unwrap_or(0);
    let names = (0..sweep.axes[axis].len()).map(|step| value(sweep, axis, step));
    Across {
        axis,
        at: (0..sweep.axes[axis].len() as i64).collect(),
        drawn: Axis {
            label: sweep.axes[axis].fields.join(", "),
            ticks: Ticks::Names(names.collect()),
        },
    }
}

/// The first field of an axis whose values are different numbers.
fn numbers(sweep: &Sweep, axis: usize) -> Option<(usize, Vec<i64>)> {
    let axis = &sweep.axes[axis];
    (0..axis.fields.len()).find_map(|field| {
        let values = (0..axis.len()).map(|step| axis.values(step)[field].parse().ok());
        let values = values.collect::<Option<Vec<i64>>>()?;
        let mut distinct = values.clone();
        distinct.sort_unstable();
        distinct.dedup();
        (distinct.len() == values.len()).then_some((field, values))
    })
}

fn label(field: &str) -> String {
    let known = NAMES.iter().find(|(name, _)| *name == field);
    known.map_or(field, |(_, label)| label).to_owned()
}

/// The values of a step, in words.
fn value(sweep: &Sweep, axis: usize, step: usize) -> String {
    let values = sweep.axes[axis].values(step).into_iter();
    let values = values.filter(|value| value != "~").collect::<Vec<_>>();
    if values.is_empty() {
        "none".to_owned()
    } else {
        values.join(", ")
    }
}

/// The axes that tell the series of a plot apart.
fn named(sweep: &Sweep, across: &Across, series: &[&Vec<&Row>]) -> Vec<usize> {
    let differs = |axis: &usize| {
        let mut steps = series.iter().flat_map(|rows| rows.iter());
        let first = steps.next().map(|row| row.steps[*axis]);
        steps.any(|row| Some(row.steps[*axis]) != first)
    };
    let others = (0..sweep.axes.len()).filter(|axis| *axis != across.axis);
    others.filter(differs).collect()
}

/// The rows that differ along the x axis only.
fn line(sweep: &Sweep, (across, names): (&Across, &[usize]), rows: &[&Row]) -> Series {
    let mut points = rows
        .iter()
        .filter_map(|row| Some(point(row, row.state.outcome()?, across)))
        .collect::<Vec<_>>();
    points.sort_by_key(|point| point.x);
    let steps = rows.first().map_or(&[][..], |row| &row.steps);
    let names = names.iter().map(|&axis| {
        let fields = &sweep.axes[axis].fields;
        let values = sweep.axes[axis].values(steps[axis]);
        let pairs = fields.iter().zip(values).map(|(field, value)| {
            let field = field.rsplit('.').next().unwrap_or(field);
            let value = if value == "~" { "none" } else { &value };
            format!("{field} {value}")
        });
        pairs.collect::<Vec<_>>().join(", ")
    });
    Series {
        name: names.collect::<Vec<_>>().join(", "),
        points,
    }
}

fn point(row: &Row, outcome: &Outcome, across: &Across) -> Point {
    let value = outcome.primal.unwrap_or_default();
    let unbounded = crate::reading::unbounded(&outcome.instance, value);
    Point {
        x: across.at[row.steps[across.axis]],
        y: value,
        bound: super::row::bound(outcome),
        proved: outcome.proved,
        label: if unbounded {
            sentence::plain(&outcome.instance, value)
        } else {
            String::new()
        },
        tip: format!("{}: {}", row.name, outcome.sentence),
    }
}

/// Every value in words, for who does not see the plot.
fn described(series: &[&Vec<&Row>], swept: &Swept) -> String {
    let rows = series.iter().flat_map(|rows| rows.iter());
    let words = rows.filter_map(|row| {
        let outcome = row.state.outcome()?;
        let fields = swept.fields.iter().zip(&row.values);
        let fields = fields.map(|(field, value)| format!("{field} {value}"));
        let proved = if outcome.proved { "" } else { ", not proved" };
        Some(format!(
            "{}: {}{proved}",
            fields.collect::<Vec<_>>().join(", "),
            sentence::plain(&outcome.instance, outcome.primal?)
        ))
    });
    words.collect::<Vec<_>>().join("; ")
}
