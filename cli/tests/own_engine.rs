//! An engine of one's own, named by the command line of its adapter.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{Ran, Scratch, root};

/// A kept result of the rules that engines follow, with a lock that stays.
const KEPT: &str = "results/dbft2/n4-stall-nspcc";

/// Runs the command with arguments that have spaces.
fn run(scratch: &Scratch, arguments: &[&str]) -> Ran {
    Ran::from(scratch.command("").args(arguments).output().unwrap())
}

#[test]
fn a_command_is_an_engine_wherever_one_is_named_and_a_result_remembers_it() {
    let scratch = Scratch::new();
    let engine = root().join("target/engines/nspcc-dbft");
    // With an argument, so that the whole line is a word of its own.
    let engine = format!("cmd:env {}", engine.display());
    let kept = root().join(KEPT).display().to_string();
    let says = |arguments: &[&str], code: i32, words: &[&str]| {
        let ran = run(&scratch, arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        for word in words {
            let said = ran.stdout.contains(word) || ran.stderr.contains(word);
            assert!(said, "{arguments:?} does not say {word}: {ran:?}");
        }
    };
    let stuck = ["nspcc-dbft", "stuck", "divergences  0"];
    says(
        &["replay", &kept, "--engine", &engine, "--dry-run"],
        12,
        &stuck,
    );
    says(
        &["explain", &kept, "--engine", &engine],
        0,
        &["asks for recovery"],
    );
    let report = ["report", &kept, "--engine", &engine, "--out", "a.html"];
    says(&report, 0, &["a.html"]);
    assert!(scratch.text("a.html").contains("the engine"));
    says(
        &["fuzz", "--engine", &engine, "--steps", "50"],
        0,
        &["No difference"],
    );
    says(&["fuzz", "--engine", "own"], 2, &["cmd:COMMAND"]);

    let instance = root().join("instances/dbft2/n4-stall-nspcc.yaml");
    let instance = instance.display().to_string();
    let confirmed = [
        "solve",
        &instance,
        "--confirm",
        &engine,
        "--out",
        "out/a",
        "--quiet",
        "--no-adequacy",
    ];
    says(&confirmed, 0, &["confirmed on nspcc-dbft"]);
    let promote = ["promote", "out/a", "--no-resolve", "--engine", &engine];
    says(&promote, 0, &[]);
    let expected = scratch.text("results/a/expected.yaml");
    assert!(expected.contains(&format!("as: {engine}")), "{expected}");
    says(&["regress"], 0, &["was not driven", &engine, "as expected"]);
    says(
        &["regress", "--engine", &engine],
        0,
        &["1 of 1", "as expected"],
    );
    let elsewhere = "cmd:/nowhere/engine";
    says(&["regress", "--engine", elsewhere], 1, &["/nowhere/engine"]);
    // A result that names an engine which is gone.
    let gone = expected.replace(&format!("as: {engine}"), &format!("as: {elsewhere}"));
    scratch.put("results/a/expected.yaml", &gone);
    says(
        &["regress", "--engine", &engine],
        0,
        &["no result names", elsewhere],
    );
}

#[test]
fn an_attack_catches_who_decides_after_f_plus_1_commits_and_nobody_else() {
    let scratch = Scratch::new();
    let results = root().join("results/twins/dbft2").display().to_string();
    let attacked = |name: &str| {
        let engine = root().join("kits/python/examples").join(name);
        let engine = engine.display().to_string();
        let command = [
            "engine",
            "attack",
            "--results",
            &results,
            "python3",
            &engine,
        ];
        run(&scratch, &command)
    };
    let broken = attacked("broken.py");
    assert_eq!(broken.code, Some(12), "{broken:?}");
    for words in [
        "n4-fork-nspcc",
        "votes that bind are for it",
        "deliver to",
        "it does what the rules forbid",
    ] {
        assert!(broken.stdout.contains(words), "{words}: {broken:?}");
    }
    let sound = attacked("dbft2.py");
    assert_eq!(sound.code, Some(0), "{sound:?}");
    assert!(
        sound.stdout.contains("it follows the worst schedule"),
        "{sound:?}"
    );
    let gone = run(&scratch, &["engine", "attack", "/nowhere/engine"]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
}
