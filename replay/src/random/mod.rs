//! Random legal executions, in the canonical order of E7 and E8.
//!
//! The adversary's choices are drawn, the replicas react, and what honest replicas did becomes the
//! predictions: feeding the result to [`crate::replay`] gives no divergence. The other use is the
//! other way round: every such execution must satisfy every legal row of the program.
//!
//! A choice that would make a replica leave the last modelled view, or enter two views of a height
//! in one slot, is refused. Where it cannot be refused (a copy the network owes, a timer of the
//! protocol) the attempt is given up and the next one drawn from the same seed.

mod inject;
mod past;
mod profile;

pub use profile::Random;

use crate::{
    Recovery, Signatures, compare,
    engine::{Engine, Habits},
    interpreter::Interpreter,
    network::rank,
    protocols::{Rules, Table},
    session::Session,
};
use inject::choose_faulty;
use milp_schema::trace::TraceEvent;
use milp_schema::{
    Height, Instance, Message, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Network, Timers},
    schedule::{Choice, Copy},
    vocabulary::Role,
};
use past::Past;
use profile::{LOCKING, PROFILES, Profile};
use std::collections::BTreeSet;

/// Why calls of the session cannot fail.
const OBEYS: &str = "the own replicas refuse nothing that a draft asks of them";

/// How many attempts are drawn from one seed.
const ATTEMPTS: u32 = 200;

/// One random execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Who is faulty, and how; ascending.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The choices drawn, and what honest replicas did in answer.
    pub schedule: Schedule,
    /// Whether somebody leaves the last modelled view, or two views in one slot, or does something
    /// else that the program leaves out (E8, E38 to E46), because no attempt of the seed avoided it.
    pub left_out: bool,
}

/// Whether there are replicas for the instance, so that it has executions here.
pub fn covers(instance: &Instance) -> bool {
    crate::engine::nspcc::follows(instance)
        || Rules::of(instance).is_ok()
        || (crate::interprets(instance) && Interpreter::of(instance).is_ok())
}

/// A random legal execution of the instance that the program can say; equal seeds give equal
/// executions.
///
/// The instance's budget is not looked at: a budget limits the adversary, not what is legal.
///
/// # Panics
/// If the instance names a protocol or mutant without replicas here.
pub fn execution(instance: &Instance, seed: u64) -> Executed {
    const KNOWN: &str = "a validated instance names replicas known here";
    if crate::engine::nspcc::follows(instance) {
        return draw(&crate::twin(instance).expect(KNOWN), instance, seed);
    }
    if crate::interprets(instance) {
        return interpreted(instance, seed);
    }
    let rules = Rules {
        recovery: false,
        ..Rules::of(instance).expect(KNOWN)
    };
    draw(&Table::new(rules), instance, seed)
}

/// The same of the replicas made from the instance's protocol file, even where there are others.
///
/// # Panics
/// If no file states the rules of the protocol, or the mutant is unknown.
pub fn interpreted(instance: &Instance, seed: u64) -> Executed {
    let replicas = Interpreter::of(instance).expect("a protocol with rules");
    draw(&replicas, instance, seed)
}

/// An execution of replicas that have not started.
fn draw<E: Engine + Clone>(replicas: &E, instance: &Instance, seed: u64) -> Executed {
    let mut random = Random(seed);
    for attempt in 1..=ATTEMPTS {
        let lenient = attempt == ATTEMPTS;
        let mut draft = Draft::new(replicas.clone(), instance, random.next(), lenient);
        if draft.run().is_ok() {
            return draft.finish();
        }
    }
    unreachable!("the last attempt is lenient and is never given up")
}

/// The attempt ran into something the program does not know.
struct GivenUp;

struct Draft<'a, E> {
    instance: &'a Instance,
    quorum: usize,
    habits: Habits,
    session: Session<E>,
    pasts: Vec<Past>,
    random: Random,
    profile: Profile,
    faulty: Vec<(ReplicaId, FaultKind)>,
    choices: Vec<Choice>,
    /// What Byzantine replicas made, so that nothing is made twice.
    made: BTreeSet<(ReplicaId, ReplicaId, Message)>,
    now: Slot,
    lenient: bool,
    beyond: bool,
}

