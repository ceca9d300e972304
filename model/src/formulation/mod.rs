//! Formulations: how rules become columns and rows.

pub mod causal;
pub mod counting;
pub mod levels;
mod meet;
pub mod projection;
pub(crate) mod refuse;
pub mod slots;
pub mod timed;

use crate::{Built, Error, every, expr::Expr, protocols};
use milp_schema::{Act, Instance, instance::Formulation};
use projection::{Line, Projection};

/// `formulation: auto`: the cheapest formulation that is exact for the instance. Each refuses by name
/// what it does not express exactly: `counting` first, then `causal` where it pays, then `timed`;
/// `levels` in place of these two where the rules are more than a list can say.
pub(crate) fn cheapest(instance: &Instance) -> Result<Built, Error> {
    if refuse::asks_levels(instance.goal).is_some() {
        return levels::of(instance).map(Built::Levels);
    }
    let listed = is_listed(instance);
    let unsupported = |error: &Error| match error {
        Error::Unsupported { .. } => true,
        Error::UnknownProtocol { .. } => !listed,
        _ => false,
    };
    match counted_if_cheaper(instance) {
        Err(error) if unsupported(&error) => {}
        other => return other,
    }
    if !listed {
        return match levels::of(instance).map(Built::Levels) {
            // The reason of the cheaper one is told, where both have one.
            Err(error) if unsupported(&error) => in_slots(instance).map_err(|other| match other {
                Error::Unsupported { .. } => error,
                other => other,
            }),
            other => other,
        };
    }
    if causal_pays(instance) {
        match causal::of(instance).map(Built::Causal) {
            Err(error) if unsupported(&error) => {}
            other => return other,
        }
    }
    in_slots(instance)
}

/// So many replicas have columns of their own in `auto`, where the rules are a file: `levels` knows what
/// replicas do at once, and of few it is not larger.
const FEW: u32 = 7;

/// Formulation `counting`: of a list of rules where there is one, otherwise of a file.
///
/// # Errors
/// As for [`counting::of`] and [`every::of_one`].
pub fn counted(instance: &Instance) -> Result<Built, Error> {
    if is_listed(instance) {
        counting::of(instance).map(Built::Counting)
    } else {
        every::of_one(instance).map(Built::Counts)
    }
}

/// The same where `auto` takes it.
fn counted_if_cheaper(instance: &Instance) -> Result<Built, Error> {
    if instance.replicas > FEW {
        return counted(instance);
    }
    counting::of(instance).map(Built::Counting)
}

/// The program of a file with so many values, in `counting` or else in `levels`.
///
/// # Errors
/// As for [`levels::of_with`] and [`every::of_one_with`].
pub fn with_values(
    instance: &Instance,
    formulation: Formulation,
    values: u32,
) -> Result<Built, Error> {
    match formulation {
        Formulation::Counting => every::of_one_with(instance, values).map(Built::Counts),
        _ => levels::of_with(instance, values).map(Built::Levels),
    }
}

/// Formulation `timed`: of a list of rules where there is one, otherwise of a file.
///
/// # Errors
/// As for [`timed::of`] and [`slots::of`].
pub fn in_slots(instance: &Instance) -> Result<Built, Error> {
    if is_listed(instance) {
        timed::of(instance).map(Built::Timed)
    } else {
        slots::of(instance).map(Built::Slots)
    }
}

/// The program in slots with the columns that a projection asks for, which come last, and the
/// projection's lines, ascending by subject.
///
/// # Errors
/// As for [`in_slots`].
pub fn projected(instance: &Instance, projection: Projection) -> Result<(Built, Vec<Line>), Error> {
    if is_listed(instance) {
        let (built, lines) = timed::projected(instance, projection)?;
        return Ok((Built::Timed(built), lines));
    }
    let (built, lines) = slots::projected(instance, projection)?;
    Ok((Built::Slots(built), lines))
}

/// The program whose rows are asked which rules stand in the way of an execution with so many
/// decided values: in slots where the rules are a list, or `timed` is asked for; of a file without
/// slots, where that is exact.
///
/// # Errors
/// As for [`in_slots`] and [`levels::of_with`].
pub fn of_rules(instance: &Instance, values: u32) -> Result<Built, Error> {
    if is_listed(instance) || instance.formulation == Formulation::Timed {
        return in_slots(instance);
    }
    match levels::of_with(instance, values.max(levels::VALUES)).map(Built::Levels) {
        Err(Error::Unsupported { .. }) if instance.formulation == Formulation::Auto => {
            in_slots(instance)
        }
        other => other,
    }
}

/// The same with what the adversary does counted, kind by kind: the objectives of a schedule with
/// the fewest acts.
///
/// # Errors
/// As for [`in_slots`].
pub fn with_acts(instance: &Instance) -> Result<(Built, Vec<(Act, Expr)>), Error> {
    if is_listed(instance) {
        let (built, acts) = timed::with_acts(instance)?;
        return Ok((Built::Timed(built), acts));
    }
    let (built, acts) = slots::with_acts(instance)?;
    Ok((Built::Slots(built), acts))
}

/// What `formulation: auto` passes over for `taken`, each with what it does not express exactly, or
/// why it is not taken.
pub fn passed_over(instance: &Instance, taken: Formulation) -> Vec<(Formulation, String)> {
    let unsupported = |error| match error {
        Error::Unsupported { construct, .. } => construct,
        other => other.to_string(),
    };
    let mut passed = Vec::new();
    if taken == Formulation::Counting {
        return passed;
    }
    passed.extend(
        counted_if_cheaper(instance)
            .err()
            .map(|error| (Formulation::Counting, unsupported(error))),
    );
    if [Formulation::Causal, Formulation::Levels].contains(&taken) {
        return passed;
    }
    let why = if causal_pays(instance) {
        causal::of(instance).err().map(unsupported)
    } else {
        Some("no pool and no guarded acceptance".to_owned())
    };
    passed.extend(why.map(|why| (Formulation::Causal, why)));
    passed
}

/// Whether the rules of the protocol are a list, which `causal`, the old `timed`, and whoever learns
/// from an engine read.
pub fn is_listed(instance: &Instance) -> bool {
    instance.rules().is_none() || protocols::of(instance).is_ok()
}

/// Where `causal` is taken without being asked for: in a pool, and where acceptance is guarded. There
/// a schedule in slots is found by search, one without them by diving from the relaxation.
fn causal_pays(instance: &Instance) -> bool {
    protocols::of(instance).is_ok_and(|protocol| protocol.pools() || protocol.guards())
}
