//! Fewer acts without a program: acts are undone, many at once and then one by one, for as long as
//! replicas end as they did.
//!
//! Everything that nobody acts on is prompt, so each trial is one execution of the replicas and its
//! replay: thousandths of a second where a search takes minutes. What is left cannot lose one act
//! more, nor, of few, two; a search may still find fewer.

use crate::{
    clock::Clock,
    confirm::{Engine, How},
    deepen::Execution,
    folder::{Driven, Folder},
    sentence, start,
};
use milp_replay::prompt::{self, Plan, Subject};
use milp_schema::{
    Act, Choice, Instance, Outcome, ReplicaId, Slot, Verdict,
    instance::{FaultKind, Goal},
    outcome::{Certificate, Termination},
    schedule::{End, Event},
    write,
};
use milp_show::acts;
use milp_solver::Settings;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::atomic::AtomicBool,
};

/// Of so many acts every two are undone together, too.
const PAIRS: usize = 32;

/// Whether an execution is also one of what it is wanted for, say a program.
pub(crate) type Fits<'a> = dyn Fn(&Execution) -> bool + 'a;

/// Something that can be undone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    /// A replica is honest, and does nothing that it did as a faulty one.
    Faulty(ReplicaId),
    /// A row of the plan is taken out.
    Row(usize),
    /// A copy is prompt.
    Held(Subject),
}

/// The execution that is left when no act can be undone any more, or the time is over; `None` where
/// replicas do not repeat the one given, or nothing can be undone.
pub(crate) fn delete(
    instance: &Instance,
    given: &Execution,
    clock: &Clock<'_>,
    fits: &Fits<'_>,
) -> Option<Execution> {
    let search = Search::of(instance, given, clock, fits)?;
    let start = search.tried(&Plan::of(instance, &given.0), &given.1)?;
    let most = search.counts(given);
    let start = (search.counts(&start) <= most).then_some(start)?;
    let found = search.fewest(start);
    (search.counts(&found) < most).then_some(found)
}

/// The schedule of a result without the acts that can be undone: replicas end the same, and nothing
/// is proved of it, nor need it be one of a program. `None` where nothing can be undone.
pub fn deleted(from: &Folder, settings: &Settings, interrupt: &AtomicBool) -> Option<Folder> {
    let clock = Clock::start(settings, interrupt);
    let instance = &from.outcome.instance;
    let given = (from.schedule.clone(), from.outcome.faulty.clone());
    let (schedule, faulty) = delete(instance, &given, &clock, &|_| true)?;
    let choices = write::choices_csv(&schedule.choices);
    let outcome = &from.outcome;
    let mut outcome = Outcome {
        termination: Termination::Feasible,
        dual: None,
        proved: false,
        nodes: 0,
        certificate: Certificate::None,
        program: None,
        certificate_sha256: None,
        faulty,
        schedule_sha256: Some(write::sha256_hex(choices.as_bytes())),
        ..outcome.clone()
    };
    outcome.sentence = sentence::again(&outcome, Some(&schedule), "");
    Some(Folder {
        outcome,
        schedule,
        ..from.clone()
    })
}

/// The same execution in the fewest slots, `least` or more: what arrives late arrives in the last
/// one. `None` where no number below that of the instance does.
pub(crate) fn sooner(
    instance: &Instance,
    given: &Execution,
    least: u32,
    clock: &Clock<'_>,
) -> Option<(u32, Execution)> {
    let plan = Plan::of(instance, &given.0);
    (least..instance.slots).find_map(|slots| {
        let shorter = Instance {
            slots,
            ..instance.clone()
        };
        let search = Search::of(instance, given, clock, &|_| true)?;
        let search = Search {
            instance: &shorter,
            ..search
        };
        let mut clamped = plan.clone();
        for end in clamped.held.values_mut() {
            if let End::Arrives(slot) | End::Lost(slot) = end {
                *slot = Slot(slot.0.min(slots));
            }
        }
        let found = search.tried(&clamped, &given.1)?;
        (search.counts(&found) <= search.counts(given)).then_some((slots, found))
    })
}

/// What is kept while acts are undone.
struct Search<'a> {
    instance: &'a Instance,
    /// What replicas do in the end.
    ends: Ends,
    clock: &'a Clock<'a>,
    fits: &'a Fits<'a>,
}

/// What a replay finds and what the goal says of it.
type Ends = (String, i64, usize);

