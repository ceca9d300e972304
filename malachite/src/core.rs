//! What the two engines are to a stage, and what an embedder keeps of a replica of either.

use crate::{
    Defect,
    types::{Address, Height, Proposed, Rotation, view},
    world::{Told, World},
};
use arc_malachitebft_core_driver::{Driver, Step};
use arc_malachitebft_core_types::{DoubleProposal, DoubleVote, Round, Timeout, TimeoutKind};
use milp_replay::engine::{Bond, Effect, Nanos, Timer, Working};
use milp_schema::{BlockId, Message, ReplicaId, Value, View};
use std::collections::{BTreeMap, BTreeSet};

/// Why an engine broke down.
pub(crate) type Broken = String;

/// What two messages prove of a replica: its name, and both.
pub(crate) type Evidence = (ReplicaId, String);

/// What an embedder keeps of an honest replica.
pub(crate) struct Shell {
    pub(crate) id: ReplicaId,
    /// The number of heights once it has stopped.
    pub(crate) height: milp_schema::Height,
    /// When the timers of its round are due.
    pub(crate) timers: BTreeMap<&'static str, Nanos>,
    /// The round for which it was asked for a value and gave none yet.
    pub(crate) wants: Option<Round>,
    /// New values by (height, round), amnesia included.
    proposed: BTreeMap<(milp_schema::Height, View), u32>,
    pub(crate) decided: Option<Value>,
    /// Proposals that it has sent since it started: its engine hands them out again.
    pub(crate) sent: BTreeSet<Message>,
    /// What it collected at heights that it left.
    pub(crate) evidence: BTreeSet<Evidence>,
}

impl Shell {
    /// At height 0.
    pub(crate) fn new(id: ReplicaId) -> Self {
        Self {
            id,
            height: milp_schema::Height(0),
            timers: BTreeMap::new(),
            wants: None,
            proposed: BTreeMap::new(),
            decided: None,
            sent: BTreeSet::new(),
            evidence: BTreeSet::new(),
        }
    }

    /// A round was entered.
    pub(crate) fn entered(&mut self, world: &mut World, round: Round) {
        self.timers.clear();
        if round > Round::ZERO {
            world.effects.push(Effect::EnterView {
                replica: self.id,
                height: self.height,
                view: view(round),
            });
        }
    }

    pub(crate) fn schedule(&mut self, world: &World, Timeout { kind, round }: Timeout) {
        if let Some(timer) = world.timer(kind) {
            self.timers
                .insert(timer, world.deadline(timer, view(round)));
        }
    }

    pub(crate) fn cancel(&mut self, world: &World, kind: TimeoutKind) {
        if let Some(timer) = world.timer(kind) {
            self.timers.remove(timer);
        }
    }

    /// A new value of a round.
    fn value(&mut self, round: Round) -> Proposed {
        let view = view(round);
        let made = self.proposed.entry((self.height, view)).or_default();
        *made += 1;
        let index = *made - 1;
        Proposed(Value::Block { view, index })
    }
}

/// What pairs of messages prove.
pub(crate) fn pairs<'a>(
    world: &World,
    votes: impl Iterator<Item = &'a DoubleVote<Rotation>>,
    proposals: impl Iterator<Item = &'a DoubleProposal<Rotation>>,
) -> Vec<Evidence> {
    let said = |by: Address, one: Message, other: Message| (by.0, format!("{one} and {other}"));
    let votes = votes.map(|(a, b)| said(a.by, world.of_vote(a), world.of_vote(b)));
    let proposals = proposals.map(|(a, b)| said(a.by, world.of_proposal(a), world.of_proposal(b)));
    votes.chain(proposals).collect()
}

/// A replica of an engine. What happens is carried out at once; a decision waits in the shell.
pub(crate) trait Core: Sized {
    /// The engine's name.
    const NAME: &'static str;

    /// In no round yet.
    fn new(id: ReplicaId, defect: Option<Defect>, world: &World) -> Self;

    fn shell(&self) -> &Shell;

    fn shell_mut(&mut self) -> &mut Shell;

    fn driver(&self) -> &Driver<Rotation>;

    /// The shell's height begins: with nothing known if `anew`.
    fn begin(&mut self, world: &mut World, anew: bool) -> Result<(), Broken>;

    fn take(&mut self, world: &mut World, told: Told) -> Result<(), Broken>;

    fn elapse(&mut self, world: &mut World, timeout: Timeout) -> Result<(), Broken>;

    fn propose(&mut self, world: &mut World, round: Round, value: Proposed) -> Result<(), Broken>;

    /// It begins its height, as a new process would.
    fn restart(&mut self, world: &mut World) -> Result<(), Broken> {
        self.shell_mut().wants = None;
        self.begin(world, true)?;
        self.settle(world)
    }

