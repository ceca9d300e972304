//! Protocol files: what is shipped, what is written is read again, what mutants change, and how the
//! files of strangers are opened.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use milp_schema::{
    Protocol,
    protocol::{self, Definition, Head, Reads, Rules},
    read::{self, Near},
};
use std::{collections::BTreeSet, fs, path::Path};

/// A protocol with every construct: unions, nil and bad values, certificates, the highest of a
/// quorum, proofs, ranges of views, chains, entry in three ways, timers that start and stop.
const EVERYTHING: &str = r#"
format: milp-protocol/2.0
name: everything
title: Everything
page: everything.md
words: {view: view, primary: leader}
primary: h + v
quorum: n - f
counts: {some: f + 1, third: ceil(2n/3)}
messages: copies
engines: []
timers: [round, wait]
chain: true
kinds:
- kind: Done
  says: a decision
  does: {names: any_value, by: any, role: decision, ahead: take, passed: take, sent: rule}
  mark: {letters: D, shape: frame, colour: '#000000', dash: []}
- kind: new-view
  says: what a replica knows
  does: {names: any_value, justified: true, by: any, role: vote, ahead: take, passed: ignore, sent: rule}
  mark: {letters: N, shape: ring, colour: '#000000', dash: []}
- kind: propose
  says: a proposal
  does: {names: any_value, justified: true, by: primary, role: proposal, ahead: hold, passed: take, sent: rule, counts: first}
  mark: {letters: P, shape: square, colour: '#000000', dash: []}
- kind: vote
  says: a vote
  does: {names: any_value, by: any, role: vote, ahead: hold, passed: take, sent: rule}
  mark: {letters: V, shape: circle, colour: '#000000', dash: []}
- kind: answer
  says: a vote of a backup
  does: {names: any_value, by: backup, role: vote, ahead: lose, passed: take, sent: rule}
  mark: {letters: A, shape: circle, colour: '#000000', dash: []}
- kind: leave
  says: a wish
  does: {names: nothing, by: any, role: leave, ahead: take, passed: ignore, sent: timer}
  mark: {letters: L, shape: triangle, colour: '#000000', dash: []}
kept:
- {kind: lock, says: what was voted for last, names: any_value, justified: true}
rules:
- 1: "new-view(v, -, -) <- v > 0 unless own lock(<v, *, *)"
- 2: "new-view(v, x, c) <- last own lock(c, x, *) unless own lock(>c, *, *)"
- 3: "propose(v, x, -) <- v = 0"
- 4: "propose(v, x, c) <- c < v, q new-view(v, *, <=c), 1 new-view(v, x, c), q vote(c, x)"
- 5-6: "vote(v, x) <- primary propose(v, x, -), proof q new-view(v, *, -) unless last own vote(<v, !x)"
- 7: "vote(v, x) <- primary propose(v, x, c), proof q new-view(v, *, <=c), each q leave(>c) unless own lock(>=c, !x, +)"
- 8: "vote(v, nil) <- timer wait"
- 9: "vote(v, nil) <- primary propose(v, bad, *), some leave(v) unless own leave(v)"
- 10: "answer(v, x) <- own vote(v, x), 2 new-view(v-1, x, v-2)"
- 11: "answer(v, nil) <- may, own vote(v, nil)"
- 12-13,15: "lock(v, x, c) <- third vote|answer(v, x), primary propose(v, x, c)"
- 14: "lock(v, x, v-1) <- c < v-1, d < v-2, 1 propose(v-1, x, c), 1 propose(v, x, d), own vote(<=v, x)"
- 16: "Done(v, x) <- height, q vote(v, x)"
- 17: "Done(v, x) <- 1 Done(*, x)"
- 18: "leave(v) <- backup, timer round"
- 18: "leave(v) <- primary, timer round, own propose(v, *, *)"
- 19: "timer round for T + v*T + 2*2^v*T"
- 20: "timer wait for 0 <- own propose(<=v, *, >c), own propose(<=v, *, c), own lock(v, *, >=c)"
- 21: "stop round <- own vote(v, *)"
- 22: "enter(v) <- q leave(>=v-1)"
- 22: "enter(v) <- timer wait, own answer(v-1, *) unless own leave(v-1)"
- 23: "skip(v) <- some *(>=v)"
mutants:
  loose: {says: a smaller count, counts: {some: f}}
  edited:
    says: other guards
    only: ["7"]
    drop: ["each q leave(>c)"]
    replace: {"own lock(>=c, !x, +)": "own lock(>=c, !x, *)"}
  fewer: {says: no rule 23, without: ["23"]}
