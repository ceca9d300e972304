//! Files without one of their rules, or without one guard: whatever schedule the program finds there,
//! the interpreter follows it.

mod support;

use milp_schema::{
    Instance, Protocol,
    instance::{Formulation, Goal, Network},
    protocol::{self, Definition, weakened},
    read,
};
use milp_study::{
    Error,
    solve::{Request, solve},
};
use std::{path::Path, sync::atomic::AtomicBool};
use support::settings;

/// The most blocks of a height in so many views, with one Byzantine replica of four.
fn asked(protocol: Protocol, views: u32) -> Instance {
    let file = Path::new("../instances/tendermint/n4-fork.yaml");
    let instance = read::instance(file).expect("an instance");
    Instance {
        protocol,
        mutant: None,
        views,
        goal: Goal::Fork,
        formulation: Formulation::Levels,
        ..instance
    }
}

/// What the program's schedule comes to, within some seconds: what is wrong with it, if anything is.
fn wrong(instance: &Instance) -> Option<String> {
    let settings = settings(1.0, true);
    let request = Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "milp solve",
    };
    match solve(&request, &AtomicBool::new(false), &mut |_| {}) {
        Err(Error::Refused(why)) if why.contains("schedule") => Some(why),
        _ => None,
    }
}

/// Every file that sense can be made of without a rule or a guard, with what it lacks.
fn weaker(definition: &Definition) -> Vec<(String, Protocol)> {
    let rules = &definition.rules;
    let of = |(number, rule): (usize, &protocol::Rule)| {
        let guards: Vec<String> = rule.guards().map(|it| rules.guard_text(it)).collect();
        let without = |place: Option<usize>| {
            let what = place.map_or("the rule", |it| guards[it].as_str());
            let what = format!("{}: {} without {what}", definition.words.name, rule.lines);
            Some((what, weakened(definition, number, place).ok()?))
        };
        let places = [None].into_iter().chain((0..guards.len()).map(Some));
        places.filter_map(without).collect::<Vec<_>>()
    };
    rules.rules.iter().enumerate().flat_map(of).collect()
}

#[test]
fn schedules_of_weaker_files_are_followed() {
    let mut asked_of = 0;
    for definition in protocol::shipped() {
        let views = if definition.rules.chain { 3 } else { 2 };
        for (what, protocol) in weaker(definition) {
            let wrong = wrong(&asked(protocol, views));
            assert_eq!(wrong, None, "{what}, {views} views");
            asked_of += 1;
        }
    }
    assert!(asked_of > 200, "{asked_of}");
}

/// The file that lacks what ends its name.
fn lacking(name: &str, lacks: &str) -> Protocol {
    let definition = protocol::shipped()
        .iter()
        .find(|it| it.words.name == name)
        .expect("a shipped file");
    let mut all = weaker(definition).into_iter();
    let found = all.find(|(what, _)| what.ends_with(lacks));
    found.expect("a file without it").1
}

#[test]
fn where_only_entries_ask_for_proofs_what_is_done_first_comes_first() {
    let weaker = lacking("hotstuff-complaints", ": 28-29 without the rule");
    assert_eq!(wrong(&asked(weaker, 3)), None);
}

#[test]
fn a_rule_of_any_view_is_done_by_who_holds_records_of_the_view_before_alone() {
    let lacks = ": 11,16-17 without q block_vote(v, x, v-1)";
    let weaker = lacking("hotstuff-chained", lacks);
    assert_eq!(wrong(&asked(weaker, 4)), None);
}

#[test]
fn timers_end_a_good_view_when_all_that_is_shared_has_arrived() {
    let weaker = lacking(
        "hotstuff-two-phase",
        ": 5-6,8-9 without 1 new_view(v, x, c)",
    );
    let instance = Instance {
        network: Network::Eventual,
        gossip: true,
        goal: Goal::Wasted { bad: 1, up_to: 2 },
        ..asked(weaker, 4)
    };
    assert_eq!(wrong(&instance), None);
}

#[test]
fn a_last_own_record_that_may_be_of_the_same_view_is_refused() {
    // Who commits on the votes of others may prepare behind it, by a lock that the order of kinds in a
    // view does not know: an execution was cut.
    let weaker = lacking(
        "hotstuff-two-phase",
        ": 10-13 without own commit_vote(v, *)",
    );
    let why = milp_model::build(&asked(weaker, 2)).err();
    let why = why.expect("it is refused").to_string();
    assert!(why.contains("made before or after"), "{why}");
}

#[test]
fn a_file_whose_replicas_leave_all_views_at_once_is_not_searched() {
    let weaker = lacking(
        "hotstuff-complaints",
        ": 129-131 without proof q complain(v-1)",
    );
    let instance = Instance {
        network: Network::Asynchronous,
        ..asked(weaker, 1)
    };
    let searched = milp_replay::search::file(&instance, 1000);
    let why = searched.expect_err("it is not searched").to_string();
    assert!(why.contains("leave the views"), "{why}");
}
