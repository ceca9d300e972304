//! One replica: malachite's driver, with what an embedder does around it.
//!
//! The embedder is as `core-consensus` is: own messages are applied before anything else happens, a
//! round is entered as soon as the driver says so, and a decision ends the height.

use crate::{
    Defect,
    types::{Address, Height, Proposed, Rotation, Vote, view},
    world::{Told, World},
};
use arc_malachitebft_core_driver::{Driver, Input, Output, Step, ThresholdParams};
use arc_malachitebft_core_types::{
    NilOrVal, Round, Threshold, ThresholdParam, Timeout, TimeoutKind, ValidatorSet, VoteType,
};
use milp_replay::engine::{Bond, Effect, Nanos, Timer, Working};
use milp_schema::{BlockId, Message, ReplicaId, Value, View};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What two messages prove of a replica: its name, and both.
pub(crate) type Evidence = (ReplicaId, String);

/// An honest replica.
pub(crate) struct Replica {
    id: ReplicaId,
    defect: Option<Defect>,
    /// The number of heights once it has stopped.
    pub(crate) height: milp_schema::Height,
    driver: Driver<Rotation>,
    /// When the timers of its round are due.
    pub(crate) timers: BTreeMap<&'static str, Nanos>,
    /// The round for which it was asked for a value before the run was opened.
    waits: Option<Round>,
    /// New values by (height, round), amnesia included.
    proposed: BTreeMap<(milp_schema::Height, View), u32>,
    decided: Option<Value>,
    /// What it collected at heights that it left.
    evidence: BTreeSet<Evidence>,
}

/// Why an engine broke down.
type Broken = String;

impl Replica {
    /// At height 0, in no round yet.
    pub(crate) fn new(id: ReplicaId, defect: Option<Defect>, world: &World) -> Self {
        let height = milp_schema::Height(0);
        Self {
            id,
            defect,
            height,
            driver: driver(id, defect, height, world),
            timers: BTreeMap::new(),
            waits: None,
            proposed: BTreeMap::new(),
            decided: None,
            evidence: BTreeSet::new(),
        }
    }

    /// It begins its height, as a new process would.
    pub(crate) fn restart(&mut self, world: &mut World) -> Result<(), Broken> {
        self.driver = driver(self.id, self.defect, self.height, world);
        self.waits = None;
        self.enter(world, Round::ZERO)?;
        self.settle(world)
    }

    /// It answers what it was asked before the run was opened.
    pub(crate) fn open(&mut self, world: &mut World) -> Result<(), Broken> {
        if let Some(round) = self.waits.take() {
            self.propose(world, round)?;
        }
        self.settle(world)
    }

    pub(crate) fn stopped(&self, world: &World) -> bool {
        self.height.0 >= world.heights
    }

    /// A message is handed over; one of another height changes nothing.
    pub(crate) fn receive(
        &mut self,
        world: &mut World,
        author: ReplicaId,
        message: &Message,
    ) -> Result<(), Broken> {
        if message.height != self.height || self.stopped(world) {
            return Ok(());
        }
        let input = match world.told(author, message) {
            Some(Told::Proposal(proposal, validity)) => Input::Proposal(proposal, validity),
            Some(Told::Vote(vote)) => Input::Vote(vote),
            None => return Ok(()),
        };
        self.input(world, input)?;
        self.settle(world)
    }

    /// A timer fires, if it runs.
    pub(crate) fn fire(&mut self, world: &mut World, timer: &str) -> Result<(), Broken> {
        let runs = self.timers.remove(timer).is_some();
        let Some(kind) = world.timeout(timer).filter(|_| runs) else {
            return Ok(());
        };
        let timeout = Timeout::new(self.driver.round(), kind);
        self.input(world, Input::TimeoutElapsed(timeout))?;
        self.settle(world)
    }

    /// Whether a firing of the timer would change anything.
    pub(crate) fn would(&self, world: &World, timer: &str) -> bool {
        let step = self.driver.step();
        self.timers.contains_key(timer)
            && match world.timeout(timer) {
                Some(TimeoutKind::Propose) => step == Step::Propose,
                Some(TimeoutKind::Prevote) => step == Step::Prevote,
                kind => kind.is_some(),
            }
    }

