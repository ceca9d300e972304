//! Replay, promote and regress: what was found once is checked for ever.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{SMALL, Scratch};

/// A scratch folder with a solved, replayed and kept result.
fn kept() -> Scratch {
    let scratch = Scratch::new();
    scratch.put("instances/a/small.yaml", SMALL);
    for arguments in [
        "solve instances/a/small.yaml --quiet",
        "promote out/a/small",
    ] {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(0), "milp {arguments}: {ran:?}");
    }
    scratch
}

/// The text without its line number `drop`, header lines counted.
fn without_line(text: &str, drop: usize) -> String {
    let lines = text.lines().enumerate().filter(|(line, _)| *line != drop);
    lines
        .flat_map(|(_, line)| {
            [
                line, "
",
            ]
        })
        .collect()
}

#[test]
fn a_replay_writes_its_trace_and_verdict_and_the_same_bytes_again() {
    let scratch = kept();
    let dry = scratch.run("replay out/a/small --dry-run");
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert_eq!(
        scratch.names("out/a/small"),
        ["outcome.yaml", "predictions.csv", "schedule.csv"]
    );

    let files = ["trace.dbft2-paper.ndjson", "verdict.dbft2-paper.yaml"];
    let replay = |arguments: &str| {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("divergences  0"), "{ran:?}");
        files.map(|name| scratch.text(&format!("out/a/small/{name}")))
    };
    let first = replay("replay out/a/small");
    assert!(first[0].lines().count() > 10 && first[0].lines().all(|line| line.starts_with('{')));
    assert_eq!(first, replay("replay out/a/small/schedule.csv"));
    assert_eq!(first, replay("replay out/a/small --symbolic"));
}

