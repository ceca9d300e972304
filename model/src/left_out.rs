//! What programs of rule set `nspcc` leave out though a schedule may have it.

/// A pattern of executions that a program leaves out; each is a line of `docs/EXECUTION.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A second `ChangeView` or `RecoveryRequest` of a replica in one view.
    RepeatedRequest,
    /// Two change views of one sender overtaking each other.
    OvertakenChangeView,
    /// Entering a view without having been in the one before.
    SkippedView,
    /// More than one `PrepareResponse` per view, or more than one `Commit`, from a Byzantine replica to the same receiver.
    SecondByzantineVote,
    /// A response of a Byzantine replica for another block than the one its receiver proposes later.
    ResponseBeforeProposal,
    /// A response of a Byzantine replica in a view whose primary it is.
    ResponseOfPrimary,
    /// A commit of a Byzantine replica for another block than the one its receiver prepares later.
    CommitBeforePreparation,
    /// A `RecoveryRequest` arriving in the slot in which its receiver enters the view it is from.
    RequestOnEntry,
    /// At a replica that has asked to leave its view, a response of that view arriving together with any other copy in one slot.
    ResponseBesideCopy,
}

impl LeftOut {
    /// All of them, by their lines.
    pub const ALL: [Self; 9] = [
        Self::RepeatedRequest,
        Self::OvertakenChangeView,
        Self::SkippedView,
        Self::SecondByzantineVote,
        Self::ResponseBeforeProposal,
        Self::ResponseOfPrimary,
        Self::CommitBeforePreparation,
        Self::RequestOnEntry,
        Self::ResponseBesideCopy,
    ];

    /// Its line of `docs/EXECUTION.md`.
    pub const fn line(self) -> &'static str {
        match self {
            Self::RepeatedRequest => "E38",
            Self::OvertakenChangeView => "E39",
            Self::SkippedView => "E40",
            Self::SecondByzantineVote => "E41",
            Self::ResponseBeforeProposal => "E42",
            Self::ResponseOfPrimary => "E43",
            Self::CommitBeforePreparation => "E44",
            Self::RequestOnEntry => "E45",
            Self::ResponseBesideCopy => "E46",
        }
    }

    /// What a program has none of, in words for a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::RepeatedRequest => "no request repeated in a view",
            Self::OvertakenChangeView => "no change view overtaken by another of its sender",
            Self::SkippedView => "no view skipped",
            Self::SecondByzantineVote => {
                "no second vote of a Byzantine replica to the same receiver"
            }
            Self::ResponseBeforeProposal => {
                "no response to another block before its receiver proposes"
            }
            Self::ResponseOfPrimary => "no response of a Byzantine primary",
            Self::CommitBeforePreparation => {
                "no commit to another block before its receiver prepares"
            }
            Self::RequestOnEntry => {
                "no recovery request in the slot in which its receiver enters the view"
            }
            Self::ResponseBesideCopy => {
                "no other copy beside a response at a replica that asked to leave"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LeftOut;

    #[test]
    fn every_pattern_has_a_line_of_its_own() {
        let page = include_str!("../../docs/EXECUTION.md");
        for (at, pattern) in LeftOut::ALL.iter().enumerate() {
            assert!(page.contains(&format!("\n{}. ", pattern.line())));
            let before = LeftOut::ALL[..at].iter();
            assert!(before.clone().all(|other| other.line() != pattern.line()));
        }
    }
}
