//! Good views: all honest replicas are in the view, led by one of them, what they send arrives, and
//! what must be done is done.
//!
//! Of an act that must be done, a good view that it is of and an honest replica, twice: *what it
//! needs is there when the view ends ⇒ it is done, or its place is taken, or it is barred*,
//! `good − byzantine + Σ truths − number ≤ Σ did + Σ bars`. Once of what honest replicas alone send:
//! then what a timer of the view did is no excuse, since it fires after all of that arrived. Once
//! of what the replica has in the end, votes of Byzantine ones that it took itself, or that all got,
//! included: these come as late as they like.

use super::{
    columns::{Key, Levels, group, most_byzantine},
    families::{by_view, kind_name},
    rest,
    way::{groups, makers, takes},
};
use crate::{
    expr::Expr,
    ground::{Act, Need, Own, Proof, Record},
    group::Group,
    program::Tag,
};
use milp_schema::{
    protocol::{Head, KindId, Mode, Scope},
    vocabulary::Passed,
};
use std::collections::BTreeMap;

impl Levels {
    /// Whether a copy that meets the need may be handed over and count nothing, since the first does.
    fn hides(&self, need: &Need) -> bool {
        let read = need.taken(&self.ground);
        read.iter().any(|it| self.ground.counts_first(it.kind))
    }
}

/// What a replica has when a good view ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Has {
    /// What honest replicas sent.
    OfHonest,
    /// That, and what it took of Byzantine ones.
    All,
}

/// Columns that several acts share.
#[derive(Default)]
struct Shared {
    /// The truth of what is read of the last own record, at least and at most.
    last: BTreeMap<(u32, bool, Vec<Record>, Vec<Record>), Expr>,
    /// What a replica took by the end of a view that meets a need.
    took: BTreeMap<(u32, u32, Need), Expr>,
}

/// States which views are good and pass without a decision; their number, at most `up_to`.
pub(super) fn state(levels: &mut Levels, bad: u32, up_to: u32) -> Expr {
    let gossip = levels.instance.gossip;
    rest::truths(levels, |levels, number| {
        gossip && !levels.hides(&Need::Quorum(number))
    });
    if gossip {
        rest::proposals(levels);
        used_where_enough(levels);
    }
    let wasted = wasted(levels, bad, up_to);
    let mut shared = Shared::default();
    let acts = levels.ground.all();
    let must: Vec<Act> = acts.filter(|act| act.mode == Mode::Must).cloned().collect();
    for act in &must {
        let Some(good) = good(levels, act, bad) else {
            continue;
        };
        for i in levels.ground.actors(act).collect::<Vec<_>>() {
            for has in [Has::OfHonest, Has::All] {
                nothing_left(levels, &mut shared, (act, &good), i, has);
            }
        }
    }
    wasted
}

/// `together_v`: all honest replicas get to view v, and nobody decides: `together_v ≤ together_(v−1)`,
/// `together_v ≤ here_v + byzantine`; `good_v`: an honest one leads it,
/// `together_v − byzantine ≤ good_v ≤ together_v, 1 − byzantine`; `Σ good ≤ up_to`.
fn wasted(levels: &mut Levels, bad: u32, up_to: u32) -> Expr {
    let family = levels
        .draft
        .family("good_view_has_all", "E70", &[], Tag::Goal);
    let mut all = Expr::default();
    let mut before: Option<Expr> = None;
    for v in bad..levels.views {
        let together = levels.goal_column("together", [v, 0]);
        let good = levels.goal_column("good", [v, 0]);
        let label = format!("_v{v}");
        for i in 0..levels.n {
            let there = levels.here(i, v) + levels.byzantine(i);
            levels.at_most(family, &format!("{label}_i{i}"), together.clone(), there);
        }
        if let Some(before) = before {
            levels.at_most(family, &label, together.clone(), before);
        }
        let byzantine = levels.byzantine(levels.ground.setting.primaries[v as usize]);
        let rows = [
            ("led", good.clone(), 1 - byzantine.clone()),
            ("in", good.clone(), together.clone()),
            ("is", together.clone() - byzantine, good.clone()),
        ];
        for (name, left, right) in rows {
            levels.at_most(family, &format!("{label}_{name}"), left, right);
        }
        all += good;
        before = Some(together);
    }
    levels.at_most(family, "_most", all.clone(), i64::from(up_to).into());
    not_led_in(levels, bad);
    let family = levels.draft.family("nobody_decides", "E70", &[], Tag::Goal);
    for i in 0..levels.n {
        let finals = levels.finals.iter().map(|&act| levels.did(act, i));
        let decided = finals.sum();
        levels.at_most(family, &format!("_i{i}"), decided, Expr::default());
    }
    all
}

