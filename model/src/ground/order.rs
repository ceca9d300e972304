//! The order of kinds inside a view, if the guards imply one: then acts are sorted by view and kind.

use super::form::{Ground, Proof, Record};
use crate::error::Error;
use milp_schema::{
    protocol::{
        Guard, Head, Justified, KindId, Made, Mode, Pattern, Reads, Rule, Rules, Scope, TimerId,
        Values, Views,
    },
    vocabulary::By,
};
use std::collections::BTreeSet;

/// What comes before what in one view.
struct Edges {
    before: Vec<BTreeSet<usize>>,
}

/// Whether a guard reads records of the view that the rule is about.
pub(super) fn reads_here(guard: &Guard) -> bool {
    matches!(guard.pattern.view, Views::Own | Views::UpTo)
}

/// Whether a guard reads messages that must be taken; proofs travel with the first that a rule has.
pub(super) fn is_message(guard: &Guard) -> bool {
    !guard.proof && !matches!(guard.reads, Reads::Own | Reads::LastOwn)
}

/// Whether a rule takes over a decision: another replica made it, by another rule.
pub(crate) fn adopts(rules: &Rules, rule: &Rule) -> bool {
    let reads_final = |guard: &Guard| {
        let mut kinds = guard.pattern.kinds.iter();
        kinds.any(|kind| rules.kind(*kind).is_final)
    };
    rule.when.iter().any(reads_final)
}

/// Whether who enters by a rule reads what its primary made in that view: then it is another one.
pub(super) fn follows_primary(rules: &Rules, rule: &Rule) -> bool {
    let of_primary = |guard: &&Guard| {
        let mut kinds = guard.pattern.kinds.iter();
        guard.reads == Reads::Primary || kinds.all(|kind| rules.kind(*kind).by == By::Primary)
    };
    let mut here = rule.when.iter().filter(|guard| reads_here(guard));
    here.any(|guard| guard.pattern.view == Views::Own && of_primary(&guard))
}

/// The rules that start a timer.
pub(super) fn starts(rules: &Rules, timer: TimerId) -> impl Iterator<Item = &Rule> {
    let starts =
        move |rule: &&Rule| matches!(rule.head, Head::Arm { timer: it, .. } if it == timer);
    rules.rules.iter().filter(starts)
}

/// The place of every kind; a circle is refused with its kinds, and so is what levels do not order.
pub(super) fn ranks(rules: &Rules, formulation: &'static str) -> Result<Vec<usize>, Error> {
    let refuse = |construct: String, hint: &str| Error::Unsupported {
        formulation,
        construct,
        hint: hint.into(),
    };
    let edges = Edges::of(rules).map_err(|construct| {
        let hint = "let one of them be a kind of its own, or use `formulation: timed`";
        refuse(construct, hint)
    })?;
    let mut ranks: Vec<Option<usize>> = vec![None; rules.kinds.len()];
    for place in 0..ranks.len() {
        let free = |kind: &usize| {
            let mut before = edges.before[*kind].iter();
            ranks[*kind].is_none() && before.all(|it| ranks[*it].is_some())
        };
        // Nothing reads a decision, so that it comes last.
        let next = (0..ranks.len())
            .filter(free)
            .min_by_key(|kind| (rules.kinds[*kind].is_final, *kind));
        let Some(next) = next else {
            let left = (0..ranks.len()).filter(|kind| ranks[*kind].is_none());
            let names = left.map(|kind| format!("`{}`", rules.kinds[kind].name));
            let names = names.collect::<Vec<_>>().join(", ");
            return Err(refuse(
                format!("{names}, which wait for one another in a view"),
                "let one of them read earlier views, or use `formulation: timed`",
            ));
        };
        ranks[next] = Some(place);
    }
    let ranks: Vec<usize> = ranks.into_iter().flatten().collect();
    for rule in &rules.rules {
        if let Some(kind) = unordered(rules, rule) {
            let construct = format!(
                "the last own `{}` read where one of the same view may be made before or after",
                rules.kind(kind).name
            );
            return Err(refuse(construct, "use `formulation: timed`"));
        }
    }
    Ok(ranks)
}

/// The kind whose last own record a rule reads though a replica may make one of the same view
/// before or after it.
fn unordered(rules: &Rules, rule: &Rule) -> Option<KindId> {
    let made = rule.makes()?;
    let last = |guard: &&Guard| guard.reads == Reads::LastOwn;
    let kinds = rule.guards().filter(last).flat_map(|it| &it.pattern.kinds);
    let mut kinds = kinds.copied();
    kinds.find(|&kind| {
        let mut both = [made, kind].into_iter();
        let primary = rule.who == By::Primary || both.any(|it| rules.kind(it).by == By::Primary);
        let behind = Behind { rules, primary };
        let mut makes = rules.rules.iter().filter(|it| it.makes() == Some(kind));
        // What any view's rule makes has columns for when it is made.
        let of_any_view = makes.all(|it| !has_value(it) || it.scope == Scope::Height);
        kind != made
            && !of_any_view
            && !behind.is_behind(kind, made, &has_value)
            && !behind.is_behind(made, kind, &|_| true)
    })
}

