//! A limit of time, Ctrl-C and SIGTERM end every command soon, and what was found is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use support::{LARGE, Ran, SMALL, Scratch, root};

/// How long after its limit or a signal a command may run, on whatever machine and in whatever
/// company. What these tests are against took minutes.
const SOON: Duration = Duration::from_secs(30);

/// A sweep of one instance that no solve closes.
const SWEEP: &str = "\
format: milp-sweep/2.0
base: large.yaml
over:
  replicas: [7]
";

/// A command that has far more to do than the time that a test gives it, the file that it leaves
/// whatever happens, and how it ends when the limit of time comes and when a signal does.
const COMMANDS: &[(&str, &str, &[i32], &[i32])] = &[
    (
        "solve large.yaml --out a",
        "a/outcome.yaml",
        &[10, 13],
        &[130],
    ),
    ("solve large.yaml --k-best 9 --out a", "", &[10, 13], &[130]),
    (
        "cubes large.yaml --out a",
        "a/outcome.yaml",
        &[10, 13],
        &[130],
    ),
    (
        "pareto large.yaml --effort late --out a",
        "a/pareto.csv",
        &[10, 13],
        &[130],
    ),
    ("sweep sweep.yaml --out a", "a/sweep.csv", &[1, 10], &[130]),
    (
        "minimize results/dbft2/n4-stall-nspcc --out a",
        "a/schedule.csv",
        &[10],
        &[130],
    ),
    ("explain large.yaml --why-not 9000", "", &[10, 13], &[130]),
    ("explain large.yaml --rules", "", &[10, 13], &[130]),
    ("bench large.yaml", "", &[0, 13], &[130]),
];

/// A folder with what the commands are about.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.put("large.yaml", LARGE);
    scratch.put("sweep.yaml", SWEEP);
    for file in [
        "outcome.yaml",
        "schedule.csv",
        "predictions.csv",
        "certificate.csv",
    ] {
        let place = format!("results/dbft2/n4-stall-nspcc/{file}");
        if let Ok(text) = std::fs::read_to_string(root().join(&place)) {
            scratch.put(&place, &text);
        }
    }
    scratch
}

/// The command as it ends, which has to be soon.
fn soon(mut child: Child, what: &str) -> Ran {
    #[expect(clippy::disallowed_methods, reason = "a limit is by the clock")]
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > SOON {
            child.kill().unwrap();
            panic!("{what} goes on for {SOON:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ran::from(child.wait_with_output().unwrap())
}

#[test]
fn a_limit_of_time_ends_every_command_and_keeps_what_was_found() {
    for (command, file, limited, _) in COMMANDS {
        let scratch = scratch();
        let child = scratch.command(&format!("{command} --time-limit 2"));
        let ran = soon(quiet(child).spawn().unwrap(), command);
        assert!(limited.contains(&ran.code.unwrap()), "{command}: {ran:?}");
        kept(&scratch, file, &ran);
    }
}

/// What was found is there, unless the program was not even built.
fn kept(scratch: &Scratch, file: &str, ran: &Ran) {
    let nothing = file.is_empty() || ran.stderr.contains("nothing was found");
    assert!(nothing || scratch.path(file).is_file(), "{file}: {ran:?}");
}

/// What is printed is little enough for a pipe that nobody reads.
fn quiet(mut command: Command) -> Command {
    if command.get_args().all(|argument| argument != "bench") {
        command.arg("--quiet");
    }
    command
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(status.success());
}

#[test]
#[cfg(unix)]
fn a_signal_ends_every_command_and_keeps_what_was_found() {
    for (number, (command, file, _, signalled)) in COMMANDS.iter().enumerate() {
        let scratch = scratch();
        let child = quiet(scratch.command(command)).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(2));
        signal(&child, ["-TERM", "-INT"][number % 2]);
        let ran = soon(child, command);
        assert!(signalled.contains(&ran.code.unwrap()), "{command}: {ran:?}");
        kept(&scratch, file, &ran);
        assert!(ran.stderr.contains("stopping"), "{command}: {ran:?}");
    }
}

#[test]
#[cfg(unix)]
fn two_signals_do_not_wait_and_lose_nothing() {
    let scratch = scratch();
    let mut child = scratch
        .command("minimize results/dbft2/n4-stall-nspcc --out a --time-limit 500")
        .spawn()
        .unwrap();
    // Progress is printed from the first solve on.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    signal(&child, "-INT");
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "-TERM");
    let ran = soon(child, "minimize");
    assert_eq!(ran.code, Some(130), "{ran:?}");
    let outcome = milp_schema::read::outcome(&scratch.path("a/outcome.yaml")).unwrap();
    assert!(outcome.run.iter().any(|(key, _)| key == "acts"));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("Ctrl-C again"), "{rest}");
}