/// Nobody enters a good view by what needs an honest message of it or of a later one: such a message
/// is sent in an earlier slot than that entry, `way_i + good_v ≤ 1 + byzantine_i`.
fn not_led_in(levels: &mut Levels, bad: u32) {
    let most = most_byzantine(&levels.instance, &levels.ground);
    let family = levels
        .draft
        .family("good_view_is_entered_first", "E71", &[], Tag::Goal);
    let leads = |levels: &Levels, act: &Act| {
        act.needs.iter().any(|need| match need {
            Need::Quorum(number) => {
                let quorum = &levels.ground.quorums[*number];
                let of_view = |it: &Record| it.view >= act.letters.v;
                quorum.at_least > most && quorum.records.iter().all(of_view)
            }
            Need::Own(_) | Need::Primary(_) => false,
        })
    };
    for way in 0..levels.ground.entries.len() {
        let act = levels.ground.entries[way].clone();
        let view = act.letters.v;
        if !(bad.max(1)..levels.views).contains(&view) || !leads(levels, &act) {
            continue;
        }
        let good = levels.draft.get(&Key::Goal("good", [view, 0]));
        for i in levels.ground.actors(&act).collect::<Vec<_>>() {
            let left = levels.way(way, i) + good.clone();
            let right = levels.byzantine(i) + 1;
            levels.at_most(family, &format!("_i{i}_v{view}_w{way}"), left, right);
        }
    }
}

/// Where all have what one used, that is a quorum which honest senders make as well.
fn used_where_enough(levels: &mut Levels) {
    let family = levels
        .draft
        .family("enough_makes_quorum", "E73", &[], Group::DELIVERY);
    for number in 0..levels.ground.quorums.len() {
        let all = !levels.hides(&Need::Quorum(number));
        if all && levels.draft.col(&Key::Complete(number)).is_some() {
            let enough = levels.draft.get(&Key::Enough(number));
            let complete = levels.complete(number);
            levels.at_most(family, &format!("_m{number}"), enough, complete);
        }
    }
}

/// Where an act must be done: in its view if that is good; one that can be done at any time also in
/// a later good view, unless what it reads is ignored then. `None` if nowhere.
fn good(levels: &mut Levels, act: &Act, bad: u32) -> Option<Expr> {
    let view = act.letters.v - u32::from(act.makes.is_none());
    let rules = &levels.ground.setting.rules;
    let mut read = act.needs.iter().flat_map(|need| need.taken(&levels.ground));
    let lost = read
        .clone()
        .any(|it| it.view < view && rules.kind(it.kind).passed == Passed::Ignore);
    let ignored = read.any(|it| rules.kind(it.kind).passed == Passed::Ignore);
    if lost || (act.makes.is_none() && act.letters.v >= levels.views) {
        return None;
    }
    if act.scope == Scope::View || ignored {
        return (view >= bad).then(|| levels.draft.get(&Key::Goal("good", [view, 0])));
    }
    let key = Key::Goal("after", [view, 0]);
    if levels.draft.col(&key).is_none() {
        let family = levels
            .draft
            .family("good_view_comes", "E70", &[], Tag::Goal);
        let after = levels.goal_column("after", [view, 0]);
        for v in view.max(bad)..levels.views {
            let good = levels.draft.get(&Key::Goal("good", [v, 0]));
            levels.at_most(family, &format!("_v{view}_v{v}"), good, after.clone());
        }
    }
    Some(levels.draft.get(&key))
}

/// The rows of one act and replica.
fn nothing_left(
    levels: &mut Levels,
    shared: &mut Shared,
    (act, good): (&Act, &Expr),
    i: u32,
    has: Has,
) {
    let mut ways = vec![(Vec::new(), true)];
    for need in &act.needs {
        let truths = truths(levels, shared, (act, need), i, has);
        let both = |(so_far, honest): &(Vec<Expr>, bool)| {
            let more = |(truth, of_honest): &(Expr, bool)| {
                let all = so_far.iter().cloned().chain([truth.clone()]);
                (all.collect::<Vec<Expr>>(), *honest && *of_honest)
            };
            truths.iter().map(more).collect::<Vec<_>>()
        };
        ways = ways.iter().flat_map(both).collect();
    }
    for proof in &act.proofs {
        let Some(sent) = travels(levels, proof) else {
            return;
        };
        for (way, _) in &mut ways {
            way.extend(sent.clone());
        }
    }
    if has == Has::All {
        ways.retain(|(_, of_honest)| !of_honest);
    }
    let excused = excuses(levels, shared, act, i, has);
    let name = match has {
        Has::OfHonest => format!("good_view_leaves_no_{}", kind_name(levels, act)),
        Has::All => format!("good_view_ends_without_{}", kind_name(levels, act)),
    };
    let family = levels.draft.family(&name, "E73", &[], Group::PROMPT);
    let label = label(act, i);
    for (number, (way, _)) in ways.into_iter().enumerate() {
        let count = way.len() as i64;
        let there = good.clone() - levels.byzantine(i);
        let left = there + way.into_iter().sum::<Expr>() + -count;
        levels.at_most(family, &format!("{label}_{number}"), left, excused.clone());
    }
}

