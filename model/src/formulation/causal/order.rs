//! The order of what one replica does in one view, as the rules imply it.

use crate::{
    error::Error,
    rule::{Event, Hold, Protocol, Range, Requires, Rule, Scope, Who},
};
use milp_schema::Kind;

/// Which of two events of one replica in one view comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// `before[e][f]`: if a replica does both in a view, e comes first.
    pub(crate) before: Vec<Vec<bool>>,
    /// `apart[e][f]`: no replica does both in a view.
    pub(crate) apart: Vec<Vec<bool>>,
    /// Events that only repeat a message in the pool.
    pub(crate) repeats: Vec<bool>,
    /// The events whose order an acceptance guard depends on.
    pub(crate) guarded: Option<Guarded>,
}

/// Numbers of the events that play the parts of an acceptance guard: answers are ignored by a
/// replica that asked to leave, unless it counts too many replicas as committed or lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guarded {
    /// Proposes a block; its message is heard.
    pub(crate) proposes: usize,
    /// Sends the guarded kind.
    pub(crate) answers: usize,
    /// Asks to leave; only with few replicas lost.
    pub(crate) leaves: usize,
    /// What a timeout does instead; only with many replicas lost, so first of all in a view.
    pub(crate) calls: usize,
    /// Requires the guarded answers, and sends what takes a replica out of the count.
    pub(crate) binds: usize,
}

fn unsupported(construct: String, hint: &str) -> Error {
    Error::Unsupported {
        formulation: "causal",
        construct,
        hint: hint.into(),
    }
}

impl Order {
    /// Reads the order off the rules.
    ///
    /// # Errors
    /// A name that does not exist, or two events that a replica may do in either order where this
    /// formulation knows no way to say so.
    pub(crate) fn of(protocol: &Protocol) -> Result<Self, Error> {
        protocol.check_names()?;
        let events: Vec<Event> = protocol.events().cloned().collect();
        let repeats: Vec<bool> = events
            .iter()
            .map(|event| protocol.pools() && protocol.repeats(event))
            .collect();
        let guarded = guarded(protocol, &events)?;
        let count = events.len();
        let number = |name: &str| events.iter().position(|event| event.name == name);
        let mut before = vec![vec![false; count]; count];
        for (f, event) in events.iter().enumerate() {
            for requirement in &event.requires {
                let names: &[&str] = match requirement {
                    Requires::Own(names) => names,
                    Requires::OwnAsPrimary(name) => &[name],
                    _ => continue,
                };
                for e in names.iter().filter_map(|name| number(name)) {
                    before[e][f] = true;
                }
            }
            for e in event.excludes.iter().filter_map(|own| number(own.event)) {
                before[f][e] = true;
            }
            // After a decision a replica does nothing more at the height.
            for (e, other) in events.iter().enumerate() {
                if event.decides && e != f && !other.decides {
                    before[e][f] = true;
                }
            }
        }
        if let Some(Guarded {
            answers,
            leaves,
            calls,
            proposes,
            ..
        }) = guarded
        {
            // What needs many lost comes before anybody is heard (see `docs/MODEL.md`).
            for e in [answers, leaves] {
                before[calls][e] = true;
            }
            before[proposes][calls] = true;
        }
        let apart = apart(protocol, &events, &repeats, &before);
        for e in 0..count {
            for f in 0..count {
                if apart[e][f] {
                    before[e][f] = false;
                }
            }
        }
        close(&mut before);
        let order = Self {
            before,
            apart,
            repeats,
            guarded,
        };
        order.check(&events)?;
        Ok(order)
    }

    /// Whether nothing says which of the two comes first.
    pub(crate) fn is_free(&self, e: usize, f: usize) -> bool {
        e != f && !self.before[e][f] && !self.before[f][e] && !self.apart[e][f]
    }

    fn check(&self, events: &[Event]) -> Result<(), Error> {
        for e in 0..events.len() {
            for f in e + 1..events.len() {
                let decide = events[e].decides && events[f].decides;
                let never = matches!(
                    (events[e].who, events[f].who),
                    (Who::Primary, Who::Backup) | (Who::Backup, Who::Primary)
                );
                let known = self.guarded.as_ref().is_some_and(|g| {
                    [(g.answers, g.leaves), (g.leaves, g.answers)].contains(&(e, f))
                });
                if self.before[e][f] && self.before[f][e] {
                    let both = format!(
                        "events in a circle ({}, {})",
                        events[e].name, events[f].name
                    );
                    return Err(unsupported(both, "use `formulation: timed`"));
                }
                if self.is_free(e, f) && !decide && !never && !known {
                    let both = format!(
                        "two events in either order ({}, {})",
                        events[e].name, events[f].name
                    );
                    return Err(unsupported(both, "use `formulation: timed`"));
                }
            }
        }
        Ok(())
    }
}

