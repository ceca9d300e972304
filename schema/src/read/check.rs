//! What no schedule may say, whatever the protocol: impossible rows, and rows that do not fit
//! the instance.
//!
//! Nothing here is a protocol rule: a schedule that passes may still diverge in the replay.

use super::problem::{Place, Problems, did_you_mean, one_of, quoted};
use crate::{
    ids::{BlockId, ReplicaId, View},
    instance::{FaultKind, Instance, Who},
    journey::{Flaw, Journeys},
    kind::Kind,
    schedule::{Choice, Copy, Event, Message, Prediction, Value},
    vocabulary::{Names, Protocol},
    write::{CHOICE_COLUMNS, PREDICTION_COLUMNS},
};
use std::collections::{BTreeMap, BTreeSet};

/// A problem of one row: the column it points at, what is wrong and what to do.
struct Finding {
    column: &'static str,
    what: String,
    hint: String,
}

fn finding(column: &'static str, what: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding {
        column,
        what: what.into(),
        hint: hint.into(),
    }
}

impl From<Flaw> for Finding {
    fn from(Flaw { column, what, hint }: Flaw) -> Self {
        finding(column, what, hint)
    }
}

/// Reports findings at the place of their column.
fn report(places: &[Place], columns: &[&str], findings: Vec<Finding>, problems: &mut Problems) {
    for Finding { column, what, hint } in findings {
        let position = columns.iter().position(|name| *name == column);
        let place = places[position.expect("a column of this file")];
        problems.at(place, what, hint);
    }
}

/// The places of the fields of rows that were never in a file, as a file would have them.
pub(super) fn as_written<T: Clone, const N: usize>(
    rows: &[T],
    cells: fn(&T) -> [String; N],
) -> Vec<(Vec<Place>, T)> {
    let places = |line, row| {
        let mut column = 1;
        let place = |cell: String| {
            let place = Place { line, column };
            column += cell.chars().count() + 1;
            place
        };
        cells(row).into_iter().map(place).collect()
    };
    let lines = 2..;
    lines
        .zip(rows)
        .map(|(line, row)| (places(line, row), row.clone()))
        .collect()
}

/// Rows that are impossible under every instance: deliveries before sends, deliveries to
/// oneself, rows out of order, copies that are delivered twice or that nobody made.
pub(super) fn choices(protocol: Protocol, rows: &[(Vec<Place>, Choice)], problems: &mut Problems) {
    let mut history = History {
        injectors: rows
            .iter()
            .filter(|(_, choice)| matches!(choice, Choice::Inject { .. }))
            .map(|(_, choice)| choice.replica())
            .collect(),
        ..History::default()
    };
    let mut journeys = Journeys::new("line");
    for (places, choice) in rows {
        let line = places[0].line;
        let flaws = journeys.row(line, choice);
        let mut findings: Vec<Finding> = flaws.into_iter().map(Finding::from).collect();
        match choice {
            Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } => {
                message(protocol, &copy.message, &mut findings);
                history.made_by_a_row(&journeys, copy, &mut findings);
            }
            Choice::Inject { copy } => message(protocol, &copy.message, &mut findings),
            Choice::Timeout { .. } | Choice::Crash { .. } | Choice::Restart { .. } => {}
        }
        history.row(line, choice, &mut findings);
        report(places, &CHOICE_COLUMNS, findings, problems);
    }
}

/// Predictions that are impossible under every instance.
pub(super) fn predictions(
    protocol: Protocol,
    rows: &[(Vec<Place>, Prediction)],
    problems: &mut Problems,
) {
    let mut journeys = Journeys::new("line");
    for (places, prediction) in rows {
        let flaws = journeys.slot(prediction.slot);
        let mut findings: Vec<Finding> = flaws.into_iter().map(Finding::from).collect();
        match &prediction.event {
            Event::Send(sent) => message(protocol, sent, &mut findings),
            Event::EnterView { view, .. } if view.0 == 0 => {
                let what = "view 0 is not entered, every height starts in it";
                findings.push(finding("view", what, "remove the row"));
            }
            Event::EnterView { .. } | Event::Decide(_) => {}
        }
        report(places, &PREDICTION_COLUMNS, findings, problems);
    }
}