impl<'a> Search<'a> {
    fn of(
        instance: &'a Instance,
        given: &Execution,
        clock: &'a Clock<'a>,
        fits: &'a Fits<'a>,
    ) -> Option<Self> {
        let ends = ends(instance, given, true)?;
        Some(Self {
            instance,
            ends,
            clock,
            fits,
        })
    }

    fn counts(&self, (schedule, faulty): &Execution) -> Vec<i64> {
        let counts: BTreeMap<Act, i64> = acts::counts(self.instance, schedule, faulty);
        counts.into_values().collect()
    }

    /// The execution of a plan, if it ends as the one given.
    fn tried(&self, plan: &Plan, faulty: &[(ReplicaId, FaultKind)]) -> Option<Execution> {
        let schedule = prompt::execute(self.instance, faulty, plan).ok()?;
        let found = (schedule, faulty.to_vec());
        let same = ends(self.instance, &found, false)? == self.ends;
        (same && (self.fits)(&found)).then_some(found)
    }

    /// Undoes acts until no single one, and of few no two, can be undone.
    fn fewest(&self, start: Execution) -> Execution {
        let mut found = self.halves(start);
        while let Some(fewer) = self.pair(&found) {
            found = self.halves(fewer);
        }
        found
    }

    /// Undoes two acts that need each other.
    fn pair(&self, found: &Execution) -> Option<Execution> {
        let plan = Plan::of(self.instance, &found.0);
        let units = undoable(&plan, &found.1);
        if units.len() > PAIRS {
            return None;
        }
        let pairs = units.iter().enumerate().flat_map(|(at, one)| {
            let others = units[at + 1..].iter();
            others.map(|other| [one.clone(), other.clone()])
        });
        let mut pairs = pairs.take_while(|_| !self.clock.over());
        pairs.find_map(|pair| self.undone(found, &plan, &pair))
    }

    /// The execution without these acts, if it ends the same and has fewer.
    fn undone(&self, found: &Execution, plan: &Plan, units: &[Unit]) -> Option<Execution> {
        let (fewer, faulty) = without(plan, &found.1, units);
        let tried = self.tried(&fewer, &faulty)?;
        (self.counts(&tried) < self.counts(found)).then_some(tried)
    }

    /// Undoes halves, quarters and so on to single acts, until no single one can be undone.
    fn halves(&self, mut found: Execution) -> Execution {
        let mut plan = Plan::of(self.instance, &found.0);
        let mut units = undoable(&plan, &found.1);
        let mut size = units.len().div_ceil(2);
        while size > 0 {
            let (mut from, mut undone) = (0, false);
            while from < units.len() {
                if self.clock.over() {
                    return found;
                }
                let to = units.len().min(from + size);
                match self.undone(&found, &plan, &units[from..to]) {
                    Some(tried) => {
                        plan = Plan::of(self.instance, &tried.0);
                        units = undoable(&plan, &tried.1);
                        (found, undone) = (tried, true);
                    }
                    None => from = to,
                }
            }
            // What was undone last may let go what was needed before.
            size = if size == 1 && undone { 1 } else { size / 2 };
        }
        found
    }
}

/// What can be undone: what assumes most first, what is alike side by side.
fn undoable(plan: &Plan, faulty: &[(ReplicaId, FaultKind)]) -> Vec<Unit> {
    let who = faulty.iter().map(|(id, _)| Unit::Faulty(*id));
    let byzantine: BTreeSet<ReplicaId> = faulty
        .iter()
        .filter(|(_, kind)| *kind == FaultKind::Byzantine)
        .map(|(id, _)| *id)
        .collect();
    let rows = |fires: bool| {
        let rows = plan.acts.iter().enumerate();
        rows.filter(move |(_, act)| matches!(act, Choice::Timeout { .. }) == fires)
            .map(|(row, _)| Unit::Row(row))
    };
    let mut held: Vec<&Subject> = plan.held.keys().collect();
    held.retain(|(sender, ..)| !byzantine.contains(sender));
    held.sort_by_key(|(sender, receiver, message, count)| {
        (message.kind, message.view, *receiver, *sender, *count)
    });
    let held = held.into_iter().cloned().map(Unit::Held);
    who.chain(rows(false))
        .chain(held)
        .chain(rows(true))
        .collect()
}

