//! What the formulation cannot express, by name.

use super::columns::{At, Deed, Slots, What};
use crate::{
    error::Error,
    formulation::refuse::{good_views, levels_only, unsupported},
    ground::{Need, Own, Record, Value},
};
use milp_schema::{
    Instance,
    instance::{Goal, Primary, Timers},
    protocol::{Counts, Goes, Guard, Head, KindId, Mode, Reads, Rule, Rules, Scope},
    vocabulary::{Ahead, Passed},
};
use std::collections::BTreeSet;

/// The first thing that the formulation cannot express, if there is one.
pub(super) fn refuse(instance: &Instance, rules: &Rules) -> Result<(), Error> {
    match instance.goal {
        Goal::Wasted { .. } => good_views("timed", instance, rules)?,
        _ => levels_only("timed", instance)?,
    }
    let sent = || rules.kinds.iter().filter(|kind| kind.goes == Goes::Sent);
    let guards = || rules.rules.iter().flat_map(Rule::guards);
    let reasons = [
        (
            instance.primary == Primary::Free,
            "`primary: free`",
            "use `primary: rotation`",
        ),
        (
            instance.goal == Goal::Stall,
            "goal `stall` of a protocol file",
            "ask for another goal",
        ),
        (
            rules.chain,
            "values that are a chain",
            "use a protocol of unrelated values",
        ),
        (
            rules.rules.iter().any(|rule| rule.mode == Mode::May),
            "a rule that `may` be done",
            "let a timer do it",
        ),
        (
            rules
                .rules
                .iter()
                .any(|rule| matches!(rule.head, Head::Stop { .. })),
            "a timer that is stopped",
            "let its rules ask for what stops it",
        ),
        (
            guards().any(|guard| guard.proof),
            "`proof`",
            "let the rule read what it took",
        ),
        (
            sent().any(|kind| kind.counts == Counts::First),
            "`counts: first`",
            "use `counts: each`",
        ),
        (
            sent().any(|kind| kind.ahead == Ahead::Lose),
            "a kind whose copies are lost on who is not there yet",
            "use `ahead: hold`",
        ),
        (
            instance.timers == Timers::Protocol && lacks_durations(rules),
            "`timers: protocol` where a timer has no duration",
            "say `for` in every rule that starts one",
        ),
    ];
    for (refused, construct, hint) in reasons {
        if refused {
            return unsupported("timed", construct, hint);
        }
    }
    Ok(())
}

fn lacks_durations(rules: &Rules) -> bool {
    let lacks = |head: &Head| matches!(head, Head::Arm { lasts: None, .. });
    rules.rules.iter().any(|rule| lacks(&rule.head))
}

/// What a deed reads that says more than what was delivered.
pub(super) fn readings(slots: &Slots) -> Result<(), Error> {
    for at in &slots.at {
        let rules = &at.ground.setting.rules;
        for deed in &at.deeds {
            let text = rules.text(&rules.rules[deed.act.rule]);
            let taken = deed
                .act
                .needs
                .iter()
                .flat_map(|need| need.taken(&at.ground));
            let mut taken = taken.filter(|it| !at.ground.is_final(it.kind));
            let hazy = |it: &Record| {
                let kind = rules.kind(it.kind);
                let passed = kind.passed == Passed::Ignore
                    && (it.view < deed.view() || deed.act.scope == Scope::Height);
                let skips = deed.what == What::Skips;
                let ahead = kind.ahead == Ahead::Hold
                    && (it.view > deed.view() || skips || deed.act.scope == Scope::Height);
                (passed && !skips) || ahead
            };
            if let Some(record) = taken.find(|it| hazy(it)) {
                let name = &rules.kind(record.kind).name;
                let construct =
                    format!("`{name}` read in another view than its own (rule `{text}`)");
                return unsupported("timed", &construct, "let it be taken in every view");
            }
        }
        circles(slots, &at.deeds)?;
        restarts(at)?;
        for (number, rule) in rules.rules.iter().enumerate() {
            let last = |guard: &&Guard| guard.reads == Reads::LastOwn;
            let mut kinds = rule.guards().filter(last).flat_map(|it| &it.pattern.kinds);
            let hazy = |kind: &&KindId| {
                let follows = |made| follows(at, **kind, made);
                !rule.makes().is_some_and(follows) && !is_barred(at, number, **kind)
            };
            if let Some(kind) = kinds.find(hazy) {
                let name = &rules.kind(*kind).name;
                let construct =
                    format!("the last own `{name}` where one of the view may come before");
                return unsupported("timed", &construct, "let the rule read earlier views");
            }
        }
    }
    Ok(())
}

