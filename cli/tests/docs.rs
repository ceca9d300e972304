//! The pages say what is there: commands, options, exit codes, paths, instances and runs.
//!
//! `UPDATE=1` rewrites what is generated: the runs of README.md and the table of
//! docs/REPRODUCE.md.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::verdict::{Holds, Liveness};
use milp_study::{
    every::{self, family},
    expected::{Expected, ExpectedVerdict},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use support::{Scratch, root};

/// Folders that commands make. What is kept in the latter is checked by `milp regress`.
const MADE_BY_RUNNING: [&str; 3] = ["out", "results", "target"];

/// The files of one extension below a folder, ascending.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && !MADE_BY_RUNNING.contains(&name.as_ref()) {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A page, taken apart.
struct Page {
    path: PathBuf,
    /// Lines outside code blocks.
    prose: Vec<String>,
    /// What stands between backticks in them, and the command lines of code blocks.
    code: Vec<String>,
    /// Targets of links.
    links: Vec<String>,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut page = Self {
            path,
            prose: Vec::new(),
            code: Vec::new(),
            links: Vec::new(),
        };
        let mut in_block = false;
        for line in text.lines() {
            if line.starts_with("```") {
                in_block = !in_block;
            } else if in_block {
                page.code.extend(line.strip_prefix("$ ").map(str::to_owned));
            } else {
                page.prose.push(line.to_owned());
                let spans = line.split('`').skip(1).step_by(2);
                page.code.extend(spans.map(str::to_owned));
                let targets = line
                    .split("](")
                    .skip(1)
                    .filter_map(|rest| rest.split_once(')'));
                page.links
                    .extend(targets.map(|(target, _)| target.to_owned()));
            }
        }
        assert!(
            !in_block,
            "{}: a code block has no end",
            page.path.display()
        );
        page
    }

    fn all() -> Vec<Self> {
        let pages = files(root(), "md").into_iter().map(Self::read);
        let pages = pages.collect::<Vec<_>>();
        assert!(pages.len() >= 9, "{}", pages.len());
        pages
    }

    fn commands() -> Self {
        Self::read(root().join("docs/COMMANDS.md"))
    }
}

/// The names that stand first in the lines of a section of a help text.
fn section(help: &str, title: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| !line.starts_with(title));
    let names = lines
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        // Deeper ones go on with a description.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// Every subcommand with every option of its own and of those below it.
fn options() -> BTreeMap<String, BTreeSet<String>> {
    let scratch = Scratch::new();
    let mut commands = section(&scratch.run("--help").stdout, "Commands:");
    assert!(commands.remove("help"));
    let options = |command: &String| {
        let mut help = scratch.run(&format!("{command} --help")).stdout;
        for below in section(&help, "Commands:") {
            help += &scratch.run(&format!("{command} {below} --help")).stdout;
        }
        let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let options = words
            .filter(|word| word.starts_with("--"))
            .map(str::to_owned);
        options.collect()
    };
    commands
        .iter()
        .map(|command| (command.clone(), options(command)))
        .collect()
}

#[test]
fn every_page_has_one_title() {
    // In a summary such a line is the title of a part.
    let pages = Page::all().into_iter();
    for page in pages.filter(|page| !page.path.ends_with("SUMMARY.md")) {
        let titles = page.prose.iter().filter(|line| line.starts_with("# "));
        assert_eq!(titles.count(), 1, "{}", page.path.display());
        assert!(page.prose[0].starts_with("# "), "{}", page.path.display());
    }
}

#[test]
fn every_command_and_option_that_a_page_names_exists_and_one_page_names_every_command() {
    let options = options();
    for page in Page::all() {
        for code in &page.code {
            let at = format!("{}: `{code}`", page.path.display());
            let mut words = code.split_whitespace();
            match words.next() {
                // An option alone: of some command.
                Some(word) if word.starts_with("--") => {
                    let known = options.values().any(|options| options.contains(word));
                    assert!(known, "{at}");
                }
                Some("milp") => {
                    let Some(command) = words.next().filter(|word| !word.starts_with(['-', '<']))
                    else {
                        continue;
                    };
                    let known = options.get(command);
                    let known = known.unwrap_or_else(|| panic!("{at}: no such command"));
                    // A shell goes on behind a semicolon.
                    let own = words.take_while(|word| *word != "echo");
                    for word in own.filter(|word| word.starts_with("--")) {
                        assert!(known.contains(word.trim_end_matches(';')), "{at}: {word}");
                    }
                }
                _ => {}
            }
        }
    }
    let table = Page::commands().prose.join("\n");
    for command in options.keys() {
        assert!(
            table.contains(&format!("`milp {command}")),
            "docs/COMMANDS.md says nothing of milp {command}"
        );
    }
}

