//! Which rules stand in the way, on instances small enough to know the answer.

mod support;

use milp_model::{
    formulation::{levels, timed},
    group::Group,
    program::{FamilyId, Program, Tag},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Formulation, Goal, Network, Timers},
    outcome::Termination,
};
use milp_solver::{Settings, Solved};
use milp_study::why::{
    self, How, Necessity, WhyNot, necessity, necessity_words, why_not, why_not_words,
};
use std::{collections::BTreeSet, path::Path, sync::atomic::AtomicBool};
use support::{any, instance, production, representatives, short};

/// Ends by nodes, many more than any of these programs takes.
fn proving() -> Settings {
    Settings {
        prove: true,
        ..short(20_000)
    }
}

fn solve(program: &Program) -> Solved {
    milp_solver::solve(
        program,
        &short(20_000),
        &AtomicBool::new(false),
        &mut |_| (),
    )
    .expect("it solves")
}

fn asked(question: &Instance, value: Option<i64>) -> WhyNot {
    let settings = proving();
    let how = How {
        settings: &settings,
        interrupt: &AtomicBool::new(false),
    };
    why_not(question, value, how, &mut |_| ()).expect("it solves")
}

/// Two blocks with nobody faulty. A second view needs seven slots: propose, respond, commit, enter
/// and propose, respond, commit, decide. With six of them the lock would not be needed.
fn two_views() -> Instance {
    instance("dbft2", 2, 7, Goal::Fork)
}

#[test]
fn every_legal_and_budget_family_is_part_of_one_rule_or_of_the_goal() {
    let mut faulty = instance("dbft2", 2, 7, Goal::Fork);
    faulty.faults = vec![any(FaultKind::Byzantine, 1), any(FaultKind::Crash, 1)];
    for question in [
        instance("dbft1", 2, 6, Goal::Fork),
        faulty,
        production(2, 7),
    ] {
        let program = timed::of(&question).expect("timed supports it").program;
        let named = why::present(&program);
        let rows: usize = named.iter().map(|rule| rule.rows).sum();
        let ruled = program.rows.iter().filter(|row| {
            let family = program.family(row);
            matches!(family.tag, Tag::Legal | Tag::Budget)
                && !family.name.starts_with("final_state_")
        });
        assert_eq!(rows, ruled.count());
        for rule in &named {
            let weaker = why::without(&program, &[rule.group]);
            let mut left = weaker.rows.iter().map(|row| weaker.family(row));
            assert!(left.all(|family| family.group != Some(rule.group)));
            let lost = program.rows.len() - weaker.rows.len();
            assert!(lost >= rule.rows, "{}", rule.group.name);
        }
    }
    for group in Group::ALL {
        assert!(group.purpose.len() > 20 && !group.purpose.ends_with('.'));
    }
}

/// UPDATE=1 writes the text anew.
#[test]
fn the_lock_and_the_quorum_of_commits_are_why_dbft2_does_not_fork_by_delays() {
    let question = two_views();
    assert_eq!(asked(&question, Some(1)).possible, Some(true));
    let answer = asked(&question, Some(2));
    assert_eq!(answer.possible, Some(false));
    assert!(answer.proved && answer.smallest, "{answer:?}");
    let needed = |name: &str| {
        let mut needed = answer.needed.iter();
        needed.find(|needed| needed.rule.group.name == name)
    };
    for name in ["commit lock", "quorum size, commits"] {
        assert!(needed(name).is_some_and(|rule| rule.always), "{name}");
    }
    assert!(needed("prompt reactions").is_none());
    let mut words = why_not_words(&question, &answer);
    // How many nodes it took is the solver's affair.
    assert!(words.pop().is_some_and(|line| line.starts_with("Rests on")));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/why-not-dbft2-n4-fork.txt");
    let text = words.join("\n") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).expect("it can be written");
    }
    let golden = std::fs::read_to_string(&file).expect("the text");
    assert_eq!(text, golden);
}

#[test]
fn without_the_lock_the_adversary_reaches_two_blocks() {
    let mutant = Instance {
        mutant: Some("no-commit-lock".into()),
        ..two_views()
    };
    let answer = asked(&mutant, Some(2));
    assert_eq!(answer.possible, Some(true));
    let words = why_not_words(&mutant, &answer);
    assert_eq!(words.len(), 1);
    assert!(words[0].starts_with("The adversary can reach 2 blocks at one height, with"));
}