/// What is wrong with the name of a kind that the protocol has not, and what to do.
pub(super) fn unknown_kind(protocol: Protocol, name: &str) -> (String, String) {
    let known: Vec<&str> = protocol.kinds().map(Kind::name).collect();
    let what = format!(
        "unknown message kind {}; `{protocol}` has {}",
        quoted(name),
        one_of(&known)
    );
    (what, did_you_mean(name, &known))
}

/// The kind is one of the protocol, and exactly its fields are given.
fn message(protocol: Protocol, message: &Message, findings: &mut Vec<Finding>) {
    let Some(words) = protocol.of(message.kind) else {
        let (what, hint) = unknown_kind(protocol, message.kind.name());
        findings.push(finding("kind", what, hint));
        return;
    };
    let names = words.does.names;
    let kind = message.kind;
    match message.value {
        // Of kinds with a justification a message may have neither.
        None if names != Names::Nothing
            && !(words.does.justified && message.justification.is_none()) =>
        {
            let what = format!("`value` is empty; a {kind} needs one");
            findings.push(finding("value", what, "fill it in, or remove the row"));
        }
        Some(value) if names == Names::Nothing => {
            let what = format!("`value` must be empty for a {kind}, not `{value}`");
            let hint = "remove the value, keep the commas";
            findings.push(finding("value", what, hint));
        }
        Some(value) if names == Names::Value && !is_of_view(value, message.view) => {
            let view = message.view;
            let what = format!("a {kind} names a block of its own view {view}, not `{value}`");
            let hint = format!("write `v{view}b0`, or another index");
            findings.push(finding("value", what, hint));
        }
        _ => {}
    }
    if let Some(justification) = message.justification
        && !words.does.justified
    {
        let what = format!("`justification` must be empty for a {kind}, not `{justification}`");
        let hint = "remove the value, keep the commas";
        findings.push(finding("justification", what, hint));
    }
}

fn is_of_view(value: Value, own: View) -> bool {
    matches!(value, Value::Block { view, .. } if view == own)
}

/// What earlier rows did, as far as later ones depend on it. Lines are kept for the hints.
#[derive(Default)]
struct History {
    injectors: BTreeSet<ReplicaId>,
    down: BTreeMap<ReplicaId, usize>,
}

impl History {
    /// Who injects anything is Byzantine, and sends nothing but what rows inject.
    fn made_by_a_row(&self, journeys: &Journeys, copy: &Copy, findings: &mut Vec<Finding>) {
        if self.injectors.contains(&copy.sender) && !journeys.is_made(copy) {
            let what = format!(
                "replica {} injects its messages, and no earlier row injects this copy",
                copy.sender
            );
            let hint = "a Byzantine replica sends nothing by rule: add the inject row";
            findings.push(finding("peer", what, hint));
        }
    }

    fn row(&mut self, line: usize, choice: &Choice, findings: &mut Vec<Finding>) {
        match choice {
            Choice::Crash { replica, .. } => {
                if let Some(earlier) = self.down.insert(*replica, line) {
                    let what = format!("replica {replica} is down since line {earlier}");
                    findings.push(finding("replica", what, "remove one of the two crashes"));
                }
            }
            Choice::Restart { replica, .. } => {
                if self.down.remove(replica).is_none() {
                    let what = format!("replica {replica} restarts, but it is not down");
                    findings.push(finding("replica", what, "a crash comes before a restart"));
                }
            }
            Choice::Timeout { replica, .. } => {
                if let Some(earlier) = self.down.get(replica) {
                    let what = format!("replica {replica} is down since line {earlier}");
                    findings.push(finding("replica", what, "a crashed replica has no timer"));
                }
            }
            Choice::Deliver { .. } | Choice::Drop { .. } | Choice::Inject { .. } => {}
        }
    }
}