/// A plan without some of what it has.
fn without(
    plan: &Plan,
    faulty: &[(ReplicaId, FaultKind)],
    units: &[Unit],
) -> (Plan, Vec<(ReplicaId, FaultKind)>) {
    let mut plan = plan.clone();
    let honest = |id: &ReplicaId| units.contains(&Unit::Faulty(*id));
    let acts = std::mem::take(&mut plan.acts).into_iter().enumerate();
    let stays = |row: usize, act: &Choice| {
        !units.contains(&Unit::Row(row))
            && (matches!(act, Choice::Timeout { .. }) || !honest(&act.replica()))
    };
    let acts = acts.filter(|(row, act)| stays(*row, act));
    plan.acts = acts.map(|(_, act)| act).collect();
    for unit in units {
        if let Unit::Held(subject) = unit {
            plan.held.remove(subject);
        }
    }
    let faulty = faulty.iter().filter(|(id, _)| !honest(id));
    (plan, faulty.copied().collect())
}

/// How an execution ends; `None` where replicas do not follow it.
fn ends(instance: &Instance, (schedule, faulty): &Execution, compare: bool) -> Option<Ends> {
    let driven = Driven {
        dir: PathBuf::from("."),
        instance: instance.clone(),
        faulty: faulty.clone(),
        schedule: schedule.clone(),
        predicted: compare,
        edited: false,
    };
    let how = How {
        symbolic: true,
        ..How::default()
    };
    let verdict = driven.replay(&Engine::Own, how).ok()?.verdict;
    let follows = verdict.divergences.unwrap_or(0) == 0 && verdict.impossible == 0;
    let heights: BTreeSet<u32> = schedule
        .predictions
        .iter()
        .filter_map(|it| match it.event {
            Event::Decide(block) => Some(block.height.0),
            _ => None,
        })
        .collect();
    let decided = match instance.goal {
        Goal::Stall => heights.len(),
        _ => 0,
    };
    follows.then(|| (says(&verdict), start::badness(instance, schedule), decided))
}

/// What of a verdict has to stay.
fn says(verdict: &Verdict) -> String {
    let Verdict {
        termination,
        wasted,
        guilty,
        ..
    } = verdict;
    format!(
        "{:?} {termination:?} {wasted:?} {guilty:?}",
        verdict.properties()
    )
}

#[cfg(test)]
mod tests {
    //! Over kept results: what is left ends as what was given, has no act more and can lose none.

    use super::*;
    use crate::testing::settings;
    use std::path::Path;

    const RESULTS: [&str; 17] = [
        "atlas/n4-carries-nothing-fork",
        "dbft1/n4-delays-fork",
        "dbft2/n4-beyond-budget-fork",
        "dbft2/n4-slow",
        "dbft2/n4-slow-nspcc",
        "dbft2/n4-stall",
        "dbft2/n4-stall-crash",
        "dbft2/n4-stall-nspcc",
        "dbft2/n4-stall-nspcc-byzantine",
        "dbft2/n4-stall-nspcc-crash",
        "mutants/n4-no-commit-lock-fork",
        "mutants/n4-small-quorum-fork",
        "pbft/n4-no-justification-fork",
        "qbft/n4-no-certificate-fork",
        "tendermint/n4-no-lock-fork",
        "tendermint/n4-no-pol-fork",
        "twins/dbft2/n4-finality",
    ];

    #[test]
    fn what_is_left_ends_the_same_and_can_lose_no_act_more() {
        let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
        let never = AtomicBool::new(false);
        let settings = settings();
        let clock = Clock::start(&settings, &never);
        for dir in RESULTS.map(|place| results.join(place)) {
            let folder = Folder::read(&dir).expect("a kept result");
            let instance = &folder.outcome.instance;
            let given = (folder.schedule.clone(), folder.outcome.faulty.clone());
            let counts = |it: &Execution| acts::counts(instance, &it.0, &it.1);
            let any = |_: &Execution| true;
            let found = delete(instance, &given, &clock, &any);
            let found = found.expect("something can be undone");
            assert!(
                counts(&found).values().lt(counts(&given).values()),
                "{dir:?}"
            );
            // Replicas do what is predicted, and end as before.
            let ends_of = |it| ends(instance, it, true).expect("replicas follow it");
            assert_eq!(ends_of(&found), ends_of(&given), "{dir:?}");
            let search = Search::of(instance, &given, &clock, &any).expect("it replays");
            let plan = Plan::of(instance, &found.0);
            for unit in undoable(&plan, &found.1) {
                let tried = search.undone(&found, &plan, &[unit]);
                assert_eq!(tried, None, "{dir:?}");
            }
            assert_eq!(
                delete(instance, &given, &clock, &any),
                Some(found),
                "{dir:?}"
            );
        }
    }
}
