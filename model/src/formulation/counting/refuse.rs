//! What the formulation cannot express, by name.

use super::{
    book::{Book, NAME},
    walk::{Role, To, Walk},
};
use crate::{
    error::Error,
    rule::{Checked, Keeps, Modality, Protocol, Requires, Rule, Scope},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Network, Primary, Sense, Timers, Who},
};
use std::collections::BTreeSet;

fn unsupported(construct: impl Into<String>, hint: &str) -> Error {
    Error::Unsupported {
        formulation: NAME,
        construct: construct.into(),
        hint: hint.into(),
    }
}

/// The first thing of the instance or the protocol that the formulation cannot express.
pub(super) fn refuse(instance: &Instance, protocol: &Protocol) -> Result<(), Error> {
    let timed = "use `formulation: timed`";
    let checks = [
        (
            instance.primary == Primary::Free,
            "`primary: free`",
            "use `primary: rotation`",
        ),
        (
            instance.timers == Timers::Protocol,
            "`timers: protocol`",
            timed,
        ),
        (
            matches!(instance.network, Network::Bounded { .. }),
            "`network: bounded`",
            timed,
        ),
        (instance.goal == Goal::Slow, "goal `slow`", timed),
        (instance.heights > 1, "several heights", timed),
        (instance.replicas < 2, "a single replica", timed),
        (
            instance.views > instance.replicas,
            "more views than replicas",
            timed,
        ),
        (instance.budget.late.is_some(), "`budget: {late: …}`", timed),
        (
            instance.budget.injects.is_some(),
            "`budget: {injects: …}`",
            timed,
        ),
    ];
    if let Some((_, construct, hint)) = checks.into_iter().find(|check| check.0) {
        return Err(unsupported(construct, hint));
    }
    refuse_goal(instance)?;
    refuse_rules(protocol)
}

/// Goals whose value the deliveries at the end may change, or that need to know who crashed.
fn refuse_goal(instance: &Instance) -> Result<(), Error> {
    let timed = "use `formulation: timed`";
    crate::formulation::refuse::levels_only("counting", instance)?;
    match instance.goal {
        Goal::Stall => {
            let crashes = instance.fault_count(FaultKind::Crash);
            let named = instance
                .faults
                .iter()
                .any(|fault| fault.kind == FaultKind::Crash && matches!(fault.who, Who::These(_)));
            if instance.fault_count(FaultKind::Network) > 0 {
                let hint = "use `kind: crash`, a lost copy is offered again by recovery";
                return Err(unsupported(
                    "goal `stall` with `faults: {kind: network}`",
                    hint,
                ));
            }
            if instance.network == Network::Asynchronous {
                let hint = "use `network: eventual`, otherwise silence alone is a stall";
                return Err(unsupported(
                    "goal `stall` with `network: asynchronous`",
                    hint,
                ));
            }
            if named {
                return Err(unsupported(
                    "goal `stall` with named replicas that may crash",
                    timed,
                ));
            }
            if crashes > 0 && instance.fault_count(FaultKind::Byzantine) > 0 {
                let both = "goal `stall` with Byzantine replicas beside others that may crash";
                return Err(unsupported(both, timed));
            }
            Ok(())
        }
        Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        } if instance.network == Network::Eventual => {
            let better = |weight: i64| match sense {
                Sense::Maximize => weight >= 0,
                Sense::Minimize => weight <= 0,
            };
            if better(blocks) && better(views) && messages == 0 {
                return Ok(());
            }
            // What arrives at the end makes replicas do more, and more is not better here.
            let construct = "goal `weighted` with `network: eventual` unless messages weigh nothing \
                             and neither blocks nor views speak against the adversary";
            Err(unsupported(
                construct,
                "use `network: asynchronous` or `formulation: timed`",
            ))
        }
        _ => Ok(()),
    }
}

/// Constructs that depend on the order of deliveries, or that have no columns here.
fn refuse_rules(protocol: &Protocol) -> Result<(), Error> {
    let timed = "use `formulation: timed`";
    if protocol.pools() {
        return Err(unsupported("a pool instead of copies", timed));
    }
    if protocol.channels.iter().any(|channel| channel.lost_ahead) {
        return Err(unsupported(
            "copies that are lost on a receiver in a lower view",
            timed,
        ));
    }
    for rule in &protocol.rules {
        let construct = match rule {
            Rule::Carry { kind } => format!("the construct `carry` (messages of kind {kind})"),
            Rule::Negation(negation) => format!("the construct `negation` ({})", negation.name),
            Rule::Relation { name } => format!("the construct `relation` ({name})"),
            Rule::Hold(hold) => format!("the construct `hold` (messages of kind {})", hold.kind),
            Rule::Timer(_) => "a timer with a deadline that moves".into(),
            Rule::Enter(enter) if enter.keeps == Keeps::View => {
                "requests that are forgotten on entering a view".into()
            }
            Rule::Enter(enter) if enter.modality != Modality::Must => {
                "`May` for a view change".into()
            }
            Rule::Enter(_) => continue,
            Rule::Event(event) => {
                let name = event.name;
                let tallies = |it: &&Requires| matches!(it, Requires::Tally { .. });
                if event.modality == Modality::May {
                    format!("`May` ({name})")
                } else if event.checked != Checked::Always {
                    format!("a rule that is looked at only when a vote comes ({name})")
                } else if event.requires.iter().filter(tallies).count() > 1 {
                    format!("two tallies in one rule ({name})")
                } else if event.requires.iter().any(|it| {
                    matches!(
                        it,
                        Requires::TallyOverViews { .. } | Requires::When(_) | Requires::Unless(_)
                    )
                }) {
                    format!("a count over views or a count that falls ({name})")
                } else if event.scope == Scope::Height
                    && !event
                        .requires
                        .iter()
                        .all(|it| matches!(it, Requires::HeldFromAnother(_)))
                {
                    format!("a rule for any view that needs more than a block ({name})")
                } else {
                    continue;
                }
            }
        };
        return Err(unsupported(construct, timed));
    }
    Ok(())
}

/// What the walks show: events that wait for one another, and final states that are none.
pub(super) fn refuse_walks(book: &Book, walks: &[Walk; 2]) -> Result<(), Error> {
    let timed = "use `formulation: timed`";
    let mut before: BTreeSet<(usize, usize)> =
        walks.iter().flat_map(|walk| walk.before(book)).collect();
    let mut left: BTreeSet<usize> = (0..book.events.len()).collect();
    while let Some(&first) = left
        .iter()
        .find(|&&e| !before.iter().any(|&(_, later)| later == e))
    {
        left.remove(&first);
        before.retain(|&(earlier, _)| earlier != first);
    }
    if let Some(&e) = left.first() {
        let name = book.events[e].name;
        return Err(unsupported(
            format!("events that wait for one another ({name})"),
            timed,
        ));
    }
    if book.instance.goal != Goal::Stall {
        return Ok(());
    }
    for role in Role::ALL {
        let walk = &walks[role as usize];
        for arc in &walk.arcs {
            if walk.nodes[arc.from].rests && !matches!(arc.to, To::Decided | To::Next) {
                let name = book.events[arc.acts[0].0].name;
                return Err(unsupported(
                    format!("goal `stall` where `{name}` may follow when timers are done"),
                    timed,
                ));
            }
        }
    }
    Ok(())
}
