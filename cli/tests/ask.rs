//! One question in one line, and what ends it.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::Command,
    time::Duration,
};
use support::{SMALL, Scratch, root};

#[test]
fn the_verdict_comes_first_and_the_code_says_the_same() {
    let scratch = Scratch::new();
    let cases = [
        // (question, code, first line, further words)
        (
            "--protocol dbft2-nspcc --n 5 --faults crash:1",
            12,
            "STALLS: no block of height 0 can be decided any more; no two blocks",
            [
                "1 crashed replica",
                "timer request",
                "milp report out/ask/dbft2-nspcc-n5-crash1-v2/stall-fewer",
            ],
        ),
        (
            "--protocol dbft1 --faults none",
            12,
            "FORKS: 2 blocks can be decided at one height",
            [
                "no faulty replica",
                "timer request",
                "milp minimize out/ask/",
            ],
        ),
        (
            "--protocol pbft --faults none --views 1",
            0,
            "SAFE: no two blocks can be decided at one height; nobody comes to rest",
            ["SAFE", "known", "milp verify out/ask/"],
        ),
        (
            "--protocol tendermint --faults crash:1 --views 1",
            10,
            "NOT SETTLED: ",
            [
                "not asked",
                "views never end",
                "out/ask/tendermint-n4-crash1-v1/fork",
            ],
        ),
    ];
    for (question, code, first, words) in cases {
        let ran = scratch.run(&format!("ask {question}"));
        assert_eq!(ran.code, Some(code), "{question}: {ran:?}");
        assert!(ran.stdout.starts_with(first), "{question}: {ran:?}");
        for word in words {
            assert!(ran.stdout.contains(word), "{question}, {word}: {ran:?}");
        }
    }
    for schedule in ["stall", "stall-fewer"] {
        let at = format!("out/ask/dbft2-nspcc-n5-crash1-v2/{schedule}");
        let replayed = scratch.run(&format!("replay {at}"));
        assert!(replayed.stdout.contains("stuck"), "{replayed:?}");
        assert!(replayed.stdout.contains("divergences  0"), "{replayed:?}");
    }
}

#[test]
fn a_goal_that_is_set_is_the_only_question() {
    let scratch = Scratch::new();
    for goal in ["fork", "stall"] {
        let ran = scratch.run(&format!(
            "ask --protocol dbft1 --faults none --views 1 --set goal={goal} --quiet"
        ));
        let asked = ran.stdout.lines().filter(|it| it.starts_with(" asked "));
        assert_eq!(asked.count(), 1, "{goal}: {ran:?}");
        let folder = format!("out/ask/dbft1-n4-v1/{goal}");
        assert!(ran.stdout.contains(&folder), "{goal}: {ran:?}");
    }
}

/// Where good views pass, it is asked whether they do so with gossip, too.
#[test]
fn what_gossip_changes_is_said_where_good_views_pass() {
    let scratch = Scratch::new();
    for (question, words) in [
        (
            "--protocol hotstuff",
            "with gossip after 1 bad view the first good view decides",
        ),
        (
            "--protocol tendermint --faults none",
            "NOT SETTLED: with gossip after 1 bad round 2 good rounds can pass",
        ),
    ] {
        let ran = scratch.run(&format!("ask {question} --out asked --quiet"));
        assert_eq!(ran.code, Some(10), "{ran:?}");
        assert!(
            ran.stdout.starts_with("NOT SETTLED: after 1 bad"),
            "{ran:?}"
        );
        assert!(ran.stdout.contains(words), "{ran:?}");
        assert!(ran.stdout.contains("milp report asked/wasted"), "{ran:?}");
        let first = ran.stdout.lines().next().unwrap_or_default();
        assert_eq!(
            first.contains("with gossip"),
            question.ends_with("hotstuff")
        );
        let outcome = scratch.text("asked/wasted-gossip/outcome.yaml");
        assert!(outcome.contains("gossip: true"), "{outcome}");
    }
}

