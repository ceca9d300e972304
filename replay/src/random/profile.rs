//! Chance, and how eager adversaries are.

/// A seeded generator (splitmix64), so that a seed names an execution for ever.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends, so there is no `None`"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..bound.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "nothing is below 0");
        (self.next() % u64::from(bound)) as u32
    }

    /// True `percent` times of a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// How eager the adversary of one execution is, in percent per opportunity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// To deliver a copy.
    pub(super) deliver: u32,
    /// To deliver a request or a block, which replicas mostly have before everything else.
    pub(super) first: u32,
    /// To fire a timer.
    pub(super) timer: u32,
    /// To crash who may.
    pub(super) crash: u32,
    /// To make a copy for somebody.
    pub(super) inject: u32,
    /// To lose what nobody promised.
    pub(super) lose: u32,
}

const fn profile([deliver, first, timer, crash, inject, lose]: [u32; 6]) -> Profile {
    Profile {
        deliver,
        first,
        timer,
        crash,
        inject,
        lose,
    }
}

/// Executions that decide, that change views, that split, and that do a bit of everything.
pub(super) const PROFILES: [Profile; 5] = [
    profile([95, 95, 12, 1, 60, 0]),
    profile([80, 80, 30, 2, 40, 0]),
    profile([60, 60, 40, 3, 50, 1]),
    profile([35, 35, 15, 5, 80, 2]),
    profile([70, 70, 6, 2, 90, 1]),
];

/// The same for replicas that lock with what came early: some hear their proposal late.
pub(super) const LOCKING: [Profile; 6] = [
    profile([95, 95, 12, 1, 60, 0]),
    profile([80, 60, 30, 2, 40, 0]),
    profile([60, 60, 40, 3, 50, 1]),
    profile([35, 50, 15, 5, 80, 2]),
    profile([75, 15, 30, 2, 30, 0]),
    profile([70, 70, 6, 2, 90, 1]),
];
