//! Valid and invalid command lines, broken inputs, and what each ends with.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{SMALL, Scratch, root};

/// Arguments, exit code, and words that standard output (standard error for code 2) must have.
const COMMAND_LINES: &[(&str, i32, &str)] = &[
    ("--help", 0, "Exit codes:"),
    ("--version", 0, "milp 0."),
    ("solve --help", 0, "--no-prove"),
    ("schema", 0, "\"properties\""),
    ("engine check --help", 0, "--limit"),
    (
        "engine check false",
        1,
        "MISSING  `shutdown` ends with {} and exit code 0: it ended with exit code 1",
    ),
    ("fuzz --engine nspcc-dbft --steps 300", 0, "No difference."),
    (
        "fuzz --engine nspcc-dbft --steps 300 --defect wrong-extension",
        12,
        "the timers of",
    ),
    ("fuzz --engine nspcc-dbft --time 5", 2, "90s, 10m or 1h"),
    (
        "fuzz --engine nspcc-dbft --defect none",
        2,
        "expected one of",
    ),
    ("fuzz --engine other", 2, "nspcc-dbft"),
    ("fuzz", 2, "--engine"),
    ("engine check", 2, "<COMMAND>"),
    ("engine check --limit 0 false", 2, "--limit"),
    ("engine dance", 2, "dance"),
    ("check instances/small.yaml", 0, "is valid"),
    ("export instances/small.yaml --lp", 0, "Subject To"),
    (
        "solve instances/small.yaml --quiet",
        0,
        "proved (exact bound 1)",
    ),
    (
        "solve instances/small.yaml --no-prove --quiet",
        10,
        "optimal, says the solver",
    ),
    (
        "solve instances/small.yaml --time-limit 0.000001 --quiet",
        13,
        "undecided",
    ),
    (
        "solve instances/small.yaml --confirm own --quiet",
        0,
        "confirmed on dbft2-paper (0 cuts)",
    ),
    (
        "solve instances/small.yaml --confirm paxos",
        2,
        "no replicas for protocol `paxos`",
    ),
    (
        "solve instances/small.yaml --confirm own --confirm-limit 0",
        2,
        "--confirm-limit",
    ),
    (
        "solve instances/small.yaml --confirm-limit 3",
        2,
        "--confirm",
    ),
    ("explain --help", 0, "explain results/dbft1/n4-delays-fork"),
    ("minimize --help", 0, "proved minimal"),
    ("explain instances/small.yaml", 2, "outcome.yaml"),
    ("explain --help", 0, "--why-not 2 --views 2 --slots 7"),
    (
        "explain instances/small.yaml --why-not 1 --quiet",
        0,
        "The adversary can reach 1 block at one height",
    ),
    (
        "explain instances/small.yaml --why-not 1 --slots 3 --quiet",
        0,
        "That no fewer rules do",
    ),
    (
        "explain instances/small.yaml --why-not 1 --slots 3 --no-prove --quiet",
        10,
        "infeasible, says the solver",
    ),
    (
        "explain instances/small.yaml --why-not 1 --time-limit 0.000001 --quiet",
        10,
        "the limit came before an answer",
    ),
    (
        "explain instances/small.yaml --infeasible --quiet",
        0,
        "There is an execution",
    ),
    (
        "explain instances/small.yaml --rules --quiet",
        0,
        "without commit lock",
    ),
    (
        "explain instances/small.yaml --rules --beside instances/small.yaml --quiet",
        0,
        "1 block at one height: not necessary  1 block at one height: not necessary",
    ),
    (
        "explain instances/small.yaml --rules --beside instances/other.yaml",
        2,
        "an instance of another protocol has other rules",
    ),
    (
        "explain instances/small.yaml --beside instances/small.yaml",
        2,
        "--rules",
    ),
    (
        "explain instances/small.yaml --rules --infeasible",
        2,
        "cannot be used with",
    ),
    ("explain instances/small.yaml --why-not", 2, "--why-not"),
    ("explain instances/small.yaml --views 2", 2, "--why-not"),
    (
        "explain instances/small.yaml --rules --slots 0",
        2,
        "--slots",
    ),
    ("explain nowhere.yaml --rules", 2, "nowhere.yaml"),
    ("minimize nowhere", 2, "is not a folder"),
    ("", 2, "Usage"),
    ("sovle instances/small.yaml", 2, "solve"),
    ("solve", 2, "<FILE>"),
    ("solve instances/small.yaml --threads 0", 2, "--threads"),
    (
        "solve instances/small.yaml --time-limit 0",
        2,
        "a number above 0",
    ),
    (
        "solve instances/small.yaml --time-limit soon",
        2,
        "finite number",
    ),
    ("solve instances/small.yaml --gap -1", 2, "--gap"),
    ("solve instances/small.yaml --gap=-1", 2, "at least 0"),
    ("solve instances/small.yaml --seed -3", 2, "--seed"),
    (
        "solve instances/small.yaml --formulation best",
        2,
        "expected auto, timed",
    ),
    (
        "solve instances/small.yaml --formulation counting --quiet",
        0,
        "any number of slots",
    ),
    (
        "solve instances/small.yaml --out instances",
        2,
        "other.yaml",
    ),
    (
        "solve instances/small.yaml --out instances/small.yaml",
        2,
        "expected a folder",
    ),
    (
        "solve instances/small.yaml --warm-start nowhere",
        2,
        "nowhere",
    ),
    ("solve nowhere.yaml", 2, "nowhere.yaml"),
    ("solve instances", 2, "instances"),
    ("export instances/small.yaml", 2, "--lp"),
    (
        "export instances/small.yaml --lp --mps",
        2,
        "cannot be used with",
    ),
    (
        "export lock --itf --instance lock/instance.yaml",
        0,
        "\"RMSendCommit(2)\"",
    ),
    (
        "export lock/schedule.csv --tla --instance lock/instance.yaml",
        0,
        "---- MODULE Trace ----",
    ),
    (
        "export lock --tla --instance lock/paper.yaml",
        2,
        "protocol `dbft2` is not the TLA+ model's",
    ),
    ("export lock --itf", 2, "--instance"),
    (
        "export instances/small.yaml --lp --instance instances/small.yaml",
        2,
        "--sol",
    ),
    (
        "replay lock --instance lock/instance.yaml --dry-run",
        12,
        "stuck: replica 0 is dead; replica 1 in v0 asks for v1",
    ),
    (
        "verify out/small",
        0,
        "verified: incumbent and bound, in exact integers",
    ),
    ("verify out/small/outcome.yaml", 0, "verified"),
    ("verify out/small --with cbc", 2, "--resolve"),
    ("verify out/small --resolve --with scip", 2, "highs or cbc"),
    ("verify out/small/schedule.csv", 2, "not a result"),
    ("verify empty", 2, "outcome.yaml"),
    ("verify nowhere", 2, "nowhere"),
    ("cubes instances/small.yaml --quiet", 0, "1 cube: 1 closed"),
    (
        "cubes instances/small.yaml --quiet --formulation causal",
        0,
        "1 cube: 1 closed",
    ),
    (
        "cubes instances/small.yaml --formulation slow",
        2,
        "expected auto",
    ),
    ("cubes nowhere.yaml", 2, "nowhere.yaml"),
    ("check", 2, "<FILE>"),
    ("protocol list", 0, "docs/protocols/tendermint.md"),
    ("protocol", 2, "<COMMAND>"),
    ("protocol check", 2, "<FILE>"),
    ("protocol check nowhere.yaml", 2, "nowhere.yaml"),
    ("protocol check instances/small.yaml", 2, "milp-protocol/"),
    ("replay nowhere", 2, "nowhere"),
    ("replay empty", 2, "--instance"),
    (
        "replay out/small --as paxos",
        2,
        "expected cmd:COMMAND or one of own, sound, interpreter, malachite",
    ),
    (
        "replay out/small --engine own,dbft4",
        2,
        "no replicas for protocol `dbft4`",
    ),
    (
        "replay out/small --recovery none",
        2,
        "expected ideal or neo-go",
    ),
    ("promote out/small --engine neo", 2, "one of own, sound"),
    ("regress empty --engine dbft2", 2, "own stands for all"),
    ("replay out/small --as dbft2:nothing", 2, "no-commit-lock"),
    ("promote nowhere", 2, "nowhere"),
    ("promote empty", 2, "outcome.yaml"),
    ("regress nowhere", 2, "nowhere"),
    ("regress empty", 2, "nothing to check"),
];

