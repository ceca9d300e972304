//! A result in one plain sentence, exactly as strong as what was checked.

use crate::reading::{After, Reading, unbounded};
use milp_schema::{
    Outcome, Schedule,
    instance::{FaultKind, Goal, Instance, Network, Sense, Timers, Who},
    outcome::{Certificate, Termination},
};
use milp_show::words::count;

/// What the sentence is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Why the solve ended.
    pub termination: Termination,
    /// Objective of the incumbent, if there is one.
    pub primal: Option<i64>,
    /// The best bound anything says holds.
    pub dual: Option<f64>,
    /// What was checked without trusting the solver.
    pub certificate: Certified,
    /// Whether the program knows slots; what a program without them says holds for any number.
    pub within_slots: bool,
    /// What the incumbent's schedule says beside its value, if there is one.
    pub reading: Option<Reading>,
}

/// How strong the bound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// Only the solver says so.
    No,
    /// The bound follows in exact arithmetic.
    Exactly(i64),
    /// One unit better is infeasible with rows and columns permuted.
    Permuted,
    /// The program was cut into cubes, of which so many rest on two searches.
    Cubes {
        /// All cubes that were closed.
        all: u32,
        /// Those of them that two searches closed.
        searched: u32,
    },
}

impl Certified {
    /// The strength of a certificate that closes the gap, or none if `proved` is false.
    pub fn of(certificate: &Certificate, proved: bool) -> Self {
        match certificate {
            _ if !proved => Self::No,
            Certificate::None => Self::No,
            Certificate::SafeDualBound { bound } => Self::Exactly(*bound),
            Certificate::PermutedInfeasible { .. } => Self::Permuted,
            Certificate::Cubes {
                exact,
                symmetric,
                searched,
                ..
            } => Self::Cubes {
                all: exact.saturating_add(*symmetric).saturating_add(*searched),
                searched: *searched,
            },
        }
    }
}

/// The result as one sentence without a full stop, say "at height 0 at most 1 block can be
/// decided with 1 Byzantine replica of 4, within 4 views and 24 slots: proved (exact bound 1)".
pub fn sentence(instance: &Instance, result: &Found) -> String {
    let scope = scope_of(instance, result);
    let closed = result.termination == Termination::Optimal;
    let (said, strength) = match (result.termination, result.primal) {
        (Termination::Optimal | Termination::Feasible, Some(value)) => {
            let said = if unbounded(instance, value) {
                undecided(instance, result.reading.and_then(|it| it.after))
            } else if closed {
                best(instance, value)
            } else {
                found(instance, value)
            };
            (said, strength(instance, result))
        }
        (Termination::Infeasible, _) => {
            let strength = match result.certificate {
                Certified::No => "infeasible, says the solver",
                _ => "proved (infeasible, solved again permuted)",
            };
            (nothing_fits(instance).to_owned(), strength.to_owned())
        }
        (Termination::Undecided | Termination::Optimal | Termination::Feasible, _) => (
            "nothing was learned about the worst case".to_owned(),
            "undecided, stopped before any schedule was found".to_owned(),
        ),
    };
    format!("{said} {scope}: {strength}")
}

/// The sentence of what an outcome and its schedule say, with nothing beside the instance's program.
pub(crate) fn again(outcome: &Outcome, schedule: Option<&Schedule>, within_slots: bool) -> String {
    let instance = &outcome.instance;
    let reading = |(schedule, value)| Reading::of(instance, value, schedule, &outcome.faulty);
    let found = Found {
        termination: outcome.termination,
        primal: outcome.primal,
        dual: outcome.dual,
        certificate: Certified::of(&outcome.certificate, outcome.proved),
        within_slots,
        reading: schedule.zip(outcome.primal).map(reading),
    };
    sentence(instance, &found)
}

