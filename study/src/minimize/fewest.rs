//! The solves of a minimisation, stage by stage.

use crate::{Error, clock::Clock};
use milp_model::{
    expr::Expr,
    program::{Family, FamilyId, Program, Row, Tag},
};
use milp_schema::{Act, instance::Sense, outcome::Termination};
use milp_solver::{Progress, Settings, Solved};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};

/// What became of one kind of act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The kind.
    pub act: Act,
    /// How many the given schedule has.
    pub before: i64,
    /// How many the new one has.
    pub after: i64,
    /// Whether fewer are impossible, with the value and the earlier kinds as they are, by a
    /// certificate.
    pub proved: bool,
    /// Fewer than these are impossible, in the same sense.
    pub least: i64,
    /// Branch-and-bound nodes of the stage.
    pub nodes: i64,
}

impl Stage {
    /// The same kind where the given schedule stays, which has so many.
    pub(super) fn untouched(self, has: &BTreeMap<Act, i64>) -> Self {
        Self {
            after: has[&self.act],
            proved: false,
            least: self.least.min(has[&self.act]),
            ..self
        }
    }
}

/// The solves, one per kind of act.
pub(super) struct Lexicographic<'a> {
    pub(super) program: &'a Program,
    pub(super) settings: &'a Settings,
    /// The limit is for all stages together.
    pub(super) clock: Clock<'a>,
    pub(super) interrupt: &'a AtomicBool,
    /// Nodes of the search that minimises: [`NODES`].
    pub(super) nodes: u32,
}

impl Lexicographic<'_> {
    /// The last point found, if any stage found one, and what became of each kind.
    pub(super) fn solve(
        &self,
        value: i64,
        acts: &[(Act, Expr)],
        before: &BTreeMap<Act, i64>,
        start: Vec<Option<i64>>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(Option<Vec<i64>>, Vec<Stage>), Error> {
        let mut program = self.program.clone();
        let objective = std::mem::take(&mut program.objective);
        let constant = std::mem::take(&mut program.constant);
        let family = keep(&mut program);
        fix(&mut program, family, "value", objective, value - constant);
        program.sense = Sense::Minimize;
        let mut stages = Vec::new();
        // A start that is a whole point stays whatever comes.
        let mut point = start.iter().copied().collect::<Option<Vec<i64>>>();
        let mut start = start;
        for (act, count) in acts {
            program.objective = count.terms().collect();
            program.constant = count.constant();
            let mut search = Fewest {
                of: self,
                nodes: 0,
                least: 0,
                start: &mut start,
            };
            let (found, closed) = search.solve(&program, family, progress)?;
            let (nodes, least) = (search.nodes, search.least);
            point = found.or(point);
            // What was not settled is what the best schedule has, and not proved.
            let after = point
                .as_ref()
                .map_or(before[act], |point| program.value(point));
            let settled = stages.iter().all(|stage: &Stage| stage.proved);
            let proved = closed && settled;
            stages.push(Stage {
                act: *act,
                before: before[act],
                after,
                proved,
                least: match (proved, settled) {
                    (true, _) => after,
                    (false, true) => least.clamp(0, after),
                    (false, false) => 0,
                },
                nodes,
            });
            let terms = program.objective.clone();
            let constant = program.constant;
            fix(
                &mut program,
                family,
                &format!("{act:?}"),
                terms,
                after - constant,
            );
        }
        Ok((point, stages))
    }
}

impl Lexicographic<'_> {
    /// The point of that value that a start is part of, if there is one. Neither the limit nor an
    /// interrupt stops this: what is fixed is soon solved.
    pub(super) fn completed(
        &self,
        value: i64,
        start: &[Option<i64>],
    ) -> Result<Option<Vec<i64>>, Error> {
        let mut program = self.program.clone();
        for (column, value) in program.columns.iter_mut().zip(start) {
            if let Some(value) = *value {
                (column.lower, column.upper) = (value, value);
            }
        }
        let settings = Settings {
            prove: false,
            warm_start: None,
            time_limit_seconds: SECONDS,
            ..self.settings.clone()
        };
        let never = AtomicBool::new(false);
        let solved = milp_solver::solve(&program, &settings, &never, &mut |_| ())?;
        Ok(solved.point.filter(|_| solved.primal == Some(value)))
    }
}

/// So many seconds there are to complete a start.
const SECONDS: f64 = 20.0;

/// Nodes of the search that minimises; what it leaves open is asked step by step.
pub(super) const NODES: u32 = 300;

/// The search for the least count of one kind.
struct Fewest<'a> {
    of: &'a Lexicographic<'a>,
    nodes: i64,
    /// The best bound so far.
    least: i64,
    start: &'a mut Vec<Option<i64>>,
}

