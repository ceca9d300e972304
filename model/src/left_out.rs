//! What programs leave out though a schedule may have it.

use crate::{
    formulation::{levels, refuse::asks_levels},
    ground::Setting,
    protocols,
    rule::{Keeps, Protocol, Rule as Listed},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Formulation, Goal},
    protocol::{Guard, Head, KindId, Mode, Reads, Rule, Rules, Scope},
    vocabulary::Role,
};

/// A pattern of executions that a program leaves out; each is a line of `docs/EXECUTION.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// A message that repeats what others sent, before the heal phase.
    EarlyAnswer,
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
    /// Two acts of a replica of which one excludes the other, possible in one slot.
    ExclusiveActs,
    /// A value named by a Byzantine replica before the view in which it can be proposed.
    EarlyName,
    /// A good view that messages lead a replica out of before it is handed what its rules listed earlier ask for.
    LedOut,
    /// That something keeps replicas in a bad view for ever, so that no good one begins.
    Rest,
}

impl LeftOut {
    /// All of them, by their lines.
    pub const ALL: [Self; 14] = [
        Self::EarlyAnswer,
        Self::RepeatedRequest,
        Self::OvertakenChangeView,
        Self::SkippedView,
        Self::SecondByzantineVote,
        Self::ResponseBeforeProposal,
        Self::ResponseOfPrimary,
        Self::CommitBeforePreparation,
        Self::RequestOnEntry,
        Self::ResponseBesideCopy,
        Self::ExclusiveActs,
        Self::EarlyName,
        Self::LedOut,
        Self::Rest,
    ];

    /// Its line of `docs/EXECUTION.md`.
    pub const fn line(self) -> &'static str {
        match self {
            Self::EarlyAnswer => "E21",
            Self::RepeatedRequest => "E38",
            Self::OvertakenChangeView => "E39",
            Self::SkippedView => "E40",
            Self::SecondByzantineVote => "E41",
            Self::ResponseBeforeProposal => "E42",
            Self::ResponseOfPrimary => "E43",
            Self::CommitBeforePreparation => "E44",
            Self::RequestOnEntry => "E45",
            Self::ResponseBesideCopy => "E46",
            Self::ExclusiveActs => "E62",
            Self::EarlyName => "E63",
            Self::LedOut => "E76",
            Self::Rest => "E77",
        }
    }

    /// What a program has none of, in words for a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::EarlyAnswer => "no recovery message before the heal phase",
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
            Self::ExclusiveActs => "no two acts that exclude each other in one slot",
            Self::EarlyName => "no value named before its view",
            Self::LedOut => "no view left by messages before the rest of the slot is there",
            Self::Rest => "no rest in a bad view, for which goal `stall` asks",
        }
    }

    /// Whether the program of an instance leaves it out: its protocol has what the pattern takes,
    /// and the instance room for it.
    fn is_left_out(self, instance: &Instance, protocol: &Protocol) -> bool {
        let asks = |role| {
            let mut channels = protocol.channels.iter();
            channels.any(|channel| channel.kind.is(role))
        };
        let byzantine = instance.fault_count(FaultKind::Byzantine) > 0;
        let blocks = instance.blocks_per_proposal > 1;
        let views = instance.views > 1;
        let forgets = protocol
            .enter()
            .is_some_and(|enter| enter.keeps == Keeps::View);
        let counts = |rule: &Listed| matches!(rule, Listed::Negation(_));
        match self {
            Self::EarlyAnswer => asks(Role::Question),
            Self::RepeatedRequest => protocol.arming().is_some(),
            Self::OvertakenChangeView | Self::SkippedView => forgets && views,
            Self::SecondByzantineVote | Self::ResponseOfPrimary => protocol.guards() && byzantine,
            Self::ResponseBeforeProposal => protocol.guards() && byzantine && blocks,
            Self::CommitBeforePreparation => {
                protocol.rules.iter().any(counts) && byzantine && blocks
            }
            Self::RequestOnEntry => {
                protocol.channels.iter().any(|channel| channel.lost_ahead) && views
            }
            Self::ResponseBesideCopy => protocol.guards(),
            Self::ExclusiveActs | Self::EarlyName | Self::LedOut | Self::Rest => false,
        }
    }
}

/// What the program of an instance leaves out, by their lines; nothing where there is no program.
pub fn of(instance: &Instance) -> Vec<LeftOut> {
    let levels = asks_levels(instance.goal).is_some();
    let Some(protocol) = protocols::of(instance).ok().filter(|_| !levels) else {
        return of_file(instance);
    };
    let is = |pattern: &LeftOut| pattern.is_left_out(instance, &protocol);
    LeftOut::ALL.into_iter().filter(is).collect()
}