/// The value of the goal in words; a number except where a number would mislead.
pub fn value(instance: &Instance, primal: i64) -> String {
    match instance.goal {
        Goal::Fork => format!("{} at one height", count(primal, "block")),
        Goal::Finality => format!("{} at one height", count(primal, "certificate")),
        Goal::Stall => format!("{primal} of {} heights decided", instance.heights),
        Goal::Slow if unbounded(instance, primal) => {
            format!(
                "no decision within {}",
                count(instance.slots.into(), "slot")
            )
        }
        Goal::Slow => format!("slot {primal}"),
        Goal::Views => format!(
            "{} (the highest is view {})",
            count(primal, "view"),
            primal - 1
        ),
        Goal::Weighted { .. } => primal.to_string(),
    }
}

/// A bound of the goal, as it may stand beside [`value`]; nothing beside an execution without a
/// decision, which nothing is later than.
pub fn bound(instance: &Instance, primal: Option<i64>, dual: f64) -> Option<String> {
    let side = match sense(instance.goal) {
        Sense::Maximize => "at most",
        Sense::Minimize => "at least",
    };
    match grid(instance.goal, dual) {
        _ if primal.is_some_and(|value| unbounded(instance, value)) => None,
        bound if !dual.is_finite() || unbounded(instance, bound) => Some("none".to_owned()),
        bound => Some(format!("{side} {}", value(instance, bound))),
    }
}

/// The value of the goal as a table has it: a number except where a number would mislead.
pub fn plain(instance: &Instance, value: i64) -> String {
    if unbounded(instance, value) {
        format!(">{}", instance.slots)
    } else {
        value.to_string()
    }
}

/// What the values of a goal count, and which are worse.
pub fn unit(goal: Goal) -> &'static str {
    match goal {
        Goal::Fork => "blocks decided at one height",
        Goal::Finality => "certificates at one height",
        Goal::Stall => "heights decided (fewer is worse)",
        Goal::Slow => "slot of the first decision",
        Goal::Views => "views entered",
        Goal::Weighted {
            sense: Sense::Maximize,
            ..
        } => "weighted sum",
        Goal::Weighted {
            sense: Sense::Minimize,
            ..
        } => "weighted sum (less is worse)",
    }
}

/// Why a solve ended, in one word.
pub fn termination(termination: Termination) -> &'static str {
    match termination {
        Termination::Optimal => "optimal",
        Termination::Feasible => "feasible",
        Termination::Infeasible => "infeasible",
        Termination::Undecided => "undecided",
    }
}

/// Whether a larger value is worse for the protocol.
pub fn sense(goal: Goal) -> Sense {
    match goal {
        Goal::Stall => Sense::Minimize,
        Goal::Weighted { sense, .. } => sense,
        Goal::Fork | Goal::Finality | Goal::Slow | Goal::Views => Sense::Maximize,
    }
}

/// A bound from the solver, moved to the nearest integer that it still implies.
pub fn grid(goal: Goal, dual: f64) -> i64 {
    // A solver's bound carries rounding errors of about 1e-9; one step too strict would be a lie.
    const TOLERANCE: f64 = 1e-6;
    match sense(goal) {
        Sense::Maximize => (dual + TOLERANCE).floor() as i64,
        Sense::Minimize => (dual - TOLERANCE).ceil() as i64,
    }
}

/// What holds when nothing is worse than `value`.
fn best(instance: &Instance, value: i64) -> String {
    let place = place(instance);
    match instance.goal {
        Goal::Fork => format!("{place} at most {} can be decided", count(value, "block")),
        Goal::Finality => {
            format!(
                "{place} at most {} can exist",
                count(value, "valid certificate")
            )
        }
        Goal::Slow => format!("the first block is decided in slot {value} at the latest"),
        Goal::Views => format!(
            "the highest view an honest replica can enter is view {}",
            value - 1
        ),
        Goal::Weighted {
            sense: Sense::Maximize,
            ..
        } => format!("{} is at most {value}", sum(instance)),
        Goal::Weighted {
            sense: Sense::Minimize,
            ..
        } => format!("{} is at least {value}", sum(instance)),
        // Said by a witness: nothing is fewer than "as few as".
        Goal::Stall => found(instance, value),
    }
}

