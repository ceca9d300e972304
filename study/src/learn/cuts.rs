//! Everything learned from one engine, as a file and as a program.

use super::cut::{Act, Cut};
use crate::Error;
use milp_model::formulation::timed::{self, Built, Permit};
use milp_schema::Instance;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, path::Path};

/// What [`Cuts::format`] says.
pub const FORMAT: &str = "milp-cuts/2.0";

/// Everything learned from one engine: `cuts.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cuts {
    /// [`FORMAT`].
    pub format: String,
    /// Which engine it was learned from, as a verdict names it.
    pub engine: String,
    /// What holds for all of them, for people.
    pub about: String,
    /// What the program solved last was told, in the order in which it was learned: cuts, and acts
    /// that the rules forbid.
    pub cuts: Vec<Cut>,
    /// What was learned after it was solved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<Cut>,
}

impl Cuts {
    /// None yet.
    pub fn of(engine: &str) -> Self {
        Self {
            format: FORMAT.to_owned(),
            engine: engine.to_owned(),
            about: "Every cut is meant for one replica, and for all that a renaming of the \
                    replicas which keeps the primaries of its views makes of it: the engine looks \
                    at indices relative to primaries only, recovery aside. Half of the tests ran \
                    under such a renaming. What the engine does (`does: true`) the rules forbid: \
                    it is allowed where a cut forbids."
                .to_owned(),
            cuts: Vec::new(),
            later: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it is none, or names a message that no cut can be about.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let refused = |why: String| Error::Refused(format!("{}: {why}", path.display()));
        let cuts = milp_schema::read::yaml::<Self>(path, "cuts")?;
        for (number, cut) in (1..).zip(cuts.cuts.iter().chain(&cuts.later)) {
            cut.check()
                .map_err(|why| refused(format!("cut {number} {why}")))?;
        }
        Ok(cuts)
    }

    /// The file's text.
    pub fn yaml(&self) -> String {
        milp_schema::write::yaml(self)
    }

    /// Whether a program with them is that of the instance.
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Whether they allow acts that the rules forbid.
    pub fn loosen(&self) -> bool {
        self.cuts.iter().any(|cut| cut.does)
    }

    /// How many there are: `3 cuts`, `3 cuts, with 2 acts the rules forbid`.
    pub fn counted(cuts: &[Cut]) -> String {
        let (cuts, acts) = count(cuts);
        let cuts = milp_show::words::count(cuts, "cut");
        if acts == 0 {
            return cuts;
        }
        format!(
            "{cuts}, with {} the rules forbid",
            milp_show::words::count(acts, "act")
        )
    }

    /// What rests on them, in words.
    pub fn relative(&self) -> String {
        let engine = &self.engine;
        let (cuts, acts) = count(&self.cuts);
        let said = |number, what| milp_show::words::count(number, what);
        match (cuts, acts) {
            (cuts, 0) => format!("relative to {} learned from {engine}", said(cuts, "cut")),
            (0, acts) => format!(
                "relative to {} the rules forbid, learned from {engine}",
                said(acts, "act")
            ),
            (cuts, acts) => format!(
                "relative to {} and {} the rules forbid, learned from {engine}",
                said(cuts, "cut"),
                said(acts, "act")
            ),
        }
    }

    /// The program of the instance with all of them.
    ///
    /// # Errors
    ///
    /// When the instance cannot be built.
    pub fn program(&self, instance: &Instance) -> Result<Built, Error> {
        let plain = timed::of(instance)?;
        let permits: Vec<Permit> = self
            .cuts
            .iter()
            .flat_map(|cut| cut.permits(&plain, instance))
            .collect();
        let mut built = if permits.is_empty() {
            plain
        } else {
            timed::with_permits(instance, &permits)?
        };
        let mut permit = 0;
        for (number, cut) in (1..).zip(&self.cuts) {
            permit = cut.add_to(&mut built, instance, number, permit);
        }
        Ok(built)
    }
}

/// How many of them take something out of the program, and how many acts are allowed.
fn count(cuts: &[Cut]) -> (i64, i64) {
    let excluding = cuts.iter().filter(|cut| cut.excludes()).count();
    let acts: BTreeSet<&Act> = cuts
        .iter()
        .filter(|cut| cut.does)
        .map(|cut| &cut.act)
        .collect();
    (excluding as i64, acts.len() as i64)
}
