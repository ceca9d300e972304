//! What the formulation cannot express, by name.

use super::rest;
use crate::{error::Error, formulation::refuse};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Primary, Timers},
    protocol::{Goes, Guard, Head, Rule, Rules},
};

/// What is asked without slots is answered with them.
const TIMED: &str = "use `formulation: timed`";

/// The first thing that the formulation cannot express, if there is one.
pub(super) fn refuse(instance: &Instance, rules: &Rules) -> Result<(), Error> {
    let bounded = matches!(instance.network, Network::Bounded { .. });
    let reasons = [
        (
            instance.primary == Primary::Free,
            "`primary: free`",
            "use `primary: rotation`",
        ),
        (instance.heights > 1, "several heights", "use `heights: 1`"),
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
            bounded,
            "`network: bounded`",
            "use `network: eventual`, or `formulation: timed`",
        ),
        (
            instance.budget.late.is_some(),
            "`budget: {late: …}`, which asks for slots",
            TIMED,
        ),
        (
            instance.budget.injects.is_some(),
            "`budget: {injects: …}` of copies",
            TIMED,
        ),
        (
            instance.budget.timeouts.is_some(),
            "`budget: {timeouts: …}`",
            TIMED,
        ),
    ];
    first(&reasons)?;
    refuse_together(instance, rules)?;
    if instance.goal == Goal::Stall {
        let stops = |rule: &Rule| matches!(rule.head, Head::Stop { .. });
        first(&[(
            rules.rules.iter().any(stops),
            "goal `stall` where timers are stopped",
            TIMED,
        )])?;
        rest::refuse(rules)?;
    }
    Ok(())
}

/// The first reason that holds, as an error.
fn first(reasons: &[(bool, &str, &str)]) -> Result<(), Error> {
    let reason = reasons.iter().find(|(refused, ..)| *refused);
    reason.map_or(Ok(()), |(_, construct, hint)| {
        refuse::unsupported("levels", construct, hint)
    })
}

/// What an instance and a protocol ask for together.
fn refuse_together(instance: &Instance, rules: &Rules) -> Result<(), Error> {
    let stall = instance.goal == Goal::Stall;
    let blame = instance.goal == Goal::Blame;
    let others = refuse::others(instance);
    refuse::good_views("levels", instance, rules)?;
    first(&[
        (
            blame && others,
            "goal `blame` with replicas that crash or that the network fails",
            "use `kind: byzantine`",
        ),
        (
            blame && rules.chain,
            "goal `blame` of a chain",
            "use a protocol of unrelated values",
        ),
        (
            blame && rules.rules.iter().flat_map(Rule::guards).any(|it| it.proof),
            "goal `blame` where messages carry proofs",
            "ask for `fork`",
        ),
        (
            stall && rules.chain,
            "goal `stall` of a chain, whose views never end",
            "ask for `fork`: nobody comes to rest there",
        ),
        (
            instance.goal == Goal::Finality && rules.chain,
            "goal `finality` of a chain, where blocks are final by those that extend them",
            "ask for `fork`",
        ),
    ])?;
    refuse_delivery(instance, rules)
}

/// What of goal, network and faults asks for another program.
fn refuse_delivery(instance: &Instance, rules: &Rules) -> Result<(), Error> {
    let stall = instance.goal == Goal::Stall;
    let eventual = instance.network == Network::Eventual;
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    first(&[
        (
            stall && !eventual,
            "goal `stall` with `network: asynchronous`",
            "use `network: eventual`, otherwise silence alone is a stall",
        ),
        (
            stall && instance.fault_count(FaultKind::Network) > 0,
            "goal `stall` with `faults: {kind: network}`",
            "use `kind: crash`, a lost copy is offered again by recovery",
        ),
        (
            stall && byzantine > 0 && instance.fault_count(FaultKind::Crash) > 0,
            "goal `stall` with Byzantine and crashing replicas together",
            "use one kind of faults",
        ),
        (
            refuse::counts_messages(instance.goal) && passes_on(rules),
            "a goal that counts messages where decisions are passed on",
            TIMED,
        ),
        (
            eventual && !refuse::monotone(instance.goal),
            "this weighted goal with `network: eventual`",
            "use `network: asynchronous`, or `formulation: timed`",
        ),
    ])
}

/// Whether who takes over a decision sends it on.
fn passes_on(rules: &Rules) -> bool {
    let sent = rules.kind(rules.final_kind()).goes == Goes::Sent;
    let reads = |guard: &Guard| guard.pattern.kinds.contains(&rules.final_kind());
    sent && rules.rules.iter().flat_map(Rule::guards).any(reads)
}
