//! `milp report` and `milp import` at the command line.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{Scratch, root};

const FORK: &str = "results/dbft1/n4-delays-fork";

fn fork() -> String {
    root().join(FORK).display().to_string()
}

#[test]
fn a_report_gives_the_schedule_back_byte_for_byte() {
    let scratch = Scratch::new();
    let ran = scratch.run(&format!("report {}", fork()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(
        ran.stdout,
        "written: out/dbft1/n4-delays-fork/report.html\n"
    );
    assert!(ran.stderr.contains("heal phase"), "{ran:?}");
    let ran = scratch.run("import out/dbft1/n4-delays-fork/report.html --out again");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(
        scratch.names("again"),
        [
            "certificate.csv",
            "outcome.yaml",
            "predictions.csv",
            "schedule.csv"
        ]
    );
    for name in scratch.names("again") {
        let kept = std::fs::read_to_string(root().join(FORK).join(&name)).unwrap();
        assert_eq!(scratch.text(&format!("again/{name}")), kept, "{name}");
    }
    // It is a result like any other.
    let ran = scratch.run("replay again --dry-run");
    assert_eq!(ran.code, Some(12), "{ran:?}");
    assert!(ran.stdout.contains("agreement violated"), "{ran:?}");
    let ran = scratch.run("verify again");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("incumbent and bound"), "{ran:?}");
}

#[test]
fn a_file_that_is_missing_is_named_and_bad_input() {
    let scratch = Scratch::new();
    let files = [
        "outcome.yaml",
        "predictions.csv",
        "schedule.csv",
        "certificate.csv",
    ];
    let kept = |name: &str| std::fs::read_to_string(root().join(FORK).join(name)).unwrap();
    for lacking in files {
        for name in files.iter().filter(|name| **name != lacking) {
            scratch.put(&format!("without-{lacking}/{name}"), &kept(name));
        }
    }
    for (command, lacking) in [
        ("verify", "outcome.yaml"),
        ("verify", "predictions.csv"),
        ("verify", "schedule.csv"),
        ("verify", "certificate.csv"),
        ("report", "certificate.csv"),
        ("report", "schedule.csv"),
        ("replay", "schedule.csv"),
    ] {
        let ran = scratch.run(&format!("{command} without-{lacking}"));
        assert_eq!(ran.code, Some(2), "{command} {lacking}: {ran:?}");
        assert!(ran.stderr.contains(lacking), "{command} {lacking}: {ran:?}");
    }
    let ran = scratch.run("import nothing.html");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("nothing.html"), "{ran:?}");
}

#[test]
fn an_import_replaces_nothing_and_refuses_what_is_no_report() {
    let scratch = Scratch::new();
    assert_eq!(scratch.run(&format!("report {}", fork())).code, Some(0));
    // The report itself lies in the folder that its name means.
    let ran = scratch.run("import out/dbft1/n4-delays-fork/report.html");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("not empty"), "{ran:?}");
    let ran = scratch.run("import out/dbft1/n4-delays-fork/report.html --second --out x");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    scratch.put("page.html", "<html></html>");
    let ran = scratch.run("import page.html --out x");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    // A name that leads elsewhere.
    let html = scratch.text("out/dbft1/n4-delays-fork/report.html");
    scratch.put(
        "evil.html",
        &html.replace("\"name\":\"dbft1/", "\"name\":\"../../"),
    );
    let ran = scratch.run("import evil.html");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no path below out/"), "{ran:?}");
    assert!(!scratch.path("x").exists());
}

#[test]
fn the_same_command_writes_the_same_bytes() {
    let scratch = Scratch::new();
    for kind in ["", "--svg ", "--png "] {
        for name in ["one", "two"] {
            let ran = scratch.run(&format!("report {} {kind}--out {name}", fork()));
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
        let bytes = |name| std::fs::read(scratch.path(name)).unwrap();
        assert_eq!(bytes("one"), bytes("two"), "{kind}");
    }
}

#[test]
fn both_files_of_a_comparison_come_back() {
    let scratch = Scratch::new();
    let other = root().join("results/dbft2/n4-stall").display().to_string();
    let ran = scratch.run(&format!(
        "report {} --against {other} --out two.html",
        fork()
    ));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(scratch.run("import two.html --out first").code, Some(0));
    assert_eq!(
        scratch.run("import two.html --second --out second").code,
        Some(0)
    );
    let kept = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    assert_eq!(
        scratch.text("first/schedule.csv"),
        kept(&format!("{FORK}/schedule.csv"))
    );
    assert_eq!(
        scratch.text("second/schedule.csv"),
        kept("results/dbft2/n4-stall/schedule.csv")
    );
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let scratch = Scratch::new();
    for arguments in [
        "--svg --png --out x",
        "--from 5 --to 3",
        "--against-engine dbft2",
        "--against model --against-engine dbft2",
        "--engine paxos",
        "--against nowhere",
    ] {
        let ran = scratch.run(&format!("report {} {arguments}", fork()));
        assert_eq!(ran.code, Some(2), "{arguments}: {ran:?}");
    }
    assert_eq!(scratch.names("."), [""; 0]);
}
