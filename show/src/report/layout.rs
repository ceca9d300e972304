//! Where things are: a column for each slot in which something happens, a lane for each replica.

use super::{
    scene::{Band, Mark, Scene},
    words,
};
use milp_schema::{Height, View, trace::What};
use std::collections::BTreeSet;

/// Height of a lane.
pub(crate) const LANE: f64 = 100.0;
/// Above the first lane: the slots' numbers.
pub(crate) const TOP: f64 = 46.0;
/// Left of the first column: the replicas' names.
pub(crate) const LEFT: f64 = 118.0;
/// Right of the last column, at least: what each replica has at the end.
pub(crate) const RIGHT: f64 = 236.0;

/// The slots `first..=last` from `x` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    /// The first slot.
    pub(super) first: u32,
    /// The last; more than the first where nothing happens in any of them.
    pub(super) last: u32,
    /// The left edge.
    pub(super) x: f64,
    /// The width.
    pub(super) width: f64,
}

impl Column {
    /// What stands above it.
    pub(super) fn name(&self) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{}–{}", self.first, self.last)
        }
    }

    pub(super) fn class(&self) -> &'static str {
        if self.first == self.last {
            "axis"
        } else {
            "axis idle"
        }
    }
}

/// The columns of one or several pictures that stand side by side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns(pub(super) Vec<Column>);

impl Columns {
    /// Columns wide enough for every one of the scenes. Slots in which nothing happens share one.
    pub(super) fn of(scenes: &[&Scene]) -> Self {
        let first = scenes.iter().map(|it| it.slots.0).min().unwrap_or(0);
        let last = scenes.iter().map(|it| it.slots.1).max().unwrap_or(0);
        let marks = scenes.iter().flat_map(|scene| &scene.marks);
        let marked: BTreeSet<u32> = marks.map(|mark| mark.event.slot.0).collect();
        let mut columns: Vec<Column> = Vec::new();
        let (mut x, mut next) = (LEFT, first);
        let mut push = |first, last, width: f64| {
            let mut column = Column {
                first,
                last,
                x,
                width,
            };
            let letter = if first == last { 9.2 } else { 7.0 };
            column.width = width.max(12.0 + letter * column.name().chars().count() as f64);
            columns.push(column);
            x += column.width;
        };
        // Slots in between are not gone through: who waits twice as long each time has too many.
        for &slot in marked.range(first..=last) {
            let needed = scenes.iter().map(|scene| needed(scene, slot));
            let needed = needed.fold(0.0, f64::max);
            if needed > 0.0 {
                if next < slot {
                    push(next, slot - 1, IDLE);
                }
                push(slot, slot, (needed + 16.0).max(IDLE + 4.0));
                next = slot + 1;
            }
        }
        if next <= last {
            push(next, last, IDLE);
        }
        Self(columns)
    }

    /// The column of a slot; the last one for later slots.
    pub(crate) fn column(&self, slot: u32) -> Column {
        let at = self.0.iter().find(|column| slot <= column.last);
        at.or(self.0.last()).copied().unwrap_or(Column {
            first: slot,
            last: slot,
            x: LEFT,
            width: IDLE,
        })
    }

    /// The right edge of the last column.
    pub(crate) fn end(&self) -> f64 {
        self.0.last().map_or(LEFT, |column| column.x + column.width)
    }

    /// Where each mark of a scene is.
    pub(crate) fn places(&self, scene: &Scene) -> Vec<(f64, f64)> {
        let mut places = Vec::new();
        let mut used = std::collections::BTreeMap::new();
        for mark in &scene.marks {
            let event = &mark.event;
            let column = self.column(event.slot.0);
            let x: &mut f64 = used.entry((event.slot, event.replica)).or_insert(8.0);
            places.push((column.x + *x + 5.0, y(event.replica.0)));
            *x += width(mark);
        }
        places
    }

    /// Left and right edge of a band.
    pub(crate) fn edges(&self, band: &Band, places: &[(f64, f64)]) -> (f64, f64) {
        let begin = band.begin.map_or(LEFT, |mark| places[mark].0);
        let end = band.end.map_or(self.end(), |mark| places[mark].0);
        (begin, end)
    }
}

const IDLE: f64 = 34.0;

/// The middle of a lane.
pub(crate) fn y(replica: u32) -> f64 {
    TOP + LANE * (f64::from(replica) + 0.5)
}

/// The colour of a band, which repeats after four.
pub(crate) fn tint((height, view): (Height, View)) -> u32 {
    (height.0 * 2 + view.0) % 4
}

/// How wide the marks of a slot are at the replica that has most of them.
fn needed(scene: &Scene, slot: u32) -> f64 {
    let mut widths = std::collections::BTreeMap::new();
    for mark in scene.marks.iter().filter(|it| it.event.slot.0 == slot) {
        let event = &mark.event;
        *widths.entry(event.replica).or_insert(0.0) += width(mark);
    }
    widths.into_values().fold(0.0, f64::max)
}

/// The room a mark takes to the right, about half of its label's included.
fn width(mark: &Mark) -> f64 {
    match mark.event.what {
        // Its label stands above or below: other marks are beside it.
        What::Send | What::Inject => 17.0 + 3.8 * words::label(mark).chars().count() as f64,
        What::Recover => 16.0,
        What::Timeout => 20.0,
        What::EnterView => 34.0,
        What::Decide => 72.0,
        What::Crash | What::Restart | What::Fault => 40.0,
        What::Drop => 0.0,
        What::Deliver | What::HoldBack | What::HandOver | What::Ignore => 13.0,
    }
}
