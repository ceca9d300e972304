//! The rules of a protocol file as a list of this module's constructs, where they say no more than
//! those can. Everything else is refused by its text and line.

#[cfg(test)]
mod tests;

use super::{
    About, Duration, Enter, Event, Excludes, Keeps, Modality, Protocol, Range, Requires, Rule,
    Scope, Threshold, Who, kept, snake,
};
use crate::error::Error;
use milp_schema::{
    Kind, Protocol as Words,
    formula::Duration as Lasts,
    protocol::{
        Condition, Counts, Goes, Guard, Head, Justified, KindId, Made, Mode, Number, Position,
        Reads, RecordKind, Rule as Stated, Rules, Scope as Where, ValueField, Values, Views,
    },
    vocabulary::{Ahead, Passed},
};

/// The list of the rules of a protocol, or of a mutant of it, to be read by a formulation; or
/// [`Error::Unsupported`] with the first kind or rule that says what a list cannot, and its line.
pub(crate) fn of(by: &'static str, words: Words, rules: &Rules) -> Result<Protocol, Error> {
    let refused = |at: Position, construct: String| Error::Unsupported {
        formulation: by,
        construct: format!("`{construct}` (line {} of the file of `{words}`)", at.line),
        hint: "use `formulation: levels`".to_owned(),
    };
    let rule = |stated: &Stated| refused(stated.at, rules.text(stated));
    let file = File(words, rules);
    for kind in &rules.kinds {
        let key = file.more(kind).map(|key| format!("{}: {key}", kind.name));
        key.map_or(Ok(()), |key| Err(refused(kind.at, key)))?;
    }
    let mut ways = rules.rules.iter().filter(|it| it.head == Head::Enter);
    let way = ways.next().unwrap_or(&rules.rules[0]);
    let enter = file.enter(way).ok_or_else(|| rule(way))?;
    let mut list = vec![(triggered_by(way), Rule::Enter(enter.clone()))];
    for stated in &rules.rules {
        if let Head::Make { kind, value, .. } = stated.head {
            let event = file.event(stated, kind, value, &enter);
            let added = event.and_then(|event| add(&mut list, triggered_by(stated), event));
            added.ok_or_else(|| rule(stated))?;
        }
    }
    // What a copy triggers, in the order in which copies are handled, then what a timer does.
    list.sort_by_key(|(last, _)| *last);
    let list = list.into_iter().map(|(_, rule)| rule).collect();
    Ok(Protocol::new(words, list))
}

struct File<'a>(Words, &'a Rules);

