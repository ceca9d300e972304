//! Replay, promote and regress: what was found once is checked for ever.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{Ran, SMALL, Scratch, root};

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
        [
            "certificate.csv",
            "outcome.yaml",
            "predictions.csv",
            "schedule.csv"
        ]
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
    // The schedule ends one slot earlier than it might, and by the last slot everything arrives.
    let five = SMALL.replace("slots: 6", "slots: 5");
    assert_ne!(five, SMALL);
    scratch.put("five.yaml", &five);
    let ran = scratch.run("replay alone/schedule.csv --instance five.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in ["decides h0v0b0", "divergences  not compared"] {
        assert!(ran.stdout.contains(words), "{ran:?}");
    }
    let ran = scratch.run("replay alone/schedule.csv --instance instances/a/small.yaml");
    assert_eq!(ran.code, Some(12), "{ran:?}");
    let words = "impossible: slot 6: replica 0 should have received Block h0 v0 b0";
    assert!(ran.stdout.contains(words), "{ran:?}");
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
        "certificate.csv",
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
    assert!(report.contains(r#"<testcase name="a/small""#), "{report}");
    assert!(report.contains(r#"failures="0""#), "{report}");
}

#[test]
fn regress_finds_whatever_changed_in_a_kept_result() {
    let scratch = kept();
    let results = "results/a/small";
    let edits: [(&str, &str, &str, &str); 8] = [
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
            "expected/2.0",
            "expected/1.2",
            "expected.yaml:1:",
        ),
        ("expected.yaml", "verdict:", "verdicts:", "expected.yaml:"),
        ("outcome.yaml", "primal: 1", "primal: 2", "outcome.yaml:"),
        (
            "outcome.yaml",
            "proved by a bound",
            "proved by no bound",
            "sentence: what follows is",
        ),
        (
            "certificate.csv",
            "part,name,value",
            "part,name",
            "certificate.csv:1:",
        ),
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
    for name in ["schedule.csv", "predictions.csv", "certificate.csv"] {
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
fn promote_stays_below_the_results_and_removes_no_file_of_others() {
    let scratch = kept();
    for name in ["../x", "../../x", "/tmp/milp-x", ".."] {
        let ran = scratch.run(&format!("promote out/a/small --name {name} --force"));
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        assert!(ran.stderr.contains("is no path below results"), "{ran:?}");
    }
    assert_eq!(scratch.names("."), ["instances", "out", "results"]);

    scratch.put("results/a/small/notes.md", "mine\n");
    let ran = scratch.run("promote out/a/small --force");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("notes.md"), "{ran:?}");
    assert_eq!(scratch.text("results/a/small/notes.md"), "mine\n");
    std::fs::remove_file(scratch.path("results/a/small/notes.md")).unwrap();
    assert_eq!(scratch.run("promote out/a/small --force").code, Some(0));
}

#[test]
fn regress_takes_no_leftover_for_a_result_and_walks_in_no_circle() {
    let scratch = kept();
    // As a kill in the moment before the renaming leaves it.
    for name in scratch.names("results/a/small") {
        let text = scratch.text(&format!("results/a/small/{name}"));
        scratch.put(&format!("results/a/.small.milp-tmp-Ab12Cd/{name}"), &text);
        scratch.put(&format!("results/a/.mine.milp-tmp-Ab12Cd/{name}"), &text);
    }
    let ran = scratch.run("regress");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("1 of 1 results"), "{ran:?}");
    // The next run into the place removes its own leftover and nothing else.
    assert_eq!(scratch.run("promote out/a/small --force").code, Some(0));
    assert_eq!(
        scratch.names("results/a"),
        [".mine.milp-tmp-Ab12Cd", "small"]
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", scratch.path("results/a/circle")).unwrap();
        let ran = scratch.run("regress");
        assert_eq!(ran.code, Some(12), "{ran:?}");
        assert!(ran.stdout.contains("1 of 2 results"), "{ran:?}");
        assert!(ran.stdout.contains("a/circle: it is a link"), "{ran:?}");
    }
}

#[test]
#[cfg(unix)]
fn whenever_promote_is_killed_the_next_one_leaves_nothing_but_the_result() {
    let scratch = kept();
    for round in 0..25 {
        let mut child = scratch
            .command("promote out/a/small --force --no-resolve")
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 * round));
        // It may have ended before.
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert_eq!(scratch.run("promote out/a/small --force").code, Some(0));
    assert_eq!(scratch.names("results/a"), ["small"]);
    assert_eq!(scratch.run("regress").code, Some(0));
}

#[test]
fn what_a_killed_replay_left_in_a_result_stops_no_solve() {
    let scratch = kept();
    scratch.put("out/a/small/.trace.own.ndjson.milp-tmp-Ab12Cd", "half");
    let ran = scratch.run("solve instances/a/small.yaml --quiet");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let left = scratch.names("out/a/small");
    assert!(left.iter().all(|name| !name.contains("tmp")), "{left:?}");
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
        solved
            .stdout
            .contains("FORKS: 2 blocks can be decided at one height"),
        "{solved:?}"
    );

    let replayed = scratch.run("replay out/fork");
    assert_eq!(replayed.code, Some(12), "{replayed:?}");
    for words in ["agreement    violated", "divergences  0"] {
        assert!(replayed.stdout.contains(words), "{replayed:?}");
    }
    let other = scratch.run("replay out/fork --as dbft2");
    assert_eq!(other.code, Some(0), "{other:?}");
    for words in ["agreement    holds", "divergences  not compared"] {
        assert!(other.stdout.contains(words), "{other:?}");
    }
    let verdict = scratch.text("out/fork/verdict.dbft2-paper.yaml");
    assert!(verdict.contains("divergences: null\n"), "{verdict}");
    let other = scratch.run("replay out/fork --as dbft2 --json");
    let document: serde_json::Value = serde_json::from_str(&other.stdout).unwrap();
    let verdict = &document["result"]["verdicts"][0];
    assert!(verdict["divergences"].is_null(), "{verdict}");

    // Of two runs side by side, one was compared.
    let two = "report out/fork --against out/fork --against-engine dbft2 --out two.html";
    assert_eq!(scratch.run(two).code, Some(0));
    let said = "as predicted, no divergence";
    assert_eq!(scratch.text("two.html").matches(said).count(), 1);

    assert_eq!(scratch.run("promote out/fork").code, Some(0));
    let expected = scratch.text("results/fork/expected.yaml");
    assert!(expected.contains("divergences: null\n"), "{expected}");
    assert!(
        scratch
            .text("results/fork/expected.yaml")
            .contains("- as: dbft2")
    );
    assert_eq!(scratch.run("regress").code, Some(0));
}

/// The command with an adapter of the production engine that is another program.
fn with_adapter(scratch: &Scratch, adapter: &str, arguments: &str) -> Ran {
    let mut command = scratch.command(arguments);
    command.env("MILP_ENGINE_NSPCC_DBFT", adapter);
    Ran::from(command.output().unwrap())
}

/// A schedule without predictions, of which nothing can happen as it says.
#[test]
fn an_impossible_schedule_is_not_clean_without_predictions_either() {
    let scratch = Scratch::new();
    let instance = SMALL.replace("views: 1", "views: 2");
    scratch.put("small.yaml", &instance);
    scratch.put(
        "by-hand/schedule.csv",
        "slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup\n\
         2,deliver,1,0,PrepareRequest,0,0,v0b0,,,1,1,0,\n",
    );
    let ran = scratch.run("replay by-hand --instance small.yaml");
    assert_eq!(ran.code, Some(12), "{ran:?}");
    for words in [
        "divergences  not compared",
        "impossible   1",
        "impossible: slot 2: replica 1 cannot receive PrepareRequest h0 v0 b0 of replica 0",
        "(row 1)",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
    for arguments in ["explain", "report --out page.html"] {
        let ran = scratch.run(&format!("{arguments} by-hand --instance small.yaml"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let shown = match arguments {
            "explain" => ran.stdout.clone(),
            _ => scratch.text("page.html"),
        };
        assert!(shown.contains("impossible"), "{arguments}: {ran:?}");
        assert!(!shown.contains("as predicted"), "{arguments}: {ran:?}");
    }
}

#[test]
fn a_replay_on_two_engines_prints_and_writes_both_and_ends_with_the_worse() {
    let scratch = Scratch::new();
    let fixture = root().join("replay/tests/fixtures/four-good-nodes");
    for name in ["instance.yaml", "schedule.csv", "predictions.csv"] {
        let text = std::fs::read_to_string(fixture.join(name)).unwrap();
        scratch.put(&format!("four/{name}"), &text);
    }
    let arguments = "replay four --instance four/instance.yaml --engine own,nspcc-dbft";
    let ran = scratch.run(arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in ["dbft2-nspcc", "nspcc-dbft", "divergences  0"] {
        assert!(ran.stdout.contains(words), "{ran:?}");
    }
    let trace = scratch.text("four/trace.nspcc-dbft.ndjson");
    assert_eq!(trace, scratch.text("four/trace.dbft2-nspcc.ndjson"));
    let verdict = scratch.text("four/verdict.nspcc-dbft.yaml");
    assert!(verdict.contains("engine: nspcc-dbft\n"), "{verdict}");

    // One prediction less: both are compared, because both follow the rules.
    let predictions = scratch.text("four/predictions.csv");
    scratch.put("four/predictions.csv", &without_line(&predictions, 1));
    for engine in ["own", "nspcc-dbft"] {
        let arguments =
            format!("replay four --instance four/instance.yaml --dry-run --engine {engine}");
        let ran = scratch.run(&arguments);
        assert_eq!(ran.code, Some(12), "{engine}: {ran:?}");
        assert!(ran.stdout.contains("divergences  1"), "{engine}: {ran:?}");
    }
    let neo =
        scratch.run("replay four --instance four/instance.yaml --as nspcc-dbft --recovery neo-go");
    assert!(neo.stdout.contains("nspcc-dbft+neo-go"), "{neo:?}");
}

#[test]
fn a_schedule_of_the_paper_on_the_production_engine_is_compared_only_when_asked() {
    let scratch = kept();
    let ran = scratch.run("replay out/a/small --engine nspcc-dbft");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("divergences  not compared"), "{ran:?}");
    let predictions = scratch.text("out/a/small/predictions.csv");
    scratch.put(
        "out/a/small/predictions.csv",
        &without_line(&predictions, 1),
    );
    let ran = scratch.run("replay out/a/small --engine nspcc-dbft --compare --dry-run");
    assert_eq!(ran.code, Some(12), "{ran:?}");
}

#[test]
fn an_adapter_that_is_missing_or_dies_ends_with_1_and_no_verdict() {
    let scratch = kept();
    for (adapter, words) in [("/nowhere/engine", "/nowhere/engine"), ("false", "`false`")] {
        for arguments in [
            "replay out/a/small --engine nspcc-dbft",
            "promote out/a/small --name b --engine nspcc-dbft",
            "regress --engine own,nspcc-dbft",
        ] {
            let ran = with_adapter(&scratch, adapter, arguments);
            assert_eq!(ran.code, Some(1), "{adapter}: milp {arguments}: {ran:?}");
            assert!(ran.stderr.contains(words), "milp {arguments}: {ran:?}");
        }
    }
    assert_eq!(scratch.names("results"), ["a"]);
    let names = scratch.names("out/a/small");
    assert!(
        !names.iter().any(|name| name.contains("nspcc")),
        "{names:?}"
    );
}

#[test]
fn an_expected_verdict_of_the_production_engine_is_checked_when_that_is_asked_for() {
    let scratch = kept();
    let kept = scratch.run("promote out/a/small --force --engine own,nspcc-dbft");
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let expected = scratch.text("results/a/small/expected.yaml");
    assert!(expected.contains("- as: nspcc-dbft\n"), "{expected}");
    assert!(!expected.contains("- as: own"), "{expected}");
    let both = scratch.run("regress --engine own,nspcc-dbft");
    assert_eq!(both.code, Some(0), "{both:?}");
    assert!(both.stdout.contains("dbft2-paper, nspcc-dbft"), "{both:?}");

    // What is not asked for is not run, and the table does not name it.
    let (own, theirs) = expected.split_once("replays:").unwrap();
    let broken = format!(
        "{own}replays:{}",
        theirs.replace("lock: holds", "lock: violated")
    );
    scratch.put("results/a/small/expected.yaml", &broken);
    let ran = with_adapter(&scratch, "/nowhere/engine", "regress");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stdout.contains("nspcc-dbft"), "{ran:?}");
    let ran = scratch.run("regress --engine nspcc-dbft");
    assert_eq!(ran.code, Some(12), "{ran:?}");
    let words = "replays.nspcc-dbft.verdict.lock: expected violated, found holds";
    assert!(ran.stdout.contains(words), "{ran:?}");
    assert!(!ran.stdout.contains("dbft2-paper"), "{ran:?}");
    // And the other way round: the own replicas are not run for the engine's sake.
    let broken = expected.replacen("lock: holds", "lock: violated", 1);
    scratch.put("results/a/small/expected.yaml", &broken);
    let ran = scratch.run("regress --engine nspcc-dbft");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(scratch.run("regress").code, Some(12));
}
