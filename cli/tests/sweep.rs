//! Sweeps: one process for each combination, whatever becomes of it; and `milp pareto` as a
//! command.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use support::{SMALL, Scratch, root};

/// Views of four and seven replicas under limits on honest requests, and one that is no instance.
const VIEWS: &str = "\
format: milp-sweep/2.0
base: base.yaml
over:
  budget.timeouts: [0, 2, 5]
  n, f: [[4, 1], [7, 2], [4, 2]]
";

fn base() -> String {
    SMALL
        .replace("views: 1", "views: 4")
        .replace("goal: fork", "goal: views")
        .replace("{kind: none}", "{kind: byzantine, count: 1}")
}

/// A row of a table by the names of its columns; no field has a comma here but the last.
fn cells(scratch: &Scratch, csv: &str) -> Vec<Vec<String>> {
    let text = scratch.text(csv);
    let lines = text.lines().skip(1);
    let cells = lines.map(|line| line.splitn(13, ',').map(str::to_owned).collect());
    cells.collect()
}

/// The table without the seconds.
fn lasting(scratch: &Scratch, csv: &str) -> Vec<Vec<String>> {
    lasting_of(scratch, csv, 10)
}

/// The same where the seconds stand in that column.
fn lasting_of(scratch: &Scratch, csv: &str, seconds: usize) -> Vec<Vec<String>> {
    let mut rows = cells(scratch, csv);
    for row in &mut rows {
        row[seconds].clear();
    }
    rows
}

