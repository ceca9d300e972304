//! What the formulation cannot express, by name.

use crate::{
    error::Error,
    rule::{Modality, Protocol, Range, Requires, Rule},
};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Network, Primary, Timeouts},
};

fn unsupported(construct: &str, hint: &str) -> Result<(), Error> {
    Err(Error::Unsupported {
        formulation: "timed",
        construct: construct.into(),
        hint: hint.into(),
    })
}

/// Durations double from view to view; longer ones than this, in slots, are not counted.
const LONGEST: u64 = 1 << 30;

/// Whether the timer of the last view, and the longest after it, lasts longer than is counted.
fn lasts_too_long(instance: &Instance, protocol: &Protocol) -> bool {
    let doubled = instance.views + 2;
    let longest = |time: u32| u64::from(time) << doubled > LONGEST;
    protocol.arming().is_some() && instance.block_time.is_some_and(longest)
}

/// The first thing that the formulation cannot express, if there is one.
pub(super) fn refuse(instance: &Instance, protocol: &Protocol) -> Result<(), Error> {
    if lasts_too_long(instance, protocol) {
        return unsupported(
            "timers of more than 2^30 slots, which double from view to view",
            "use fewer `views` or a shorter `block_time`",
        );
    }
    if instance.primary == Primary::Free {
        return unsupported("`primary: free`", "use `primary: rotation`");
    }
    if protocol.pools() {
        refuse_pool(instance, protocol)?;
    } else {
        refuse_copies(protocol)?;
    }
    for rule in &protocol.rules {
        match rule {
            Rule::Event(_) | Rule::Enter(_) | Rule::Timer(_) => {}
            Rule::Negation(_) | Rule::Hold(_) if instance.heights == 1 => {}
            Rule::Negation(negation) => {
                return unsupported(
                    &format!(
                        "the construct `negation` ({}) with several heights",
                        negation.name
                    ),
                    "use `heights: 1`, or the rule set `paper`",
                );
            }
            Rule::Hold(hold) => {
                return unsupported(
                    &format!(
                        "the construct `hold` (messages of kind {}) with several heights",
                        hold.kind
                    ),
                    "use `heights: 1`, or the rule set `paper`",
                );
            }
            Rule::Carry { kind } => {
                return unsupported(
                    &format!("the construct `carry` (messages of kind {kind})"),
                    "leave recovery to the heal phase of the replay",
                );
            }
            Rule::Relation { name } => {
                return unsupported(
                    &format!("the construct `relation` ({name})"),
                    "use a protocol whose blocks are unrelated",
                );
            }
        }
    }
    Ok(())
}

/// A pool (E25): what its families leave out, and what the instance asks for that needs copies.
pub(crate) fn refuse_pool(instance: &Instance, protocol: &Protocol) -> Result<(), Error> {
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
            instance.timeouts == Timeouts::Protocol,
            "a pool with `timeouts: protocol`",
            "use `timeouts: free`, its actions have no timers",
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
            return unsupported(construct, hint);
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
pub(crate) fn refuse_copies(protocol: &Protocol) -> Result<(), Error> {
    let may = protocol
        .events()
        .any(|event| event.modality == Modality::May)
        || protocol
            .enter()
            .is_some_and(|enter| enter.modality == Modality::May);
    if may {
        return unsupported("`May` without a pool", "let its kinds go into a pool");
    }
    let over_views =
        |requirement: &Requires| matches!(requirement, Requires::TallyOverViews { .. });
    if protocol
        .events()
        .any(|event| event.requires.iter().any(over_views))
    {
        return unsupported(
            "a count over views of copies",
            "let the kind go into a pool",
        );
    }
    Ok(())
}