#[test]
fn the_page_of_commands_lists_the_exit_codes_as_the_help_does() {
    let help = Scratch::new().run("--help").stdout;
    let codes = section(&help, "Exit codes:");
    assert!(codes.len() > 5, "{codes:?}");
    let prose = Page::commands().prose;
    let rows = prose
        .iter()
        .skip_while(|line| *line != "| code | means |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().trim().to_owned());
    assert_eq!(rows.collect::<BTreeSet<_>>(), codes);
}

/// The path that a word in code means, if it means one: from the root, or from its page.
fn meant(page: &Page, word: &str) -> Option<PathBuf> {
    let word = word.trim_end_matches([',', ';', '.', ':', ')']);
    // A placeholder stands for a name: what is before it must be there.
    let plain = word.split(['<', '*', '{']).next().unwrap();
    let plain = match plain.rsplit_once('/') {
        Some((before, _)) if plain != word => before,
        _ => plain,
    };
    let (first, _) = plain.split_once('/')?;
    if first == ".." {
        return Some(page.path.parent().unwrap().join(plain));
    }
    // `./` is the folder of an instance, not ours.
    let ours = !["", "."].contains(&first) && root().join(first).is_dir();
    (ours && !MADE_BY_RUNNING.contains(&first)).then(|| root().join(plain))
}

#[test]
fn every_path_that_a_page_names_exists() {
    let mut seen = 0;
    for page in Page::all() {
        let words = page.code.iter().flat_map(|code| code.split_whitespace());
        let mut paths = words
            .filter_map(|word| meant(&page, word))
            .collect::<Vec<_>>();
        for link in page.links.iter().filter(|link| !link.starts_with("http")) {
            let file = link.split('#').next().unwrap();
            paths.push(page.path.parent().unwrap().join(file));
        }
        for path in &paths {
            assert!(
                path.exists(),
                "{}: {} is not there",
                page.path.display(),
                path.display()
            );
        }
        seen += paths.len();
    }
    assert!(seen > 50, "only {seen} paths were seen");
}

/// What replicas did, in a few words.
fn words(verdict: &ExpectedVerdict) -> String {
    let properties = [
        ("agreement", verdict.agreement),
        ("finality", verdict.finality),
        ("validity", verdict.validity),
        ("integrity", verdict.integrity),
        ("lock", verdict.lock),
    ];
    let violated = properties
        .iter()
        .filter(|(_, holds)| *holds == Holds::Violated)
        .map(|(name, _)| *name)
        .collect::<Vec<_>>();
    let found = match violated.as_slice() {
        [] => "all hold".to_owned(),
        names => format!("{} violated", names.join(", ")),
    };
    let termination = match verdict.termination {
        Liveness::Decided => "decided",
        Liveness::Stuck => "stuck",
        Liveness::Open => "open",
    };
    format!("{found}; {termination}")
}

/// The row of an instance, from what is kept of it.
fn row(place: &str) -> Option<String> {
    let dir = root().join("results").join(place);
    if !dir.exists() {
        return None;
    }
    if every::is_proof(&dir) {
        let said = every::verify(&dir).unwrap().said;
        return Some(format!(
            "| `instances/{place}.yaml` | {} | `milp verify`: every cube closes | {} |",
            said.sentence, said.cubes
        ));
    }
    let mut outcome = milp_schema::read::outcome(&dir.join("outcome.yaml")).unwrap();
    if family::is_family(&dir) {
        outcome.sentence = family::read(&dir).unwrap().sentence();
    }
    let expected = Expected::read(&dir.join("expected.yaml")).unwrap();
    let mut replays = format!(
        "{}; {} divergences",
        words(&expected.verdict),
        expected
            .verdict
            .divergences
            .expect("own replicas are compared")
    );
    for other in &expected.replays {
        let engine = &other.engine;
        replays = format!("{replays}; `--engine {engine}`: {}", words(&other.verdict));
    }
    Some(format!(
        "| `instances/{place}.yaml` | {} | {replays} | {} |",
        outcome.sentence, outcome.nodes
    ))
}

#[test]
fn every_instance_is_reproduced_and_the_table_says_what_was_kept() {
    const START: &str = "<!-- results -->\n";
    const END: &str = "<!-- end -->";
    let path = root().join("docs/REPRODUCE.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let update = std::env::var_os("UPDATE").is_some();
    let instances = root().join("instances");
    let mut expected = String::from(
        "| instance | what a solve says | what the replay says | nodes |\n|---|---|---|---:|\n",
    );
    for file in files(&instances, "yaml") {
        // A sweep has no result of its own, nor has a protocol beside its instances.
        let text = std::fs::read_to_string(&file).unwrap();
        if !text.contains("\nformat: milp-instance/") {
            continue;
        }
        let place = file.strip_prefix(&instances).unwrap().with_extension("");
        let place = place.to_str().unwrap().to_owned();
        expected += &row(&place).unwrap_or_else(|| panic!("no result of {place} is kept"));
        expected += "\n";
    }
    if update {
        std::fs::write(&path, format!("{before}{START}{expected}{END}{after}")).unwrap();
    } else {
        assert_eq!(table, expected, "{}: UPDATE=1", path.display());
    }
}

/// What is the same on every machine: not the seconds, nor which of the worst schedules it is.
fn lasting(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let noted = line
            .split_once(": ")
            .filter(|(_, rest)| rest.contains(" by replicas "));
        match noted {
            Some((property, _)) => property.to_owned(),
            None if line.starts_with("stuck: ") => "stuck".into(),
            None if line.starts_with("some replica decides: ") => "some replica decides".into(),
            None if line.starts_with(" seconds ") => "seconds".to_owned(),
            None => line.to_owned(),
        }
    });
    lines.collect()
}

