//! The heal phase (E16–E18, E24): a synchronous network, timers by the protocol, nobody attacks.

use super::{
    Seat, Session,
    rotation::{self, Rotations},
    stuck::describe,
};
use crate::{
    Error,
    engine::{Engine, State},
    network::{Labels, Posted},
};
use milp_schema::trace::{Phase, TraceEvent, What};
use milp_schema::{
    Height, Message, ReplicaId, Slot, View, instance::FaultKind, verdict::Liveness,
    vocabulary::Role,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Slots handled before the phase gives up; slots in which nothing is due are skipped.
const STEP_LIMIT: usize = 1_000;

/// Undelivered copies in all states together that the phase remembers before it gives up: an engine
/// that floods must not use up the memory.
const REMEMBERED: usize = 2_000_000;

/// A running timer must have fired this often between a state and its repetition (E18).
const FIRINGS: u32 = 3;

/// Firings of one replica in one slot. A timer of no duration fires in the slot it is armed in;
/// one that is armed so for ever must not stop the clock.
const FIRINGS_IN_A_SLOT: u32 = 8;

/// The joint state: what everybody knows and what is undelivered, timers and times aside.
type Joint = (Vec<State>, Vec<Labels>);

/// Runs the phase to its end; for `stuck`, and where views repeat, also a sentence about it.
///
/// # Errors
/// The engine's.
pub(crate) fn heal<E: Engine>(
    session: &mut Session<E>,
) -> Result<(Liveness, Option<String>), Error> {
    session.phase = Phase::Heal;
    session.network.release_kept();
    if session.free && session.habits.arms_anew {
        let effects = session.engine.arm_anew()?;
        session.absorb(effects);
    }
    let mut seen: BTreeMap<Joint, Vec<Clockwork>> = BTreeMap::new();
    let (mut offered, mut places) = (0, Vec::new());
    let mut rotations = session.rotations();
    let mut remembered = 0;
    for _ in 0..STEP_LIMIT {
        if session.decided() {
            return Ok((Liveness::Decided, None));
        }
        if session.habits.offers_again {
            session.offer_again(&mut offered);
        }
        let Some(next) = session.next_slot() else {
            break;
        };
        session.begin(next)?;
        session.deliver_all()?;
        session.fire_due()?;
        let states = session.states()?;
        let now = session.clockworks();
        // Nobody returns to a view that it left, so no state from before is there again.
        let moved: Vec<_> = session.everybody().map(|id| session.place(id)).collect();
        if moved != places {
            places = moved;
            seen.clear();
        }
        if let Some(from) = session.repeats_from(&mut rotations) {
            return Ok((
                Liveness::Open,
                Some(rotation::sentence(from, session.seats.len())),
            ));
        }
        let joint = (states, session.network.labels());
        remembered += joint.1.len();
        if remembered > REMEMBERED {
            break;
        }
        let Some(then) = seen.get(&joint) else {
            seen.insert(joint, now);
            continue;
        };
        if repeats(then, &now, session.habits.puts_off) {
            let sentence = describe(session, &joint.0);
            return Ok((Liveness::Stuck, Some(sentence)));
        }
    }
    let decided = session.decided();
    let end = if decided {
        Liveness::Decided
    } else {
        Liveness::Open
    };
    Ok((end, None))
}

/// What a replica's timer did and has left to do.
#[derive(Debug, Clone, Copy)]
struct Clockwork {
    /// How often it fired.
    fired: u32,
    /// Nanoseconds to its deadline, negative when it is overdue; `None` if it does not run.
    left: Option<i128>,
}

/// Whether a joint state that was there `then` stays for ever: every running timer has fired often
/// enough, or (`puts_off`) was put off so much that it is no nearer to its deadline although others
/// have.
fn repeats(then: &[Clockwork], now: &[Clockwork], puts_off: bool) -> bool {
    let often = |then: &Clockwork, now: &Clockwork| now.fired >= then.fired + FIRINGS;
    let put_off = |then: &Clockwork, now: &Clockwork| {
        puts_off && then.left.is_some_and(|left| now.left >= Some(left))
    };
    let both = || then.iter().zip(now).filter(|(_, now)| now.left.is_some());
    let fires = both().next().is_none() || both().any(|(then, now)| often(then, now));
    fires && both().all(|(then, now)| often(then, now) || put_off(then, now))
}

impl<E: Engine> Session<E> {
    /// The timers, by replica and name.
    fn clockworks(&self) -> Vec<Clockwork> {
        let now = i128::from(self.now.0) * i128::from(self.slot);
        let work = |seat: &Seat, name: &str| {
            let timer = seat.timer(name, self.habits).filter(|_| seat.is_live());
            let left = timer.map(|(timer, _)| i128::from(timer.deadline) - now);
            let fired = seat.fired.get(name).copied().unwrap_or_default();
            Clockwork { fired, left }
        };
        let timers = &self.protocol.timers;
        let of_seat = |seat| timers.iter().map(move |name| work(seat, name));
        self.seats.iter().flat_map(of_seat).collect()
    }

    /// Where a file has all the rules there are and a decision ends a height, acts that repeat go on.
    fn rotations(&self) -> Option<Rotations> {
        let rules_alone = self.habits.offers_again && !self.habits.goes_on;
        let replicas = u32::try_from(self.seats.len()).ok()?;
        let of = || Rotations::of(self.protocol, replicas);
        rules_alone.then(of)?
    }

    /// The first of the views that repeat, if all who go on are at one height and they do.
    fn repeats_from(&self, rotations: &mut Option<Rotations>) -> Option<View> {
        let going = self.live().filter(|id| !self.stopped(*id));
        let places: Vec<(Height, View)> = going.map(|id| self.place(id)).collect();
        let (height, lowest) = *places.iter().min()?;
        if places.iter().any(|place| place.0 != height) {
            *rotations = None;
        }
        rotations.as_mut()?.seen(lowest, &self.log)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = ReplicaId> {
        self.everybody().filter(|id| self.seat(*id).is_live())
    }

    /// Whether every live honest replica decided every height.
    fn decided(&self) -> bool {
        self.live()
            .all(|id| self.stopped(id) || self.seat(id).decided)
    }

    /// The next slot with work: with something in flight the one after this, otherwise that of the
    /// next deadline. `None` when slots are used up.
    fn next_slot(&self) -> Option<Slot> {
        let tomorrow = Slot(self.now.0.checked_add(1)?);
        if self.network.in_flight().next().is_some() {
            return Some(tomorrow);
        }
        let due = |id| {
            self.timers(id)
                .into_iter()
                .filter_map(move |it| self.due(id, it))
        };
        match self.live().flat_map(due).min() {
            None => Some(tomorrow),
            Some(Slot(u32::MAX)) => None,
            Some(due) => Some(due.max(tomorrow)),
        }
    }

    fn deliver_all(&mut self) -> Result<(), Error> {
        for copy in self.network.deliverable(self.now) {
            if self.seat(copy.receiver).is_live() {
                self.deliver(&copy)?;
            } else {
                // Nobody is there; what is not taken would stay in flight for ever.
                self.network.take(&copy);
            }
        }
        Ok(())
    }

    fn fire_due(&mut self) -> Result<(), Error> {
        for id in self.everybody() {
            for _ in 0..FIRINGS_IN_A_SLOT {
                let due = |name: &&str| self.due(id, name).is_some_and(|due| due <= self.now);
                let timer = self.timers(id).into_iter().find(due);
                let timer = timer.filter(|_| self.seat(id).is_live() && !self.stopped(id));
                let Some(timer) = timer else {
                    break;
                };
                self.fire(id, timer)?;
            }
        }
        Ok(())
    }

    /// Whatever was said of a height is offered to who has not left it and never got it: what honest
    /// replicas sent, and what one of them took of a Byzantine one. `from` is the place in the log
    /// of what was not offered yet.
    fn offer_again(&mut self, from: &mut usize) {
        let news: Vec<(ReplicaId, Message)> = self.log[*from..]
            .iter()
            .filter_map(|event| {
                let author = match event.what {
                    What::Send => event.replica,
                    What::Deliver | What::HandOver => event.peer?,
                    _ => return None,
                };
                // What a Byzantine replica gets is known to nobody.
                let known = self.seat(event.replica).fault != Some(FaultKind::Byzantine);
                Some((author, event.message.clone()?)).filter(|_| known)
            })
            .collect();
        *from = self.log.len();
        for said in news.into_iter().collect::<BTreeSet<_>>() {
            let Some(&id) = self.numbers.get(&said) else {
                continue;
            };
            let (author, message) = said.clone();
            let posted = Posted {
                author,
                message,
                id,
                carried: Arc::default(),
            };
            for receiver in self.everybody().filter(|id| *id != author) {
                let seat = self.seat(receiver);
                let there = seat.is_live() && seat.height <= said.1.height;
                let knows = seat.given.contains(&said) || self.network.carries(receiver, &said);
                if there && !knows {
                    self.network.send(receiver, self.now, &posted, false);
                }
            }
        }
    }

    /// What everybody honest knows, timers aside.
    fn states(&mut self) -> Result<Vec<State>, Error> {
        let mut states = Vec::new();
        for id in self.everybody() {
            // A Byzantine replica has no state, and so does one whose engine broke down.
            let seat = &self.seats[id.index()];
            if !seat.is_live() {
                states.push(State::Down(seat.height));
                continue;
            }
            let mut state = self.engine.state(id)?;
            if let State::Working(working) = &mut state {
                working.timers.clear();
            }
            states.push(state);
        }
        Ok(states)
    }

    /// A replica that has decided a height answers who is still there with the block (E24).
    pub(super) fn answer(&mut self, id: ReplicaId, question: &Message) {
        let asks = matches!(
            question.kind.does().role,
            Role::Leave | Role::Question | Role::Answer
        );
        let place = (id, question.height);
        if self.phase == Phase::Schedule || !asks || !self.answered.insert(place) {
            return;
        }
        let Some((message, block)) = self.ledger.get(&place).cloned() else {
            return;
        };
        let posted = Posted {
            author: id,
            message: message.clone(),
            id: block,
            carried: Arc::default(),
        };
        self.post(&posted, false);
        self.note(id, What::Recover, |event| TraceEvent {
            message: Some(message),
            ..event
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Recovery, Signatures,
        protocols::{Rules, Table, testing::at},
        random, run,
    };
    use milp_schema::{
        Instance,
        instance::{Fault, Goal, Network, Who},
    };

    fn session(
        instance: &Instance,
        faulty: &[(ReplicaId, FaultKind)],
        signatures: Signatures,
    ) -> Session<Table> {
        let rules = Rules::of(instance).expect("known names");
        let how = (signatures, Recovery::Ideal);
        Session::new(Table::new(rules), instance, rules.quorum(), faulty, how).expect("it starts")
    }

    fn instance(protocol: &str, faults: Vec<Fault>) -> Instance {
        Instance::builder(protocol)
            .faults(faults)
            .views(3)
            .slots(8)
            .network(Network::Asynchronous)
            .goal(Goal::Stall)
            .build()
    }

    /// Goes on until the state is one of E19: everything delivered, every timer fired that does
    /// anything. Views may be passed without end, so there is a limit.
    fn finish(session: &mut Session<Table>) -> bool {
        for _ in 0..40 {
            session.begin(session.now.next()).expect("it obeys");
            for copy in session.network.deliverable(session.now) {
                session.deliver(&copy).expect("it obeys");
            }
            let live: Vec<ReplicaId> = session.live().collect();
            let matters = |id: &ReplicaId| session.firing_matters(*id, "view").expect("it obeys");
            let firing: Vec<ReplicaId> = live.into_iter().filter(matters).collect();
            if firing.is_empty() && session.copies().next().is_none() {
                return true;
            }
            for id in firing {
                session.fire(id, "view").expect("it obeys");
            }
        }
        false
    }

    /// Questions of one slot get one answer, as long as there is nothing new to repeat.
    #[test]
    fn equal_answers_of_one_slot_are_one() {
        let instance = instance("dbft2", Vec::new());
        let mut session = session(&instance, &[], Signatures::P256);
        session.phase = Phase::Heal;
        let ask = |session: &mut Session<Table>, sender: u32, now: u32| {
            session.begin(Slot(now)).expect("it obeys");
            let copy = milp_schema::schedule::Copy {
                sender: ReplicaId(sender),
                receiver: ReplicaId(0),
                message: at(0, "RecoveryRequest v0"),
                sent: Slot(now),
                copy: 0,
            };
            session.inject(&copy).expect("it obeys");
            let there = session.deliver(&copy).expect("it obeys");
            assert!(there, "it is in flight");
            session.copies().count()
        };
        let counts = [(1, 2), (2, 2), (3, 2), (1, 3)].map(|(who, now)| ask(&mut session, who, now));
        assert_eq!(counts, [3, 3, 3, 6], "three receivers, two slots");
    }

    /// "No rule is enabled in such a state, no timer changes it, and recovery offers nothing new:
    /// it is stuck unless it is decided." (E19)
    #[test]
    fn a_final_state_without_decision_is_stuck_and_recovery_does_not_help() {
        let crash = Fault {
            kind: FaultKind::Crash,
            who: Who::Any(1),
        };
        let (mut stuck, mut decided_count) = (0, 0);
        for faults in [Vec::new(), vec![crash]] {
            let instance = instance("dbft2", faults);
            for seed in 0..400 {
                let executed = random::execution(&instance, seed);
                // What was lost for ever is not "delivered", which E19 asks for.
                let mut schedule = executed.schedule;
                schedule
                    .choices
                    .retain(|c| !matches!(c, milp_schema::Choice::Drop { .. }));
                let mut session = session(&instance, &executed.faulty, Signatures::Symbolic);
                run::drive(&mut session, &instance, &schedule, false).expect("good input");
                if !finish(&mut session) {
                    continue;
                }
                let undecided = session.live().any(|id| !session.stopped(id));
                let (liveness, _) = heal(&mut session).expect("it obeys");
                if undecided {
                    assert_eq!(liveness, Liveness::Stuck, "seed {seed}");
                    stuck += 1;
                } else {
                    assert_eq!(liveness, Liveness::Decided, "seed {seed}");
                    decided_count += 1;
                }
            }
        }
        assert!(
            stuck >= 20 && decided_count >= 20,
            "{stuck} stuck, {decided_count} decided"
        );
    }
}
