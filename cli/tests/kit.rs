//! The Python kit (`kits/python`): its example is an adapter that lacks nothing and stops where the
//! protocol does, and its broken twin is caught.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{Ran, Scratch, root};

fn adapter(name: &str) -> String {
    let path = root().join("kits/python/examples").join(name);
    format!("python3 {}", path.display())
}

fn lacks(ran: &Ran) -> Vec<&str> {
    let lines = ran.stdout.lines();
    lines.filter(|line| !line.starts_with("ok ")).collect()
}

#[test]
fn the_example_lacks_nothing_and_the_one_that_decides_on_f_plus_1_commits_is_caught() {
    let scratch = Scratch::new();
    let ran = scratch.run(&format!("engine check {}", adapter("dbft2.py")));
    assert_eq!((lacks(&ran), ran.code), (Vec::new(), Some(0)), "{ran:?}");
    assert!(ran.stdout.lines().count() > 25, "{ran:?}");
    let ran = scratch.run(&format!("engine check {}", adapter("broken.py")));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let [line] = lacks(&ran)[..] else {
        panic!("{ran:?}")
    };
    assert!(
        line.starts_with("MISSING  f + 1 commits decide nothing: "),
        "{line}"
    );
}

/// Results of dBFT 2.0 and how they end on the example: as on own replicas.
const RESULTS: &[(&str, i32, &str)] = &[
    ("n4-stall", 12, "stuck: replica 0 in h0 v1 asks for v2"),
    ("n4-beyond-budget-fork", 12, "agreement violated: height 0"),
    ("n4-equivocation-fork", 0, "some replica decides"),
];

#[test]
fn kept_schedules_of_the_protocol_end_on_the_example_as_they_do_on_own_replicas() {
    let scratch = Scratch::new();
    for (name, code, words) in RESULTS {
        // A replay writes beside the schedule.
        let result = scratch.path(name);
        std::fs::create_dir_all(&result).unwrap();
        for file in std::fs::read_dir(root().join("results/dbft2").join(name)).unwrap() {
            let file = file.unwrap().path();
            std::fs::copy(&file, result.join(file.file_name().unwrap())).unwrap();
        }
        let own = scratch.run(&format!("replay {}", result.display()));
        let mut replay =
            scratch.command(&format!("replay {} --engine nspcc-dbft", result.display()));
        replay.env("MILP_ENGINE_NSPCC_DBFT", adapter("dbft2.py"));
        let ran = Ran::from(replay.output().unwrap());
        assert_eq!(
            (own.code, ran.code),
            (Some(*code), Some(*code)),
            "{name}: {own:?} {ran:?}"
        );
        assert!(ran.stdout.contains(words), "{name}: {ran:?}");
        assert!(ran.stdout.contains("dbft2-python"), "{name}: {ran:?}");
    }
}

#[test]
fn python_reads_a_result_with_nothing_but_its_standard_library() {
    let scratch = Scratch::new();
    let milp = env!("CARGO_BIN_EXE_milp");
    let ran = std::process::Command::new("python3")
        .arg(root().join("kits/python/examples/results.py"))
        .arg(milp)
        .arg(root().join("instances/dbft2/n4-stall-crash.yaml"))
        .arg(scratch.path("read"))
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{printed}");
    assert!(printed.starts_with("after its schedule no block of height 0 can be decided any more"));
    assert!(
        printed.contains("value 0, bound 0.0, proved: True"),
        "{printed}"
    );
    assert!(
        printed.contains("replay: stuck, 0 divergences"),
        "{printed}"
    );
    // Every choice is in the table.
    let rows = scratch.text("read/schedule.csv").lines().count() - 1;
    let table = printed
        .lines()
        .skip_while(|line| !line.starts_with("message"));
    let table = table.skip(1).take_while(|line| !line.is_empty());
    let counted = table.map(|line| {
        let last = line.split_whitespace().last().unwrap();
        last.parse::<usize>().unwrap()
    });
    assert_eq!(counted.sum::<usize>(), rows, "{printed}");
}
