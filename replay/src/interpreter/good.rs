//! How many good views pass without a decision, judged by what is in a trace
//! (`docs/EXECUTION.md`, E70 to E72).
//!
//! Replicas made from the file are handed what the trace hands over, so that what they made and took
//! is known when a view ends; which rules they left undone for a timer is asked of them.

use super::{
    Interpreter, World,
    guard::{Letters, Reader},
    replica::{Record, Replica},
};
use crate::{Error, engine::EngineError};
use milp_schema::{
    Height, Instance, Message, ReplicaId, View,
    instance::Goal,
    protocol::{Head, Mode, Scope},
    trace::{Phase, TraceEvent, What},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many good views were wasted, and why it were not more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wasted {
    pub(crate) views: u32,
    pub(crate) why: String,
}

/// Counts the good views after the bad ones of a goal `wasted`; `None` for other goals and where no
/// file says what a rule is.
///
/// # Errors
/// Rules that cannot be followed.
pub(crate) fn wasted(
    instance: &Instance,
    byzantine: &BTreeSet<ReplicaId>,
    trace: &[TraceEvent],
) -> Result<Option<Wasted>, Error> {
    let Goal::Wasted { bad, up_to } = instance.goal else {
        return Ok(None);
    };
    if instance.protocol.definition().is_none() {
        return Ok(None);
    }
    let events = trace.iter().filter(|it| it.phase == Phase::Schedule);
    let facts = Facts {
        instance,
        honest: ReplicaId::all(instance.replicas)
            .filter(|id| !byzantine.contains(id))
            .collect(),
        events: events.collect(),
    };
    let followed = Followed::of(&facts)?;
    let past = Past::of(&facts);
    let mut views = 0;
    for view in (bad..instance.views).map(View) {
        if byzantine.contains(&instance.primary(Height(0), view)) {
            continue;
        }
        let good = past.is_good(&facts, view);
        let good = good.and_then(|()| followed.leaves_nothing(&facts, view));
        match good {
            Ok(()) if views < up_to => views += 1,
            Ok(()) => break,
            Err(why) => {
                return Ok(Some(Wasted {
                    views,
                    why: format!("view {view} is none: {why}"),
                }));
            }
        }
    }
    let why = "no more are asked for, or led by honest replicas".to_owned();
    Ok(Some(Wasted { views, why }))
}

/// A trace and who is honest in it.
struct Facts<'a> {
    instance: &'a Instance,
    honest: BTreeSet<ReplicaId>,
    events: Vec<&'a TraceEvent>,
}

/// Something that an honest replica sent, by the number of the event.
struct Sent<'a> {
    number: usize,
    by: ReplicaId,
    message: &'a Message,
    /// The slot of the firing that it was sent on.
    fired: Option<u32>,
}

/// When what happened, by the numbers of events.
#[derive(Default)]
struct Past<'a> {
    /// Entries into views above 0, by replica, ascending.
    entries: BTreeMap<ReplicaId, Vec<(usize, View)>>,
    sent: Vec<Sent<'a>>,
    /// First arrival: receiver, author, message.
    arrived: BTreeMap<(ReplicaId, ReplicaId, &'a Message), usize>,
    /// Firings, with the view of the timer.
    fired: Vec<(usize, ReplicaId, View)>,
    decided: Option<usize>,
}

impl<'a> Past<'a> {
    fn of(facts: &Facts<'a>) -> Self {
        let mut past = Self::default();
        let mut cause: BTreeMap<ReplicaId, Option<u32>> = BTreeMap::new();
        for (number, event) in facts.events.iter().enumerate() {
            let id = event.replica;
            let place = event.place.map(|(_, view)| view);
            match (event.what, &event.message, place) {
                (What::Send, Some(message), _) if facts.honest.contains(&id) => {
                    past.sent.push(Sent {
                        number,
                        by: id,
                        message,
                        fired: cause.get(&id).copied().flatten(),
                    });
                }
                (What::Deliver | What::HandOver | What::Ignore, Some(message), _) => {
                    let author = event.peer.unwrap_or(id);
                    past.arrived.entry((id, author, message)).or_insert(number);
                    // What is held back is handed over where a view is entered.
                    if event.what == What::Deliver {
                        cause.insert(id, None);
                    }
                }
                (What::Timeout, _, Some(view)) => {
                    past.fired.push((number, id, view));
                    cause.insert(id, Some(event.slot.0));
                }
                (What::EnterView, _, Some(view)) => {
                    past.entries.entry(id).or_default().push((number, view));
                }
                (What::Decide, ..) if facts.honest.contains(&id) => {
                    past.decided.get_or_insert(number);
                }
                _ => {}
            }
        }
        past
    }

    /// When a replica entered a view.
    fn entered(&self, id: ReplicaId, view: View) -> Option<usize> {
        if view.0 == 0 {
            return Some(0);
        }
        let entries = self.entries.get(&id)?;
        entries
            .iter()
            .find(|(_, it)| *it == view)
            .map(|(it, _)| *it)
    }