    /// Every timer runs from now on.
    pub(crate) fn start_anew(&mut self, world: &World) {
        let view = self.view();
        for (timer, deadline) in &mut self.timers {
            *deadline = world.deadline(timer, view);
        }
    }

    pub(crate) fn view(&self) -> View {
        view(self.driver.round())
    }

    pub(crate) fn running(&self) -> Vec<Timer> {
        let timer = |(name, deadline): (&&'static str, &Nanos)| Timer {
            name,
            height: self.height,
            view: self.view(),
            deadline: *deadline,
        };
        self.timers.iter().map(timer).collect()
    }

    pub(crate) fn working(&self, world: &World) -> Working {
        let vote = |author: Address, message: Message| milp_replay::engine::Vote {
            author: author.0,
            kind: message.kind,
            view: message.view,
            value: message.value,
        };
        let rounds = self.driver.votes().all_rounds().values();
        let votes = rounds.flat_map(|round| round.received_votes());
        let votes = votes.map(|it| vote(it.by, world.of_vote(it)));
        let rounds = self.driver.proposals().all_rounds().values();
        let proposals = rounds.flat_map(|round| round.get_proposals_and_validities());
        let proposals = proposals.map(|(it, _)| vote(it.by, world.of_proposal(it)));
        let mut votes: Vec<_> = votes.chain(proposals).collect();
        votes.sort_unstable();
        let locked = self.driver.round_state().locked.as_ref();
        let bond = locked.map(|locked| Bond {
            kind: world.binds(),
            view: view(locked.round),
            value: Some(locked.value.0),
        });
        Working {
            height: self.height,
            view: self.view(),
            votes,
            entry: Vec::new(),
            bonds: bond.into_iter().collect(),
            seen: Vec::new(),
            timers: self.running(),
        }
    }

    /// What it has against others.
    pub(crate) fn evidence(&self, world: &World) -> BTreeSet<Evidence> {
        let mut all = self.evidence.clone();
        let votes = self.driver.votes().evidence().iter();
        let votes = votes.flat_map(|(by, pairs)| pairs.iter().map(move |pair| (by, pair)));
        for (by, (one, other)) in votes {
            let pair = [world.of_vote(one), world.of_vote(other)];
            all.insert((by.0, both(pair)));
        }
        let proposals = self.driver.proposals().evidence().iter();
        let proposals = proposals.flat_map(|(by, pairs)| pairs.iter().map(move |pair| (by, pair)));
        for (by, (one, other)) in proposals {
            let pair = [world.of_proposal(one), world.of_proposal(other)];
            all.insert((by.0, both(pair)));
        }
        all
    }

    // What follows from an input.

    fn input(&mut self, world: &mut World, input: Input<Rotation>) -> Result<(), Broken> {
        let driver = &mut self.driver;
        let processed = catch_unwind(AssertUnwindSafe(|| driver.process(input)));
        let outputs = processed
            .map_err(|panic| words(panic.as_ref()))?
            .map_err(|error| error.to_string())?;
        for output in outputs {
            self.output(world, output)?;
        }
        Ok(())
    }

    fn output(&mut self, world: &mut World, output: Output<Rotation>) -> Result<(), Broken> {
        match output {
            Output::NewRound(_, round) => self.enter(world, round),
            Output::Propose(proposal) => {
                let message = world.of_proposal(&proposal);
                self.say(world, message)
            }
            Output::Vote(vote) => {
                let vote = self.weakened(world, vote);
                let message = world.of_vote(&vote);
                self.say(world, message)
            }
            Output::Decide(_, proposal) => {
                self.decided = Some(proposal.value.0);
                Ok(())
            }
            Output::ScheduleTimeout(Timeout { kind, round }) => {
                if let Some(timer) = world.timer(kind) {
                    self.timers
                        .insert(timer, world.deadline(timer, view(round)));
                }
                Ok(())
            }
            Output::GetValue(_, round, _) if world.opened => self.propose(world, round),
            Output::GetValue(_, round, _) => {
                self.waits = Some(round);
                Ok(())
            }
        }
    }

