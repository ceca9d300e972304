//! A protocol that exists only in a folder of this test goes through every command; one line of it
//! changed and one command change the verdict. Its words are those of a stranger.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use serde_json::Value;
use support::{Ran, Scratch};

const PROTOCOL: &str = include_str!("own_protocol/ladder.yaml");

/// The guard that makes it safe, with what stands before it.
const GUARD: &str = "unless last own second_vote(<v, !x), own late(v)";

/// Parts of its words that do something in a page.
const HOSTILE: [&str; 7] = [
    "<script>alert",
    "<img src=x",
    "<u>leader",
    "<b>O",
    "<i>firsts",
    "<i>seconds",
    "<i>ends",
];

fn question(more: &str) -> String {
    format!(
        "format: milp-instance/2.0\nprotocol: ./files/ladder.yaml\nreplicas: 4\n\
         faults: {{kind: byzantine, count: 1}}\nviews: 2\nblocks_per_proposal: 2\nslots: 12\n\
         network: eventual\ngoal: fork\n{more}"
    )
}

/// A scratch folder with the protocol and a question about it.
fn asked(protocol: &str, more: &str) -> Scratch {
    let scratch = Scratch::new();
    scratch.put("instances/files/ladder.yaml", protocol);
    scratch.put("instances/ladder.yaml", &question(more));
    let lines: String = (1..=9).fold(String::new(), |all, line| all + &format!("{line}\n"));
    let page = format!("```text\n{lines}```\n");
    scratch.put("instances/files/<img src=x onerror=alert('page')>", &page);
    scratch
}

fn runs(scratch: &Scratch, arguments: &str, code: i32) -> Ran {
    let ran = scratch.run(arguments);
    assert_eq!(ran.code, Some(code), "milp {arguments}: {ran:?}");
    ran
}

/// Solves the question and replays the answer: what is decided, and whether agreement holds.
fn verdict(scratch: &Scratch) -> (i64, bool) {
    let found = runs(scratch, "solve instances/ladder.yaml --quiet --json", 0);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let replayed = scratch.run("replay out/ladder");
    assert!(replayed.stdout.contains("divergences  0"), "{replayed:?}");
    let follower = "followed by  the interpreter of the file";
    assert!(replayed.stdout.contains(follower), "{replayed:?}");
    let holds = replayed.code == Some(0);
    assert!(holds || replayed.code == Some(12), "{replayed:?}");
    (found["result"]["primal"].as_i64().unwrap(), holds)
}

#[test]
fn a_guard_changed_in_one_line_changes_the_verdict() {
    let scratch = asked(PROTOCOL, "");
    runs(
        &scratch,
        "protocol check --quick instances/files/ladder.yaml",
        0,
    );
    runs(&scratch, "check instances/ladder.yaml", 0);
    assert_eq!(verdict(&scratch), (1, true));

    let edited = PROTOCOL.replacen(GUARD, "unless own late(v)", 1);
    let (mutants, _) = edited.split_once("mutants:").unwrap();
    scratch.put(
        "instances/files/ladder.yaml",
        &format!("{mutants}mutants: {{}}\n"),
    );
    assert_eq!(verdict(&scratch), (2, false));
}

