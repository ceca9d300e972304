//! What is shown needs the vocabulary only: no model, no solver and no replica, so that it is the
//! same whoever made the schedule.

use std::{collections::BTreeSet, process::Command};

/// Names of all packages this crate needs to be built, itself included.
fn needed() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "milp-show"])
        .args(["-e", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_is_shown_needs_neither_model_nor_solver_nor_replicas() {
    let needed = needed();
    let ours: Vec<&String> = needed.iter().filter(|it| it.starts_with("milp-")).collect();
    assert_eq!(ours, ["milp-schema", "milp-show"]);
    for foreign in ["p256", "highs", "highs-sys", "good_lp", "cmake", "bindgen"] {
        assert!(!needed.contains(foreign), "{foreign} is needed");
    }
}
