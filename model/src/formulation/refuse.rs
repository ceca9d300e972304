//! What no formulation with a column for every act of every replica can express, by name.

use crate::{
    error::Error,
    rule::{Modality, Protocol, Range, Requires},
};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Goal, Network, Sense, Timers},
    protocol::{Guard, KindId, Mode, Reads, Rule, Rules, Scope},
    vocabulary::By,
};

/// The refusal of a construct by a formulation.
pub(crate) fn unsupported(
    formulation: &'static str,
    construct: &str,
    hint: &str,
) -> Result<(), Error> {
    Err(Error::Unsupported {
        formulation,
        construct: construct.into(),
        hint: hint.into(),
    })
}

/// A pool (E25): what its families leave out, and what the instance asks for that needs copies.
pub(crate) fn pool(
    formulation: &'static str,
    instance: &Instance,
    protocol: &Protocol,
) -> Result<(), Error> {
    let faulty: u32 = instance.faults.iter().map(Fault::count).sum();
    let copies = protocol.channels.iter().any(|channel| !channel.pool);
    let must = |modality| modality != Modality::May;
    let forced = protocol.events().any(|event| must(event.modality))
        || protocol.enter().is_some_and(|enter| must(enter.modality));
    for (refused, construct, hint) in [
        (
            copies,
            "a pool beside copies",
            "let all kinds go into the pool",
        ),
        (
            forced,
            "a pool with events that must happen",
            "let them be `May`",
        ),
        (
            votes_in_several_views(protocol),
            "a count over views of messages sent once per view",
            "let the events that send them happen once per height",
        ),
        (
            instance.heights > 1,
            "a pool with several heights",
            "use `heights: 1`",
        ),
        (
            instance.blocks_per_proposal > 1,
            "a pool with several blocks per proposal",
            "use `blocks_per_proposal: 1`",
        ),
        (
            matches!(instance.network, Network::Bounded { .. }),
            "a pool with `network: bounded`",
            "use `network: eventual`, a pool has no delays",
        ),
        (
            instance.timers == Timers::Protocol,
            "a pool with `timers: protocol`",
            "use `timers: free`, its actions have no timers",
        ),
        (
            instance.fault_count(FaultKind::Network) > 0,
            "a pool with `faults: {kind: network}`",
            "use `kind: crash`",
        ),
        (
            instance.budget.late.is_some(),
            "a pool with `budget: {late: …}`",
            "leave it out, nothing in a pool is late",
        ),
        (
            faulty > instance.f(),
            "a pool with more than f faulty replicas",
            "use at most f, as the formal model assumes",
        ),
    ] {
        if refused {
            return unsupported(formulation, construct, hint);
        }
    }
    Ok(())
}

/// Whether a count over views is of a kind that an honest replica may send in several.
fn votes_in_several_views(protocol: &Protocol) -> bool {
    let requirements = protocol.events().flat_map(|event| &event.requires);
    requirements.into_iter().any(|requirement| {
        let Requires::TallyOverViews { of, .. } = requirement else {
            return false;
        };
        let mut senders = protocol
            .events()
            .filter(|event| event.broadcasts.as_ref() == Some(of));
        senders.any(|event| event.once == Range::View)
    })
}

/// Copies: what only a pool can have.
pub(crate) fn copies(formulation: &'static str, protocol: &Protocol) -> Result<(), Error> {
    let may = protocol
        .events()
        .any(|event| event.modality == Modality::May)
        || protocol
            .enter()
            .is_some_and(|enter| enter.modality == Modality::May);
    if may {
        return unsupported(
            formulation,
            "`May` without a pool",
            "let its kinds go into a pool",
        );
    }
    let over_views =
        |requirement: &Requires| matches!(requirement, Requires::TallyOverViews { .. });
    if protocol
        .events()
        .any(|event| event.requires.iter().any(over_views))
    {
        return unsupported(
            formulation,
            "a count over views of copies",
            "let the kind go into a pool",
        );
    }
    Ok(())
}

/// A goal that `levels` alone answers.
pub(crate) fn levels_only(formulation: &'static str, instance: &Instance) -> Result<(), Error> {
    let hint = "use `formulation: levels` and a protocol whose file has rules";
    asks_levels(instance.goal).map_or(Ok(()), |what| unsupported(formulation, what, hint))
}

/// What a goal speaks of that only programs of files have, if it does.
pub(crate) fn asks_levels(goal: Goal) -> Option<&'static str> {
    match goal {
        Goal::Wasted { .. } => Some("goal `wasted`, which speaks of good views"),
        Goal::Blame => {
            Some("goal `blame`, which speaks of what honest replicas have of Byzantine ones")
        }
        _ => None,
    }
}

/// Whether replicas may be faulty that are not Byzantine.
pub(crate) fn others(instance: &Instance) -> bool {
    let mut faults = instance.faults.iter();
    faults.any(|it| it.kind != FaultKind::Byzantine)
}

/// What no program of a file says of good views.
pub(crate) fn good_views(
    formulation: &'static str,
    instance: &Instance,
    rules: &Rules,
) -> Result<(), Error> {
    if !matches!(instance.goal, Goal::Wasted { .. }) {
        return Ok(());
    }
    for (refused, construct, hint) in [
        (
            others(instance),
            "goal `wasted` with replicas that crash or that the network fails",
            "use `kind: byzantine`",
        ),
        (
            proposes_on_firing(rules),
            "goal `wasted` where primaries propose when a timer fires, which need not in a good view",
            "use a protocol whose primaries propose when they enter the view",
        ),
        (
            reads_of_any_view(rules),
            "goal `wasted` where rules read an own record that is made in any view (`height`)",
            "ask for `fork`, or let its rule be of the record's view",
        ),
        (
            rules.chain,
            "goal `wasted` of a chain",
            "use a protocol of unrelated values",
        ),
        (
            instance.heights > 1,
            "goal `wasted` at several heights",
            "use `heights: 1`",
        ),
    ] {
        if refused {
            return unsupported(formulation, construct, hint);
        }
    }
    Ok(())
}

/// Whether a record that only primaries make waits for a timer.
fn proposes_on_firing(rules: &Rules) -> bool {
    let of_primary = |kind: KindId| rules.kind(kind).by == By::Primary;
    let fired = |rule: &&Rule| matches!(rule.mode, Mode::Timer(_));
    let mut fired = rules.rules.iter().filter(fired);
    fired.any(|rule| rule.makes().is_some_and(of_primary))
}

/// Whether an own record, decisions aside, is read that a rule of any view makes.
fn reads_of_any_view(rules: &Rules) -> bool {
    let of_any_view = |rule: &&Rule| rule.scope == Scope::Height;
    let made = rules
        .rules
        .iter()
        .filter(of_any_view)
        .filter_map(Rule::makes);
    let mut made = made.filter(|&it| it != rules.final_kind());
    let reads = |guard: &Guard, kind| {
        let own = matches!(guard.reads, Reads::Own | Reads::LastOwn);
        own && guard.pattern.kinds.contains(&kind)
    };
    made.any(|kind| {
        rules
            .rules
            .iter()
            .flat_map(Rule::guards)
            .any(|it| reads(it, kind))
    })
}

/// Whether letting everything arrive in the end cannot make the goal smaller.
pub(crate) fn monotone(goal: Goal) -> bool {
    match goal {
        Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        } => sense == Sense::Maximize && blocks >= 0 && views >= 0 && messages == 0,
        _ => true,
    }
}

/// Whether the goal gives messages a weight.
pub(crate) fn counts_messages(goal: Goal) -> bool {
    matches!(goal, Goal::Weighted { messages, .. } if messages != 0)
}
