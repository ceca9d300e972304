//! Goal `blame`: both readings of a file find the same replicas guilty, nobody honest among them, and a
//! formulation without columns for what Byzantine replicas sent refuses it by name.

#![expect(clippy::print_stdout, reason = "the counts are the result")]

mod support;

use milp_model::{
    build,
    formulation::levels::{self, Built, Key},
    program::{Row, Tag},
};
use milp_replay::{
    Options, Protocol, Recovery, Replayed, Signatures,
    random::{self, Executed},
    replay,
};
use milp_schema::{
    Choice, Instance, ReplicaId, Value,
    instance::{Fault, FaultKind, Formulation, Goal},
};
use std::{collections::BTreeSet, path::Path};

/// Of a shipped protocol, or of a file beside the instances of Tendermint.
fn question(protocol: &str, byzantine: u32, views: u32) -> Instance {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instances/tendermint");
    let (protocol, mutant) = protocol.split_once(' ').unwrap_or((protocol, ""));
    let file = milp_schema::protocol::beside(&folder, protocol);
    let named = || milp_schema::Protocol::shipped(protocol);
    let mut instance = Instance::asking(file.unwrap_or_else(|_| named()))
        .views(views)
        .slots(14)
        .blocks_per_proposal(2)
        .beyond_budget()
        .faults([Fault::any(FaultKind::Byzantine, byzantine)])
        .goal(Goal::Blame)
        .build();
    instance.mutant = (!mutant.is_empty()).then(|| mutant.to_owned());
    instance
}

