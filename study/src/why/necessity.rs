//! The optimum without each rule.

use super::weaker::{Going, How, Present, present, without};
use crate::{
    Error, sentence,
    solve::{leaves_values_open, of_these_values},
};
use milp_model::{Built, Error::Refused, formulation, group::Group};
use milp_schema::{
    Instance,
    instance::{Goal, Sense},
    outcome::Termination,
};
use milp_solver::{Progress, Solved};

/// What a program gives, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimum {
    /// Why the solve ended.
    pub termination: Termination,
    /// The best value found.
    pub primal: Option<i64>,
    /// The bound.
    pub dual: Option<f64>,
    /// Whether a certificate closes the gap.
    pub proved: bool,
    /// Nodes of all searches.
    pub nodes: i64,
}

impl Optimum {
    /// Nothing is known, a limit came first.
    const UNKNOWN: Self = Self {
        termination: Termination::Undecided,
        primal: None,
        dual: None,
        proved: false,
        nodes: 0,
    };
}

impl Optimum {
    /// What a solve of a program says, but of more values than the program has.
    fn of(built: &Built, goal: Goal, mut solved: Solved) -> Self {
        of_these_values(built, goal, &mut solved);
        Self {
            termination: solved.termination,
            primal: solved.primal,
            dual: solved.dual,
            proved: solved.proved,
            nodes: solved.nodes,
        }
    }
}

/// The optimum without each rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Necessity {
    /// The goal.
    pub goal: Goal,
    /// Whether the program has slots, so that the answer is about so many.
    pub within_slots: bool,
    /// With all rules.
    pub whole: Optimum,
    /// One entry per rule.
    pub rules: Vec<(Present, Optimum)>,
    /// The protocol's mutants, each a rule weakened rather than taken away.
    pub mutants: Vec<(String, Optimum)>,
}

impl Necessity {
    /// Whether the adversary does better than with all rules; `None` if that is not known.
    pub fn better(&self, without: &Optimum) -> Option<bool> {
        let whole = match (self.whole.termination, self.whole.primal) {
            (Termination::Optimal, Some(whole)) => whole,
            (Termination::Infeasible, _) => {
                return match without.termination {
                    Termination::Infeasible => Some(false),
                    _ => without.primal.map(|_| true),
                };
            }
            _ => return None,
        };
        let found = without.primal?;
        let better = match sentence::sense(self.goal) {
            Sense::Maximize => found > whole,
            Sense::Minimize => found < whole,
        };
        // A better point is one whatever the bound; the contrary needs a closed gap.
        (better || without.termination == Termination::Optimal).then_some(better)
    }

    /// A rule and the optimum without it, if the program has the rule.
    pub fn rule(&self, group: Group) -> Option<&(Present, Optimum)> {
        self.rules.iter().find(|(rule, _)| rule.group == group)
    }

    /// Whether every question of the table has an answer, and each answer what it rests on.
    pub fn settled(&self) -> bool {
        let rules = self.rules.iter().map(|(_, found)| found);
        let mut all = rules.chain(self.mutants.iter().map(|(_, found)| found));
        // "Necessary" rests on a point and on the bound of the whole; "no" on a bound as well.
        self.whole.proved
            && all.all(|found| match self.better(found) {
                Some(better) => better || found.proved,
                None => false,
            })
    }
}

/// The program, with so many values that its optimum leaves none open, and that optimum. Where
/// replicas do not follow the point the program is that with slots.
fn whole(
    instance: &Instance,
    how: Going<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(Built, Optimum), Error> {
    let mut built = how.build(instance, 0)?;
    loop {
        let solved = how.solve(built.program(), true, progress)?;
        let point = solved.point.as_ref();
        let refused = point.is_some_and(|it| matches!(built.decode(it), Err(Refused { .. })));
        let open = |value: i64| leaves_values_open(&built, instance.goal, value as f64);
        let open = solved.primal.is_some_and(open);
        let more = built.values().filter(|_| open).map(|values| values + 1);
        built = match more {
            _ if refused && !how.clock.over() => {
                let of = instance.clone();
                how.clock.build(move || formulation::in_slots(&of))?
            }
            Some(values) if !how.clock.over() => how.build(instance, values)?,
            _ => {
                let found = Optimum::of(&built, instance.goal, solved);
                return Ok((built, found));
            }
        };
    }
}

/// The optimum without each single rule, and of each mutant of the protocol.
///
/// # Errors
///
/// When no formulation can build the instance or the solver fails.
pub fn necessity(
    instance: &Instance,
    how: How<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Necessity, Error> {
    let how = how.start();
    let goal = instance.goal;
    let (built, whole) = whole(instance, how, progress)?;
    let program = built.program();
    let mut rules = Vec::new();
    for rule in present(program) {
        let found = if how.clock.over() {
            Optimum::UNKNOWN
        } else {
            let weaker = without(program, &[rule.group]);
            Optimum::of(&built, goal, how.solve(&weaker, true, progress)?)
        };
        rules.push((rule, found));
    }
    let mut mutants = Vec::new();
    let known = instance.protocol.mutants.keys();
    for mutant in known.filter(|_| instance.mutant.is_none()) {
        let weakened = Instance {
            mutant: Some(mutant.clone()),
            ..instance.clone()
        };
        if how.clock.over() {
            mutants.push((mutant.clone(), Optimum::UNKNOWN));
            continue;
        }
        // A mutant without rules has nothing to show.
        match how.build(&weakened, 0) {
            Ok(built) => {
                let solved = how.solve(built.program(), true, progress)?;
                mutants.push((mutant.clone(), Optimum::of(&built, goal, solved)));
            }
            Err(Error::Model(_)) => {}
            // What was found before is kept.
            Err(Error::Stopped { .. }) => mutants.push((mutant.clone(), Optimum::UNKNOWN)),
            Err(error) => return Err(error),
        }
    }
    Ok(Necessity {
        goal,
        within_slots: built.knows_slots(),
        whole,
        rules,
        mutants,
    })
}