/// What the program in slots of a protocol file leaves out.
fn of_file(instance: &Instance) -> Vec<LeftOut> {
    let wasted = matches!(instance.goal, Goal::Wasted { .. });
    let slots = match instance.formulation {
        _ if wasted => true,
        Formulation::Auto => levels::takes(instance).is_err(),
        asked => asked.knows_slots(),
    };
    let Some(rules) = instance.rules() else {
        return Vec::new();
    };
    if !slots {
        let skips = rules.rules.iter().any(skips_by_proof);
        let skipped = (skips && instance.views > 1).then_some(LeftOut::SkippedView);
        return skipped.into_iter().collect();
    }
    let skips = rules.rules.iter().any(|rule| rule.head == Head::Skip);
    let byzantine = instance.fault_count(FaultKind::Byzantine) > 0;
    let early = byzantine && !Setting::names_blocks_only(&rules);
    let timed = !wasted || instance.formulation == Formulation::Timed;
    let all = [
        (LeftOut::SkippedView, timed && skips && instance.views > 2),
        (LeftOut::ExclusiveActs, timed),
        (LeftOut::EarlyName, early && instance.views > 1),
        (
            LeftOut::LedOut,
            wasted && leads_out(&rules, instance, timed),
        ),
        (LeftOut::Rest, wasted && may_stay(&rules)),
    ];
    let is = all.into_iter().filter(|(_, is)| *is);
    is.map(|(pattern, _)| pattern).collect()
}

/// Whether who does the rule skips views by what came with a message and was not taken: who walks through
/// them took it.
pub(crate) fn skips_by_proof(rule: &Rule) -> bool {
    rule.head == Head::Skip && rule.when.iter().any(|guard| guard.proof)
}

/// A rule by which messages alone end a view, behind one that must be done in it, in slots beside one:
/// one that leads into the next view, or one that Byzantine replicas can meet, for whom nobody has to
/// be in a later one.
fn leads_out(rules: &Rules, instance: &Instance, in_slots: bool) -> bool {
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    let honest = |guard: &Guard| match &guard.reads {
        Reads::Senders(number) => {
            let needs = rules.count(number).of(instance.replicas, instance.f());
            instance.power.is_none() && needs > byzantine
        }
        _ => false,
    };
    let ends = |rule: &Rule| match rule.head {
        Head::Enter => true,
        Head::Skip => !rule.when.iter().any(honest),
        _ => false,
    };
    let mut must = rules.rules.iter().filter(|rule| rule.mode == Mode::Must);
    let beside = must.clone().any(ends);
    let acts = |rule: &&Rule| matches!(rule.head, Head::Make { .. }) && rule.scope == Scope::View;
    must.any(|rule| acts(&rule)) && (must.any(ends) || (in_slots && beside))
}

/// Whether something may keep a replica in a view for ever: a record of its own, or votes that are
/// missing.
pub(crate) fn may_stay(rules: &Rules) -> bool {
    let others = |guard: &Guard, but: &[KindId]| {
        let mut kinds = guard.pattern.kinds.iter();
        !kinds.all(|kind| but.contains(kind))
    };
    let barred = |rule: &Rule, but: &[KindId]| rule.unless.iter().any(|it| others(it, but));
    let waits = |rule: &Rule, but: &[KindId]| {
        let votes = |it: &&Guard| matches!(it.reads, Reads::Senders(_));
        rule.when.iter().filter(votes).any(|it| others(it, but))
    };
    let ends = |enter: &Rule| {
        let starts = rules
            .rules
            .iter()
            .filter(|it| match (&it.head, enter.mode) {
                (Head::Arm { timer, .. }, Mode::Timer(waited)) => *timer == waited,
                _ => false,
            });
        let guards = enter.when.iter().chain(starts.flat_map(|it| &it.when));
        let makers_are_bound = |guard: &Guard| {
            let kinds = &guard.pattern.kinds;
            let makes = |rule: &&Rule| rule.makes().is_some_and(|it| kinds.contains(&it));
            rules
                .rules
                .iter()
                .filter(makes)
                .all(|rule| barred(rule, kinds) || waits(rule, kinds))
        };
        barred(enter, &[]) || guards.into_iter().any(makers_are_bound)
    };
    let mut entries = rules.rules.iter().filter(|rule| rule.head == Head::Enter);
    entries.all(ends)
}

#[cfg(test)]
mod tests {
    use super::{LeftOut, of};
    use milp_schema::{
        Instance,
        instance::{Formulation, Goal},
    };

    #[test]
    fn views_that_messages_end_behind_other_rules_are_said_to_be_left_out() {
        for (protocol, is) in [("ibft1", true), ("tendermint", false), ("pbft", false)] {
            let goal = Goal::Wasted { bad: 1, up_to: 1 };
            let instance = Instance::builder(protocol).views(3).goal(goal).build();
            assert_eq!(of(&instance).contains(&LeftOut::LedOut), is, "{protocol}");
        }
    }

    #[test]
    fn rest_in_a_bad_view_is_said_to_be_left_out_where_something_may_keep_replicas_in_it() {
        for (protocol, is) in [("pbft", true), ("ibft1", false), ("tendermint", false)] {
            let goal = Goal::Wasted { bad: 1, up_to: 1 };
            let instance = Instance::builder(protocol).views(3).goal(goal).build();
            assert_eq!(of(&instance).contains(&LeftOut::Rest), is, "{protocol}");
        }
    }

    #[test]
    fn views_skipped_by_a_proof_are_said_to_be_left_out() {
        for (protocol, is) in [("jolteon", true), ("simplex", false), ("tendermint", false)] {
            let instance = Instance::builder(protocol).views(3).build();
            let instance = Instance {
                formulation: Formulation::Levels,
                ..instance
            };
            assert_eq!(
                of(&instance).contains(&LeftOut::SkippedView),
                is,
                "{protocol}"
            );
        }
    }

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