#[test]
fn the_table_names_the_lock_and_the_quorum_size_and_says_what_every_rule_is_for() {
    let question = two_views();
    let settings = proving();
    let how = How {
        settings: &settings,
        interrupt: &AtomicBool::new(false),
    };
    let table = necessity(&question, how, &mut |_| ()).expect("it solves");
    let timely = timely();
    let beside = necessity(&timely, how, &mut |_| ()).expect("it solves");
    page(&necessity_words(&[(&question, &table), (&timely, &beside)]));
    bounds_the_first_decision(&timely, &beside);
    assert_eq!(table.whole.primal, Some(1));
    assert!(table.settled(), "{table:?}");
    let better = |name: &str| {
        let found = table.rules.iter().find(|(rule, _)| rule.group.name == name);
        let (_, found) = found.unwrap_or_else(|| panic!("no rule {name}"));
        table.better(found)
    };
    assert_eq!(better("commit lock"), Some(true));
    assert_eq!(better("quorum size, commits"), Some(true));
    assert_eq!(better("silence after asking to leave"), Some(false));
    assert_eq!(better("prompt reactions"), Some(false));
    let mutant = |name: &str| {
        let found = table.mutants.iter().find(|(mutant, _)| mutant == name);
        table.better(&found.expect("a mutant").1)
    };
    assert_eq!(mutant("no-commit-lock"), Some(true));
    assert_eq!(mutant("small-quorum"), Some(true));
    let rows = necessity_words(&[(&question, &table)]);
    assert_eq!(rows.len(), 2 + table.rules.len() + table.mutants.len());
    assert!(rows.iter().all(|row| row.len() == 4));
    assert!(rows.iter().skip(2).all(|row| !row[3].is_empty()));
    let row = |name: &str| rows.iter().find(|row| row[0] == name).expect("a row");
    assert_eq!(
        row("without commit lock")[..3],
        [
            "without commit lock",
            "dbft2 4-5, 8-9, 15-16",
            "2 blocks at one height: necessary"
        ]
    );
    assert_eq!(
        row("without prompt reactions")[2],
        "1 block at one height: not necessary"
    );
}

/// Delays of one or two slots and timers by the protocol, block time 6.
fn timely() -> Instance {
    let mut question = instance("dbft2", 2, 26, Goal::Slow);
    question.network = Network::Bounded {
        delay_min: 1,
        delay_max: 2,
        gst: 0,
    };
    question.timers = Timers::Protocol;
    question.block_time = Some(6);
    question
}

/// Rules that agreement does not need are what bounds the time of the first decision.
fn bounds_the_first_decision(question: &Instance, table: &Necessity) {
    // Propose in slot 6, then three messages of two slots each.
    assert_eq!(table.whole.primal, Some(12));
    assert!(table.settled(), "{table:?}");
    let rows = necessity_words(&[(question, table)]);
    for name in [
        "quorum size, change views",
        "prompt reactions",
        "timers by the protocol",
        "delivery guarantee",
    ] {
        let name = format!("without {name}");
        let row = rows.iter().find(|row| row[0] == name).expect("a row");
        assert_eq!(row[2], "no decision within 26 slots: necessary");
    }
    let lock = rows.iter().find(|row| row[0] == "without commit lock");
    assert_eq!(lock.expect("a row")[2], "slot 12: not necessary");
}

/// The table of `docs/EXPLAIN.md` is this one; UPDATE=1 writes it anew.
fn page(rows: &[Vec<String>]) {
    const BEGIN: &str = "<!-- table of rules: UPDATE=1 writes it anew -->\n";
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let mut table = line(&rows[0]);
    table += "|";
    table += &" --- |".repeat(rows[0].len());
    table += "\n";
    table.extend(rows[1..].iter().map(line));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/EXPLAIN.md");
    let text = std::fs::read_to_string(&file).expect("the page");
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (old, after) = rest.split_once("<!-- end -->").expect("the table ends");
    if std::env::var_os("UPDATE").is_some() {
        let new = format!("{before}{BEGIN}{table}<!-- end -->{after}");
        std::fs::write(&file, new).expect("it can be written");
    } else {
        assert_eq!(old, table);
    }
}

