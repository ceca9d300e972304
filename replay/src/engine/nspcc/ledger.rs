//! Which blocks were decided on top of which.
//!
//! A block contains the hash of the one before it, so a signature on a block is one on everything
//! before. After a fork the branches do not accept each other's commits.

use milp_schema::{BlockId, Height, View};
use std::collections::BTreeMap;

/// A branch: every decided block up to some height. Equal numbers are equal branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tip(usize);

impl Tip {
    /// The branch before height 0.
    pub(super) const GENESIS: Self = Self(0);
}

/// A block with everything before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sealed {
    pub(super) block: BlockId,
    pub(super) on: Tip,
}

/// All branches of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Branches {
    tips: BTreeMap<Sealed, Tip>,
    /// The block first decided at each height, whoever did.
    first: Vec<Sealed>,
}

impl Branches {
    /// The branch that ends with `sealed`.
    pub(super) fn tip(&mut self, sealed: Sealed) -> Tip {
        let next = Tip(self.tips.len() + 1);
        *self.tips.entry(sealed).or_insert(next)
    }

    /// Somebody decided.
    pub(super) fn note(&mut self, sealed: Sealed) {
        if self.first.len() == sealed.block.height.index() {
            self.first.push(sealed);
        }
    }

    /// What a Byzantine replica takes for the branch below `height`: the first block decided
    /// there, or the first that would be proposed.
    pub(super) fn below(&mut self, height: Height) -> Tip {
        let mut tip = Tip::GENESIS;
        for below in 0..height.index() {
            let sealed = self.first.get(below).copied().unwrap_or(Sealed {
                block: BlockId {
                    height: Height(below as u32),
                    view: View(0),
                    index: 0,
                },
                on: tip,
            });
            tip = self.tip(sealed);
        }
        tip
    }
}
