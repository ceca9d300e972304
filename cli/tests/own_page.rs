//! Pages that are done step by step are done as they stand: their files are put into an empty
//! folder, their commands are run there in their order, and what they show is what is printed.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::{collections::BTreeMap, path::Path};
use support::{Scratch, root};

/// Lines left out of what is shown.
const LEFT_OUT: &str = "…";

/// The code blocks of the page: their language and their lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let parts = page.split("\n```").skip(1).step_by(2);
    let taken_apart = parts.map(|part| {
        let (language, text) = part.split_once('\n').unwrap();
        (language, text.lines().collect())
    });
    taken_apart.collect()
}

/// The file that a difference makes of another one: a line taken away gives its place to those put
/// there, those put after a line follow it, and what is put nowhere comes last.
fn changed(text: &str, difference: &[&str]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut place = None;
    for change in difference {
        let of = |line: &str| {
            let at = lines.iter().position(|it| *it == line);
            at.unwrap_or_else(|| panic!("no line {line}"))
        };
        if let Some(line) = change.strip_prefix("after ") {
            place = Some(of(line) + 1);
            continue;
        }
        let (sign, line) = change.split_at(1);
        if sign == "-" {
            place = Some(of(line));
            lines.remove(place.unwrap());
        } else {
            assert_eq!(sign, "+", "{change}");
            let at = place.unwrap_or(lines.len());
            lines.insert(at, line);
            place = place.map(|at| at + 1);
        }
    }
    lines.join("\n") + "\n"
}

/// What is shown was printed, line by line and in order, but for what is left out.
fn compare(command: &str, shown: &[&str], printed: &str) {
    let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let (mut at, mut gap) = (0, false);
    for line in shown {
        if *line == LEFT_OUT {
            gap = true;
            continue;
        }
        let next = lines[at..].iter().position(|it| it == line);
        let next = next.filter(|skipped| gap || *skipped == 0);
        let next =
            next.unwrap_or_else(|| panic!("milp {command} prints no\n{line}\nin\n{printed}"));
        (at, gap) = (at + next + 1, false);
    }
    assert!(gap || at == lines.len(), "milp {command} prints\n{printed}");
}

#[test]
fn whoever_does_what_the_page_of_protocols_says_sees_what_it_shows() {
    let page = std::fs::read_to_string(root().join("docs/OWN-PROTOCOL.md")).unwrap();
    assert!(page.lines().count() <= 200, "it is meant to be short");
    let runs = done(&page);
    assert!(runs >= 10, "{runs}");
}

#[test]
fn whoever_does_what_the_page_of_engines_says_sees_what_it_shows() {
    let page = std::fs::read_to_string(root().join("docs/OWN-ENGINE.md")).unwrap();
    assert_eq!(done(&page), 3);
}

#[test]
fn whoever_spends_twenty_minutes_sees_what_the_page_shows() {
    let page = std::fs::read_to_string(root().join("docs/TUTORIAL.md")).unwrap();
    assert_eq!(done(&page), 8);
}

/// Does what the page says; how many commands there were.
fn done(page: &str) -> usize {
    let scratch = Scratch::new();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut runs = 0;
    for (language, lines) in blocks(page) {
        match language {
            "yaml" | "python" => {
                let name = lines[0].strip_prefix("# ").unwrap();
                let text = files.entry(name.to_owned()).or_default();
                text.extend(lines[1..].iter().flat_map(|line| [line, "\n"]));
                scratch.put(name, text);
            }
            "diff" => {
                let names = lines[0].strip_prefix("# ").unwrap();
                let names = names.strip_suffix(" with").unwrap();
                let (name, from) = names.split_once(" is ").unwrap_or((names, names));
                scratch.put(name, &changed(&files[from], &lines[1..]));
            }
            "sh" => {
                for (command, shown) in commands(&lines) {
                    run(&scratch, command, shown);
                    runs += 1;
                }
            }
            other => {
                assert_eq!(other, "text");
                let page = format!("```text\n{}\n```\n", lines.join("\n"));
                scratch.put("two-round.md", &page);
            }
        }
    }
    runs
}

/// Runs a command of a page and compares what is shown below it.
fn run(scratch: &Scratch, command: &str, shown: &[&str]) {
    if let Some(files) = command.strip_prefix("cp ") {
        let (from, to) = files.split_once(' ').unwrap();
        let name = Path::new(from).file_name().unwrap();
        std::fs::copy(root().join(from), scratch.path(to).join(name)).unwrap();
        return;
    }
    let command = command.strip_prefix("milp ").unwrap();
    let asked = command.strip_suffix("; echo \"exit $?\"");
    let (command, asks) = (asked.unwrap_or(command), asked.is_some());
    let ran = scratch.run(command);
    let mut printed = ran.stderr + &ran.stdout;
    match ran.code.unwrap() {
        code if asks => printed.extend(["exit ", &code.to_string(), "\n"]),
        code => assert_eq!(code, 0, "milp {command}: {printed}"),
    }
    compare(command, shown, &printed);
}

/// The commands of a block, each with what is shown below it.
fn commands<'a>(lines: &'a [&'a str]) -> Vec<(&'a str, &'a [&'a str])> {
    let starts = (0..lines.len()).filter(|&at| lines[at].starts_with("$ "));
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let command = |at: usize| lines[at].strip_prefix("$ ").unwrap();
    let each = starts.iter().zip(ends);
    each.map(|(&at, end)| (command(at), &lines[at + 1..end]))
        .collect()
}