/// What is known from an execution with that value, whether or not a worse one exists.
fn found(instance: &Instance, value: i64) -> String {
    let place = place(instance);
    match instance.goal {
        Goal::Fork => format!("{place} {} can be decided", count(value, "block")),
        Goal::Finality => format!("{place} {} can exist", count(value, "valid certificate")),
        Goal::Stall => format!(
            "in a final state as few as {value} of {} heights can be decided",
            instance.heights
        ),
        Goal::Slow => format!("the first decision can be as late as slot {value}"),
        Goal::Views => format!("an honest replica can enter view {}", value - 1),
        Goal::Weighted { .. } => format!("{} can be {value}", sum(instance)),
    }
}

/// What is known from an execution in which nobody decides by the last slot: that nobody ever does
/// only if replicas went on and came to rest.
fn undecided(instance: &Instance, after: Option<After>) -> String {
    let last = instance.slots;
    match after {
        Some(After::Never) => "the time of the first decision is not bounded within the horizon, \
             an execution without any decision exists"
            .to_owned(),
        Some(After::Decides(slot)) => format!(
            "the first decision can be later than slot {last}, the last (the execution found \
             decides in slot {slot} of the heal phase),"
        ),
        Some(After::Unknown) | None => format!(
            "the first decision can be later than slot {last}, the last (what the execution found \
             does after it is not known),"
        ),
    }
}

/// Whether the value is one that the protocol should not allow, or says how far the adversary gets.
fn harms(instance: &Instance, value: i64) -> bool {
    match instance.goal {
        Goal::Fork | Goal::Finality | Goal::Views => value > 1,
        Goal::Stall => value < instance.heights.into(),
        Goal::Slow | Goal::Weighted { .. } => true,
    }
}

fn nothing_fits(instance: &Instance) -> &'static str {
    match instance.goal {
        Goal::Stall => "no execution reaches a final state",
        _ => "no execution exists",
    }
}

/// How much the words before it rest on.
fn strength(instance: &Instance, result: &Found) -> String {
    if result.termination == Termination::Optimal {
        return match result.certificate {
            Certified::Exactly(_) if result.primal.is_some_and(|v| unbounded(instance, v)) => {
                "proved (by that execution)".to_owned()
            }
            Certified::Exactly(bound) => format!("proved (exact bound {bound})"),
            Certified::Permuted => {
                "proved (one step worse is infeasible, solved again permuted)".to_owned()
            }
            Certified::Cubes { all, searched: 0 } => {
                format!("proved (in {}, exactly)", count(all.into(), "cube"))
            }
            Certified::Cubes { all, searched } => format!(
                "proved (in {}, {searched} of them solved again permuted)",
                count(all.into(), "cube")
            ),
            Certified::No => "optimal, says the solver".to_owned(),
        };
    }
    let Some(dual) = result.dual.filter(|dual| dual.is_finite()) else {
        return "feasible, bound not closed".to_owned();
    };
    let bound = grid(instance.goal, dual);
    let side = match sense(instance.goal) {
        Sense::Maximize => "at most",
        Sense::Minimize => "at least",
    };
    match instance.goal {
        Goal::Slow if unbounded(instance, bound) => "feasible, bound not closed".to_owned(),
        Goal::Views => format!(
            "feasible, bound not closed ({side} view {}, says the solver)",
            bound - 1
        ),
        _ => format!("feasible, bound not closed ({side} {bound}, says the solver)"),
    }
}

fn place(instance: &Instance) -> &'static str {
    if instance.heights == 1 {
        "at height 0"
    } else {
        "at any one height"
    }
}

fn sum(instance: &Instance) -> String {
    let Goal::Weighted {
        blocks,
        views,
        messages,
        ..
    } = instance.goal
    else {
        unreachable!("only a weighted goal has weights");
    };
    format!("the weighted sum (blocks {blocks}, views {views}, messages {messages})")
}