    /// The application makes values as soon as the run is opened, and a decision ends the height.
    fn settle(&mut self, world: &mut World) -> Result<(), Broken> {
        loop {
            let shell = self.shell_mut();
            if let Some(value) = shell.decided.take() {
                if let Value::Block { view, index } = value {
                    world.effects.push(Effect::Decide {
                        replica: shell.id,
                        block: BlockId {
                            height: shell.height,
                            view,
                            index,
                        },
                    });
                }
                (shell.wants, shell.height) = (None, shell.height.next());
                shell.timers.clear();
                self.shell_mut().evidence = self.evidence(world);
                if !self.stopped(world) {
                    self.begin(world, false)?;
                }
                continue;
            }
            let Some(round) = shell.wants.filter(|_| world.opened) else {
                return Ok(());
            };
            shell.wants = None;
            // A proposer has no timer for its own proposal.
            shell.cancel(world, TimeoutKind::Propose);
            let value = shell.value(round);
            self.propose(world, round, value)?;
        }
    }

    fn stopped(&self, world: &World) -> bool {
        self.shell().height.0 >= world.heights
    }

    /// What is told of its height is taken.
    fn receive(&mut self, world: &mut World, told: Told, message: &Message) -> Result<(), Broken> {
        if message.height != self.shell().height || self.stopped(world) {
            return Ok(());
        }
        self.take(world, told)?;
        self.settle(world)
    }

    /// A timer fires, if it runs.
    fn fire(&mut self, world: &mut World, timer: &str) -> Result<(), Broken> {
        let runs = self.shell_mut().timers.remove(timer).is_some();
        let Some(kind) = world.timeout(timer).filter(|_| runs) else {
            return Ok(());
        };
        let timeout = Timeout::new(self.driver().round(), kind);
        self.elapse(world, timeout)?;
        self.settle(world)
    }

    /// Whether a firing of the timer would change anything.
    fn would(&self, world: &World, timer: &str) -> bool {
        let step = self.driver().step();
        self.shell().timers.contains_key(timer)
            && match world.timeout(timer) {
                Some(TimeoutKind::Propose) => step == Step::Propose,
                Some(TimeoutKind::Prevote) => step == Step::Prevote,
                kind => kind.is_some(),
            }
    }

    fn view(&self) -> View {
        view(self.driver().round())
    }

    /// Every timer runs from now on.
    fn start_anew(&mut self, world: &World) {
        let view = self.view();
        for (timer, deadline) in &mut self.shell_mut().timers {
            *deadline = world.deadline(timer, view);
        }
    }

    fn running(&self) -> Vec<Timer> {
        let shell = self.shell();
        let timer = |(name, deadline): (&&'static str, &Nanos)| Timer {
            name,
            height: shell.height,
            view: self.view(),
            deadline: *deadline,
        };
        shell.timers.iter().map(timer).collect()
    }

    fn working(&self, world: &World) -> Working {
        let vote = |author: Address, message: Message| milp_replay::engine::Vote {
            author: author.0,
            kind: message.kind,
            view: message.view,
            value: message.value,
        };
        let driver = self.driver();
        let rounds = driver.votes().all_rounds().values();
        let votes = rounds.flat_map(|round| round.received_votes().iter());
        let votes = votes.map(|it| vote(it.by, world.of_vote(it)));
        let rounds = driver.proposals().all_rounds().values();
        let proposals = rounds.flat_map(|round| round.get_proposals_and_validities().iter());
        let proposals = proposals.map(|(it, _)| vote(it.by, world.of_proposal(it)));
        let mut votes: Vec<_> = votes.chain(proposals).collect();
        votes.sort_unstable();
        let locked = driver.round_state().locked.as_ref();
        let bond = locked.map(|locked| Bond {
            kind: world.binds(),
            view: view(locked.round),
            value: Some(locked.value.0),
        });
        Working {
            height: self.shell().height,
            view: self.view(),
            votes,
            entry: Vec::new(),
            bonds: bond.into_iter().collect(),
            seen: Vec::new(),
            timers: self.running(),
        }
    }

    /// What it has against others.
    fn evidence(&self, world: &World) -> BTreeSet<Evidence> {
        let driver = self.driver();
        let votes = driver.votes().evidence().iter().flat_map(|it| it.1);
        let proposals = driver.proposals().evidence().iter();
        let here = pairs(world, votes, proposals.flat_map(|it| it.1));
        self.shell().evidence.iter().cloned().chain(here).collect()
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn std::any::Any + Send)) -> Broken {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned()));
    text.unwrap_or_else(|| "it panicked".to_owned())
}

/// The engine's height of a shell.
pub(crate) fn height(shell: &Shell) -> Height {
    Height::of(shell.height)
}
