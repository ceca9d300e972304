//! How much damage how much effort does: the values of an instance's goal under a limit on one
//! measure of the adversary's effort, for every limit that matters.
//!
//! Each solve is one of the instance with a limit, so its result is a result like any other. The
//! damage never falls when the limit grows; so the bound of a solve holds for every smaller limit,
//! and its schedule for every larger one. What lies between two limits with the same damage is
//! therefore known without a solve, and limits are found by halving.
//!
//! Values are compared as *damage*: the value where larger is worse, its negative elsewhere.

mod effort;
mod keep;
mod show;

pub use effort::{EFFORTS, Effort};
pub use keep::{place, replaceable, write};
pub use show::{CSV, HTML, SVG};

use crate::{
    Error,
    clock::Clock,
    sentence::{self, Said},
    solve::{Request, Solution, note_limit, solve},
};
use milp_schema::{Instance, Verdict, instance::Sense, outcome::Termination};
use milp_solver::{Progress, Settings};
use std::sync::atomic::{AtomicBool, Ordering};

/// The damage where there is no schedule.
const NOTHING: i64 = i64::MIN;
/// The bound where none is known.
const UNKNOWN: i64 = i64::MAX;

/// One solve under a limit.
#[derive(Debug, Clone)]
pub struct Solve {
    /// The limit; `None` is the instance as it is.
    pub limit: Option<u32>,
    /// What was found.
    pub solution: Solution,
    /// The effort of its schedule, and what the replicas did with it.
    pub found: Option<(u32, Verdict)>,
}

/// A schedule that no other one beats in both: as much damage with less effort, or more with as
/// much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The effort of the schedule.
    pub effort: u32,
    /// Its value.
    pub value: i64,
    /// The bound for this effort, and for any up to the next point's; `None` if there is none.
    pub bound: Option<i64>,
    /// Whether nothing worse needs less effort than the next point: proved.
    pub proved: bool,
    /// Whether less effort does not reach the value: proved.
    pub fewest: bool,
    /// Which of the solves found it.
    pub solve: usize,
}

/// The damage for every effort.
#[derive(Debug, Clone)]
pub struct Front {
    /// The instance, formulation settled.
    pub instance: Instance,
    /// The measure.
    pub effort: Effort,
    /// The points, the least effort first.
    pub points: Vec<Point>,
    /// Every solve made, in order; the first one is without a limit.
    pub solves: Vec<Solve>,
    /// Whether an interrupt came before the end.
    pub interrupted: bool,
}

impl Front {
    /// Whether the damage is proved for every effort.
    pub fn proved(&self) -> bool {
        !self.points.is_empty() && self.points.iter().all(|it| it.proved && it.fewest)
    }

    /// What the solve without a limit says.
    pub fn said(&self) -> Option<Said> {
        self.solves.first().map(|it| it.solution.said())
    }

    /// How the solve without a limit ended.
    pub fn termination(&self) -> Termination {
        let first = self.solves.first();
        first.map_or(Termination::Undecided, |it| it.solution.outcome.termination)
    }
}

/// The points of the instance for a measure of effort. The limit of time is for all solves together.
///
/// # Errors
///
/// When the instance does not have what is measured, no formulation can build it with a limit, the
/// solver fails, or the replicas do not follow a schedule.
pub fn pareto(
    (instance, effort): (&Instance, Effort),
    settings: &Settings,
    command: &str,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Front, Error> {
    let effort = effort.of(instance)?;
    let instance = Instance {
        formulation: effort::formulation(instance, effort)?,
        ..instance.clone()
    };
    let clock = Clock::start(settings, interrupt);
    let mut search = Search {
        instance: &instance,
        effort,
        settings,
        clock,
        command,
        solves: Vec::new(),
    };
    let mut next = Some(None);
    while let Some(limit) = next {
        match search.solve(limit, interrupt, progress) {
            // What was found before is kept.
            Err(Error::Stopped { .. }) if !search.solves.is_empty() => break,
            solved => solved?,
        }
        if clock.over() {
            break;
        }
        next = search.next().map(Some);
    }
    let points = search.points();
    let solves = search.solves;
    Ok(Front {
        points,
        solves,
        interrupted: interrupt.load(Ordering::SeqCst),
        instance,
        effort,
    })
}

/// The solves so far and what follows from them.
struct Search<'a> {
    instance: &'a Instance,
    effort: Effort,
    settings: &'a Settings,
    clock: Clock<'a>,
    command: &'a str,
    solves: Vec<Solve>,
}

