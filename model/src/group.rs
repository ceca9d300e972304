//! The rules of a program as groups of families: what is taken away together, and what it is for.

/// One rule, as a reader of the protocol's page would name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What it is for, a sentence without a full stop.
    pub purpose: &'static str,
    /// Whether the rule makes something happen rather than forbid it. No proof of a valid row
    /// needs such a rule (`docs/MODEL.md`), so valid rows stay when only such rules go.
    pub forces: bool,
}

const fn guard(name: &'static str, purpose: &'static str) -> Group {
    Group {
        name,
        purpose,
        forces: false,
    }
}

const fn force(name: &'static str, purpose: &'static str) -> Group {
    Group {
        name,
        purpose,
        forces: true,
    }
}

impl Group {
    /// The groups, in the order in which tables show them.
    pub const ALL: [Self; 23] = [
        Self::LOCK,
        Self::PREPARATIONS,
        Self::COMMITS,
        Self::CHANGE_VIEWS,
        Self::SILENCE,
        Self::ONE_PROPOSAL,
        Self::ONE_RESPONSE,
        Self::ONE_REQUEST,
        Self::ONE_DECISION,
        Self::PROPOSAL,
        Self::PROPOSES_FIRST,
        Self::PUBLISHED,
        Self::LOST,
        Self::PLACE,
        Self::STOPS,
        Self::PROMPT,
        Self::TIMERS,
        Self::SIGNATURES,
        Self::DELIVERY,
        Self::CRASHES,
        Self::MEMORY,
        Self::ORDER,
        Self::BUDGET,
    ];

    /// What binds a replica for the height.
    pub const LOCK: Self = guard(
        "commit lock",
        "a replica commits once per height and never asks to leave or leaves a view after it, so \
         that no quorum of another view can form beside a quorum of commits",
    );
    /// How many preparations a replica needs.
    pub const PREPARATIONS: Self = guard(
        "quorum size, preparations",
        "two quorums of preparations share an honest replica, so that no two blocks of a view are \
         both prepared and nobody is locked on a block that the others cannot commit",
    );
    /// How many binding votes it needs.
    pub const COMMITS: Self = guard(
        "quorum size, commits",
        "a decision needs commits of n - f replicas; any other quorum shares an honest one with \
         them, which is locked",
    );
    /// How many requests lead into a view.
    pub const CHANGE_VIEWS: Self = guard(
        "quorum size, change views",
        "a view is left only when n - f replicas ask for it, so that f of them cannot drag the \
         others along",
    );
    /// What a request to leave forbids.
    pub const SILENCE: Self = guard(
        "silence after asking to leave",
        "who asked to leave a view no longer responds or commits in it, so that nobody who counts \
         among those who leave is locked in the view and missing in the next",
    );
    /// How often a primary proposes.
    pub const ONE_PROPOSAL: Self = guard(
        "one proposal per view",
        "an honest primary proposes once in a view, so that all backups answer the same block",
    );
    /// How often a backup responds.
    pub const ONE_RESPONSE: Self = guard(
        "one response per view",
        "an honest backup responds to one proposal of a view only, so that two of them do not \
         both get a quorum",
    );
    /// How often a replica asks for something.
    pub const ONE_REQUEST: Self = guard(
        "one request per view",
        "a replica asks to leave a view, or for recovery, once; more would change nothing",
    );
    /// How often a replica decides.
    pub const ONE_DECISION: Self = guard(
        "one decision per height",
        "a replica regards one block of a height as final and never another, so that its own \
         chain does not fork",
    );
    /// What is asked of a block before anybody votes for it.
    pub const PROPOSAL: Self = guard(
        "proposal before votes",
        "nobody responds to, commits to or decides what was not proposed to it, so that no block \
         comes from nowhere",
    );
    /// What a primary does first.
    pub const PROPOSES_FIRST: Self = guard(
        "primary proposes before leaving",
        "the first timer of a primary proposes and only a later one asks to leave, so that a view \
         is tried before it is given up",
    );
    /// What a replica takes over.
    pub const PUBLISHED: Self = guard(
        "adopted blocks were published",
        "a block is taken over from another replica only if that one decided and published it",
    );
    /// What the count of lost replicas decides.
    pub const LOST: Self = guard(
        "more than f committed or lost",
        "whether more than f replicas are committed or not heard decides between asking to leave \
         and asking for recovery, and lets replicas come back to a view they wanted to leave",
    );
    /// Where a replica acts.
    pub const PLACE: Self = guard(
        "one view at a time",
        "a replica acts in the view and height it is in and never goes back, so that its votes \
         are about what it promised last",
    );
    /// What a decision forbids.
    pub const STOPS: Self = guard(
        "nothing after a decision",
        "a replica that decided a height does nothing more there, so that the height comes to \
         rest",
    );
    /// What happens at once.
    pub const PROMPT: Self = force(
        "prompt reactions",
        "what a rule enables happens at once, so that only the network and the timers are slow",
    );
    /// When timers fire.
    pub const TIMERS: Self = guard(
        "timers by the protocol",
        "timers fire when the protocol says and not when the adversary likes",
    );
    /// Whose messages there are.
    pub const SIGNATURES: Self = guard(
        "nothing is received that was not sent",
        "messages are signed: the adversary cannot make one in the name of an honest replica",
    );
    /// What the network guarantees.
    pub const DELIVERY: Self = force(
        "delivery guarantee",
        "copies between honest replicas arrive within what the network guarantees",
    );
    /// What faulty replicas do not do.
    pub const CRASHES: Self = guard(
        "faults keep to their kind",
        "a crashed replica is silent for good, an honest one never crashes, and nobody is faulty \
         in two ways",
    );
    /// What is kept and counted.
    pub const MEMORY: Self = guard(
        "what happened stays so",
        "what a replica did or holds is not undone, and what it counts is what it holds",
    );
    /// What happens inside a slot, and what is left out.
    pub const ORDER: Self = guard(
        "order of handling",
        "the canonical order inside a slot and the patterns that the program leaves out; no rule \
         of the protocol",
    );
    /// What the question allows the adversary.
    pub const BUDGET: Self = guard(
        "fault budget",
        "only so many replicas are faulty, and only so many acts are allowed; the question's, not \
         the protocol's",
    );

    /// What the proof rests on that honest replicas stand behind a quorum of messages.
    pub(crate) const BEHIND_A_QUORUM: &'static [Self] = &[
        Self::PREPARATIONS,
        Self::COMMITS,
        Self::PUBLISHED,
        Self::LOST,
    ];
    /// What the proof rests on that honest requests stand behind a view entered.
    pub(crate) const BEHIND_AN_ENTRY: &'static [Self] =
        &[Self::CHANGE_VIEWS, Self::LOST, Self::ORDER];
    /// What the proof rests on that votes bound the number of decisions.
    pub(crate) const VOTES_FOR_DECISIONS: &'static [Self] = &[
        Self::LOCK,
        Self::COMMITS,
        Self::PREPARATIONS,
        Self::PUBLISHED,
        Self::ONE_RESPONSE,
    ];
    /// What the proof rests on that a replica asks to leave or is bound, not both.
    pub(crate) const ONE_BOND: &'static [Self] =
        &[Self::LOCK, Self::SILENCE, Self::ORDER, Self::ONE_REQUEST];
    /// What every proof of a valid row rests on.
    pub const EVERY_PROOF: [Self; 5] = [
        Self::PLACE,
        Self::SIGNATURES,
        Self::CRASHES,
        Self::MEMORY,
        Self::BUDGET,
    ];
}