#[test]
#[cfg(unix)]
fn a_command_with_nothing_to_keep_ends_at_the_first_signal() {
    for name in ["-INT", "-TERM"] {
        let scratch = scratch();
        // An adapter that never answers.
        let child = scratch
            .command("engine check --limit 60 sleep 60")
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs(1));
        signal(&child, name);
        assert_eq!(soon(child, "engine check").code, Some(130));
    }
}

/// Every command that prints, with what it needs.
const PRINT: &[&str] = &[
    "--help",
    "schema",
    "check small.yaml",
    "check small.yaml --json",
    "export small.yaml --lp",
    "solve small.yaml --out a --quiet",
    "solve small.yaml --out a --k-best 2 --quiet",
    "cubes small.yaml --out a --quiet",
    "pareto small.yaml --effort late --out b --quiet",
    "replay results/dbft2/n4-stall-nspcc",
    "verify results/dbft2/n4-stall-nspcc",
    "explain results/dbft2/n4-stall-nspcc",
    "report results/dbft2/n4-stall-nspcc",
    "completions bash",
    "man pages",
    "doctor",
    "new fresh.yaml",
    "bench small.yaml",
    "engine check false",
];

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_a_failure_in_words_and_files_are_written_all_the_same() {
    for command in PRINT {
        let scratch = scratch();
        scratch.put("small.yaml", SMALL);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let child = scratch.command(command).stdout(full.unwrap()).spawn();
        let ran = soon(child.unwrap(), command);
        assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
        let said = "failed to write to standard output: No space left on device";
        assert!(ran.stderr.contains(said), "{command}: {ran:?}");
        assert!(!ran.stderr.contains("defect"), "{command}: {ran:?}");
        if command.starts_with("solve small.yaml --out a --quiet") {
            assert!(scratch.path("a/outcome.yaml").is_file());
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_nobody_can_read_on_standard_error_changes_nothing() {
    let scratch = scratch();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = scratch.command("check nowhere.yaml");
    let status = command.stderr(full.unwrap()).stdout(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(2));
}

#[test]
fn a_value_that_no_goal_has_is_refused() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    for value in [i64::MIN, i64::MAX] {
        let ran = scratch.run(&format!("explain small.yaml --why-not {value} --quiet"));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr.contains("no value that a goal can have"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_problem_far_out_on_a_line_is_said() {
    let scratch = Scratch::new();
    let far = format!("goal:{}nothing", " ".repeat(70_000));
    scratch.put("far.yaml", &SMALL.replace("goal: fork", &far));
    let ran = scratch.run("check far.yaml");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("far.yaml:12:70006]"), "{ran:?}");
    assert!(ran.stderr.len() < 2_000, "{ran:?}");
}

#[test]
fn a_program_too_large_to_build_is_refused_at_once_with_its_size() {
    let scratch = Scratch::new();
    let huge = SMALL
        .replace("replicas: 4", "replicas: 64")
        .replace("heights: 1", "heights: 2")
        .replace("views: 1", "views: 32");
    scratch.put("huge.yaml", &huge);
    for command in ["check", "solve --quiet", "export --lp"] {
        let command = format!("{command} huge.yaml");
        let ran = soon(scratch.command(&command).spawn().unwrap(), &command);
        assert_eq!(ran.code, Some(2), "{command}: {ran:?}");
        for words in [
            "columns or more",
            "1000000",
            "`replicas` (64), `views` (32)",
        ] {
            assert!(ran.stderr.contains(words), "{command}: {ran:?}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn memory_that_runs_out_is_a_failure_in_words() {
    let scratch = scratch();
    for (command, kilobytes) in [("check", 60_000), ("solve --quiet", 160_000)] {
        let milp = env!("CARGO_BIN_EXE_milp");
        let limited = format!("ulimit -v {kilobytes}; exec {milp} {command} large.yaml");
        let child = Command::new("sh")
            .args(["-c", &limited])
            .current_dir(scratch.path("."))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let ran = soon(child.unwrap(), command);
        assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
        // Ours says the first, an exception of the solver's ends in the second.
        let words = ["memory allocation of", "foreign exceptions"];
        let said = words.iter().any(|words| ran.stderr.contains(words));
        assert!(said, "{command}: {ran:?}");
    }
}
