//! Real replicas behind one trait, whoever wrote them and wherever they run.
//!
//! An [`Engine`] holds all replicas of one run. It is told what the adversary does, one act at a
//! time, and answers with everything that happened ([`Effect`]s). It has no clock and no network
//! of its own. `docs/ENGINE-PROTOCOL.md` is the same door for other processes; the words here
//! mean what they mean there.

pub mod check;
mod command;
pub mod fuzz;
mod habits;
pub mod nspcc;
mod sidecar;
mod state;

pub use command::{CommandLine, find};
pub use habits::Habits;
pub use sidecar::{ANSWER_LIMIT, Sidecar};
pub use state::{Bond, State, Vote, Working};

use milp_schema::{BlockId, Height, Message, Protocol, ReplicaId, View, schedule::Event};

/// Nanoseconds of virtual time since the start of the run.
pub type Nanos = u64;

/// One second of virtual time.
pub const SECOND: Nanos = 1_000_000_000;

/// One slot of a schedule in virtual time: the most nanoseconds up to a second that the quorum
/// divides. Engines divide the block time by it, and so lose nothing, whatever number of slots it is.
pub fn slot(quorum: usize) -> Nanos {
    let quorum = quorum.max(1) as Nanos;
    SECOND / quorum * quorum
}

/// A message of an engine, by the number the engine gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Whose kinds of messages and timers these are.
    pub protocol: Protocol,
    /// n.
    pub replicas: u32,
    /// Voting power by replica.
    pub power: Vec<u32>,
    /// Number of heights; a replica stops after the last.
    pub heights: u32,
    /// Who is Byzantine: a key without a replica.
    pub byzantine: Vec<ReplicaId>,
    /// T of the timers.
    pub block_time: Nanos,
    /// What proposals are derived from.
    pub seed: u64,
    /// How messages are signed.
    pub signatures: crate::Signatures,
    /// How a recovery message's content is rebuilt.
    pub recovery: Recovery,
}

/// How messages carried by a recovery message are rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recovery {
    /// As their authors sent them.
    #[default]
    Ideal,
    /// As neo-go does: commits get the view of the recovery message.
    NeoGo,
}

/// A timer of a replica that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// Which of its protocol's timers.
    pub name: &'static str,
    /// The height it was armed at.
    pub height: Height,
    /// The view it was armed in.
    pub view: View,
    /// When it is due; perhaps in the past.
    pub deadline: Nanos,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A broadcast to all others.
    Send {
        /// By whom.
        replica: ReplicaId,
        /// Its number.
        id: MessageId,
        /// What it says.
        message: Message,
        /// What a recovery message carries, in the order of handling; empty otherwise.
        carried: Vec<(ReplicaId, Message)>,
        /// Whether it is said by the rules of recovery, which no prediction names (E17, E21).
        recovery: bool,
    },
    /// A view above 0 was entered.
    EnterView {
        /// By whom.
        replica: ReplicaId,
        /// At which height.
        height: Height,
        /// Which view.
        view: View,
    },
    /// A block became final at a replica.
    Decide {
        /// At which.
        replica: ReplicaId,
        /// Which block.
        block: BlockId,
    },
    /// The timers of a replica changed; at most one per replica and act, after everything else.
    Timer {
        /// Whose.
        replica: ReplicaId,
        /// Those that run now.
        timers: Vec<Timer>,
    },
    /// The engine panicked; the replica counts as crashed.
    Fault {
        /// Where.
        replica: ReplicaId,
        /// What the engine said.
        text: String,
    },
}

/// Why an engine gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine refused the act: it is impossible in the state it is in.
    #[error("the engine refused {act}: {why}")]
    Refused {
        /// What it was asked.
        act: String,
        /// What it said.
        why: String,
    },
    /// The adapter ended, hung, flooded or answered nonsense.
    #[error("the adapter `{command}` {what}")]
    Adapter {
        /// How it was started.
        command: String,
        /// What it did, with the last lines of its standard error where they help.
        what: String,
    },
}

/// All replicas of one run.
pub trait Engine {
    /// The name in a verdict, say `nspcc-dbft` or `dbft2-nspcc`.
    fn name(&self) -> String;

    /// How they want to be driven.
    fn habits(&self) -> Habits {
        Habits::ENGINE
    }

    /// Ends the run in good order.
    ///
    /// # Errors
    /// What a process of its own does otherwise.
    fn shutdown(self: Box<Self>) -> Result<(), EngineError> {
        Ok(())
    }

    /// Starts all replicas; the first call.
    ///
    /// # Errors
    /// [`EngineError`], as for every method.
    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError>;

    /// Hands a message to an honest replica that is up.
    ///
    /// # Errors
    /// [`EngineError`].
    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError>;