/// Transitive closure.
fn close(before: &mut [Vec<bool>]) {
    let count = before.len();
    for k in 0..count {
        for e in 0..count {
            for f in 0..count {
                if before[e][k] && before[k][f] {
                    before[e][f] = true;
                }
            }
        }
    }
}

/// Pairs that no replica does both in a view: each forbids the other, or they count together as one
/// message of a pool, or one requires an event that is apart from the other.
fn apart(
    protocol: &Protocol,
    events: &[Event],
    repeats: &[bool],
    before: &[Vec<bool>],
) -> Vec<Vec<bool>> {
    let count = events.len();
    let number = |name: &str| events.iter().position(|event| event.name == name);
    let mut apart = vec![vec![false; count]; count];
    for e in 0..count {
        for f in (0..count).filter(|&f| f != e) {
            let one_message = protocol.pools()
                && !repeats[e]
                && !repeats[f]
                && events[e].broadcasts.is_some()
                && events[e].broadcasts == events[f].broadcasts;
            apart[e][f] = one_message || (before[e][f] && before[f][e]);
        }
    }
    let pairs = |e: usize| {
        events
            .iter()
            .enumerate()
            .map(move |(f, event)| (e, f, event))
    };
    for _ in 0..count {
        for (e, f, event) in (0..count).flat_map(pairs) {
            let needs = event.requires.iter().any(|requirement| {
                let Requires::Own(names) = requirement else {
                    return false;
                };
                names
                    .iter()
                    .all(|name| number(name).is_some_and(|own| apart[own][e]))
            });
            if needs {
                apart[e][f] = true;
                apart[f][e] = true;
            }
        }
    }
    apart
}

/// The parts of the acceptance guard, if there is one.
fn guarded(protocol: &Protocol, events: &[Event]) -> Result<Option<Guarded>, Error> {
    let mut holds = protocol.rules.iter().filter_map(|rule| match rule {
        Rule::Hold(hold) => Some(hold),
        _ => None,
    });
    let Some(hold) = holds.next() else {
        let counts = |rule: &Rule| matches!(rule, Rule::Negation(_));
        if protocol.rules.iter().any(counts) {
            return Err(unsupported(
                "the construct `negation` without `hold`".into(),
                "use `formulation: timed`",
            ));
        }
        return Ok(None);
    };
    let parts = parts(protocol, events, hold);
    match (parts, holds.next()) {
        (Some(guarded), None) => Ok(Some(guarded)),
        _ => Err(unsupported(
            format!(
                "the construct `hold` (messages of kind {}) of this shape",
                hold.kind
            ),
            "use `formulation: timed`",
        )),
    }
}

fn parts(protocol: &Protocol, events: &[Event], hold: &Hold) -> Option<Guarded> {
    let one = |fits: &dyn Fn(&Event) -> bool| {
        let mut all = (0..events.len()).filter(|&e| fits(&events[e]));
        all.next().filter(|_| all.next().is_none())
    };
    let enter = protocol.enter()?;
    let negation = protocol.negation(hold.unless)?;
    let sends = |event: &Event, kind: &Kind| event.broadcasts.as_ref() == Some(kind);
    let requires = |event: &Event, what: &Requires| event.requires.contains(what);
    let answers = one(&|event| sends(event, &hold.kind))?;
    let leaves = one(&|event| {
        sends(event, &enter.of)
            && event.name == hold.after
            && requires(event, &Requires::Unless(negation.name))
    })?;
    let binds = one(&|event| {
        let tally = |requirement: &Requires| matches!(requirement, Requires::Tally { of, .. } if of.contains(&hold.kind));
        sends(event, &negation.without)
            && event.once == Range::Height
            && event.requires.iter().any(tally)
            && enter.excludes.contains(&event.name)
    })?;
    let calls = one(&|event| {
        let heard = event
            .broadcasts
            .as_ref()
            .is_some_and(|kind| negation.heard.contains(kind));
        heard && requires(event, &Requires::When(negation.name))
    })?;
    let proposes = one(&|event| {
        let heard = event
            .broadcasts
            .as_ref()
            .is_some_and(|kind| negation.heard.contains(kind));
        heard && event.who == Who::Primary
    })?;
    let locked = |e: usize| {
        let own = events[binds].name;
        let excludes = |own: &str| {
            events[e]
                .excludes
                .iter()
                .any(|x| x.event == own && x.range == Range::Height)
        };
        excludes(own) && requires(&events[e], &Requires::OwnAsPrimary(events[proposes].name))
    };
    let shape = negation.heard_ahead == enter.of
        && negation.heard.contains(&hold.kind)
        && locked(leaves)
        && locked(calls)
        && events[answers].excludes.is_empty()
        && events[binds].excludes.is_empty()
        && [answers, leaves, binds, calls, proposes]
            .iter()
            .all(|&e| events[e].scope == Scope::View);
    shape.then_some(Guarded {
        proposes,
        answers,
        leaves,
        calls,
        binds,
    })
}