"#;

fn everything() -> Definition {
    protocol::read_text("everything.yaml", EVERYTHING.trim_start())
        .unwrap_or_else(|it| panic!("{it}"))
}

/// The texts of rules in a file, in its order.
fn written(text: &str) -> Vec<String> {
    let rules = text.split("\nrules:\n").nth(1).unwrap();
    let lines = rules
        .lines()
        .take_while(|line| line.starts_with(['-', '#']));
    lines
        .filter_map(|line| {
            line.split_once(": ")?
                .1
                .strip_prefix('"')?
                .strip_suffix('"')
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_rule_is_printed_as_it_is_written_and_read_again_as_the_same() {
    let mut all: Vec<Definition> = protocol::shipped().to_vec();
    all.push(everything());
    for definition in all {
        let rules = &definition.rules;
        let printed: Vec<String> = rules.rules.iter().map(|rule| rules.text(rule)).collect();
        assert_eq!(printed, written(&definition.text), "{}", definition.words);
        let again = protocol::read_text("again", &definition.text).unwrap();
        assert_eq!(again.rules, *rules);
    }
}

#[test]
fn spelling_does_not_matter_to_what_is_read() {
    let other = EVERYTHING
        .replace("height, q vote(v, x)", "height,q   vote( v ,x )")
        .replace("vote|answer(v, x)", "answer|vote(v,x)")
        .replace("some *(>=v)", "some *(>= v - 0)")
        .replace(
            "\"enter(v) <- q leave(>=v-1)\"",
            "'enter(v) <- q leave(>= v - 1)'",
        )
        .replace("own lock(<v, *, *)", "own lock(<v)");
    let other = protocol::read_text("other", other.trim_start()).unwrap();
    assert_eq!(other.rules, everything().rules);
}

/// The numbers at the beginning of lines in the page's pseudo-code.
fn numbered(page: &str) -> BTreeSet<u32> {
    let code = page
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let number = |line: &str| line.split_whitespace().next()?.parse().ok();
    code.lines().filter_map(number).collect()
}

#[test]
fn rules_name_lines_of_their_page_and_leave_none_out_but_the_ends_of_heights() {
    for definition in protocol::shipped() {
        let page = Path::new("..").join(&definition.words.page);
        let page = numbered(&fs::read_to_string(page).unwrap());
        let rules = definition.rules.rules.iter();
        let ranges = rules.flat_map(|rule| rule.lines.ranges.clone());
        let named: BTreeSet<u32> = ranges.flat_map(|(first, last)| first..=last).collect();
        let unknown: Vec<_> = named.difference(&page).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", definition.words);
        let left: Vec<u32> = page.difference(&named).copied().collect();
        let expected: Vec<u32> = match definition.words.name.as_str() {
            "tendermint" | "tendermint-malachite" => (1..=13).chain(52..=54).collect(),
            "ibft1" => vec![],
            "hotstuff-complaints" => vec![116, 117],
            _ => vec![1],
        };
        assert_eq!(left, expected, "{}", definition.words);
    }
}

#[test]
fn rules_on_the_page_of_the_language_are_rules_of_a_shipped_file() {
    let page = fs::read_to_string("../docs/LANGUAGE.md").unwrap();
    let text = &protocol::named("tendermint").unwrap().text;
    let rules = page
        .lines()
        .filter(|line| line.starts_with("- ") && line.contains(": \""));
    let differ: Vec<&str> = rules.filter(|rule| !text.contains(rule)).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

#[test]
fn shipped_files_have_one_decision_and_their_mutants_change_rules_or_counts() {
    for definition in protocol::shipped() {
        let rules = &definition.rules;
        assert!(definition.is_shipped());
        let listed = Protocol::named(&definition.words.name);
        assert!(listed.is_none_or(|listed| listed == definition.words));
        assert_eq!(definition.digest().len(), 64);
        assert!(rules.kind(rules.final_kind()).is_final);
        for name in rules.mutants.keys() {
            let mutant = rules.with(name).unwrap();
            assert_ne!(
                (&mutant.rules, &mutant.counts),
                (&rules.rules, &rules.counts),
                "{name}"
            );
        }
        assert_eq!(rules.with("nobody"), None);
    }
}

fn texts(rules: &Rules) -> Vec<String> {
    rules.rules.iter().map(|rule| rules.text(rule)).collect()
}

#[test]
fn mutants_take_guards_and_rules_away_and_replace_them_where_they_say() {
    let rules = everything().rules;
    let edited = rules.with("edited").unwrap();
    let differ: Vec<String> = texts(&edited)
        .into_iter()
        .filter(|text| !texts(&rules).contains(text))
        .collect();
    assert_eq!(
        differ,
        [
            "vote(v, x) <- primary propose(v, x, c), proof q new-view(v, *, <=c) unless own \
             lock(>=c, !x, *)"
        ]
    );
    let fewer = rules.with("fewer").unwrap();
    assert_eq!(fewer.rules.len() + 1, rules.rules.len());
    assert!(fewer.rules.iter().all(|rule| rule.head != Head::Skip));
    assert_eq!(rules.with("loose").unwrap().counts["some"].of(4, 1), 1);
    assert_eq!(rules.counts["some"].of(4, 1), 2);
    assert_eq!(rules.counts["third"].of(5, 1), 4);
    let lasts = rules.rules.iter().find_map(|rule| match rule.head {
        Head::Arm { lasts, .. } => lasts,
        _ => None,
    });
    let lasts = [0, 1, 2].map(|view| lasts.unwrap().of(milp_schema::View(view)));
    assert_eq!(lasts, [3, 6, 11]);
}

#[test]
fn counts_of_guards_are_formulas() {
    for definition in protocol::shipped() {
        let rules = &definition.rules;
        let guards = rules.rules.iter().flat_map(|rule| rule.when.clone());
        for guard in guards {
            if let Reads::Senders(number) = &guard.reads {
                assert!(rules.count(number).of(4, 1) >= 1);
            }
        }
    }
}

/// A file with kinds `name: fields` and rules; fields are `x` and `c`, `primary` who makes it.
fn file(kinds: &[&str], rules: &[&str]) -> String {
    let kind = |kind: &&str| {
        let (name, fields) = kind.split_once(':').unwrap();
        let names = ["nothing", "any_value"][usize::from(fields.contains('x'))];
        let by = ["any", "primary"][usize::from(fields.contains("primary"))];
        let justified = fields.contains('c');
        format!(
            "- kind: {name}\n  says: a message\n  does: {{names: {names}, justified: {justified}, by: {by}, \
             role: vote, ahead: hold, passed: take, sent: rule}}\n  \
             mark: {{letters: M, shape: circle, colour: '#000000', dash: []}}\n"
        )
    };
    let kinds = kinds.iter().map(kind).collect::<Vec<_>>().concat();
    let rules = rules.iter().map(|rule| format!("- 1: \"{rule}\"\n"));
    let rules = rules.collect::<Vec<_>>().concat();
    let start = &EVERYTHING.trim_start()[..EVERYTHING.find("timers:").unwrap() - 1];
    format!(
        "{start}timers: [round]\nkinds:\n{kinds}kept:\n- {{kind: decide, says: it, names: any_value, \
         final: true}}\nmutants: {{}}\nrules:\n- 1: \"timer round\"\n{rules}"
    )
}

#[test]
fn rule_lists_of_published_protocols_are_taken() {
    let qbft = file(
        &[
            "preprepare: x c primary",
            "prepare: x",
            "commit: x",
            "round_change: x c",
        ],
        &[
            "enter(v) <- timer round",
            "skip(v) <- some round_change(v, *, *)",
            "round_change(v, -, -) <- v > 0 unless own commit(<v, *)",
            "round_change(v, x, c) <- own commit(c, x) unless own commit(>c, *)",
            "preprepare(v, x, -) <- v = 0",
            "preprepare(v, x, -) <- v > 0, q round_change(v, *, -)",
            "preprepare(v, x, c) <- q round_change(v, *, <=c), 1 round_change(v, x, c), q prepare(c, x)",
            "prepare(v, x) <- v = 0, primary preprepare(v, x, -)",
            "prepare(v, x) <- v > 0, primary preprepare(v, x, -), proof q round_change(v, *, -)",
            "prepare(v, x) <- primary preprepare(v, x, c), proof q round_change(v, *, <=c), \
             proof 1 round_change(v, x, c), proof q prepare(c, x)",
            "commit(v, x) <- q prepare(v, x)",
            "decide(v, x) <- q commit(v, x)",
        ],
    );
    let hotstuff = file(
        &[
            "newview: x c",
            "propose: x c primary",
            "vote1: x",
            "vote2: x",
            "vote3: x",
        ],
        &[
            "enter(v) <- timer round",
            "newview(v, -, -) unless own vote2(<v, *)",
            "newview(v, x, c) <- own vote2(c, x) unless own vote2(>c, *)",
            "propose(v, x, -) <- q newview(v, *, -)",
            "propose(v, x, c) <- q newview(v, *, <=c), 1 newview(v, x, c), q vote1(c, x)",
            "vote1(v, x) <- primary propose(v, x, -) unless last own vote3(<v, !x)",
            "vote1(v, x) <- primary propose(v, x, c), q vote1(c, x) unless last own vote3(>=c, !x)",
            "vote2(v, x) <- q vote1(v, x)",
            "vote3(v, x) <- q vote2(v, x)",
            "decide(v, x) <- q vote3(v, x)",
        ],
    );
    let dummies = file(
        &["propose: x c primary", "vote: x c", "dummy:"],
        &[
            "propose(v, x, -) <- v = 0",
            "propose(v, x, c) <- q vote(c, x, *), each q dummy(>c)",
            "vote(v, x, c) <- primary propose(v, x, c), q vote(c, x, *), each q dummy(>c) unless own dummy(v)",
            "vote(v, x, -) <- v = 0, primary propose(v, x, -) unless own dummy(v)",
            "dummy(v) <- timer round unless own vote(v, *, *)",
            "enter(v) <- q vote(v-1, x, *)",
            "enter(v) <- q dummy(v-1)",
            "decide(v, x) <- height, q vote(v, x, *) unless own dummy(v)",
        ],
    );
    for text in [qbft, hotstuff, dummies] {
        protocol::read_text("file", &text).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// A folder with an instance's place, a file inside, one outside and links.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = EVERYTHING.trim_start();
    fs::create_dir_all(folder.path().join("in/below")).unwrap();
    for name in ["in/mine.yaml", "in/below/mine.yaml", "out.yaml"] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("in/large.yaml"), "#".repeat(1_000_001)).unwrap();
    folder
}

#[test]
fn a_file_is_read_below_the_folder_of_the_instance_and_nowhere_else() {
    let folder = folder();
    let inside = folder.path().join("in");
    for name in ["./mine.yaml", "./below/mine.yaml"] {
        let found = protocol::beside(&inside, name).unwrap_or_else(|it| panic!("{it}"));
        assert_eq!(found.name, "everything");
        assert_eq!(found.reference(), "./protocol.yaml");
        assert!(!found.definition().expect("it has rules").is_shipped());
        assert_eq!(protocol::beside(&inside, name), Ok(found), "read once");
    }
    let absolute = folder.path().join("out.yaml").display().to_string();
    for (name, why) in [
        ("../out.yaml", "no path below"),
        ("./../out.yaml", "no path below"),
        ("./below/../../out.yaml", "no path below"),
        (absolute.as_str(), "no path below"),
        ("mine.yaml", "no path below"),
        ("./<script>.yaml", "cannot read the file"),
        ("./below", "it is a folder"),
        ("./large.yaml", "at most 1000000"),
    ] {
        let refused = protocol::beside(&inside, name).unwrap_err().to_string();
        assert!(refused.contains(why), "{name}: {refused}");
    }
}

#[test]
fn a_file_has_a_name_of_its_own_unless_it_is_the_shipped_one_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = protocol::named("ibft1").expect("it is shipped");
    let same = folder.path().join("same.yaml");
    fs::write(&same, &shipped.text).unwrap();
    fs::write(
        folder.path().join("other.yaml"),
        format!("# changed\n{}", shipped.text),
    )
    .unwrap();
    assert_eq!(
        protocol::beside(folder.path(), "./same.yaml"),
        Ok(shipped.words)
    );
    let refused = protocol::beside(folder.path(), "./other.yaml")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("give yours another `name`"), "{refused}");

    let text = shipped.text.replace("name: ibft1", "name: mine");
    fs::write(folder.path().join("mine.yaml"), text).unwrap();
    let file = folder.path().join("question.yaml");
    let question = "format: milp-instance/2.0\nprotocol: ./mine.yaml\nreplicas: 5\nviews: 2\n\
                    slots: 9\ngoal: fork\nmutant: no-lock\n";
    fs::write(&file, question).unwrap();
    let instance = milp_schema::read::instance(&file).unwrap_or_else(|it| panic!("{it}"));
    assert_eq!(instance.protocol.name, "mine");
    assert_eq!(instance.rules(), shipped.rules.with("no-lock"));
    let written = milp_schema::write::instance_yaml(&instance);
    assert!(written.contains("protocol: ./protocol.yaml"), "{written}");
    let beside = folder.path().join(protocol::WRITTEN);
    fs::write(
        beside,
        instance.protocol.given().expect("it is not shipped"),
    )
    .unwrap();
    fs::write(&file, &written).unwrap();
    assert_eq!(milp_schema::read::instance(&file), Ok(instance.clone()));
    let near = |near| read::instance_near("a text", &written, near);
    let text = instance.protocol.given();
    assert_eq!(near(Near::text(text)), Ok(instance.clone()));
    assert_eq!(near(Near::Result(folder.path())), Ok(instance));
    assert!(near(Near::Nothing).is_err());
    let other = written.replace("./protocol.yaml", "./mine.yaml");
    for beside in [Near::text(text), Near::Result(folder.path())] {
        let refused = read::instance_near("a text", &other, beside).unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("not the file that lies beside"),
            "{refused}"
        );
    }
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_and_what_is_no_file_are_refused() {
    use std::os::unix::fs::symlink;

    let folder = folder();
    let inside = folder.path().join("in");
    symlink("../out.yaml", inside.join("link.yaml")).unwrap();
    symlink("..", inside.join("up")).unwrap();
    symlink("below/mine.yaml", inside.join("own.yaml")).unwrap();
    symlink("/dev/zero", inside.join("zero.yaml")).unwrap();
    for name in ["./link.yaml", "./up/out.yaml", "./zero.yaml"] {
        let refused = protocol::beside(&inside, name).unwrap_err().to_string();
        assert!(
            refused.contains("a link out of the folder"),
            "{name}: {refused}"
        );
    }
    assert!(protocol::beside(&inside, "./own.yaml").is_ok());
}
