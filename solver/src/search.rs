//! What a solve does step by step: warm start, relaxation and exact bound, search, proof.

use crate::{
    Error, GOOD_LP, GRACE, Phase, Progress, Settings, Solved,
    backend::highs::{self, Ending, Request, Run, Sample},
    exact::{self, Grid, Multipliers},
    proof::{Answer, Proof, Question},
    statement::{Order, Variant, absolute_gap, state},
};
use milp_model::program::Program;
use milp_schema::outcome::{Certificate, Termination};
use std::{sync::atomic::AtomicBool, sync::atomic::Ordering, time::Instant};

/// Share of the remaining time that the relaxation, or completing a warm start, may take: what
/// they give is worth less than a search.
const AUXILIARY_SHARE: f64 = 0.25;

/// Nodes that completing a partial warm start may take.
const COMPLETION_NODES: &str = "500";

/// The linear relaxation as the solver left it, in its floating point.
pub(crate) struct Relaxed {
    /// Duals, one per row of the program.
    pub(crate) duals: Vec<f64>,
    /// The point, one value per column of the program, if there is one.
    pub(crate) point: Option<Vec<f64>>,
}

/// An integer point and its objective, both exact.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Incumbent {
    point: Vec<i64>,
    value: i64,
}

/// Everything known so far.
pub(crate) struct Search<'a> {
    program: &'a Program,
    settings: &'a Settings,
    interrupt: &'a AtomicBool,
    progress: &'a mut dyn FnMut(&Progress),
    began: Instant,
    pub(crate) grid: Grid,
    /// The tightest exact bound and its multipliers; the objective's own range at first.
    safe: (i64, Multipliers),
    best: Option<Incumbent>,
    started_from: Option<i64>,
    root_bound: Option<f64>,
    /// How the search ended, if it was begun.
    ending: Option<Ending>,
    /// The search's bound on the grid.
    bound: Option<i64>,
    nodes: i64,
    proof_nodes: i64,
    setbacks: Vec<String>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        program: &'a Program,
        settings: &'a Settings,
        interrupt: &'a AtomicBool,
        progress: &'a mut dyn FnMut(&Progress),
    ) -> Result<Self, Error> {
        let multipliers = Multipliers::zero(program);
        let bound = exact::safe_dual_bound(program, &multipliers)?;
        #[expect(clippy::disallowed_methods, reason = "the time limit is by the clock")]
        let began = Instant::now();
        Ok(Self {
            program,
            settings,
            interrupt,
            progress,
            began,
            grid: Grid::of(program),
            safe: (bound, multipliers),
            best: None,
            started_from: None,
            root_bound: None,
            ending: None,
            bound: None,
            nodes: 0,
            proof_nodes: 0,
            setbacks: Vec::new(),
        })
    }

    /// Seconds left; never below zero.
    fn remaining(&self) -> f64 {
        (self.settings.time_limit_seconds - self.began.elapsed().as_secs_f64()).max(0.0)
    }

    fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Whether nothing more is to be begun.
    fn over(&self) -> bool {
        self.interrupted() || self.remaining() <= 0.0
    }

    pub(crate) fn best_value(&self) -> Option<i64> {
        self.best.as_ref().map(|best| best.value)
    }

    /// Whether the exact bound meets the incumbent, so that nothing is left to do.
    pub(crate) fn closed(&self) -> bool {
        self.settings.prove && self.best_value() == Some(self.safe.0)
    }

    /// Whether the search claims something that a proof could confirm.
    pub(crate) fn claims(&self) -> bool {
        match self.ending {
            Some(Ending::Infeasible) => self.best.is_none(),
            Some(_) => self.best.is_some() && self.bound == self.best_value(),
            None => false,
        }
    }

    /// Takes a certified point if it is the best so far.
    fn offer(&mut self, point: Vec<i64>) -> Result<(), Error> {
        let value = exact::value(self.program, &point)?;
        if self.grid.improves(value, self.safe.0) {
            return Err(Error::Contradiction {
                primal: value,
                bound: self.safe.0,
            });
        }
        if self
            .best_value()
            .is_none_or(|best| self.grid.improves(value, best))
        {
            self.best = Some(Incumbent { point, value });
        }
        Ok(())
    }

    /// Completes and certifies the warm start.
    pub(crate) fn warm_start(&mut self) -> Result<(), Error> {
        let Some(start) = &self.settings.warm_start else {
            return Ok(());
        };
        let fits = |(column, value): (&milp_model::program::Column, &Option<i64>)| {
            value.is_none_or(|value| (column.lower..=column.upper).contains(&value))
        };
        if !self.program.columns.iter().zip(start).all(fits) {
            return Ok(());
        }
        let complete: Option<Vec<i64>> = start.iter().copied().collect();
        let point = match complete {
            Some(point) => Some(point),
            None => self.complete(start)?,
        };
        let Some(point) = point else { return Ok(()) };
        if exact::certify(self.program, &point).is_ok() {
            self.started_from = Some(exact::value(self.program, &point)?);
            self.offer(point)?;
        }
        Ok(())
    }

    /// A good point with the known values fixed, if a short search finds one.
    ///
    /// `HiGHS` would complete the start itself, but then reports bounds of the restricted
    /// program as if they were bounds of the whole one.
    ///
    /// A start is something found, so its completion, which takes next to no time, is tried for
    /// [`GRACE`] even if the limit or an interrupt came before.
    fn complete(&mut self, start: &[Option<i64>]) -> Result<Option<Vec<i64>>, Error> {
        let variant = Variant {
            fixed: start,
            ..Variant::plain(self.program)
        };
        let mut options = self.settings.options.clone();
        options.push(("mip_max_nodes".to_owned(), COMPLETION_NODES.to_owned()));
        let grace = self.began.elapsed().as_secs_f64() + GRACE.as_secs_f64();
        let stopped = || self.over() && self.began.elapsed().as_secs_f64() > grace;
        let Some((model, layout)) = state(self.program, variant, &stopped)? else {
            return Ok(None);
        };
        let (seconds, interrupt) = if self.over() {
            (GRACE.as_secs_f64(), &AtomicBool::new(false))
        } else {
            (self.remaining() * AUXILIARY_SHARE, self.interrupt)
        };
        let request = Request {
            seconds,
            options: &options,
            ..self.request()
        };
        let run = self.run_until(interrupt, Phase::WarmStart, model, &request);
        let run = self.forgive("completing the warm start", run)?;
        Ok(run
            .and_then(|run| run.columns)
            .map(|columns| layout.point(&columns)))
    }

    /// Solves the linear relaxation.
    pub(crate) fn relaxation(&mut self) -> Result<Option<(Run, Relaxed)>, Error> {
        if self.over() {
            return Ok(None);
        }
        let variant = Variant {
            integer: false,
            ..Variant::plain(self.program)
        };
        let Some((model, layout)) = state(self.program, variant, &|| self.over())? else {
            return Ok(None);
        };
        let request = Request {
            seconds: self.remaining() * AUXILIARY_SHARE,
            ..self.request()
        };
        let run = self.run(Phase::Relaxation, model, &request);
        let run = self.forgive("the relaxation", run)?;
        Ok(run.map(|run| {
            let columns = run.columns.as_deref();
            let relaxed = Relaxed {
                duals: layout.multipliers(&run.row_duals, self.program.rows.len()),
                point: columns.map(|columns| layout.values(columns)),
            };
            (run, relaxed)
        }))
    }

    /// Solves the linear relaxation and derives an exact bound from its duals.
    pub(crate) fn relax(&mut self) -> Result<(), Error> {
        let Some((run, relaxed)) = self.relaxation()? else {
            return Ok(());
        };
        // Any multipliers bound the program, those of an unfinished run included.
        self.root_bound = Some(run.objective).filter(|_| run.ending == Ending::Optimal);
        if let Some((bound, multipliers)) = exact::best_rounding(self.program, &relaxed.duals)
            && self.grid.improves(self.safe.0, bound)
        {
            self.safe = (bound, multipliers);
        }
        match self.best_value() {
            Some(primal) if self.grid.improves(primal, self.safe.0) => Err(Error::Contradiction {
                primal,
                bound: self.safe.0,
            }),
            _ => Ok(()),
        }
    }

    /// The search proper.
    pub(crate) fn branch_and_bound(&mut self) -> Result<(), Error> {
        if self.interrupted() {
            return Ok(());
        }
        let variant = Variant::plain(self.program);
        let Some((model, layout)) = state(self.program, variant, &|| self.over())? else {
            return Ok(());
        };
        let start = self.best.as_ref().map(|best| layout.positions(&best.point));
        let request = Request {
            start: start.as_deref().unwrap_or_default(),
            target: self.settings.prove.then(|| self.target()),
            ..self.request()
        };
        let run = self.run(Phase::Search, model, &request)?;
        self.nodes = run.nodes;
        self.ending = Some(run.ending);
        let point = run.columns.map(|columns| layout.point(&columns));
        match point.map(|point| (exact::certify(self.program, &point), point)) {
            Some((Ok(()), point)) => self.offer(point)?,
            // What a run said on its way is worth less than what it ends with.
            Some((Err(violations), _)) if run.ending == Ending::Left => self
                .setbacks
                .push(format!("the search: its point violates {}", violations[0])),
            Some((Err(mut violations), _)) => {
                violations.truncate(5);
                return Err(Error::NotExact { violations });
            }
            None => {}
        }
        if run.ending != Ending::Infeasible {
            self.bound = self.grid.round_solver_bound(run.dual_bound);
        }
        Ok(())
    }

    /// An objective that only points which meet the exact bound are better than.
    fn target(&self) -> f64 {
        let half = self.grid.step as f64 / 2.0;
        let bound = self.safe.0 as f64;
        if self.grid.improves(1, 0) {
            bound - half
        } else {
            bound + half
        }
    }

    /// Solves the program again in another order, for something better than what is known.
    pub(crate) fn ask(&mut self, question: Question) -> Result<Answer, Error> {
        if self.over() {
            return Ok(Answer::Silence);
        }
        let variant = Variant {
            integer: true,
            order: Order::shuffled(self.program, question.seed),
            fixed: &[],
            at_least: question.at_least,
        };
        let Some((model, layout)) = state(self.program, variant, &|| self.over())? else {
            return Ok(Answer::Silence);
        };
        // The high bits of the seed only tell permutations apart.
        let request = Request {
            seed: question.seed as u32,
            ..self.request()
        };
        let run = self.run(Phase::Proof, model, &request);
        let Some(run) = self.forgive("the proof", run)? else {
            return Ok(Answer::Silence);
        };
        self.proof_nodes += run.nodes;
        if run.ending == Ending::Infeasible {
            return Ok(Answer::Nothing);
        }
        let point = run.columns.map(|columns| layout.point(&columns));
        // A point that is none in exact integers refutes nothing; nor does it confirm.
        let Some(point) = point else {
            return Ok(Answer::Silence);
        };
        if let Err(violations) = exact::certify(self.program, &point) {
            self.setbacks
                .push(format!("the proof: its point violates {}", violations[0]));
            return Ok(Answer::Silence);
        }
        let value = exact::value(self.program, &point)?;
        if question
            .at_least
            .is_some_and(|wanted| self.grid.improves(wanted, value))
        {
            return Ok(Answer::Silence);
        }
        self.offer(point)?;
        self.bound = self.grid.round_solver_bound(run.dual_bound);
        self.ending = Some(run.ending);
        Ok(Answer::Better {
            value,
            optimal: self.claims(),
        })
    }

    /// What every run is asked, apart from what its phase adds.
    fn request(&self) -> Request<'a> {
        Request {
            seconds: self.remaining(),
            relative_gap: self.settings.relative_gap,
            absolute_gap: absolute_gap(self.grid),
            target: None,
            offset: self.program.constant as f64,
            threads: self.settings.threads,
            seed: self.settings.seed,
            presolve: self.settings.presolve,
            start: &[],
            options: &self.settings.options,
        }
    }

    /// A breakdown of the solver in an auxiliary run costs what that run would have given, not
    /// what is known already.
    fn forgive(&mut self, what: &str, run: Result<Run, Error>) -> Result<Option<Run>, Error> {
        match run {
            Err(error @ Error::Backend { .. }) => {
                self.setbacks.push(format!("{what}: {error}"));
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Runs a model and passes on what it says as progress of the whole.
    fn run(
        &mut self,
        phase: Phase,
        model: ::highs::Model,
        request: &Request<'_>,
    ) -> Result<Run, Error> {
        self.run_until(self.interrupt, phase, model, request)
    }

    fn run_until(
        &mut self,
        interrupt: &AtomicBool,
        phase: Phase,
        model: ::highs::Model,
        request: &Request<'_>,
    ) -> Result<Run, Error> {
        let (grid, began, safe) = (self.grid, self.began, self.safe.0);
        let (best, known) = (self.best_value(), self.tightest());
        let nodes = self.nodes + self.proof_nodes;
        let searching = phase == Phase::Search;
        let progress = &mut *self.progress;
        let mut report = |sample: &Sample| {
            // Only the search works on the whole program: the bounds and points of a completion,
            // a relaxation or a proof are those of another one.
            let found = sample
                .incumbent
                .filter(|_| searching)
                .map(|value| value.round() as i64);
            let incumbent = match (best, found) {
                (Some(best), Some(found)) if grid.improves(best, found) => Some(best),
                (best, found) => found.or(best),
            };
            let bound = sample.bound.filter(|_| searching);
            let bound = bound.and_then(|bound| grid.round_solver_bound(bound));
            let bound = bound.map_or(known, |bound| grid.tighter(bound, safe)) as f64;
            let gap = incumbent.and_then(|value| gap(value as f64, bound));
            let seconds = began.elapsed().as_secs_f64();
            let nodes = nodes + sample.nodes * i64::from(phase != Phase::WarmStart);
            progress(&Progress {
                phase,
                incumbent,
                bound,
                gap,
                nodes,
                seconds,
            });
        };
        report(&Sample::default());
        highs::run(model, request, interrupt, &mut report)
    }

    /// The tightest bound that is not refuted by the incumbent.
    fn tightest(&self) -> i64 {
        match (self.bound, self.best_value()) {
            (Some(bound), Some(best)) if self.grid.improves(best, bound) => self.safe.0,
            (Some(bound), _) => self.grid.tighter(bound, self.safe.0),
            (None, _) => self.safe.0,
        }
    }

    /// Says what all of it amounts to.
    pub(crate) fn finish(self, proof: Proof) -> Result<Solved, Error> {
        let primal = self.best_value();
        let closed = self.closed();
        let proved = closed || proof.seed.is_some();
        let certificate = match proof.seed {
            _ if closed => Certificate::SafeDualBound { bound: self.safe.0 },
            Some(seed) => Certificate::PermutedInfeasible { seed },
            None => Certificate::None,
        };
        let termination = match primal {
            Some(_) if proved || primal == Some(self.tightest()) => Termination::Optimal,
            Some(_) => Termination::Feasible,
            None if self.ending == Some(Ending::Infeasible) => Termination::Infeasible,
            None => Termination::Undecided,
        };
        let dual = match termination {
            Termination::Infeasible => None,
            Termination::Optimal => primal,
            Termination::Feasible | Termination::Undecided => Some(self.tightest()),
        };
        if let Some(best) = &self.best {
            // Once more on the way out: nothing uncertified leaves, whatever happened above.
            exact::certify(self.program, &best.point)
                .map_err(|violations| Error::NotExact { violations })?;
        }
        Ok(Solved {
            termination,
            primal,
            dual: dual.map(|dual| dual as f64),
            root_bound: self.root_bound,
            certificate,
            multipliers: closed.then_some(self.safe.1),
            proved,
            refuted: proof.refuted || self.ending == Some(Ending::Infeasible) && primal.is_some(),
            started_from: self.started_from,
            nodes: self.nodes,
            proof_nodes: self.proof_nodes,
            setbacks: self.setbacks,
            seconds: self.began.elapsed().as_secs_f64(),
            versions: vec![
                (
                    "milp-solver".to_owned(),
                    env!("CARGO_PKG_VERSION").to_owned(),
                ),
                ("good_lp".to_owned(), GOOD_LP.to_owned()),
                ("highs".to_owned(), highs::version()),
            ],
            point: self.best.map(|best| best.point),
        })
    }
}

/// `|bound − primal| / |primal|`.
fn gap(primal: f64, bound: f64) -> Option<f64> {
    let distance = (bound - primal).abs();
    if distance == 0.0 {
        return Some(0.0);
    }
    (primal != 0.0).then(|| distance / primal.abs())
}

#[cfg(test)]
mod tests {
    use crate::{
        GOOD_LP,
        backend::highs::{self, Ending, Request, Run},
        exact::certify,
        statement::{Order, Variant, state},
        support::{DenseRow, Dice, program},
    };
    use milp_model::program::Program;
    use milp_schema::instance::Sense;
    use std::sync::atomic::AtomicBool;

    /// A market split: four equalities over forty items with a planted point. Finding any point
    /// takes a search very long.
    fn market_split() -> (Program, Vec<i64>) {
        let mut dice = Dice(11);
        let planted: Vec<i64> = (0..40).map(|_| dice.roll(0, 1)).collect();
        let dense: Vec<Vec<i64>> = (0..4)
            .map(|_| (0..40).map(|_| dice.roll(1, 99)).collect())
            .collect();
        let side = |row: &Vec<i64>| row.iter().zip(&planted).map(|(a, x)| a * x).sum();
        let rows: Vec<DenseRow<'_>> = dense
            .iter()
            .map(|row| (Some(side(row)), row.as_slice(), Some(side(row))))
            .collect();
        (
            program(Sense::Maximize, &[(0, 1); 40], &[1; 40], 0, &rows),
            planted,
        )
    }

    /// Half a second of search in a shuffled order, from a start or from nothing.
    fn briefly(program: &Program, start: Option<&[i64]>) -> (Run, Option<Vec<i64>>) {
        let order = Order::shuffled(program, 1);
        let variant = Variant {
            order,
            ..Variant::plain(program)
        };
        let stated = state(program, variant, &|| false).expect("a sound program");
        let (model, layout) = stated.expect("nothing stops it");
        let start = start
            .map(|start| layout.positions(start))
            .unwrap_or_default();
        let request = Request {
            seconds: 0.5,
            relative_gap: 0.0,
            absolute_gap: 0.5,
            target: None,
            offset: 0.0,
            threads: 1,
            seed: 1,
            presolve: true,
            start: &start,
            options: &[],
        };
        let never = AtomicBool::new(false);
        let run = highs::run(model, &request, &never, &mut |_| {}).expect("a run");
        let point = run.columns.as_ref().map(|columns| layout.point(columns));
        (run, point)
    }

    #[test]
    fn highs_takes_a_start_for_its_incumbent() {
        let (program, planted) = market_split();
        let (run, point) = briefly(&program, None);
        assert_eq!((run.ending, point), (Ending::Limit, None));
        let (run, point) = briefly(&program, Some(&planted));
        assert_eq!(run.ending, Ending::Limit);
        let point = point.expect("the start at least");
        assert_eq!(certify(&program, &point), Ok(()));
        assert!(run.objective >= planted.iter().sum::<i64>() as f64);
    }

    #[test]
    fn the_version_of_good_lp_is_that_of_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        assert!(lock.contains(&format!("name = \"good_lp\"\nversion = \"{GOOD_LP}\"")));
    }
}