/// Every set with fewer rules than the answer is tried, each by a solve of its own.
fn no_smaller_set(program: &Program, answer: &WhyNot) -> usize {
    let all: Vec<Group> = why::present(program)
        .iter()
        .map(|rule| rule.group)
        .collect();
    let size = answer.needed.len() as u32;
    let smaller = (0..1_u32 << all.len()).filter(|set| set.count_ones() + 1 == size);
    let mut tried = 0;
    for set in smaller {
        let out = |at: usize| set & 1 << at == 0;
        let dropped: Vec<Group> = (0..all.len())
            .filter(|&at| out(at))
            .map(|at| all[at])
            .collect();
        let solved = solve(&why::without(program, &dropped));
        // Sets that are smaller still allow more.
        assert!(solved.point.is_some(), "{set:b}: {:?}", solved.termination);
        tried += 1;
    }
    tried
}

/// The program with the value as a row of the goal.
fn with_value(mut program: Program, value: i64) -> Program {
    let terms = std::mem::take(&mut program.objective);
    let goal = program
        .families
        .iter()
        .position(|family| family.tag == Tag::Goal);
    program.rows.push(milp_model::program::Row {
        name: "value".into(),
        family: FamilyId(goal.expect("a family of the goal") as u32),
        terms,
        lower: Some(value - program.constant),
        upper: None,
    });
    program
}

#[test]
fn no_smaller_set_of_rules_forbids_it_by_brute_force() {
    // A first block takes four slots: propose, respond, commit, decide.
    let mut question = instance("dbft2", 1, 3, Goal::Fork);
    let answer = asked(&question, Some(1));
    assert!(answer.proved && answer.smallest, "{answer:?}");
    assert!(answer.needed.len() >= 2, "{answer:?}");
    let program = timed::of(&question).expect("timed supports it").program;
    assert!(no_smaller_set(&with_value(program, 1), &answer) > 10);
    question.slots = 4;
    assert_eq!(asked(&question, Some(1)).possible, Some(true));
}

/// A protocol file with one Byzantine replica of four and two proposals per view.
fn of_a_file(protocol: &str, views: u32, mutant: Option<&str>) -> Instance {
    Instance {
        faults: vec![any(FaultKind::Byzantine, 1)],
        blocks_per_proposal: 2,
        formulation: Formulation::Auto,
        mutant: mutant.map(Into::into),
        ..instance(protocol, views, 7, Goal::Fork)
    }
}

#[test]
fn rules_of_a_protocol_file_are_named_with_their_lines_and_no_smaller_set_forbids_it() {
    let question = of_a_file("tendermint", 1, None);
    let answer = asked(&question, Some(2));
    assert!(answer.proved && answer.smallest && !answer.formulation.knows_slots());
    let needed = |group| answer.needed.iter().find(|it| it.rule.group == group);
    let votes = needed(Group::COMMITS).expect("two quorums share an honest replica");
    assert_eq!(votes.rule.lines, ["tendermint 49-51"]);
    assert!(needed(Group::SIGNATURES).is_some());
    let program = levels::of(&question).expect("levels takes it").program;
    assert!(no_smaller_set(&with_value(program, 2), &answer) > 10);

    // In slots the same is forbidden, within so many.
    let timed = Instance {
        formulation: Formulation::Timed,
        slots: 5,
        ..question
    };
    let answer = asked(&timed, Some(2));
    assert_eq!(answer.possible, Some(false));
    assert!(answer.formulation.knows_slots() && needed_has(&answer, Group::COMMITS));
}

fn needed_has(answer: &WhyNot, group: Group) -> bool {
    answer.needed.iter().any(|it| it.rule.group == group)
}

#[test]
fn the_lock_of_a_file_is_in_the_way_and_is_missed_in_its_mutant() {
    let locked = asked(&of_a_file("ibft1", 2, None), Some(2));
    assert!(locked.proved && locked.smallest);
    assert!(needed_has(&locked, Group::LOCK));
    let free = of_a_file("ibft1", 2, Some("no-lock"));
    assert_eq!(asked(&free, Some(2)).possible, Some(true));
    // More values than a program has at first are asked of one that has them.
    let more = asked(&free, Some(4));
    assert_eq!((more.possible, more.proved), (Some(false), true));
}

