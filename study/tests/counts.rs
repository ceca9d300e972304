//! Formulation `counting` of protocol files has the optimum of `levels`, and replicas follow what it finds, a
//! hundred of them too.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Built, Error, build, every,
    formulation::{counted, levels},
};
use milp_replay::random;
use milp_schema::{
    Instance, Schedule,
    instance::{Formulation, Goal, Network},
    schedule::Event,
};
use std::collections::BTreeSet;
use support::levels::{best_in, fork, fork_in, question};

#[test]
fn it_has_the_optimum_of_levels() {
    for (name, n, byzantine, views, most) in [
        ("tendermint", 4, 1, 2, 1),
        ("tendermint", 7, 2, 2, 1),
        ("tendermint no-lock", 5, 1, 2, 2),
        ("tendermint no-pol", 5, 1, 2, 2),
        ("tendermint", 4, 2, 2, 2),
        ("pbft", 4, 1, 3, 1),
        ("pbft no-certificate", 6, 1, 2, 2),
        ("pbft small-quorum", 4, 1, 2, 2),
        ("qbft", 5, 1, 2, 1),
        ("qbft any-prepared", 4, 1, 3, 2),
        ("qbft no-justification", 4, 1, 2, 2),
        ("ibft1", 4, 1, 2, 1),
        ("ibft1", 5, 1, 2, 2),
        ("ibft1", 6, 0, 2, 2),
        ("hotstuff", 4, 1, 2, 1),
        ("hotstuff no-lock", 5, 1, 2, 2),
        ("hotstuff-two-phase no-lock", 7, 2, 2, 2),
    ] {
        let instance = question(name, n, byzantine, views);
        let counted = fork_in(Formulation::Counting, &instance);
        assert_eq!(counted, fork(&instance), "{name}, n = {n}");
        assert_eq!(counted, most, "{name}, n = {n}");
    }
}

#[test]
fn a_hundred_replicas_follow_it() {
    for (name, byzantine, views, most) in [
        ("tendermint", 33, 2, 1),
        ("tendermint no-lock", 33, 2, 2),
        ("pbft no-certificate", 33, 2, 2),
        ("hotstuff no-lock", 33, 2, 2),
    ] {
        let mut instance = question(name, 100, byzantine, views);
        assert_eq!(fork_in(Formulation::Counting, &instance), most, "{name}");
        instance.goal = Goal::Finality;
        let found = best_in(Formulation::Counting, &instance, 2);
        assert_eq!(found.value, Some(most), "{name}: certificates");
    }
}

#[test]
fn auto_takes_it_where_many_replicas_follow_a_file() {
    let auto = |n: u32, name: &str| build(&question(name, n, 1, 2)).expect("a program");
    assert!(matches!(auto(7, "tendermint"), Built::Levels(_)));
    assert!(matches!(auto(8, "tendermint"), Built::Counts(_)));
    assert!(matches!(auto(8, "dbft2"), Built::Counting(_)));
    assert!(matches!(auto(8, "simplex"), Built::Levels(_)));
    let more_views = question("tendermint", 8, 1, 8);
    assert!(matches!(build(&more_views), Ok(Built::Levels(_))));
}

#[test]
fn what_cannot_be_counted_is_refused_by_name() {
    let of = |change: &dyn Fn(&mut Instance)| {
        let mut instance = question("tendermint", 8, 1, 2);
        change(&mut instance);
        match counted(&instance) {
            Err(Error::Unsupported {
                formulation,
                construct,
                ..
            }) => format!("{formulation}: {construct}"),
            other => panic!("{other:?}"),
        }
    };
    let protocol = |name: &str| milp_schema::Protocol::shipped(name);
    for (words, change) in [
        ("counting: a chain", &|it: &mut Instance| {
            it.protocol = protocol("simplex");
        }),
        ("counting: 8 views", &|it| it.views = 8),
        ("counting: voting power", &|it| it.power = Some(vec![1; 8])),
        ("counting: a goal other than `fork` and `finality`", &|it| {
            it.network = Network::Eventual;
            it.goal = Goal::Stall;
        }),
    ] as [(&str, &dyn Fn(&mut Instance)); 4]
    {
        let said = of(change);
        assert!(said.starts_with(words), "{said}");
    }
}

/// Random executions of replicas made from the file satisfy every row, and count the blocks that they decide.
#[test]
fn executions_are_points() {
    for (name, n, byzantine, views) in [
        ("tendermint", 4, 1, 3),
        ("tendermint no-lock", 5, 2, 3),
        ("pbft", 5, 1, 3),
        ("pbft no-certificate", 4, 1, 2),
        ("qbft any-prepared", 5, 1, 3),
        ("ibft1", 6, 2, 3),
        ("hotstuff no-lock", 4, 1, 3),
        ("hotstuff-two-phase", 7, 2, 2),
        ("tendermint-malachite", 4, 1, 3),
    ] {
        let instance = question(name, n, byzantine, views);
        let levels = levels::of(&instance).expect("levels say it");
        let encoder = levels.encoder().expect("the rules are followed");
        let counts = every::of_one(&instance).expect("it is counted");
        let (mut points, mut decided) = (0, 0);
        for seed in 0..300 {
            let execution = random::interpreted(&instance, seed);
            let encoded = encoder.encode(&execution.schedule, &execution.faulty, seed);
            let Ok(encoded) = encoded else { continue };
            let point: Vec<i64> = encoded.point.iter().map(|it| it.unwrap_or(0)).collect();
            let point = counts.of_levels(&levels, &point);
            let point = point.unwrap_or_else(|why| panic!("{name}, seed {seed}: {why}"));
            let broken: Vec<&str> = counts.program.violations(&point).collect();
            assert!(broken.is_empty(), "{name}, seed {seed}: {broken:?}");
            let blocks = blocks(&execution.schedule);
            assert!(
                counts.program.value(&point) >= blocks.min(2),
                "{name}, seed {seed}"
            );
            points += 1;
            decided += i64::from(blocks > 0);
        }
        println!("{name}: {points} points, {decided} decide");
        assert!(points > 100, "{name}: {points}");
        assert!(decided > 0, "{name}");
    }
}

/// How many blocks are decided.
fn blocks(schedule: &Schedule) -> i64 {
    let decided = schedule.predictions.iter().filter_map(|it| match it.event {
        Event::Decide(block) => Some(block),
        _ => None,
    });
    decided.collect::<BTreeSet<_>>().len() as i64
}