/// Whether a rule makes a value: no other record is a last one.
fn has_value(rule: &Rule) -> bool {
    !matches!(rule.head, Head::Make { value, .. } if value == Made::Nil)
}

/// What a replica makes behind what in one view.
struct Behind<'a> {
    rules: &'a Rules,
    /// Whether it is the primary of that view: what it reads of the primary is its own.
    primary: bool,
}

impl Behind<'_> {
    /// Whether a replica makes such records of `then` only behind its own of `first` in that view, or
    /// none of `first` after one of `then`.
    fn is_behind(&self, then: KindId, first: KindId, counts: &dyn Fn(&Rule) -> bool) -> bool {
        ends(self.rules, then.0, first.0)
            || self.rests_on(then, first, counts, &mut BTreeSet::new())
    }

    /// Whether every such rule that makes `then` needs an own record of `first` of its view, or one
    /// that does.
    fn rests_on(
        &self,
        then: KindId,
        first: KindId,
        counts: &dyn Fn(&Rule) -> bool,
        seen: &mut BTreeSet<KindId>,
    ) -> bool {
        if then == first {
            return true;
        }
        if !seen.insert(then) {
            return false;
        }
        let own = |guard: &&Guard| {
            let reads = match guard.reads {
                Reads::Own | Reads::LastOwn => true,
                Reads::Primary => self.primary,
                Reads::Senders(_) => false,
            };
            reads && guard.pattern.view == Views::Own
        };
        let rules = self.rules.rules.iter();
        let makes = rules.filter(|rule| rule.makes() == Some(then));
        let all = makes.filter(|rule| counts(rule)).all(|rule| {
            needed(self.rules, rule).filter(own).any(|guard| {
                let mut kinds = guard.pattern.kinds.iter();
                kinds.all(|&kind| self.rests_on(kind, first, &|_| true, seen))
            })
        });
        seen.remove(&then);
        all
    }
}

impl Edges {
    /// Who needs records of a kind in the same view comes after it, and so does who forbids it. Of
    /// two that forbid each other the one comes first of which no record is made after the other.
    fn of(rules: &Rules) -> Result<Self, String> {
        let mut before = vec![BTreeSet::new(); rules.kinds.len()];
        let mut forbids = BTreeSet::new();
        for rule in &rules.rules {
            for (message, kind) in carried(rule) {
                before[message.0].insert(kind.0);
            }
            let Some(made) = rule.makes().filter(|_| !adopts(rules, rule)) else {
                continue;
            };
            for guard in needed(rules, rule).filter(|guard| reads_here(guard)) {
                for kind in &guard.pattern.kinds {
                    if *kind == made {
                        let name = &rules.kind(made).name;
                        return Err(format!("`{name}` made of `{name}` of the same view"));
                    }
                    before[made.0].insert(kind.0);
                }
            }
            // Who decides does nothing more, so that whatever bars a decision came before; in a
            // chain it goes on.
            let stops = rules.kind(made).is_final && !rules.chain;
            let bars = rule.unless.iter().filter(|_| !stops);
            for guard in bars.filter(|guard| reads_here(guard)) {
                forbids.extend(guard.pattern.kinds.iter().map(|kind| (kind.0, made.0)));
            }
        }
        for rule in rules.rules.iter().filter(|it| it.head == Head::Enter) {
            for (first, then) in entered(rules, rule)? {
                before[then.0].insert(first.0);
            }
        }
        for &(kind, made) in forbids.iter().filter(|(kind, made)| kind != made) {
            if !forbids.contains(&(made, kind)) {
                before[kind].insert(made);
            } else if made < kind {
                let (first, then) = match (ends(rules, kind, made), ends(rules, made, kind)) {
                    // Nobody makes both in a view: either may come first.
                    (true, true) if reaches(&before, kind, made) => (kind, made),
                    (true, _) => (made, kind),
                    (_, true) => (kind, made),
                    _ => {
                        let name = |kind: usize| &rules.kinds[kind].name;
                        let (one, other) = (name(made), name(kind));
                        return Err(format!(
                            "`{one}` and `{other}`, of which each bars the other by some rules"
                        ));
                    }
                };
                before[then].insert(first);
            }
        }
        Ok(Self { before })
    }
}

