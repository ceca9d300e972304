//! Formulation `timed` for every protocol whose rules are a file: slots, one binary for each deed of
//! a replica and slot, in cumulative form, and copies delivered one by one.
//!
//! | column | meaning at the end of slot t |
//! |---|---|
//! | `did_<kind>_i_h_v…_r_t` | replica i made the record by that rule of the file |
//! | `entered_i_h_v_r_t` | it entered view v ≥ 1, or a later one, by that rule |
//! | `started_<timer>_i_h_v_r_t` | that rule started the timer; no column where nothing is asked |
//! | `got_<kind>_i_j_h_v…_t` | a copy of j's record was delivered to i |
//! | `counted_<q>_i_j_h_t` | one of those copies of j counts in quorum q at i, where several may |
//! | `complete_<q>_i_h_t` | quorum q is complete at i |
//! | `last_<g>_i_h_t` | the latest own record is one that guard g reads |
//! | `crashed_i_t`, `byzantine_i`, `crashing_i`, `disconnected_i` | faults |
//!
//! What must be done is done in the slot in which it can be. Whatever order the copies of a slot
//! come in, the same is done: what could exclude one another is not enabled in one slot (E62).

mod acts;
mod columns;
mod decode;
mod early;
mod encode;
mod enter;
mod families;
mod force;
mod goal;
mod good;
mod left;
mod look_up;
mod moments;
mod refuse;
mod seen;
mod timers;
mod valid;

pub use columns::Key;

use crate::{
    decoded::Decoded,
    error::Error,
    expr::Expr,
    formulation::projection::{Line, Projection, stated},
    ground::{Ground, Setting, Values},
    limits::{self, Grows},
    meaning::{Expression, Meaning},
    program::{Col, Program},
};
use columns::Slots;
use milp_schema::{
    Act, Height, Instance, ReplicaId, Schedule, View, instance::FaultKind, protocol::Rules,
};

/// A program of this formulation and what its columns mean.
#[derive(Debug)]
pub struct Built {
    /// The program to solve.
    pub program: Program,
    slots: Slots,
}

/// Builds the program of an instance whose protocol has its rules in its file.
///
/// # Errors
/// [`Error::Unsupported`] names what the formulation cannot express, [`Error::TooLarge`] what makes
/// the program too large, [`Error::UnknownProtocol`] a protocol whose file has no rules.
pub fn of(instance: &Instance) -> Result<Built, Error> {
    limits::within(instance, Grows::WithSlots, || Ok(close(open(instance)?)))
}

/// The same, and what the adversary does in it, counted kind by kind: the objectives of a schedule
/// with the fewest acts.
///
/// # Errors
/// As for [`of`].
pub fn with_acts(instance: &Instance) -> Result<(Built, Vec<(Act, Expr)>), Error> {
    limits::within(instance, Grows::WithSlots, || {
        said(instance, families::adversary)
    })
}

/// The same with the columns that a projection asks for, which come last, and its lines.
pub(super) fn projected(
    instance: &Instance,
    projection: Projection,
) -> Result<(Built, Vec<Line>), Error> {
    limits::within(instance, Grows::WithSlots, || {
        said(instance, |slots| stated(slots, projection))
    })
}

/// The same with what is said of the columns before they are closed.
fn said<T>(instance: &Instance, say: impl FnOnce(&mut Slots) -> T) -> Result<(Built, T), Error> {
    let mut slots = open(instance)?;
    let said = say(&mut slots);
    Ok((close(slots), said))
}

fn open(instance: &Instance) -> Result<Slots, Error> {
    let Some(rules) = instance.rules() else {
        return Err(Error::UnknownProtocol {
            protocol: instance.protocol.to_string(),
            mutant: instance.mutant.clone(),
        });
    };
    refuse::refuse(instance, &rules)?;
    let heights = 0..instance.heights;
    let grounds = heights.map(|h| Ground::new(setting(instance, &rules, h), "timed"));
    let grounds = grounds.collect::<Result<Vec<Ground>, Error>>()?;
    let mut slots = Slots::new(instance.clone(), grounds)?;
    refuse::readings(&slots)?;
    families::faults(&mut slots);
    families::copies(&mut slots);
    acts::deeds(&mut slots);
    enter::entries(&mut slots);
    force::forced(&mut slots);
    timers::timers(&mut slots);
    families::budgets(&mut slots);
    valid::state(&mut slots);
    goal::state(&mut slots)?;
    Ok(slots)
}

fn close(mut slots: Slots) -> Built {
    let program = slots.draft.finish();
    Built { program, slots }
}

/// What the indices of a height range over.
fn setting(instance: &Instance, rules: &Rules, h: u32) -> Setting {
    let primary = |v| instance.primary(Height(h), View(v)).0;
    let power = |i| instance.power_of(ReplicaId(i));
    Setting {
        rules: rules.clone(),
        power: (0..instance.replicas).map(power).collect(),
        f: instance.f(),
        views: instance.views,
        primaries: (0..=instance.views).map(primary).collect(),
        values: Values::Named {
            per_view: instance.blocks_per_proposal,
        },
        follows: true,
    }
}

impl Built {
    /// The schedule a point of the program stands for. Certify the point first.
    pub fn decode(&self, point: &[i64]) -> Decoded {
        decode::decode(&self.slots, point)
    }

    /// The values a schedule gives to the columns, `None` for those that serve the goal only: a
    /// warm start, or the point of an execution.
    ///
    /// # Errors
    /// The first row of the schedule that has no column.
    pub fn encode(
        &self,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Vec<Option<i64>>, String> {
        encode::encode(&self.slots, schedule, faulty)
    }

    /// What the columns say in words of the protocol.
    pub fn meaning(&self) -> Meaning {
        let slots = &self.slots;
        let kind = slots.instance.faults.first().map(|fault| fault.kind);
        let faulty = kind.map_or_else(Vec::new, |kind| {
            let faulty = |i| Expression::new(format!("faulty_i{i}"), &slots.faulty(kind, i));
            (0..slots.n).map(faulty).collect()
        });
        let decided = (0..slots.heights)
            .flat_map(|h| (0..slots.views).map(move |v| (h, v)))
            .map(|(h, v)| {
                let all = (0..slots.n)
                    .map(|i| slots.decided_in(h, i, v, slots.horizon))
                    .sum();
                Expression::new(format!("decided_h{h}_v{v}"), &all)
            });
        Meaning {
            faulty,
            decided: decided.collect(),
            ..Meaning::default()
        }
    }

    /// The renaming of the columns in which two replicas change places.
    pub fn exchange(&self, first: u32, second: u32) -> Option<Vec<Col>> {
        let power = |i: u32| self.slots.instance.power_of(ReplicaId(i));
        let same = power(first) == power(second);
        let exchanged = || self.slots.draft.exchange(first, second);
        same.then(exchanged).flatten()
    }

    /// What a column stands for.
    pub fn key(&self, col: Col) -> &Key {
        self.slots.draft.key(col)
    }
}
