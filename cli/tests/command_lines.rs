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
    ("check instances/small.yaml", 0, "is valid"),
    ("export instances/small.yaml --lp", 0, "Subject To"),
    ("export instances/small.yaml --mps", 0, "ROWS"),
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
        "solve instances/small.yaml --formulation counting",
        2,
        "counting",
    ),
    (
        "solve instances/small.yaml --out instances",
        2,
        "small.yaml",
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
    ("check", 2, "<FILE>"),
    ("replay nowhere", 2, "nowhere"),
    ("replay empty", 2, "--instance"),
    (
        "replay out/small --as pbft",
        2,
        "expected one of dbft1, dbft2",
    ),
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
    scratch.put("empty/readme", "");
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
fn an_infeasible_program_ends_with_11_and_leaves_an_outcome_without_a_schedule() {
    // One slot is too short for a final state: a timer must fire and its message arrive.
    let scratch = Scratch::new();
    let stall = SMALL
        .replace("goal: fork", "goal: stall")
        .replace("slots: 6", "slots: 1");
    scratch.put("stall.yaml", &stall);
    let ran = scratch.run("solve stall.yaml --quiet");
    assert_eq!(ran.code, Some(11), "{ran:?}");
    assert!(
        ran.stdout.contains("no execution reaches a final state"),
        "{ran:?}"
    );
    assert_eq!(scratch.names("out/stall"), ["outcome.yaml"]);
    let replay = scratch.run("replay out/stall");
    assert_eq!(replay.code, Some(2));
    assert!(replay.stderr.contains("holds no schedule"), "{replay:?}");
}

#[test]
fn broken_instances_end_with_2_and_the_place() {
    let scratch = Scratch::new();
    let cases = [
        ("replicas: 4", "replicas: four", ":4:"),
        ("replicas: 4", "replicas: 0", ":4:"),
        ("slots: 6", "slots: 6\nslots: 7", ":10:"),
        ("goal: fork", "gaol: fork", ":13:"),
        ("goal: fork", "goal: forks", ":13:"),
        ("milp-instance/1.0", "milp-instance/2.0", ":1:"),
        ("protocol: dbft2", "protocol: pbft", ":2:"),
        ("kind: none", "kind: byzantine, count: 2", ":5:"),
        ("timeouts: free", "timeouts: protocol", ":11:"),
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
        ran.stderr.contains(":4:") && ran.stderr.contains(":13:"),
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
