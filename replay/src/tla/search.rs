//! Every reachable state of the model, breadth first.
//!
//! States are kept packed: 14 bits for each replica, its type and view and, for each view, whether
//! it prepared, committed and asked to leave. A preparation is a request or a response by who is
//! primary of the view, so one bit says both.

use super::{
    action::{Action, Spec, two_blocks_accepted},
    behaviour::{Step, block},
    end::End,
    state::{MAX_VIEW, Seat, State, Type},
};
use crate::{Error, protocols::Name};
use milp_schema::{
    Height, Instance, ReplicaId, Schedule, Slot, View,
    instance::FaultKind,
    schedule::{Choice, Copy, Event, Prediction},
};
use std::collections::BTreeSet;

/// What the search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explored {
    /// Distinct states within `MaxView`.
    pub states: usize,
    /// Steps from them, those that change nothing or leave `MaxView` included, and the initial
    /// state; what TLC calls states generated.
    pub generated: usize,
    /// Stuck states in which nobody is `blockAccepted`.
    pub stuck: usize,
    /// Stuck states in which somebody is, but no quorum.
    pub stuck_accepted: usize,
    /// States from which honest replicas can only leave the modelled views.
    pub out_of_views: usize,
    /// States in which a quorum has accepted.
    pub decided: usize,
    /// States in which blocks of two views are accepted (`InvTwoBlocksAccepted`), or could be by
    /// commits in the pool.
    pub forks: usize,
    /// A shortest way into a stuck state in which nobody is `blockAccepted`.
    pub shortest: Option<StuckBehaviour>,
}

/// A behaviour that ends in a stuck state, one action per slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckBehaviour {
    /// Who is faulty in it; a replica that may turn bad and never does is not.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The behaviour.
    pub schedule: Schedule,
    /// Its last slot.
    pub slots: u32,
}

const BITS_TYPE: u32 = 3;
const BITS_VIEW: u32 = 2;
const BITS: u32 = BITS_TYPE + BITS_VIEW + 3 * (MAX_VIEW + 1);

/// Visits every state of the instance's model in which `faulty` may turn bad (`Byzantine`) or die
/// (`Crash`), `MaxView` being the instance's views less one.
///
/// # Errors
/// Instances the model does not cover, or of more than nine replicas.
pub fn explore(instance: &Instance, faulty: &[(ReplicaId, FaultKind)]) -> Result<Explored, Error> {
    let spec = Spec::of(instance, faulty)?;
    if spec.replicas > u128::BITS / BITS {
        let why = "more than nine replicas";
        return Err(Error::NotSearched { why });
    }
    let mut found = Explored {
        states: 0,
        generated: 1,
        stuck: 0,
        stuck_accepted: 0,
        out_of_views: 0,
        decided: 0,
        forks: 0,
        shortest: None,
    };
    let initial = pack(&State::initial(spec.replicas));
    let mut seen = BTreeSet::from([initial]);
    let mut levels = vec![vec![initial]];
    while let Some(level) = levels.last().filter(|level| !level.is_empty()) {
        let mut next = Vec::new();
        let mut stuck = None;
        for &packed in level {
            let state = unpack(&spec, packed);
            if found.tally(&spec, &state) && found.shortest.is_none() {
                stuck = stuck.or(Some(packed));
            }
            for (_, after) in successors(&spec, &state) {
                found.generated += 1;
                if spec.is_modelled(&after) && seen.insert(pack(&after)) {
                    next.push(pack(&after));
                }
            }
        }
        if let Some(packed) = stuck {
            let way = way_to(&spec, &levels, packed);
            found.shortest = Some(as_schedule(&spec, &way));
        }
        levels.push(next);
    }
    found.states = seen.len();
    Ok(found)
}

impl Explored {
    /// Counts a state; says whether it is stuck and nobody is `blockAccepted`.
    fn tally(&mut self, spec: &Spec, state: &State) -> bool {
        if two_blocks_accepted(state).is_some() || certificates(spec, state) > 1 {
            self.forks += 1;
        }
        match spec.end(state) {
            End::Decided => {
                // `Terminating`, a step that changes nothing.
                self.generated += 1;
                self.decided += 1;
            }
            End::Open(..) => {}
            End::OutOfViews(_) => self.out_of_views += 1,
            End::Stuck if state.count(Type::BlockAccepted) > 0 => self.stuck_accepted += 1,
            End::Stuck => {
                self.stuck += 1;
                return true;
            }
        }
        false
    }
}

/// In how many views the pool has a quorum of commits.
fn certificates(spec: &Spec, state: &State) -> usize {
    View::all(MAX_VIEW + 1)
        .filter(|view| state.pool.senders(Name::Commit, *view).count_ones() >= spec.quorum())
        .count()
}