#[test]
fn the_runs_on_the_pages_are_what_the_command_prints() {
    let scratch = Scratch::new();
    for file in files(&root().join("instances"), "yaml") {
        let place = file.strip_prefix(root()).unwrap().to_str().unwrap();
        scratch.put(place, &std::fs::read_to_string(&file).unwrap());
    }
    let runs = ["README.md", "docs/RUNS.md"].map(|page| runs(&scratch, page));
    assert!(runs[0] >= 2 && runs[1] >= 5, "{runs:?}");
}

/// Runs what stands on a page and compares; how many runs there were.
fn runs(scratch: &Scratch, page: &str) -> usize {
    let path = root().join(page);
    let page = std::fs::read_to_string(&path).unwrap();
    let mut updated = String::new();
    let mut runs = 0;
    // A run starts at its command and ends at its exit code.
    let mut rest = page.as_str();
    while let Some((before, run)) = rest.split_once("$ milp ") {
        let (arguments, shown) = run.split_once("; echo \"exit $?\"\n").unwrap();
        let end = shown.find("\nexit ").unwrap() + 1;
        let end = end + shown[end..].find('\n').unwrap() + 1;
        let ran = scratch.run(arguments);
        let printed = format!("{}exit {}\n", ran.stdout, ran.code.unwrap());
        updated.extend([
            before,
            "$ milp ",
            arguments,
            "; echo \"exit $?\"\n",
            &printed,
        ]);
        if std::env::var_os("UPDATE").is_none() {
            assert_eq!(
                lasting(&shown[..end]),
                lasting(&printed),
                "milp {arguments}: UPDATE=1"
            );
        }
        rest = &shown[end..];
        runs += 1;
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, updated + rest).unwrap();
    }
    runs
}

/// The question of the first screen is the one that the runs below it ask.
#[test]
fn the_instance_of_the_readme_is_the_one_that_is_solved() {
    let page = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, block) = page.split_once("```yaml\n").unwrap();
    let (block, rest) = block.split_once("```").unwrap();
    let asked = "instances/dbft2/n4-stall-nspcc.yaml";
    assert!(rest.contains(&format!("$ milp solve {asked}")));
    assert!(block.lines().count() <= 10);
    let scratch = Scratch::new();
    let shown = milp_schema::read::instance(&scratch.put("shown.yaml", block)).unwrap();
    let asked = milp_schema::read::instance(&root().join(asked)).unwrap();
    assert_eq!(shown, asked);
}
