//! What the adversary's effort is measured in.

use crate::Error;
use milp_schema::{
    Act, Choice, Instance, ReplicaId, Schedule,
    instance::{Fault, FaultKind, Formulation, Who},
    schedule::{Event, Prediction},
    vocabulary::Role,
};
use milp_show::acts;
use std::{fmt, str::FromStr};

/// A measure of effort that an instance can limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Copies of honest messages that are late or not within the horizon.
    Late,
    /// Honest requests to leave a view.
    Timers,
    /// Timers that fire, where nobody asks to leave a view.
    Firings,
    /// Copies made by Byzantine replicas.
    Injects,
    /// Faulty replicas of the only kind the instance has.
    Faulty,
    /// Faulty replicas of a kind.
    Of(FaultKind),
}

/// The measures by name.
pub const EFFORTS: [(&str, Effort); 7] = [
    ("late", Effort::Late),
    ("timeouts", Effort::Timers),
    ("injects", Effort::Injects),
    ("f", Effort::Faulty),
    ("byzantine", Effort::Of(FaultKind::Byzantine)),
    ("crash", Effort::Of(FaultKind::Crash)),
    ("network", Effort::Of(FaultKind::Network)),
];

impl FromStr for Effort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = EFFORTS.iter().find(|(name, _)| *name == text);
        known.map(|(_, effort)| *effort).ok_or_else(|| {
            let names = EFFORTS.iter().map(|(name, _)| *name);
            format!("expected one of {}", names.collect::<Vec<_>>().join(", "))
        })
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = match self {
            Self::Firings => &Self::Timers,
            named => named,
        };
        let known = EFFORTS.iter().find(|(_, effort)| effort == named);
        out.write_str(known.map_or("", |(name, _)| name))
    }
}

impl Effort {
    /// The kind of fault that is meant in place of `f`, and what views are left by.
    ///
    /// # Errors
    ///
    /// When the instance has no such faults, several kinds of them, or says who is faulty.
    pub(crate) fn of(self, instance: &Instance) -> Result<Self, Error> {
        let refused = |why: String| Err(Error::Refused(why));
        let kind = match (self, instance.faults.as_slice()) {
            (Self::Of(kind), _) => kind,
            (Self::Faulty, [fault]) => fault.kind,
            (Self::Faulty, []) => {
                return refused("the instance has no faults whose number could be limited".into());
            }
            (Self::Faulty, _) => {
                return refused(
                    "the instance has several kinds of faults: say which is limited, byzantine, \
                     crash or network"
                        .into(),
                );
            }
            (Self::Timers, _) if !asks(instance) => return Ok(Self::Firings),
            _ => return Ok(self),
        };
        let effort = Self::Of(kind);
        let fault = instance.faults.iter().find(|fault| fault.kind == kind);
        match fault.map(|fault| &fault.who) {
            Some(Who::Any(_)) => Ok(effort),
            Some(Who::These(_) | Who::Power(_)) => refused(format!(
                "the instance does not count who has the fault {effort}: give `count`"
            )),
            None => refused(format!("the instance has no fault of kind {effort}")),
        }
    }

    /// The limit that the instance has itself.
    pub(crate) fn own_limit(self, instance: &Instance) -> Option<u32> {
        match self {
            Self::Late => instance.budget.late,
            Self::Timers | Self::Firings => instance.budget.timeouts,
            Self::Injects => instance.budget.injects,
            Self::Of(kind) => Some(instance.fault_count(kind)),
            Self::Faulty => None,
        }
    }

    /// The instance with at most `most` of it.
    pub(crate) fn limited(self, instance: &Instance, most: u32) -> Instance {
        let mut limited = instance.clone();
        match self {
            Self::Late => limited.budget.late = Some(most),
            Self::Timers | Self::Firings => limited.budget.timeouts = Some(most),
            Self::Injects => limited.budget.injects = Some(most),
            Self::Of(kind) => {
                limited.faults.retain(|fault| fault.kind != kind);
                if most > 0 {
                    let who = Who::Any(most);
                    limited.faults.push(Fault { kind, who });
                }
            }
            Self::Faulty => {}
        }
        limited
    }

    /// How much of it a schedule has, read off its rows: the program is not asked.
    pub(crate) fn used(
        self,
        instance: &Instance,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> u32 {
        let counts = || acts::counts(instance, schedule, faulty);
        let number = match self {
            Self::Late => counts()[&Act::Late] as usize,
            Self::Injects => counts()[&Act::Made] as usize,
            Self::Timers => {
                let leaves = |prediction: &&Prediction| {
                    matches!(&prediction.event, Event::Send(message)
                        if message.kind.is(Role::Leave))
                };
                schedule.predictions.iter().filter(leaves).count()
            }
            Self::Firings => {
                let fires = |choice: &&Choice| matches!(choice, Choice::Timeout { .. });
                schedule.choices.iter().filter(fires).count()
            }
            Self::Of(kind) => faulty.iter().filter(|(_, other)| *other == kind).count(),
            Self::Faulty => faulty.len(),
        };
        number as u32
    }

    /// One unit of it, in words.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Late => "late or missing message",
            Self::Timers => "request to leave a view",
            Self::Firings => "timer that fires",
            Self::Injects => "Byzantine message",
            Self::Faulty => "faulty replica",
            Self::Of(FaultKind::Byzantine) => "Byzantine replica",
            Self::Of(FaultKind::Crash) => "crashing replica",
            Self::Of(FaultKind::Network) => "replica with network faults",
        }
    }

    /// Several units of it, in words.
    pub fn units(self) -> &'static str {
        match self {
            Self::Late => "late or missing messages",
            Self::Timers => "requests to leave a view",
            Self::Firings => "timers that fire",
            Self::Injects => "Byzantine messages",
            Self::Faulty => "faulty replicas",
            Self::Of(FaultKind::Byzantine) => "Byzantine replicas",
            Self::Of(FaultKind::Crash) => "crashing replicas",
            Self::Of(FaultKind::Network) => "replicas with network faults",
        }
    }

    /// So many of it, in words.
    pub fn words(self, number: u32) -> String {
        match number {
            1 => format!("1 {}", self.unit()),
            _ => format!("{number} {}", self.units()),
        }
    }
}

/// Whether somebody asks to leave a view.
fn asks(instance: &Instance) -> bool {
    instance.protocol.kinds().any(|kind| kind.is(Role::Leave))
}

/// The formulation for all solves, so that values are of one program but for the limit: the
/// instance's own, or the one that `auto` takes both with the strictest limit and without any.
pub(crate) fn formulation(instance: &Instance, effort: Effort) -> Result<Formulation, Error> {
    let of = |instance: &Instance| -> Result<Formulation, Error> {
        Ok(milp_model::build(instance)?.formulation())
    };
    // A formulation that knows no such limit says so before anything is solved.
    let strict = of(&effort.limited(instance, 0))?;
    if instance.formulation != Formulation::Auto {
        return Ok(instance.formulation);
    }
    let free = of(instance)?;
    Ok(if strict == free {
        free
    } else {
        Formulation::Timed
    })
}
