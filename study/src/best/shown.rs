//! What was shown before, as rows that exclude it and every renaming of it, and as a file.

use super::look::{Look, MOST_IMAGES, Seen};
use crate::Error;
use milp_model::{
    Built,
    expr::Expr,
    formulation::projection::Projection,
    program::{Family, Tag},
};
use milp_schema::Instance;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What [`Shown::format`] says.
pub const FORMAT: &str = "milp-shown/2.0";

/// All projections by their names.
pub const PROJECTIONS: [(Projection, &str); 3] = [
    (Projection::Committed, "committed"),
    (Projection::Quorums, "quorums"),
    (Projection::Schedule, "schedule"),
];

/// The schedules that a result leaves aside: `shown.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// [`FORMAT`].
    pub format: String,
    /// The name of the projection that tells schedules apart.
    pub distinct: String,
    /// What the names below are, for people.
    pub about: String,
    /// Of every schedule what the projection sees, in the names of lines; of all its renamings the
    /// smallest.
    pub schedules: Vec<Vec<String>>,
}

/// The name of a projection.
pub fn name(projection: Projection) -> &'static str {
    let known = PROJECTIONS.iter().find(|(known, _)| *known == projection);
    known.map_or("", |(_, name)| name)
}

/// The projection of that name.
///
/// # Errors
///
/// The names that there are.
pub fn projection(text: &str) -> Result<Projection, String> {
    let known = PROJECTIONS.iter().find(|(_, name)| *name == text);
    let known = known.map(|(projection, _)| *projection);
    known.ok_or_else(|| "expected committed, quorums or schedule".to_owned())
}

impl Shown {
    /// Nothing yet.
    pub fn by(projection: Projection) -> Self {
        Self {
            format: FORMAT.to_owned(),
            distinct: name(projection).to_owned(),
            about: "What each schedule left aside looks like: the lines of the projection that \
                    are true of it. Renamings of it by interchangeable replicas are left aside too."
                .to_owned(),
            schedules: Vec::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = milp_schema::read::yaml::<Self>(path, "shown")?;
        projection(&shown.distinct)
            .map_err(|why| Error::Refused(format!("{}: distinct: {why}", path.display())))?;
        Ok(shown)
    }

    /// The file's text.
    pub fn yaml(&self) -> String {
        milp_schema::write::yaml(self)
    }

    /// The projection.
    pub fn projection(&self) -> Projection {
        projection(&self.distinct).unwrap_or(Projection::Schedule)
    }

    /// The program of an instance without these schedules and their renamings.
    ///
    /// # Errors
    ///
    /// When formulation `timed` cannot build the instance, or a name is none of its lines.
    pub fn program(&self, instance: &Instance) -> Result<Built, Error> {
        let mut look = Look::of(instance, self.projection())?;
        for (number, names) in (1..).zip(&self.schedules) {
            let seen = look.named(names).map_err(|name| {
                Error::Refused(format!(
                    "shown.yaml: schedule {number}: {name} is nothing that projection {} sees of \
                     this instance",
                    self.distinct
                ))
            })?;
            exclude(&mut look, number, &seen)?;
        }
        Ok(look.built)
    }

    /// What the sentence of a result adds.
    pub fn relative(&self) -> String {
        if self.schedules.is_empty() {
            return String::new();
        }
        let others = milp_show::words::count(self.schedules.len() as i64, "other");
        format!(
            ", among schedules that differ from {others} in {}",
            words(self.projection())
        )
    }
}

/// What a projection tells apart, in words.
pub fn words(projection: Projection) -> &'static str {
    match projection {
        Projection::Committed => "who committed where",
        Projection::Quorums => "whose messages made which quorum",
        Projection::Schedule => "anything at all",
    }
}

/// One row for every renaming: something is otherwise, `1 ≤ Σ_lines differs`.
fn exclude(look: &mut Look, number: usize, seen: &Seen) -> Result<(), Error> {
    let orbit = look.orbit(seen).ok_or_else(|| too_many(look))?;
    let family = look.built.program_mut().add_family(Family::new(
        &format!("shown_{number}"),
        "shown.yaml",
        Tag::Budget,
    ));
    for (image, seen) in orbit.iter().enumerate() {
        let differs = look.differs_from(seen);
        look.built
            .program_mut()
            .add_at_most(family, &format!("_r{image}"), Expr::from(1), differs);
    }
    Ok(())
}

/// A schedule has too many renamings to exclude each.
pub(super) fn too_many(look: &Look) -> Error {
    Error::Refused(format!(
        "a schedule has more than {MOST_IMAGES} renamings, too many to exclude one by one ({})",
        look.group()
    ))
}
