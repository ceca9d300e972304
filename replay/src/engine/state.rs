//! What a replica knows, in words that any protocol has.

use super::Timer;
use milp_schema::{Height, Kind, ReplicaId, Value, View, vocabulary::Role};

/// What a replica knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Crashed, with the height of its ledger.
    Down(Height),
    /// Decided every height.
    Stopped(Height),
    /// At work.
    Working(Box<Working>),
}

/// A vote that a replica holds, its own among them; a proposal is a vote of its author.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote {
    /// Whose.
    pub author: ReplicaId,
    /// Which kind.
    pub kind: Kind,
    /// The view its author was in; of a wish to leave, the view left.
    pub view: View,
    /// What it is about; `None` for one that nobody ever proposed, and where the kind names none.
    pub value: Option<Value>,
}

/// What a replica is locked on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bond {
    /// The kind of the vote that binds it.
    pub kind: Kind,
    /// The view of that vote.
    pub view: View,
    /// What it is about, as in [`Vote::value`].
    pub value: Option<Value>,
}

impl From<Vote> for Bond {
    fn from(vote: Vote) -> Self {
        Self {
            kind: vote.kind,
            view: vote.view,
            value: vote.value,
        }
    }
}

/// What a replica at work knows of its height.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Working {
    /// Its height.
    pub height: Height,
    /// Its view.
    pub view: View,
    /// The votes it holds, ascending.
    pub votes: Vec<Vote>,
    /// The votes that led into its view, ascending, where it keeps them apart.
    pub entry: Vec<Vote>,
    /// What binds it, ascending.
    pub bonds: Vec<Bond>,
    /// The highest view of the height that each replica was heard in, where it keeps book of it.
    pub seen: Vec<Option<View>>,
    /// Its timers, those that run.
    pub timers: Vec<Timer>,
}

impl Working {
    /// Whether it holds a vote of its view for that proposal of its view.
    pub fn holds(&self, author: ReplicaId, kind: Kind, index: u32) -> bool {
        let view = self.view;
        let value = Some(Value::Block { view, index });
        self.votes.contains(&Vote {
            author,
            kind,
            view,
            value,
        })
    }

    /// Whether `who`, whose state this is, has asked to leave its view.
    pub fn asks_to_leave(&self, who: ReplicaId) -> bool {
        let own = |vote: &Vote| vote.author == who && vote.kind.is(Role::Leave);
        self.votes
            .iter()
            .any(|vote| own(vote) && vote.view >= self.view)
    }

    /// Whether it holds a proposal of its view.
    pub fn knows_proposal(&self) -> bool {
        let here = |vote: &Vote| vote.kind.is(Role::Proposal) && vote.view == self.view;
        self.votes.iter().any(here)
    }
}