/// The stall that a search finds at seven replicas has 153 acts, and next to none of them is needed.
#[test]
fn what_seven_replicas_of_the_production_engine_stop_for_is_named_at_once_and_always_the_same() {
    let scratch = Scratch::new();
    let file = root().join("instances/dbft2/n7-stall-nspcc.yaml");
    scratch.put("seven.yaml", &std::fs::read_to_string(file).unwrap());
    let files = ["schedule.csv", "predictions.csv"].map(|it| format!("out/ask/seven-fewer/{it}"));
    let said = || {
        let ran = scratch.run("ask seven.yaml --quiet --time-limit 60");
        assert_eq!(ran.code, Some(12), "{ran:?}");
        let line = |start: &str| {
            let mut lines = ran.stdout.lines();
            let line = lines.find(|line| line.starts_with(start));
            line.unwrap_or_default().to_owned()
        };
        (
            line(" the adversary needs"),
            files.clone().map(|it| scratch.text(&it)),
        )
    };
    let (needs, tables) = said();
    let needs = needs.split('(').next().unwrap();
    let words = needs.split(' ');
    let acts: u32 = words.filter_map(|word| word.parse::<u32>().ok()).sum();
    assert!(needs.contains("no faulty replica"), "{needs}");
    assert!((1..=20).contains(&acts), "{needs}");
    assert_eq!(said().1, tables);
    let replayed = scratch.run("replay out/ask/seven-fewer");
    assert!(replayed.stdout.contains("stuck"), "{replayed:?}");
    assert!(replayed.stdout.contains("divergences  0"), "{replayed:?}");
}

#[test]
fn what_is_expected_decides_the_code_and_values_are_set_by_their_keys() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    for (arguments, code, words) in [
        (
            "solve small.yaml --quiet --expect fork<=1",
            0,
            "SAFE: no two blocks",
        ),
        (
            "solve small.yaml --quiet --expect fork>=2",
            12,
            "SAFE: no two blocks",
        ),
        (
            "solve small.yaml --quiet --expect stall>=1",
            2,
            "about no goal",
        ),
        ("solve small.yaml --quiet --expect fork", 2, "say fork<=1"),
        ("ask small.yaml --expect fork<=1", 0, "SAFE: "),
        (
            "ask small.yaml --expect fork=2",
            12,
            "expected fork=2: NOT SO",
        ),
        (
            "ask small.yaml --set protocol=dbft1 --set views=2 --set slots=12",
            12,
            "FORKS: 2",
        ),
        (
            "check small.yaml --set faults.0.kind=crash --set faults.0.count=1",
            0,
            "is valid",
        ),
        (
            "check small.yaml --set replicsa=7",
            2,
            "did you mean `replicas`",
        ),
        ("check small.yaml --set replicas=x", 2, "--set replicas=x"),
        ("check small.yaml --set replicas", 2, "KEY=VALUE"),
        ("ask", 2, "--protocol"),
        (
            "ask small.yaml --set goal=views",
            2,
            "neither safe nor broken",
        ),
        ("ask small.yaml --protocol dbft2", 2, "--protocol"),
        ("ask --protocol dbft2 --faults odd:1", 2, "byzantine:1"),
    ] {
        let ran = scratch.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments}: {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(said.contains(words), "{arguments}: {ran:?}");
    }
}

#[test]
fn watching_answers_on_every_save_and_waits_out_what_is_wrong() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let mut milp = scratch.command("ask small.yaml --watch --quiet");
    let mut milp = milp.spawn().unwrap();
    let mut out = BufReader::new(milp.stdout.take().unwrap()).lines();
    let mut error = BufReader::new(milp.stderr.take().unwrap()).lines();
    let mut first = || {
        out.by_ref()
            .map(Result::unwrap)
            .find(|line| line.starts_with("SAFE"))
    };
    let mut watching = || {
        let mut lines = error.by_ref().map(Result::unwrap);
        let mut said = Vec::new();
        for line in &mut lines {
            let over = line.contains("watching small.yaml");
            said.push(line);
            if over {
                break;
            }
        }
        std::thread::sleep(Duration::from_millis(200));
        said.join("\n")
    };
    assert!(first().is_some());
    watching();
    scratch.put("small.yaml", &SMALL.replace("goal: fork", "goal: fame"));
    // A file that is read while it is written may be wrong in another way first.
    assert!((0..5).any(|_| watching().contains("fame")));
    scratch.put("small.yaml", &SMALL.replace("slots: 6", "slots: 7"));
    assert!(first().is_some());
    watching();
    let id = milp.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert_eq!(milp.wait().unwrap().code(), Some(0));
}
