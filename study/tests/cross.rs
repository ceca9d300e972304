//! On random small instances every formulation that takes the instance has the same optimum, which
//! is that of exhaustive search, and the replicas follow every schedule.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{Built, Decoded, Error, build, program::Col};
use milp_replay::{search, tla};
use milp_schema::{
    Choice, Instance, Kind, ReplicaId, Schedule, Slot,
    instance::{Budget, FaultKind, Formulation, Goal, Sense, Who},
    outcome::Termination,
    read, write,
};
use milp_solver::Solved;
use proptest::{
    prop_assert, prop_assert_eq,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap, sync::atomic::AtomicBool};
use support::{
    instances::{Small, small},
    replicas_object, short, value_of,
};

/// How many instances are drawn; the variable `PROPTEST_CASES` asks for more.
const CASES: u32 = 150;

/// Nodes after which the search of a program is no longer waited for.
const NODES: u32 = 100;

/// The formulations without slots.
const WITHOUT_SLOTS: [Formulation; 2] = [Formulation::Counting, Formulation::Causal];

/// What was compared, and how often.
type Tally = RefCell<BTreeMap<String, u32>>;

fn count(tally: &Tally, what: impl Into<String>) {
    *tally.borrow_mut().entry(what.into()).or_default() += 1;
}

/// What a program says of an instance: the optimum, if the search settled it, is in between.
struct Answer {
    formulation: &'static str,
    best: Option<i64>,
    bound: Option<i64>,
    settled: bool,
    decoded: Option<Decoded>,
}

