//! What the formulation cannot express, by name.

use crate::{
    error::Error,
    formulation::refuse,
    rule::{Protocol, Rule},
};
use milp_schema::{Instance, instance::Primary};

fn unsupported(construct: &str, hint: &str) -> Result<(), Error> {
    refuse::unsupported("timed", construct, hint)
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
    refuse::levels_only("timed", instance)?;
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
        refuse::pool("timed", instance, protocol)?;
    } else {
        refuse::copies("timed", protocol)?;
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
                    "use `heights: 1`, or the protocol `dbft2`",
                );
            }
            Rule::Hold(hold) => {
                return unsupported(
                    &format!(
                        "the construct `hold` (messages of kind {}) with several heights",
                        hold.kind
                    ),
                    "use `heights: 1`, or the protocol `dbft2`",
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
