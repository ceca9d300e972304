//! What a sweep file means: which combinations, in which order, and what each instance says.

use milp_schema::{
    Instance,
    instance::{Goal, Network, Sense, Timers},
    read,
    sweep::Sweep,
};
use std::path::Path;

const BASE: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
faults: {kind: byzantine, count: 1}
views: 2
slots: 12
network: eventual
goal: fork
";

fn sweep(over: &str) -> Sweep {
    let base = BASE.lines().map(|line| format!("  {line}\n"));
    let base = base.collect::<String>();
    let text = format!("format: milp-sweep/2.0\nbase:\n{base}over:\n{over}");
    read::sweep_text("sweep", &text, Path::new("")).unwrap_or_else(|error| panic!("{error}"))
}

fn instance(sweep: &Sweep, at: usize) -> Instance {
    let text = sweep.combination(at).text;
    read::instance_text("combination", &text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_combination_comes_in_order_and_the_last_field_changes_fastest() {
    let sweep = sweep("  n, f: [[4, 1], [7, 2]]\n  views: [2, 3, 4]\n");
    assert_eq!(sweep.fields(), ["n", "f", "views"]);
    assert_eq!(sweep.len(), 6);
    let values = (0..6).map(|at| sweep.combination(at).values.join(" "));
    assert_eq!(
        values.collect::<Vec<_>>(),
        ["4 1 2", "4 1 3", "4 1 4", "7 2 2", "7 2 3", "7 2 4"]
    );
    assert_eq!(sweep.steps(4), [1, 1]);
    let last = instance(&sweep, 5);
    assert_eq!((last.replicas, last.views, last.f()), (7, 4, 2));
    assert_eq!(last.faults[0].count(), 2);
    // What is not swept is the base's.
    assert_eq!((last.slots, last.goal), (12, Goal::Fork));
}

#[test]
fn a_count_that_is_a_formula_follows_the_number_of_replicas() {
    let sweep = sweep("  n: [4, 10]\n  f: [f, f - 1]\n");
    let counts = (0..4).map(|at| instance(&sweep, at).faults[0].count());
    assert_eq!(counts.collect::<Vec<_>>(), [1, 0, 3, 2]);
}

#[test]
fn a_path_makes_way_for_itself_and_nothing_takes_a_key_away() {
    let sweep = sweep(
        "  delay_min, delay_max: [[1, 2], [1, 5]]\n  timers, block_time: [[free, ~], [protocol, 3]]\n  \
         goal: [views, {weighted: {sense: maximize, blocks: -7}}]\n",
    );
    assert_eq!(sweep.len(), 8);
    let bounded = |delay_max| Network::Bounded {
        delay_min: 1,
        delay_max,
        gst: 0,
    };
    let (first, last) = (instance(&sweep, 0), instance(&sweep, 7));
    assert_eq!(first.network, bounded(2));
    assert_eq!((first.timers, first.block_time), (Timers::Free, None));
    assert_eq!(first.goal, Goal::Views);
    assert_eq!(last.network, bounded(5));
    assert_eq!((last.timers, last.block_time), (Timers::Protocol, Some(3)));
    let goal = Goal::Weighted {
        sense: Sense::Maximize,
        blocks: -7,
        views: 0,
        messages: 0,
    };
    assert_eq!(last.goal, goal);
}

#[test]
fn a_combination_that_is_no_instance_says_so_where_it_is_read() {
    let sweep = sweep("  n: [4, 3]\n  protocol: [dbft1, \"a: {b}\"]\n");
    assert!(read::instance_text("i", &sweep.combination(0).text).is_ok());
    let error = read::instance_text("i", &sweep.combination(3).text).expect_err("it is refused");
    let said = error.to_string();
    assert!(said.contains("tolerate f = 0"), "{said}");
    assert!(
        said.contains("`dbft2-tla-per-view`, not the text `a: {b}`"),
        "{said}"
    );
}

#[test]
fn the_base_may_be_a_file_of_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("in")).expect("a folder");
    std::fs::write(dir.path().join("in/base.yaml"), BASE).expect("a file");
    let text = "format: milp-sweep/2.0\nbase: in/base.yaml\nover: {slots: [9]}\n";
    let path = dir.path().join("sweep.yaml");
    std::fs::write(&path, text).expect("a file");
    let sweep = read::sweep(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(instance(&sweep, 0).slots, 9);
    // A base that is no YAML is reported where it is.
    std::fs::write(dir.path().join("in/base.yaml"), "a: [1\n").expect("a file");
    let error = read::sweep(&path).expect_err("it is refused").to_string();
    assert!(error.contains("base.yaml:1:4: not valid YAML"), "{error}");
}

#[test]
fn the_shipped_sweep_is_valid_whatever_it_combines() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instances/sweep.yaml");
    let sweep = read::sweep(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(sweep.len(), 42);
    for at in 0..sweep.len() {
        instance(&sweep, at);
    }
}