/// Whether a record of a kind that names a value is made after one of another kind in each view, by
/// who makes both: what that replica has of the primary of a view in which it makes proposals itself
/// it has made.
fn follows(at: &At, kind: KindId, other: KindId) -> bool {
    let makers = at.makers.iter().filter(|(record, _)| record.kind == kind);
    let mut valued = makers.filter(|(record, _)| matches!(record.value, Value::Of(_)));
    valued.all(|(record, deeds)| {
        deeds.iter().all(|deed| {
            at.deeds[*deed].act.needs.iter().any(|need| match need {
                Need::Own(Own::One(records)) => records.iter().all(|it| {
                    // There is no circle of kinds in a view.
                    it.view == record.view && (it.kind == other || follows(at, it.kind, other))
                }),
                Need::Primary(records) => records
                    .iter()
                    .all(|it| it.view == record.view && it.kind == other),
                _ => false,
            })
        })
    })
}

/// Whether who made a record of a kind in a view no longer does a rule there.
fn is_barred(at: &At, rule: usize, kind: KindId) -> bool {
    let mut deeds = at.deeds.iter().filter(|deed| deed.act.rule == rule);
    deeds.all(|deed| {
        let bars = |record: &Record| {
            let mut bars = deed.act.bars.iter();
            bars.any(|bar| matches!(bar, Own::One(records) if records.contains(record)))
        };
        let makers = at.makers.keys();
        let mut here = makers.filter(|it| it.kind == kind && it.view == deed.view());
        here.all(bars)
    })
}

/// A record that a replica makes in a slot may rest on what it makes in the same slot, if no circle
/// comes of it.
fn circles(slots: &Slots, deeds: &[Deed]) -> Result<(), Error> {
    let ground = &slots.at[0].ground;
    let mut rests: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); ground.setting.rules.kinds.len()];
    for deed in deeds {
        let Some(made) = deed.makes() else { continue };
        let here = |it: &&Record| it.view == made.view && !ground.is_final(it.kind);
        for need in &deed.act.needs {
            let read = match need {
                Need::Own(own) => own.matching(),
                other => other.taken(ground),
            };
            rests[made.kind.0].extend(read.iter().filter(here).map(|it| it.kind.0));
        }
    }
    let mut done: BTreeSet<usize> = BTreeSet::new();
    while let Some(next) =
        (0..rests.len()).find(|it| !done.contains(it) && rests[*it].is_subset(&done))
    {
        done.insert(next);
    }
    let Some(left) = (0..rests.len()).find(|it| !done.contains(it)) else {
        return Ok(());
    };
    let name = &ground.setting.rules.kinds[left].name;
    let construct = format!("`{name}`, which waits in a view for what waits for it");
    unsupported("timed", &construct, "let one of them read earlier views")
}

/// A timer that is started again has fired before: its later starts rest on what only its firings
/// make.
fn restarts(at: &At) -> Result<(), Error> {
    let rules = &at.ground.setting.rules;
    let fired = |record: &Record, timer| {
        let mut makers = at.makers.get(record).into_iter().flatten();
        makers.all(|deed| at.deeds[*deed].act.mode == Mode::Timer(timer))
    };
    for i in 0..at.ground.setting.replicas() {
        let mut first = BTreeSet::new();
        for deed in &at.deeds {
            let What::Starts(timer) = deed.what else {
                continue;
            };
            let again = deed.act.needs.iter().any(|need| match need {
                Need::Own(own) => own.matching().iter().all(|it| fired(it, timer)),
                _ => false,
            });
            let does = at.ground.actors(&deed.act).any(|it| it == i);
            if does && !again && !first.insert((timer, deed.view())) {
                let text = rules.text(&rules.rules[deed.act.rule]);
                let construct =
                    format!("a timer that is started again before it fires (rule `{text}`)");
                return unsupported("timed", &construct, "give it a timer of its own");
            }
        }
    }
    Ok(())
}
