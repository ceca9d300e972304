//! What a run leaves in its folder, however it ends.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command},
    time::Duration,
};
use support::{LARGE, Ran, SMALL, Scratch};

const RESULT: [&str; 4] = [
    "certificate.csv",
    "outcome.yaml",
    "predictions.csv",
    "schedule.csv",
];

#[test]
fn two_solves_give_the_same_bytes_and_differ_in_time_only() {
    let scratch = Scratch::new();
    scratch.put("instances/a/small.yaml", SMALL);
    assert_eq!(
        scratch.run("solve instances/a/small.yaml --quiet").code,
        Some(0)
    );
    assert_eq!(scratch.names("out/a/small"), RESULT);
    assert_eq!(
        scratch
            .run("solve instances/a/small.yaml --out again --quiet")
            .code,
        Some(0)
    );
    for name in ["schedule.csv", "predictions.csv"] {
        let first = scratch.text(&format!("out/a/small/{name}"));
        assert_eq!(first, scratch.text(&format!("again/{name}")), "{name}");
        assert!(first.lines().count() > 1, "{name} is empty");
    }
    let lasting = |name: &str| {
        let text = scratch.text(name);
        let lasting = text.split("\nrun:").next().unwrap().lines();
        lasting
            .filter(|line| !line.starts_with("seconds:") && !line.starts_with("command:"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lasting("out/a/small/outcome.yaml"),
        lasting("again/outcome.yaml")
    );
}

#[test]
fn a_solve_replaces_an_earlier_result_whole() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    scratch.put(
        "out/small/trace.dbft2-paper.ndjson",
        "of an earlier schedule\n",
    );
    scratch.put("out/small/schedule.csv", "of an earlier schedule\n");
    assert_eq!(scratch.run("solve small.yaml --quiet").code, Some(0));
    assert_eq!(scratch.names("out/small"), RESULT);
    assert!(
        scratch
            .text("out/small/schedule.csv")
            .starts_with("slot,choice,")
    );
}

#[test]
fn two_solves_into_one_folder_at_once_do_not_mix_files() {
    let scratch = Scratch::new();
    scratch.put("four.yaml", SMALL);
    scratch.put("five.yaml", &SMALL.replace("replicas: 4", "replicas: 5"));
    for _ in 0..3 {
        let children = ["four", "five"].map(|name| {
            scratch
                .command(&format!("solve {name}.yaml --out both --quiet"))
                .spawn()
                .unwrap()
        });
        for child in children {
            let ran = Ran::from(child.wait_with_output().unwrap());
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        assert_eq!(scratch.names("both"), RESULT);
        let folder = milp_study::folder::Folder::read(&scratch.path("both")).unwrap();
        let hash = folder.schedule_sha256().unwrap();
        assert_eq!(folder.outcome.schedule_sha256, Some(hash));
    }
    assert_eq!(scratch.names("."), ["both", "five.yaml", "four.yaml"]);
}

/// Starts a long solve and waits until it says that it is at work.
fn start_long(scratch: &Scratch) -> Child {
    scratch.put("large.yaml", LARGE);
    let mut child = scratch.command("solve large.yaml").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(
        line.contains("stage ") && line.contains("found, "),
        "{line}"
    );
    child
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[cfg(unix)]
fn a_kill_during_a_solve_leaves_no_half_written_folder() {
    let scratch = Scratch::new();
    scratch.put("out/large/outcome.yaml", "of an earlier run\n");
    let mut child = start_long(&scratch);
    signal(&child, "-KILL");
    assert_eq!(child.wait().unwrap().code(), None);
    assert_eq!(scratch.names("out"), ["large"]);
    assert_eq!(scratch.names("out/large"), ["outcome.yaml"]);
    assert_eq!(
        scratch.text("out/large/outcome.yaml"),
        "of an earlier run\n"
    );
}

#[test]
#[cfg(unix)]
fn an_interrupt_keeps_what_is_known() {
    let scratch = Scratch::new();
    let mut child = start_long(&scratch);
    signal(&child, "-INT");
    let ended = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        child.try_wait().unwrap()
    });
    assert_eq!(ended.expect("one interrupt is enough").code(), Some(130));
    let outcome = milp_schema::read::outcome(&scratch.path("out/large/outcome.yaml")).unwrap();
    assert!(!outcome.proved);
    // What a smaller program gave it to start from is there.
    assert!(outcome.primal.is_some() && scratch.path("out/large/schedule.csv").is_file());
}

#[test]
fn output_in_a_pipe_is_plain_and_one_row_is_one_line() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let ran = scratch.run("solve small.yaml");
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    }
    let names = ran
        .stdout
        .lines()
        .map(|line| line.trim().split("  ").next().unwrap());
    let names = names.collect::<Vec<_>>();
    for name in [
        "asked",
        "known",
        "root bound",
        "program",
        "seconds",
        "written",
    ] {
        assert_eq!(
            names.iter().filter(|found| **found == name).count(),
            1,
            "{names:?}"
        );
    }
    assert!(
        ran.stdout
            .starts_with("SAFE: no two blocks can be decided at one height\n")
    );
}