/// Rows that do not fit the instance.
pub(super) fn against_instance(
    instance: &Instance,
    choices: &[(Vec<Place>, Choice)],
    problems: &mut Problems,
) {
    let bounds = Bounds::of(instance, choices);
    let mut roles = Roles::of(instance);
    for (places, choice) in choices {
        let mut findings = Vec::new();
        bounds.slot(choice.slot().0, &mut findings);
        bounds.replica("replica", choice.replica(), &mut findings);
        match choice {
            Choice::Deliver { copy, slot } => {
                bounds.copy(choice, copy, &mut findings);
                let least = instance.delays().0;
                if copy.sent < *slot && slot.0 - copy.sent.0 < least {
                    let what = format!("the delay is below delay_min {least} of the instance");
                    findings.push(finding("delay", what, "deliver the copy later"));
                }
            }
            Choice::Drop { copy, .. } => bounds.copy(choice, copy, &mut findings),
            Choice::Inject { copy } => {
                bounds.copy(choice, copy, &mut findings);
                roles.injects(copy.sender, &mut findings);
            }
            Choice::Timeout { height, view, .. } => {
                bounds.height(height.0, &mut findings);
                bounds.view(view.0, &mut findings);
            }
            Choice::Crash { replica, .. } => roles.crashes(*replica, &mut findings),
            Choice::Restart { .. } => {}
        }
        report(places, &CHOICE_COLUMNS, findings, problems);
    }
}

/// Predictions that do not fit the instance.
pub(super) fn predictions_against_instance(
    instance: &Instance,
    choices: &[(Vec<Place>, Choice)],
    predictions: &[(Vec<Place>, Prediction)],
    problems: &mut Problems,
) {
    let bounds = Bounds::of(instance, choices);
    for (places, prediction) in predictions {
        let mut findings = Vec::new();
        bounds.slot(prediction.slot.0, &mut findings);
        bounds.replica("replica", prediction.replica, &mut findings);
        match &prediction.event {
            Event::Send(message) => bounds.message(message, &mut findings),
            Event::EnterView { height, view } => {
                bounds.height(height.0, &mut findings);
                bounds.view(view.0, &mut findings);
            }
            Event::Decide(block) => {
                bounds.height(block.height.0, &mut findings);
                bounds.value(*block, &mut findings);
            }
        }
        report(places, &PREDICTION_COLUMNS, findings, problems);
    }
}

/// The index sets of the instance.
struct Bounds<'a> {
    instance: &'a Instance,
    /// A primary that restarts without its backup proposes the next free block number, so each
    /// such restart adds one.
    blocks: u32,
}

impl<'a> Bounds<'a> {
    fn of(instance: &'a Instance, choices: &[(Vec<Place>, Choice)]) -> Self {
        let forgetful = choices
            .iter()
            .filter(|(_, choice)| matches!(choice, Choice::Restart { backup: false, .. }))
            .count();
        Self {
            instance,
            blocks: instance
                .blocks_per_proposal
                .saturating_add(forgetful as u32),
        }
    }

    fn slot(&self, slot: u32, findings: &mut Vec<Finding>) {
        let last = self.instance.slots;
        if slot > last {
            let what = format!("slot {slot} is after the last slot {last} of the instance");
            findings.push(finding("slot", what, "remove the row, or raise `slots`"));
        }
    }

    fn index(column: &'static str, index: u32, count: u32, key: &str, out: &mut Vec<Finding>) {
        if index >= count {
            let what = format!("`{column}` must be from 0 to {}, not {index}", count - 1);
            out.push(finding(
                column,
                what,
                format!("the instance has `{key}: {count}`"),
            ));
        }
    }

    fn replica(&self, column: &'static str, replica: ReplicaId, out: &mut Vec<Finding>) {
        Self::index(column, replica.0, self.instance.replicas, "replicas", out);
    }

    fn height(&self, height: u32, out: &mut Vec<Finding>) {
        Self::index("height", height, self.instance.heights, "heights", out);
    }

    fn view(&self, view: u32, out: &mut Vec<Finding>) {
        Self::index("view", view, self.instance.views, "views", out);
    }

    fn value(&self, block: BlockId, out: &mut Vec<Finding>) {
        let parts = [
            ("view", block.view.0, self.instance.views, "views"),
            ("index", block.index, self.blocks, "blocks_per_proposal"),
        ];
        for (part, number, count, key) in parts {
            if number >= count {
                let last = count - 1;
                let what = format!("the {part} of `value` must be from 0 to {last}, not {number}");
                out.push(finding(
                    "value",
                    what,
                    format!("the instance has `{key}: {count}`"),
                ));
            }
        }
    }

