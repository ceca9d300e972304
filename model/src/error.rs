//! What can go wrong between an instance and its program.

/// Why no program was built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing here has rules under that name.
    #[error(
        "no rules for protocol `{protocol}`{}",
        mutant.as_ref().map(|name| format!(", mutant `{name}`")).unwrap_or_default()
    )]
    UnknownProtocol {
        /// The protocol asked for.
        protocol: String,
        /// The mutant asked for.
        mutant: Option<String>,
    },
    /// The protocol does not have what the instance asks for.
    #[error("protocol `{protocol}` does not cover {what}: {hint}")]
    Uncovered {
        /// The protocol.
        protocol: String,
        /// What it does not cover.
        what: &'static str,
        /// What to do instead.
        hint: &'static str,
    },
    /// The formulation has no way to express something.
    #[error("formulation `{formulation}` does not support {construct}: {hint}")]
    Unsupported {
        /// The formulation.
        formulation: &'static str,
        /// The construct, by name.
        construct: String,
        /// What to do instead.
        hint: String,
    },
    /// A program that is larger than any that is built.
    #[error(
        "its program has {least} {what} or more, and {most} are the most that are built: lower \
         {lower}"
    )]
    TooLarge {
        /// Columns, rows or nonzeros.
        what: &'static str,
        /// How many there are at least.
        least: u64,
        /// The limit.
        most: u64,
        /// The keys of the instance that make it large, with their values.
        lower: String,
    },
    /// A point of a formulation without slots that no order of events explains.
    #[error("the point has no schedule: {why}; use `formulation: timed`")]
    NoSchedule {
        /// What stands in the way.
        why: String,
    },
    /// A point that replicas do not follow, because they run to completion.
    #[error("the point has no schedule: {why}")]
    Refused {
        /// What stands in the way.
        why: String,
        /// A row that cuts off the point and all in which the same is done. The bound of a program
        /// with such a row is one for what its schedules show, no longer for the protocol: what was
        /// proved before it was added stays proved.
        row: Box<crate::row::Row>,
    },
    /// A rule names an event or message that the protocol does not have.
    #[error("rule `{rule}` of protocol `{protocol}` names `{missing}`, which it does not define")]
    Dangling {
        /// The protocol.
        protocol: String,
        /// The rule.
        rule: String,
        /// What it names.
        missing: String,
    },
}
