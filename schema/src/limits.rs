//! The ranges of the numbers in an instance file.
//!
//! They keep sums and products of the program's coefficients far inside 64 bits, and stop a
//! mistyped number before it becomes a program that no machine can hold.

use std::ops::RangeInclusive;

/// n, the number of replicas.
pub const REPLICAS: RangeInclusive<u32> = 1..=128;
/// The voting power of a replica.
pub const POWER: RangeInclusive<u32> = 1..=1_000_000;
/// Heights of an instance.
pub const HEIGHTS: RangeInclusive<u32> = 1..=8;
/// Views of a height.
pub const VIEWS: RangeInclusive<u32> = 1..=32;
/// Blocks that may be proposed in a view.
pub const BLOCKS_PER_PROPOSAL: RangeInclusive<u32> = 1..=8;
/// The horizon, in slots.
pub const SLOTS: RangeInclusive<u32> = 1..=1_000;
/// The slots of a schedule that is made of an order of acts: many replicas act one after the other.
pub const SCHEDULE_SLOTS: RangeInclusive<u32> = 1..=100_000;
/// Delay bounds, in slots.
pub const DELAY: RangeInclusive<u32> = 1..=400;
/// Block time, in slots.
pub const BLOCK_TIME: RangeInclusive<u32> = 1..=400;
/// Weights of the goal `weighted`.
pub const WEIGHT: RangeInclusive<i64> = -1_000_000..=1_000_000;
/// Limits on the adversary's acts.
pub const BUDGET: RangeInclusive<u32> = 0..=1_000_000;