/// A copy drawn for delivery, in the order of E7, ties at random.
struct Drawn {
    place: u64,
    copy: Copy,
    owed: bool,
}

impl<'a, E: Engine + Clone> Draft<'a, E> {
    fn new(replicas: E, instance: &'a Instance, seed: u64, lenient: bool) -> Self {
        let mut random = Random(seed);
        let faulty = choose_faulty(instance, &mut random);
        let habits = replicas.habits();
        let profiles = if habits.puts_off {
            &LOCKING[..]
        } else {
            &PROFILES
        };
        let profile = profiles[random.below(profiles.len() as u32) as usize];
        let quorum = crate::quorum(instance);
        let how = (Signatures::Symbolic, Recovery::Ideal);
        let session = Session::new(replicas, instance, quorum, &faulty, how).expect(OBEYS);
        Self {
            instance,
            quorum,
            habits,
            session,
            pasts: vec![Past::of(instance); instance.replicas as usize],
            random,
            profile,
            faulty,
            choices: Vec::new(),
            made: BTreeSet::new(),
            now: Slot(0),
            lenient,
            beyond: false,
        }
    }

    fn finish(self) -> Executed {
        let predictions = compare::observed(self.session.log());
        let schedule = Schedule {
            choices: self.choices,
            predictions,
        };
        Executed {
            faulty: self.faulty,
            schedule,
            left_out: self.beyond,
        }
    }

    fn run(&mut self) -> Result<(), GivenUp> {
        for slot in 1..=self.instance.slots {
            self.begin(Slot(slot));
            self.crashes();
            self.session.open().expect(OBEYS);
            for id in self.live() {
                self.deliveries(id)?;
            }
            for id in self.live() {
                self.timers(id)?;
            }
            self.injections();
            for id in self.live() {
                self.liked(id);
            }
        }
        Ok(())
    }

    /// Now and then a replica does something that it may do when it likes, which has no row.
    fn liked(&mut self, id: ReplicaId) {
        let acts = self.session.likes(id).expect(OBEYS);
        if acts.is_empty() || !self.random.percent(self.profile.timer) {
            return;
        }
        let act = &acts[self.random.below(acts.len() as u32) as usize];
        let before = (self.session.clone(), self.pasts[id.index()].clone());
        let mark = self.session.log().len();
        self.session.may(id, act).expect(OBEYS);
        let (past, events) = (&mut self.pasts[id.index()], &self.session.log()[mark..]);
        if past.did(events, self.now, self.instance.views).is_err() {
            (self.session, self.pasts[id.index()]) = before;
        }
    }

    fn begin(&mut self, slot: Slot) {
        self.now = slot;
        self.session.begin(slot).expect(OBEYS);
        for (id, past) in ReplicaId::all(self.instance.replicas).zip(&mut self.pasts) {
            let place = self.session.place(id);
            // Whoever has decided everything stays where it was.
            past.begin(place.0.0 < self.instance.heights, place);
        }
    }

    fn live(&self) -> Vec<ReplicaId> {
        self.session.live().collect()
    }

    fn crashes(&mut self) {
        let slot = self.now;
        for replica in self.live() {
            let may = self.session.fault(replica).is_some();
            if may && self.random.percent(self.profile.crash) {
                self.session.crash(replica).expect(OBEYS);
                self.choices.push(Choice::Crash { slot, replica });
            }
        }
    }

    // Deliveries.

    fn deliveries(&mut self, id: ReplicaId) -> Result<(), GivenUp> {
        for Drawn { copy, owed, .. } in self.draw(id) {
            let past = &self.pasts[id.index()];
            let refused = past.may_get(&copy, self.now, self.quorum).is_err();
            if refused && !owed {
                continue;
            }
            self.beyond |= refused && self.lenient;
            if refused && !self.lenient {
                return Err(GivenUp);
            }
            let slot = self.now;
            let choice = Choice::Deliver {
                slot,
                copy: copy.clone(),
            };
            self.act(id, owed, choice, |session| {
                session.deliver(&copy).expect(OBEYS);
            })?;
        }
        Ok(())
    }

