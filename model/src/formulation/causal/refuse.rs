//! What the formulation cannot express, by name.

use crate::{
    error::Error,
    formulation::refuse,
    rule::{Checked, Modality, Protocol, Requires, Rule},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Primary, Timers},
};

/// What is asked without slots is answered with them.
const TIMED: &str = "use `formulation: timed`";

/// The first thing that the formulation cannot express, if there is one.
pub(super) fn refuse(instance: &Instance, protocol: &Protocol) -> Result<(), Error> {
    let reasons = [
        (
            instance.primary == Primary::Free,
            "`primary: free`",
            "use `primary: rotation`",
        ),
        (
            instance.heights > 1,
            "several heights",
            "use `heights: 1`, or `formulation: timed`",
        ),
        (
            instance.goal == Goal::Slow,
            "goal `slow`, which asks for a slot",
            TIMED,
        ),
        (
            instance.timers == Timers::Protocol,
            "`timers: protocol`",
            "use `timers: free`, or `formulation: timed`",
        ),
        (
            matches!(instance.network, Network::Bounded { .. }),
            "`network: bounded`",
            "use `network: eventual`, or `formulation: timed`",
        ),
        (
            instance.budget.late.is_some(),
            "`budget: {late: …}`, which asks for slots",
            TIMED,
        ),
    ];
    first(&reasons)?;
    refuse_together(instance, protocol)?;
    if protocol.pools() {
        refuse::pool("causal", instance, protocol)?;
    } else {
        refuse::copies("causal", protocol)?;
    }
    refuse_rules(protocol)
}

/// The first reason that holds, as an error.
fn first(reasons: &[(bool, &str, &str)]) -> Result<(), Error> {
    let reason = reasons.iter().find(|(refused, ..)| *refused);
    reason.map_or(Ok(()), |(_, construct, hint)| unsupported(construct, hint))
}

/// What an instance and a protocol ask for together.
fn refuse_together(instance: &Instance, protocol: &Protocol) -> Result<(), Error> {
    let (pools, copies) = (protocol.pools(), !protocol.pools());
    let injects = instance.budget.injects.is_some();
    let guards = protocol.guards();
    let stall = instance.goal == Goal::Stall;
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    let crashing = instance.fault_count(FaultKind::Crash);
    let eventual = instance.network == Network::Eventual;
    let blocks = instance.blocks_per_proposal > 1;
    refuse::levels_only("causal", instance)?;
    first(&[
        (copies && injects, "`budget: {injects: …}` of copies", TIMED),
        (
            pools && blocks,
            "a pool with several blocks per proposal",
            "use `blocks_per_proposal: 1`",
        ),
        (
            smallest_quorum(instance, protocol) < if guards { 3 } else { 2 },
            "so small a quorum",
            TIMED,
        ),
        (
            copies && stall && !eventual,
            "goal `stall` with `network: asynchronous`",
            "use `network: eventual`, otherwise silence alone is a stall",
        ),
        (
            stall && instance.fault_count(FaultKind::Network) > 0,
            "goal `stall` with `faults: {kind: network}`",
            "use `kind: crash`, a lost copy is offered again by recovery",
        ),
        (
            stall && protocol.enter().is_none(),
            "goal `stall` without a view change",
            "add one to the protocol",
        ),
        (
            copies && stall && byzantine > 0 && crashing > 0,
            "goal `stall` with Byzantine and crashing replicas together",
            TIMED,
        ),
        (
            copies && eventual && !refuse::monotone(instance.goal),
            "this weighted goal with `network: eventual`",
            "use `network: asynchronous`, or `formulation: timed`",
        ),
        (
            guards && refuse::counts_messages(instance.goal),
            "a goal that counts messages where acceptance is guarded",
            TIMED,
        ),
        (
            guards && blocks && eventual,
            "several blocks per proposal where acceptance is guarded and everything arrives",
            "use `network: asynchronous`, or `formulation: timed`",
        ),
        (
            // They make themselves heard by requests to leave, which with the own one are a quorum.
            guards && leads_away(instance, protocol),
            "so many Byzantine replicas where acceptance is guarded",
            TIMED,
        ),
        (
            guards && stall && byzantine > instance.f(),
            "goal `stall` with more than f Byzantine replicas where acceptance is guarded",
            TIMED,
        ),
    ])
}

fn refuse_rules(protocol: &Protocol) -> Result<(), Error> {
    for rule in &protocol.rules {
        match rule {
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
            _ => {}
        }
    }
    for event in protocol.events() {
        let tallies = |requirement: &&Requires| matches!(requirement, Requires::Tally { .. });
        if event.modality == Modality::Must && event.requires.iter().filter(tallies).count() > 1 {
            return unsupported("two tallies of an event that must happen", "use `timed`");
        }
        let on_vote = matches!(event.checked, Checked::OnVote { .. });
        if on_vote && !protocol.guards() {
            return unsupported("`checked: on vote` without `hold`", "use `timed`");
        }
        for requirement in &event.requires {
            let Requires::Held(kind) = requirement else {
                continue;
            };
            let senders: Vec<_> = protocol
                .events()
                .filter(|event| event.broadcasts.as_ref() == Some(kind))
                .collect();
            if senders.len() != 1 || senders[0].who != crate::rule::Who::Primary {
                return unsupported(
                    &format!("one message of kind {kind} from one of several senders"),
                    TIMED,
                );
            }
        }
    }
    Ok(())
}

/// Whether the requests of all Byzantine replicas and one more lead out of a view.
fn leads_away(instance: &Instance, protocol: &Protocol) -> bool {
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    protocol
        .enter()
        .is_some_and(|enter| byzantine + 1 >= enter.at_least.count(instance.replicas, instance.f()))
}

/// The smallest number of messages that some guard asks for.
fn smallest_quorum(instance: &Instance, protocol: &Protocol) -> u32 {
    let (n, f) = (instance.replicas, instance.f());
    let tallies = protocol.events().flat_map(|event| &event.requires);
    let events = tallies.filter_map(|requirement| match requirement {
        Requires::Tally { of, at_least } if of.len() > 1 => Some(at_least.count(n, f)),
        _ => None,
    });
    let enter = protocol.enter().map(|enter| enter.at_least.count(n, f));
    events.chain(enter).min().unwrap_or(0)
}

fn unsupported(construct: &str, hint: &str) -> Result<(), Error> {
    refuse::unsupported("causal", construct, hint)
}
