//! The digest of every shipped program, line by line in `tests/baseline.ndjson`: whoever moves code
//! and means to change nothing sees here what moved. Their optima are those of `optima.rs`.

mod support;

use milp_published::build;
use serde_json::json;
use std::path::Path;
use support::{canonical, names, shipped};

#[test]
fn what_is_shipped_gives_the_programs_that_it_gave() {
    let line = |name: &String| {
        let built = build(&shipped(name)).expect("it builds");
        let digest = canonical::digest(&built.program);
        let file = format!("published/instances/{name}.yaml");
        json!({"instance": file, "program": digest}).to_string()
    };
    let found: Vec<String> = names().iter().map(line).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline.ndjson");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found.join("\n") + "\n").expect("a file that can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).expect("tests/baseline.ndjson");
    assert_eq!(found, kept.lines().collect::<Vec<_>>());
}
