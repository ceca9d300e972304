//! What must be done, is done: handlers run to completion.
//!
//! If what a replica did shows that it took all that an act needs while it was in the view, the act
//! is done, or its place is taken, or it is barred:
//! `here + Σ knows + Σ own − (number − 1) ≤ Σ did + Σ bars`.

use super::at_once::{firings, first_rules};
use super::classes::unclear;
use super::columns::{Levels, group};
use super::families::kind_name;
use super::shown::{At, Needs, decides, ways_of_all};
use super::way::{Way, makers};
use crate::{
    expr::Expr,
    ground::{Act, Own, Record},
    group::Group,
    program::Col,
};
use milp_schema::protocol::{Head, Mode, Rule, Scope};
use std::collections::BTreeSet;

pub(super) fn state(levels: &mut Levels) {
    let mut needs = Needs::default();
    let acts = levels.ground.all();
    let left = |act: &Act| {
        let last = last_view(levels, act) + 1 == levels.views;
        levels.goes_on && last && may_leave(levels, act)
    };
    let must = acts.filter(|act| act.mode == Mode::Must && !left(act));
    let must: Vec<Act> = must.cloned().collect();
    let mut said = BTreeSet::new();
    for act in must {
        let Some(excuse) = unclear(levels, &act) else {
            continue;
        };
        for i in levels.ground.actors(&act).collect::<Vec<_>>() {
            force(levels, &mut needs, (&act, &excuse), i, &mut said);
        }
    }
    first_rules(levels);
}

/// The rows of one act and replica, one for every way in which it can be seen that the act must be
/// done.
fn force(
    levels: &mut Levels,
    needs: &mut Needs,
    (act, excuse): (&Act, &Expr),
    i: u32,
    said: &mut BTreeSet<(Vec<(Col, i64)>, i64)>,
) {
    let view = last_view(levels, act);
    let mut shown = Vec::new();
    for at_once in [true, false] {
        for way in ways_of_all(
            levels,
            needs,
            act,
            At {
                i,
                view,
                now: at_once,
            },
        ) {
            if !shown.iter().any(|it: &Way| it.terms == way.terms) {
                shown.push(way);
            }
        }
    }
    let name = format!("{}_is_done", kind_name(levels, act));
    let family = levels.draft.family(&name, "E55", &[], Group::PROMPT);
    let leaves_first = "enter_excludes_firing";
    let leaves_first = levels.draft.family(leaves_first, "E55", &[], Group::PROMPT);
    for way in shown {
        let bars = barred(levels, act, &way, (i, view)) + excuse.clone();
        let excused = excuses(levels, act, &way, (i, view)) + bars.clone();
        let leaves = act.makes.is_none() && !way.waits;
        let there = match act.scope {
            Scope::View => levels.here(i, view),
            Scope::Height => 1 - levels.byzantine(i),
        };
        let count = way.terms.len() as i64;
        let left = there + way.terms.into_iter().sum::<Expr>() + -count;
        let mut rows = vec![(family, left.clone(), excused)];
        let fired = firings(levels, i, view).into_iter().filter(|_| leaves);
        rows.extend(fired.map(|fired| (leaves_first, left.clone() + fired, bars.clone() + 1)));
        for (family, left, right) in rows {
            let difference = left.clone() - right.clone();
            let row = (
                difference.terms().collect::<Vec<_>>(),
                difference.constant(),
            );
            if said.insert(row) {
                let label = format!("_i{i}_v{}_r{}_{}", act.letters.v, act.rule, said.len());
                levels.at_most(family, &label, left, right);
            }
        }
    }
}

/// The last view in which a replica can do the act: who enters a view is in the one before.
fn last_view(levels: &Levels, act: &Act) -> u32 {
    match act.scope {
        Scope::View => act.letters.v - u32::from(act.makes.is_none()),
        Scope::Height => levels.views - 1,
    }
}

/// Whether what its replica took may have led it away before the act: by a rule that the file lists before
/// it. Before a timer fires everything else is done.
fn may_leave(levels: &Levels, act: &Act) -> bool {
    let rules = &levels.ground.setting.rules.rules;
    let leaves =
        |rule: &Rule| rule.mode == Mode::Must && matches!(rule.head, Head::Enter | Head::Skip);
    act.makes.is_none() || rules[..act.rule].iter().any(leaves)
}

/// What excuses: the place is taken, an own record bars that may have come first, or what the file
/// lists before it led the replica away. That it decided is no excuse where it had all that a decision needs before it did
/// something in a later view. In a chain who decided goes on: that excuses from deciding alone.
fn excuses(levels: &Levels, act: &Act, way: &Way, (i, view): (u32, u32)) -> Expr {
    let left = may_leave(levels, act);
    let is_final = decides(levels, act);
    let chain = levels.ground.setting.rules.chain;
    let place = act.makes.map(|record| group(&record));
    let taken = place.and_then(|place| levels.groups.get(&place));
    let at_once = !way.waits && act.scope == Scope::View;
    let comes_first = |number: &&usize| {
        let other = &levels.ground.acts[**number];
        !at_once || other.rule <= act.rule || other.scope == Scope::Height
    };
    let taken = taken.into_iter().flatten().filter(|_| !is_final);
    let taken = taken.filter(comes_first);
    let first = |it: &&usize| match place {
        _ if chain => is_final,
        Some(_) if is_final => !way.late,
        Some(_) => levels.ground.acts[**it].rule < act.rule,
        None => true,
    };
    let acts = taken.chain(levels.finals.iter().filter(first));
    let mut excused: Expr = acts.map(|&number| levels.did(number, i)).sum();
    if left && view + 1 < levels.views {
        excused += levels.here(i, view + 1);
    }
    excused
}

/// The own records that bar the act and may have come first.
fn barred(levels: &Levels, act: &Act, way: &Way, (i, view): (u32, u32)) -> Expr {
    let bars = act.bars.iter().flat_map(Own::matching);
    let first = |it: &&Record| it.view <= view && !comes_later(levels, act, (way, view), it);
    levels.makes(i, bars.filter(first))
}

/// Whether a record of the act's view comes after what shows that the act must be done: that was there
/// before, or the record bars all of it in this view; and who makes it does so on a firing or by a
/// later rule.
fn comes_later(levels: &Levels, act: &Act, (way, view): (&Way, u32), record: &Record) -> bool {
    let acts = &levels.ground.acts;
    let barred = |other: &Act| {
        let bars = |bar: &Own| matches!(bar, Own::One(records) if records.contains(record));
        other.letters.v < record.view || other.bars.iter().any(bars)
    };
    let shown = || way.entered <= record.view && way.by.iter().all(|&it| barred(&acts[it]));
    let later = |other: &Act| {
        let late = other.timer().is_some() || other.rule > act.rule;
        late && (way.waits || other.scope == Scope::View)
    };
    let of_act = record.view == act.letters.v && shown();
    act.scope == Scope::View
        && (of_act || (record.view == view && !way.waits))
        && makers(levels, [record])
            .into_iter()
            .all(|it| later(&acts[it]))
}
