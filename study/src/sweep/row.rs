//! One combination and what became of it.

use crate::sentence;
use milp_schema::{Outcome, outcome::Termination, protocol::WRITTEN, read, sweep::Sweep, write};
use std::collections::BTreeSet;

/// The longest name of a combination, in characters.
const LONGEST: usize = 80;

/// One combination.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The name of its files.
    pub name: String,
    /// The value of each field, as YAML on one line.
    pub values: Vec<String>,
    /// The step of every axis.
    pub steps: Vec<usize>,
    /// The text of its instance file.
    pub text: String,
    /// The text of its protocol file, if that does not come with the program.
    pub protocol: Option<&'static str>,
    /// What became of it.
    pub state: State,
}

/// What became of a combination.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It was not solved yet.
    Missing,
    /// It is no instance that can be solved, and why.
    Invalid(String),
    /// The solve ended by itself, a limit included.
    Solved(Box<Outcome>),
    /// An interrupt ended the solve; incumbent and bound are kept.
    Interrupted(Box<Outcome>),
    /// The child ended otherwise, and how.
    Failed(String),
}

impl State {
    /// The state in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid(_) => "invalid",
            Self::Solved(_) => "solved",
            Self::Interrupted(_) => "interrupted",
            Self::Failed(_) => "failed",
        }
    }

    /// What was found, if anything was.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Solved(outcome) | Self::Interrupted(outcome) => Some(outcome),
            Self::Missing | Self::Invalid(_) | Self::Failed(_) => None,
        }
    }

    /// Whether the same solve once more would end the same, time and memory aside: a failure may
    /// have been the machine's.
    pub(crate) fn stays(&self) -> bool {
        matches!(self, Self::Solved(_) | Self::Invalid(_))
    }

    /// Whether nothing is left to be learned: solved and proved, or no instance.
    pub fn settled(&self) -> bool {
        match self {
            Self::Solved(outcome) => outcome.proved,
            Self::Invalid(_) => true,
            Self::Missing | Self::Interrupted(_) | Self::Failed(_) => false,
        }
    }
}

impl Row {
    /// The instance file, below the folder of the sweep.
    pub fn instance_file(&self) -> String {
        format!("instances/{}.yaml", self.name)
    }

    /// Its protocol file, if it has one, below the folder of the sweep.
    pub fn protocol_file(&self) -> String {
        format!("instances/{}.{WRITTEN}", self.name)
    }

    /// What the row is about: its files as one text.
    pub(crate) fn question(&self) -> String {
        self.text.clone() + self.protocol.unwrap_or_default()
    }

    /// The folder of the result, below the folder of the sweep.
    pub fn folder(&self) -> String {
        format!("results/{}", self.name)
    }

    /// The cells after the values of the fields; `seconds` are the only ones that two runs of the
    /// same solves do not have in common.
    pub(crate) fn cells(&self, seconds: bool) -> Vec<String> {
        let mut cells = vec![self.state.name().to_owned()];
        let outcome = self.state.outcome();
        let of = |cell: &dyn Fn(&Outcome) -> String| outcome.map_or_else(String::new, cell);
        let plain = |outcome: &Outcome, value: Option<i64>| {
            value.map_or_else(String::new, |value| {
                sentence::plain(&outcome.instance, value)
            })
        };
        let yes = |outcome: &Outcome| if outcome.proved { "yes" } else { "no" }.to_owned();
        let ended = |outcome: &Outcome| sentence::termination(outcome.termination).to_owned();
        cells.extend([
            of(&|outcome| plain(outcome, outcome.primal)),
            of(&|outcome| plain(outcome, bound(outcome))),
            of(&yes),
            of(&ended),
            of(&|outcome| outcome.formulation.clone()),
            of(&|outcome| outcome.nodes.to_string()),
        ]);
        if seconds {
            cells.push(of(&|outcome| format!("{:.2}", outcome.seconds)));
        }
        cells.push(of(&|_| self.folder()));
        cells.push(match &self.state {
            State::Invalid(reason) | State::Failed(reason) => reason.clone(),
            _ => String::new(),
        });
        cells
    }
}