fn followed(instance: &Instance, executed: &Executed) -> Replayed {
    let options = Options {
        protocol: Protocol::Interpreter,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    replay(instance, &executed.faulty, &executed.schedule, &options).expect("it is an execution")
}

/// The replicas that a replay proves guilty.
fn guilty(replayed: &Replayed) -> BTreeSet<u32> {
    let named = |note: &String| {
        let (who, _) = note
            .strip_prefix("replica ")?
            .split_once(" is guilty: it made ")?;
        who.parse().ok()
    };
    let found: BTreeSet<u32> = replayed.verdict.notes.iter().filter_map(named).collect();
    assert_eq!(replayed.verdict.guilty, Some(found.len() as u32));
    found
}

/// The replicas whose rows of the program say so, all rows of rules and all valid ones being satisfied.
fn guilty_by_rows(built: &Built, executed: &Executed) -> Option<BTreeSet<u32>> {
    let encoder = built.encoder().expect("the rules are followed");
    let encoded = encoder
        .encode(&executed.schedule, &executed.faulty, 0)
        .ok()?;
    let mut point = encoded.point;
    let mut guilty = BTreeSet::new();
    let family = |row: &Row| built.program.family(row);
    let rows = built.program.rows.iter();
    for row in rows
        .clone()
        .filter(|row| family(row).name == "guilty_by_two_records")
    {
        let of = row.terms.iter().filter(|(_, k)| *k > 0);
        let held = of.filter(|(col, _)| point[col.index()] == Some(1)).count();
        let (col, _) = row
            .terms
            .iter()
            .find(|(_, k)| *k < 0)
            .expect("it is a replica's");
        if let (2, Key::OfReplica(_, j, _)) = (held, built.key(*col)) {
            guilty.insert(*j);
        }
    }
    for (at, value) in point.iter_mut().enumerate() {
        if let Key::OfReplica(_, j, _) = built.key(milp_model::program::Col(at as u32)) {
            *value = Some(i64::from(guilty.contains(j)));
        }
    }
    let known = |row: &&Row| {
        row.terms
            .iter()
            .all(|(col, _)| point[col.index()].is_some())
    };
    let values: Vec<i64> = point.iter().map(|it| it.unwrap_or(0)).collect();
    let binds = |row: &&Row| matches!(family(row).tag, Tag::Legal | Tag::Valid);
    for row in rows.filter(binds).filter(known) {
        assert!(row.holds(&values), "{}", row.name);
    }
    Some(guilty)
}

/// Whether an honest replica got something of a Byzantine one that no rule reads.
fn unread(built: &Built, executed: &Executed) -> bool {
    let columns = built.program.columns.iter();
    let names: BTreeSet<&str> = columns.map(|it| it.name.as_str()).collect();
    let mut delivered = executed.schedule.choices.iter();
    delivered.any(|choice| {
        let Choice::Deliver { copy, .. } = choice else {
            return false;
        };
        let message = &copy.message;
        let value = message.value.map_or(String::new(), |value| match value {
            Value::Block { view, index } => format!("_x{}", view.0 * 2 + index),
            Value::Nil => "_nil".to_owned(),
            Value::Bad => "_bad".to_owned(),
        });
        let justified = message.justification;
        let justified = justified.map_or(String::new(), |view| format!("_c{view}"));
        let (kind, j, view) = (message.kind.name(), copy.sender, message.view);
        let name = format!("held_{kind}_i{j}_v{view}{value}{justified}");
        !names.contains(name.as_str())
    })
}

#[test]
fn nobody_honest_is_ever_blamed_and_both_readings_blame_the_same() {
    for (protocol, byzantine, views, seeds) in [
        ("tendermint", 0, 3, 300),
        ("tendermint", 1, 2, 500),
        ("tendermint", 2, 2, 500),
        ("tendermint", 2, 3, 300),
        ("./files/accountable.yaml", 1, 3, 400),
        ("./files/accountable.yaml", 2, 3, 400),
        ("./files/accountable.yaml nil-if-locked", 2, 3, 400),
        ("ibft1", 1, 3, 200),
        ("dbft2", 1, 2, 200),
    ] {
        let instance = question(protocol, byzantine, views);
        let built = levels::of(&instance).expect("levels say it");
        let (mut some, mut encoded, mut same) = (0, 0, 0);
        for seed in 0..seeds {
            let executed = random::interpreted(&instance, seed);
            let replayed = followed(&instance, &executed);
            let found = guilty(&replayed);
            let may = |j: &u32| {
                executed
                    .faulty
                    .contains(&(ReplicaId(*j), FaultKind::Byzantine))
            };
            assert!(found.iter().all(may), "{protocol}, seed {seed}: {found:?}");
            some += u32::from(!found.is_empty());
            if let Some(rows) = guilty_by_rows(&built, &executed) {
                let notes = &replayed.verdict.notes;
                // What nobody reads has no column, and may prove somebody guilty all the same.
                let equal = found == rows || (rows.is_subset(&found) && unread(&built, &executed));
                assert!(equal, "{protocol}, seed {seed}: {rows:?} and {notes:?}");
                same += u64::from(found == rows);
                encoded += 1;
            }
        }
        println!(
            "{protocol}, {byzantine} Byzantine: {seeds} executions, {encoded} points, {same} the same, {some} with guilty"
        );
        assert_eq!(some > 0, byzantine > 0, "{protocol}");
        assert!(
            encoded > seeds / 4 && same > encoded / 2,
            "{protocol}: {encoded}"
        );
    }
}

/// Who says two things of one kind and view, once, is guilty, whoever else got one of them.
#[test]
fn a_replica_that_only_equivocates_once_is_guilty() {
    let instance = question("tendermint", 1, 1);
    let mut seeds = 0..;
    let (executed, injected) = seeds
        .find_map(|seed| {
            let executed = random::interpreted(&instance, seed);
            let injects = |it: &&Choice| matches!(it, Choice::Deliver { copy, .. } if executed.faulty.iter().any(|(j, _)| *j == copy.sender));
            let copies = executed.schedule.choices.iter().filter(injects);
            let messages: BTreeSet<_> = copies.map(|it| match it {
                Choice::Deliver { copy, .. } => copy.message.clone(),
                _ => unreachable!("a delivery"),
            }).collect();
            let messages: Vec<_> = messages.into_iter().collect();
            let twice = messages.len() == 2
                && (messages[0].kind, messages[0].view) == (messages[1].kind, messages[1].view);
            twice.then_some((executed, messages))
        })
        .expect("seeds do not end");
    let replayed = followed(&instance, &executed);
    assert_eq!(guilty(&replayed).len(), 1, "{injected:?}");
}

#[test]
fn other_formulations_refuse_the_goal_by_name() {
    for (protocol, formulation) in [
        ("tendermint", Formulation::Timed),
        ("dbft2", Formulation::Timed),
        ("dbft2", Formulation::Counting),
        ("dbft2", Formulation::Causal),
    ] {
        let instance = Instance {
            formulation,
            ..question(protocol, 1, 1)
        };
        let refused = build(&instance).expect_err("it has no columns for it");
        let refused = refused.to_string();
        let named = ["goal `blame`", formulation.name()];
        assert!(named.iter().all(|it| refused.contains(it)), "{refused}");
    }
}