/// Whether `first` comes before `then`, where `before` has what comes right before each.
fn reaches(before: &[BTreeSet<usize>], first: usize, then: usize) -> bool {
    let (mut seen, mut open) = (BTreeSet::<usize>::new(), vec![then]);
    while let Some(kind) = open.pop() {
        if kind == first {
            return true;
        }
        let new = before[kind].iter().filter(|it| !seen.contains(*it));
        let new: Vec<usize> = new.copied().collect();
        seen.extend(&new);
        open.extend(new);
    }
    false
}

/// Who enters a view by records of it makes all of its own behind them: the kinds of both.
fn entered(rules: &Rules, rule: &Rule) -> Result<Vec<(KindId, KindId)>, String> {
    let read = rule.when.iter().filter(|guard| reads_here(guard));
    let read: BTreeSet<KindId> = read.flat_map(|it| it.pattern.kinds.clone()).collect();
    let backups = follows_primary(rules, rule);
    let enters = |who: By| match (rule.who, who) {
        (_, By::Primary) if backups => false,
        (By::Any, _) | (_, By::Any) => true,
        (one, other) => one == other,
    };
    let mut pairs = Vec::new();
    for other in rules.rules.iter().filter(|it| it.scope == Scope::View) {
        let Some(made) = other.makes().filter(|made| {
            let by = rules.kind(*made).by;
            enters(other.who) && enters(by)
        }) else {
            continue;
        };
        if read.contains(&made) {
            let name = &rules.kind(made).name;
            return Err(format!(
                "a view entered by `{name}` of replicas that may enter so themselves"
            ));
        }
        pairs.extend(read.iter().map(|&first| (first, made)));
    }
    Ok(pairs)
}

/// The kinds of a view that travel with a message of that view, which they come before.
fn carried(rule: &Rule) -> impl Iterator<Item = (KindId, KindId)> {
    let message = rule.when.iter().find(|it| is_message(it));
    let proofs = rule.when.iter().filter(|it| it.proof);
    let pairs = proofs.filter_map(move |proof| message.map(|message| (message, proof)));
    let of_one_view = pairs.filter(|(message, proof)| {
        let same = message.pattern.view == proof.pattern.view;
        same || (reads_here(message) && reads_here(proof))
    });
    of_one_view.flat_map(|(message, proof)| {
        let kinds = message.pattern.kinds.iter();
        kinds.flat_map(|&message| {
            let carried = proof.pattern.kinds.iter().filter(move |it| **it != message);
            carried.map(move |&kind| (message, kind))
        })
    })
}

/// Refuses what would have to travel with a message and may come after it.
pub(super) fn refuse_late(ground: &Ground, formulation: &'static str) -> Result<(), Error> {
    let level = |record: &Record| (record.view, ground.ranks[record.kind.0]);
    for act in ground.all() {
        for Proof { of, with } in &act.proofs {
            let last = of.taken(ground).iter().map(level).max();
            let first = with.taken(ground).iter().map(level).min();
            if last >= first {
                let rules = &ground.setting.rules;
                let rule = rules.text(&rules.rules[act.rule]);
                return Err(Error::Unsupported {
                    formulation,
                    construct: format!("a proof that may come after its message (rule `{rule}`)"),
                    hint: "let it read earlier views, or kinds that the message waits for".into(),
                });
            }
        }
    }
    Ok(())
}

/// Whether an own record of a kind bars every rule that makes the other in its view.
fn ends(rules: &Rules, kind: usize, other: usize) -> bool {
    let whole = |guard: &Guard| {
        let Pattern {
            value,
            justification,
            ..
        } = guard.pattern;
        let all = (value, justification) == (Values::Any, Justified::Any);
        all && reads_here(guard)
            && guard.reads == Reads::Own
            && guard.pattern.kinds.contains(&KindId(kind))
    };
    let mut makes = rules
        .rules
        .iter()
        .filter(|rule| rule.makes() == Some(KindId(other)));
    makes.all(|rule| adopts(rules, rule) || rule.unless.iter().any(whole))
}

/// What a rule needs, what starts its timer included, but by a record such as it makes itself.
fn needed<'a>(rules: &'a Rules, rule: &'a Rule) -> impl Iterator<Item = &'a Guard> {
    let timer = match rule.mode {
        Mode::Timer(timer) => Some(timer),
        Mode::Must | Mode::May => None,
    };
    let starts = timer.into_iter().flat_map(|timer| starts(rules, timer));
    let before = starts.filter(|start| {
        let mut guards = start.when.iter();
        !guards.any(|it| it.reads == Reads::Own && it.pattern.kinds.iter().eq(rule.makes().iter()))
    });
    rule.when.iter().chain(before.flat_map(|start| &start.when))
}
