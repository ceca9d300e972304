//! How large a program may become, and the way out when it becomes larger.
//!
//! An instance within the ranges of its file can still ask for more than any machine holds. Where
//! the number of columns is known beforehand it is counted first ([`refuse`]); otherwise building
//! ends at the first column, row or coefficient too many ([`Tally`]), deep inside of the loops of a
//! formulation, and unwinds to [`within`].

use crate::error::Error;
use milp_schema::Instance;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The most columns that are built: three times as many as in any program that is known to be solved.
pub const COLUMNS: u64 = 1_000_000;
/// The most rows.
pub const ROWS: u64 = 5_000_000;
/// The most coefficients that are not zero.
pub const NONZEROS: u64 = 50_000_000;

/// What there is too much of, and how much at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TooMany {
    what: &'static str,
    least: u64,
    most: u64,
}

/// What the size of a formulation's programs grows with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grows {
    /// With the slots, and with everything else.
    WithSlots,
    /// With everything but the slots.
    WithoutSlots,
    /// With the views and blocks alone.
    WithViews,
}

impl TooMany {
    fn of(self, instance: &Instance, grows: Grows) -> Error {
        let counts = grows != Grows::WithViews;
        let keys = [
            ("replicas", instance.replicas, counts),
            ("views", instance.views, true),
            ("heights", instance.heights, counts),
            ("slots", instance.slots, grows == Grows::WithSlots),
            ("blocks_per_proposal", instance.blocks_per_proposal, true),
        ];
        let keys = keys.iter().filter(|(_, value, grows)| *value > 1 && *grows);
        let keys = keys.map(|(key, value, _)| format!("`{key}` ({value})"));
        Error::TooLarge {
            what: self.what,
            least: self.least,
            most: self.most,
            lower: keys.collect::<Vec<_>>().join(", "),
        }
    }
}

/// What a program under construction has so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    columns: u64,
    rows: u64,
    nonzeros: u64,
}

impl Tally {
    pub(crate) fn column(&mut self) {
        self.columns += 1;
        check("columns", self.columns, COLUMNS);
    }

    pub(crate) fn row(&mut self, terms: usize) {
        self.rows += 1;
        self.nonzeros += terms as u64;
        check("rows", self.rows, ROWS);
        check("nonzeros", self.nonzeros, NONZEROS);
    }
}

/// Unwinds, without a word, if there is too much.
fn check(what: &'static str, least: u64, most: u64) {
    if least > most {
        resume_unwind(Box::new(TooMany { what, least, most }));
    }
}

/// Refuses a program in slots of which it is known before it is built that it has at least so many columns.
pub(crate) fn refuse(instance: &Instance, columns: u64) -> Result<(), Error> {
    if columns <= COLUMNS {
        return Ok(());
    }
    let too_many = TooMany {
        what: "columns",
        least: columns,
        most: COLUMNS,
    };
    Err(too_many.of(instance, Grows::WithSlots))
}

/// What `build` builds of the instance, or the refusal when it becomes too large.
pub(crate) fn within<T>(
    instance: &Instance,
    grows: Grows,
    build: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    // What was under construction is gone with the unwinding.
    catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|panic| {
        match panic.downcast::<TooMany>() {
            Ok(too_many) => Err(too_many.of(instance, grows)),
            Err(defect) => resume_unwind(defect),
        }
    })
}