/// The assumptions: "with 1 Byzantine replica of 4, within 4 views and 24 slots".
pub(crate) fn scope(instance: &Instance, within_slots: bool) -> String {
    assumed(instance, within_slots, "")
}

/// The same, with the faults that the schedule of the result uses where it could use more.
fn scope_of(instance: &Instance, result: &Found) -> String {
    let bad = result.primal.is_some_and(|value| harms(instance, value));
    let used = result.reading.filter(|_| bad);
    let used = used.map_or_else(String::new, |reading| used_of(instance, &reading));
    assumed(instance, result.within_slots, &used)
}

/// " (the schedule uses none)", if the instance allows more.
fn used_of(instance: &Instance, reading: &Reading) -> String {
    let fewer = |kind| reading.used(kind) < instance.fault_count(kind);
    if !KINDS.iter().any(|(kind, ..)| fewer(*kind)) {
        return String::new();
    }
    let used = counted(|kind| reading.used(kind));
    let used = if used.is_empty() {
        "none".to_owned()
    } else {
        used
    };
    format!(" (the schedule uses {used})")
}

/// Kinds of faults with the words before and after.
const KINDS: [(FaultKind, &str, &str); 3] = [
    (FaultKind::Byzantine, "Byzantine replica", ""),
    (FaultKind::Crash, "replica", " that may crash"),
    (FaultKind::Network, "replica", " with network faults"),
];

/// So many replicas of each kind in words, nothing if there are none.
fn counted(number: impl Fn(FaultKind) -> u32) -> String {
    let counts = KINDS.map(|(kind, noun, after)| (number(kind), noun, after));
    let some = counts.into_iter().filter(|(number, ..)| *number > 0);
    let words = some.map(|(number, noun, after)| format!("{}{after}", count(number.into(), noun)));
    words.collect::<Vec<_>>().join(" and ")
}

fn assumed(instance: &Instance, within_slots: bool, used: &str) -> String {
    let faulty = counted(|kind| instance.fault_count(kind));
    let faulty = if faulty.is_empty() {
        "no faulty replica".to_owned()
    } else {
        faulty
    };
    let mutant = match &instance.mutant {
        Some(name) => format!(" under the mutant {name}"),
        None => String::new(),
    };
    let mut all = vec![format!(
        "with {faulty} of {}{used}{mutant}",
        instance.replicas
    )];
    all.extend(conditions(instance));
    let conditions = all.join(", ");
    let views = count(instance.views.into(), "view");
    if !within_slots {
        return format!("{conditions}, within {views} and any number of slots");
    }
    let slots = count(instance.slots.into(), "slot");
    format!("{conditions}, within {views} and {slots}")
}