#[test]
fn every_command_takes_it_and_its_file_travels_with_the_result() {
    let scratch = asked(PROTOCOL, "mutant: no-lock\n");
    assert_eq!(verdict(&scratch), (2, false));
    assert_eq!(scratch.text("out/ladder/protocol.yaml"), PROTOCOL);
    let outcome = scratch.text("out/ladder/outcome.yaml");
    let digest = milp_schema::write::sha256_hex(PROTOCOL.as_bytes());
    for said in [
        "protocol: ./protocol.yaml",
        &digest,
        "within 2 epochs",
        "values: '3'",
    ] {
        assert!(outcome.contains(said), "{said}: {outcome}");
    }
    // From here on the file beside the result is the only one.
    scratch.put("instances/files/ladder.yaml", "broken");
    let story = runs(&scratch, "explain out/ladder", 0).stdout;
    assert!(story.contains("enters epoch 1"), "{story}");
    assert!(!story.contains("view"), "{story}");
    runs(&scratch, "verify out/ladder", 10);
    runs(&scratch, "verify out/ladder --resolve", 0);
    runs(&scratch, "replay out/ladder --engine sound", 0);
    // Nobody need be faulty for that.
    let fewest = runs(&scratch, "minimize out/ladder --quiet", 0).stdout;
    let mut rows = fewest
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let nobody = ["faulty", "replicas", "1", "0", "0", "yes"];
    assert!(rows.any(|row| row.starts_with(&nobody)), "{fewest}");
    assert!(
        fewest.contains("proved minimal, in this order:"),
        "{fewest}"
    );
    runs(&scratch, "verify out/ladder-minimal --resolve", 0);

    runs(&scratch, "promote out/ladder --name own/ladder", 0);
    assert_eq!(scratch.text("results/own/ladder/protocol.yaml"), PROTOCOL);
    let kept = scratch.text("results/own/ladder/expected.yaml");
    assert!(kept.contains("- as: sound"), "{kept}");
    runs(&scratch, "regress", 0);
    let weaker = PROTOCOL.replacen("quorum: n - f", "quorum: n - f - 1", 1);
    scratch.put("results/own/ladder/protocol.yaml", &weaker);
    let refused = runs(&scratch, "verify results/own/ladder", 12);
    assert!(refused.stdout.contains("SHA-256"), "{refused:?}");
    runs(&scratch, "regress", 12);
}

/// Two Byzantine replicas of four, in one view.
const WORSE: &str = "format: milp-instance/2.0\nprotocol: ./files/ladder.yaml\nreplicas: 4\n\
     faults: {kind: byzantine, count: 2}\nbeyond_budget: true\nviews: 1\n\
     blocks_per_proposal: 2\nslots: 5\nnetwork: eventual\ngoal: fork\n";

#[test]
fn questions_about_many_schedules_and_about_rules_are_answered_of_it() {
    let scratch = asked(PROTOCOL, "");
    let why = runs(
        &scratch,
        "explain instances/ladder.yaml --why-not 2 --quiet",
        0,
    )
    .stdout;
    assert!(
        why.contains("within 2 epochs and any number of slots"),
        "{why}"
    );
    assert!(why.contains("commit lock [necessary] (ladder "), "{why}");
    scratch.put("instances/worse.yaml", WORSE);
    let two = "solve instances/worse.yaml --k-best 2 --quiet --out best";
    let best = runs(&scratch, two, 0).stdout;
    assert!(best.contains("end in epoch 0"), "{best}");
    runs(&scratch, "verify best/2 --resolve", 0);
    let again = "solve instances/worse.yaml --warm-start best/1 --quiet --out again";
    let again = runs(&scratch, again, 0).stdout;
    assert!(again.contains("started from  2"), "{again}");
    let effort = "pareto instances/worse.yaml --effort byzantine --quiet";
    let effort = runs(&scratch, effort, 0).stdout;
    let mut rows = effort
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let two = ["2", "2", "2", "yes", "yes"];
    assert!(rows.any(|row| row.starts_with(&two)), "{effort}");

    // An engine is asked whether it follows; of one that does not, the first difference is said.
    scratch.put("instances/free.yaml", &question("mutant: no-lock\n"));
    let confirmed = "solve instances/free.yaml --quiet --confirm interpreter --out followed";
    let confirmed = runs(&scratch, confirmed, 0).stdout;
    assert!(
        confirmed.contains("confirmed on ladder-file+no-lock"),
        "{confirmed}"
    );
    let stricter = "solve instances/free.yaml --quiet --confirm sound --out left";
    let stricter = runs(&scratch, stricter, 10).stdout;
    assert!(
        stricter.contains("stopped after 0 cuts: what replica "),
        "{stricter}"
    );
    assert!(stricter.contains("not what is predicted"), "{stricter}");
}

