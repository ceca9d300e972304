//! A schedule in the formats of other tools, one file each. The same schedule always gives the
//! same bytes.

mod chrome;
mod itf;
mod mermaid;
mod shiviz;
mod story;
mod tikz;
mod twins;

pub use itf::{Carried, read as read_itf};
pub(crate) use itf::{model_meta, read_model};
pub use twins::{Names, Skeleton, read as read_twins};

use crate::{Error, folder::Driven};
use story::Story;

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
pub fn export(driven: &Driven, format: Format) -> Result<Exported, Error> {
    let story = Story::of(driven);
    let text = match format {
        Format::Itf => itf::write(driven, &story),
        Format::Mermaid => mermaid::write(&story),
        Format::Shiviz => shiviz::write(&story),
        Format::Chrome => chrome::write(&story),
        Format::Tikz => tikz::write(&story),
        Format::Twins(names) => return twins::write(driven, &story, names),
    };
    Ok(Exported {
        text,
        lost: story::without_predictions(driven),
    })
}
