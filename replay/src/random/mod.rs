//! Random legal executions, in the canonical order of E7 and E8.
//!
//! The adversary's choices are drawn, the replicas react, and what honest replicas did becomes the
//! predictions: feeding the result to [`crate::replay`] gives no divergence. The other use is the
//! other way round: every such execution must satisfy every legal row of the program.
//!
//! A choice that would make a replica leave the last modelled view, or enter two views of a height
//! in one slot, is refused. Where it cannot be refused (a copy the network owes, a timer of the
//! protocol) the attempt is given up and the next one drawn from the same seed.

mod engine;
mod past;

use crate::{
    Recovery, Signatures, compare,
    network::rank,
    protocols::{Rules, Table},
    session::Session,
    trace::What,
};
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, Schedule, Slot, View,
    instance::{FaultKind, Network, Timeouts, Who},
    schedule::{Choice, Copy},
};
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
    /// else that the program leaves out (E8, E22), because no attempt of the seed avoided it.
    pub left_out: bool,
}

/// A seeded generator (splitmix64), so that a seed names an execution for ever.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..bound.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "nothing is below 0");
        (self.next() % u64::from(bound)) as u32
    }

    /// True `percent` times of a hundred.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// How eager the adversary of one execution is, in percent per opportunity.
#[derive(Debug, Clone, Copy)]
struct Profile {
    deliver: u32,
    timer: u32,
    crash: u32,
    inject: u32,
    lose: u32,
}

/// Executions that decide, that change views, that split, and that do a bit of everything.
const PROFILES: [Profile; 5] = [
    Profile {
        deliver: 95,
        timer: 12,
        crash: 1,
        inject: 60,
        lose: 0,
    },
    Profile {
        deliver: 80,
        timer: 30,
        crash: 2,
        inject: 40,
        lose: 0,
    },
    Profile {
        deliver: 60,
        timer: 40,
        crash: 3,
        inject: 50,
        lose: 1,
    },
    Profile {
        deliver: 35,
        timer: 15,
        crash: 5,
        inject: 80,
        lose: 2,
    },
    Profile {
        deliver: 70,
        timer: 6,
        crash: 2,
        inject: 90,
        lose: 1,
    },
];

/// Whether there are replicas for the instance, so that it has executions here.
pub fn covers(instance: &Instance) -> bool {
    instance.rules == "nspcc" || Rules::of(instance).is_ok()
}

/// A random legal execution of the instance; equal seeds give equal executions.
///
/// The instance's budget is not looked at: a budget limits the adversary, not what is legal.
///
/// # Panics
/// If the instance names a protocol, rule set or mutant without replicas here.
pub fn execution(instance: &Instance, seed: u64) -> Executed {
    if instance.rules == "nspcc" {
        return engine::execution(instance, seed);
    }
    let rules = Rules::of(instance).expect("a validated instance names replicas known here");
    let rules = Rules {
        recovery: false,
        ..rules
    };
    let mut random = Random(seed);
    for attempt in 1..=ATTEMPTS {
        let lenient = attempt == ATTEMPTS;
        let mut draft = Draft::new(instance, rules, random.next(), lenient);
        if draft.run().is_ok() {
            return draft.finish();
        }
    }
    unreachable!("the last attempt is lenient and is never given up")
}

/// The attempt ran into something the program does not know.
struct GivenUp;

struct Draft<'a> {
    instance: &'a Instance,
    rules: Rules,
    world: Session<Table>,
    now: Slot,
    random: Random,
    profile: Profile,
    faulty: Vec<(ReplicaId, FaultKind)>,
    choices: Vec<Choice>,
    /// What Byzantine replicas made, so that nothing is made twice.
    made: BTreeSet<(ReplicaId, ReplicaId, Message)>,
    /// Height and slot of the last view entered, by replica.
    entered: Vec<Option<(Height, Slot)>>,
    lenient: bool,
    beyond: bool,
}

impl<'a> Draft<'a> {
    fn new(instance: &'a Instance, rules: Rules, seed: u64, lenient: bool) -> Self {
        let mut random = Random(seed);
        let faulty = choose_faulty(instance, &mut random);
        let profile = PROFILES[random.below(PROFILES.len() as u32) as usize];
        Self {
            instance,
            rules,
            world: Session::new(
                Table::new(rules),
                instance,
                rules.quorum(),
                &faulty,
                (Signatures::Symbolic, Recovery::Ideal),
            )
            .expect(OBEYS),
            now: Slot(0),
            random,
            profile,
            faulty,
            choices: Vec::new(),
            made: BTreeSet::new(),
            entered: vec![None; instance.replicas as usize],
            lenient,
            beyond: false,
        }
    }