/// What else the claim holds under: everything the instance does not leave at its default.
fn conditions(instance: &Instance) -> Vec<String> {
    let mut conditions = vec![];
    for fault in &instance.faults {
        if let Who::These(replicas) = &fault.who {
            let names: Vec<String> = replicas.iter().map(ToString::to_string).collect();
            conditions.push(format!("only {} faulty", names.join(" and ")));
        }
    }
    if instance.blocks_per_proposal > 1 {
        let most = instance.blocks_per_proposal;
        conditions.push(format!("up to {most} blocks per proposal"));
    }
    match instance.network {
        Network::Eventual => {}
        Network::Asynchronous => conditions.push("copies may never arrive".to_owned()),
        Network::Bounded {
            delay_min,
            delay_max,
            gst,
        } => {
            let after = if gst == 0 {
                String::new()
            } else {
                format!(" from slot {gst} on")
            };
            conditions.push(format!("delays of {delay_min} to {delay_max} slots{after}"));
        }
    }
    if let (Timers::Protocol, Some(time)) = (instance.timers, instance.block_time) {
        conditions.push(format!("timers by the protocol with block time {time}"));
    }
    if instance.protocol.name == "dbft2-nspcc" {
        // EXECUTION.md, E21 and E22.
        conditions.push("recovery messages withheld, the patterns of E22 left out".to_owned());
    }
    let budget = instance.budget;
    for (most, what) in [
        (budget.late, "late copies"),
        (budget.timeouts, "timeouts that ask for a view"),
        (budget.injects, "copies made by Byzantine replicas"),
    ] {
        conditions.extend(most.map(|most| format!("at most {most} {what}")));
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::instance::Fault;

    fn instance(goal: Goal) -> Instance {
        Instance::builder("dbft2")
            .faults([Fault::any(FaultKind::Byzantine, 1)])
            .views(4)
            .slots(24)
            .goal(goal)
            .build()
    }

    fn result(termination: Termination, primal: Option<i64>, dual: f64) -> Found {
        Found {
            termination,
            primal,
            dual: Some(dual),
            certificate: Certified::No,
            within_slots: true,
            reading: None,
        }
    }

    #[test]
    fn without_slots_the_claim_is_about_any_number_of_them() {
        let timeless = Found {
            within_slots: false,
            ..result(Termination::Optimal, Some(1), 1.0)
        };
        assert_eq!(
            sentence(&instance(Goal::Fork), &timeless),
            "at height 0 at most 1 block can be decided with 1 Byzantine replica of 4, \
             within 4 views and any number of slots: optimal, says the solver"
        );
    }

    #[test]
    fn a_proved_fork_bound_reads_as_the_manual_says() {
        let proved = Found {
            certificate: Certified::Exactly(1),
            ..result(Termination::Optimal, Some(1), 1.0)
        };
        assert_eq!(
            sentence(&instance(Goal::Fork), &proved),
            "at height 0 at most 1 block can be decided with 1 Byzantine replica of 4, \
             within 4 views and 24 slots: proved (exact bound 1)"
        );
    }

    #[test]
    fn words_are_as_strong_as_what_was_checked() {
        let fork = instance(Goal::Fork);
        let tail = |result: &Found| {
            sentence(&fork, result)
                .split_once(": ")
                .map(|(_, tail)| tail.to_owned())
                .unwrap()
        };
        let optimal = result(Termination::Optimal, Some(2), 2.0);
        assert_eq!(tail(&optimal), "optimal, says the solver");
        let permuted = Found {
            certificate: Certified::Permuted,
            ..optimal
        };
        assert_eq!(
            tail(&permuted),
            "proved (one step worse is infeasible, solved again permuted)"
        );
        let feasible = result(Termination::Feasible, Some(1), 2.999_999_999);
        assert_eq!(
            tail(&feasible),
            "feasible, bound not closed (at most 3, says the solver)"
        );
        let unlimited = result(Termination::Feasible, Some(1), f64::INFINITY);
        assert_eq!(tail(&unlimited), "feasible, bound not closed");
        let infeasible = result(Termination::Infeasible, None, 0.0);
        assert_eq!(tail(&infeasible), "infeasible, says the solver");
        let undecided = result(Termination::Undecided, None, 3.0);
        assert_eq!(
            tail(&undecided),
            "undecided, stopped before any schedule was found"
        );
    }

    #[test]
    fn a_feasible_result_never_says_at_most() {
        for goal in [Goal::Fork, Goal::Finality, Goal::Slow, Goal::Views] {
            let said = sentence(
                &instance(goal),
                &result(Termination::Feasible, Some(1), 9.0),
            );
            let claim = said.split_once(": ").unwrap().0;
            assert!(
                !claim.contains("at most") && !claim.contains("at the latest"),
                "{said}"
            );
            assert!(!claim.contains("highest"), "{said}");
        }
    }

    #[test]
    fn an_execution_without_a_decision_is_not_a_number_and_never_only_if_replicas_never_decide() {
        let slow = instance(Goal::Slow);
        let reading = |after| Reading {
            after,
            ..Reading::of(&slow, 1, &milp_schema::Schedule::default(), &[])
        };
        for termination in [Termination::Optimal, Termination::Feasible] {
            let said = |after| {
                let found = Found {
                    reading: Some(reading(after)),
                    ..result(termination, Some(25), 25.0)
                };
                sentence(&slow, &found)
            };
            let never = said(Some(After::Never));
            assert!(never.contains("not bounded within the horizon"), "{never}");
            let later = said(Some(After::Decides(7)));
            assert!(
                later.contains("later than slot 24, the last (")
                    && later.contains("decides in slot 7 of the heal phase"),
                "{later}"
            );
            for after in [Some(After::Decides(7)), Some(After::Unknown), None] {
                assert!(!said(after).contains("not bounded"), "{}", said(after));
            }
            assert!(!never.contains("25") && !later.contains("25"));
        }
        assert_eq!(value(&slow, 25), "no decision within 24 slots");
        assert_eq!(value(&slow, 24), "slot 24");
        assert_eq!(plain(&slow, 25), ">24");
        assert_eq!(bound(&slow, Some(25), 25.0), None);
        assert_eq!(bound(&slow, Some(24), 25.0).as_deref(), Some("none"));
        assert_eq!(
            bound(&slow, Some(17), 24.0).as_deref(),
            Some("at most slot 24")
        );
        let late = sentence(&slow, &result(Termination::Optimal, Some(17), 17.0));
        assert!(
            late.starts_with("the first block is decided in slot 17 at the latest"),
            "{late}"
        );
        let open = sentence(&slow, &result(Termination::Feasible, Some(17), 25.0));
        assert!(open.ends_with("feasible, bound not closed"), "{open}");
    }

    #[test]
    fn faults_that_a_bad_schedule_does_not_use_are_said_to_be_none_of_its() {
        use milp_schema::{Choice, ReplicaId, Schedule, Slot};
        let mut stall = instance(Goal::Stall);
        stall.faults[0].kind = FaultKind::Crash;
        let said = |schedule: &Schedule, value| {
            let faulty = [(ReplicaId(1), FaultKind::Crash)];
            let found = Found {
                reading: Some(Reading::of(&stall, value, schedule, &faulty)),
                ..result(Termination::Optimal, Some(value), value as f64)
            };
            sentence(&stall, &found)
        };
        let mut schedule = Schedule::default();
        let none = said(&schedule, 0);
        assert!(
            none.contains("with 1 replica that may crash of 4 (the schedule uses none), within"),
            "{none}"
        );
        assert!(!said(&schedule, 1).contains("uses"), "nothing bad happens");
        schedule.choices.push(Choice::Crash {
            slot: Slot(1),
            replica: ReplicaId(1),
        });
        assert!(!said(&schedule, 0).contains("uses"), "{none}");
    }

    #[test]
    fn every_kind_of_fault_and_the_mutant_are_named() {
        let mixed = Instance {
            faults: vec![
                Fault::any(FaultKind::Byzantine, 2),
                Fault::any(FaultKind::Crash, 1),
                Fault::any(FaultKind::Network, 1),
            ],
            replicas: 13,
            mutant: Some("small-quorum".into()),
            ..instance(Goal::Stall)
        };
        assert_eq!(
            sentence(&mixed, &result(Termination::Optimal, Some(0), 0.0)),
            "in a final state as few as 0 of 1 heights can be decided with 2 Byzantine replicas and \
             1 replica that may crash and 1 replica with network faults of 13 under the mutant \
             small-quorum, within 4 views and 24 slots: optimal, says the solver"
        );
        let nobody = Instance {
            faults: vec![],
            ..instance(Goal::Views)
        };
        assert_eq!(
            sentence(&nobody, &result(Termination::Optimal, Some(4), 4.0)),
            "the highest view an honest replica can enter is view 3 with no faulty replica of 4, \
             within 4 views and 24 slots: optimal, says the solver"
        );
    }

    #[test]
    fn a_bound_is_never_rounded_past_what_it_implies() {
        assert_eq!(grid(Goal::Fork, 1.9), 1);
        assert_eq!(grid(Goal::Fork, 1.999_999_9), 2);
        assert_eq!(grid(Goal::Stall, 0.1), 1);
        assert_eq!(grid(Goal::Stall, 0.000_000_1), 0);
    }
}
