//! The rules of a protocol file as a list of this module's constructs, where they say no more than
//! those can. Everything else is refused by its text and line.

#[cfg(test)]
mod tests;

use super::{
    About, Channel, Checked, Duration, Enter, Event, Excludes, Keeps, Modality, Protocol, Range,
    Requires, Rotation, Rule, Scope, Threshold, Who, snake,
};
use crate::error::Error;
use milp_schema::{
    Kind, Protocol as Words, View, limits,
    protocol::{
        Condition, Counts, Goes, Guard, Head, Justified, KindId, Made, Mode, Number, Position,
        Reads, RecordKind, Rule as Stated, Rules, Scope as Where, TimerId, ValueField, Values,
        Views,
    },
    vocabulary::{Ahead, By, Passed},
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
    let file = File {
        formulation,
        words,
        rules,
    };
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
    Ok(Protocol {
        name: words.name.clone(),
        rotation: words.primary,
        channels: file.channels(),
        rules: list.into_iter().map(|(_, rule)| rule).collect(),
    })
}

const START: Position = Position { line: 1, column: 1 };

#[derive(Clone, Copy)]
struct File<'a> {
    formulation: &'static str,
    words: Words,
    rules: &'a Rules,
}

impl File<'_> {
    fn refused(self, at: Position, construct: String) -> Error {
        let name = &self.words.name;
        Error::Unsupported {
            formulation: self.formulation,
            construct: format!("`{construct}` (line {} of the file of `{name}`)", at.line),
            hint: "use `formulation: levels`".to_owned(),
        }
    }

    fn rule(self, stated: &Stated) -> Error {
        self.refused(stated.at, self.rules.text(stated))
    }

    fn guard(self, guard: &Guard) -> Error {
        self.refused(guard.at, self.rules.guard_text(guard))
    }

    fn kind(self, kind: &RecordKind) -> Result<(), Error> {
        let reads = |it: &Stated| taken(it).any(|id| self.rules.kind(id) == kind);
        // A copy waits until its receiver is in its view if what it is for is done there.
        let any_view = |it: &Stated| it.makes().is_none() || it.scope == Where::Height;
        let waits = |it: &Stated| reads(it) && any_view(it) != (kind.ahead == Ahead::Take);
        let constructs = [
            (kind.goes == Goes::Kept, "kept"),
            (kind.value == ValueField::Any, "names: any_value"),
            (kind.justified, "justified"),
            (kind.counts == Counts::First, "counts: first"),
            (kind.ahead == Ahead::Lose, "ahead: lose"),
            (self.rules.rules.iter().any(waits), "ahead"),
            (
                kind.is_final && kind.passed == Passed::Ignore,
                "passed: ignore",
            ),
            (self.rules.chain, "chain"),
        ];
        let found = constructs
            .iter()
            .find(|(is, _)| *is && kind.goes != Goes::Recovery);
        found.map_or(Ok(()), |(_, key)| {
            Err(self.refused(kind.at, format!("{key}` of `{}", kind.name)))
        })
    }

    fn sent(self, id: KindId) -> Kind {
        self.words.the(&self.rules.kind(id).name)
    }

    /// The event that makes records of a kind.
    fn name(self, id: KindId) -> &'static str {
        kept(snake(&self.rules.kind(id).name))
    }

    /// What is sent, decisions behind: nobody forges their certificates.
    fn channels(self) -> Vec<Channel> {
        let kinds = self.rules.kinds.iter();
        let sent = kinds.filter(|kind| kind.goes == Goes::Sent);
        let channel = |kind: &RecordKind| Channel {
            kind: self.words.the(&kind.name),
            forgeable: !kind.is_final,
            lost_ahead: false,
            pool: self.words.pools(),
        };
        let mut channels: Vec<Channel> = sent.map(channel).collect();
        channels.sort_by_key(|channel| !channel.forgeable);
        channels
    }

    /// The last kind of which a copy may enable a rule.
    fn triggered_by(self, stated: &Stated) -> u32 {
        let last = taken(stated).max().filter(|_| stated.mode == Mode::Must);
        last.map_or(u32::MAX, |id| self.sent(id).rank())
    }

    fn line(self, stated: &Stated) -> &'static str {
        kept(format!("{} {}", self.words.name, stated.lines))
    }

    /// The step into a view: one rule for the next view, and the same for later ones.
    fn enter(self) -> Result<Enter, Error> {
        let ways = |it: &&Stated| matches!(it.head, Head::Enter | Head::Skip);
        let ways: Vec<&Stated> = self.rules.rules.iter().filter(ways).collect();
        let first = ways.first().copied().unwrap_or(&self.rules.rules[0]);
        let (head, by_itself) = (Head::Skip, first.mode == Mode::Must);
        let same = ways.len() == 2
            && ways.contains(&&Stated {
                head,
                ..first.clone()
            });
        let requires = first.when.iter().map(|it| self.requirement(first, it));
        let requires: Vec<Requires> = requires.collect::<Result<_, _>>()?;
        let [Requires::Tally { of, at_least }] = requires.as_slice() else {
            return Err(self.rule(first));
        };
        if !same || !by_itself || of.len() > 1 || first.head == Head::Skip {
            return Err(self.rule(first));
        }
        let mut excludes = Vec::new();
        for guard in &first.unless {
            match own(guard) {
                Some((Views::Before, kinds)) => {
                    excludes.extend(kinds.iter().map(|it| self.name(*it)))
                }
                _ => return Err(self.guard(guard)),
            }
        }
        Ok(Enter {
            line: self.line(first),
            of: of[0],
            at_least: *at_least,
            modality: Modality::Must,
            excludes,
            keeps: Keeps::Height,
        })
    }

    fn event(
        self,
        stated: &Stated,
        kind: KindId,
        value: Made,
        enter: &Enter,
    ) -> Result<Event, Error> {
        let decides = self.rules.kind(kind).is_final;
        let height = stated.scope == Where::Height;
        let x = |guard: &Guard| guard.pattern.value == Values::X;
        let (mut once, mut excludes) = (Range::View, Vec::new());
        for guard in &stated.unless {
            let (view, kinds) = own(guard).ok_or_else(|| self.guard(guard))?;
            for (id, event) in kinds.iter().map(|id| (*id, self.name(*id))) {
                let range = match view {
                    Views::Own => Range::View,
                    Views::UpTo => Range::Height,
                    Views::Before if id == kind => {
                        once = Range::Height;
                        continue;
                    }
                    // Who has such a record stays in its view.
                    Views::Before if enter.excludes.contains(&event) => continue,
                    _ => return Err(self.guard(guard)),
                };
                excludes.push(Excludes { event, range });
            }
        }
        if !stated.conditions.is_empty()
            || height && !decides
            || stated.mode == Mode::May
            || value == Made::Nil
        {
            return Err(self.rule(stated));
        }
        let requires = stated.when.iter().map(|it| self.requirement(stated, it));
        Ok(Event {
            name: match (decides, height) {
                (false, _) => self.name(kind),
                (true, false) => "decide",
                (true, true) => "adopt",
            },
            line: self.line(stated),
            broadcasts: Some(self.sent(kind)),
            who: match stated.who {
                By::Any => Who::Any,
                By::Primary => Who::Primary,
                By::Backup => Who::Backup,
            },
            about: match value {
                Made::X if stated.when.iter().any(x) => About::Block,
                Made::X => About::Proposal,
                Made::None | Made::Nil => About::View,
            },
            once: if decides { Range::Height } else { once },
            scope: if height { Scope::Height } else { Scope::View },
            modality: match stated.mode {
                Mode::Timer(_) => Modality::Timer {
                    after: self.after(stated)?,
                },
                Mode::Must | Mode::May => Modality::Must,
            },
            requires: requires.collect::<Result<_, _>>()?,
            checked: Checked::Always,
            excludes,
            decides,
        })
    }

    fn requirement(self, stated: &Stated, guard: &Guard) -> Result<Requires, Error> {
        let (pattern, enters) = (&guard.pattern, stated.makes().is_none());
        let of: Vec<Kind> = pattern.kinds.iter().map(|id| self.sent(*id)).collect();
        let names = pattern.kinds.iter().map(|id| self.name(*id));
        let first = self.rules.kind(pattern.kinds[0]);
        let (x, one) = (pattern.value == Values::X, of.len() == 1);
        let head = |head: &Head| {
            matches!(
                head,
                Head::Make {
                    value: Made::None,
                    ..
                }
            )
        };
        let by_primary = stated.who == By::Primary && head(&stated.head);
        let view = if enters { Views::From(1) } else { Views::Own };
        match &guard.reads {
            _ if !plain(guard) || pattern.view != view => Err(self.guard(guard)),
            Reads::Senders(Number::Exactly(1)) if stated.scope == Where::Height && one => {
                Ok(Requires::HeldFromAnother(of[0]))
            }
            _ if stated.scope == Where::Height => Err(self.guard(guard)),
            Reads::Senders(number) if x || first.value == ValueField::None => Ok(Requires::Tally {
                of,
                at_least: self.threshold(number).ok_or_else(|| self.guard(guard))?,
            }),
            Reads::Primary if x && one && first.by == By::Primary => Ok(Requires::Held(of[0])),
            Reads::Own if x => Ok(Requires::Own(names.collect())),
            Reads::Own if by_primary && made_before(stated) == Some(pattern.kinds[0]) => {
                Ok(Requires::OwnAsPrimary(self.name(pattern.kinds[0])))
            }
            _ => Err(self.guard(guard)),
        }
    }

    fn threshold(self, number: &Number) -> Option<Threshold> {
        let count = self.rules.count(number);
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
        let mut arms = Vec::new();
        for arm in &self.rules.rules {
            let needs = usize::from(made_before(arm).is_some());
            let plain =
                arm.when.len() == needs && arm.unless.is_empty() && arm.scope == Where::View;
            match arm.head {
                Head::Arm {
                    timer: TimerId(0),
                    lasts: Some(lasts),
                } if plain => arms.push((arm, lasts)),
                Head::Arm { .. } | Head::Stop { .. } => return Err(self.rule(arm)),
                _ => {}
            }
        }
        let own = made_before(stated);
        let same_turn = |it: &Stated| matches!(it.mode, Mode::Timer(_)) && made_before(it) == own;
        let first = |it: &Stated| matches!(it.mode, Mode::Timer(_)) && made_before(it).is_none();
        let rules = self.rules.rules.iter();
        let rivals = rules
            .clone()
            .filter(|it| same_turn(it) && meets(it, stated.who))
            .count();
        if rivals > 1 || own.is_some() && !rules.clone().any(|it| first(it) && it.makes() == own) {
            return Err(self.rule(stated));
        }
        let time = |role: By, view: u32| {
            let runs = |part: Option<KindId>| {
                let mut of_part = arms.iter().filter(|(arm, _)| {
                    meets(arm, role) && made_before(arm) == part && holds(arm, view)
                });
                let (_, lasts) = of_part.next()?;
                of_part.next().is_none().then(|| lasts.of(View(view)))
            };
            let after = own.map_or(Some(0), |_| runs(own))?;
            Some(u32::try_from(runs(None)? + after).unwrap_or(u32::MAX))
        };
        let roles = [By::Primary, By::Backup]
            .into_iter()
            .filter(|role| meets(stated, *role));
        let start = roles.clone().find_map(|role| time(role, 0)).unwrap_or(0);
        let is = |after: &Duration| {
            let in_view = |role, view| time(role, view) == after.in_view(view);
            roles
                .clone()
                .all(|role| (0..*limits::VIEWS.end()).all(|view| in_view(role, view)))
        };
        let durations = [Duration::FirstViewOnly(start), Duration::Doubling(start)];
        durations
            .into_iter()
            .find(is)
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

fn meets(stated: &Stated, role: By) -> bool {
    stated.who == role || [stated.who, role].contains(&By::Any)
}

fn holds(stated: &Stated, view: u32) -> bool {
    stated.conditions.iter().all(|condition| match *condition {
        Condition::At(number) => view == number,
        Condition::After(number) => view > number,
        Condition::Below(..) => false,
    })
}

/// One event of a rule of backups and one of the primary, which may ask for an own record more.
fn joined(backup: &Event, primary: Event) -> Option<Event> {
    let who = Who::Backup;
    let mut less = Event {
        who,
        ..primary.clone()
    };
    less.requires
        .retain(|it| !matches!(it, Requires::OwnAsPrimary(_)));
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
