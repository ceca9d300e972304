//! What a program has beside the rows of its instance: in memory, and in the folder of a result.

use crate::{
    Error,
    best::shown::Shown,
    folder::{CUTS, Folder, LEMMAS, SHOWN, is_there},
    learn::cuts::Cuts,
    lemmas::Lemmas,
};
use milp_schema::{Evidence, Outcome};
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
    /// Lemmas, which programs of their own prove.
    Lemmas(&'a Lemmas),
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
            Self::Nothing | Self::Learned(_) | Self::Lemmas(_) => String::new(),
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
    /// What programs of their own prove.
    pub lemmas: Option<Lemmas>,
}

impl Further {
    /// Reads the files of a folder that are there.
    ///
    /// # Errors
    ///
    /// With every problem of the first broken file, and when there are both.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let (cuts, shown, lemmas) = (dir.join(CUTS), dir.join(SHOWN), dir.join(LEMMAS));
        let further = Self {
            cuts: is_there(&cuts).then(|| Cuts::read(&cuts)).transpose()?,
            shown: is_there(&shown).then(|| Shown::read(&shown)).transpose()?,
            lemmas: is_there(&lemmas)
                .then(|| Lemmas::read(&lemmas))
                .transpose()?,
        };
        let files = further.files();
        if let [first, second, ..] = files[..] {
            return Err(Error::Refused(format!(
                "{} has a {first} and a {second}, and no result rests on both",
                dir.display()
            )));
        }
        Ok(further)
    }

    /// What the sentence rests on besides the program of the instance.
    pub fn relative(&self) -> String {
        self.beside().relative()
    }

    /// The names of the files that are there.
    pub(crate) fn files(&self) -> Vec<&'static str> {
        let cuts = self.cuts.as_ref().map(|_| CUTS);
        let shown = self.shown.as_ref().map(|_| SHOWN);
        let lemmas = self.lemmas.as_ref().map(|_| LEMMAS);
        [cuts, shown, lemmas].into_iter().flatten().collect()
    }

    /// What of lemmas is not as claimed, their certificates taken out of the result's.
    ///
    /// # Errors
    ///
    /// As for [`Lemmas::check`].
    pub(crate) fn check(
        &self,
        outcome: &Outcome,
        evidence: &mut Evidence,
    ) -> Result<Vec<String>, Error> {
        let lemmas = self.lemmas.as_ref();
        lemmas.map_or_else(|| Ok(Vec::new()), |it| it.check(outcome, evidence))
    }

    /// The same for a solve.
    pub fn beside(&self) -> Beside<'_> {
        match (&self.cuts, &self.shown, &self.lemmas) {
            (Some(cuts), ..) => Beside::Learned(cuts),
            (None, Some(shown), _) => Beside::Shown(shown),
            (None, None, Some(lemmas)) => Beside::Lemmas(lemmas),
            (None, None, None) => Beside::Nothing,
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
