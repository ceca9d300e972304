//! What a claim is made under: faults, network, timers, horizon, and what the program leaves out.

use crate::reading::Reading;
use milp_model::left_out::{self, LeftOut};
use milp_schema::instance::{Fault, FaultKind, Instance, Network, Timers, Who};
use milp_show::words::count;

/// The assumptions: "with 1 Byzantine replica of 4, within 4 views and 24 slots".
pub(crate) fn scope(instance: &Instance, within_slots: bool) -> String {
    assumed(instance, within_slots, "")
}

/// " (the schedule uses none)", if the instance allows more.
pub(super) fn used_of(instance: &Instance, reading: &Reading) -> String {
    let fewer = |kind| reading.used(kind) < instance.fault_count(kind);
    let by_power = instance.faults.iter().any(by_power);
    if by_power || !KINDS.iter().any(|(kind, ..)| fewer(*kind)) {
        return String::new();
    }
    let used = counted(|kind| reading.used(kind));
    let used = if used.is_empty() {
        "none".to_owned()
    } else {
        used
    };
    format!(" (the schedule uses {used})")
}

/// Kinds of faults with the words before and after.
const KINDS: [(FaultKind, &str, &str); 3] = [
    (FaultKind::Byzantine, "Byzantine replica", ""),
    (FaultKind::Crash, "replica", " that may crash"),
    (FaultKind::Network, "replica", " with network faults"),
];

/// So many replicas of each kind in words, nothing if there are none.
fn counted(number: impl Fn(FaultKind) -> u32) -> String {
    let counts = KINDS.map(|(kind, noun, after)| (number(kind), noun, after));
    let some = counts.into_iter().filter(|(number, ..)| *number > 0);
    let words = some.map(|(number, noun, after)| format!("{}{after}", count(number.into(), noun)));
    words.collect::<Vec<_>>().join(" and ")
}

/// Whether it is voting power that is limited.
fn by_power(fault: &Fault) -> bool {
    matches!(fault.who, Who::Power(_))
}

/// The assumptions, with what `used` says of the faults that a schedule uses.
pub(super) fn assumed(instance: &Instance, within_slots: bool, used: &str) -> String {
    let of_kind = |kind| instance.faults.iter().filter(move |it| it.kind == kind);
    let counted = counted(|kind| {
        let counted = of_kind(kind).filter(|it| !by_power(it));
        counted.map(Fault::count).sum()
    });
    let votes = instance.votes();
    let powerful = KINDS.iter().flat_map(|(kind, noun, after)| {
        of_kind(*kind).filter_map(move |fault| match fault.who {
            Who::Power(most) => Some(format!("{noun}s{after} of voting power {most} of {votes}")),
            _ => None,
        })
    });
    let faulty = [counted].into_iter().filter(|it| !it.is_empty());
    let faulty = faulty.chain(powerful).collect::<Vec<_>>().join(" and ");
    let faulty = if faulty.is_empty() {
        "no faulty replica".to_owned()
    } else {
        faulty
    };
    let mutant = match &instance.mutant {
        Some(name) => format!(" under the mutant {name}"),
        None => String::new(),
    };
    let n = instance.replicas;
    let of = match &instance.power {
        None if instance.faults.iter().any(by_power) => format!(", of {n} replicas"),
        None => format!(" of {n}"),
        Some(power) => {
            let each = power.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!(", of {n} replicas (voting power {})", each.join(", "))
        }
    };
    let mut all = vec![format!("with {faulty}{of}{used}{mutant}")];
    all.extend(conditions(instance));
    let conditions = all.join(", ");
    let views = count(instance.views.into(), "view");
    if !within_slots {
        return format!("{conditions}, within {views} and any number of slots");
    }
    let slots = count(instance.slots.into(), "slot");
    format!("{conditions}, within {views} and {slots}")
}

/// What else the claim holds under: everything the instance does not leave at its default.
fn conditions(instance: &Instance) -> Vec<String> {
    let mut conditions = vec![];
    for fault in &instance.faults {
        if let Who::These(replicas) = &fault.who {
            let names: Vec<String> = replicas.iter().map(ToString::to_string).collect();
            conditions.push(format!("only {} faulty", names.join(" and ")));
        }
    }
    if instance.blocks_per_proposal > 1 {
        let most = instance.blocks_per_proposal;
        conditions.push(format!("up to {most} blocks per proposal"));
    }
    match instance.network {
        Network::Eventual => {}
        Network::Asynchronous => conditions.push("copies may never arrive".to_owned()),
        Network::Bounded {
            delay_min,
            delay_max,
            gst,
        } => {
            let after = if gst == 0 {
                String::new()
            } else {
                format!(" from slot {gst} on")
            };
            conditions.push(format!("delays of {delay_min} to {delay_max} slots{after}"));
        }
    }
    if instance.gossip {
        let shared = "what one honest replica took in a good view all have when it ends";
        conditions.push(format!("gossip ({shared})"));
    }
    if let (Timers::Protocol, Some(time)) = (instance.timers, instance.block_time) {
        conditions.push(format!("timers by the protocol with block time {time}"));
    }
    let budget = instance.budget;
    for (most, what) in [
        (budget.late, "late copies"),
        (budget.timeouts, "timeouts that ask for a view"),
        (budget.injects, "copies made by Byzantine replicas"),
    ] {
        conditions.extend(most.map(|most| format!("at most {most} {what}")));
    }
    conditions
}

/// What the program leaves out, each in words.
pub(super) fn left_out(instance: &Instance) -> impl Iterator<Item = &'static str> {
    left_out::of(instance).into_iter().map(LeftOut::words)
}

/// Every pattern that the program of an instance leaves out: a heading and a list entry each;
/// nothing if there is none.
pub fn patterns(instance: &Instance) -> Vec<String> {
    let entries: Vec<String> = left_out(instance).map(|it| format!("- {it}")).collect();
    let heading = (!entries.is_empty()).then(|| {
        "Programs of this instance leave out what a schedule may have (docs/EXECUTION.md):"
            .to_owned()
    });
    heading.into_iter().chain(entries).collect()
}