impl Fewest<'_> {
    /// The best point found, and whether a certificate says that there is none better.
    ///
    /// Minimising finds good points soon and closes seldom: the relaxation needs next to no act.
    /// A row that allows one act fewer than the best point has fixes far more from the start; it
    /// is added until the answer is no.
    fn solve(
        &mut self,
        program: &Program,
        family: FamilyId,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(Option<Vec<i64>>, bool), Error> {
        // Without time a stage has nothing to say, not even what the start has: that is kept.
        if self.of.clock.over() {
            return Ok((None, false));
        }
        let solved = self.search(program, Some(self.of.nodes), progress)?;
        // What is counted is whole; a bound that is a little above a whole number is that number.
        self.least = solved.dual.map_or(0, |dual| (dual - 1e-6).ceil() as i64);
        if solved.termination == Termination::Infeasible {
            return Err(Error::Refused(
                "no schedule of formulation timed has the value of the result".to_owned(),
            ));
        }
        let (mut point, mut closed) = (solved.point, solved.proved);
        while let (Some(best), false) = (&point, closed || self.of.clock.over()) {
            let mut fewer = program.clone();
            let most = program.value(best) - 1 - program.constant;
            let terms = program.objective.clone();
            fix(&mut fewer, family, "fewer", terms, most);
            if let Some(row) = fewer.rows.last_mut() {
                row.lower = None;
            }
            let solved = self.search(&fewer, None, progress)?;
            match (solved.termination, solved.point) {
                (Termination::Infeasible, _) => {
                    closed = solved.proved;
                    break;
                }
                (_, Some(better)) => {
                    point = Some(better);
                    closed = solved.proved;
                }
                (_, None) => break,
            }
        }
        Ok((point, closed))
    }

    fn search(
        &mut self,
        program: &Program,
        nodes: Option<u32>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Solved, Error> {
        let given = self.of.settings;
        let mut settings = Settings {
            warm_start: Some(self.start.clone()),
            ..self.of.clock.settings(given)
        };
        if let Some(nodes) = nodes {
            let limit = ("mip_max_nodes".to_owned(), nodes.to_string());
            settings.options.push(limit);
        } else {
            // What there is has one act too many.
            settings.warm_start = None;
        }
        let solved = milp_solver::solve(program, &settings, self.of.interrupt, progress)?;
        self.nodes += solved.nodes;
        if let Some(found) = &solved.point {
            *self.start = found.iter().copied().map(Some).collect();
        }
        Ok(solved)
    }
}

/// The family of the rows that keep what was reached.
fn keep(program: &mut Program) -> FamilyId {
    program
        .families
        .push(Family::new("kept", "E9", Tag::Budget));
    FamilyId(program.families.len() as u32 - 1)
}

fn fix(
    program: &mut Program,
    family: FamilyId,
    what: &str,
    terms: Vec<(milp_model::program::Col, i64)>,
    value: i64,
) {
    program.rows.push(Row {
        name: format!("kept_{}", what.to_lowercase()),
        family,
        terms,
        lower: Some(value),
        upper: Some(value),
    });
}

#[cfg(test)]
mod tests {
    //! What the search leaves open is settled by rows that allow one act fewer.

    use super::{Lexicographic, NODES, Stage, fix, keep};
    use crate::{clock::Clock, testing::settings};
    use milp_model::{
        expr::Expr,
        formulation::timed::{Built, with_acts},
    };
    use milp_schema::{Act, instance::Sense, read};
    use std::{collections::BTreeMap, sync::atomic::AtomicBool};

    /// Two replicas send a request, a response and both commits, one of which has to be late.
    const VALUE: i64 = 4;

    /// A point of that value with the most acts of the first kind, or the fewest.
    fn extreme(built: &Built, act: &Expr, sense: Sense) -> Vec<i64> {
        let mut program = built.program.clone();
        let objective = std::mem::take(&mut program.objective);
        let constant = std::mem::take(&mut program.constant);
        let family = keep(&mut program);
        fix(&mut program, family, "value", objective, VALUE - constant);
        (program.sense, program.objective) = (sense, act.terms().collect());
        let none = AtomicBool::new(false);
        let solved = milp_solver::solve(&program, &settings(), &none, &mut |_| ());
        solved.expect("it solves").point.expect("a point")
    }

    fn stages(built: &Built, acts: &[(Act, Expr)], start: &[i64], nodes: u32) -> Vec<Stage> {
        let none = AtomicBool::new(false);
        let settings = settings();
        let lexicographic = Lexicographic {
            program: &built.program,
            settings: &settings,
            clock: Clock::start(&settings, &none),
            interrupt: &none,
            nodes,
        };
        let before: BTreeMap<Act, i64> = acts.iter().map(|(act, _)| (*act, 0)).collect();
        let start = start.iter().copied().map(Some).collect();
        let solved = lexicographic.solve(VALUE, acts, &before, start, &mut |_| ());
        solved.expect("it solves").1
    }

    #[test]
    fn one_act_fewer_is_asked_until_there_is_none() {
        let text = "format: milp-instance/2.0\nprotocol: dbft2\nreplicas: 2\nviews: 1\n\
                    slots: 5\nnetwork: asynchronous\nbudget: {timeouts: 0}\n\
                    goal: {weighted: {sense: maximize, blocks: -100, messages: 1}}\n";
        let instance = read::instance_text("instance.yaml", text).expect("an instance");
        let (built, mut acts) = with_acts(&instance).expect("timed supports it");
        acts.retain(|(act, _)| *act == Act::Late);
        let count = |point: &[i64]| -> i64 {
            let terms = acts[0].1.terms();
            terms.map(|(col, k)| k * point[col.index()]).sum()
        };
        let most = extreme(&built, &acts[0].1, Sense::Maximize);
        let least = extreme(&built, &acts[0].1, Sense::Minimize);
        assert!(count(&most) > count(&least) && count(&least) > 0);
        for (start, nodes) in [(&most, NODES), (&most, 0), (&least, 0)] {
            let [stage] = stages(&built, &acts, start, nodes)[..] else {
                panic!("one kind of act");
            };
            assert_eq!((stage.after, stage.proved), (count(&least), true));
        }
    }
}