    /// Does something at a replica, unless what it makes the replica do is left out by the
    /// program: then it is undone, or, if it is owed, the attempt is given up.
    fn act(
        &mut self,
        id: ReplicaId,
        owed: bool,
        choice: Choice,
        act: impl FnOnce(&mut Session<E>),
    ) -> Result<bool, GivenUp> {
        let risks = !owed && self.risks(&choice);
        let height = self.session.place(id).0;
        let past = &mut self.pasts[id.index()];
        let before = risks.then(|| (self.session.clone(), past.clone()));
        if let Choice::Deliver { copy, .. } = &choice {
            past.get(copy, self.now);
        }
        let mark = self.session.log().len();
        act(&mut self.session);
        let events: Vec<TraceEvent> = self.session.log()[mark..].to_vec();
        let past = &mut self.pasts[id.index()];
        let refused = past.did(&events, self.now, self.instance.views).is_err();
        if refused || self.owes_too_much(height) {
            if let Some((session, past)) = before {
                self.session = session;
                self.pasts[id.index()] = past;
                return Ok(false);
            }
            if !self.lenient {
                return Err(GivenUp);
            }
            self.beyond = true;
        }
        self.choices.push(choice);
        Ok(true)
    }

    /// Whether the choice can make a replica do something that the program leaves out. Where there
    /// are more heights any copy may start one, for which something was held back.
    fn risks(&self, choice: &Choice) -> bool {
        let Choice::Deliver { copy, .. } = choice else {
            return true;
        };
        self.instance.heights > 1
            || matches!(
                copy.message.kind.does().role,
                Role::Proposal | Role::Leave | Role::Decision
            )
    }

    fn draw(&mut self, id: ReplicaId) -> Vec<Drawn> {
        let now = self.now;
        let least = self.instance.delays().0;
        let waiting: Vec<Copy> = self
            .session
            .copies()
            .filter(|copy| copy.receiver == id && copy.sent.0 + least <= now.0)
            .filter(|copy| !copy.message.kind.is(Role::Answer))
            .cloned()
            .collect();
        let mut drawn = Vec::new();
        for copy in waiting {
            let due = self.due(&copy);
            let owed = due.is_some_and(|due| due <= now.0);
            let eager = match copy.message.kind.does().role {
                Role::Proposal | Role::Decision => self.profile.first,
                _ => self.profile.deliver,
            };
            if owed || self.hurried(due) || self.random.percent(eager) {
                let place = self.random.next();
                drawn.push(Drawn { place, copy, owed });
            } else if self.may_lose(&copy) && self.random.percent(self.profile.lose) {
                self.session.drop_copy(&copy);
                self.choices.push(Choice::Drop { slot: now, copy });
            }
        }
        drawn.sort_by_cached_key(|drawn| (rank(&drawn.copy.message), drawn.place));
        self.lone(id, drawn)
    }

    /// A guarded response comes alone: half of the time one of them and nothing else, otherwise
    /// everything else.
    fn lone(&mut self, id: ReplicaId, drawn: Vec<Drawn>) -> Vec<Drawn> {
        let past = &self.pasts[id.index()];
        let guarded = |drawn: &Drawn| past.is_guarded(&drawn.copy.message, self.now);
        let Some(first) = drawn.iter().position(guarded) else {
            return drawn;
        };
        let others_owed = drawn.iter().any(|drawn| drawn.owed && !guarded(drawn));
        if others_owed || (!drawn[first].owed && self.random.percent(50)) {
            let past = &self.pasts[id.index()];
            let stays =
                |drawn: &Drawn| drawn.owed || !past.is_guarded(&drawn.copy.message, self.now);
            return drawn.into_iter().filter(stays).collect();
        }
        let stays = |(place, drawn): &(usize, Drawn)| drawn.owed || *place == first;
        let stay = drawn.into_iter().enumerate().filter(stays);
        stay.map(|(_, drawn)| drawn).collect()
    }

    /// Just before copies are owed they come in twos and threes rather than all in one slot.
    fn hurried(&mut self, due: Option<u32>) -> bool {
        let left = due.map(|due| due.saturating_sub(self.now.0));
        let eager = if self.habits.puts_off { 60 } else { 75 };
        left.is_some_and(|left| left <= 3) && self.random.percent(eager)
    }

