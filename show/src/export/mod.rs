//! A schedule in the formats of other tools, one file each. The same schedule always gives the
//! same bytes.

mod chrome;
mod itf;
mod mermaid;
mod shiviz;
mod story;
mod tikz;
mod twins;

pub use itf::{model_meta, read as read_itf, read_model};
pub use twins::{Names, Skeleton, read as read_twins};

use crate::Error;
use milp_schema::{Instance, ReplicaId, Schedule, instance::FaultKind};
use story::Story;

/// A schedule as an exporter takes it, and as a file that was written here gives it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// What the schedule is for.
    pub instance: Instance,
    /// Who is faulty, and how.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// The choices and predictions.
    pub schedule: Schedule,
    /// Whether there were predictions.
    pub predicted: bool,
}

/// A format for schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The Informal Trace Format of Apalache and Quint.
    Itf,
    /// A sequence diagram for Mermaid.
    Mermaid,
    /// A log with vector clocks for `ShiViz`.
    Shiviz,
    /// Trace events as Chrome and Perfetto read them.
    Chrome,
    /// A picture for LaTeX.
    Tikz,
    /// A scenario of partitions for Twins, its nodes named so.
    Twins(Names),
}

/// A text in a format, and what of the schedule it does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The text, which ends with a line end.
    pub text: String,
    /// What is lost, one sentence each; empty where nothing is.
    pub lost: Vec<String>,
}

/// The schedule in a format. What replicas do is what the predictions say; without predictions it
/// is as much of it as the choices imply.
///
/// # Errors
///
/// When the format cannot say anything of such a schedule.
pub fn export(carried: &Carried, format: Format) -> Result<Exported, Error> {
    let story = Story::of(carried);
    let text = match format {
        Format::Itf => itf::write(carried, &story),
        Format::Mermaid => mermaid::write(&story),
        Format::Shiviz => shiviz::write(&story),
        Format::Chrome => chrome::write(&story),
        Format::Tikz => tikz::write(&story),
        Format::Twins(names) => return twins::write(carried, &story, names),
    };
    Ok(Exported {
        text,
        lost: story::without_predictions(carried),
    })
}
