//! The replay is the independent check: it depends on the vocabulary only, and on no C++.

use std::{collections::BTreeSet, process::Command};

/// Names of all packages this crate needs to be built, itself included.
fn needed() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "milp-replay"])
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
fn the_replay_shares_nothing_with_the_model_but_the_vocabulary() {
    let ours: Vec<String> = needed()
        .into_iter()
        .filter(|name| name.starts_with("milp-"))
        .collect();
    assert_eq!(ours, ["milp-replay", "milp-schema"]);
}

#[test]
fn the_replay_needs_no_cpp_compiler_and_no_solver() {
    let needed = needed();
    assert!(
        needed.contains("p256"),
        "the list is of this crate: {needed:?}"
    );
    for foreign in ["cc", "cmake", "bindgen", "highs", "highs-sys", "good_lp"] {
        assert!(!needed.contains(foreign), "{foreign} is needed");
    }
}
