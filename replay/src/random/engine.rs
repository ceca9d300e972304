//! Random executions of rule set `nspcc`, on its own replicas behind a session.

use super::{ATTEMPTS, Executed, GivenUp, Random, choose_faulty, past::Past};
use crate::{
    Recovery, Signatures, compare, engine::nspcc::Nspcc, network::rank, session::Session,
    trace::TraceEvent,
};
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Network, Timeouts, Who},
    schedule::{Choice, Copy},
};
use std::collections::BTreeSet;

/// Why calls of the session cannot fail.
const OBEYS: &str = "the own replicas refuse nothing that a draft asks of them";

/// How eager the adversary of one execution is, in percent per opportunity.
#[derive(Debug, Clone, Copy)]
struct Profile {
    /// To deliver a copy.
    deliver: u32,
    /// To deliver a request or a block, which replicas mostly have before everything else.
    first: u32,
    /// To fire a timer.
    timer: u32,
    /// To crash who may.
    crash: u32,
    /// To make a copy for somebody.
    inject: u32,
    /// To lose what nobody promised.
    lose: u32,
}

/// Executions that decide, that change views, that split, that lock, and that do a bit of
/// everything.
const PROFILES: [Profile; 6] = [
    Profile {
        deliver: 95,
        first: 95,
        timer: 12,
        crash: 1,
        inject: 60,
        lose: 0,
    },
    Profile {
        deliver: 80,
        first: 60,
        timer: 30,
        crash: 2,
        inject: 40,
        lose: 0,
    },
    Profile {
        deliver: 60,
        first: 60,
        timer: 40,
        crash: 3,
        inject: 50,
        lose: 1,
    },
    Profile {
        deliver: 35,
        first: 50,
        timer: 15,
        crash: 5,
        inject: 80,
        lose: 2,
    },
    Profile {
        deliver: 75,
        first: 15,
        timer: 30,
        crash: 2,
        inject: 30,
        lose: 0,
    },
    Profile {
        deliver: 70,
        first: 70,
        timer: 6,
        crash: 2,
        inject: 90,
        lose: 1,
    },
];

/// A random legal execution that the program can say.
pub(super) fn execution(instance: &Instance, seed: u64) -> Executed {
    let mut random = Random(seed);
    for attempt in 1..=ATTEMPTS {
        let lenient = attempt == ATTEMPTS;
        let mut draft = Draft::new(instance, random.next(), lenient);
        if draft.run().is_ok() {
            return draft.finish();
        }
    }
    unreachable!("the last attempt is lenient and is never given up")
}

/// Whether the choice can make a replica do something that the program leaves out.
fn risks(choice: &Choice) -> bool {
    match choice {
        Choice::Deliver { copy, .. } => matches!(
            copy.message.kind,
            Kind::PrepareRequest | Kind::ChangeView | Kind::Block
        ),
        _ => true,
    }
}

struct Draft<'a> {
    instance: &'a Instance,
    quorum: usize,
    session: Session<Nspcc>,
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

