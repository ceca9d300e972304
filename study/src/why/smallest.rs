//! The smallest set of rules that together make a value impossible.
//!
//! Two facts carry the search. A point with the value breaks some rules; a set that forbids the
//! value must have one of them, whatever point it is. And a set whose program is infeasible
//! forbids the value. So the smallest set that has a rule of every point known is tried, until
//! one forbids the value: no set with fewer rules does, because every such set misses a point.
//! Deletion first gives a set of which no rule can go, and points that leave little to try.

use super::weaker::{Going, How, Present, present, without};
use crate::Error;
use milp_model::{
    Built,
    Error::Refused,
    formulation,
    group::Group,
    program::{Family, FamilyId, Program, Row, Tag},
};
use milp_schema::{
    Instance,
    instance::{Formulation, Goal, Sense},
    outcome::Termination,
};
use milp_solver::{Progress, exact::LARGEST};

/// One of the rules that make a value impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// The rule.
    pub rule: Present,
    /// Whether the value is possible without this rule alone, by a point that satisfies every row
    /// of all the others: then every set that forbids the value has this rule.
    pub always: bool,
}

/// Why a value is impossible.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyNot {
    /// The value, if one was asked about; without one, any execution.
    pub value: Option<i64>,
    /// Whether the value is possible; `None` if a limit came before that was known.
    pub possible: Option<bool>,
    /// The rules that together make it impossible.
    pub needed: Vec<Needed>,
    /// The other rules.
    pub idle: Vec<Present>,
    /// Whether each of the needed rules comes with a point that breaks no other of them.
    pub irreducible: bool,
    /// Whether no set with fewer rules makes it impossible.
    pub smallest: bool,
    /// Whether the impossibility was found in two searches on different paths.
    pub proved: bool,
    /// Programs that were solved, and nodes of all of them.
    pub effort: (usize, i64),
    /// Of which program; of one with slots the answer is about so many.
    pub formulation: Formulation,
}