    fn finish(self) -> Executed {
        let predictions = compare::observed(self.world.log());
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
            self.now = Slot(slot);
            self.world.begin(self.now).expect(OBEYS);
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

    fn live(&self) -> Vec<ReplicaId> {
        self.world.live().collect()
    }

    fn crashes(&mut self) {
        let slot = self.now;
        for replica in self.live() {
            let may = self.world.fault(replica).is_some();
            if may && self.random.percent(self.profile.crash) {
                self.world.crash(replica).expect(OBEYS);
                self.choices.push(Choice::Crash { slot, replica });
            }
        }
    }

    /// Copies to one replica: those drawn and those owed, in the order of E7, ties at random.
    fn deliveries(&mut self, id: ReplicaId) -> Result<(), GivenUp> {
        let slot = self.now;
        let least = self.instance.delays().0;
        let waiting: Vec<Copy> = self
            .world
            .copies()
            .filter(|copy| copy.receiver == id && copy.sent.0 + least <= slot.0)
            .cloned()
            .collect();
        let mut drawn = Vec::new();
        for copy in waiting {
            let owed = self.due(&copy);
            let (deliver, lose) = (self.profile.deliver, self.profile.lose);
            if owed.is_some_and(|due| due <= slot.0) {
                drawn.push((rank(&copy.message), self.random.next(), copy, true));
            } else if self.hurried(owed) || self.random.percent(deliver) {
                drawn.push((rank(&copy.message), self.random.next(), copy, false));
            } else if self.may_lose(&copy) && self.random.percent(lose) {
                self.world.drop_copy(&copy);
                self.choices.push(Choice::Drop { slot, copy });
            }
        }
        drawn.sort();
        for (_, _, copy, owed) in drawn {
            let before = self
                .may_enter(id, &copy.message)
                .then(|| self.world.clone());
            self.world.deliver(&copy).expect(OBEYS);
            if let Some(before) = before
                && !self.entries_allowed(before.log().len())
            {
                match (owed, self.lenient) {
                    (false, _) => {
                        self.world = before;
                        continue;
                    }
                    (true, false) => return Err(GivenUp),
                    (true, true) => self.beyond = true,
                }
            }
            self.choices.push(Choice::Deliver { slot, copy });
        }
        Ok(())
    }

    /// Just before copies are owed they come in twos and threes rather than all in one slot.
    fn hurried(&mut self, due: Option<u32>) -> bool {
        let left = due.map(|due| due.saturating_sub(self.now.0));
        left.is_some_and(|left| left <= 3) && self.random.percent(75)
    }

    /// The slot by which the network owes the copy (E10).
    fn due(&self, copy: &Copy) -> Option<u32> {
        let receives = self.world.is_up(copy.receiver);
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
        let fault = self.world.fault(id);
        !matches!(fault, Some(FaultKind::Byzantine | FaultKind::Network))
    }

    /// Only what nobody promised may be lost.
    fn may_lose(&self, copy: &Copy) -> bool {
        self.instance.network == Network::Asynchronous
            || [copy.sender, copy.receiver]
                .iter()
                .any(|id| self.world.fault(*id) == Some(FaultKind::Network))
    }

    /// Whether handing `message` over could make the replica enter a view: only a change view it
    /// takes does, or what starts another height for which change views may be held back.
    fn may_enter(&self, id: ReplicaId, message: &Message) -> bool {
        let replica = self.world.engine().replica(id);
        match message.kind {
            Kind::ChangeView => {
                message.height == replica.height && message.target > Some(replica.view)
            }
            _ => self.instance.heights > 1,
        }
    }

    /// Whether every view entered since `mark` of the log is modelled and the first of its height
    /// in the slot (E8); remembers the entries if so.
    fn entries_allowed(&mut self, mark: usize) -> bool {
        let slot = self.now;
        let mut entered = self.entered.clone();
        for event in &self.world.log()[mark..] {
            if event.what != What::EnterView {
                continue;
            }
            let Some((height, view)) = event.place else {
                continue;
            };
            let last = entered[event.replica.index()].replace((height, slot));
            if view.0 >= self.instance.views || last == Some((height, slot)) {
                return false;
            }
        }
        self.entered = entered;
        true
    }

    fn timers(&mut self, id: ReplicaId) -> Result<(), GivenUp> {
        if self.instance.timeouts == Timeouts::Protocol {
            while self.world.deadline(id).is_some_and(|due| due <= self.now) {
                self.fire(id, true)?;
            }
            return Ok(());
        }
        let mut percent = self.profile.timer;
        let mut last = None;
        loop {
            let replica = self.world.engine().replica(id);
            let place = (replica.height, replica.view);
            if replica.stopped(&self.rules) || last == Some(place) {
                return Ok(());
            }
            // A proposal opens everything else; a firing without effect only now and then.
            if replica.is_primary(&self.rules) && !replica.request_sent(&self.rules) {
                percent = percent.max(50);
            } else if !replica.timeout_matters(&self.rules) {
                percent = 1;
            }
            if !self.random.percent(percent) {
                return Ok(());
            }
            last = Some(place);
            self.fire(id, false)?;
            percent = 5;
        }
    }

    fn fire(&mut self, replica: ReplicaId, owed: bool) -> Result<(), GivenUp> {
        let slot = self.now;
        let (height, view) = (
            self.world.engine().replica(replica).height,
            self.world.engine().replica(replica).view,
        );
        let before = self.world.clone();
        self.world.fire(replica).expect(OBEYS);
        let fine = self.entries_allowed(before.log().len()) && !self.owes_too_much(height);
        if !fine && !owed {
            self.world = before;
            return Ok(());
        }
        if !fine && !self.lenient {
            return Err(GivenUp);
        }
        self.beyond |= !fine;
        self.choices.push(Choice::Timeout {
            slot,
            replica,
            height,
            view,
        });
        Ok(())
    }

    /// Whether the network owes somebody a quorum of requests to leave the last modelled view.
    fn owes_too_much(&self, height: Height) -> bool {
        if self.instance.network == Network::Asynchronous {
            return false;
        }
        let beyond = (View(self.instance.views), ReplicaId(0));
        let asking = ReplicaId::all(self.instance.replicas).filter(|id| {
            let replica = self.world.engine().replica(*id);
            let asks = replica
                .change_views
                .range(beyond..)
                .any(|&(_, who)| who == replica.me);
            self.world.fault(*id) != Some(FaultKind::Byzantine) && replica.height == height && asks
        });
        asking.count() >= self.rules.quorum()
    }

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
        let replica = self.world.engine().replica(receiver);
        let (mut height, mut view) = (replica.height, replica.view);
        if self.random.percent(10) {
            height = Height(self.random.below(self.instance.heights));
        }
        if self.random.percent(20) {
            view = View(self.random.below(self.instance.views));
        }
        if height.0 >= self.instance.heights || view.0 >= self.instance.views {
            return;
        }
        let kind = match self.random.below(5) {
            0 => Kind::ChangeView,
            1 if self.instance.protocol != "dbft1" => Kind::Commit,
            2 => Kind::PrepareResponse,
            _ if self.rules.primary(height, view) == sender => Kind::PrepareRequest,
            _ => Kind::PrepareResponse,
        };
        let change = kind == Kind::ChangeView;
        // The first proposal is the likeliest, so that votes meet.
        let other = self.random.below(self.instance.blocks_per_proposal);
        let block = if self.random.percent(60) { 0 } else { other };
        let block = (!change).then_some(block);
        let target = change.then(|| view.next());
        let message = Message {
            kind,
            height,
            view,
            block,
            target,
        };
        if self.made.insert((sender, receiver, message.clone())) {
            let sent = self.now;
            let copy = Copy {
                sender,
                receiver,
                message,
                sent,
                copy: 0,
            };
            self.world.inject(&copy).expect(OBEYS);
            self.choices.push(Choice::Inject { copy });
        }
    }
}

/// Who is faulty: those named, and mostly as many as there may be of the others.
fn choose_faulty(instance: &Instance, random: &mut Random) -> Vec<(ReplicaId, FaultKind)> {
    let mut faulty: Vec<(ReplicaId, FaultKind)> = Vec::new();
    for fault in &instance.faults {
        if let Who::These(these) = &fault.who {
            faulty.extend(these.iter().map(|&id| (id, fault.kind)));
        }
    }
    for fault in &instance.faults {
        let Who::Any(count) = fault.who else { continue };
        for _ in 0..count {
            let free: Vec<ReplicaId> = ReplicaId::all(instance.replicas)
                .filter(|id| faulty.iter().all(|(other, _)| other != id))
                .collect();
            if !free.is_empty() && random.percent(85) {
                faulty.push((free[random.below(free.len() as u32) as usize], fault.kind));
            }
        }
    }
    faulty.sort_unstable();
    faulty
}
