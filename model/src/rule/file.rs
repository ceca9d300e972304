//! The rules of a protocol file as a list of this module's constructs, where they say no more than
//! those can. Everything else is refused by its text and line.

#[cfg(test)]
mod tests;

use super::{
    About, Channel, Checked, Duration, Enter, Event, Excludes, Keeps, Modality, Protocol, Range,
    Requires, Rule, Scope, Threshold, Who, snake,
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
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// The list of the rules of a protocol, or of a mutant of it, for the formulation of that name.
///
/// # Errors
/// [`Error::Unsupported`] with the first construct that a list cannot have, and its line.
pub fn of(formulation: &'static str, words: Words, rules: &Rules) -> Result<Protocol, Error> {
    let file = File(formulation, words, rules);
    rules.kinds.iter().try_for_each(|kind| file.kind(kind))?;
    let enter = file.enter()?;
    let mut events: Vec<(u32, Event)> = Vec::new();
    for stated in &rules.rules {
        if let Head::Make { kind, value, .. } = stated.head {
            let event = file.event(stated, kind, value, &enter)?;
            match events.iter_mut().find(|(_, it)| it.name == event.name) {
                None => events.push((file.triggered_by(stated), event)),
                Some((_, first)) => {
                    *first = joined(first, event).ok_or_else(|| file.rule(stated))?;
                }
            }
        }
    }
    // What a copy triggers, in the order in which copies are handled, then what a timer does.
    let mut list = vec![(enter.of.rank(), Rule::Enter(enter))];
    list.extend(events.into_iter().map(|(by, it)| (by, Rule::Event(it))));
    list.sort_by_key(|(by, _)| *by);
    let kinds = rules.kinds.iter().filter(|kind| kind.goes == Goes::Sent);
    let channel = |kind: &RecordKind| Channel {
        kind: words.the(&kind.name),
        forgeable: !kind.is_final,
        lost_ahead: false,
        pool: words.pools(),
    };
    let mut channels: Vec<Channel> = kinds.map(channel).collect();
    // Decisions last: nobody forges their certificates.
    channels.sort_by_key(|channel| !channel.forgeable);
    Ok(Protocol {
        name: words.name.clone(),
        rotation: words.primary,
        channels,
        rules: list.into_iter().map(|(_, rule)| rule).collect(),
    })
}

/// The formulation, and what it reads.
#[derive(Clone, Copy)]
struct File<'a>(&'static str, Words, &'a Rules);

impl File<'_> {
    fn refused(self, at: Position, construct: &str) -> Error {
        let Self(formulation, words, _) = self;
        Error::Unsupported {
            formulation,
            construct: format!("`{construct}` (line {} of the file of `{words}`)", at.line),
            hint: "use `formulation: levels`".to_owned(),
        }
    }

    fn rule(self, stated: &Stated) -> Error {
        self.refused(stated.at, &self.2.text(stated))
    }

    fn guard(self, guard: &Guard) -> Error {
        self.refused(guard.at, &self.2.guard_text(guard))
    }

    fn kind(self, kind: &RecordKind) -> Result<(), Error> {
        // A copy waits until its receiver is in its view if what it is for is done there.
        let any_view = |it: &Stated| it.makes().is_none() || it.scope == Where::Height;
        let takes = kind.ahead == Ahead::Take;
        let mut readers = self.2.rules.iter().filter(|it| {
            let reads = |id| self.2.kind(id) == kind;
            taken(it).any(reads)
        });
        let lost = kind.ahead == Ahead::Lose || kind.is_final && kind.passed == Passed::Ignore;
        let constructs = [
            (kind.goes == Goes::Kept, "kept"),
            (kind.value == ValueField::Any, "names: any_value"),
            (kind.justified || self.2.chain, "justified"),
            (kind.counts == Counts::First, "counts: first"),
            (lost || readers.any(|it| any_view(it) != takes), "ahead"),
        ];
        let mut found = constructs
            .iter()
            .filter(|(is, _)| *is && kind.goes != Goes::Recovery);
        let key = found.next();
        key.map_or(Ok(()), |(_, key)| {
            Err(self.refused(kind.at, &format!("{}: {key}", kind.name)))
        })
    }

    fn sent(self, id: KindId) -> Kind {
        self.1.the(&self.2.kind(id).name)
    }

    /// The event that makes records of a kind.
    fn name(self, id: KindId) -> &'static str {
        kept(snake(&self.2.kind(id).name))
    }

    fn line(self, stated: &Stated) -> &'static str {
        kept(format!("{} {}", self.1, stated.lines))
    }

    /// The last kind of which a copy may enable a rule.
    fn triggered_by(self, stated: &Stated) -> u32 {
        let last = taken(stated).max().filter(|_| stated.mode == Mode::Must);
        last.map_or(u32::MAX, |id| self.sent(id).rank())
    }

    /// The step into a view: one rule for the next view, and the same for later ones.
    fn enter(self) -> Result<Enter, Error> {
        let ways = self
            .2
            .rules
            .iter()
            .filter(|it| matches!(it.head, Head::Enter | Head::Skip));
        let ways: Vec<&Stated> = ways.collect();
        let enter = ways.first().copied().unwrap_or(&self.2.rules[0]);
        let head = Head::Skip;
        let same = ways.contains(&&Stated {
            head,
            ..enter.clone()
        }) && ways.len() == 2;
        let requires = enter.when.iter().map(|it| self.requirement(enter, it));
        let requires: Vec<Requires> = requires.collect::<Result<_, _>>()?;
        match requires.as_slice() {
            [Requires::Tally { of, at_least }] if same && enter.mode == Mode::Must => Ok(Enter {
                line: self.line(enter),
                of: of[0],
                at_least: *at_least,
                modality: Modality::Must,
                excludes: self
                    .excludes(enter, &[])?
                    .into_iter()
                    .map(|own| own.event)
                    .collect(),
                keeps: Keeps::Height,
            }),
            _ => Err(self.rule(enter)),
        }
    }

    /// What forbids a rule; `locks` forbid to enter a view. A rule may forbid itself.
    fn excludes(self, stated: &Stated, locks: &[&str]) -> Result<Vec<Excludes>, Error> {
        let mut excludes = Vec::new();
        let made = stated.makes();
        for guard in &stated.unless {
            let (view, kinds) = own(guard).ok_or_else(|| self.guard(guard))?;
            for id in kinds {
                let event = self.name(*id);
                let range = match view {
                    Views::Own if made.is_some() => Range::View,
                    Views::UpTo if made.is_some() => Range::Height,
                    Views::Before if made.is_none_or(|made| made == *id) => Range::Height,
                    // Who has such a record stays in its view.
                    Views::Before if locks.contains(&event) => continue,
                    _ => return Err(self.guard(guard)),
                };
                excludes.push(Excludes { event, range });
            }
        }
        Ok(excludes)
    }

    fn event(
        self,
        stated: &Stated,
        id: KindId,
        value: Made,
        enter: &Enter,
    ) -> Result<Event, Error> {
        let decides = self.2.kind(id).is_final;
        let any_view = stated.scope == Where::Height;
        let name = match (decides, any_view) {
            (true, true) => "adopt",
            (true, false) => "decide",
            (false, false) if stated.conditions.is_empty() => self.name(id),
            _ => return Err(self.rule(stated)),
        };
        let bound = stated
            .when
            .iter()
            .any(|guard| guard.pattern.value == Values::X);
        let requires = stated.when.iter().map(|it| self.requirement(stated, it));
        let mut excludes = self.excludes(stated, &enter.excludes)?;
        let itself = excludes
            .iter()
            .any(|it| it.event == name && it.range == Range::Height);
        excludes.retain(|it| it.event != name);
        Ok(Event {
            name,
            line: self.line(stated),
            broadcasts: Some(self.sent(id)),
            who: stated.who,
            about: match value {
                Made::None => About::View,
                Made::X if bound => About::Block,
                Made::X => About::Proposal,
                Made::Nil => return Err(self.rule(stated)),
            },
            once: if decides || itself {
                Range::Height
            } else {
                Range::View
            },
            scope: if any_view { Scope::Height } else { Scope::View },
            modality: match stated.mode {
                Mode::Must => Modality::Must,
                Mode::May => return Err(self.rule(stated)),
                Mode::Timer(_) => Modality::Timer {
                    after: self.after(stated)?,
                },
            },
            requires: requires.collect::<Result<_, _>>()?,
            checked: Checked::Always,
            excludes,
            decides,
        })
    }

    fn requirement(self, stated: &Stated, guard: &Guard) -> Result<Requires, Error> {
        let (kinds, x) = (&guard.pattern.kinds, guard.pattern.value == Values::X);
        let of: Vec<Kind> = kinds.iter().map(|id| self.sent(*id)).collect();
        let first = self.2.kind(kinds[0]);
        let view = if stated.makes().is_some() {
            Views::Own
        } else {
            Views::From(1)
        };
        let any_view = stated.scope == Where::Height;
        let primary = stated.who == Who::Primary && made_before(stated) == Some(kinds[0]);
        Ok(match (&guard.reads, of.as_slice()) {
            _ if !plain(guard) || guard.pattern.view != view => return Err(self.guard(guard)),
            (Reads::Senders(Number::Exactly(1)), [of]) if any_view => {
                Requires::HeldFromAnother(*of)
            }
            _ if any_view => return Err(self.guard(guard)),
            (Reads::Senders(number), _) if x || first.value == ValueField::None => {
                let at_least = self.threshold(number).ok_or_else(|| self.guard(guard))?;
                Requires::Tally { of, at_least }
            }
            (Reads::Primary, [of]) if x && first.by == Who::Primary => Requires::Held(*of),
            (Reads::Own, _) if x => Requires::Own(kinds.iter().map(|id| self.name(*id)).collect()),
            (Reads::Own, [_]) if primary => Requires::OwnAsPrimary(self.name(kinds[0])),
            _ => return Err(self.guard(guard)),
        })
    }

    fn threshold(self, number: &Number) -> Option<Threshold> {
        let count = self.2.count(number);
        match (count.n, count.f, count.constant, count.divisor) {
            (1, -1, 0, 1) => Some(Threshold::Quorum),
            (1, -1, -1, 1) => Some(Threshold::QuorumLessOne),
            (0, 1, 1, 1) => Some(Threshold::MoreThanF),
            _ => None,
        }
    }

    /// The time from the entry into a view to the firing that does a rule: the first one does what
    /// needs no own record, the next one what needs that of the first.
    fn after(self, stated: &Stated) -> Result<Duration, Error> {
        let needs = made_before(stated);
        let any = |who: Who| who == Who::Any || who == stated.who;
        let rules = self
            .2
            .rules
            .iter()
            .filter(|it| any(it.who) || stated.who == Who::Any);
        let fires = |it: &&Stated| matches!(it.mode, Mode::Timer(_));
        let turns: Vec<&Stated> = rules.clone().filter(fires).collect();
        let in_turn = match turns.as_slice() {
            [first] => made_before(first).is_none(),
            [first, next] => made_before(first).is_none() && made_before(next) == first.makes(),
            _ => false,
        };
        let (mut after, mut starts) = ([Lasts::default(); 2], [vec![], vec![]]);
        for arm in rules {
            let own = made_before(arm);
            let only = arm.when.len() == usize::from(own.is_some()) && arm.unless.is_empty();
            let (lasts, views) = match (&arm.head, arm.conditions.as_slice()) {
                (Head::Arm { lasts, .. }, []) => (lasts, 0..=1),
                (Head::Arm { lasts, .. }, [Condition::At(0)]) => (lasts, 0..=0),
                (Head::Arm { lasts, .. }, [Condition::After(0)]) => (lasts, 1..=1),
                (Head::Arm { .. } | Head::Stop { .. }, _) => return Err(self.rule(arm)),
                _ => continue,
            };
            // None is below 0 in a view.
            let grows =
                |it: &Lasts| it.constant + it.doubling >= 0 && it.doubling.min(it.per_view) >= 0;
            let lasts = lasts
                .filter(|it| only && grows(it))
                .ok_or_else(|| self.rule(arm))?;
            for view in views.filter(|_| own.is_none() || own == needs) {
                starts[view].push(own);
                after[view].constant += lasts.constant;
                after[view].per_view += lasts.per_view;
                after[view].doubling += lasts.doubling;
            }
        }
        let once = if needs.is_some() {
            vec![None, needs]
        } else {
            vec![None]
        };
        let known = in_turn && self.2.timers.len() == 1 && starts.iter().all(|it| *it == once);
        known
            .then_some(Duration::Fixed(after))
            .ok_or_else(|| self.rule(stated))
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
fn own(guard: &Guard) -> Option<(Views, &[KindId])> {
    let whole = plain(guard) && guard.reads == Reads::Own && guard.pattern.value == Values::Any;
    whole.then_some((guard.pattern.view, &guard.pattern.kinds))
}

/// The kind of the own record of its view that a rule needs.
fn made_before(stated: &Stated) -> Option<KindId> {
    stated.when.iter().find_map(|guard| match own(guard) {
        Some((Views::Own, [kind])) => Some(*kind),
        _ => None,
    })
}

/// One event of a rule of backups and one of the primary, which may ask for an own record more.
fn joined(backup: &Event, primary: Event) -> Option<Event> {
    let mut less = primary.clone();
    less.requires
        .retain(|it| !matches!(it, Requires::OwnAsPrimary(_)));
    less.who = Who::Backup;
    let who = Who::Any;
    (less == *backup && primary.who == Who::Primary).then_some(Event { who, ..primary })
}

/// A text that the program keeps from now on, once.
fn kept(text: String) -> &'static str {
    static KEPT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept.get(text.as_str()).copied();
    let text = known.unwrap_or_else(|| text.leak());
    kept.insert(text);
    text
}
