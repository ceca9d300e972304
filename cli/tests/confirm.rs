//! `milp solve --confirm`: alarms, limits, and engines that fail.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_replay::engine::find;
use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};
use support::{Ran, SMALL, Scratch};

/// Two views, in which a backup may ask to leave whenever it likes, says the paper.
fn views() -> String {
    SMALL
        .replace("views: 1", "views: 2")
        .replace("slots: 6", "slots: 8")
        .replace("goal: fork", "goal: views")
}

/// Runs the command with an engine behind a script that does something first.
fn behind(scratch: &Scratch, first: &str, arguments: &str) -> Ran {
    let adapter = find("nspcc-dbft").unwrap();
    let script = scratch.put(
        "adapter.sh",
        &format!("#!/bin/sh\n{first}\nexec {adapter}\n"),
    );
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = scratch.command(arguments);
    command.env("MILP_ENGINE_NSPCC_DBFT", script);
    Ran::from(command.output().unwrap())
}

#[test]
fn an_alarm_ends_with_12_and_is_in_the_document() {
    let scratch = Scratch::new();
    let late = SMALL.replace("goal: fork", "goal: stall");
    scratch.put("instances/late.yaml", &late.replace("slots: 6", "slots: 8"));
    let solve = "solve instances/late.yaml --no-adequacy --no-prove --quiet --out out/late \
                 --confirm-limit 4";
    let ran = scratch.run(&format!("{solve} --confirm dbft2-nspcc"));
    assert_eq!(ran.code, Some(12), "{ran:?}");
    assert!(ran.stdout.contains("alarm: a backup of view 0"), "{ran:?}");
    assert!(ran.stdout.contains("the shortest history: it "), "{ran:?}");
    assert!(ran.stdout.contains("no bound here covers it"), "{ran:?}");
    let ran = scratch.run(&format!("{solve} --confirm dbft2-nspcc --json"));
    assert_eq!(ran.code, Some(12), "{ran:?}");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = document.to_string();
    assert!(text.contains("\"alarms\":[{"), "{text}");
    assert!(text.contains("\"history\":["), "{text}");
}

#[test]
fn the_limit_of_time_is_for_the_engine_too() {
    let scratch = Scratch::new();
    scratch.put("instances/views.yaml", &views());
    #[expect(clippy::disallowed_methods, reason = "this is about the clock")]
    let began = Instant::now();
    let solve = "solve instances/views.yaml --confirm nspcc-dbft --quiet --time-limit 8";
    // Every run takes a while, and a cut takes hundreds of runs.
    let ran = behind(&scratch, "sleep 0.3", solve);
    let took = began.elapsed();
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert!(
        ran.stdout.contains("the limit of time came first, while"),
        "{ran:?}"
    );
    assert!(took < Duration::from_secs(30), "{took:?}: {ran:?}");
    let verified = scratch.run("verify out/views");
    assert!(verified.stdout.contains("verified"), "{verified:?}");
}

#[test]
fn an_engine_that_fails_leaves_what_was_found() {
    let scratch = Scratch::new();
    scratch.put("instances/views.yaml", &views());
    let solve = "solve instances/views.yaml --confirm nspcc-dbft --quiet";
    // It is there when it is looked for, and for some runs more.
    let first = "echo run >> runs\n[ $(wc -l < runs) -lt 40 ] || exit 1";
    let ran = behind(&scratch, first, solve);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("the engine failed"), "{ran:?}");
    let verified = scratch.run("verify out/views");
    assert!(verified.stdout.contains("verified"), "{verified:?}");
}

#[test]
fn an_engine_that_is_not_there_is_missed_before_anything_is_solved() {
    let scratch = Scratch::new();
    scratch.put("instances/views.yaml", &views());
    let mut command = scratch.command("solve instances/views.yaml --confirm nspcc-dbft");
    command.env("MILP_ENGINE_NSPCC_DBFT", "./nowhere");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.stdout.contains("termination"), "{ran:?}");
    assert!(!scratch.path("out").exists());
}
