//! What a check found, and its words.

use milp_schema::{Outcome, outcome::Termination, protocol::WRITTEN};

/// What the bound of a result rests on once it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// It follows in exact integers.
    Exact,
    /// It follows in exact integers but for so many searches, which were done again and found
    /// nothing.
    SearchedAgain(usize),
    /// It is the word of so many pairs of searches, which were not done again.
    Searches(usize),
    /// It is the solver's word, or there is none.
    Word,
}

/// What became of what the outcome says of a longer horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// It says nothing of one.
    Unclaimed,
    /// It follows from the timers, or from what the replicas go on to do.
    Derived,
    /// It was solved again, and it is so.
    Again,
    /// It was not solved again, or a limit came first.
    Word,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The outcome that was checked.
    pub outcome: Outcome,
    /// What it says and what is not so, one sentence each; empty if all of it is.
    pub differences: Vec<String>,
    /// The value of the incumbent, evaluated here.
    pub value: Option<i64>,
    /// What the bound rests on; means nothing if there are differences.
    pub bound: Bound,
    /// What the word about a longer horizon rests on.
    pub horizon: Horizon,
    /// Cubes closed exactly and by symmetry.
    pub cubes: (u32, u32),
    /// What was learned from an engine and is believed, in words.
    pub believed: Option<String>,
    /// Whether own replicas were driven with the schedule: not where it may have acts that the
    /// rules forbid, which only the engine does.
    pub driven: bool,
    /// Among which schedules, if not all of the instance: nothing is believed here, the rows that
    /// leave others aside were made again.
    pub among: String,
}

impl Verified {
    /// The check in one sentence.
    pub fn words(&self) -> String {
        if !self.differences.is_empty() {
            return format!(
                "rejected: {} differ",
                milp_show::words::count(self.differences.len() as i64, "claim")
            )
            .replace("claim differ", "claim differs");
        }
        let incumbent = match self.value {
            Some(_) => "incumbent",
            None => "program",
        };
        let words = match &self.bound {
            Bound::Exact => format!("verified: {incumbent} and bound, in exact integers"),
            Bound::SearchedAgain(searches) => format!(
                "verified: {incumbent}; bound by {} done again, which found nothing better",
                count_searches(*searches)
            ),
            Bound::Searches(1) => {
                format!("verified: {incumbent}; bound is two searches' word, not checked")
            }
            Bound::Searches(cubes) => format!(
                "verified: {incumbent}; in {cubes} cubes the bound is two searches' word, not \
                 checked"
            ),
            Bound::Word => match self.outcome.termination {
                Termination::Undecided => "verified: nothing was claimed".to_owned(),
                Termination::Infeasible => format!(
                    "verified: {incumbent}; that it is infeasible is the solver's word, not checked"
                ),
                _ => format!("verified: {incumbent}; bound is the solver's word, not checked"),
            },
        };
        let words = match &self.believed {
            Some(relative) if self.driven => format!("{words}, {relative}, which are believed"),
            Some(relative) => format!(
                "{words}, {relative}, which are believed: own replicas, which do not act like \
                 that, were not driven"
            ),
            None => words + &self.among,
        };
        let words = words + &self.untold();
        match self.horizon {
            Horizon::Unclaimed | Horizon::Derived => words,
            Horizon::Again => words + "; the horizon by a solve done again, which says the same",
            Horizon::Word => words + "; the horizon is a solve's word, not checked",
        }
    }

    /// What the outcome tells that was neither derived nor asked again.
    fn untold(&self) -> String {
        let words = [
            (
                "acts",
                "; that no schedule has fewer acts is a search's word, not checked",
            ),
            ("confirm", "; the engine was not asked again"),
            (
                WRITTEN,
                "; the rules are those of protocol.yaml beside it, followed by the interpreter of \
                 the file",
            ),
        ];
        let run = &self.outcome.run;
        let told = |key: &str| run.iter().any(|(known, _)| known == key);
        words
            .iter()
            .filter(|(key, _)| told(key))
            .map(|(_, words)| *words)
            .collect()
    }

    /// Whether something is proved, in the words of a table: nothing if it is not, or if anything is
    /// not as claimed.
    pub fn proof(&self) -> Option<&'static str> {
        match self.bound {
            _ if !self.differences.is_empty() => None,
            Bound::Exact => Some("proved"),
            Bound::SearchedAgain(_) => Some("proved, searches repeated"),
            Bound::Searches(_) => Some("proved, searches not repeated"),
            Bound::Word => None,
        }
    }
}

fn count_searches(searches: usize) -> String {
    if searches == 1 {
        "a search".to_owned()
    } else {
        format!("{searches} searches")
    }
}