/// The rules because of which no schedule reaches `value` (or is worse); without a value, because
/// of which there is no execution at all.
///
/// # Errors
///
/// When no formulation can build the instance, goal `stall` cannot have the value, or the solver
/// fails.
pub fn why_not(
    instance: &Instance,
    value: Option<i64>,
    how: How<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<WhyNot, Error> {
    let heights = i64::from(instance.heights);
    if let Some(value) = value.filter(|value| !(0..=heights).contains(value))
        && instance.goal == Goal::Stall
    {
        return Err(Error::Refused(format!(
            "{value} heights cannot be decided: ask for a number from 0 to {heights}"
        )));
    }
    if let Some(value) = value.filter(|value| value.unsigned_abs() > LARGEST.unsigned_abs()) {
        return Err(Error::Refused(format!(
            "{value} is no value that a goal can have: ask for a number from -2^50 to 2^50"
        )));
    }
    let how = how.start();
    // So many values are decided where the goal is to have many of them decided.
    let values = match instance.goal {
        Goal::Fork | Goal::Finality => value.and_then(|value| value.try_into().ok()),
        _ => None,
    };
    let built = how.build(instance, values.unwrap_or_default())?;
    if let Some(answer) = answered(&built, value, how, progress)? {
        return Ok(answer);
    }
    // A point that replicas do not follow says nothing of executions; with slots every one does.
    let of = instance.clone();
    let built = how.clock.build(move || formulation::in_slots(&of))?;
    let answer = answered(&built, value, how, progress)?;
    answer.ok_or_else(|| Error::Refused("a point with slots is refused: a defect here".into()))
}

/// The answer of a program; none if it has points that stand for no execution.
fn answered(
    built: &Built,
    value: Option<i64>,
    how: Going<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<WhyNot>, Error> {
    let program = asking(built.program().clone(), value);
    let rules = present(&program);
    let mut search = Search {
        all: Set::of(rules.iter().map(|rule| rule.group)),
        program: &program,
        how,
        broken: Vec::new(),
        forbidding: Vec::new(),
        effort: (0, 0),
        point: None,
    };
    let mut answer = WhyNot {
        value,
        possible: None,
        needed: Vec::new(),
        idle: Vec::new(),
        irreducible: false,
        smallest: false,
        proved: false,
        effort: (0, 0),
        formulation: built.formulation(),
    };
    match search.test(search.all, progress)? {
        Tested::Forbidden => {
            answer.possible = Some(false);
            let (set, irreducible) = search.deleted(progress)?;
            let (set, smallest) = search.smallest(set, progress)?;
            answer.irreducible = irreducible || smallest;
            answer.smallest = smallest;
            answer.proved = search.prove(set, progress)?;
            for rule in rules {
                if set.has(rule.group) {
                    let always = search.broken.contains(&Set::of([rule.group]));
                    answer.needed.push(Needed { rule, always });
                } else {
                    answer.idle.push(rule);
                }
            }
        }
        Tested::Possible => {
            let point = search.point.take().unwrap_or_default();
            if let Err(Refused { .. }) = built.decode(&point) {
                return Ok(None);
            }
            answer.possible = Some(true);
        }
        Tested::Unknown => {}
    }
    answer.effort = search.effort;
    Ok(Some(answer))
}

/// The program with the value as a row and nothing to optimise.
fn asking(mut program: Program, value: Option<i64>) -> Program {
    let terms = std::mem::take(&mut program.objective);
    let constant = std::mem::take(&mut program.constant);
    if let Some(value) = value {
        program
            .families
            .push(Family::new("asked_value", "E13", Tag::Goal));
        let (lower, upper) = match program.sense {
            Sense::Maximize => (Some(value - constant), None),
            Sense::Minimize => (None, Some(value - constant)),
        };
        program.rows.push(Row {
            name: "asked_value".into(),
            family: FamilyId(program.families.len() as u32 - 1),
            terms,
            lower,
            upper,
        });
    }
    program
}

/// A set of rules, a bit for each of [`GROUPS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set(u32);

impl Set {
    fn of(groups: impl IntoIterator<Item = Group>) -> Self {
        let bit = |group| {
            let at = Group::ALL.iter().position(|other| *other == group);
            at.map_or(0, |at| 1 << at)
        };
        Self(groups.into_iter().fold(0, |bits, group| bits | bit(group)))
    }

    fn groups(self) -> Vec<Group> {
        let has = |&(at, _): &(usize, &Group)| self.0 & 1 << at != 0;
        let groups = Group::ALL.iter().enumerate().filter(has);
        groups.map(|(_, group)| *group).collect()
    }

    fn has(self, group: Group) -> bool {
        self.meets(Self::of([group]))
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn less(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn within(self, other: Self) -> bool {
        self.less(other).0 == 0
    }

    fn len(self) -> u32 {
        self.0.count_ones()
    }
}

/// What is known of a set of rules.
enum Tested {
    /// The value is impossible under these rules.
    Forbidden,
    /// A point has the value and satisfies all of them.
    Possible,
    /// A limit came first.
    Unknown,
}

struct Search<'a> {
    program: &'a Program,
    how: Going<'a>,
    all: Set,
    /// For each point found, the rules it breaks.
    broken: Vec<Set>,
    /// Sets that forbid the value, says the solver.
    forbidding: Vec<Set>,
    effort: (usize, i64),
    /// The last point found.
    point: Option<Vec<i64>>,
}

impl Search<'_> {
    /// Whether the value is impossible under these rules alone.
    fn test(&mut self, set: Set, progress: &mut dyn FnMut(&Progress)) -> Result<Tested, Error> {
        if self.broken.iter().any(|broken| !broken.meets(set)) {
            return Ok(Tested::Possible);
        }
        if self.forbidding.iter().any(|found| found.within(set)) {
            return Ok(Tested::Forbidden);
        }
        if self.how.clock.over() {
            return Ok(Tested::Unknown);
        }
        let weaker = without(self.program, &self.all.less(set).groups());
        let solved = self.how.solve(&weaker, false, progress)?;
        self.effort = (self.effort.0 + 1, self.effort.1 + solved.nodes);
        match (solved.termination, solved.point) {
            (Termination::Infeasible, _) => {
                self.forbidding.push(set);
                Ok(Tested::Forbidden)
            }
            (_, Some(point)) => {
                let broken = self.breaks(&point);
                // No valid row may forbid what the rules allow, and none of `set` is broken.
                let consistent = !broken.meets(set) && (broken.0 != 0 || set == self.all);
                if !consistent {
                    return Err(Error::Refused(
                        "a point without some rules breaks others or none: a defect here".into(),
                    ));
                }
                self.broken.push(broken);
                self.point = Some(point);
                Ok(Tested::Possible)
            }
            (_, None) => Ok(Tested::Unknown),
        }
    }

    /// The rules of which a point breaks a row, in exact integers.
    fn breaks(&self, point: &[i64]) -> Set {
        let rows = self.program.rows.iter().filter(|row| !row.holds(point));
        Set::of(rows.filter_map(|row| self.program.family(row).group))
    }

    /// A set that forbids the value, by deletion, and whether it is known that none of it can go.
    ///
    /// Rules that force something go first, all at once if that is possible.
    fn deleted(&mut self, progress: &mut dyn FnMut(&Progress)) -> Result<(Set, bool), Error> {
        let (forcing, guarding): (Vec<_>, Vec<_>) =
            self.all.groups().into_iter().partition(|rule| rule.forces);
        let (mut set, mut known) = (self.all, true);
        let together = Set::of(forcing.iter().copied());
        let mut one_by_one = guarding;
        if let Tested::Forbidden = self.test(set.less(together), progress)? {
            set = set.less(together);
        } else {
            one_by_one.extend(forcing);
        }
        for rule in one_by_one {
            let smaller = set.less(Set::of([rule]));
            match self.test(smaller, progress)? {
                Tested::Forbidden => set = smaller,
                Tested::Possible => {}
                Tested::Unknown => known = false,
            }
        }
        Ok((set, known))
    }

    /// A smallest set that forbids the value, and whether it is known to be one; `set` forbids it.
    fn smallest(
        &mut self,
        set: Set,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(Set, bool), Error> {
        // Rules without which alone the value is possible are in every such set.
        for rule in set.groups() {
            self.test(self.all.less(Set::of([rule])), progress)?;
        }
        loop {
            // Fewer rules than these always miss a point.
            let Some(fewest) = (0..set.len()).find_map(|size| self.hitting(Set(0), size)) else {
                return Ok((set, true));
            };
            match self.test(fewest, progress)? {
                Tested::Forbidden => return Ok((fewest, true)),
                Tested::Possible => self.grow(fewest, progress)?,
                Tested::Unknown => return Ok((set, false)),
            }
        }
    }

    /// The value is possible under `set`: looks for a point that breaks as few rules as it can.
    fn grow(&mut self, set: Set, progress: &mut dyn FnMut(&Progress)) -> Result<(), Error> {
        let mut kept = set;
        loop {
            // The points that keep all of `kept` are possible; the best of them breaks least.
            let best = self
                .broken
                .iter()
                .filter(|broken| !broken.meets(kept))
                .min_by_key(|broken| broken.len());
            let Some(&best) = best else { return Ok(()) };
            kept = self.all.less(best);
            let mut more = false;
            for rule in best.groups() {
                let wider = kept.and(Set::of([rule]));
                if let Tested::Possible = self.test(wider, progress)? {
                    kept = wider;
                    more = true;
                    break;
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// `chosen` and at most `left` rules more that have a rule of each point known, if any.
    fn hitting(&self, chosen: Set, left: u32) -> Option<Set> {
        let missed = self.broken.iter().filter(|broken| !broken.meets(chosen));
        let missed = missed.min_by_key(|broken| broken.len());
        let Some(missed) = missed else {
            return Some(chosen);
        };
        if left == 0 {
            return None;
        }
        let mut rules = missed.groups().into_iter();
        rules.find_map(|rule| self.hitting(chosen.and(Set::of([rule])), left - 1))
    }

    /// Whether two searches on different paths find the value impossible under `set`.
    fn prove(&mut self, set: Set, progress: &mut dyn FnMut(&Progress)) -> Result<bool, Error> {
        if self.how.clock.over() {
            return Ok(false);
        }
        let weaker = without(self.program, &self.all.less(set).groups());
        let solved = self.how.solve(&weaker, true, progress)?;
        self.effort = (self.effort.0 + 1, self.effort.1 + solved.nodes);
        Ok(solved.proved && solved.termination == Termination::Infeasible)
    }
}