    fn enter(&mut self, world: &mut World, round: Round) -> Result<(), Broken> {
        self.timers.clear();
        if round > Round::ZERO {
            world.effects.push(Effect::EnterView {
                replica: self.id,
                height: self.height,
                view: view(round),
            });
        }
        let height = Height::of(self.height);
        let proposer = world.proposer(height, round);
        self.input(world, Input::NewRound(height, round, proposer))
    }

    /// The application makes a value, at once.
    fn propose(&mut self, world: &mut World, round: Round) -> Result<(), Broken> {
        // A proposer has no timer for its own proposal.
        if let Some(timer) = world.timer(TimeoutKind::Propose) {
            self.timers.remove(timer);
        }
        let view = view(round);
        let made = self.proposed.entry((self.height, view)).or_default();
        let value = Proposed(Value::Block { view, index: *made });
        *made += 1;
        self.input(world, Input::ProposeValue(round, value))
    }

    /// It sends a message, and takes it itself.
    fn say(&mut self, world: &mut World, message: Message) -> Result<(), Broken> {
        world.send(self.id, message.clone());
        match world.told(self.id, &message) {
            Some(Told::Proposal(proposal, validity)) => {
                self.input(world, Input::Proposal(proposal, validity))
            }
            Some(Told::Vote(vote)) => self.input(world, Input::Vote(vote)),
            None => Ok(()),
        }
    }

    /// After a decision the next height begins.
    fn settle(&mut self, world: &mut World) -> Result<(), Broken> {
        while let Some(value) = self.decided.take() {
            if let Value::Block { view, index } = value {
                world.effects.push(Effect::Decide {
                    replica: self.id,
                    block: BlockId {
                        height: self.height,
                        view,
                        index,
                    },
                });
            }
            self.evidence = self.evidence(world);
            self.timers.clear();
            self.height = self.height.next();
            let next = Height::of(self.height);
            self.driver.move_to_height(next, world.validators.clone());
            if !self.stopped(world) {
                self.enter(world, Round::ZERO)?;
            }
        }
        Ok(())
    }

    /// The vote as a replica with that defect makes it.
    fn weakened(&self, world: &World, vote: Vote) -> Vote {
        let forgets = self.defect == Some(Defect::ForgetsLock);
        let nil = vote.kind == VoteType::Prevote && vote.value == NilOrVal::Nil;
        if !forgets || !nil {
            return vote;
        }
        let proposals = self.driver.proposals_and_validities_for_round(vote.round);
        let polka = |round: Round, value: Value| {
            let votes = self.driver.votes();
            round.is_nil()
                || votes.is_threshold_met(&round, VoteType::Prevote, Threshold::Value(value))
        };
        let fits = proposals.iter().find(|(it, validity)| {
            validity.is_valid()
                && it.by == world.proposer(it.height, it.round)
                && polka(it.pol_round, it.value.0)
        });
        let value = fits.map_or(vote.value, |(it, _)| NilOrVal::Val(it.value.0));
        Vote { value, ..vote }
    }
}

fn driver(
    id: ReplicaId,
    defect: Option<Defect>,
    height: milp_schema::Height,
    world: &World,
) -> Driver<Rotation> {
    let validators = world.validators.clone();
    let (total, sound) = (validators.total_voting_power(), ThresholdParams::default());
    // A quorum is more than numerator / denominator of all power.
    let least = sound.quorum.min_expected(total);
    let quorum = match defect {
        Some(Defect::SmallQuorum) => ThresholdParam::new(least.saturating_sub(2), total),
        _ => sound.quorum,
    };
    Driver::new(
        world.rotation,
        Height::of(height),
        validators,
        Address(id),
        ThresholdParams { quorum, ..sound },
    )
}

/// What two messages say.
fn both([one, other]: [Message; 2]) -> String {
    format!("{one} and {other}")
}

/// What a panic said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
    text.unwrap_or_else(|| "it panicked".to_owned())
}
