//! The program and the replicas, written separately, compared in both directions: random
//! executions of the replicas are points of the program.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::program::{Program, Row, Tag};
use milp_replay::random;
use milp_schema::{
    Instance,
    instance::{Goal, Network},
    schedule::{Choice, Event},
};
use std::collections::BTreeMap;
use support::{instance, production, production_variants, variants};

/// What of an execution counts as a rule that fired.
fn fired(execution: &random::Executed, counts: &mut BTreeMap<String, u64>) {
    for prediction in &execution.schedule.predictions {
        let name = match &prediction.event {
            Event::Send(message) => format!("send {}", message.kind),
            Event::EnterView { view, .. } => format!("enter view {view}"),
            Event::Decide(block) => format!("decide in view {}", block.view),
        };
        *counts.entry(name).or_default() += 1;
    }
    for choice in &execution.schedule.choices {
        let name = match choice {
            Choice::Deliver { .. } => "deliver",
            Choice::Timeout { .. } => "timeout",
            Choice::Inject { .. } => "inject",
            Choice::Crash { .. } => "crash",
            Choice::Drop { .. } | Choice::Restart { .. } => continue,
        };
        *counts.entry(name.into()).or_default() += 1;
    }
}

/// What comparing executions with programs found.
#[derive(Default)]
struct Compared {
    executions: u64,
    /// Executions that are points of the program.
    encoded: u64,
    /// What happened in them.
    counts: BTreeMap<String, u64>,
}

/// Whether every random execution within the program has a row's permission: the legal rows', the
/// valid ones', and those of what the program leaves out (E38 to E46), which generators keep to.
fn binds(program: &Program, row: &Row) -> bool {
    let family = program.family(row);
    family.left_out.is_some() || matches!(family.tag, Tag::Legal | Tag::Valid)
}

/// Draws `each` executions of every variant, and finds all of them allowed.
fn compare(variants: Vec<(&'static str, Instance)>, each: u64) -> Compared {
    let mut compared = Compared::default();
    for (name, instance) in variants {
        let built = milp_model::formulation::timed::of(&instance).expect("timed supports it");
        let program = &built.program;
        let mut here = 0;
        let mut outside: BTreeMap<String, u64> = BTreeMap::new();
        for seed in 0..each {
            let execution = random::execution(&instance, seed);
            compared.executions += 1;
            let point = match built.encode(&execution.schedule, &execution.faulty) {
                Ok(point) => point,
                Err(why) => {
                    *outside.entry(why).or_default() += 1;
                    continue;
                }
            };
            let known = |row: &Row| {
                row.terms
                    .iter()
                    .all(|(col, _)| point[col.index()].is_some())
            };
            let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
            let broken: Vec<&str> = program
                .rows
                .iter()
                .filter(|row| binds(program, row) && known(row) && !row.holds(&values))
                .map(|row| row.name.as_str())
                .collect();
            if execution.left_out && !broken.is_empty() {
                *outside.entry("left out".to_owned()).or_default() += 1;
                continue;
            }
            assert!(
                broken.is_empty(),
                "{name}, seed {seed}, faulty {:?}: {broken:?}\n{}\n{}",
                execution.faulty,
                milp_schema::write::choices_csv(&execution.schedule.choices),
                milp_schema::write::predictions_csv(&execution.schedule.predictions),
            );
            here += 1;
            fired(&execution, &mut compared.counts);
        }
        println!("{name}: {here} of {each} executions are points of the program {outside:?}");
        compared.encoded += here;
    }
    compared
}

impl Compared {
    /// Most executions are within the program, and each of these happened often enough.
    fn check(&self, happenings: &[&str]) {
        let Self {
            executions,
            encoded,
            counts,
        } = self;
        println!("{encoded} of {executions} executions; what happened in them: {counts:#?}");
        assert!(
            encoded * 100 >= executions * 95,
            "{encoded} of {executions}"
        );
        for rule in happenings {
            let count = counts.get(*rule).copied().unwrap_or(0);
            assert!(count >= 100, "{rule} fired {count} times");
        }
    }
}

/// What happens in the executions of every protocol.
const HAPPENINGS: [&str; 14] = [
    "send PrepareRequest",
    "send PrepareResponse",
    "send Commit",
    "send ChangeView",
    "send Block",
    "enter view 1",
    "enter view 2",
    "decide in view 0",
    "decide in view 1",
    "decide in view 2",
    "deliver",
    "timeout",
    "inject",
    "crash",
];

#[test]
fn random_executions_satisfy_every_legal_row() {
    let compared = compare(variants(3, 12), 1_000);
    assert!(compared.executions >= 10_000);
    compared.check(&HAPPENINGS);
}

#[test]
fn random_executions_of_the_production_rules_satisfy_every_legal_row() {
    let mut variants = production_variants(3, 12);
    // A view is left in two rounds, questions for recovery first: a decision in the third one
    // takes more slots than most of these have.
    variants.push(("nspcc, long", production(3, 26)));
    let eventual = Instance {
        network: Network::Eventual,
        ..production(3, 26)
    };
    variants.push(("nspcc, long, eventual", eventual));
    let compared = compare(variants, 1_000);
    assert!(compared.executions >= 8_000);
    compared.check(&HAPPENINGS);
    compared.check(&["send RecoveryRequest"]);
}

#[test]
fn an_execution_without_one_of_its_reactions_is_not_a_point() {
    drop_reactions(&Instance {
        network: Network::Eventual,
        ..instance("dbft2", 3, 12, Goal::Fork)
    });
}

#[test]
fn an_execution_of_production_rules_without_one_of_its_reactions_is_not_a_point() {
    drop_reactions(&Instance {
        network: Network::Eventual,
        ..production(3, 12)
    });
}

fn drop_reactions(instance: &Instance) {
    let built = milp_model::formulation::timed::of(instance).expect("timed supports it");
    let mut tried = 0;
    for seed in 0..300 {
        let execution = random::execution(instance, seed);
        for dropped in 0..execution.schedule.predictions.len() {
            let mut schedule = execution.schedule.clone();
            let reaction = match &schedule.predictions[dropped].event {
                // The timer's own sends may as well not happen, and a decision's broadcast says
                // the same as the decision.
                Event::Send(message) => {
                    message.kind.does().sent == milp_schema::vocabulary::Sent::Rule
                }
                Event::EnterView { .. } => true,
                Event::Decide(_) => false,
            };
            if !reaction {
                continue;
            }
            schedule.predictions.remove(dropped);
            let point = built
                .encode(&schedule, &execution.faulty)
                .expect("it has columns");
            let values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
            let legal = built
                .program
                .rows
                .iter()
                .all(|row| built.program.family(row).tag != Tag::Legal || row.holds(&values));
            // Entering a later view may make an earlier entry of the same replica redundant.
            let original = built.encode(&execution.schedule, &execution.faulty);
            assert!(
                !legal || original == Ok(point),
                "seed {seed}, prediction {dropped}"
            );
            tried += 1;
        }
    }
    println!("{tried} reactions dropped");
    assert!(tried > 1_000, "{tried}");
}