impl File<'_> {
    /// The key of a kind that says more than a list can.
    fn more(&self, kind: &RecordKind) -> Option<&'static str> {
        // A copy waits until its receiver is in its view if what it is for is done there.
        let any_view = |it: &Stated| it.makes().is_none() || it.scope == Where::Height;
        let waits = |it: &&Stated| any_view(it) != (kind.ahead == Ahead::Take);
        let mut waiting = self.1.rules.iter().filter(waits).flat_map(taken);
        let lost = kind.ahead == Ahead::Lose || kind.is_final && kind.passed == Passed::Ignore;
        Some(match kind.goes {
            Goes::Kept => "kept",
            Goes::Recovery => return None,
            _ if kind.value == ValueField::Any => "names: any_value",
            _ if kind.justified || self.1.chain => "justified",
            _ if kind.counts == Counts::First => "counts: first",
            _ if lost || waiting.any(|id| self.1.kind(id) == kind) => "ahead",
            Goes::Sent => return None,
        })
    }

    /// The event that makes records of a kind.
    fn name(&self, id: KindId) -> &'static str {
        kept(snake(&self.1.kind(id).name))
    }

    /// The step into a view: a rule for the highest view, and the same for the next one.
    fn enter(&self, stated: &Stated) -> Option<Enter> {
        let enters = |it: &&Stated| [Head::Enter, Head::Skip].contains(&it.head);
        let mut skip = stated.clone();
        skip.head = Head::Skip;
        let both = self.1.rules.iter().filter(enters).eq([&skip, stated]);
        let both = both && stated.mode == Mode::Must;
        let excludes = self.excludes(stated, &[])?;
        match self.requires(stated)?.as_slice() {
            [Requires::Tally { of, at_least }] if both => Some(Enter {
                line: kept(format!("{} {}", self.0, stated.lines)),
                of: of[0],
                at_least: *at_least,
                modality: Modality::Must,
                excludes: excludes.iter().map(|own| own.event).collect(),
                keeps: Keeps::Height,
            }),
            _ => None,
        }
    }

    /// What forbids a rule, perhaps itself; `locks` forbid to enter a view.
    fn excludes(&self, stated: &Stated, locks: &[&str]) -> Option<Vec<Excludes>> {
        let mut excludes = Vec::new();
        for guard in &stated.unless {
            let (view, id) = own(guard)?;
            let event = self.name(id);
            let range = match (view, stated.makes()) {
                (Views::Own, Some(_)) => Range::View,
                (Views::UpTo, Some(_)) => Range::Height,
                (Views::Before, made) if made.is_none_or(|made| made == id) => Range::Height,
                // Who has such a record stays in its view.
                (Views::Before, _) if locks.contains(&event) => continue,
                _ => return None,
            };
            excludes.push(Excludes { event, range });
        }
        Some(excludes)
    }

    fn event(&self, stated: &Stated, id: KindId, value: Made, enter: &Enter) -> Option<Event> {
        let (decides, any_view) = (self.1.kind(id).is_final, stated.scope == Where::Height);
        let names = [self.name(id), "decide", "adopt"];
        let event = names[usize::from(decides) + usize::from(any_view)];
        let line = kept(format!("{} {}", self.0, stated.lines));
        let range = Range::Height;
        let mut excludes = self.excludes(stated, &enter.excludes)?;
        let once = decides || excludes.contains(&Excludes { event, range });
        excludes.retain(|own| own.event != event);
        let x = |guard: &Guard| guard.pattern.value == Values::X;
        let must = (stated.mode == Mode::Must).then_some(Modality::Must);
        let done = must.or_else(|| self.on_timer(stated))?;
        let who = (stated.conditions.is_empty() && decides >= any_view).then_some(stated.who)?;
        Some(Event {
            who,
            about: match value {
                Made::None => About::View,
                _ if stated.when.iter().any(x) => About::Block,
                _ => About::Proposal,
            },
            once: [Range::View, Range::Height][usize::from(once)],
            scope: [Scope::View, Scope::Height][usize::from(any_view)],
            requires: self.requires(stated)?,
            excludes,
            decides,
            ..Event::new(event, line, Some(self.0.the(&self.1.kind(id).name)), done)
        })
    }

    fn requires(&self, stated: &Stated) -> Option<Vec<Requires>> {
        let view = stated.makes().map_or(Views::From(1), |_| Views::Own);
        let requirement = |guard: &Guard| {
            let (kinds, x) = (&guard.pattern.kinds, guard.pattern.value == Values::X);
            let sent = |id: &KindId| self.0.the(&self.1.kind(*id).name);
            let of: Vec<Kind> = kinds.iter().map(sent).collect();
            let as_primary = own(guard).is_some() && stated.who == Who::Primary;
            let mut names = kinds.iter().map(|id| self.name(*id));
            let (first, any) = (self.1.kind(kinds[0]), stated.scope == Where::Height);
            Some(match (&guard.reads, of.as_slice()) {
                _ if !plain(guard) || guard.pattern.view != view => return None,
                (Reads::Senders(Number::Exactly(1)), [of]) if any => Requires::HeldFromAnother(*of),
                _ if any => return None,
                (Reads::Senders(number), _) if x || first.value == ValueField::None => {
                    let at_least = Threshold::of(self.1.count(number))?;
                    Requires::Tally { of, at_least }
                }
                (Reads::Primary, [of]) if x && first.by == Who::Primary => Requires::Held(*of),
                (Reads::Own, _) if x => Requires::Own(names.collect()),
                _ if as_primary => Requires::OwnAsPrimary(names.next()?),
                _ => return None,
            })
        };
        stated.when.iter().map(requirement).collect()
    }

    /// When a timer does a rule. The first firing in a view does what needs no own record, the next
    /// one what needs that of the first.
    fn on_timer(&self, stated: &Stated) -> Option<Modality> {
        let meets = |it: &&Stated| [stated.who, Who::Any].contains(&it.who);
        let rules: Vec<&Stated> = self.1.rules.iter().filter(meets).collect();
        let turns = rules.iter().filter(|it| matches!(it.mode, Mode::Timer(_)));
        let turns: Vec<&Stated> = turns.copied().collect();
        let turn = turns.iter().position(|it| *it == stated)?;
        let all = [None, turns[0].makes()];
        let needs = all.get(..=turn)?;
        let own = |rules: &[&Stated]| rules.iter().map(|it| made_before(it)).collect::<Vec<_>>();
        let mut known = all.starts_with(&own(&turns)) && self.1.timers.len() == 1;
        let mut after = [Lasts::default(); 2];
        for (view, at) in [Condition::At(0), Condition::After(0)].iter().enumerate() {
            let mut arms = rules.clone();
            arms.retain(|it| matches!(it.head, Head::Arm { .. } | Head::Stop { .. }));
            arms.retain(|it| it.conditions.iter().all(|it| it == at));
            arms.retain(|it| needs.contains(&made_before(it)));
            for (arm, own) in arms.iter().zip(own(&arms)) {
                let asks = arm.when.len() + arm.unless.len() - usize::from(own.is_some());
                let (Head::Arm { lasts, .. }, 0) = (arm.head.clone(), asks) else {
                    return None;
                };
                after[view].constant += lasts?.constant;
                after[view].per_view += lasts?.per_view;
                after[view].doubling += lasts?.doubling;
            }
            known &= own(&arms) == needs;
        }
        let after = Duration::Fixed(after);
        (known && stated.who != Who::Any).then_some(Modality::Timer { after })
    }
}

