//! Index newtypes (zero-based everywhere) and blocks.

use crate::schedule::Value;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize,
            Deserialize, schemars::JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a position in a `Vec` over the whole index set.
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// Every member of the index set `0..count`, ascending.
            pub fn all(count: u32) -> impl DoubleEndedIterator<Item = Self> + Clone {
                (0..count).map(Self)
            }

            /// The next index.
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

index!(
    /// A replica, an element of the paper's set R.
    ReplicaId
);
index!(
    /// A height (block number), an element of the paper's set H.
    Height
);
index!(
    /// A view (attempt within a height), an element of the paper's set V.
    View
);
index!(
    /// A discrete time unit, an element of the paper's set T; nothing happens in slot 0.
    Slot
);

/// A block: proposal number `index` of `view` at `height`.
///
/// Equal content proposed in two views is two blocks.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct BlockId {
    /// The height the block is for.
    pub height: Height,
    /// The view it was proposed in.
    pub view: View,
    /// Which proposal of that view; an honest primary proposes index 0 only.
    pub index: u32,
}

impl BlockId {
    /// The block as messages of its height name it.
    pub const fn value(self) -> Value {
        let Self { view, index, .. } = self;
        Value::Block { view, index }
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "h{}v{}b{}", self.height, self.view, self.index)
    }
}