#[test]
fn every_combination_is_a_row_and_has_the_value_worked_out_by_hand() {
    let scratch = Scratch::new();
    scratch.put("instances/base.yaml", &base());
    scratch.put("instances/views.yaml", VIEWS);
    let ran = scratch.run("sweep instances/views.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stderr, "", "a pipe sees no progress");
    assert!(
        ran.stdout
            .contains("9 combinations: 6 solved and proved, 3 invalid; 0 reused")
    );
    let header = "budget.timeouts,n,f,state,value,bound,proved,termination,formulation,nodes";
    assert!(scratch.text("out/views/sweep.csv").starts_with(header));
    let rows = lasting(&scratch, "out/views/sweep.csv");
    assert_eq!(rows.len(), 9);
    let sizes = [("4", "1"), ("7", "2"), ("4", "2")];
    for (at, row) in rows.iter().enumerate() {
        let budget = [0_u32, 2, 5][at / 3];
        let (n, f) = sizes[at % 3];
        assert_eq!(row[..3], [budget.to_string(), n.into(), f.into()]);
        if f == "2" && n == "4" {
            assert_eq!(row[3], "invalid");
            let reason = &row[12];
            assert!(reason.contains("tolerate f = 1"), "{reason}");
            // The place is one in a file that is there.
            let place = reason.trim_start_matches('"');
            let file = place.split(':').next().unwrap();
            assert!(
                scratch
                    .text(&format!("out/views/{file}"))
                    .contains("count: 2")
            );
            continue;
        }
        // A view change takes n − 2f honest requests.
        let takes = n.parse::<u32>().unwrap() - 2 * f.parse::<u32>().unwrap();
        let value = (1 + budget / takes).min(4).to_string();
        assert_eq!(
            row[3..7],
            ["solved".into(), value.clone(), value, "yes".into()]
        );
        let folder = scratch.path(&format!("out/views/{}", row[11]));
        let folder = milp_study::folder::Folder::read(&folder).unwrap();
        assert_eq!(folder.outcome.instance.budget.timeouts, Some(budget));
    }
}

/// Where the base says `count: f`, the number of faulty replicas follows n by itself.
#[test]
fn f_follows_the_number_of_replicas() {
    let scratch = Scratch::new();
    let base = base().replace("count: 1", "count: f") + "budget: {timeouts: 5}\n";
    scratch.put("base.yaml", &base);
    let sweep = "format: milp-sweep/2.0\nbase: base.yaml\nover:\n  n: [4, 7, 10]\n";
    scratch.put("sizes.yaml", sweep);
    let ran = scratch.run("sweep sizes.yaml");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let text = scratch.text("out/sizes/sweep.csv");
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| *it == name).unwrap();
    let (value, folder) = (column("value"), column("folder"));
    // A view change takes n − 2f honest requests, of which there are five.
    let sizes = [(4, 1, "3"), (7, 2, "2"), (10, 3, "2")];
    for (row, (n, f, views)) in text.lines().skip(1).zip(sizes) {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!((cells[0], cells[value]), (&*format!("{n}"), views), "{row}");
        let folder = scratch.path(&format!("out/sizes/{}", cells[folder]));
        let instance = milp_study::folder::Folder::read(&folder)
            .unwrap()
            .outcome
            .instance;
        let byzantine = milp_schema::instance::FaultKind::Byzantine;
        assert_eq!((instance.replicas, instance.fault_count(byzantine)), (n, f));
    }
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn more_jobs_give_the_same_bytes_and_what_is_solved_is_not_solved_again() {
    let scratch = Scratch::new();
    scratch.put("base.yaml", &base());
    scratch.put("views.yaml", VIEWS);
    let reused = |arguments: &str| {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let (_, rest) = ran.stdout.split_once("; ").unwrap();
        rest.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(reused("sweep views.yaml"), 0);
    assert_eq!(reused("sweep views.yaml --jobs 3 --out three"), 0);
    assert_eq!(
        lasting(&scratch, "out/views/sweep.csv"),
        lasting(&scratch, "three/sweep.csv")
    );
    for name in ["sweep.html", "sweep.svg"] {
        let (one, three) = (format!("out/views/{name}"), format!("three/{name}"));
        assert!(scratch.text(&one) == scratch.text(&three), "{name} differs");
    }
    let before = scratch.text("three/sweep.csv");
    assert_eq!(reused("sweep views.yaml --out three"), 6);
    assert_eq!(scratch.text("three/sweep.csv"), before);
    assert_eq!(reused("sweep views.yaml --out three --fresh"), 0);
    // Other limits, other questions.
    assert_eq!(reused("sweep views.yaml --out three --seed 1"), 0);
    assert_eq!(reused("sweep views.yaml --out three --seed 1"), 6);
    // A result that was changed or is gone is solved again, and so is one of another instance.
    scratch.put("three/results/timeouts0-n4-f1/outcome.yaml", "broken");
    std::fs::remove_file(scratch.path("three/results/timeouts2-n4-f1/schedule.csv")).unwrap();
    assert_eq!(reused("sweep views.yaml --out three --seed 1"), 4);
    scratch.put("base.yaml", &base().replace("views: 4", "views: 3"));
    assert_eq!(reused("sweep views.yaml --out three --seed 1"), 0);
    // More values leave what is known known.
    scratch.put("views.yaml", &VIEWS.replace("[0, 2,", "[1, 0, 2,"));
    assert_eq!(reused("sweep views.yaml --out three --seed 1"), 6);
}

/// What is printed is run by a shell in another folder, twice; kinds of rows there are four of.
#[test]
fn tasks_leave_what_the_sweep_itself_leaves() {
    let scratch = Scratch::new();
    scratch.put("here/it's/small.yaml", SMALL);
    let sweep = "format: milp-sweep/2.0\nbase: small.yaml\nover:\n  n: [4, 5, none]\n  primary: [rotation, free]\n";
    scratch.put("here/it's/sweep.yaml", sweep);
    let run = |rest: &str| scratch.run(&format!("sweep here/it's/sweep.yaml {rest}"));
    let local = run("--out local");
    let words = "6 combinations: 2 solved and proved, 4 invalid";
    assert!(local.stdout.contains(words), "{local:?}");
    let tasks = run("--tasks --out tasks");
    assert_eq!(tasks.code, Some(0), "{tasks:?}");
    let tasks: Vec<&str> = tasks.stdout.lines().collect();
    assert_eq!(
        tasks.len(),
        4,
        "what is no instance needs no task: {tasks:?}"
    );
    assert!(!scratch.path("tasks").exists(), "nothing was done yet");
    for task in tasks.iter().rev().chain([&tasks[0]]) {
        let ran = std::process::Command::new("sh")
            .args(["-c", task])
            .current_dir("/")
            .output();
        assert_eq!(ran.unwrap().status.code(), Some(0), "{task}");
    }
    let collected = run("--collect --out tasks");
    assert_eq!(collected.code, local.code, "{collected:?}");
    assert!(collected.stdout.contains(words), "{collected:?}");
    assert_eq!(run("--tasks --out tasks").stdout, "");
    let table = |folder: &str| {
        let cells = lasting_of(&scratch, &format!("{folder}/sweep.csv"), 9);
        cells
            .into_iter()
            .map(|row| row.join(",").replace(folder, ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(table("local"), table("tasks"));
}

/// Solves and sweeps that are killed or interrupted.
#[cfg(target_os = "linux")]
mod killed {
    use super::support::{LARGE, Ran, Scratch};
    use std::{
        process::{Child, Command},
        time::Duration,
    };

    /// A combination that is solved at once, one that takes for ever, and one that comes after it.
    const LONG: &str = "\
format: milp-sweep/2.0
base: large.yaml
over:
  views, blocks_per_proposal, goal:
    - [1, 1, fork]
    - [4, 2, {weighted: {sense: maximize, blocks: 1000, views: -100, messages: 1}}]
    - [1, 1, views]
";

    /// Starts the sweep and waits until its second solve is at work; the process of that solve.
    fn start_long(scratch: &Scratch) -> (Child, u32) {
        scratch.put("large.yaml", LARGE);
        scratch.put("long.yaml", LONG);
        let mut child = scratch.command("sweep long.yaml").spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        for _ in 0..3000 {
            std::thread::sleep(Duration::from_millis(20));
            let csv = std::fs::read_to_string(scratch.path("out/long/sweep.csv"));
            let first = csv.is_ok_and(|text| text.lines().nth(1).unwrap().contains(",solved,"));
            let solves = std::fs::read_to_string(&children).unwrap_or_default();
            if let (true, Ok(id)) = (first, solves.trim().parse()) {
                // Far enough to have a handler for interrupts.
                std::thread::sleep(Duration::from_secs(1));
                return (child, id);
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("the second solve did not begin");
    }

    fn signal(id: u32, name: &str) {
        let status = Command::new("kill").args([name, &id.to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// The states of the rows, in order.
    fn states(scratch: &Scratch) -> Vec<String> {
        let text = scratch.text("out/long/sweep.csv");
        let words = ["solved", "missing", "failed", "interrupted", "invalid"];
        let state = |line: &str| {
            let word = words
                .iter()
                .find(|word| line.contains(&format!(",{word},")));
            (*word.unwrap()).to_owned()
        };
        text.lines().skip(1).map(state).collect()
    }

    #[test]
    fn a_killed_solve_costs_its_own_row_and_an_interrupt_says_what_is_missing() {
        let scratch = Scratch::new();
        let (sweep, solve) = start_long(&scratch);
        signal(solve, "-KILL");
        let ran = Ran::from(sweep.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(states(&scratch), ["solved", "failed", "solved"]);
        assert!(
            scratch
                .text("out/long/sweep.csv")
                .contains("killed by signal 9")
        );
        // It is resumed with that row only, and interrupted there.
        std::fs::remove_dir_all(scratch.path("out/long/ended")).unwrap();
        let (mut sweep, _) = start_long(&scratch);
        signal(sweep.id(), "-INT");
        let ended = (0..600).find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            sweep.try_wait().unwrap()
        });
        assert_eq!(ended.expect("one interrupt is enough").code(), Some(130));
        let states = states(&scratch);
        assert_eq!(states[0], "solved");
        assert!(["interrupted", "missing"].contains(&states[1].as_str()));
        assert_eq!(states[2], "missing");
        // It is missing if its program was not even built.
        if states[1] == "interrupted" {
            let text = scratch.text("out/long/sweep.csv");
            let row = text.lines().nth(2).unwrap();
            let folder = row.split(',').find(|cell| cell.starts_with("results/"));
            let outcome = format!("out/long/{}/outcome.yaml", folder.unwrap());
            milp_schema::read::outcome(&scratch.path(&outcome)).unwrap();
        }
    }

    /// The end of the process that sweeps is the end of its solves.
    #[test]
    fn a_killed_sweep_leaves_no_solve_at_work() {
        let scratch = Scratch::new();
        let (mut sweep, solve) = start_long(&scratch);
        signal(sweep.id(), "-KILL");
        sweep.wait().unwrap();
        let alive = || std::path::Path::new(&format!("/proc/{solve}")).exists();
        for _ in 0..1200 {
            if !alive() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(!alive(), "{solve} is still at work");
        assert_eq!(states(&scratch), ["solved", "missing", "missing"]);
    }
}

#[test]
fn the_shipped_sweep_is_solved_and_proved() {
    let scratch = Scratch::new();
    for name in ["instances/sweep.yaml", "instances/dbft2/n7-views.yaml"] {
        scratch.put(name, &std::fs::read_to_string(root().join(name)).unwrap());
    }
    let ran = scratch.run("sweep instances/sweep.yaml --jobs 2");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("42 combinations: 42 solved and proved"));
    let (drawn, shown) = (
        scratch.text("out/sweep/sweep.svg"),
        root().join("docs/sweep.svg"),
    );
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&shown, &drawn).unwrap();
    }
    assert!(
        std::fs::read_to_string(&shown).unwrap() == drawn,
        "docs/sweep.svg is another picture: UPDATE=1"
    );
}

/// Files, arguments, exit code, and words that standard output or standard error must have.
const COMMAND_LINES: &[(&str, i32, &str)] = &[
    ("sweep --help", 0, "--jobs"),
    ("sweep", 2, "<FILE>"),
    ("sweep nowhere.yaml", 2, "nowhere.yaml"),
    ("sweep small.yaml", 2, "`format` must be `milp-sweep/2.0`"),
    ("sweep broken.yaml", 2, "`m` is no field"),
    ("sweep broken.yaml", 2, "[broken.yaml:4:3]"),
    ("sweep broken.yaml", 2, "`views` has no values"),
    ("sweep invalid.yaml", 2, "1 combination: 1 invalid"),
    ("sweep good.yaml --jobs 0", 2, "--jobs"),
    ("sweep good.yaml --time-limit 0", 2, "a number above 0"),
    (
        "sweep good.yaml --out held",
        2,
        "held is not used: it holds mine.txt",
    ),
    ("sweep good.yaml --no-prove", 10, "2 solved and not proved"),
    ("sweep refused.yaml", 0, "1 solved and proved, 1 invalid"),
    (
        "sweep good.yaml --tasks --collect",
        2,
        "cannot be used with",
    ),
    ("sweep good.yaml --task no", 2, "no combination `no`"),
    ("sweep good.yaml --collect --out a", 10, "missing: n4"),
    ("pareto --help", 0, "--effort"),
    ("pareto small.yaml", 2, "--effort"),
    (
        "pareto small.yaml --effort luck",
        2,
        "expected one of late, timeouts",
    ),
    ("pareto small.yaml --effort f", 2, "has no faults"),
    (
        "pareto small.yaml --effort late --out held",
        2,
        "it holds mine.txt",
    ),
    ("pareto good.yaml --effort late", 2, "[good.yaml:1:9]"),
    (
        "pareto small.yaml --effort timeouts --quiet",
        0,
        "brings nothing: proved",
    ),
    (
        "pareto small.yaml --effort timeouts --no-prove --quiet",
        10,
        "not proved",
    ),
    (
        "pareto small.yaml --effort late --time-limit 0.000001 --quiet",
        13,
        "no schedule was found",
    ),
];

#[test]
fn every_command_line_ends_with_its_exit_code_and_says_why() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    scratch.put("held/mine.txt", "");
    let over = |over: &str| format!("format: milp-sweep/2.0\nbase: small.yaml\nover:\n{over}");
    scratch.put("good.yaml", &over("  n: [4, 5]\n"));
    scratch.put("broken.yaml", &over("  m: [4]\n  views: []\n"));
    scratch.put("invalid.yaml", &over("  n: [none]\n"));
    // No formulation takes it, and its own solve says so.
    scratch.put("refused.yaml", &over("  primary: [rotation, free]\n"));
    for (arguments, code, words) in COMMAND_LINES {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(*code), "{arguments}: {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(words), "{arguments}: {ran:?}");
    }
    // What is wrong with a command line leaves nothing behind.
    assert_eq!(scratch.names("held"), ["mine.txt"]);
}
