//! One question in one line: what an instance's answer means, what the adversary needs for it, and
//! how it was proved, in words.

use crate::{
    Error,
    folder::Folder,
    minimize::deleted,
    sentence::{self, Said, can_break, passes_all},
    solve::{Request, Solution, solve},
};
use milp_schema::{
    Act,
    instance::{Goal, Sense},
    outcome::Termination,
};
use milp_show::{acts, words};
use milp_solver::Progress;
use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr, sync::atomic::AtomicBool};

pub use crate::sentence::Verdict;

/// The answer to one goal.
#[derive(Debug)]
pub struct Answer {
    /// What it means.
    pub verdict: Verdict,
    /// The answer, what it holds under, how it is known, and what is left out.
    pub said: Said,
    /// How many acts of each kind are enough: those of `fewer`, if that is there, else of the schedule
    /// found; empty where nothing bad was found.
    pub needs: BTreeMap<Act, i64>,
    /// What the solve left.
    pub solution: Solution,
    /// The schedule found without the acts that replicas can do without, if there are such; nothing is
    /// proved of it.
    pub fewer: Option<Folder>,
}

impl Answer {
    /// What the adversary needs, in words; `None` where nothing bad was found.
    pub fn needed(&self) -> Option<String> {
        let faulty = self.needs.get(&Act::Faulty)?;
        let acts = self.needs.iter().filter(|(act, _)| **act != Act::Faulty);
        let acts = acts.filter(|(_, count)| **count > 0);
        let acts = acts.map(|(act, count)| words::count(*count, acts::name(*act)));
        let crashed = self.needs.get(&Act::Crash);
        let faulty = match faulty {
            // Each of them is named by what it does.
            some if *some > 0 && Some(some) == crashed => None,
            0 => Some("no faulty replica".to_owned()),
            some => Some(words::count(*some, acts::name(Act::Faulty))),
        };
        let all: Vec<String> = faulty.into_iter().chain(acts).collect();
        Some(all.join(", "))
    }
}

/// Solves an instance and says what that means.
///
/// # Errors
///
/// As for [`solve`].
pub fn ask(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Answer, Error> {
    let instance = request.instance;
    let measures = || {
        Error::Refused(format!(
            "goal {} is neither safe nor broken: solve it with `milp solve`",
            instance.goal.name()
        ))
    };
    if !can_break(instance.goal) {
        return Err(measures());
    }
    let solution = solve(request, interrupt, progress)?;
    let mut said = solution.said();
    let verdict = said.verdict.ok_or_else(measures)?;
    let wasted = |value| passes_all(instance, value);
    let shows = verdict.is_broken() || solution.outcome.primal.is_some_and(wasted);
    if verdict == Verdict::NotSettled && !shows && !solution.outcome.proved {
        said.proof += why_not(&solution);
    }
    let found = solution.schedule.as_ref().filter(|_| shows);
    let found = found.map(|schedule| Folder {
        dir: PathBuf::from("."),
        outcome: solution.outcome.clone(),
        schedule: schedule.clone(),
    });
    let fewer = found
        .as_ref()
        .and_then(|found| deleted(found, request.settings, interrupt));
    let needs = fewer.as_ref().or(found.as_ref()).map(|it| {
        let outcome = &it.outcome;
        acts::counts(&outcome.instance, &it.schedule, &outcome.faulty)
    });
    Ok(Answer {
        verdict,
        said,
        needs: needs.unwrap_or_default(),
        solution,
        fewer,
    })
}

/// Why nothing is proved, where that is known.
fn why_not(solution: &Solution) -> &'static str {
    match solution.outcome.termination {
        _ if solution.interrupted => "; it was interrupted",
        Termination::Optimal => "",
        _ if solution.was_refused() => {
            "; replicas do not follow the worst that the program found, and nothing is proved of what \
             is left"
        }
        _ => "; the limit of time came first: give a longer --time-limit",
    }
}

/// What somebody expects of a goal's value: `fork<=1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Name of the goal.
    goal: String,
    compare: Compare,
    value: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    AtMost,
    AtLeast,
    Equal,
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let marks = [
            ("<=", Compare::AtMost),
            (">=", Compare::AtLeast),
            ("=", Compare::Equal),
        ];
        let split = marks.into_iter().find_map(|(mark, compare)| {
            let (goal, value) = text.split_once(mark)?;
            Some((goal.trim().to_owned(), compare, value.trim().parse().ok()?))
        });
        let (goal, compare, value) = split
            .filter(|(goal, ..)| !goal.is_empty())
            .ok_or("expected a goal, <=, >= or =, and a number: say fork<=1")?;
        Ok(Self {
            goal,
            compare,
            value,
        })
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.compare {
            Compare::AtMost => "<=",
            Compare::AtLeast => ">=",
            Compare::Equal => "=",
        };
        write!(out, "{}{mark}{}", self.goal, self.value)
    }
}

impl Expectation {
    /// Whether it is about this goal.
    pub fn is_about(&self, goal: Goal) -> bool {
        self.goal == goal.name()
    }

    /// Whether a solution is as expected: `None` where that is not known, because what was found is
    /// not proved to be the worst.
    pub fn holds(&self, solution: &Solution) -> Option<bool> {
        let outcome = &solution.outcome;
        let Some(found) = outcome.primal else {
            // No execution at all has a worse value.
            return (outcome.proved && outcome.termination == Termination::Infeasible)
                .then_some(true);
        };
        let so = match self.compare {
            Compare::AtMost => found <= self.value,
            Compare::AtLeast => found >= self.value,
            Compare::Equal => found == self.value,
        };
        // The worst value lies on one side of what was found.
        let stays = match (sentence::sense(outcome.instance.goal), self.compare, so) {
            _ if outcome.proved => true,
            (Sense::Maximize, Compare::AtMost, so) | (Sense::Minimize, Compare::AtLeast, so) => !so,
            (Sense::Maximize, Compare::AtLeast, so) | (Sense::Minimize, Compare::AtMost, so) => so,
            (Sense::Maximize, Compare::Equal, _) => found > self.value,
            (Sense::Minimize, Compare::Equal, _) => found < self.value,
        };
        stays.then_some(so)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_is_a_goal_a_mark_and_a_number() {
        for text in ["fork<=1", "stall>=1", "wasted=0"] {
            assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
        }
        for text in ["", "fork", "<=1", "fork<=x", "fork<1"] {
            assert!(text.parse::<Expectation>().is_err(), "{text}");
        }
    }
}
