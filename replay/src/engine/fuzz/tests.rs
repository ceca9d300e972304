//! The comparison finds every deliberate defect, and nothing where there is none.

use super::{Against, Make, Outcome, Settings, Sides, fuzz, replay};
use crate::engine::{
    CommandLine, Engine, EngineError, Sidecar,
    nspcc::{Defect, Nspcc, Switches},
};
use std::time::Duration;

fn twin() -> Box<dyn Engine> {
    Box::new(Nspcc::new(Switches::default()))
}

fn compare(make_b: Make, settings: &Settings) -> Outcome {
    fuzz(&|| Ok(twin()), make_b, settings, &mut || false, &mut |_| {})
        .expect("replicas in process do not fail")
}

#[test]
fn replicas_are_the_same_as_themselves_and_everything_happens() {
    let settings = Settings::new(1, Some(60_000));
    let Outcome::Same(report) = compare(&|| Ok(twin()), &settings) else {
        panic!("the same replicas differ");
    };
    assert_eq!(report.steps, 60_000);
    for what in [
        "Commit sent, a lock formed",
        "RecoveryMessage sent",
        "RecoveryRequest sent",
        "crash",
        "decision",
        "decision above view 0",
        "message injected",
        "recovery message delivered",
        "restart",
        "view 1 entered",
        "view above 1 entered",
    ] {
        let count = report.happened.get(what).copied().unwrap_or(0);
        assert!(count >= 50, "{what}: {count} times in\n{report}");
    }
}

#[test]
fn every_defect_is_found_and_shrunk_to_a_script_that_shows_it_again() {
    for defect in Defect::ALL {
        let broken = move || -> Box<dyn Engine> {
            Box::new(Nspcc::new(Switches::default()).with_defect(defect))
        };
        let outcome = compare(&|| Ok(broken()), &Settings::new(1, Some(2_000_000)));
        let Outcome::Differ(_, found) = outcome else {
            panic!("{} was not found", defect.name());
        };
        let sides = Sides {
            makes: &[&|| Ok(twin()), &|| Ok(broken())],
            against: None,
        };
        let again = replay(sides, &found.script)
            .expect("replicas in process do not fail")
            .expect("the script shows the difference");
        assert_eq!(again.difference, found.difference, "{}", defect.name());
        assert!(
            found.script.acts.len() <= 120,
            "{} is shown by a long script:\n{found}",
            defect.name()
        );
    }
}

#[test]
fn an_adapter_that_fails_is_shown_by_the_shortest_script_too() {
    // It answers the first request, if wrongly, and is gone.
    let command = CommandLine::parse("head -n 1").expect("a command");
    let broken = || -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(Sidecar::open(&command, Duration::from_secs(5))?))
    };
    let outcome = compare(&broken, &Settings::new(1, Some(100)));
    let Outcome::Differ(_, found) = outcome else {
        panic!("an echo is no engine");
    };
    assert!(found.failure.is_some(), "{found}");
    assert_eq!(found.script.acts, [], "{found}");
}

#[test]
fn alone_an_engine_that_decides_too_early_is_noticed_and_a_sound_one_is_not() {
    let settings = Settings::new(1, Some(60_000));
    let alone = |defect: Option<Defect>| {
        let make = move || -> Result<Box<dyn Engine>, EngineError> {
            let own = Nspcc::new(Switches::default());
            Ok(Box::new(match defect {
                Some(defect) => own.with_defect(defect),
                None => own,
            }))
        };
        super::alone(&make, Against::Fork, &settings, &mut || false, &mut |_| {})
            .expect("nothing fails here")
    };
    if let Outcome::Differ(_, found) = alone(None) {
        panic!("sound replicas fork:\n{found}");
    }
    let defect = Defect::named("few-commits-decide").expect("it has that name");
    let Outcome::Differ(report, found) = alone(Some(defect)) else {
        panic!("no fork was found");
    };
    assert!(
        report.steps < 60_000 && found.script.acts.len() < 40,
        "{report}{found}"
    );
    assert_eq!(found.difference.0[0].name, "finality");
}
