//! Lemmas of a question: found, each with the certificate of a program of its own, written, and derived
//! again (`docs/CERTIFICATES.md`).

use crate::{Error, clock::Clock, evidence, folder::LEMMAS};
use milp_model::{
    formulation::levels::{Built, Question},
    ground::Lemma,
    program::Program,
};
use milp_schema::{
    Evidence, Instance, Outcome, ReplicaId, certificate::Part, instance::Formulation,
    outcome::ProgramDigest, read, write,
};
use milp_solver::{
    Progress, Settings,
    close::{self, Attempt, Relaxation},
    cubes,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// From so many views on lemmas are looked for: in fewer the search is short without.
const FROM_VIEWS: u32 = 5;

/// What two quorums that are not there together sum up to, and what is decided of a question that has
/// no fork.
const ONE: i64 = 1;

/// The key under which `run:` has the number of lemmas that a program has.
pub(crate) const BY: &str = "lemmas";

/// What a file of lemmas is written as.
const FORMAT: &str = "milp-lemmas/2.0";

/// `lemmas.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    format: String,
    protocol: String,
    protocol_sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mutant: Option<String>,
    power: Vec<u32>,
    /// The most power that is Byzantine.
    byzantine: u32,
    lemmas: Vec<Stated>,
}

/// A lemma.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    /// What is not there together, in words.
    never: String,
    /// The numbers of the two quorums in the question.
    quorums: Lemma,
    /// How many views the program has that proves it.
    views: u32,
    /// The lemmas that it has as rows, by their numbers from 1 on.
    uses: Vec<usize>,
    program: ProgramDigest,
}

/// The lemmas that a program has as rows, with what proves them.
#[derive(Debug, Clone, PartialEq)]
pub struct Lemmas {
    pairs: Vec<Lemma>,
    /// Their file.
    text: String,
    /// A tree each; nothing where they were read.
    pub(crate) parts: Vec<Part>,
}