/// The kinds of which a rule reads records that others sent.
fn taken(stated: &Stated) -> impl Iterator<Item = KindId> {
    let others = |it: &&Guard| matches!(it.reads, Reads::Primary | Reads::Senders(_));
    let guards = stated.when.iter().filter(others);
    guards.flat_map(|guard| guard.pattern.kinds.iter().copied())
}

fn plain(guard: &Guard) -> bool {
    !guard.proof && !guard.each && guard.pattern.justification == Justified::Any
}

/// What `own KIND(view, *)` reads.
fn own(guard: &Guard) -> Option<(Views, KindId)> {
    let whole = plain(guard) && guard.reads == Reads::Own && guard.pattern.value == Values::Any;
    let one = whole && guard.pattern.kinds.len() == 1;
    one.then_some((guard.pattern.view, guard.pattern.kinds[0]))
}

/// The kind of the own record of its view that a rule needs.
fn made_before(stated: &Stated) -> Option<KindId> {
    let (view, id) = stated.when.iter().find_map(own)?;
    (view == Views::Own).then_some(id)
}

/// The last kind of which a copy may enable a rule.
fn triggered_by(stated: &Stated) -> usize {
    let last = taken(stated).max().filter(|_| stated.mode == Mode::Must);
    last.map_or(usize::MAX, |id| id.0)
}

/// Adds an event; one of the primary, that may need more, goes to the same one of backups.
fn add(list: &mut Vec<(usize, Rule)>, last: usize, event: Event) -> Option<()> {
    let same = |it: &&mut (_, Rule)| matches!(&it.1, Rule::Event(it) if it.name == event.name);
    let Some((_, Rule::Event(backup))) = list.iter_mut().find(same) else {
        list.push((last, Rule::Event(event)));
        return Some(());
    };
    let mut less = event.clone();
    let more = |it: &Requires| matches!(it, Requires::OwnAsPrimary(_));
    less.requires.retain(|it| !more(it));
    less.who = Who::Backup;
    *backup = (less == *backup && event.who == Who::Primary).then_some(event)?;
    backup.who = Who::Any;
    Some(())
}
