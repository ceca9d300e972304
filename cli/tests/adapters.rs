//! Adapters that misbehave, as the command meets them: each ends soon, with a code and words that a
//! terminal can show, and nothing is left of it, however the command ends.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::{
    path::Path,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};
use support::{Ran, Scratch, root};

/// What nobody who misbehaves may take longer than, on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// How many misbehave at once: they hardly compute.
const AT_ONCE: usize = 12;

/// A scratch folder with the adapter and a schedule of the production engine.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let put = |from: &str, to: &str| {
        let text = std::fs::read_to_string(root().join(from)).unwrap();
        scratch.put(to, &text);
    };
    put("cli/tests/hostile/adapter.sh", "adapter.sh");
    for name in ["instance.yaml", "schedule.csv", "predictions.csv"] {
        let from = format!("replay/tests/fixtures/four-good-nodes/{name}");
        put(&from, &format!("four/{name}"));
    }
    scratch
}

/// The command on a mode of the adapter: a check, or a replay.
fn command(scratch: &Scratch, mode: &str, check: bool) -> Command {
    let adapter = scratch.path("adapter.sh");
    let adapter = format!("sh {} {mode}", adapter.display());
    if check {
        return scratch.command(&format!("engine check --limit 4 {adapter}"));
    }
    let replay = "replay four --instance four/instance.yaml --engine nspcc-dbft";
    let mut command = scratch.command(replay);
    command.env("MILP_ENGINE_NSPCC_DBFT", adapter);
    command
}

/// Processes of this user whose command line names the folder.
fn left(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    lines.filter(|line| line.contains(&folder)).collect()
}

/// The system takes a moment to end what was killed.
fn goes(folder: &Path) -> Vec<String> {
    for _ in 0..400 {
        if left(folder).is_empty() {
            return Vec::new();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    left(folder)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long an error takes is what is tested"
)]
fn ends_soon(mode: &str, check: bool) {
    let scratch = scratch();
    let words = Scratch::new();
    let file = |name: &str| std::fs::File::create(words.path(name)).unwrap();
    let mut command = command(&scratch, mode, check);
    command.stdout(file("out")).stderr(file("error"));
    let began = Instant::now();
    let mut milp = command.spawn().unwrap();
    let code = loop {
        if let Some(status) = milp.try_wait().unwrap() {
            break status.code();
        }
        if began.elapsed() > SOON {
            milp.kill().unwrap();
            milp.wait().unwrap();
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let ran = Ran {
        code,
        stdout: words.text("out"),
        stderr: words.text("error"),
    };
    let code = ran.code.unwrap_or_default();
    assert!([1, 2, 12].contains(&code), "{mode}: {ran:?}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains(' '), "{mode}: no words: {ran:?}");
    let moves = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!said.contains(moves), "{mode}: {said:?}");
    let folder = scratch.path("");
    let left = goes(&folder);
    assert!(left.is_empty(), "{mode}: {left:?}");
    // A name that leads elsewhere led nowhere.
    assert_eq!(scratch.names(""), ["adapter.sh", "four"], "{mode}");
}

#[test]
fn whoever_misbehaves_ends_soon_with_words() {
    let list = Command::new("sh")
        .arg(root().join("cli/tests/hostile/adapter.sh"))
        .arg("list")
        .output()
        .unwrap();
    let modes = String::from_utf8(list.stdout).unwrap();
    let modes: Vec<&str> = modes.lines().collect();
    assert!(modes.len() >= 50, "{}", modes.len());
    let cases = modes
        .iter()
        .flat_map(|mode| [(*mode, true), (*mode, false)]);
    let cases = Mutex::new(cases);
    let bad = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let case = cases.lock().unwrap().next();
                    let Some((mode, check)) = case else { return };
                    let ended = std::panic::catch_unwind(|| ends_soon(mode, check));
                    if ended.is_err() {
                        bad.lock().unwrap().push((mode, check));
                    }
                }
            });
        }
    });
    let bad = bad.into_inner().unwrap();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn nothing_outlives_a_command_that_is_interrupted_terminated_or_killed() {
    for mode in [
        "hangs",
        "has-children",
        "ignores-signals",
        "leaves-its-group",
    ] {
        for signal in ["-INT", "-TERM", "-KILL"] {
            let scratch = scratch();
            let folder = scratch.path("");
            let mut milp = command(&scratch, mode, false).spawn().unwrap();
            let adapter = scratch.path("adapter.sh");
            let started = (0..400).any(|_| {
                std::thread::sleep(Duration::from_millis(10));
                !left(&adapter).is_empty()
            });
            assert!(started, "{mode}: it never started");
            let id = milp.id().to_string();
            let sent = Command::new("kill").args([signal, &id]).status().unwrap();
            assert!(sent.success());
            milp.wait().unwrap();
            let left = goes(&folder);
            assert!(left.is_empty(), "{mode}, {signal}: {left:?}");
        }
    }
}
