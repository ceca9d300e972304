//! Every shipped result, row by row: its schedule replays without divergence, no prediction can be
//! dropped or shifted and no delivery removed unnoticed, and no proof is vacuous.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures, replay};
use milp_schema::{
    Choice, Instance, Schedule, Slot,
    instance::{FaultKind, Formulation, Goal, Who},
    trace::to_ndjson,
};
use milp_solver::Settings;
use milp_study::{
    confirm::Engine,
    folder::{ASKED, Folder, LEMMAS, QUESTION},
    regress::{Again, Asked, regress},
};
use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files of that name below a folder, ascending.
fn below(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(below(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn results() -> Vec<Folder> {
    below(&root().join("results"), &|path| {
        path.ends_with("expected.yaml")
    })
    .iter()
    .map(|path| Folder::read(path.parent().expect("a file has a folder")).expect("a result"))
    .collect()
}

fn run(folder: &Folder, schedule: &Schedule) -> Option<Replayed> {
    let options = Options {
        protocol: Protocol::Own,
        compare: true,
        foreign: false,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    replay(
        &folder.outcome.instance,
        &folder.outcome.faulty,
        schedule,
        &options,
    )
    .ok()
}

fn diverges(folder: &Folder, schedule: &Schedule) -> bool {
    run(folder, schedule).is_none_or(|replayed| !replayed.verdict.confirms())
}

#[test]
fn every_row_of_every_shipped_result_counts() {
    let (mut predictions, mut deliveries) = (0, 0);
    let results = results();
    assert!(results.len() >= 13, "{}", results.len());
    for folder in &results {
        let at = folder.dir.display();
        let whole = run(folder, &folder.schedule).expect("a shipped schedule replays");
        assert!(whole.verdict.confirms(), "{at}: {:?}", whole.verdict.notes);
        // Every action of the TLA+ model is *may*, so a behaviour without one of them is a behaviour.
        if folder.outcome.instance.protocol.mutants.is_empty() {
            continue;
        }
        let trace = to_ndjson(&whole.trace);
        for row in 0..folder.schedule.predictions.len() {
            let mut dropped = folder.schedule.clone();
            dropped.predictions.remove(row);
            assert!(diverges(folder, &dropped), "{at}: prediction {row} dropped");
            for shift in [-1_i64, 1] {
                let mut shifted = folder.schedule.clone();
                let slot = &mut shifted.predictions[row].slot;
                *slot = Slot(u32::try_from(i64::from(slot.0) + shift).expect("slots start at 1"));
                shifted.predictions.sort();
                assert!(
                    diverges(folder, &shifted),
                    "{at}: prediction {row} shifted by {shift}"
                );
            }
            predictions += 1;
        }
        for row in 0..folder.schedule.choices.len() {
            if !matches!(folder.schedule.choices[row], Choice::Deliver { .. }) {
                continue;
            }
            let mut removed = folder.schedule.clone();
            removed.choices.remove(row);
            let noticed = run(folder, &removed).is_none_or(|replayed| {
                !replayed.verdict.confirms() || to_ndjson(&replayed.trace) != trace
            });
            assert!(noticed, "{at}: delivery in row {row} removed");
            deliveries += 1;
        }
    }
    println!(
        "{} results, {predictions} predictions, {deliveries} deliveries",
        results.len()
    );
    assert!(predictions > 200 && deliveries > 500);
}

#[test]
fn every_instance_has_a_kept_result_for_just_that_instance() {
    let results = results();
    for path in below(&root().join("instances"), &|path| {
        path.extension().is_some()
    }) {
        // Sweeps have no result of their own: cli/tests/sweep.rs runs them. Nor have protocols.
        let text = std::fs::read_to_string(&path).expect("a file of the repository");
        if !text.contains("\nformat: milp-instance/") {
            continue;
        }
        if let Some(asked) = milp_schema::read::every(&path).expect("a question") {
            let place = path.strip_prefix(root().join("instances"));
            let dir = root().join("results").join(place.expect("below"));
            let kept = [QUESTION, ASKED].map(|it| dir.with_extension("").join(it));
            let kept = kept.iter().find(|it| it.is_file());
            let kept = kept.and_then(|it| milp_schema::read::every(it).expect("a question"));
            assert_eq!(
                kept,
                Some(asked),
                "{}: solve it and promote it",
                path.display()
            );
            continue;
        }
        let instance = milp_schema::read::instance(&path).expect("a shipped instance is valid");
        let kept = results.iter().any(|folder| {
            let kept = &folder.outcome.instance;
            // A formulation without slots writes down how many its schedule takes.
            let slots = if is_timeless(folder) {
                kept.slots
            } else {
                instance.slots
            };
            let asked = Instance {
                slots,
                ..instance.clone()
            };
            *kept == asked
        });
        assert!(kept, "{}: solve it and promote the result", path.display());
    }
}

/// Whether the result is for any number of slots.
fn is_timeless(folder: &Folder) -> bool {
    !Formulation::named(&folder.outcome.formulation).is_some_and(Formulation::knows_slots)
}

/// Same n, heights, views, network and goal, and slots where both know them; only the adversary or
/// the protocol differs. How many good views are asked for, and so how many views there are, may
/// differ, and behind how many bad ones where nobody is faulty; who has fewer blocks to propose can
/// do less.
fn is_twin(one: &Folder, other: &Folder) -> bool {
    let timeless = is_timeless(one) || is_timeless(other);
    // Two blocks decided in fewer views are decided in more, which only lemmas close.
    let lemmas = other.dir.join(LEMMAS).is_file();
    let fewer = lemmas && one.outcome.instance.views <= other.outcome.instance.views;
    let (one, other) = (&one.outcome.instance, &other.outcome.instance);
    let honest = one.faults.is_empty() || other.faults.is_empty();
    if one.blocks_per_proposal > other.blocks_per_proposal {
        return false;
    }
    let bare = |instance: &Instance| Instance {
        slots: if timeless { 1 } else { instance.slots },
        views: match instance.goal {
            Goal::Wasted { .. } => 1,
            _ if fewer => 1,
            _ => instance.views,
        },
        goal: match instance.goal {
            Goal::Wasted { bad, .. } => Goal::Wasted {
                bad: if honest { 0 } else { bad },
                up_to: 1,
            },
            goal => goal,
        },
        blocks_per_proposal: 1,
        faults: vec![],
        beyond_budget: false,
        mutant: None,
        ..instance.clone()
    };
    one != other && bare(one) == bare(other)
}

#[test]
fn every_proof_of_safety_has_a_twin_that_reaches_the_violation() {
    let results = results();
    let mut safe = 0;
    for folder in &results {
        let instance = &folder.outcome.instance;
        let sound = instance.mutant.is_none() && !instance.beyond_budget;
        let value = folder.outcome.primal.expect("a kept result has a value");
        // A stall of 0, a fork of 2 and no decision at all are violations themselves.
        let violation = match instance.goal {
            Goal::Fork | Goal::Finality => value >= 2,
            Goal::Stall => value == 0,
            Goal::Wasted { up_to, .. } => value >= i64::from(up_to),
            _ => false,
        };
        if !sound || violation {
            continue;
        }
        // Protocols without mutants are for at most f faulty replicas, so that no twin forks; a
        // block says that the proof is not about nothing.
        let forks = matches!(instance.goal, Goal::Fork | Goal::Finality);
        if forks && instance.protocol.mutants.is_empty() {
            assert!(value >= 1, "{}: nothing is decided", folder.dir.display());
            continue;
        }
        // Of the questions about the production rules only two of four replicas have a twin yet.
        let asked = matches!(instance.goal, Goal::Fork | Goal::Stall) && instance.replicas == 4;
        if instance.protocol.name == "dbft2-nspcc" && !asked {
            continue;
        }
        let is_worse = |twin: &Folder| {
            let reached = twin.outcome.primal.expect("a kept result has a value");
            match twin.outcome.instance.goal {
                Goal::Stall => reached < value,
                // None of those that were asked for decides.
                Goal::Wasted { up_to, .. } => reached > value || reached == i64::from(up_to),
                _ => reached > value,
            }
        };
        let mut twins = results.iter().filter(|twin| is_twin(twin, folder));
        let worse = twins.any(is_worse);
        assert!(worse, "{}: no twin is worse", folder.dir.display());
        safe += 1;
    }
    assert!(safe >= 7, "{safe}");
}

#[test]
fn every_shipped_optimum_is_proved_and_the_same_with_four_more_slots() {
    for folder in results() {
        let at = folder.dir.display();
        assert!(folder.outcome.proved, "{at}");
        if is_timeless(&folder) {
            continue; // any number of slots
        }
        if folder.outcome.run.iter().any(|(name, _)| name == "acts") {
            continue; // the fewest acts in these slots, of a result that is judged itself
        }
        let horizon = folder
            .outcome
            .run
            .iter()
            .find(|(name, _)| name == "horizon");
        let words = horizon.map(|(_, words)| words.as_str()).unwrap_or_default();
        assert!(words.starts_with("adequate"), "{at}: {words}");
    }
}

#[test]
fn byzantine_replicas_of_the_shipped_results_stay_within_the_budget() {
    for folder in results() {
        let instance = &folder.outcome.instance;
        for kind in [FaultKind::Byzantine, FaultKind::Crash, FaultKind::Network] {
            let used = folder
                .outcome
                .faulty
                .iter()
                .filter(|(_, how)| *how == kind)
                .count();
            assert!(
                used as u32 <= instance.fault_count(kind),
                "{}",
                folder.dir.display()
            );
            let named = instance.faults.iter().filter(|fault| fault.kind == kind);
            for fault in named {
                if let Who::These(replicas) = &fault.who {
                    assert!(used <= replicas.len());
                }
            }
        }
    }
}

#[test]
fn results_of_the_formal_model_are_found_again() {
    let settings = Settings {
        time_limit_seconds: 600.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: true,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    };
    let asked = Asked::of(&[Engine::Own]).expect("own replicas");
    let results = root().join("results/dbft2/tla");
    let never = AtomicBool::new(false);
    let again = Again::Solves(&settings);
    let cases = regress(&results, &asked, again, &never, &mut |_| {}).expect("results");
    assert_eq!(cases.len(), 6);
    for case in cases {
        assert_eq!(case.differences, [""; 0], "{}", case.name);
    }
}