#[test]
fn command_lines_end_with_the_documented_exit_codes() {
    let scratch = Scratch::new();
    scratch.put("instances/small.yaml", SMALL);
    scratch.put("instances/other.yaml", &SMALL.replace("dbft2", "dbft1"));
    scratch.put("empty/readme", "");
    for file in ["instance.yaml", "schedule.csv", "predictions.csv"] {
        let lock = root().join("replay/tests/tla/one-dead").join(file);
        scratch.put(
            &format!("lock/{file}"),
            &std::fs::read_to_string(lock).unwrap(),
        );
    }
    let paper = scratch.text("lock/instance.yaml");
    scratch.put(
        "lock/paper.yaml",
        &paper.replace("protocol: dbft2-tla", "protocol: dbft2"),
    );
    for &(arguments, code, words) in COMMAND_LINES {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(code), "milp {arguments}: {ran:?}");
        let (expected, other) = if code == 2 {
            (&ran.stderr, &ran.stdout)
        } else {
            (&ran.stdout, &ran.stderr)
        };
        assert!(
            expected.contains(words),
            "milp {arguments}: no `{words}` in {ran:?}"
        );
        assert_eq!(other, "", "milp {arguments}");
    }
}

#[test]
fn an_mps_file_of_a_maximisation_says_that_its_sign_is_turned() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let ran = scratch.run("export small.yaml --mps");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("MAXIMISED"), "{ran:?}");
    assert!(ran.stdout.contains(" N minus_objective\n"), "{ran:?}");
    assert!(
        ran.stderr.contains("the value is -1 * its optimum"),
        "{ran:?}"
    );
    // A final state with the fewest decisions is minimised as it is.
    scratch.put("stall.yaml", &SMALL.replace("goal: fork", "goal: stall"));
    let ran = scratch.run("export stall.yaml --mps");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.contains(" N objective\n"), "{ran:?}");
}

