//! A program in some formulation, and the way back from its points.

use crate::{
    decoded::Decoded,
    error::Error,
    every,
    formulation::{causal, counting, levels, slots, timed},
    meaning::Meaning,
    program::{Col, Program, Row},
};
use milp_schema::{
    ReplicaId, Schedule,
    instance::{FaultKind, Formulation},
};

/// The program of an instance and what its columns mean, one variant per formulation.
#[derive(Debug)]
pub enum Built {
    /// One binary per event, indices and slot.
    Timed(timed::Built),
    /// The same, from the rules of a protocol file.
    Slots(slots::Built),
    /// How many replicas do what in which view.
    Counting(counting::Built),
    /// The same, from the rules of a protocol file.
    Counts(every::Built),
    /// One level per act, no slots.
    Causal(causal::Built),
    /// No slots and no order: what is read is of a lower level.
    Levels(levels::Built),
}

impl Built {
    /// The program to solve.
    pub fn program(&self) -> &Program {
        match self {
            Self::Timed(built) => &built.program,
            Self::Slots(built) => &built.program,
            Self::Counting(built) => &built.program,
            Self::Counts(built) => &built.program,
            Self::Causal(built) => &built.program,
            Self::Levels(built) => &built.program,
        }
    }

    /// The program, for rows beside those of the instance.
    pub fn program_mut(&mut self) -> &mut Program {
        match self {
            Self::Timed(built) => &mut built.program,
            Self::Slots(built) => &mut built.program,
            Self::Counting(built) => &mut built.program,
            Self::Counts(built) => &mut built.program,
            Self::Causal(built) => &mut built.program,
            Self::Levels(built) => &mut built.program,
        }
    }

    /// The formulation.
    pub fn formulation(&self) -> Formulation {
        match self {
            Self::Timed(_) | Self::Slots(_) => Formulation::Timed,
            Self::Counting(_) | Self::Counts(_) => Formulation::Counting,
            Self::Causal(_) => Formulation::Causal,
            Self::Levels(_) => Formulation::Levels,
        }
    }

    /// Whether a schedule is made of an order of acts: then its replay says whether they do follow
    /// each other.
    pub fn orders_acts(&self) -> bool {
        matches!(self, Self::Causal(_) | Self::Levels(_) | Self::Counts(_))
    }

    /// How many values can be decided in the program, if more might be in the protocol: only an
    /// optimum of fewer says anything of that.
    pub fn values(&self) -> Option<u32> {
        match self {
            Self::Levels(built) => built.values(),
            Self::Counts(built) => built.values(),
            _ => None,
        }
    }

    /// The row that no honest replica names a value of the class of those without a number, if there is
    /// one: what a class says leaves open which of its values is meant, so that its points may be none
    /// of executions.
    pub fn without_class(&self) -> Option<Row> {
        match self {
            Self::Levels(built) => built.without_class(),
            _ => None,
        }
    }

    /// Whether the program has slots, so that its optimum may depend on how many.
    pub fn knows_slots(&self) -> bool {
        self.formulation().knows_slots()
    }

    /// The schedule a point of the program stands for. Certify the point first.
    ///
    /// # Errors
    /// [`Error::NoSchedule`] if a formulation without slots finds no order of events for the
    /// point; the point is then no execution, and its value is none that was reached.
    pub fn decode(&self, point: &[i64]) -> Result<Decoded, Error> {
        match self {
            Self::Timed(built) => Ok(built.decode(point)),
            Self::Slots(built) => Ok(built.decode(point)),
            Self::Counting(built) => built.decode(point),
            Self::Counts(built) => built.decode(point),
            Self::Causal(built) => built.decode(point),
            Self::Levels(built) => built.decode(point),
        }
    }

    /// The values a schedule gives to the columns, `None` for those that serve the goal only: a
    /// warm start.
    ///
    /// # Errors
    /// Why the schedule is no point: the first row of it that has no column, or that the
    /// formulation takes no schedules.
    pub fn encode(
        &self,
        schedule: &Schedule,
        faulty: &[(ReplicaId, FaultKind)],
    ) -> Result<Vec<Option<i64>>, String> {
        match self {
            Self::Timed(built) => built.encode(schedule, faulty),
            Self::Slots(built) => built.encode(schedule, faulty),
            Self::Counting(built) => built.encode(schedule, faulty),
            Self::Levels(built) => built.encode(schedule, faulty),
            Self::Causal(_) | Self::Counts(_) => Err(format!(
                "formulation `{}` takes no schedules, only the point of a result of the same \
                 program",
                self.formulation().name()
            )),
        }
    }

    /// The renaming of the columns in which two replicas change places; none where replicas have no
    /// names.
    pub fn exchange(&self, first: u32, second: u32) -> Option<Vec<Col>> {
        match self {
            Self::Timed(built) => built.exchange(first, second),
            Self::Slots(built) => built.exchange(first, second),
            Self::Counting(_) | Self::Counts(_) => None,
            Self::Causal(built) => built.exchange(first, second),
            Self::Levels(built) => built.exchange(first, second),
        }
    }

    /// Whether a column serves the goal only, so that nothing says whom it is about.
    pub fn is_of_goal(&self, col: Col) -> bool {
        match self {
            Self::Timed(built) => matches!(built.key(col), timed::Key::Goal(..)),
            Self::Slots(built) => matches!(built.key(col), slots::Key::Goal(..)),
            Self::Levels(built) => matches!(built.key(col), levels::Key::Goal(..)),
            Self::Counting(_) | Self::Counts(_) | Self::Causal(_) => false,
        }
    }

    /// What the columns say in words of the protocol: for cutting the program into cubes.
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Timed(built) => built.meaning(),
            Self::Slots(built) => built.meaning(),
            Self::Counting(built) => built.meaning(),
            Self::Counts(built) => built.meaning(),
            Self::Causal(built) => built.meaning(),
            Self::Levels(built) => built.meaning(),
        }
    }
}
