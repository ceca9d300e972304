//! No protocol, kind of message or engine is named in Rust code: their words stand in `protocols/`.
//!
//! Where rules and engines of one protocol are written, names belong. Everywhere else a name is a
//! debt: the list says how many each file still has, and none may have more.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use milp_schema::{Kind, Protocol};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

const CRATES: [&str; 8] = [
    "schema",
    "model",
    "solver",
    "replay",
    "malachite",
    "show",
    "study",
    "cli",
];

/// Where the rules of one protocol, its replicas or the adapter of an engine are written.
const AT_HOME: [&str; 6] = [
    "model/src/protocols/",
    "replay/src/protocols/",
    "replay/src/engine/nspcc/",
    "replay/src/engine/sidecar/",
    "replay/src/tla/",
    "malachite/src/",
];

/// The names that other files still have, each with the reason for most of them.
const STILL: &str = include_str!("names.txt");

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// What names a protocol, a kind or an engine in code.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for protocol in Protocol::all() {
        let engines = protocol.engines.iter();
        let mutants = protocol.mutants.keys();
        let words = engines.chain(mutants).chain([&protocol.name]);
        names.extend(words.map(|name| format!("\"{name}\"")));
        let kinds: Vec<&str> = protocol.kinds().map(Kind::name).collect();
        names.extend(kinds.iter().map(|kind| format!("\"{kind}\"")));
        // The names of the enum of own replicas and adapters.
        names.extend(kinds.iter().map(|kind| format!("Name::{kind}")));
    }
    names
}

/// How many of them the code has; comments and what is for tests only do not count.
fn count(text: &str, names: &BTreeSet<String>) -> usize {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let ends = |rest: &str| !rest.starts_with(|it: char| it.is_alphanumeric());
    let of_line = |line: &str| -> usize {
        let of_name = |name: &String| {
            let found = line.match_indices(name.as_str());
            let whole = found.filter(|(at, _)| ends(&line[at + name.len()..]));
            whole.count()
        };
        names.iter().map(of_name).sum()
    };
    code.map(of_line).sum()
}

#[test]
fn names_stand_in_the_files_of_protocols_and_where_they_are_owed_there_are_no_more_of_them() {
    let root = Path::new("..");
    let names = names();
    let mut found = BTreeMap::new();
    for name in CRATES {
        let mut files = Vec::new();
        sources(&root.join(name).join("src"), &mut files);
        for file in files {
            let path = file.strip_prefix(root).unwrap();
            let path = path.to_str().unwrap().replace('\\', "/");
            let number = count(&std::fs::read_to_string(&file).unwrap(), &names);
            if number > 0 && !AT_HOME.iter().any(|home| path.starts_with(home)) {
                found.insert(path, number);
            }
        }
    }
    let lines = STILL.lines().filter(|line| !line.starts_with('#'));
    let still: BTreeMap<String, usize> = lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let path = words.next().unwrap().to_owned();
            (path, words.next().unwrap().parse().unwrap())
        })
        .collect();
    let differs: Vec<String> = found
        .keys()
        .chain(still.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|path| found.get(*path) != still.get(*path))
        .map(|path| {
            let [now, most] = [&found, &still].map(|of| of.get(path).copied().unwrap_or(0));
            format!("{path}: {now} names, {most} in the list")
        })
        .collect();
    assert!(
        differs.is_empty(),
        "ask the vocabulary, or shorten cli/tests/names.txt:\n{}",
        differs.join("\n")
    );
}

#[test]
fn a_name_is_found_in_code_and_not_in_a_comment_or_a_longer_word() {
    let names = names();
    assert_eq!(count("    let kind = Name::Commit;\n", &names), 1);
    assert_eq!(count("    // Name::Commit\n", &names), 0);
    assert_eq!(count("    Name::CommitLock, \"dbft20\"\n", &names), 0);
    assert_eq!(count("    \"dbft2\" => \"nspcc-dbft\",\n", &names), 2);
}
