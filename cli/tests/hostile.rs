//! What is no file of ours, or too large: one clear error, exit code 2, at once.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::{
    os::unix::fs::symlink,
    process::{Command, Stdio},
    time::Duration,
};
use support::{Ran, SMALL, Scratch};

/// What a command says that must not hang: it is killed after a minute.
fn run(scratch: &Scratch, arguments: &str) -> Ran {
    let mut child = scratch.command(arguments).spawn().unwrap();
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            return Ran::from(child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("milp {arguments} hangs");
}

/// A scratch folder with a result and its instance.
fn solved() -> Scratch {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let ran = scratch.run("solve small.yaml --formulation timed --no-adequacy --quiet");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    scratch
}

fn pipe(scratch: &Scratch, name: &str) {
    let made = Command::new("mkfifo").arg(scratch.path(name)).status();
    assert!(made.unwrap().success());
}

/// Every way to name a file to read.
const READ: [&str; 14] = [
    "solve X",
    "check X",
    "export X --lp",
    "import X",
    "cubes X",
    "pareto X --effort late",
    "sweep X",
    "bench X",
    "explain X --why-not 1",
    "replay X --instance small.yaml",
    "replay out/small --instance X --dry-run",
    "report X --instance small.yaml",
    "verify X",
    "promote X",
];

#[test]
fn what_is_no_regular_file_is_refused_at_once_by_every_command() {
    let scratch = solved();
    pipe(&scratch, "pipe");
    std::fs::create_dir(scratch.path("folder")).unwrap();
    scratch.put("bytes", "");
    std::fs::write(scratch.path("bytes"), b"format: \xff\n").unwrap();
    symlink("/nowhere/at/all", scratch.path("dangling")).unwrap();
    for name in [
        "pipe",
        "/dev/zero",
        "folder",
        "bytes",
        "dangling",
        "missing",
    ] {
        for arguments in READ {
            let ran = run(&scratch, &arguments.replace('X', name));
            assert_eq!(ran.code, Some(2), "{name}: milp {arguments}: {ran:?}");
            assert!(!ran.stderr.is_empty() && ran.stderr.len() < 4000, "{ran:?}");
        }
    }
    let ran = run(&scratch, "check pipe");
    assert!(ran.stderr.contains("no regular file"), "{ran:?}");
}

#[test]
fn a_part_of_a_result_that_is_no_file_is_not_passed_over() {
    for part in [
        "outcome.yaml",
        "schedule.csv",
        "predictions.csv",
        "certificate.csv",
        "cuts.yaml",
        "shown.yaml",
    ] {
        let scratch = solved();
        let path = scratch.path("out/small").join(part);
        let _ = std::fs::remove_file(&path);
        pipe(&scratch, &format!("out/small/{part}"));
        for arguments in ["verify out/small", "promote out/small"] {
            let ran = run(&scratch, arguments);
            assert_eq!(ran.code, Some(2), "{part}: milp {arguments}: {ran:?}");
        }
    }
    let scratch = solved();
    assert_eq!(run(&scratch, "promote out/small").code, Some(0));
    std::fs::remove_file(scratch.path("results/small/expected.yaml")).unwrap();
    pipe(&scratch, "results/small/expected.yaml");
    let ran = run(&scratch, "regress");
    assert_eq!(ran.code, Some(12), "{ran:?}");
    assert!(ran.stdout.contains("no regular file"), "{ran:?}");
}

#[test]
fn of_twenty_thousand_wrong_rows_twenty_are_shown_and_the_others_counted() {
    let scratch = solved();
    let header = scratch.text("out/small/schedule.csv");
    let header = header.lines().next().unwrap();
    let rows = "1,deliver,x,0,PrepareRequest,0,0,v0b0,,,1,1,0,\n".repeat(20_000);
    scratch.put("many/schedule.csv", &format!("{header}\n{rows}"));
    let mut command = scratch.command("replay many --instance small.yaml --json");
    let ran = Ran::from(command.stderr(Stdio::piped()).output().unwrap());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stdout.contains("and 19,980 more"), "{ran:?}");
    assert!(ran.stdout.len() < 40_000, "{}", ran.stdout.len());
    let ran = run(&scratch, "replay many --instance small.yaml");
    assert_eq!(ran.stderr.matches("hint:").count(), 20, "{ran:?}");
    assert!(ran.stderr.ends_with("… and 19,980 more\n"), "{ran:?}");
    for shown in ["schedule.csv:2:11", "schedule.csv:21:11"] {
        assert!(ran.stderr.contains(shown), "{shown}: {ran:?}");
    }
    assert!(!ran.stderr.contains("schedule.csv:22:"), "{ran:?}");
}

#[test]
fn a_long_line_is_quoted_around_the_place_only_and_a_long_file_is_not_read() {
    let scratch = solved();
    scratch.put("long.yaml", &format!("{SMALL}x: {}\n", "a".repeat(5 << 20)));
    scratch.put("words.yaml", &SMALL.replace("fork", &"b".repeat(5 << 20)));
    scratch.put("deep.yaml", &"[".repeat(1 << 20));
    scratch.put("huge.yaml", &"a: 1\n".repeat(2 << 20));
    scratch.put("lines.yaml", &"a\n".repeat(1 << 20));
    scratch.put("nested.yaml", &format!("{}x", "- ".repeat(40)));
    for name in ["long", "words", "deep", "nested", "huge", "lines"] {
        let ran = run(&scratch, &format!("check {name}.yaml"));
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        let size = ran.stderr.len();
        assert!(size < 20_000 && size > 0, "{name}: {size}");
    }
    let ran = run(&scratch, "check huge.yaml");
    assert!(ran.stderr.contains("larger than 8 MiB"), "{ran:?}");
    let ran = run(&scratch, "check nested.yaml");
    assert!(ran.stderr.contains("in one another"), "{ran:?}");
    for (name, text) in [
        ("wide", "a,".repeat(6 << 20)),
        ("empty", "\n".repeat(12 << 20)),
        ("quote", format!("\"{}", "a\n".repeat(6 << 20))),
    ] {
        let header = scratch.text("out/small/schedule.csv");
        let header = header.lines().next().unwrap();
        scratch.put(
            &format!("{name}/schedule.csv"),
            &format!("{header}\n{text}"),
        );
        let ran = run(&scratch, &format!("replay {name} --instance small.yaml"));
        assert_eq!(ran.code, Some(2), "{name}: {ran:?}");
        let size = ran.stderr.len();
        assert!(size < 40_000 && size > 0, "{name}: {size}");
    }
}
