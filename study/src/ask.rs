//! One question in one line: what an instance's answer means, what the adversary needs for it, and
//! how it was proved, in words.

use crate::{
    Error,
    folder::Folder,
    minimize::deleted,
    reading::unbounded,
    sentence,
    solve::{Request, Solution, solve},
};
use milp_schema::{
    Act, Instance,
    instance::{Goal, Sense},
    outcome::{Certificate, Termination},
};
use milp_show::{acts, words};
use milp_solver::Progress;
use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr, sync::atomic::AtomicBool};

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Two blocks at one height, or two certificates.
    Forks,
    /// Replicas that decide nothing more.
    Stalls,
    /// Not everything is proved, and what was found says nothing for ever.
    NotSettled,
    /// The first decision comes by that slot.
    DecidesBy(i64),
    /// Nothing bad exists within the instance.
    Safe,
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forks => out.write_str("FORKS"),
            Self::Stalls => out.write_str("STALLS"),
            Self::NotSettled => out.write_str("NOT SETTLED"),
            Self::DecidesBy(slot) => write!(out, "DECIDES BY SLOT {slot}"),
            Self::Safe => out.write_str("SAFE"),
        }
    }
}

impl Verdict {
    /// Whether something bad was found.
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Forks | Self::Stalls)
    }
}

/// The answer to one goal.
#[derive(Debug)]
pub struct Answer {
    /// What it means.
    pub verdict: Verdict,
    /// The same in a sentence without a full stop.
    pub words: String,
    /// How many acts of each kind are enough: those of `fewer`, if that is there, else of the schedule
    /// found; empty where nothing bad was found.
    pub needs: BTreeMap<Act, i64>,
    /// How it is known.
    pub proof: String,
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
    if matches!(
        instance.goal,
        Goal::Views | Goal::Blame | Goal::Weighted { .. }
    ) {
        return Err(Error::Refused(format!(
            "goal {} is neither safe nor broken: solve it with `milp solve`",
            instance.goal.name()
        )));
    }
    let solution = solve(request, interrupt, progress)?;
    let verdict = verdict(instance, &solution);
    let shows = verdict.is_broken() || is_wasted(instance, &solution);
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
        words: meaning(instance, verdict, &solution),
        needs: needs.unwrap_or_default(),
        proof: proof(shows, &solution),
        solution,
        fewer,
    })
}

/// Whether a schedule was found in which none of the good views asked for decides.
fn is_wasted(instance: &Instance, solution: &Solution) -> bool {
    let value = solution.outcome.primal;
    value.is_some_and(|value| passes_all(instance, value))
}

fn passes_all(instance: &Instance, value: i64) -> bool {
    matches!(instance.goal, Goal::Wasted { up_to, .. } if value >= up_to.into())
}

fn verdict(instance: &Instance, solution: &Solution) -> Verdict {
    let outcome = &solution.outcome;
    let broken = |value: i64| match instance.goal {
        Goal::Fork | Goal::Finality => (value > 1).then_some(Verdict::Forks),
        Goal::Stall => (value < instance.heights.into()).then_some(Verdict::Stalls),
        // That none of those asked for decides does not say that none ever will.
        Goal::Wasted { .. } if passes_all(instance, value) => Some(Verdict::NotSettled),
        _ => None,
    };
    // One schedule is enough, whatever the bound.
    if let Some(verdict) = outcome.primal.and_then(broken) {
        return verdict;
    }
    match (outcome.termination, outcome.primal) {
        _ if !outcome.proved => Verdict::NotSettled,
        // No final state but decided ones is what the goal asks of a protocol.
        (Termination::Infeasible, _) => Verdict::Safe,
        (Termination::Optimal, Some(value)) => match instance.goal {
            Goal::Slow if unbounded(instance, value) => Verdict::NotSettled,
            Goal::Slow => Verdict::DecidesBy(value),
            _ => Verdict::Safe,
        },
        _ => Verdict::NotSettled,
    }
}

/// What a verdict says of the instance.
fn meaning(instance: &Instance, verdict: Verdict, solution: &Solution) -> String {
    let value = solution.outcome.primal;
    let said = match (instance.goal, verdict, value) {
        (Goal::Stall, Verdict::Stalls, Some(0)) => {
            "no block of height 0 can be decided any more".to_owned()
        }
        (Goal::Stall, Verdict::Stalls, Some(value)) => {
            format!("no block of height {value} can be decided any more")
        }
        (Goal::Stall, Verdict::Safe, _) => {
            "nobody comes to rest before all have decided".to_owned()
        }
        (Goal::Fork, Verdict::Forks, Some(value)) => {
            format!("{} are decided at one height", words::count(value, "block"))
        }
        (Goal::Fork, Verdict::Safe, _) => "no two blocks are decided at one height".to_owned(),
        (Goal::Wasted { .. }, _, Some(value)) if passes_all(instance, value) => format!(
            "{} after the bad ones pass without a decision, as many as were asked for; whether a \
             later one decides is not known",
            words::count(value, "good view")
        ),
        (Goal::Wasted { .. }, Verdict::Safe, Some(0)) => "the first good view decides".to_owned(),
        (Goal::Wasted { .. }, Verdict::Safe, Some(value)) => format!(
            "a decision comes after at most {}",
            words::count(value, "good view")
        ),
        (_, Verdict::NotSettled, None) => "no schedule was found, and nothing is proved".to_owned(),
        (_, _, Some(value)) => sentence::value(instance, value),
        (_, _, None) => "no execution exists".to_owned(),
    };
    words::own(instance.protocol, &said)
}

/// How a verdict is known; one that a schedule shows by that.
fn proof(shows: bool, solution: &Solution) -> String {
    let outcome = &solution.outcome;
    if shows {
        return "by that schedule, which satisfies every row in exact integers: milp replay drives \
                replicas with it"
            .to_owned();
    }
    match &outcome.certificate {
        _ if !outcome.proved && solution.interrupted => "it was interrupted".to_owned(),
        _ if !outcome.proved && outcome.termination == Termination::Optimal => {
            "the solver says so, and no proof was found".to_owned()
        }
        _ if !outcome.proved => {
            "the limit of time came first: give a longer --time-limit".to_owned()
        }
        Certificate::SafeDualBound { .. } => {
            "by a bound in exact integers: no solver needs to be believed".to_owned()
        }
        Certificate::PermutedInfeasible { .. } => {
            "by two searches on different paths, in floating-point arithmetic".to_owned()
        }
        Certificate::Cubes { searched: 0, .. } => "case by case, in exact integers".to_owned(),
        Certificate::Cubes { .. } => "case by case, some cases by two searches".to_owned(),
        Certificate::None => "by searching, which found none".to_owned(),
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