/// The bound as an integer, if there is one.
pub(crate) fn bound(outcome: &Outcome) -> Option<i64> {
    if outcome.termination == Termination::Infeasible {
        return None;
    }
    let dual = outcome.dual.filter(|dual| dual.is_finite());
    dual.map(|dual| sentence::grid(outcome.instance.goal, dual))
}

/// The names of the cells after the values of the fields.
pub(crate) fn header(seconds: bool) -> Vec<String> {
    let names = [
        "state",
        "value",
        "bound",
        "proved",
        "termination",
        "formulation",
        "nodes",
        "seconds",
        "folder",
        "reason",
    ];
    let shown = names
        .into_iter()
        .filter(|name| seconds || *name != "seconds");
    shown.map(str::to_owned).collect()
}

/// Every combination in order, judged.
pub(crate) fn all(sweep: &Sweep) -> Vec<Row> {
    let fields = sweep.fields();
    let mut taken = BTreeSet::new();
    let rows = 0..sweep.len();
    rows.map(|at| {
        let combination = sweep.combination(at);
        let name = name(&fields, &combination.values, &mut taken);
        let file = format!("instances/{name}.yaml");
        let near = read::Near::Folder(&sweep.folder);
        let (text, protocol, state) = match read::instance_near(&file, &combination.text, near) {
            Ok(instance) => {
                let text = write::instance_yaml(&instance);
                let written = format!("protocol: {}\n", instance.protocol.reference());
                let protocol = instance.protocol.given();
                let text = protocol.map_or(text.clone(), |_| {
                    let beside = format!("protocol: ./{name}.{WRITTEN}\n");
                    text.replacen(&written, &beside, 1)
                });
                (text, protocol, State::Missing)
            }
            // The places are those in the file as it is written.
            Err(error) => (combination.text, None, State::Invalid(reason(&error))),
        };
        Row {
            name,
            values: combination.values,
            steps: sweep.steps(at),
            text,
            protocol,
            state,
        }
    })
    .collect()
}

/// What is wrong, on one line.
fn reason(error: &read::ReadError) -> String {
    let problems = error.problems.iter().map(|problem| {
        let (file, line, column) = (&problem.file, problem.line, problem.column);
        format!("{file}:{line}:{column}: {}", problem.what)
    });
    problems.collect::<Vec<_>>().join("; ")
}

/// A name for files: the last part of each field and its value, say `n4-views2`. It does not
/// depend on the other values of the sweep, so what was solved is found again when there are more.
fn name(fields: &[&str], values: &[String], taken: &mut BTreeSet<String>) -> String {
    let parts = fields.iter().zip(values).map(|(field, value)| {
        let field = field.rsplit('.').next().unwrap_or(field);
        let plain = value.chars().map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '_' => c,
            _ => ' ',
        });
        let plain = plain.collect::<String>();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join("-");
        match plain.chars().next() {
            Some(c) if c.is_ascii_digit() => format!("{field}{plain}"),
            Some(_) => format!("{field}-{plain}"),
            None => format!("{field}-none"),
        }
    });
    let mut name = parts.collect::<Vec<_>>().join("-");
    if name.len() > LONGEST || !taken.insert(name.to_lowercase()) {
        let digest = write::sha256_hex(values.join("\n").as_bytes());
        name = format!("{:.60}-{}", name, &digest[..12]);
        taken.insert(name.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_distinct() {
        let mut taken = BTreeSet::new();
        let mut name = |fields: &[&str], values: &[&str]| {
            let values = values.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
            name(fields, &values, &mut taken)
        };
        assert_eq!(name(&["n", "network.bounded.gst"], &["4", "0"]), "n4-gst0");
        assert_eq!(
            name(&["timeouts", "block_time"], &["free", "~"]),
            "timeouts-free-block_time-none"
        );
        let first = name(&["goal"], &["{weighted: {sense: maximize, views: -1}}"]);
        let second = name(&["goal"], &["{weighted: {sense: maximize, views: 1}}"]);
        assert_eq!(first, "goal-weighted-sense-maximize-views-1");
        assert!(
            second.starts_with("goal-weighted-sense-maximize-views-1-"),
            "{second}"
        );
        let long = name(&["rules"], &["x".repeat(300).as_str()]);
        assert!(long.len() <= LONGEST, "{long}");
    }
}
