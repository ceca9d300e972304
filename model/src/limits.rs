//! How large a program may become, and the way out when it becomes larger.
//!
//! An instance within the ranges of its file can still ask for more than any machine holds. Where
//! the number of columns is known beforehand it is counted first (`refuse`); otherwise building
//! ends at the first column, row or coefficient too many (`Tally`), deep inside of the loops of a
//! formulation, and unwinds to `within`.

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

impl Grows {
    /// The keys of the instance that make its program large, with their values.
    fn keys(self, instance: &Instance) -> Vec<(&'static str, u32)> {
        let counts = self != Self::WithViews;
        let keys = [
            ("replicas", instance.replicas, counts),
            ("views", instance.views, true),
            ("heights", instance.heights, counts),
            ("slots", instance.slots, self == Self::WithSlots),
            ("blocks_per_proposal", instance.blocks_per_proposal, true),
        ];
        let keys = keys.into_iter().filter(|(_, _, grows)| *grows);
        keys.map(|(key, value, _)| (key, value)).collect()
    }
}

impl TooMany {
    fn of(self, keys: &[(&str, u32)]) -> Error {
        let keys = keys.iter().filter(|(_, value)| *value > 1);
        let keys = keys.map(|(key, value)| format!("`{key}` ({value})"));
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
    Err(too_many.of(&Grows::WithSlots.keys(instance)))
}

/// Refuses a program of which it is known before it is built that it has at least so many rows.
pub(crate) fn refuse_rows(instance: &Instance, grows: Grows, least: u64) -> Result<(), Error> {
    let (what, most) = ("rows", ROWS);
    let too_many = TooMany { what, least, most };
    if least <= most {
        return Ok(());
    }
    Err(too_many.of(&grows.keys(instance)))
}

/// What `build` builds of the instance, or the refusal when it becomes too large.
pub(crate) fn within<T>(
    instance: &Instance,
    grows: Grows,
    build: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    bounded(&grows.keys(instance), build)?
}

/// What `build` builds, if it does not become too large; `keys` are those of its input, with their
/// values, that make it large.
///
/// # Errors
/// [`Error::TooLarge`] when it does.
pub fn bounded<T>(keys: &[(&str, u32)], build: impl FnOnce() -> T) -> Result<T, Error> {
    // What was under construction is gone with the unwinding.
    catch_unwind(AssertUnwindSafe(build)).map_err(|panic| match panic.downcast::<TooMany>() {
        Ok(too_many) => too_many.of(keys),
        Err(defect) => resume_unwind(defect),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        formulation::timed::{Key, Timed},
        protocols,
    };
    use milp_schema::instance::{Fault, FaultKind, Network};

    fn instance(replicas: u32) -> Instance {
        let asked = Instance::builder("dbft2").replicas(replicas).views(3);
        asked.slots(9).network(Network::Asynchronous).build()
    }

    fn words(grows: Grows, add: impl FnOnce(&mut Tally)) -> String {
        let built = within(&instance(7), grows, || {
            add(&mut Tally::default());
            Ok(())
        });
        built.map_or_else(|error| error.to_string(), |()| "built".to_owned())
    }

    #[test]
    fn as_much_as_the_limit_is_built_and_one_more_is_refused_with_the_keys_to_lower() {
        let columns = |count| move |tally: &mut Tally| (0..count).for_each(|_| tally.column());
        assert_eq!(words(Grows::WithSlots, columns(COLUMNS)), "built");
        assert_eq!(
            words(Grows::WithSlots, columns(COLUMNS + 1)),
            "its program has 1000001 columns or more, and 1000000 are the most that are built: \
             lower `replicas` (7), `views` (3), `slots` (9)"
        );
        let rows = |tally: &mut Tally| (0..=ROWS).for_each(|_| tally.row(1));
        let words_of_rows = words(Grows::WithoutSlots, rows);
        assert!(words_of_rows.contains("5000001 rows"), "{words_of_rows}");
        assert!(words_of_rows.ends_with("lower `replicas` (7), `views` (3)"));
        let terms = |tally: &mut Tally| tally.row(NONZEROS as usize + 1);
        let words_of_terms = words(Grows::WithViews, terms);
        assert!(
            words_of_terms.contains("50000001 nonzeros"),
            "{words_of_terms}"
        );
        assert!(words_of_terms.ends_with("lower `views` (3)"));
    }

    #[test]
    #[should_panic(expected = "a defect")]
    fn another_panic_goes_on() {
        let _ = within(&instance(4), Grows::WithViews, || -> Result<(), Error> {
            panic!("a defect")
        });
    }

    #[test]
    fn copies_are_counted_as_there_are_columns_for_them() {
        for name in ["dbft2", "dbft2-nspcc", "dbft2-tla"] {
            let (heights, blocks) = if name == "dbft2" { (2, 2) } else { (1, 1) };
            let instance = Instance::builder(name)
                .faults([Fault::any(FaultKind::Byzantine, 1)])
                .heights(heights)
                .blocks_per_proposal(blocks)
                .slots(7)
                .network(Network::Asynchronous)
                .build();
            let protocol = protocols::of(&instance).expect("a protocol");
            let timed = Timed::new(instance, protocol).expect("it is small");
            let copies = timed
                .draft
                .keys()
                .filter(|(key, _)| matches!(key, Key::Got(..)));
            assert_eq!(timed.copies(), copies.count() as u64, "{name}");
            assert_eq!(timed.copies() == 0, name == "dbft2-tla");
        }
    }
}