#[test]
fn a_schedule_without_an_outcome_is_replayed_with_an_instance() {
    let scratch = kept();
    scratch.put(
        "alone/schedule.csv",
        &scratch.text("out/a/small/schedule.csv"),
    );
    let ran = scratch.run("replay alone/schedule.csv");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--instance"), "{ran:?}");
    let ran = scratch.run("replay alone/schedule.csv --instance instances/a/small.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("replica 0 decides") || ran.stdout.contains("decides h0v0b0"));
}

#[test]
fn every_prediction_and_every_delivery_counts() {
    let scratch = kept();
    assert_eq!(scratch.run("replay out/a/small").code, Some(0));
    let trace = scratch.text("out/a/small/trace.dbft2-paper.ndjson");
    let outcome = scratch.text("out/a/small/outcome.yaml");
    let (choices, predictions) = (
        scratch.text("out/a/small/schedule.csv"),
        scratch.text("out/a/small/predictions.csv"),
    );
    let replay = |choices: &str, predictions: &str| {
        scratch.put("less/outcome.yaml", &outcome);
        scratch.put("less/schedule.csv", choices);
        scratch.put("less/predictions.csv", predictions);
        scratch.run("replay less")
    };
    for line in 1..predictions.lines().count() {
        let ran = replay(&choices, &without_line(&predictions, line));
        assert_eq!(ran.code, Some(12), "prediction in line {line}: {ran:?}");
    }
    for line in 1..choices.lines().count() {
        let ran = replay(&without_line(&choices, line), &predictions);
        assert!(ran.stderr.contains("edited"), "{ran:?}");
        let other = scratch.text("less/trace.dbft2-paper.ndjson") != trace;
        assert!(
            ran.code == Some(12) || (ran.code == Some(0) && other),
            "line {line}: {ran:?}"
        );
    }
}

#[test]
fn a_kept_result_is_as_expected_and_solves_to_the_same_again() {
    let scratch = kept();
    let names = [
        "expected.yaml",
        "outcome.yaml",
        "predictions.csv",
        "schedule.csv",
    ];
    assert_eq!(scratch.names("results/a/small"), names);
    let ran = scratch.run("regress --junit report.xml --solve");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains("1 of 1 results are as expected"),
        "{ran:?}"
    );
    let report = scratch.text("report.xml");
    assert!(report.contains(r#"<testcase name="a/small">"#), "{report}");
    assert!(report.contains(r#"failures="0""#), "{report}");
}

#[test]
fn regress_finds_whatever_changed_in_a_kept_result() {
    let scratch = kept();
    let results = "results/a/small";
    let edits: [(&str, &str, &str, &str); 6] = [
        (
            "expected.yaml",
            "primal: 1",
            "primal: 2",
            "primal: expected 2, found 1",
        ),
        (
            "expected.yaml",
            "proved: true",
            "proved: false",
            "proved: expected false, found true",
        ),
        (
            "expected.yaml",
            "agreement: holds",
            "agreement: violated",
            "verdict.agreement",
        ),
        (
            "expected.yaml",
            "expected/1.0",
            "expected/2.0",
            "expected.yaml:1:",
        ),
        ("expected.yaml", "verdict:", "verdicts:", "expected.yaml:"),
        ("outcome.yaml", "primal: 1", "primal: 2", "outcome.yaml:"),
    ];
    for (name, from, to, words) in edits {
        let path = format!("{results}/{name}");
        let text = scratch.text(&path);
        assert!(text.contains(from), "{text}");
        scratch.put(&path, &text.replacen(from, to, 1));
        let ran = scratch.run("regress --junit report.xml");
        assert_eq!(ran.code, Some(12), "{to}: {ran:?}");
        assert!(ran.stdout.contains(words), "{to}: {ran:?}");
        assert!(scratch.text("report.xml").contains("<failure"), "{to}");
        scratch.put(&path, &text);
    }
    for name in ["schedule.csv", "predictions.csv"] {
        let path = format!("{results}/{name}");
        let text = scratch.text(&path);
        for changed in [without_line(&text, 2), String::new()] {
            scratch.put(&path, &changed);
            let ran = scratch.run("regress");
            assert_eq!(ran.code, Some(12), "{name}: {ran:?}");
        }
        scratch.put(&path, &text);
    }
    assert_eq!(scratch.run("regress").code, Some(0));
}

#[test]
fn promote_refuses_what_would_not_hold_and_what_would_be_lost() {
    let scratch = kept();
    let again = scratch.run("promote out/a/small");
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("--force"), "{again:?}");
    assert_eq!(scratch.run("promote out/a/small --force").code, Some(0));
    assert_eq!(scratch.run("promote out/a/small --name b").code, Some(0));
    assert_eq!(scratch.names("results"), ["a", "b"]);

    let predictions = scratch.text("out/a/small/predictions.csv");
    scratch.put(
        "out/a/small/predictions.csv",
        &without_line(&predictions, 1),
    );
    let diverging = scratch.run("promote out/a/small --name c");
    assert_eq!(diverging.code, Some(2), "{diverging:?}");
    assert!(diverging.stderr.contains("diverges"), "{diverging:?}");

    scratch.put("out/a/small/predictions.csv", &predictions);
    let choices = scratch.text("out/a/small/schedule.csv");
    scratch.put("out/a/small/schedule.csv", &without_line(&choices, 2));
    let edited = scratch.run("promote out/a/small --name c");
    assert_eq!(edited.code, Some(2), "{edited:?}");
    assert_eq!(scratch.names("results"), ["a", "b"]);
}

#[test]
fn delays_that_fork_the_old_protocol_do_not_fork_the_new_one() {
    let scratch = Scratch::new();
    let old = SMALL
        .replace("dbft2", "dbft1")
        .replace("views: 1", "views: 2")
        .replace("slots: 6", "slots: 12")
        .replace("eventual", "asynchronous");
    scratch.put("fork.yaml", &old);
    let solved = scratch.run("solve fork.yaml --quiet");
    assert_eq!(solved.code, Some(0), "{solved:?}");
    assert!(
        solved.stdout.contains("at most 2 blocks can be decided"),
        "{solved:?}"
    );

    let replayed = scratch.run("replay out/fork");
    assert_eq!(replayed.code, Some(12), "{replayed:?}");
    for words in ["agreement    violated", "divergences  0"] {
        assert!(replayed.stdout.contains(words), "{replayed:?}");
    }
    let other = scratch.run("replay out/fork --as dbft2");
    assert!(other.stdout.contains("agreement    holds"), "{other:?}");
    assert!(other.stdout.contains("divergences  0"), "{other:?}");

    assert_eq!(scratch.run("promote out/fork").code, Some(0));
    assert!(
        scratch
            .text("results/fork/expected.yaml")
            .contains("- as: dbft2")
    );
    assert_eq!(scratch.run("regress").code, Some(0));
}