fn label(act: &Act, i: u32) -> String {
    let letters = &act.letters;
    let letter =
        |name: &str, it: Option<u32>| it.map_or(String::new(), |it| format!("_{name}{it}"));
    format!(
        "_i{i}_v{}_r{}{}{}{}",
        letters.v,
        act.rule,
        letter("x", letters.x),
        letter("c", letters.c),
        letter("d", letters.d)
    )
}

/// The ways in which a need of replica i is met when the view ends, each at least so far, and whether
/// by what honest replicas did alone.
fn truths(
    levels: &mut Levels,
    shared: &mut Shared,
    (act, need): (&Act, &Need),
    i: u32,
    has: Has,
) -> Vec<(Expr, bool)> {
    let honest = |it: Expr| (it, true);
    // Of what was handed to all, who took another before counts nothing.
    let gossip = levels.instance.gossip && !levels.hides(need);
    let all = has == Has::All;
    let mut truths: Vec<(Expr, bool)> = match need {
        Need::Own(Own::One(records)) => {
            let groups = groups(records).into_values();
            groups.map(|it| honest(levels.makes(i, it))).collect()
        }
        Need::Own(Own::Last(matching, rest)) => {
            vec![honest(last(levels, shared, (act, matching, rest), i, true))]
        }
        Need::Primary(records) if all && gossip => {
            records.iter().map(|it| (levels.shown(it), false)).collect()
        }
        Need::Primary(records) => {
            let primary = |it: &Record| levels.ground.setting.primaries[it.view as usize];
            let sent = records.iter().map(|it| levels.makes(primary(it), [it]));
            vec![honest(sent.sum())]
        }
        Need::Quorum(number) if all && gossip => vec![(levels.complete(*number), false)],
        Need::Quorum(number) => vec![honest(levels.draft.get(&Key::Enough(*number)))],
    };
    if all && !gossip && !matches!(need, Need::Own(_)) {
        truths.extend(took(levels, shared, (act, need), i).map(|it| (it, false)));
    }
    truths.retain(|(truth, _)| truth.terms().next().is_some());
    truths
}

/// That a proof travels with a message of an honest replica: nothing where it travels with each of
/// those that are read, `None` where that cannot be told.
fn travels(levels: &Levels, proof: &Proof) -> Option<Vec<Expr>> {
    let records = proof.with.taken(&levels.ground);
    let carries = |act: &usize| existed(levels, &levels.ground.acts[*act], &proof.of, 2);
    let makers = makers(levels, records);
    let Need::Primary(_) = proof.with else {
        return makers.iter().all(carries).then(Vec::new);
    };
    let primary = levels.ground.setting.primaries[records.first()?.view as usize];
    let sent = makers.iter().filter(|it| carries(it));
    let sent: Expr = sent.map(|&act| levels.did(act, primary)).sum();
    let some = sent.terms().next().is_some();
    some.then(|| vec![sent])
}

/// Whether what meets a need was there before an act: it asks for that, or for own records of which
/// that holds.
fn existed(levels: &Levels, act: &Act, need: &Need, depth: u32) -> bool {
    act.asks().any(|it| it.covers(need, &levels.ground))
        || act.needs.iter().any(|own| {
            let Need::Own(own) = own else { return false };
            let makers = makers(levels, own.matching());
            let all = |&it: &usize| existed(levels, &levels.ground.acts[it], need, depth - 1);
            depth > 0 && !makers.is_empty() && makers.iter().all(all)
        })
}

fn of_replica(levels: &mut Levels, name: &'static str, i: u32, number: u32) -> Expr {
    let text = format!("{name}_i{i}_{number}");
    let key = Key::OfReplica(name, i, number);
    levels.draft.add(key, text, 1).into()
}

