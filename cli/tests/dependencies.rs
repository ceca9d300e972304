//! Which crate may use which: the replay is an independent check only while it shares nothing
//! with the program but the vocabulary.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

/// Every package with what it needs to build and run, by name; what only its tests need is left
/// out.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("Cargo.toml");
    // Packages for other systems are not on this machine, and the test must not fetch them.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &host()])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect::<BTreeMap<_, _>>();
    list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let needs = list(&node["deps"])
                .iter()
                .filter(|dep| {
                    list(&dep["dep_kinds"])
                        .iter()
                        .any(|kind| kind["kind"] != "dev")
                })
                .map(|dep| names[dep["pkg"].as_str().unwrap()].clone())
                .collect();
            (names[node["id"].as_str().unwrap()].clone(), needs)
        })
        .collect()
}

/// The name of this system, as the compiler has it.
fn host() -> String {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

#[test]
fn crates_depend_in_one_direction() {
    let graph = graph();
    let ours = |name: &str| {
        let needs = graph[name].iter().filter(|need| need.starts_with("milp-"));
        needs.map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(ours("milp-schema"), [""; 0]);
    assert_eq!(ours("milp-model"), ["milp-schema"]);
    assert_eq!(ours("milp-replay"), ["milp-schema"]);
    assert_eq!(ours("milp-malachite"), ["milp-replay", "milp-schema"]);
    assert_eq!(ours("milp-solver"), ["milp-model", "milp-schema"]);
    assert_eq!(ours("milp-show"), ["milp-schema"]);
    assert_eq!(
        ours("milp-whatif"),
        ["milp-replay", "milp-schema", "milp-show"]
    );
    assert_eq!(
        ours("milp-study"),
        [
            "milp-malachite",
            "milp-model",
            "milp-replay",
            "milp-schema",
            "milp-show",
            "milp-solver"
        ]
    );
    assert_eq!(
        ours("milp-published"),
        ["milp-model", "milp-schema", "milp-solver"]
    );
    let knows = |name: &&String| graph[*name].contains("milp-published");
    assert_eq!(graph.keys().find(knows), None);
}

#[test]
fn the_replay_and_the_model_build_without_the_solver_and_without_a_cpp_compiler() {
    let graph = graph();
    for start in ["milp-schema", "milp-replay", "milp-model", "milp-show"] {
        let mut seen = BTreeSet::new();
        let mut next = vec![start];
        while let Some(name) = next.pop() {
            if seen.insert(name) {
                next.extend(graph[name].iter().map(String::as_str));
            }
        }
        assert!(
            seen.len() > 1,
            "{start} needs nothing at all: the graph was not read"
        );
        for solver in ["good_lp", "highs", "highs-sys", "cmake", "cc", "bindgen"] {
            assert!(!seen.contains(solver), "{start} needs {solver}: {seen:?}");
        }
    }
}
