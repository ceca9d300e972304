//! What random executions do in the views of a lemma's program is a point of it, whatever they go on to do.

use super::{execution, followed, point, question};
use crate::{
    formulation::levels::{Built, Question},
    program::Tag,
};
use milp_schema::instance::Goal;

/// Whether every row holds that says what executions do.
fn holds(built: &Built, point: &[i64], what: &str) {
    let states = |tag: Tag| !matches!(tag, Tag::Goal | Tag::Symmetry);
    let program = &built.program;
    for row in program
        .rows
        .iter()
        .filter(|it| states(program.family(it).tag))
    {
        assert!(row.holds(point), "{what}: {}", row.name);
    }
}

/// How many executions had both quorums of some pair, of so many; where `true` is said of the lemmas, each
/// program has those before it as rows.
fn check(name: &str, views: u32, hold: bool, seeds: u64) -> u32 {
    let instance = question(name, 4, 1, views);
    assert_eq!(instance.goal, Goal::Fork);
    let asked = Question::of(&instance).expect("levels say it");
    let asked = asked.expect("views are told apart");
    let pairs = asked.pairs();
    let known = if hold { &pairs[..] } else { &[] };
    let whole = asked.with(known).expect("a program");
    let lemma = |at: usize| asked.lemma(&known[..at.min(known.len())], pairs[at]);
    let programs: Vec<Built> = (0..pairs.len())
        .map(|at| lemma(at).expect("a program").expect("a part"))
        .collect();
    let ground = followed(&whole);
    let mut both = 0;
    for seed in 0..seeds {
        let liar = Some((seed % 4) as u32);
        let run = execution(&ground, liar, seed);
        for all in [false, true] {
            let Some(of_whole) = point(&whole, &run, liar, all) else {
                continue;
            };
            let what = format!("{name}, seed {seed}");
            holds(&whole, &of_whole, &what);
            for (built, pair) in programs.iter().zip(&pairs) {
                let part = point(built, &run, liar, all).expect("it may go on");
                holds(built, &part, &format!("{what}, {}", asked.words(*pair)));
                both += u32::from(built.program.value(&part) > 1);
            }
        }
    }
    both
}

#[test]
fn random_executions_satisfy_lemmas_and_their_programs() {
    for name in [
        "tendermint",
        "ibft1",
        "hotstuff",
        "hotstuff-two-phase",
        "./qbft.yaml",
        "./pbft.yaml",
    ] {
        assert_eq!(check(name, 3, true, 200), 0, "{name}");
        assert_eq!(check(name, 4, true, 60), 0, "{name}");
    }
    for name in [
        "tendermint no-lock",
        "tendermint no-pol",
        "ibft1 no-lock",
        "hotstuff no-lock",
        "./qbft.yaml no-certificate",
        "./pbft.yaml no-certificate",
        "dbft1",
        "dbft2",
        "dbft2 no-commit-lock",
    ] {
        check(name, 3, false, 200);
    }
}

/// Where what is done in a view may depend on later ones there are no lemmas.
#[test]
fn chains_and_records_of_any_view_have_no_lemmas() {
    for name in [
        "jolteon",
        "simplex",
        "hotstuff-chained",
        "hotstuff-complaints",
    ] {
        let instance = question(name, 4, 1, 3);
        assert!(
            Question::of(&instance).expect("levels say it").is_none(),
            "{name}"
        );
    }
}