    fn message(&self, message: &Message, out: &mut Vec<Finding>) {
        self.height(message.height.0, out);
        self.view(message.view.0, out);
        if let Some(block) = message.block_id() {
            self.value(block, out);
        }
    }

    fn copy(&self, choice: &Choice, copy: &Copy, out: &mut Vec<Finding>) {
        let peer = if choice.replica() == copy.sender {
            copy.receiver
        } else {
            copy.sender
        };
        self.replica("peer", peer, out);
        self.message(&copy.message, out);
    }
}

/// Who may still become faulty, and who already acted as such.
struct Roles<'a> {
    instance: &'a Instance,
    injectors: BTreeSet<ReplicaId>,
    crashed: BTreeSet<ReplicaId>,
    /// Replicas that took one of the places of a fault without fixed members.
    chosen_byzantine: u32,
    chosen_crash: u32,
}

impl<'a> Roles<'a> {
    fn of(instance: &'a Instance) -> Self {
        Self {
            instance,
            injectors: BTreeSet::new(),
            crashed: BTreeSet::new(),
            chosen_byzantine: 0,
            chosen_crash: 0,
        }
    }

    /// The kind of fault the instance fixes for `replica`.
    fn fixed(&self, replica: ReplicaId) -> Option<FaultKind> {
        self.instance
            .faults
            .iter()
            .find(|fault| matches!(&fault.who, Who::These(members) if members.contains(&replica)))
            .map(|fault| fault.kind)
    }

    /// What a replica takes of the numbers that the adversary may choose: one, or its power.
    fn weight(&self, replica: ReplicaId) -> u32 {
        let mut faults = self.instance.faults.iter();
        let by_power = faults.any(|fault| matches!(fault.who, Who::Power(_)));
        if by_power {
            self.instance.power_of(replica)
        } else {
            1
        }
    }

    /// How many replicas, or how much power, the adversary may choose for the faults of `kinds`.
    fn free(&self, kinds: &[FaultKind]) -> u32 {
        let free = self
            .instance
            .faults
            .iter()
            .filter(|fault| kinds.contains(&fault.kind));
        free.map(|fault| match fault.who {
            Who::Any(count) | Who::Power(count) => count,
            Who::These(_) => 0,
        })
        .sum()
    }

    fn injects(&mut self, replica: ReplicaId, findings: &mut Vec<Finding>) {
        if !self.injectors.insert(replica) {
            return;
        }
        let fixed = self.fixed(replica);
        let allowed = fixed == Some(FaultKind::Byzantine) || {
            self.chosen_byzantine += self.weight(replica);
            fixed.is_none() && self.chosen_byzantine <= self.free(&[FaultKind::Byzantine])
        };
        if !allowed {
            let what =
                format!("replica {replica} injects, but the instance does not let it be Byzantine");
            findings.push(finding(
                "replica",
                what,
                "compare with `faults` of the instance",
            ));
        }
        if self.crashed.contains(&replica) {
            let what = format!("replica {replica} injects, but an earlier row crashes it");
            findings.push(finding("replica", what, "a replica has one kind of fault"));
        }
    }

    fn crashes(&mut self, replica: ReplicaId, findings: &mut Vec<Finding>) {
        if !self.crashed.insert(replica) {
            return;
        }
        let kinds = [FaultKind::Crash, FaultKind::Network];
        let fixed = self.fixed(replica);
        let allowed = fixed.is_some_and(|kind| kinds.contains(&kind)) || {
            self.chosen_crash += self.weight(replica);
            fixed.is_none() && self.chosen_crash <= self.free(&kinds)
        };
        if !allowed {
            let what = format!("replica {replica} crashes, but the instance does not let it");
            findings.push(finding(
                "replica",
                what,
                "compare with `faults` of the instance",
            ));
        }
        if self.injectors.contains(&replica) {
            let what = format!("replica {replica} crashes, but an earlier row makes it Byzantine");
            findings.push(finding("replica", what, "a replica has one kind of fault"));
        }
    }
}