#[test]
fn rules_without_any_execution_are_named() {
    // A final state takes time: a timer must fire and its message arrive.
    let mut question = instance("dbft2", 1, 1, Goal::Stall);
    question.network = Network::Eventual;
    let answer = asked(&question, None);
    assert_eq!(answer.possible, Some(false));
    assert!(answer.proved && answer.smallest, "{answer:?}");
    let words = why_not_words(&question, &answer);
    assert!(words[0].starts_with("Why is there no execution with no faulty replica of 4"));
    question.slots = 8;
    assert_eq!(asked(&question, None).possible, Some(true));
}

#[test]
fn a_number_of_heights_that_nothing_can_have_is_refused() {
    let stall = Instance {
        network: Network::Eventual,
        ..instance("dbft2", 1, 6, Goal::Stall)
    };
    let settings = proving();
    let how = How {
        settings: &settings,
        interrupt: &AtomicBool::new(false),
    };
    for value in [-1, 2] {
        let refused = why_not(&stall, Some(value), how, &mut |_| ()).unwrap_err();
        assert!(refused.to_string().contains("0 to 1"), "{refused}");
    }
}

#[test]
fn what_a_limit_leaves_open_is_said() {
    let question = two_views();
    let settings = Settings {
        options: vec![("mip_max_nodes".into(), "0".into())],
        presolve: false,
        ..proving()
    };
    let how = How {
        settings: &settings,
        interrupt: &AtomicBool::new(true),
    };
    let answer = why_not(&question, Some(2), how, &mut |_| ()).expect("it ends");
    assert_eq!(answer.possible, None);
    assert!(!answer.proved && !answer.smallest && !answer.irreducible);
    let words = why_not_words(&question, &answer);
    assert_eq!(words, ["Not known: the limit came before an answer."]);
    let table = necessity(&question, how, &mut |_| ()).expect("it ends");
    assert!(!table.settled());
    let rows = necessity_words(&[(&question, &table)]);
    assert!(
        rows.iter()
            .skip(2)
            .all(|row| row[2] == "no schedule found: not known whether it is necessary")
    );
}

/// A valid row stays only where the rules that stay imply it: with the rows of these rules and no
/// valid one, a point that breaks it does not exist.
#[test]
fn valid_rows_stay_only_where_the_rules_that_stay_imply_them() {
    let mut byzantine = instance("dbft2", 2, 5, Goal::Fork);
    byzantine.faults = vec![any(FaultKind::Byzantine, 1)];
    let mut checked = BTreeSet::new();
    for question in [
        instance("dbft2", 2, 5, Goal::Fork),
        byzantine,
        instance("dbft2", 2, 5, Goal::Views),
        instance("dbft2", 2, 5, Goal::Finality),
        instance("dbft1", 2, 5, Goal::Fork),
        production(2, 5),
        Instance {
            network: Network::Eventual,
            faults: vec![any(FaultKind::Byzantine, 1)],
            ..instance("dbft2-tla", 2, 5, Goal::Fork)
        },
    ] {
        let program = timed::of(&question).expect("timed supports it").program;
        for (number, family) in program.families.iter().enumerate() {
            if family.tag != Tag::Valid {
                continue;
            }
            let own = FamilyId(number as u32);
            let rows = program.rows.iter().filter(|row| row.family == own);
            for row in representatives(rows.collect()) {
                let dropped: Vec<Group> = Group::ALL
                    .into_iter()
                    .filter(|&group| why::stays(family, &[group]))
                    .collect();
                let mut weaker = why::without(&program, &dropped);
                let valid = |row: &milp_model::program::Row| weaker.family(row).tag == Tag::Valid;
                weaker.rows = weaker
                    .rows
                    .iter()
                    .filter(|row| !valid(row))
                    .cloned()
                    .collect();
                weaker.objective.clear();
                let mut broken = row.clone();
                (broken.lower, broken.upper) = (row.upper.map(|upper| upper + 1), None);
                assert!(broken.lower.is_some(), "{}", row.name);
                weaker.rows.push(broken);
                let solved = solve(&weaker);
                assert_eq!(solved.termination, Termination::Infeasible, "{}", row.name);
                checked.insert(family.name.clone());
            }
        }
    }
    assert!(checked.len() >= 7, "{checked:?}");
    assert!(checked.contains("returning_commit_requires_honest_quorum"));
}