impl<'a> Draft<'a> {
    fn new(instance: &'a Instance, seed: u64, lenient: bool) -> Self {
        let mut random = Random(seed);
        let faulty = choose_faulty(instance, &mut random);
        let profile = PROFILES[random.below(PROFILES.len() as u32) as usize];
        let twin = crate::twin(instance).expect("a validated instance names a mutant known here");
        let quorum = crate::quorum(instance);
        let how = (Signatures::Symbolic, Recovery::Ideal);
        let session = Session::new(twin, instance, quorum, &faulty, how).expect(OBEYS);
        Self {
            instance,
            quorum,
            session,
            pasts: vec![Past::default(); instance.replicas as usize],
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
            for id in self.live() {
                self.deliveries(id)?;
            }
            for id in self.live() {
                self.timers(id)?;
            }
            self.injections();
        }
        Ok(())
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
        act: impl FnOnce(&mut Session<Nspcc>),
    ) -> Result<bool, GivenUp> {
        let past = &mut self.pasts[id.index()];
        let before = (!owed && risks(&choice)).then(|| (self.session.clone(), past.clone()));
        if let Choice::Deliver { copy, .. } = &choice {
            past.get(copy, self.now);
        }
        let mark = self.session.log().len();
        act(&mut self.session);
        let events: Vec<TraceEvent> = self.session.log()[mark..].to_vec();
        let past = &mut self.pasts[id.index()];
        let refused = past.did(&events, self.now, self.instance.views).is_err();
        if refused || self.owes_too_much() {
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

    fn draw(&mut self, id: ReplicaId) -> Vec<Drawn> {
        let now = self.now;
        let least = self.instance.delays().0;
        let waiting: Vec<Copy> = self
            .session
            .copies()
            .filter(|copy| copy.receiver == id && copy.sent.0 + least <= now.0)
            .filter(|copy| copy.message.kind != Kind::RecoveryMessage)
            .cloned()
            .collect();
        let mut drawn = Vec::new();
        for copy in waiting {
            let due = self.due(&copy);
            let owed = due.is_some_and(|due| due <= now.0);
            let eager = match copy.message.kind {
                Kind::PrepareRequest | Kind::Block => self.profile.first,
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
        left.is_some_and(|left| left <= 3) && self.random.percent(60)
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
    fn owes_too_much(&self) -> bool {
        if self.instance.network == Network::Asynchronous {
            return false;
        }
        let last = (Height(0), View(self.instance.views - 1));
        let asking = self.pasts.iter().filter(|past| past.asked(last));
        asking.count() >= self.quorum
    }

    // Timers.

    fn timers(&mut self, id: ReplicaId) -> Result<(), GivenUp> {
        if self.instance.timeouts == Timeouts::Protocol {
            // A firing at a replica that has committed says nothing that is predicted.
            while self.session.deadline(id) == Some(self.now) && self.matters(id) {
                self.fire(id, true)?;
            }
            return Ok(());
        }
        let mut percent = self.profile.timer;
        loop {
            let Some(working) = self.session.working(id).expect(OBEYS) else {
                return Ok(());
            };
            let place = (working.height, working.view);
            let proposes = self.is_primary(id, place) && !working.knows_proposal();
            // A proposal opens everything else; a firing without effect only now and then.
            if proposes {
                percent = percent.max(50);
            } else if !working.bonds.is_empty() || self.pasts[id.index()].is_spent(place) {
                percent = 1;
            }
            if !self.random.percent(percent) || !self.fire(id, false)? {
                return Ok(());
            }
            percent = 5;
        }
    }

    fn matters(&mut self, id: ReplicaId) -> bool {
        let working = self.session.working(id).expect(OBEYS);
        working.is_some_and(|working| working.bonds.is_empty())
    }

    fn is_primary(&self, id: ReplicaId, (height, view): (Height, View)) -> bool {
        self.primary(height, view) == id
    }

    fn primary(&self, height: Height, view: View) -> ReplicaId {
        let n = self.instance.replicas;
        ReplicaId((height.0 + n - view.0 % n) % n)
    }

    fn fire(&mut self, replica: ReplicaId, owed: bool) -> Result<bool, GivenUp> {
        let slot = self.now;
        let (height, view) = self.session.place(replica);
        let choice = Choice::Timeout {
            slot,
            replica,
            height,
            view,
        };
        self.act(replica, owed, choice, |session| {
            session.fire(replica).expect(OBEYS);
        })
    }

    // Injections.

    /// Byzantine replicas aim at where honest ones are, sometimes elsewhere.
    fn injections(&mut self) {
        let byzantine: Vec<ReplicaId> = self
            .faulty
            .iter()
            .filter(|(_, kind)| *kind == FaultKind::Byzantine)
            .map(|(id, _)| *id)
            .collect();
        for sender in byzantine {
            for receiver in self.live() {
                if self.random.percent(self.profile.inject) {
                    self.inject(sender, receiver);
                }
            }
        }
    }

    fn inject(&mut self, sender: ReplicaId, receiver: ReplicaId) {
        let (height, mut view) = self.session.place(receiver);
        if self.random.percent(20) {
            view = View(self.random.below(self.instance.views));
        }
        if height.0 >= self.instance.heights || view.0 >= self.instance.views {
            return;
        }
        let primary = self.primary(height, view);
        let kind = match self.random.below(5) {
            0 => Kind::ChangeView,
            1 => Kind::Commit,
            _ if primary == sender => Kind::PrepareRequest,
            _ => Kind::PrepareResponse,
        };
        // The first proposal is the likeliest, so that votes meet.
        let other = self.random.below(self.blocks(primary));
        let block = if self.random.percent(60) { 0 } else { other };
        let change = kind == Kind::ChangeView;
        let message = Message {
            kind,
            height,
            view,
            block: (!change).then_some(block),
            target: change.then(|| view.next()),
        };
        if self.may_make(sender, receiver, &message) {
            self.made.insert((sender, receiver, message.clone()));
            let copy = Copy {
                sender,
                receiver,
                message,
                sent: self.now,
                copy: 0,
            };
            self.session.inject(&copy).expect(OBEYS);
            self.choices.push(Choice::Inject { copy });
        }
    }

    /// The number of blocks that the program knows in a view of that primary.
    fn blocks(&self, primary: ReplicaId) -> u32 {
        let byzantine = self.instance.faults.iter().any(|fault| {
            fault.kind == FaultKind::Byzantine
                && match &fault.who {
                    Who::Any(count) => *count > 0,
                    Who::These(these) => these.contains(&primary),
                }
        });
        if byzantine {
            self.instance.blocks_per_proposal
        } else {
            1
        }
    }

    /// One response per view and one commit for each receiver, everything else once (E22).
    fn may_make(&self, sender: ReplicaId, receiver: ReplicaId, message: &Message) -> bool {
        let mut made = self.made.iter().filter(|(from, to, made)| {
            (*from, *to, &made.kind, made.height)
                == (sender, receiver, &message.kind, message.height)
        });
        match message.kind {
            Kind::Commit => made.next().is_none(),
            Kind::PrepareResponse => !made.any(|(_, _, made)| made.view == message.view),
            _ => !made.any(|(_, _, made)| made == message),
        }
    }
}