    /// When a replica left a view for a later one.
    fn left(&self, id: ReplicaId, view: View) -> Option<usize> {
        let entries = self.entries.get(&id)?;
        entries.iter().find(|(_, it)| *it > view).map(|(it, _)| *it)
    }

    /// Whether a view is good and nobody has decided when it ends, the rules aside.
    fn is_good(&self, facts: &Facts<'_>, view: View) -> Result<(), String> {
        let slot = |number: usize| facts.events.get(number).map_or(0, |it| it.slot.0);
        let mut last = 0;
        for id in &facts.honest {
            let entered = self.entered(*id, view);
            let entered = entered.ok_or_else(|| format!("replica {id} never enters it"))?;
            last = last.max(if view.0 == 0 { 0 } else { slot(entered) });
        }
        let ends = |id: &ReplicaId| self.left(*id, view).unwrap_or(facts.events.len());
        let end = facts.honest.iter().map(ends).max().unwrap_or(0);
        if self.decided.is_some_and(|decided| decided < end) {
            return Err("somebody has decided when it ends".to_owned());
        }
        let sent = || self.sent.iter().filter(|it| it.message.view <= view);
        let early = sent().find(|it| it.message.view == view && slot(it.number) < last);
        if let Some(Sent { by, message, .. }) = early {
            return Err(format!("replica {by} sends {message} before all are in it"));
        }
        for it in sent().filter(|it| it.number < end) {
            let by_then = |id: &&ReplicaId| {
                // What is sent in the slot in which somebody leaves cannot be there before.
                let due = self.left(**id, view).map_or(u32::MAX, slot);
                let at = self.arrived.get(&(**id, it.by, it.message));
                **id == it.by || at.is_some_and(|at| slot(*at) <= due)
            };
            if let Some(id) = facts.honest.iter().find(|id| !by_then(id)) {
                let (by, message) = (it.by, it.message);
                return Err(format!(
                    "{message} of replica {by} does not reach replica {id}"
                ));
            }
        }
        self.timers_wait(facts, view, last)?;
        if facts.instance.gossip {
            self.all_have(facts, view)?;
        }
        Ok(())
    }