#[test]
fn a_warm_start_is_the_earlier_result_and_one_that_does_not_fit_is_refused() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let ran = scratch.run("solve small.yaml --formulation timed --quiet");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = scratch
        .run("solve small.yaml --formulation timed --out warm --warm-start out/small --quiet");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let started = ran
        .stdout
        .lines()
        .find(|line| line.contains("started from"))
        .unwrap();
    assert!(started.trim().ends_with('1'), "{started}");
    assert_eq!(
        scratch.text("warm/schedule.csv"),
        scratch.text("out/small/schedule.csv")
    );

    scratch.put("old.yaml", &SMALL.replace("dbft2", "dbft1"));
    let ran = scratch.run("solve old.yaml --formulation timed --warm-start out/small --quiet");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("is no start for this instance"),
        "{ran:?}"
    );
}

#[test]
fn the_horizon_is_reported_unless_not_wanted() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let ran = scratch.run("solve small.yaml --formulation timed --quiet");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout
            .contains("adequate: the optimum is the same with 10 slots"),
        "{ran:?}"
    );
    scratch.put("short.yaml", &SMALL.replace("slots: 6", "slots: 3"));
    let ran = scratch.run("solve short.yaml --formulation timed --quiet");
    assert!(
        ran.stdout
            .contains("not adequate: the optimum is 1 with 7 slots"),
        "{ran:?}"
    );
    let ran = scratch.run("solve short.yaml --no-adequacy --quiet");
    assert!(!ran.stdout.contains("adequate"), "{ran:?}");
}

#[test]
fn instances_of_one_name_in_two_folders_have_two_places() {
    let scratch = Scratch::new();
    scratch.put("a/small.yaml", SMALL);
    scratch.put("b/small.yaml", &SMALL.replace("replicas: 4", "replicas: 5"));
    for folder in ["a", "b"] {
        let ran = scratch.run(&format!("solve {folder}/small.yaml --quiet"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(scratch.names(&format!("out/{folder}/small")), RESULT);
    }
}

#[test]
fn a_result_of_another_instance_is_not_replaced_in_silence() {
    let scratch = Scratch::new();
    let five = SMALL.replace("replicas: 4", "replicas: 5");
    scratch.put("a/instances/small.yaml", SMALL);
    scratch.put("b/instances/small.yaml", &five);
    for command in ["solve", "cubes"] {
        let first = scratch.run(&format!("{command} a/instances/small.yaml --quiet"));
        assert_eq!(first.code, Some(0), "{first:?}");
        let kept = scratch.text("out/small/outcome.yaml");
        let other = scratch.run(&format!("{command} b/instances/small.yaml --quiet"));
        assert_eq!(other.code, Some(2), "{other:?}");
        let held = format!("of `milp {command} a/instances/small.yaml --quiet`");
        assert!(other.stderr.contains(&held), "{other:?}");
        assert_eq!(scratch.text("out/small/outcome.yaml"), kept);
    }

    // The same again needs no word; a file that has changed, or a folder that is named, gets one.
    let again = scratch.run("solve a/instances/small.yaml --quiet");
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    let named = scratch.run("solve b/instances/small.yaml --out out/small --quiet");
    assert_eq!(named.code, Some(0), "{named:?}");
    assert!(
        named.stderr.contains("which this one replaces"),
        "{named:?}"
    );
    scratch.put("b/instances/small.yaml", SMALL);
    let changed = scratch.run("solve ./b/instances/small.yaml --quiet");
    assert_eq!(changed.code, Some(0), "{changed:?}");
    assert!(
        changed.stderr.contains("which this one replaces"),
        "{changed:?}"
    );
}
