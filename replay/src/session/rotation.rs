//! Whether the views that nobody decides in repeat (E18): the acts of n views, in which everybody
//! leads once, come again and again with later views and blocks.

use milp_schema::{
    Message, ReplicaId, Value, View,
    protocol::{Condition, Views},
    trace::{TraceEvent, What},
    vocabulary::Protocol,
};

/// How often the acts of n views must come in a row. Rules may read all views before, so this is what
/// was seen and no proof that they come for ever.
const TIMES: usize = 3;

/// A view as one of its rotation sees it: one of before them all, or so far from their first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Before(View),
    From(i64),
}

/// An event without its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Act {
    what: What,
    replica: ReplicaId,
    peer: Option<ReplicaId>,
    timer: Option<&'static str>,
    place: Option<Seen>,
    message: Option<Said>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    kind: milp_schema::Kind,
    view: Seen,
    value: Option<(Value, Option<Seen>)>,
    justification: Option<Seen>,
}

/// The rotations of a heal phase that are complete: of each the first view, and where its events
/// begin in the log.
#[derive(Debug)]
pub(super) struct Rotations {
    /// Views in one.
    views: u32,
    begun: Vec<(View, usize)>,
    /// Where the next one begins.
    next: Option<View>,
}

impl Rotations {
    /// None yet; `None` where a rule looks back further than a rotation, or where views have numbers
    /// that a rule knows.
    pub(super) fn of(protocol: Protocol, replicas: u32) -> Option<Self> {
        let rules = &protocol.definition()?.rules;
        let near = rules.rules.iter().all(|rule| {
            let back = rule.guards().all(|guard| match guard.pattern.view {
                Views::Back(back) | Views::From(back) => back <= replicas,
                _ => true,
            });
            let known = |it: &Condition| match it {
                Condition::At(view) | Condition::After(view) => *view <= replicas,
                Condition::Below(_, back) => *back <= replicas,
            };
            back && rule.conditions.iter().all(known)
        });
        near.then(|| Self {
            views: replicas,
            begun: Vec::new(),
            next: None,
        })
    }

    /// After a slot, when the last of those who go on is in that view: the first of the views that
    /// repeat, if they do.
    pub(super) fn seen(&mut self, lowest: View, log: &[TraceEvent]) -> Option<View> {
        let next = *self.next.get_or_insert(lowest.next());
        if lowest < next {
            return None;
        }
        self.next = Some(View(lowest.0.saturating_add(self.views)));
        // Where several views are passed at once, what is compared begins anew.
        if lowest > next {
            self.begun.clear();
        }
        self.begun.push((lowest, log.len()));
        // One before those that are compared, so that they refer to it as they do to each other.
        let last = self.begun.iter().rev().take(TIMES + 2).rev();
        let last: Vec<(View, usize)> = last.copied().collect();
        let (&(oldest, _), compared) = last.split_first()?;
        if compared.len() <= TIMES {
            return None;
        }
        let mut acts = compared.windows(2).map(|it| {
            let ((first, from), (_, to)) = (it[0], it[1]);
            let acts = log[from..to].iter().map(|event| {
                let act = self.act(event, first, oldest);
                act.filter(|_| event.what != What::Fault)
            });
            acts.collect::<Option<Vec<Act>>>()
        });
        let first = acts.next()??;
        let all = acts.all(|it| it.as_ref() == Some(&first));
        all.then_some(compared[0].0)
    }

    /// The event of a rotation; `None` if it refers to views further back than the one before it.
    fn act(&self, event: &TraceEvent, first: View, oldest: View) -> Option<Act> {
        let seen = |view: View| {
            if view < oldest {
                return Some(Seen::Before(view));
            }
            let from = i64::from(view.0) - i64::from(first.0);
            (from >= -i64::from(self.views)).then_some(Seen::From(from))
        };
        let place = match event.place {
            Some((_, view)) => Some(seen(view)?),
            None => None,
        };
        let message = match &event.message {
            Some(message) => Some(said(message, seen)?),
            None => None,
        };
        Some(Act {
            what: event.what,
            replica: event.replica,
            peer: event.peer,
            timer: event.timer,
            place,
            message,
        })
    }
}

/// What is to be said where `replicas` views from that one on repeat.
pub(super) fn sentence(from: View, replicas: usize) -> String {
    let last = from.0 as usize + replicas - 1;
    let to = last + replicas * (TIMES - 1);
    format!(
        "no end is in sight: the acts of views {from} to {last} come again, with later views and blocks, up to view \
         {to}"
    )
}

fn said(message: &Message, seen: impl Fn(View) -> Option<Seen>) -> Option<Said> {
    let value = match message.value {
        Some(Value::Block { view, index }) => {
            let block = Value::Block {
                view: View(0),
                index,
            };
            Some((block, Some(seen(view)?)))
        }
        other => other.map(|it| (it, None)),
    };
    let justification = match message.justification {
        Some(view) => Some(seen(view)?),
        None => None,
    };
    Some(Said {
        kind: message.kind,
        view: seen(message.view)?,
        value,
        justification,
    })
}
