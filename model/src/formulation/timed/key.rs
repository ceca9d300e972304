//! What the columns stand for.

use crate::draft::AboutReplicas;
use milp_schema::instance::FaultKind;

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Replica i is faulty in that way.
    Faulty(FaultKind, u32),
    /// Replica i has crashed by slot t.
    Crashed(u32, u32),
    /// Replica i did event number e at (h, v, b) by slot t.
    Did(usize, u32, Indices),
    /// A copy of channel number c about (h, v, b) from j was delivered to i by slot t.
    Got(usize, u32, u32, Indices),
    /// Replica i reached view v of height h by slot t.
    Entered(u32, Indices),
    /// Replica i holds a request from j for view v of height h or a later one, by slot t.
    Asked(u32, u32, Indices),
    /// Replica i took that copy: it was delivered and not ignored, by slot t.
    Took(usize, u32, u32, Indices),
    /// Replica i, in view v, took a request of j sent in view u (the second number), by slot t.
    Kept(u32, u32, u32, Indices),
    /// Replica i heard replica j in view v of height h or a later one, by slot t.
    Heard(u32, u32, Indices),
    /// Replica i, in view v, counts replica j as neither committed nor lost, at slot t.
    Alive(u32, u32, Indices),
    /// Replica i, in view v, counts more than f replicas as committed or lost, at slot t.
    Lost(u32, Indices),
    /// Replica i threw away the commit of j for (h, v, b), which is not the block requested.
    Cleared(u32, u32, Indices),
    /// The response of j for (h, v, b) came to replica i when it held the request of another block.
    Stray(u32, u32, Indices),
    /// The slot in which the timer of replica i is due, at the end of slot t.
    Due(u32, u32),
    /// Byzantine replica j put the message of channel number c about (h, v, b) into the pool by
    /// slot t.
    Injected(usize, u32, Indices),
    /// Byzantine replica j put a message of channel number c about view v or a later one into the
    /// pool by slot t.
    Since(usize, u32, Indices),
    /// What permit number p permits was done by slot t, and rests on it.
    Permitted(u32, u32),
    /// A column of the goal, by name and numbers.
    Goal(&'static str, [u32; 3]),
}

impl AboutReplicas for Key {
    fn replicas(&mut self) -> Vec<&mut u32> {
        match self {
            Self::Faulty(_, i)
            | Self::Crashed(i, _)
            | Self::Did(_, i, _)
            | Self::Entered(i, _)
            | Self::Lost(i, _)
            | Self::Due(i, _)
            | Self::Injected(_, i, _)
            | Self::Since(_, i, _) => vec![i],
            Self::Got(_, i, j, _)
            | Self::Asked(i, j, _)
            | Self::Took(_, i, j, _)
            | Self::Kept(i, j, ..)
            | Self::Heard(i, j, _)
            | Self::Alive(i, j, _)
            | Self::Cleared(i, j, _)
            | Self::Stray(i, j, _) => vec![i, j],
            Self::Permitted(..) | Self::Goal(..) => vec![],
        }
    }
}

/// Height, view, block and slot of a column; `b` is 0 where there is no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indices {
    /// Height.
    pub h: u32,
    /// View.
    pub v: u32,
    /// Index of the block.
    pub b: u32,
    /// Slot.
    pub t: u32,
}