impl Lemmas {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.pairs.len()
    }

    /// Their file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The lemmas by which a question is closed, all of them at the root; nothing where one of those that may
    /// be is not, or the question is not.
    ///
    /// # Errors
    ///
    /// When a program is none, or the solver breaks down.
    pub(crate) fn find(
        instance: &Instance,
        (clock, settings): (&Clock<'_>, &Settings),
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<Self>, Error> {
        if instance.views < FROM_VIEWS {
            return Ok(None);
        }
        let Some(question) = Question::of(instance)? else {
            return Ok(None);
        };
        let mut closed = |program: &Program| {
            let settings = clock.settings(settings);
            let attempt = Attempt {
                program,
                value: ONE,
                settings: &settings,
                interrupt: clock.interrupt,
            };
            let relaxed = close::by_multipliers(attempt, &[], progress)?;
            let Relaxation::Closed(multipliers) = relaxed else {
                return Ok(None);
            };
            let names = program.rows.iter().map(|row| row.name.as_str());
            Ok::<_, Error>(Some(evidence::bound(names, &multipliers)))
        };
        let (mut pairs, mut stated, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for pair in question.pairs() {
            let Some((built, said)) = state(&question, &pairs, pair)? else {
                return Ok(None);
            };
            let Some(part) = closed(&built.program)? else {
                return Ok(None);
            };
            pairs.push(pair);
            stated.push(said);
            parts.push(part);
        }
        let whole = question.with(&pairs)?;
        if pairs.is_empty() || closed(&whole.program)?.is_none() {
            return Ok(None);
        }
        let text = write::yaml(&Said::of(instance, &question, stated));
        Ok(Some(Self { pairs, text, parts }))
    }

    /// Reads their file.
    ///
    /// # Errors
    ///
    /// When it is broken.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let said: Said = read::yaml(path, "lemmas")?;
        Ok(Self {
            pairs: said.lemmas.iter().map(|it| it.quorums).collect(),
            text: read::text(path)?,
            parts: Vec::new(),
        })
    }

    /// The program of a question with them as rows.
    ///
    /// # Errors
    ///
    /// When the question has no lemmas.
    pub(crate) fn program(&self, instance: &Instance) -> Result<Built, Error> {
        let question = Question::of(instance)?.ok_or_else(none)?;
        Ok(question.with(&self.pairs)?)
    }

    /// Takes their certificates out of a result's, and says what is not as claimed: every program is made
    /// again, its certificate checked in exact integers, and the file compared with what follows.
    ///
    /// # Errors
    ///
    /// When the question has no lemmas.
    pub(crate) fn check(
        &self,
        Outcome {
            instance,
            formulation,
            ..
        }: &Outcome,
        evidence: &mut Evidence,
    ) -> Result<Vec<String>, Error> {
        let question = Question::of(instance)?.ok_or_else(none)?;
        let known = question.pairs();
        let (mut stated, mut differences) = (Vec::new(), Vec::new());
        if formulation != Formulation::Levels.name() {
            differences.push("formulation: lemmas are of another one".to_owned());
        }
        for (at, pair) in self.pairs.iter().enumerate() {
            let number = at + 1;
            let found = match state(&question, &self.pairs[..at], *pair)? {
                Some(found) if known.contains(pair) => found,
                _ => {
                    differences.push(format!("lemma {number}: it is of other quorums"));
                    break;
                }
            };
            let tree = first_tree(evidence);
            let none = |_, _| None;
            let program = &found.0.program;
            match cubes::check(program, &found.0.meaning(), &none, ONE, &tree) {
                Ok(closed) if closed.searched.is_empty() => {}
                Ok(_) => differences.push(format!("lemma {number}: searches are no proof")),
                Err(why) => differences.push(format!("lemma {number}: {why}")),
            }
            stated.push(found.1);
        }
        if differences.is_empty()
            && write::yaml(&Said::of(instance, &question, stated)) != self.text
        {
            differences.push(format!(
                "{LEMMAS}: what follows from its quorums is another"
            ));
        }
        Ok(differences)
    }
}

impl Said {
    fn of(instance: &Instance, question: &Question, lemmas: Vec<Stated>) -> Self {
        let protocol = instance.protocol;
        let power = |i| instance.power_of(ReplicaId(i));
        Self {
            format: FORMAT.to_owned(),
            protocol: protocol.name.clone(),
            protocol_sha256: protocol
                .definition()
                .map_or_else(String::new, milp_schema::protocol::Definition::digest),
            mutant: instance.mutant.clone(),
            power: (0..instance.replicas).map(power).collect(),
            byzantine: question.byzantine(),
            lemmas,
        }
    }
}

fn none() -> Error {
    Error::Refused(format!("there is a {LEMMAS}, and lemmas do not hold here"))
}

/// A lemma's program and what is said of it, with those before it as rows that begin with the same quorum.
fn state(
    question: &Question,
    earlier: &[Lemma],
    pair: Lemma,
) -> Result<Option<(Built, Stated)>, Error> {
    let used = earlier.iter().zip(1..).filter(|(it, _)| it[0] == pair[0]);
    let (rows, uses): (Vec<Lemma>, Vec<usize>) = used.map(|(it, number)| (*it, number)).unzip();
    let Some(built) = question.lemma(&rows, pair)? else {
        return Ok(None);
    };
    let stated = Stated {
        never: question.words(pair),
        quorums: pair,
        views: question.views(pair),
        uses,
        program: evidence::digest(&built.program),
    };
    Ok(Some((built, stated)))
}

/// Takes the first tree of cubes out.
fn first_tree(evidence: &mut Evidence) -> Vec<Part> {
    let is_point = |part: &Part| matches!(part, Part::Point { .. });
    let start = evidence.parts.iter().take_while(|it| is_point(it)).count();
    let mut open = 1;
    let tree = evidence.parts[start..].iter().take_while(|part| {
        let more = open > 0;
        open = match part {
            Part::Split { .. } => open + 1,
            _ => open.max(1) - 1,
        };
        more
    });
    let end = start + tree.count();
    evidence.parts.drain(start..end).collect()
}
