//! Deliberate defects, so that tests can tell whether a comparison notices anything.

/// One guard of the rules changed. None of them is a mutant of the protocol page: they exist to be
/// found by the comparison with the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// L5: change views held stay when a view is entered.
    ChangeViewsKeptOnView,
    /// L3: commits held are cleared when any view is entered.
    CommitsClearedOnView,
    /// L42: a replica asks to leave, however many are committed or lost.
    MoreThanFIgnored,
    /// L53: an extension is divided by n, not by q.
    WrongExtension,
    /// L17: a response is taken although the replica is leaving its view.
    ResponseTakenWhileLeaving,
    /// L11: a request is not taken while the replica is leaving its view.
    RequestRefusedWhileLeaving,
    /// L46: everybody answers a recovery request.
    EverybodyAnswers,
    /// L14: commits held are compared with the request when it comes.
    EarlyCommitsChecked,
    /// L26: a second commit of a replica takes the place of the first.
    LastCommitWins,
    /// L29: a request that arrives last decides.
    RequestDecides,
    /// L29: f + 1 commits decide.
    FewCommitsDecide,
    /// L35: the highest view with a quorum is entered.
    HighestQuorumEntered,
    /// L36: a replica that is moved on does not say that it agrees.
    AgreementUnsaid,
    /// L6: the first timer of a height is not shortened.
    TimerNotShortened,
    /// L6: a primary that enters a view by recovery proposes at once.
    RecoveringIsForgotten,
}

impl Defect {
    /// Every defect.
    pub const ALL: [Self; 15] = [
        Self::ChangeViewsKeptOnView,
        Self::CommitsClearedOnView,
        Self::MoreThanFIgnored,
        Self::WrongExtension,
        Self::ResponseTakenWhileLeaving,
        Self::RequestRefusedWhileLeaving,
        Self::EverybodyAnswers,
        Self::EarlyCommitsChecked,
        Self::LastCommitWins,
        Self::RequestDecides,
        Self::FewCommitsDecide,
        Self::HighestQuorumEntered,
        Self::AgreementUnsaid,
        Self::TimerNotShortened,
        Self::RecoveringIsForgotten,
    ];

    /// The name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangeViewsKeptOnView => "change-views-kept-on-view",
            Self::CommitsClearedOnView => "commits-cleared-on-view",
            Self::MoreThanFIgnored => "more-than-f-ignored",
            Self::WrongExtension => "wrong-extension",
            Self::ResponseTakenWhileLeaving => "response-taken-while-leaving",
            Self::RequestRefusedWhileLeaving => "request-refused-while-leaving",
            Self::EverybodyAnswers => "everybody-answers",
            Self::EarlyCommitsChecked => "early-commits-checked",
            Self::LastCommitWins => "last-commit-wins",
            Self::RequestDecides => "request-decides",
            Self::FewCommitsDecide => "few-commits-decide",
            Self::HighestQuorumEntered => "highest-quorum-entered",
            Self::AgreementUnsaid => "agreement-unsaid",
            Self::TimerNotShortened => "timer-not-shortened",
            Self::RecoveringIsForgotten => "recovering-is-forgotten",
        }
    }

    /// The defect of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|defect| defect.name() == name)
    }
}