#[test]
fn a_report_and_a_trace_give_it_back_and_its_words_do_nothing_in_them() {
    let scratch = asked(PROTOCOL, "mutant: no-lock\n");
    runs(&scratch, "solve instances/ladder.yaml --quiet", 0);
    let made = "--heal --out page.html";
    runs(&scratch, &format!("report out/ladder {made}"), 0);
    runs(&scratch, "report out/ladder --out page.svg", 0);
    runs(&scratch, "import page.html --out again", 0);
    runs(&scratch, "export out/ladder --itf --out trace.itf.json", 0);
    runs(&scratch, "import trace.itf.json --out traced", 0);
    for from in ["again", "traced"] {
        assert_eq!(scratch.text(&format!("{from}/protocol.yaml")), PROTOCOL);
    }
    runs(&scratch, "verify again", 10);
    runs(
        &scratch,
        "replay traced --instance traced/instance.yaml",
        12,
    );
    for page in ["page.html", "page.svg"] {
        let text = scratch.text(page);
        assert!(text.contains("first-vote"), "{page}");
        for part in HOSTILE {
            assert!(!text.contains(part), "{page}: {part}");
        }
    }
    let page = scratch.text("page.html");
    assert!(page.contains("the interpreter of the file"));
    assert!(page.contains("&lt;script&gt;alert(&#39;says&#39;)"));
}

#[test]
fn kinds_with_awkward_names_stand_in_every_export() {
    let scratch = asked(PROTOCOL, "mutant: no-lock\n");
    runs(&scratch, "solve instances/ladder.yaml --quiet", 0);
    let export = |of: &str| runs(&scratch, &format!("export {of}"), 0).stdout;
    let mermaid = export("out/ladder --mermaid");
    let ends = |line: &str| line.split(' ').any(|word| word == "end");
    assert!(mermaid.contains("(end) h0") && !mermaid.lines().any(ends));
    // A style of a picture for LaTeX is not overwritten by a kind of that name.
    let tikz = export("out/ladder --tikz");
    assert!(tikz.contains("k-late/.style") && tikz.contains("\n  late/.style"));
    assert!(tikz.contains("{second\\_vote}"), "{tikz}");
    for of in ["--lp", "--mps"] {
        let program = export(&format!("instances/ladder.yaml {of}"));
        // A minus sign would be read as one.
        assert!(program.contains("first_vote") && !program.contains("first-vote"));
    }
    for (name, file) in [("choices", "schedule.csv"), ("events", "predictions.csv")] {
        let text = scratch.text(&format!("out/ladder/{file}"));
        let columns = |line: &str| line.split(',').count();
        let header = columns(text.lines().next().unwrap());
        assert!(text.contains("first-vote"), "{name}");
        assert!(text.lines().all(|line| columns(line) == header), "{name}");
    }
    let trace = export("out/ladder --chrome");
    assert!(serde_json::from_str::<Value>(&trace).is_ok());
}

#[test]
fn a_sweep_asks_about_it_and_writes_the_file_beside_every_instance() {
    let scratch = asked(PROTOCOL, "");
    scratch.put(
        "instances/sweep.yaml",
        "format: milp-sweep/2.0\nbase: ladder.yaml\nover:\n  mutant: [~, no-lock]\n",
    );
    let table = runs(&scratch, "sweep instances/sweep.yaml --quiet", 0);
    assert!(table.stdout.contains("2 solved and proved"), "{table:?}");
    for (name, value) in [("mutant-none", 1), ("mutant-no-lock", 2)] {
        let outcome = scratch.text(&format!("out/sweep/results/{name}/outcome.yaml"));
        assert!(outcome.contains(&format!("primal: {value}\n")), "{outcome}");
        let file = format!("out/sweep/instances/{name}.protocol.yaml");
        assert_eq!(scratch.text(&file), PROTOCOL);
    }
    let again = runs(&scratch, "sweep instances/sweep.yaml --quiet", 0);
    assert!(again.stdout.contains("2 solved and proved"), "{again:?}");
}

#[test]
fn a_new_protocol_can_be_asked_about_at_once() {
    let scratch = Scratch::new();
    runs(&scratch, "protocol new mine.yaml", 0);
    let there = runs(&scratch, "protocol new mine.yaml", 2);
    assert!(there.stderr.contains("left alone"), "{there:?}");
    runs(&scratch, "protocol check --quick mine.yaml", 0);
    runs(&scratch, "new question.yaml --protocol ./mine.yaml", 0);
    let asked = scratch.text("question.yaml");
    assert!(asked.contains("\n# mutant: no-lock"), "{asked}");
    for (text, answer) in [
        (asked.clone(), "SAFE: no two blocks"),
        (asked + "mutant: no-lock\n", "FORKS: 2 blocks"),
    ] {
        scratch.put("question.yaml", &text);
        let found = runs(&scratch, "solve question.yaml --quiet", 0);
        assert!(found.stdout.starts_with(answer), "{found:?}");
    }
}
