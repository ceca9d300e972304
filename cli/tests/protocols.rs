//! `milp protocol`: what it lists, and what it says of files, sound and broken.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::protocol;
use serde_json::Value;
use support::{Scratch, root};

fn document(scratch: &Scratch, arguments: &str) -> Value {
    serde_json::from_str(&scratch.run(&format!("{arguments} --json")).stdout).unwrap()
}

#[test]
fn the_list_has_every_file_of_the_folder() {
    let scratch = Scratch::new();
    let mut files: Vec<String> = std::fs::read_dir(root().join("protocols"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let text = scratch.run("protocol list");
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""), "{text:?}");
    let list = document(&scratch, "protocol list");
    let list = list["result"]["protocols"].as_array().unwrap();
    let mut listed = Vec::new();
    for protocol in list {
        let name = protocol["name"].as_str().unwrap();
        assert_eq!(protocol["shipped"], true, "{name}");
        let page = protocol["page"].as_str().unwrap();
        assert!(root().join(page).is_file(), "{page}");
        let mut lines = text.stdout.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(name));
        assert!(line.unwrap().contains(page), "{name}");
        listed.push(format!("{name}.yaml"));
    }
    listed.sort();
    assert_eq!(listed, files);
}

#[test]
fn every_shipped_file_with_rules_is_sound_and_its_rules_are_printed_with_their_lines() {
    let scratch = Scratch::new();
    assert_eq!(protocol::shipped().len(), 12);
    for definition in protocol::shipped() {
        let (words, rules) = (definition.words, &definition.rules);
        let file = root().join(format!("protocols/{}.yaml", words.name));
        let arguments = format!("protocol check --quick {}", file.display());
        let ran = scratch.run(&arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.stdout.contains("instances may name it"), "{ran:?}");
        let found = document(&scratch, &arguments);
        let says = &found["result"]["says"];
        let names: Vec<&str> = rules.kinds.iter().map(|kind| kind.name.as_str()).collect();
        let said = says["kinds"].as_array().unwrap().iter();
        assert!(said.map(|kind| kind[0].as_str().unwrap()).eq(names));
        assert_eq!(says["timers"], serde_json::json!(rules.timers));
        let said = says["mutants"].as_array().unwrap().iter();
        assert!(
            said.map(|it| it[0].as_str().unwrap())
                .eq(rules.mutants.keys())
        );
        for (rule, said) in rules.rules.iter().zip(says["rules"].as_array().unwrap()) {
            let [lines, text] = [rule.lines.to_string(), rules.text(rule)];
            let line = |it: &str| it.trim().starts_with(&lines) && it.trim().ends_with(&text);
            assert!(ran.stdout.lines().any(line), "{lines} {text}: {ran:?}");
            assert_eq!(*said, serde_json::json!([lines, text]));
        }
    }
}

#[test]
fn of_a_file_of_ones_own_it_says_how_instances_name_it() {
    let scratch = Scratch::new();
    let shipped = &protocol::named("dbft1").unwrap().text;
    scratch.put("mine.yaml", &format!("# Mine.\n{shipped}"));
    let page = std::fs::read_to_string(root().join("docs/protocols/dbft1.md")).unwrap();
    scratch.put("docs/protocols/dbft1.md", &page);
    let ran = scratch.run("protocol check --quick mine.yaml");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let plain = "Instances beside it or above it name its path: `protocol: ./file.yaml`.";
    assert!(ran.stdout.ends_with(&format!("{plain}\n")), "{ran:?}");
    let found = document(&scratch, "protocol check --quick mine.yaml");
    assert_eq!(found["result"]["protocols"][0]["shipped"], false);
    assert_eq!(found["lines"][1], plain);
}

#[test]
fn a_page_and_a_line_that_are_not_there_are_refused_at_their_place() {
    let scratch = Scratch::new();
    assert_eq!(scratch.run("protocol new mine.yaml").code, Some(0));
    let check = || scratch.run("protocol check --quick mine.yaml");
    assert_eq!(check().code, Some(0));
    let text = scratch.text("mine.yaml");
    let place = |part: &str| {
        let mut lines = text.lines().enumerate();
        let (row, line) = lines.find(|it| it.1.contains(part)).unwrap();
        format!("[mine.yaml:{}:{}]", row + 1, line.find(part).unwrap() + 1)
    };
    let page = scratch
        .text("mine.md")
        .replace(" 6      commit to it\n", "");
    scratch.put("mine.md", &page);
    let ran = check();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("`mine.md` has no line 6"), "{ran:?}");
    assert!(ran.stderr.contains(&place("5-6: ")), "{ran:?}");
    std::fs::remove_file(scratch.path("mine.md")).unwrap();
    let ran = check();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("there is no page `mine.md`"), "{ran:?}");
    assert!(ran.stderr.contains(&place("page: ")), "{ran:?}");
}

#[test]
fn a_broken_file_ends_with_2_and_every_problem_at_its_place_with_a_hint() {
    let scratch = Scratch::new();
    let broken = protocol::named("tendermint").unwrap().text.clone();
    let broken = broken.replace("q precommit(v, *)", "z precommit(v, *)");
    let broken = broken.replacen("'#1b7f3b'", "red", 1);
    scratch.put("broken.yaml", &broken);
    let place = |part: &str| {
        let (row, line) = broken
            .lines()
            .enumerate()
            .find(|it| it.1.contains(part))
            .unwrap();
        (row + 1, line.find(part).unwrap() + 1)
    };
    let ran = scratch.run("protocol check --quick broken.yaml");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    let found = document(&scratch, "protocol check --quick broken.yaml");
    assert_eq!(found["exit"], 2);
    assert!(found["result"].is_null());
    let problems = found["error"]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{found:#}");
    for (problem, part) in problems.iter().zip(["red, dash", "z precommit"]) {
        let (line, column) = place(part);
        assert_eq!(
            (&problem["line"], &problem["column"]),
            (&line.into(), &column.into())
        );
        let shown = format!("[broken.yaml:{line}:{column}]");
        assert!(ran.stderr.contains(&shown), "{shown}: {ran:?}");
        let hint = format!("hint: {}", problem["hint"].as_str().unwrap());
        assert!(ran.stderr.contains(&hint), "{hint}: {ran:?}");
    }
}

#[test]
fn a_file_without_rules_is_told_so_and_nothing_that_follows_from_it() {
    let scratch = Scratch::new();
    let file = root().join("protocols/dbft2-nspcc.yaml");
    let found = document(
        &scratch,
        &format!("protocol check --quick {}", file.display()),
    );
    let problems = found["error"]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{found:#}");
    assert_eq!(problems[0]["what"], "the key `rules` is missing");
}
