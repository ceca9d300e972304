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
    let mut list: Vec<(u32, Event)> = Vec::new();
    for stated in &rules.rules {
        if let Head::Make { kind, value, .. } = stated.head {
            let event = file.event(stated, kind, value, &enter)?;
            match list.iter_mut().find(|(_, it)| it.name == event.name) {
                None => list.push((file.triggered_by(stated), event)),
                Some((_, backup)) => join(backup, event).ok_or_else(|| file.rule(stated))?,
            }
        }
    }
    // What a copy triggers, in the order in which copies are handled, then what a timer does.
    list.sort_by_key(|(by, _)| *by);
    let before = list.partition_point(|(by, _)| *by < enter.of.rank());
    let mut list: Vec<Rule> = list.into_iter().map(|(_, it)| Rule::Event(it)).collect();
    list.insert(before, Rule::Enter(enter));
    let sent = rules.kinds.iter().filter(|kind| kind.goes == Goes::Sent);
    let channel = |kind: &RecordKind| Channel {
        kind: words.the(&kind.name),
        forgeable: !kind.is_final,
        lost_ahead: false,
        pool: words.pools(),
    };
    let mut channels: Vec<Channel> = sent.map(channel).collect();
    // Decisions last: nobody forges their certificates.
    channels.sort_by_key(|channel| !channel.forgeable);
    Ok(Protocol {
        name: words.name.clone(),
        rotation: words.primary,
        channels,
        rules: list,
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
        let mut rules = self.2.rules.iter();
        let reads = |it: &Stated| taken(it).any(|id| self.2.kind(id) == kind);
        // A copy waits until its receiver is in its view if what it is for is done there.
        let any_view = |it: &Stated| it.makes().is_none() || it.scope == Where::Height;
        let waits = |it: &Stated| any_view(it) != (kind.ahead == Ahead::Take);
        let lost = kind.ahead == Ahead::Lose || kind.is_final && kind.passed == Passed::Ignore;
        let constructs = [
            (kind.goes == Goes::Kept, "kept"),
            (kind.value == ValueField::Any, "names: any_value"),
            (kind.justified || self.2.chain, "justified"),
            (kind.counts == Counts::First, "counts: first"),
            (lost || rules.any(|it| reads(it) && waits(it)), "ahead"),
        ];
        match constructs.iter().find(|(is, _)| *is) {
            Some((_, key)) if kind.goes != Goes::Recovery => {
                Err(self.refused(kind.at, &format!("{}: {key}", kind.name)))
            }
            _ => Ok(()),
        }
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
        let (rules, head) = (&self.2.rules, Head::Skip);
        let entering = |it: &&Stated| [Head::Enter, Head::Skip].contains(&it.head);
        let ways: Vec<&Stated> = rules.iter().filter(entering).collect();
        let enter = *ways.first().unwrap_or(&&rules[0]);
        let later = Stated {
            head,
            ..enter.clone()
        };
        let same = ways.get(1..) == Some(&[&later]) && enter.mode == Mode::Must;
        let requires = self.requires(enter)?;
        let excludes = self.excludes(enter, &[])?;
        match requires.as_slice() {
            [Requires::Tally { of, at_least }] if same => Ok(Enter {
                line: self.line(enter),
                of: of[0],
                at_least: *at_least,
                modality: Modality::Must,
                excludes: excludes.iter().map(|own| own.event).collect(),
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

    fn event(self, stated: &Stated, id: KindId, x: Made, enter: &Enter) -> Result<Event, Error> {
        let decides = self.2.kind(id).is_final;
        let any_view = stated.scope == Where::Height;
        let free = stated.mode == Mode::May || x == Made::Nil || !stated.conditions.is_empty();
        let name = match (decides, any_view) {
            (true, true) if !free => "adopt",
            (true, false) if !free => "decide",
            (false, false) if !free => self.name(id),
            _ => return Err(self.rule(stated)),
        };
        let bound = stated.when.iter().any(names_x);
        let mut excludes = self.excludes(stated, &enter.excludes)?;
        let height = |it: &Excludes| it.event == name && it.range == Range::Height;
        let once =
            [Range::View, Range::Height][usize::from(decides || excludes.iter().any(height))];
        excludes.retain(|it| it.event != name);
        Ok(Event {
            name,
            line: self.line(stated),
            broadcasts: Some(self.sent(id)),
            who: stated.who,
            about: match x {
                Made::X if bound => About::Block,
                Made::X => About::Proposal,
                _ => About::View,
            },
            once,
            scope: if any_view { Scope::Height } else { Scope::View },
            modality: match self.after(stated)? {
                Some(after) => Modality::Timer { after },
                None => Modality::Must,
            },
            requires: self.requires(stated)?,
            checked: Checked::Always,
            excludes,
            decides,
        })
    }

    fn requires(self, stated: &Stated) -> Result<Vec<Requires>, Error> {
        let found = stated.when.iter().map(|guard| {
            let requirement = self.requirement(stated, guard);
            requirement.ok_or_else(|| self.guard(guard))
        });
        found.collect()
    }

    fn requirement(self, stated: &Stated, guard: &Guard) -> Option<Requires> {
        let (kinds, x) = (&guard.pattern.kinds, names_x(guard));
        let of: Vec<Kind> = kinds.iter().map(|id| self.sent(*id)).collect();
        let (own, first) = (made_before(stated), self.2.kind(kinds[0]));
        let view = stated.makes().map_or(Views::From(1), |_| Views::Own);
        Some(match (stated.scope, &guard.reads, of.as_slice()) {
            _ if !plain(guard) || guard.pattern.view != view => return None,
            (Where::Height, Reads::Senders(Number::Exactly(1)), [of]) => {
                Requires::HeldFromAnother(*of)
            }
            (Where::Height, ..) => return None,
            (_, Reads::Senders(number), _) if x || first.value == ValueField::None => {
                let at_least = Threshold::of(self.2.count(number))?;
                Requires::Tally { of, at_least }
            }
            (_, Reads::Primary, [of]) if x && first.by == Who::Primary => Requires::Held(*of),
            (_, Reads::Own, _) if x => {
                Requires::Own(kinds.iter().map(|id| self.name(*id)).collect())
            }
            (_, Reads::Own, _) if stated.who == Who::Primary => {
                Requires::OwnAsPrimary(self.name(own?))
            }
            _ => return None,
        })
    }

    /// The time from the entry into a view to the firing that does a rule: the first one does what
    /// needs no own record, the next one what needs that of the first.
    fn after(self, stated: &Stated) -> Result<Option<Duration>, Error> {
        if !fires(stated) {
            return Ok(None);
        }
        let needs = made_before(stated);
        let rules = || {
            self.2
                .rules
                .iter()
                .filter(|it| [stated.who, Who::Any].contains(&it.who))
        };
        let turns: Vec<&Stated> = rules().filter(|it| fires(it)).collect();
        let mut own = turns.iter().map(|it| made_before(it));
        let in_turn = own.next() == Some(None) && own.all(|own| own == turns[0].makes());
        if !in_turn || turns.len() > 2 || stated.who == Who::Any || self.2.timers.len() > 1 {
            return Err(self.rule(stated));
        }
        let mut after = [Lasts::default(); 2];
        for (sum, at) in after
            .iter_mut()
            .zip([Condition::At(0), Condition::After(0)])
        {
            let mut starts = BTreeSet::new();
            for arm in rules().filter(|it| it.conditions.iter().all(|it| *it == at)) {
                let own = made_before(arm);
                let asks = arm.when.len() + arm.unless.len() - usize::from(own.is_some());
                match arm.head {
                    Head::Arm { .. } if own.is_some() && own != needs => {}
                    Head::Arm {
                        lasts: Some(lasts), ..
                    } if asks == 0 && starts.insert(own) => {
                        sum.constant += lasts.constant;
                        sum.per_view += lasts.per_view;
                        sum.doubling += lasts.doubling;
                    }
                    Head::Arm { .. } | Head::Stop { .. } => return Err(self.rule(arm)),
                    _ => {}
                }
            }
            if starts.len()
                != turns
                    .iter()
                    .position(|it| *it == stated)
                    .map_or(0, |at| at + 1)
            {
                return Err(self.rule(stated));
            }
        }
        Ok(Some(Duration::Fixed(after)))
    }
}

/// The kinds of which a rule reads records that others sent.
fn taken(stated: &Stated) -> impl Iterator<Item = KindId> {
    let others = |it: &&Guard| matches!(it.reads, Reads::Primary | Reads::Senders(_));
    let guards = stated.when.iter().filter(others);
    guards.flat_map(|guard| guard.pattern.kinds.iter().copied())
}

fn fires(stated: &Stated) -> bool {
    matches!(stated.mode, Mode::Timer(_))
}

fn names_x(guard: &Guard) -> bool {
    guard.pattern.value == Values::X
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

/// Puts an event of the primary, which may need an own record more, to the same one of backups.
fn join(backup: &mut Event, primary: Event) -> Option<()> {
    let mut less = primary.clone();
    less.requires
        .retain(|it| !matches!(it, Requires::OwnAsPrimary(_)));
    less.who = backup.who;
    let two = backup.who == Who::Backup && primary.who == Who::Primary && less == *backup;
    *backup = two.then_some(primary)?;
    backup.who = Who::Any;
    Some(())
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