    /// When a timer of the view fires at an honest replica, all are in it, and everything that honest
    /// replicas sent has arrived but what they sent on firings of that slot.
    fn timers_wait(&self, facts: &Facts<'_>, view: View, last: u32) -> Result<(), String> {
        let firings = self
            .fired
            .iter()
            .filter(|(_, id, of)| *of == view && facts.honest.contains(id));
        for &(number, id, _) in firings {
            let slot = facts.events[number].slot.0;
            if slot < last {
                return Err(format!(
                    "a timer of replica {id} fires before all are in it"
                ));
            }
            let before = self
                .sent
                .iter()
                .filter(|it| it.number < number && it.message.view <= view);
            for it in before.filter(|it| it.fired != Some(slot)) {
                let there = |to: &&ReplicaId| {
                    let at = self.arrived.get(&(**to, it.by, it.message));
                    **to == it.by || at.is_some_and(|at| *at < number)
                };
                if let Some(to) = facts.honest.iter().find(|to| !there(to)) {
                    let (by, message) = (it.by, it.message);
                    return Err(format!(
                        "a timer of replica {id} fires in slot {slot} while {message} of replica \
                         {by} is on its way to replica {to}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// What one honest replica got of a Byzantine one by the end of the view, all have by theirs.
    fn all_have(&self, facts: &Facts<'_>, view: View) -> Result<(), String> {
        let end = |id: ReplicaId| self.left(id, view).unwrap_or(facts.events.len());
        let slot = |number: usize| facts.events.get(number).map_or(u32::MAX, |it| it.slot.0);
        for (&(id, author, message), &at) in &self.arrived {
            let counts = facts.honest.contains(&id) && !facts.honest.contains(&author);
            if !counts || at >= end(id) {
                continue;
            }
            let has = |to: &&ReplicaId| {
                let there = self.arrived.get(&(**to, author, message));
                there.is_some_and(|there| slot(*there) <= slot(end(**to)))
            };
            if let Some(to) = facts.honest.iter().find(|to| !has(to)) {
                return Err(format!(
                    "replica {id} has {message} of replica {author}, and replica {to} has not"
                ));
            }
        }
        Ok(())
    }
}

/// A replica as it was before it left a view, or in the end; and what it made on firings in it, with
/// what it had made before each.
#[derive(Clone)]
struct Ending {
    replica: Replica,
    fired: Vec<(Record, BTreeSet<Record>)>,
}

/// Replicas that were handed what a trace hands over.
struct Followed {
    world: World,
    endings: BTreeMap<(ReplicaId, View), Ending>,
}

impl Followed {
    fn of(facts: &Facts<'_>) -> Result<Self, Error> {
        let mut world = Interpreter::of(facts.instance)?.world;
        let mut endings = BTreeMap::new();
        let mut now: BTreeMap<ReplicaId, Ending> = BTreeMap::new();
        for &id in &facts.honest {
            let mut replica = Replica::new(id);
            replica.start_timers(&mut world);
            let fired = Vec::new();
            now.insert(id, Ending { replica, fired });
        }
        for ending in now.values_mut() {
            follow(&mut endings, &mut world, ending, Replica::complete)?;
        }
        for event in &facts.events {
            if let (What::Inject, Some(message)) = (event.what, &event.message) {
                world.post(event.replica, message.clone());
            }
            let Some(ending) = now.get_mut(&event.replica) else {
                continue;
            };
            match (event.what, &event.message) {
                (What::Deliver | What::HandOver, Some(message)) => {
                    let author = event.peer.unwrap_or(event.replica);
                    let mut posts = world.posts.iter();
                    let place = posts.position(|it| it.author == author && it.message == *message);
                    if let Some(place) = place {
                        let hand = |it: &mut Replica, world: &mut World| it.receive(world, place);
                        follow(&mut endings, &mut world, ending, hand)?;
                    }
                }
                (What::Timeout, _) => {
                    let timers = &world.setup.rules.timers;
                    let timer = timers
                        .iter()
                        .position(|it| Some(it.as_str()) == event.timer);
                    let Some(timer) = timer.map(milp_schema::protocol::TimerId) else {
                        continue;
                    };
                    let first = ending.replica.first(&world, Mode::Timer(timer));
                    let made = first.and_then(|(rule, at)| {
                        ending.replica.record(&world.setup.rules.rules[rule], &at)
                    });
                    let before = ending.replica.own.clone();
                    ending.fired.extend(made.map(|made| (made, before)));
                    let fire = |it: &mut Replica, world: &mut World| it.fire(world, timer);
                    follow(&mut endings, &mut world, ending, fire)?;
                }
                _ => {}
            }
        }
        for (id, ending) in now {
            endings.insert((id, ending.replica.view), ending);
        }
        Ok(Self { world, endings })
    }

    /// No honest replica left undone what it must do by what honest replicas sent, because of what it
    /// did on a firing in the view.
    fn leaves_nothing(&self, facts: &Facts<'_>, view: View) -> Result<(), String> {
        for &id in &facts.honest {
            let ending = self.endings.get(&(id, view));
            let ending = ending.ok_or_else(|| format!("replica {id} is not followed into it"))?;
            let rules = self.world.setup.rules.rules.iter().enumerate();
            for (place, rule) in rules {
                let makes = matches!(rule.head, Head::Make { .. });
                if !makes || rule.mode != Mode::Must || rule.scope != Scope::View {
                    continue;
                }
                if self.is_left(facts, ending, place, view) {
                    let text = self.world.setup.rules.text(rule);
                    return Err(format!(
                        "replica {id} leaves rule `{text}` undone for a timer"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether a rule could be done in a view by what honest replicas sent, but for what was done on
    /// firings in it.
    fn is_left(&self, facts: &Facts<'_>, ending: &Ending, place: usize, view: View) -> bool {
        let of_view = ending.fired.iter().filter(|(it, _)| it.view == view);
        let fired: BTreeSet<Record> = of_view.clone().map(|(it, _)| *it).collect();
        if fired.is_empty() || ending.replica.stopped(&self.world) {
            return false;
        }
        let without = |own: &BTreeSet<Record>| {
            let mut replica = ending.replica.clone();
            replica.own = own.difference(&fired).copied().collect();
            replica
        };
        let mut read = ending.replica.clone();
        read.taken.retain(|it| facts.honest.contains(&it.sender));
        let now = without(&ending.replica.own);
        let then: Vec<Replica> = of_view.map(|(_, own)| without(own)).collect();
        let mut rule = self.world.setup.rules.rules[place].clone();
        let unless = std::mem::take(&mut rule.unless);
        let world = &self.world;
        let barred = |at: &Letters| {
            let mut replicas = then.iter().chain([&now]);
            replicas.any(|replica| {
                let reader = Reader { world, replica };
                unless.iter().any(|guard| reader.holds(guard, at, &[]))
            })
        };
        let letters = Letters {
            v: view,
            x: None,
            c: None,
            d: None,
        };
        let reader = Reader {
            world,
            replica: &read,
        };
        now.is_open(world, place, &rule, view)
            && reader.way(&rule, 0, letters, &|at| !barred(at)).is_some()
    }
}

/// Something happens at a replica; how it was before it left a view is kept.
fn follow(
    endings: &mut BTreeMap<(ReplicaId, View), Ending>,
    world: &mut World,
    ending: &mut Ending,
    act: impl FnOnce(&mut Replica, &mut World) -> Result<(), EngineError>,
) -> Result<(), Error> {
    let before = ending.clone();
    act(&mut ending.replica, world)?;
    world.effects.clear();
    world.started.clear();
    if ending.replica.view != before.replica.view {
        endings.insert((before.replica.me, before.replica.view), before);
        ending.fired.clear();
    }
    Ok(())
}