/// Solves in a formulation; `None` if it refuses the instance by name.
fn answer(instance: &Instance, tally: &Tally) -> Result<Option<Answer>, TestCaseError> {
    let built = match build(instance) {
        Ok(built) => built,
        Err(Error::Unsupported { .. }) => return Ok(None),
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    let none = AtomicBool::new(false);
    let solved = milp_solver::solve(built.program(), &short(NODES), &none, &mut |_| {});
    let solved = solved.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let decoded = match &solved.point {
        Some(point) => Some(decoded(instance, &built, &solved, point)?),
        None => None,
    };
    let settled = matches!(
        solved.termination,
        Termination::Optimal | Termination::Infeasible
    );
    let formulation = built.formulation().name();
    let how = if settled { "settled" } else { "not settled" };
    count(tally, format!("{formulation} {how}"));
    let minimize = sense(instance.goal) == Sense::Minimize;
    let bound = solved.dual.filter(|bound| bound.is_finite());
    let round = |bound: f64| {
        if minimize {
            (bound - 1e-6).ceil()
        } else {
            (bound + 1e-6).floor()
        }
    };
    Ok(Some(Answer {
        formulation,
        best: solved.primal,
        bound: bound.map(|bound| round(bound) as i64),
        settled,
        decoded,
    }))
}

/// The schedule of a point: the replicas follow it and it is as bad as the program says.
fn decoded(
    instance: &Instance,
    built: &Built,
    solved: &Solved,
    point: &[i64],
) -> Result<Decoded, TestCaseError> {
    let name = built.formulation().name();
    let decoded = built.decode(point);
    let decoded = decoded.map_err(|error| TestCaseError::fail(format!("{name}: {error}")))?;
    let instance = &Instance {
        slots: decoded.slots,
        ..instance.clone()
    };
    let schedule = || {
        let choices = write::choices_csv(&decoded.schedule.choices);
        let predictions = write::predictions_csv(&decoded.schedule.predictions);
        format!("faulty {:?}\n{choices}\n{predictions}", decoded.faulty)
    };
    prop_assert!(
        !replicas_object(instance, &decoded),
        "{name}: the replicas do something else\n{}",
        schedule()
    );
    if let Some((value, primal)) = value_of(instance.goal, &decoded).zip(solved.primal) {
        let as_bad = match sense(instance.goal) {
            Sense::Maximize => value >= primal,
            Sense::Minimize => value <= primal,
        };
        prop_assert!(as_bad, "{name}: {value}, not {primal}\n{}", schedule());
    }
    // Where nobody is left alive, everybody alive has decided (E18).
    let somebody = decoded.faulty.len() < instance.replicas as usize;
    if instance.goal == Goal::Stall && solved.primal == Some(0) && somebody {
        prop_assert!(
            support::is_stuck(instance, &decoded),
            "{name}: not stuck\n{}",
            schedule()
        );
    }
    Ok(decoded)
}

fn sense(goal: Goal) -> Sense {
    match goal {
        Goal::Stall => Sense::Minimize,
        Goal::Weighted { sense, .. } => sense,
        _ => Sense::Maximize,
    }
}

/// What exhaustive search over the replicas finds; `None` where there is no search or it takes long.
fn searched(instance: &Instance) -> Option<search::Found> {
    let many = instance.views > 1
        && (!instance.faults.is_empty() || instance.mutant.as_deref() == Some("no-commit-lock"));
    if many || instance.replicas > 5 {
        return None;
    }
    search::best(instance).ok()
}

/// Whether the state space of the formal model has what the goal asks for: for `stall` a stuck
/// state, for `finality` two certificates.
fn explored(instance: &Instance) -> Option<bool> {
    let many = instance.views > 1 && !instance.faults.is_empty() || instance.replicas > 4;
    let asked = matches!(instance.goal, Goal::Stall | Goal::Finality);
    if !instance.protocol.pools() || many || !asked {
        return None;
    }
    if instance.budget != Budget::default() {
        return None;
    }
    let mut choices: Vec<Vec<(ReplicaId, FaultKind)>> = vec![vec![]];
    if let Some(fault) = instance.faults.first() {
        let who = match &fault.who {
            Who::Any(_) | Who::Power(_) => ReplicaId::all(instance.replicas).collect(),
            Who::These(replicas) => replicas.clone(),
        };
        choices.extend(who.into_iter().map(|id| vec![(id, fault.kind)]));
    }
    let mut found = choices
        .iter()
        .map(|faulty| tla::explore(instance, faulty).expect("a small instance of the model"));
    Some(found.any(|found| match instance.goal {
        Goal::Stall => found.stuck > 0,
        _ => found.forks > 0,
    }))
}

/// Every comparison that there is for the instance.
fn compare(Small(instance): &Small, tally: &Tally) -> Result<(), TestCaseError> {
    let text = write::instance_yaml(instance);
    let again = read::instance_text("instance.yaml", &text);
    prop_assert_eq!(Ok(instance), again.as_ref(), "the reader takes it");
    let mut answers = vec![];
    let mut slots = instance.slots;
    for formulation in WITHOUT_SLOTS {
        let asked = Instance {
            formulation,
            ..instance.clone()
        };
        if let Some(answer) = answer(&asked, tally)? {
            slots = slots.max(answer.decoded.as_ref().map_or(0, |decoded| decoded.slots));
            answers.push(answer);
        }
    }
    let asked = Instance {
        formulation: Formulation::Timed,
        slots,
        ..instance.clone()
    };
    accepted(&asked, &answers, tally)?;
    answers.extend(answer(&asked, tally)?);
    for (at, one) in answers.iter().enumerate() {
        for other in &answers[..at] {
            same(instance.goal, one, other)?;
            if one.settled && other.settled {
                count(
                    tally,
                    format!("{} = {}", one.formulation, other.formulation),
                );
            }
        }
    }
    let found = searched(instance);
    let has = explored(instance);
    for answer in answers.iter().filter(|answer| answer.settled) {
        let name = answer.formulation;
        if let Some(found) = found {
            prop_assert_eq!(found.value, answer.best, "exhaustive search and {}", name);
            count(tally, format!("{name} = exhaustive search"));
        }
        if let Some(has) = has {
            let there = match instance.goal {
                Goal::Stall => answer.best == Some(0),
                _ => answer.best > Some(1),
            };
            prop_assert_eq!(has, there, "state space and {}", name);
            count(tally, format!("{name} = state space"));
        }
    }
    Ok(())
}

/// Whether what arrives at a replica in one slot is in the order that `timed` knows (E7).
fn is_canonical(schedule: &Schedule) -> bool {
    let mut last: BTreeMap<(Slot, ReplicaId), Kind> = BTreeMap::new();
    schedule.choices.iter().all(|choice| {
        let Choice::Deliver { slot, copy } = choice else {
            return true;
        };
        let kind = copy.message.kind;
        let before = last.insert((*slot, copy.receiver), kind);
        before.is_none_or(|before| before <= kind)
    })
}

/// Schedules found without slots satisfy every row of `timed` in as many slots.
fn accepted(instance: &Instance, answers: &[Answer], tally: &Tally) -> Result<(), TestCaseError> {
    for answer in answers {
        let canonical = |decoded: &&Decoded| is_canonical(&decoded.schedule);
        let Some(decoded) = answer.decoded.as_ref().filter(canonical) else {
            continue;
        };
        let name = answer.formulation;
        let mut instance = instance.clone();
        instance.slots = decoded.slots;
        let Ok(Built::Timed(timed)) = build(&instance) else {
            continue;
        };
        let point = timed.encode(&decoded.schedule, &decoded.faulty);
        let point = point.map_err(|why| TestCaseError::fail(format!("{name}: {why}")))?;
        let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
        let broken = timed.program.rows.iter().find(|row| {
            let known = |(col, _): &(Col, i64)| point[col.index()].is_some();
            !row.holds(&values) && row.terms.iter().all(known)
        });
        prop_assert!(
            broken.is_none(),
            "{name}: row {:?} of timed\n{}\n{}",
            broken.map(|row| &row.name),
            write::choices_csv(&decoded.schedule.choices),
            write::predictions_csv(&decoded.schedule.predictions)
        );
        count(tally, format!("timed has the schedule of {name}"));
    }
    Ok(())
}

/// What one found the other does not exclude.
fn same(goal: Goal, one: &Answer, other: &Answer) -> Result<(), TestCaseError> {
    let names = format!("{} and {}", one.formulation, other.formulation);
    if one.settled && other.settled {
        prop_assert_eq!(one.best, other.best, "{}", names);
    }
    for (found, bound) in [(one.best, other.bound), (other.best, one.bound)] {
        let Some((found, bound)) = found.zip(bound) else {
            continue;
        };
        let within = match sense(goal) {
            Sense::Maximize => found <= bound,
            Sense::Minimize => found >= bound,
        };
        prop_assert!(within, "{names}: found {found} beyond the bound {bound}");
    }
    Ok(())
}

/// What has to have been compared, or the instances drawn are not what they are for.
const COMPARED: [&str; 9] = [
    "causal = counting",
    "timed = causal",
    "timed = counting",
    "timed = exhaustive search",
    "causal = exhaustive search",
    "counting = exhaustive search",
    "causal = state space",
    "timed has the schedule of causal",
    "timed has the schedule of counting",
];

#[test]
fn formulations_and_searches_have_the_same_optimum() {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let config = Config {
        cases: cases.map_or(CASES, |cases| cases.parse().expect("a number of cases")),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let cases = config.cases;
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let tally = Tally::default();
    let result = runner.run(&small(), |small| compare(&small, &tally));
    let tally = tally.into_inner();
    for (what, count) in &tally {
        println!("{count:5} {what}");
    }
    if let Err(error) = result {
        panic!("{error}");
    }
    if cases < CASES {
        return;
    }
    for what in COMPARED {
        assert!(tally.contains_key(what), "never: {what}");
    }
    let programs = |how: &str| -> u32 {
        let counts = tally.iter().filter(|(what, _)| what.ends_with(how));
        counts.map(|(_, count)| count).sum()
    };
    let open = programs(" not settled");
    assert!(
        10 * open < programs(" settled"),
        "{open} programs are left open"
    );
}
