//! Files of questions, and the command that answers them.

mod support;

use milp_published::Question;
use std::process::{Command, Output};
use support::dir;

const GOOD: &str = "\
format: milp-published/2.0
protocol: dbft2
replicas: 4
views: 1
slots: 8
goal: {sense: maximize, blocks: 1000, views: -100}
";

fn words(text: &str) -> String {
    let read = Question::read_text("question.yaml", text);
    read.map_or_else(|error| error.to_string(), |_| "read".to_owned())
}

#[test]
fn what_is_wrong_with_a_file_is_said_where_it_is() {
    assert_eq!(words(GOOD), "read");
    for (replace, by, expected) in [
        ("published/2.0", "published/1.0", "format version `1.0`"),
        ("published/2.0", "instance/2.0", "another kind of file"),
        ("dbft2", "dbft4", "dbft4"),
        ("replicas: 4\n", "", "replicas"),
        ("replicas: 4", "replicas: 5", "5 replicas"),
        ("slots: 8", "slots: 8\nnetwork: eventual", "network"),
        ("slots: 8", "slots: 8\nmodel: forks", "forks"),
        ("slots: 8", "slots: 8\nspeedup: true", "speedup"),
        ("slots: 8", "slots: 8\nbig_m: 3", "`3`"),
        (
            "slots: 8",
            "slots: 8\ndeliver: commit",
            "6:10: expected sequence",
        ),
        ("slots: 8", "slots: 8\ndeliver: [block]", "block"),
        (
            "slots: 8",
            "slots: 8\ndeliver: [commit, commit]",
            "delivered twice",
        ),
        ("sense: maximize", "sense: up", "up"),
        ("sense: maximize", "sense: maximize, rounds: 1", "rounds"),
    ] {
        let text = GOOD.replace(replace, by);
        assert_ne!(text, GOOD);
        let said = words(&text);
        assert!(said.contains(expected), "{by}: {said}");
    }
}

fn run(arguments: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_milp-published");
    let output = Command::new(command).args(arguments).output();
    output.expect("the command runs")
}

#[test]
fn the_command_says_value_bound_proof_and_sizes() {
    let scratch = tempfile::tempdir().expect("a folder");
    let path = |name: &str| scratch.path().join(name).display().to_string();
    std::fs::write(path("question.yaml"), GOOD).expect("a file");
    let answered = run(&[&path("question.yaml"), "--table", &path("solution.csv")]);
    let said = String::from_utf8_lossy(&answered.stdout).into_owned();
    for word in [
        "is at most 900 in the program about liveness of dBFT 2.0 of 2020",
        "proved (exact bound 900)",
        "columns",
        "seconds",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let table = std::fs::read_to_string(path("solution.csv")).expect("a table");
    assert!(table.contains("BlockRelay"), "{table}");
    let line = run(&[&path("question.yaml"), "--json"]);
    let line: serde_json::Value = serde_json::from_slice(&line.stdout).expect("JSON");
    assert_eq!(
        (&line["primal"], &line["proved"]),
        (&900.into(), &true.into())
    );
}

#[test]
fn what_is_no_question_ends_with_2() {
    let instances = dir().join("../../instances/n4.yaml");
    let refused = run(&[&instances.display().to_string()]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("another kind of file"), "{said}");
}

#[test]
fn programs_are_written_for_other_solvers_and_their_points_checked() {
    let scratch = tempfile::tempdir().expect("a folder");
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let question = path("question.yaml");
    std::fs::write(&question, GOOD).expect("a file");
    let (lp, mps) = (path("program.lp"), path("program.mps"));
    assert!(
        run(&[&question, "--lp", &lp, "--mps", &mps])
            .status
            .success()
    );
    let lp = std::fs::read_to_string(lp).expect("a program");
    assert!(lp.contains("blockRelayedCounterForced(1)"), "{lp}");
    let mps = std::fs::read_to_string(mps).expect("a program");
    assert!(mps.contains("blockRelayedCounterForced(1)"), "{mps}");
    let point = path("point.sol");
    std::fs::write(&point, "nothing\n").expect("a file");
    let refused = run(&[&question, "--solution", &point]);
    assert_eq!(refused.status.code(), Some(1));
}
