//! The other direction: points of the program, pulled towards random corners, are executions that
//! the replicas follow without a divergence.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::{
    Decoded,
    program::{Col, Program},
};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{Instance, schedule::Event};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{CORNER_NODES, production_variants, short, variants, weights};

/// Points found, and what happened in them.
#[derive(Debug, Default)]
struct Tried {
    points: u32,
    /// Those that are not where the search began.
    moved: u32,
    seen: BTreeMap<String, u32>,
}

/// Where a search for a corner begins.
#[derive(Debug, Clone, Copy)]
enum From {
    /// Anywhere.
    Nothing,
    /// At a random execution, of which half of the replicas keep to theirs: programs too large to
    /// find a point in seconds.
    Execution,
}

/// Pulls the program of every variant towards random corners, and replays what comes out.
fn try_corners(variants: Vec<(&'static str, Instance)>, seeds: u64, from: From) -> Tried {
    let mut tried = Tried::default();
    for (name, instance) in variants {
        let built = milp_model::formulation::timed::of(&instance).expect("timed supports it");
        for seed in 0..seeds {
            let mut program = built.program.clone();
            let mut weight = weights(seed);
            // Decisions are rare, so now and then they weigh more.
            let more = |name: &str| {
                if seed % 4 == 3 && name.starts_with("did_decide") {
                    9
                } else {
                    0
                }
            };
            let names: Vec<&str> = built
                .program
                .columns
                .iter()
                .map(|c| c.name.as_str())
                .collect();
            program.objective = (0..program.columns.len() as u32)
                .map(|col| (Col(col), weight() + more(names[col as usize])))
                .filter(|&(_, weight)| weight != 0)
                .collect();
            let mut settings = short(CORNER_NODES);
            if matches!(from, From::Execution) {
                settings.warm_start = support::start(&instance, &built, seed);
                keep_half(&mut program, settings.warm_start.as_deref(), seed);
            } else {
                // Any good point will do: the first two, not the best.
                let two = ("mip_max_improving_sols".into(), "2".into());
                settings.options.push(two);
            }
            let solved =
                milp_solver::solve(&program, &settings, &AtomicBool::new(false), &mut |_| {})
                    .expect("the solver runs");
            let Some(point) = solved.point else { continue };
            let start = settings.warm_start.unwrap_or_default();
            let differs = |(was, is): (&Option<i64>, &i64)| was.is_some_and(|was| was != *is);
            let is_new = start.is_empty() || start.iter().zip(&point).any(differs);
            tried.moved += u32::from(is_new);
            let decoded = built.decode(&point);
            follow(&format!("{name}, seed {seed}"), &instance, &decoded);
            let encoded = built
                .encode(&decoded.schedule, &decoded.faulty)
                .expect("its own");
            assert_eq!(
                built.decode(&encoded.iter().map(|x| x.unwrap_or(0)).collect::<Vec<_>>()),
                decoded
            );
            for prediction in &decoded.schedule.predictions {
                let what = match &prediction.event {
                    Event::Send(message) => format!("send {}", message.kind),
                    Event::EnterView { view, .. } => format!("enter view {view}"),
                    Event::Decide(block) => format!("decide in view {}", block.view),
                };
                *tried.seen.entry(what).or_default() += 1;
            }
            tried.points += 1;
        }
    }
    tried
}

/// Fixes what happens at about half of the replicas.
fn keep_half(program: &mut Program, start: Option<&[Option<i64>]>, seed: u64) {
    let Some(start) = start else { return };
    for (column, value) in program.columns.iter_mut().zip(start) {
        let (_, about) = column.name.split_once("_i").unwrap_or_default();
        let replica = about
            .split('_')
            .next()
            .and_then(|id| id.parse::<u64>().ok());
        if let (Some(replica), Some(value)) = (replica, *value)
            && (replica * 7 + seed * 5 + replica * seed) % 4 < 2
        {
            (column.lower, column.upper) = (value, value);
        }
    }
}

/// The replicas do what the point says.
fn follow(name: &str, instance: &Instance, decoded: &Decoded) {
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    let replayed = replay(instance, &decoded.faulty, &decoded.schedule, &options)
        .expect("a point is a possible schedule");
    assert!(
        replayed.verdict.confirms(),
        "{name}, faulty {:?}: {:#?}\n{}\n{}",
        decoded.faulty,
        replayed.verdict.notes,
        milp_schema::write::choices_csv(&decoded.schedule.choices),
        milp_schema::write::predictions_csv(&decoded.schedule.predictions),
    );
}

impl Tried {
    /// Enough points, in which everything happened.
    fn check(&self, points: u32, happenings: &[&str]) {
        println!(
            "{} points replayed, {} of them new; what happened in them: {:#?}",
            self.points, self.moved, self.seen
        );
        assert!(self.moved >= points, "{self:?}");
        for what in happenings {
            assert!(
                self.seen.get(*what).copied().unwrap_or(0) >= 10,
                "{what}: {:?}",
                self.seen
            );
        }
    }
}

#[test]
fn random_corners_of_the_program_replay_without_divergence() {
    try_corners(variants(2, 8), 5, From::Nothing).check(
        48,
        &[
            "send Commit",
            "send Block",
            "enter view 1",
            "decide in view 1",
        ],
    );
}

#[test]
fn random_corners_of_the_production_rules_replay_without_divergence() {
    try_corners(production_variants(2, 8), 6, From::Execution).check(
        35,
        &[
            "send Commit",
            "send Block",
            "send RecoveryRequest",
            "enter view 1",
        ],
    );
}