/// That the latest own record below the act's level matches: at least, where it is asked for, or at
/// most, where it excuses: `last + rest_u ≤ 1 + Σ_(w > u) match_w`, `last ≤ Σ match`, or
/// `match_u − Σ_(w > u) rest_w ≤ last`.
fn last(
    levels: &mut Levels,
    shared: &mut Shared,
    (act, matching, rest): (&Act, &[Record], &[Record]),
    i: u32,
    at_least: bool,
) -> Expr {
    let below = |levels: &Levels, records: &[Record]| -> Vec<Record> {
        let views = by_view(levels, act, records).into_values().flatten();
        let mut below: Vec<Record> = views.copied().collect();
        below.sort_unstable();
        below
    };
    let (matching, rest) = (below(levels, matching), below(levels, rest));
    let number = shared.last.len() as u32;
    let key = (i, at_least, matching.clone(), rest.clone());
    if let Some(known) = shared.last.get(&key) {
        return known.clone();
    }
    let name = if at_least { "last_is" } else { "last_may_be" };
    let column = of_replica(levels, name, i, number);
    shared.last.insert(key, column.clone());
    let family = levels
        .draft
        .family("last_own_record", "E73", &[], Group::LOCK);
    let views = |records: &[Record]| -> BTreeMap<u32, Vec<Record>> {
        let mut views: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
        for record in records {
            views.entry(record.view).or_default().push(*record);
        }
        views
    };
    let (matching, rest) = (views(&matching), views(&rest));
    let (ones, others) = if at_least {
        (&matching, &rest)
    } else {
        (&rest, &matching)
    };
    let label = format!("_i{i}_{number}");
    for (u, records) in ones {
        let later = others.range(u + 1..).flat_map(|(_, records)| records);
        let later = levels.makes(i, later);
        let here = levels.makes(i, records);
        let (left, right) = if at_least {
            (here - later, column.clone())
        } else {
            (column.clone() + here, later + 1)
        };
        levels.at_most(family, &format!("{label}_u{u}"), left, right);
    }
    if !at_least {
        let any = levels.makes(i, matching.values().flatten());
        levels.at_most(family, &label, column.clone(), any);
    }
    column
}

/// That the replica took what meets the need by the end of the act's view, as what it did shows.
fn took(
    levels: &mut Levels,
    shared: &mut Shared,
    (act, need): (&Act, &Need),
    i: u32,
) -> Option<Expr> {
    let view = act.letters.v - u32::from(act.makes.is_none());
    let number = shared.took.len() as u32;
    let key = (i, view, need.clone());
    if let Some(known) = shared.took.get(&key) {
        return Some(known.clone());
    }
    // Of one kind in one view, and of the ways into one, a replica has one at most.
    let mut shows: BTreeMap<(Option<KindId>, u32), Expr> = BTreeMap::new();
    for (other, taker) in levels.ground.acts.iter().enumerate() {
        let Some(record) = taker.makes.filter(|it| it.view <= view) else {
            continue;
        };
        let column = levels.did(other, i);
        if column.terms().next().is_some() && takes(levels, taker, need) {
            *shows.entry((Some(record.kind), record.view)).or_default() += column;
        }
    }
    for (way, taker) in levels.ground.entries.iter().enumerate() {
        let entered = taker.letters.v;
        if entered <= view && takes(levels, taker, need) {
            *shows.entry((None, entered)).or_default() += levels.way(way, i);
        }
    }
    if shows.is_empty() {
        return None;
    }
    let took = of_replica(levels, "took", i, number);
    shared.took.insert(key, took.clone());
    let family = levels
        .draft
        .family("good_view_knows", "E73", &[], Group::MEMORY);
    for (at, shows) in shows.into_values().enumerate() {
        let label = format!("_i{i}_{number}_{at}");
        levels.at_most(family, &label, shows, took.clone());
    }
    Some(took)
}

/// What excuses: the place is taken, an own record bars, or a rule that the file lists before it led
/// the replica away; where honest replicas sent all that is needed, not by a timer of the view.
fn excuses(levels: &mut Levels, shared: &mut Shared, act: &Act, i: u32, has: Has) -> Expr {
    let view = act.letters.v - u32::from(act.makes.is_none());
    let counts = |other: &Act| {
        let fired = other.timer().is_some() && other.letters.v == view;
        has == Has::All || !fired
    };
    let place = act.makes.map(|record| group(&record));
    let taken = place.and_then(|place| levels.groups.get(&place));
    let taken = taken.into_iter().flatten();
    let taken = taken.filter(|&&it| counts(&levels.ground.acts[it]));
    let mut excused: Expr = taken.map(|&number| levels.did(number, i)).sum();
    let rules = &levels.ground.setting.rules.rules;
    let leaves = rules[..act.rule]
        .iter()
        .any(|rule| matches!(rule.head, Head::Enter | Head::Skip) && rule.mode == Mode::Must);
    if view + 1 < levels.views && (leaves || act.makes.is_none()) {
        excused += levels.here(i, view + 1);
    }
    for bar in &act.bars {
        match bar {
            Own::One(records) => {
                let barring = records.iter().filter(|it| it.view <= view);
                let makers = barring.filter_map(|it| levels.makers.get(it)).flatten();
                let makers = makers.filter(|&&it| counts(&levels.ground.acts[it]));
                excused += makers.map(|&it| levels.did(it, i)).sum();
            }
            Own::Last(matching, rest) => {
                excused += last(levels, shared, (act, matching, rest), i, false);
            }
        }
    }
    excused
}