impl Search<'_> {
    /// The value as damage, and damage as a value.
    fn turned(&self, value: i64) -> i64 {
        match sentence::sense(self.instance.goal) {
            Sense::Maximize => value,
            Sense::Minimize => -value,
        }
    }

    fn solve(
        &mut self,
        limit: Option<u32>,
        interrupt: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), Error> {
        let limited = match limit {
            Some(most) => self.effort.limited(self.instance, most),
            None => self.instance.clone(),
        };
        let request = Request {
            instance: &limited,
            settings: &self.clock.settings(self.settings),
            warm_start: None,
            adequacy: false,
            command: self.command,
        };
        let mut solution = solve(&request, interrupt, progress)?;
        note_limit(&mut solution.outcome, self.settings);
        let found = match &solution.schedule {
            Some(schedule) => {
                let outcome = &solution.outcome;
                let used = self
                    .effort
                    .used(&outcome.instance, schedule, &outcome.faulty);
                let most = limit.or(self.effort.own_limit(self.instance));
                if most.is_some_and(|most| used > most) {
                    return Err(Error::Refused(format!(
                        "the schedule has {}, the program allows {}: a defect here",
                        self.effort.words(used),
                        most.unwrap_or_default()
                    )));
                }
                Some((used, solution.replayed()?))
            }
            None => None,
        };
        self.solves.push(Solve {
            limit,
            solution,
            found,
        });
        Ok(())
    }

    /// The worst damage of a schedule with at most this effort, and which solve found it.
    fn best(&self, effort: u32) -> (i64, usize) {
        let mut best = (NOTHING, 0);
        for (at, solve) in self.solves.iter().enumerate() {
            let reached = solve.found.as_ref().filter(|(used, _)| *used <= effort);
            let value = reached.and(solve.solution.outcome.primal);
            let damage = value.map_or(NOTHING, |value| self.turned(value));
            if damage > best.0 {
                best = (damage, at);
            }
        }
        best
    }

    /// The least damage that `bound` says is not exceeded with this effort.
    fn bound(&self, effort: u32, bound: impl Fn(&Self, &Solve) -> i64) -> i64 {
        let holds = |solve: &&Solve| solve.limit.is_none_or(|limit| limit >= effort);
        let bounds = self.solves.iter().filter(holds);
        bounds
            .map(|solve| bound(self, solve))
            .min()
            .unwrap_or(UNKNOWN)
    }

    /// What a solve proves.
    fn certain(&self, solve: &Solve) -> i64 {
        if solve.solution.outcome.proved {
            self.said(solve)
        } else {
            UNKNOWN
        }
    }

    /// What a solve says, proved or not.
    fn said(&self, solve: &Solve) -> i64 {
        let outcome = &solve.solution.outcome;
        match (outcome.termination, outcome.primal, outcome.dual) {
            (Termination::Infeasible, ..) => NOTHING,
            (Termination::Optimal, Some(value), _) => self.turned(value),
            (_, _, Some(dual)) if dual.is_finite() => {
                self.turned(sentence::grid(self.instance.goal, dual))
            }
            _ => UNKNOWN,
        }
    }

    /// Every effort at which the damage known grows: effort, damage, solve.
    fn known(&self) -> Vec<(u32, i64, usize)> {
        let used = self.solves.iter().filter_map(|solve| solve.found.as_ref());
        let mut used = used.map(|(used, _)| *used).collect::<Vec<_>>();
        used.sort_unstable();
        let mut known: Vec<(u32, i64, usize)> = Vec::new();
        for effort in used {
            let (damage, solve) = self.best(effort);
            if known.last().is_none_or(|(_, last, _)| damage > *last) {
                known.push((effort, damage, solve));
            }
        }
        known
    }

    /// The limit to be solved next: between two known points, where damage could still grow, half
    /// way from the largest limit tried there. A limit that ended a solve early is not tried again.
    fn next(&self) -> Option<u32> {
        let mut before = NOTHING;
        for (effort, damage, _) in self.known() {
            if effort > 0 && self.bound(effort - 1, Self::said) > before {
                let tried = self.solves.iter().filter_map(|solve| solve.limit);
                let tried = tried.filter(|limit| *limit < effort).max();
                let from = tried.map_or(0, |tried| tried + 1);
                if from < effort {
                    return Some(u32::midpoint(from, effort - 1));
                }
            }
            before = damage;
        }
        None
    }

    fn points(&self) -> Vec<Point> {
        let known = self.known();
        let mut before = NOTHING;
        let mut points = Vec::new();
        for (at, &(effort, damage, solve)) in known.iter().enumerate() {
            let next = known.get(at + 1);
            let last = next.map_or(u32::MAX, |(next, ..)| next - 1);
            let said = self.bound(last, Self::said);
            let less = match effort {
                0 => NOTHING,
                _ => self.bound(effort - 1, Self::certain),
            };
            points.push(Point {
                effort,
                value: self.turned(damage),
                bound: (said != UNKNOWN).then(|| self.turned(said.max(damage))),
                proved: self.bound(last, Self::certain) == damage,
                fewest: effort == 0 || less < damage,
                solve,
            });
            debug_assert!(damage > before);
            before = damage;
        }
        points
    }
}
