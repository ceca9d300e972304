//! The other direction: points of the program, pulled towards random corners, are executions that
//! the replicas follow without a divergence.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::program::Col;
use milp_replay::{Options, Protocol, Signatures, replay};
use milp_schema::schedule::Event;
use std::{collections::BTreeMap, sync::atomic::AtomicBool};
use support::{settings, variants};

/// A repeatable sequence of small weights (splitmix64).
fn weights(seed: u64) -> impl FnMut() -> i64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((z ^ (z >> 31)) % 7).expect("less than 7") - 2
    }
}

#[test]
fn random_corners_of_the_program_replay_without_divergence() {
    let mut tried = 0;
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (name, instance) in variants(2, 8) {
        let built = milp_model::build(&instance).expect("timed supports it");
        for seed in 0..5 {
            let mut program = built.program.clone();
            let mut weight = weights(seed);
            program.objective = (0..program.columns.len() as u32)
                .map(|col| (Col(col), weight()))
                .filter(|&(_, weight)| weight != 0)
                .collect();
            let mut settings = settings(4.0, false);
            // Any good point will do: the first two, not the best.
            settings.options = vec![("mip_max_improving_sols".into(), "2".into())];
            let solved =
                milp_solver::solve(&program, &settings, &AtomicBool::new(false), &mut |_| {})
                    .expect("the solver runs");
            let Some(point) = solved.point else { continue };
            let decoded = built.decode(&point);
            let options = Options {
                protocol: Protocol::Own,
                compare: true,
                signatures: Signatures::Symbolic,
            };
            let replayed = replay(&instance, &decoded.faulty, &decoded.schedule, &options)
                .expect("a point is a possible schedule");
            assert_eq!(
                replayed.verdict.divergences,
                0,
                "{name}, seed {seed}, faulty {:?}: {:#?}\n{}\n{}",
                decoded.faulty,
                replayed.verdict.notes,
                milp_schema::write::choices_csv(&decoded.schedule.choices),
                milp_schema::write::predictions_csv(&decoded.schedule.predictions),
            );
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
                *seen.entry(what).or_default() += 1;
            }
            tried += 1;
        }
    }
    println!("{tried} points replayed; what happened in them: {seen:#?}");
    assert!(tried >= 48, "{tried}");
    for what in [
        "send Commit",
        "send Block",
        "enter view 1",
        "decide in view 1",
    ] {
        assert!(
            seen.get(what).copied().unwrap_or(0) >= 10,
            "{what}: {seen:?}"
        );
    }
}
