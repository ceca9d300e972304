//! What a program has beside the rows of its instance: in memory, and in the folder of a result.

use crate::{
    Error,
    best::shown::Shown,
    folder::{CUTS, Folder, SHOWN, is_there},
    learn::cuts::Cuts,
};
use std::path::Path;

/// What a program has beside the rows of its instance.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    /// Nothing.
    Nothing,
    /// What was learned from an engine.
    Learned(&'a Cuts),
    /// That the schedule differs from others that were shown before.
    Shown(&'a Shown),
}

impl<'a> Beside<'a> {
    /// What was learned, if anything was.
    pub fn learned(cuts: Option<&'a Cuts>) -> Self {
        cuts.map_or(Self::Nothing, Self::Learned)
    }

    /// Whether there is nothing.
    pub(crate) fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// What the sentence rests on besides the program of the instance.
    pub(crate) fn relative(self) -> String {
        match self {
            Self::Learned(cuts) if !cuts.is_empty() => format!(", {}", cuts.relative()),
            Self::Shown(shown) => shown.relative(),
            Self::Nothing | Self::Learned(_) => String::new(),
        }
    }
}

/// What lies in a folder about rows that are not the instance's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Further {
    /// What was learned from an engine.
    pub cuts: Option<Cuts>,
    /// What was shown before.
    pub shown: Option<Shown>,
}

impl Further {
    /// Reads the files of a folder that are there.
    ///
    /// # Errors
    ///
    /// With every problem of the first broken file, and when there are both.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let (cuts, shown) = (dir.join(CUTS), dir.join(SHOWN));
        let further = Self {
            cuts: is_there(&cuts).then(|| Cuts::read(&cuts)).transpose()?,
            shown: is_there(&shown).then(|| Shown::read(&shown)).transpose()?,
        };
        if further.cuts.is_some() && further.shown.is_some() {
            return Err(Error::Refused(format!(
                "{} has a {CUTS} and a {SHOWN}, and no result rests on both",
                dir.display()
            )));
        }
        Ok(further)
    }

    /// What the sentence rests on besides the program of the instance.
    pub fn relative(&self) -> String {
        self.beside().relative()
    }

    /// The same for a solve.
    pub fn beside(&self) -> Beside<'_> {
        match (&self.cuts, &self.shown) {
            (Some(cuts), _) => Beside::Learned(cuts),
            (None, Some(shown)) => Beside::Shown(shown),
            (None, None) => Beside::Nothing,
        }
    }
}

impl Folder {
    /// What the program has beside the rows of the instance.
    ///
    /// # Errors
    ///
    /// With every problem of the file.
    pub fn further(&self) -> Result<Further, Error> {
        Further::read(&self.dir)
    }
}
