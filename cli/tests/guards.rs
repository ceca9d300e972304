//! Which guard carries what: every rule and guard of a file is asked about by itself.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::protocol;
use serde_json::Value;
use support::{Scratch, root};

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
    let senseless = says("10", "q leave(v-1)");
    assert!(
        senseless.contains("left as soon as it is entered"),
        "{senseless}"
    );
    // Liveness is that of a good view after a bad one.
    let commits = rows.iter().find(|row| row["without"] == "own commit(v, *)");
    assert_eq!(commits.unwrap()["liveness"], "not needed in 1 good view");
    let lived = "No guard alone carries liveness within 1 good view.";
    assert_eq!(found["result"]["story"][1], lived);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// The first two cells of a row of Markdown, whose bars within a cell have a stroke before them.
fn cells(row: &str) -> (String, String) {
    let row = row.replace("\\|", "\u{1}");
    let mut cells = row.split(" | ").map(|cell| cell.trim_start_matches("| "));
    let mut next = || cells.next().unwrap().replace('\u{1}', "|");
    (next(), next())
}

#[test]
fn tables_of_pages_have_the_rules_and_guards_of_the_files() {
    let mut tables = 0;
    for definition in protocol::shipped() {
        let page = root().join(&definition.words.page);
        let name = &definition.words.name;
        // A page that two protocols share has the table of the first.
        if page.file_stem().unwrap() != name.as_str() {
            continue;
        }
        let page = std::fs::read_to_string(page).unwrap();
        let start = "<!-- guards: scripts/guards.py writes it anew -->\n";
        let table = page
            .split_once(start)
            .unwrap_or_else(|| panic!("{name}: no marks"));
        let (table, _) = table.1.split_once("<!-- end of guards -->\n").unwrap();
        tables += 1;
        let rules = &definition.rules;
        let expected = rules.rules.iter().flat_map(|rule| {
            let whole = format!("the rule `{}`", rules.text(rule));
            let guards = rule
                .guards()
                .map(|it| format!("`{}`", rules.guard_text(it)));
            let all: Vec<_> = [whole].into_iter().chain(guards).collect();
            let lines = rule.lines.to_string();
            all.into_iter().map(move |it| (lines.clone(), it))
        });
        let expected: Vec<_> = expected.collect();
        let rows = table.lines().filter(|line| line.starts_with("| "));
        let found: Vec<_> = rows.skip(2).map(cells).collect();
        assert_eq!(found, expected, "{name}: scripts/guards.py {name}");
    }
    assert!(tables >= 12, "{tables}");
}

#[test]
fn a_file_that_is_none_is_refused() {
    let scratch = Scratch::new();
    scratch.put("empty.yaml", "");
    let ran = scratch.run("explain --guards empty.yaml");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("empty.yaml"), "{ran:?}");
}