    /// The slot by which the network owes the copy (E10).
    fn due(&self, copy: &Copy) -> Option<u32> {
        let receives = self.session.is_up(copy.receiver);
        if !receives || !self.is_promised(copy.sender) || !self.is_promised(copy.receiver) {
            return None;
        }
        match self.instance.network {
            Network::Asynchronous => None,
            Network::Eventual => (copy.sent.0 < self.instance.slots).then_some(self.instance.slots),
            Network::Bounded { delay_max, gst, .. } => Some(copy.sent.0.max(gst) + delay_max),
        }
    }

    fn is_promised(&self, id: ReplicaId) -> bool {
        let fault = self.session.fault(id);
        !matches!(fault, Some(FaultKind::Byzantine | FaultKind::Network))
    }

    /// Only what nobody promised may be lost.
    fn may_lose(&self, copy: &Copy) -> bool {
        self.instance.network == Network::Asynchronous
            || [copy.sender, copy.receiver]
                .iter()
                .any(|id| self.session.fault(*id) == Some(FaultKind::Network))
    }

    /// Whether the network owes somebody a quorum of requests to leave the last modelled view.
    fn owes_too_much(&self, height: Height) -> bool {
        if self.instance.network == Network::Asynchronous {
            return false;
        }
        let last = (height, View(self.instance.views - 1));
        let everybody = ReplicaId::all(self.instance.replicas).zip(&self.pasts);
        let asking = everybody.filter(|(id, past)| past.still_asks(last, self.session.place(*id)));
        asking.count() >= self.quorum
    }

    // Timers.

    fn timers(&mut self, id: ReplicaId) -> Result<(), GivenUp> {
        if self.instance.timers == Timers::Protocol {
            // Where a firing without effect says nothing, it may as well have its row.
            for timer in self.session.timers(id) {
                while self.session.deadline(id, timer) == Some(self.now)
                    && (self.habits.asks_once || self.matters(id, timer))
                {
                    self.fire(id, timer, true)?;
                }
            }
            return Ok(());
        }
        if self.habits.starts_timers {
            return self.started(id);
        }
        let timer = self.instance.protocol.timer();
        let mut percent = self.profile.timer;
        let mut last = None;
        loop {
            let Some(working) = self.session.working(id).expect(OBEYS) else {
                return Ok(());
            };
            let place = (working.height, working.view);
            if self.habits.asks_once && last == Some(place) {
                return Ok(());
            }
            let (height, view) = place;
            let leads = self.instance.primary(height, view) == id;
            // A proposal opens everything else; a firing without effect only now and then.
            if leads && !working.knows_proposal() {
                percent = percent.max(50);
            } else if !self.matters(id, timer) || self.pasts[id.index()].is_spent(place) {
                percent = 1;
            }
            if !self.random.percent(percent) || !self.fire(id, timer, false)? {
                return Ok(());
            }
            last = Some(place);
            percent = 5;
        }
    }

    /// Timers that rules start: those that run fire now and then, without effect hardly ever.
    fn started(&mut self, id: ReplicaId) -> Result<(), GivenUp> {
        for timer in self.session.timers(id) {
            let Some(working) = self.session.working(id).expect(OBEYS) else {
                return Ok(());
            };
            let leads = self.instance.primary(working.height, working.view) == id;
            let percent = if !self.matters(id, timer) {
                1
            } else if leads && !working.knows_proposal() {
                self.profile.timer.max(50)
            } else {
                self.profile.timer
            };
            let place = (working.height, working.view);
            if self.random.percent(percent) && self.session.can_fire(id, timer, place) {
                self.fire(id, timer, false)?;
            }
        }
        Ok(())
    }

    fn matters(&mut self, id: ReplicaId, timer: &str) -> bool {
        self.session.firing_matters(id, timer).expect(OBEYS)
    }

    fn fire(
        &mut self,
        replica: ReplicaId,
        timer: &'static str,
        owed: bool,
    ) -> Result<bool, GivenUp> {
        let slot = self.now;
        let (height, view) = self.session.place(replica);
        let choice = Choice::Timeout {
            slot,
            replica,
            timer,
            height,
            view,
        };
        self.act(replica, owed, choice, |session| {
            session.fire(replica, timer).expect(OBEYS);
        })
    }
}