/// Every step from a state; `Terminating` is not one of a replica.
pub(super) fn successors(spec: &Spec, state: &State) -> Vec<(Step, State)> {
    let actions = || Action::PROTOCOL.into_iter().chain(Action::FAULT);
    let steps = spec
        .replicas()
        .flat_map(|replica| actions().map(move |action| Step { replica, action }));
    steps
        .filter(|step| spec.guard(state, step.replica, step.action).is_ok())
        .map(|step| (step, Spec::step(state, step.replica, step.action)))
        .collect()
}

fn pack(state: &State) -> u128 {
    let mut packed = 0;
    for (id, seat) in state.seats.iter().enumerate() {
        let id = ReplicaId(id as u32);
        packed = packed << BITS_TYPE | seat.kind as u128;
        packed = packed << BITS_VIEW | u128::from(seat.view.0);
        for view in View::all(MAX_VIEW + 1) {
            let pool = &state.pool;
            let prepared = pool.has(Name::PrepareRequest, id, view)
                || pool.has(Name::PrepareResponse, id, view);
            let said = [
                prepared,
                pool.has(Name::Commit, id, view),
                pool.has(Name::ChangeView, id, view),
            ];
            for bit in said {
                packed = packed << 1 | u128::from(bit);
            }
        }
    }
    packed
}

fn unpack(spec: &Spec, mut packed: u128) -> State {
    let mut take = |bits: u32| {
        let low = packed & ((1 << bits) - 1);
        packed >>= bits;
        low as u32
    };
    let mut state = State::initial(spec.replicas);
    for id in spec.replicas().rev() {
        for view in View::all(MAX_VIEW + 1).rev() {
            let prepares = if spec.primary(view) == id {
                Name::PrepareRequest
            } else {
                Name::PrepareResponse
            };
            for kind in [Name::ChangeView, Name::Commit, prepares] {
                if take(1) == 1 {
                    state.pool.insert(kind, id, view);
                }
            }
        }
        let view = View(take(BITS_VIEW));
        let kind = Type::ALL[take(BITS_TYPE) as usize];
        state.seats[id.index()] = Seat { kind, view };
    }
    state
}

/// A way to a state of the last level: backwards, each time from some state of the level before.
///
/// # Panics
/// Never: every state of a level was reached from the level before.
fn way_to(spec: &Spec, levels: &[Vec<u128>], end: u128) -> Vec<(State, Step)> {
    let mut way = Vec::new();
    let mut target = end;
    for level in levels.iter().rev().skip(1) {
        let from = level.iter().find_map(|&packed| {
            let state = unpack(spec, packed);
            let mut steps = successors(spec, &state).into_iter();
            let step = steps.find(|(_, next)| spec.is_modelled(next) && pack(next) == target)?;
            Some((packed, state, step.0))
        });
        let (packed, state, step) = from.expect("a state of the level before leads here");
        target = packed;
        way.push((state, step));
    }
    way.reverse();
    way
}

/// The steps as rows, one per slot. What a replica did before it turned bad it can as well make
/// when it is bad from the start (E29).
pub(super) fn as_schedule(spec: &Spec, way: &[(State, Step)]) -> StuckBehaviour {
    let turned = way.iter().filter(|(_, step)| step.action == Action::BeBad);
    let bad: BTreeSet<ReplicaId> = turned.map(|(_, step)| step.replica).collect();
    let mut schedule = Schedule::default();
    let mut slot = Slot(0);
    for (state, Step { replica, action }) in way {
        let view = state.seat(*replica).view;
        if bad.contains(replica) {
            if action.message().is_some() {
                slot = slot.next();
                let copy = forged(spec, *replica, *action, view, slot);
                schedule.choices.push(Choice::Inject { copy });
            }
            continue;
        }
        slot = slot.next();
        let event = match action {
            Action::Die => {
                let replica = *replica;
                schedule.choices.push(Choice::Crash { slot, replica });
                continue;
            }
            Action::AcceptBlock => Event::Decide(block(view)),
            Action::ReceiveChangeView => Event::EnterView {
                height: Height(0),
                view: view.next(),
            },
            sends => Event::Send(spec.message(*sends, view)),
        };
        schedule.predictions.push(Prediction {
            slot,
            replica: *replica,
            event,
        });
    }
    let byzantine = bad.into_iter().map(|id| (id, FaultKind::Byzantine));
    let crashing = spec.dead.iter().map(|id| (*id, FaultKind::Crash));
    let mut faulty: Vec<_> = byzantine.chain(crashing).collect();
    faulty.sort_unstable();
    StuckBehaviour {
        faulty,
        schedule,
        slots: slot.0,
    }
}

/// The copy of a row `inject`; everybody sees it, so its receiver is the first other replica.
fn forged(spec: &Spec, sender: ReplicaId, action: Action, view: View, sent: Slot) -> Copy {
    let mut others = spec.replicas().filter(|id| *id != sender);
    Copy {
        sender,
        receiver: others.next().unwrap_or(sender),
        message: spec.message(action, view),
        sent,
        copy: 0,
    }
}