    /// Hands over a message out of another that was delivered, under [`Habits::unpacks`].
    ///
    /// # Errors
    /// [`EngineError`].
    fn hand_over(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        self.deliver(to, id)
    }

    /// The timer of that name that was armed for that height and view fires.
    ///
    /// # Errors
    /// [`EngineError`].
    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        place: (Height, View),
    ) -> Result<Vec<Effect>, EngineError>;

    /// The slot of a timer ends and nobody fired it; what does nothing then has no effects.
    ///
    /// # Errors
    /// [`EngineError`].
    fn pass(&mut self, _at: ReplicaId, _timer: &str) -> Result<Vec<Effect>, EngineError> {
        Ok(Vec::new())
    }

    /// Whether a firing at a live replica that has not decided everything does more than ask for
    /// recovery: not if the replica is locked.
    ///
    /// # Errors
    /// [`EngineError`].
    fn matters(&mut self, at: ReplicaId, _timer: &str) -> Result<bool, EngineError> {
        let asks_once = self.habits().asks_once;
        Ok(match self.state(at)? {
            State::Working(working) => {
                working.bonds.is_empty() && !(asks_once && working.asks_to_leave(at))
            }
            State::Down(_) | State::Stopped(_) => false,
        })
    }

    /// A replica that may do that when it likes does it; nothing happens if it may not.
    ///
    /// # Errors
    /// [`EngineError`].
    fn may(&mut self, _at: ReplicaId, _act: &Event) -> Result<Vec<Effect>, EngineError> {
        Ok(Vec::new())
    }

    /// What a replica may do now when it likes.
    ///
    /// # Errors
    /// [`EngineError`].
    fn likes(&mut self, _at: ReplicaId) -> Result<Vec<Event>, EngineError> {
        Ok(Vec::new())
    }

    /// The first slot has begun and its crashes are over: live replicas do what needs no message.
    ///
    /// # Errors
    /// [`EngineError`].
    fn open(&mut self) -> Result<Vec<Effect>, EngineError> {
        Ok(Vec::new())
    }

    /// Every timer is armed from now on, under [`Habits::arms_anew`].
    ///
    /// # Errors
    /// [`EngineError`].
    fn arm_anew(&mut self) -> Result<Vec<Effect>, EngineError> {
        Ok(Vec::new())
    }

    /// A Byzantine replica makes a message.
    ///
    /// # Errors
    /// [`EngineError`].
    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError>;

    /// The replica stops.
    ///
    /// # Errors
    /// [`EngineError`].
    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError>;

    /// A crashed replica starts again, with what it knew if it has a `backup`, otherwise with its
    /// decided blocks only. Engines have none.
    ///
    /// # Errors
    /// [`EngineError`].
    fn restart(&mut self, who: ReplicaId, backup: bool) -> Result<Vec<Effect>, EngineError>;

    /// The clock moves forward.
    ///
    /// # Errors
    /// [`EngineError`].
    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError>;

    /// What a replica knows.
    ///
    /// # Errors
    /// [`EngineError`].
    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError>;

    /// What else is to be said of the run when it is over, one sentence each: evidence that replicas
    /// collected.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An engine somebody else keeps.
impl<E: Engine + ?Sized> Engine for &mut E {
    fn name(&self) -> String {
        (**self).name()
    }

    fn habits(&self) -> Habits {
        (**self).habits()
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        (**self).start(start)
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        (**self).deliver(to, id)
    }

    fn hand_over(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        (**self).hand_over(to, id)
    }

    fn pass(&mut self, at: ReplicaId, timer: &str) -> Result<Vec<Effect>, EngineError> {
        (**self).pass(at, timer)
    }

    fn matters(&mut self, at: ReplicaId, timer: &str) -> Result<bool, EngineError> {
        (**self).matters(at, timer)
    }

    fn open(&mut self) -> Result<Vec<Effect>, EngineError> {
        (**self).open()
    }

    fn may(&mut self, at: ReplicaId, act: &Event) -> Result<Vec<Effect>, EngineError> {
        (**self).may(at, act)
    }

    fn likes(&mut self, at: ReplicaId) -> Result<Vec<Event>, EngineError> {
        (**self).likes(at)
    }

    fn arm_anew(&mut self) -> Result<Vec<Effect>, EngineError> {
        (**self).arm_anew()
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        place: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        (**self).timeout(at, timer, place)
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        (**self).inject(by, message)
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        (**self).crash(who)
    }

    fn restart(&mut self, who: ReplicaId, backup: bool) -> Result<Vec<Effect>, EngineError> {
        (**self).restart(who, backup)
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        (**self).advance(now)
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        (**self).state(who)
    }

    fn remarks(&self) -> Vec<String> {
        (**self).remarks()
    }
}
