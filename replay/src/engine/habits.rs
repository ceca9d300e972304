//! What a stage does for some replicas and not for others.

/// How replicas want to be driven; a name for each way in which own replicas of a protocol page
/// and production engines differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, and all of them are answered in one place"
)]
pub struct Habits {
    /// Free timers end with the schedule: T is the quorum then, and every timer is armed anew when
    /// the heal phase begins (E16). Otherwise timers run all along, with a T beyond the horizon,
    /// so that none is overdue (E33).
    pub arms_anew: bool,
    /// What is said for recovery in the slots of the schedule waits for the heal phase, and what
    /// would be said twice for it in one slot, word for word, is said once (E17). Otherwise
    /// recovery travels like everything else (E21).
    pub recovery_waits: bool,
    /// Recovery of a later height is held back like everything else (E4). Otherwise it is lost
    /// there (E20).
    pub holds_recovery: bool,
    /// The stage hands over what a recovery message carries, one by one, and holds back of it what
    /// is ahead. Otherwise replicas do this themselves.
    pub unpacks: bool,
    /// Copies of a passed height or view change nothing, and the replica gets them to answer who
    /// is still there (E5). Otherwise copies of a passed height do not reach it and its ledger
    /// answers in the heal phase (E24, E34).
    pub answers_passed: bool,
    /// A firing at a replica that has asked to leave its view says nothing that is predicted, so
    /// it needs no row (E15). Otherwise it asks for recovery.
    pub asks_once: bool,
    /// Messages can put timers off, again and again (E36).
    pub puts_off: bool,
    /// A timer runs only once a rule started it, and its firing takes it away. Otherwise a replica
    /// has one timer, which always runs.
    pub starts_timers: bool,
    /// Nobody repeats anything: in the heal phase the stage offers every message of a height again
    /// to who is still there and never got it, those of honest replicas and what one of them took.
    pub offers_again: bool,
    /// The sentence about a stuck state also says what is missing for a decision, and for whom.
    pub says_why: bool,
    /// Who decided stays at its height and goes on there (E64).
    pub goes_on: bool,
}

impl Habits {
    /// Replicas written from a protocol page.
    pub const PAGE: Self = Self {
        arms_anew: true,
        recovery_waits: true,
        holds_recovery: true,
        unpacks: true,
        answers_passed: true,
        asks_once: true,
        puts_off: false,
        starts_timers: false,
        offers_again: false,
        says_why: false,
        goes_on: false,
    };

    /// Replicas made from the rules of a protocol file, which say nothing of recovery.
    pub const FILE: Self = Self {
        unpacks: false,
        starts_timers: true,
        offers_again: true,
        ..Self::PAGE
    };

    /// Production engines, and what does as they do.
    pub const ENGINE: Self = Self {
        arms_anew: false,
        recovery_waits: false,
        holds_recovery: false,
        unpacks: false,
        answers_passed: false,
        asks_once: false,
        puts_off: true,
        starts_timers: false,
        offers_again: false,
        says_why: true,
        goes_on: false,
    };
}