#[test]
fn an_infeasible_program_ends_with_11_and_leaves_an_outcome_without_a_schedule() {
    // One slot is too short for a final state: a timer must fire and its message arrive.
    let scratch = Scratch::new();
    let stall = SMALL
        .replace("goal: fork", "goal: stall")
        .replace("slots: 6", "slots: 1")
        .replace("formulation: auto", "formulation: timed");
    scratch.put("stall.yaml", &stall);
    let ran = scratch.run("solve stall.yaml --quiet");
    assert_eq!(ran.code, Some(11), "{ran:?}");
    assert!(
        ran.stdout.contains("no execution reaches a final state"),
        "{ran:?}"
    );
    assert_eq!(
        scratch.names("out/stall"),
        ["certificate.csv", "outcome.yaml"]
    );
    for (arguments, code, words) in [
        ("verify out/stall", 10, "two searches' word, not checked"),
        (
            "verify out/stall --resolve --quiet",
            0,
            "a search done again",
        ),
    ] {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stdout.contains(words), "{ran:?}");
    }
    let outcome = scratch.text("out/stall/outcome.yaml");
    scratch.put(
        "out/stall/outcome.yaml",
        &outcome.replace("slots: 1\n", "slots: 2\n"),
    );
    assert_eq!(scratch.run("verify out/stall").code, Some(12));
    scratch.put("out/stall/outcome.yaml", &outcome);
    let replay = scratch.run("replay out/stall");
    assert_eq!(replay.code, Some(2));
    assert!(replay.stderr.contains("holds no schedule"), "{replay:?}");
}

#[test]
fn broken_instances_end_with_2_and_the_place() {
    let scratch = Scratch::new();
    let cases = [
        ("replicas: 4", "replicas: four", ":3:"),
        ("replicas: 4", "replicas: 0", ":3:"),
        ("slots: 6", "slots: 6\nslots: 7", ":9:"),
        ("goal: fork", "gaol: fork", ":12:"),
        ("goal: fork", "goal: forks", ":12:"),
        ("milp-instance/2.0", "milp-instance/1.1", ":1:"),
        ("protocol: dbft2", "protocol: paxos", ":2:"),
        ("kind: none", "kind: byzantine, count: 2", ":4:"),
        ("timers: free", "timers: protocol", ":10:"),
    ];
    for (from, to, place) in cases {
        let text = SMALL.replace(from, to);
        assert_ne!(text, SMALL, "{from}");
        scratch.put("broken.yaml", &text);
        for command in ["solve", "check"] {
            let ran = scratch.run(&format!("{command} broken.yaml"));
            assert_eq!(ran.code, Some(2), "{to}: {ran:?}");
            assert!(
                ran.stderr.contains(&format!("broken.yaml{place}")),
                "{to}: {ran:?}"
            );
            assert!(ran.stderr.contains("hint:"), "{to}: {ran:?}");
            assert_eq!(ran.stdout, "", "{to}");
        }
    }
    assert!(!scratch.path("out").exists());
}

#[test]
fn several_problems_are_reported_together() {
    let scratch = Scratch::new();
    let text = SMALL
        .replace("replicas: 4", "replicas: four")
        .replace("goal: fork", "goal: forks");
    scratch.put("broken.yaml", &text);
    let ran = scratch.run("check broken.yaml");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains(":3:") && ran.stderr.contains(":12:"),
        "{ran:?}"
    );
}

#[test]
fn every_shipped_instance_is_valid_and_its_twin_differs_in_the_faults_or_the_mutant_only() {
    fn collect(dir: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let instances = root().join("instances");
    let mut files = Vec::new();
    collect(&instances, &mut files);
    assert!(files.len() >= 18, "{files:?}");
    // A sweep is many instances: cli/tests/sweep.rs solves them all. Protocols may stand beside theirs.
    let text = |file: &std::path::PathBuf| std::fs::read_to_string(file).unwrap();
    files.retain(|file| text(file).contains("\nformat: milp-instance/"));
    // Nor is a question about every number of replicas one instance.
    files.retain(|file| milp_schema::read::every(file).unwrap().is_none());
    for file in files {
        let instance = milp_schema::read::instance(&file).unwrap();
        milp_model::build(&instance).unwrap();
        let place = file.strip_prefix(&instances).unwrap();
        let Ok(original) = place.strip_prefix("twins") else {
            continue;
        };
        let original = milp_schema::read::instance(&instances.join(original)).unwrap();
        assert_ne!(instance, original, "{}", file.display());
        let twin = milp_schema::Instance {
            faults: original.faults.clone(),
            beyond_budget: original.beyond_budget,
            mutant: original.mutant.clone(),
            ..instance
        };
        assert_eq!(twin, original, "{}", file.display());
    }
}
