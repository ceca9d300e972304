//! Which guard carries what: every rule and guard of a file is asked about by itself.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use serde_json::Value;
use support::Scratch;

#[test]
fn guards_that_agreement_rests_on_are_named() {
    let scratch = Scratch::new();
    assert_eq!(scratch.run("protocol new mine.yaml").code, Some(0));
    let ran = scratch.run("explain --guards mine.yaml --views 2 --quiet --json");
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    let rows = found["tables"][0].as_array().unwrap();
    let says = |lines: &str, without: &str| {
        let of = |row: &&Value| row["lines"] == lines && row["without"] == without;
        let row = rows.iter().find(of).unwrap();
        row["agreement"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        says("5-6", "own leave(v)"),
        "needed from 2 views on: 2 blocks"
    );
    assert_eq!(
        says("8-9", "own commit(v, *)"),
        "needed from 2 views on: 2 blocks"
    );
    assert_eq!(says("3-4", "own leave(v)"), "not needed in 2 views");
    let senseless = says("3-4", "primary propose(v, x)");
    assert!(senseless.starts_with("no rules without it"), "{senseless}");
    let carried =
        "Agreement rests within 2 views on `own leave(v)` of 5-6, `own commit(v, *)` of 8-9.";
    assert_eq!(found["result"]["story"][0], carried);
    // One guard leads out of every view at once: of that nothing is said.
    assert!(says("10", "q leave(v-1)").starts_with("open"));
    assert_eq!(ran.code, Some(10), "{ran:?}");
}

#[test]
fn a_file_that_is_none_is_refused() {
    let scratch = Scratch::new();
    scratch.put("empty.yaml", "");
    let ran = scratch.run("explain --guards empty.yaml");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("empty.yaml"), "{ran:?}");
}
