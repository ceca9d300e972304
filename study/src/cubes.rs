//! Cuts a program into cubes in words of the protocol and closes each: which replicas are faulty,
//! which view is the first to decide, how many honest replicas commit in each view.
//!
//! A cube that the linear relaxation does not close is cut further, where its point is no integer:
//! by these questions and then by single acts, where the formulation names some. Where there is
//! nothing left to cut two searches are asked. What is written is checked as `milp verify` checks
//! it before it is said to be a proof.

use crate::{
    Error,
    beside::Beside,
    clock::Clock,
    evidence, sentence,
    solve::{self, Solution, leaves_values_open},
    verify,
};
use milp_model::{
    Built,
    meaning::{Exchange, Expression, Meaning},
};
use milp_schema::{
    certificate::Part,
    outcome::{Certificate, Termination},
};
use milp_solver::{
    Again, Progress, Settings,
    close::{self, Attempt, Relaxation},
    cubes::{self, DEEPEST, Side},
};
use std::{collections::BTreeMap, ops::Range, sync::atomic::AtomicBool};

/// How a cube was closed, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By multipliers.
    Exact,
    /// It is the image of another one.
    Symmetric,
    /// By two searches.
    Searched,
    /// It holds something better than the incumbent, with this value.
    Better(i64),
    /// The limit came first.
    Open,
}

/// The cubes of a program.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The incumbent and what was proved of it.
    pub solution: Solution,
    /// How each cube ended, in order.
    pub endings: Vec<Ending>,
}

impl Cut {
    /// The cubes in words.
    pub fn words(&self) -> String {
        let count = |wanted: &dyn Fn(&Ending) -> bool| {
            self.endings.iter().filter(|ending| wanted(ending)).count()
        };
        let mut words = closed(
            self.endings.len(),
            count(&|ending| *ending == Ending::Exact),
            count(&|ending| *ending == Ending::Symmetric),
            count(&|ending| *ending == Ending::Searched),
        );
        let open = count(&|ending| matches!(ending, Ending::Open | Ending::Better(_)));
        if open > 0 {
            words = format!("{words}, {open} open");
        }
        for ending in &self.endings {
            if let Ending::Better(value) = ending {
                words = format!(
                    "{words}; one holds a schedule of value {value}, better than the start"
                );
            }
        }
        words
    }
}

/// How many of all cubes were closed how.
pub(crate) fn closed(all: usize, exact: usize, symmetric: usize, searched: usize) -> String {
    let cubes = milp_show::words::count(all as i64, "cube");
    format!(
        "{cubes}: {exact} closed in exact integers, {symmetric} by symmetry, {searched} by two \
         searches"
    )
}

/// Finds an incumbent without a proof, then cuts and closes.
///
/// # Errors
///
/// As for [`solve::solve`].
pub fn cut(
    request: &solve::Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Cut, Error> {
    let clock = Clock::start(request.settings, interrupt);
    let settings = Settings {
        prove: false,
        ..request.settings.clone()
    };
    let first = solve::Request {
        settings: &settings,
        adequacy: false,
        ..request.clone()
    };
    let mut solution = solve::solve(&first, interrupt, progress)?;
    let Some(value) = solution.outcome.primal else {
        return Ok(Cut {
            solution,
            endings: Vec::new(),
        });
    };
    let outcome = solution.outcome.clone();
    let (built, _) = match clock.build(move || verify::rebuilt(&outcome, Beside::Nothing)) {
        // The incumbent is kept.
        Err(Error::Stopped { .. }) => {
            return Ok(Cut {
                solution,
                endings: vec![Ending::Open],
            });
        }
        built => built?,
    };
    let meaning = built.meaning();
    let mut cutter = Cutter {
        built: &built,
        meaning: &meaning,
        value,
        settings: request.settings,
        interrupt,
        progress,
        clock,
        path: Vec::new(),
        alike: BTreeMap::new(),
        parts: Vec::new(),
        endings: Vec::new(),
    };
    cutter.cube()?;
    let (parts, endings) = (cutter.parts, cutter.endings);
    let open = |ending: &Ending| matches!(ending, Ending::Open | Ending::Better(_));
    let mut cut = Cut { solution, endings };
    if !cut.endings.iter().any(open) {
        cut.solution.evidence.parts.extend(parts);
        close(&mut cut.solution, &built, &meaning, value)?;
    }
    let words = cut.words();
    solution = cut.solution;
    let outcome = &mut solution.outcome;
    outcome.run.push(("cubes".to_owned(), words));
    outcome.seconds = clock.spent();
    solution.interrupted = clock.interrupted() && !outcome.proved;
    Ok(Cut {
        solution,
        endings: cut.endings,
    })
}

/// Checks the cubes of the evidence and says what follows.
fn close(
    solution: &mut Solution,
    built: &Built,
    meaning: &Meaning,
    value: i64,
) -> Result<(), Error> {
    let goal = solution.outcome.instance.goal;
    if leaves_values_open(built, goal, value as f64) {
        return Ok(());
    }
    let exchange = |first, second| built.exchange(first, second);
    let evidence = &solution.evidence;
    let closed = cubes::check(built.program(), meaning, &exchange, value, evidence.cubes());
    let closed = closed.map_err(|why| Error::Refused(format!("a defect here: {why}")))?;
    let certificate = verify::certificate(&closed, evidence, Some(value));
    prove(solution, certificate);
    Ok(())
}

/// Says that nothing is better than the incumbent.
fn prove(solution: &mut Solution, certificate: Certificate) {
    let outcome = &mut solution.outcome;
    let dual = outcome.primal.map(|primal| primal as f64);
    outcome.termination = Termination::Optimal;
    outcome.dual = dual;
    outcome.proved = true;
    outcome.certificate = certificate;
    outcome.sentence = sentence::again(outcome, solution.schedule.as_ref(), "");
    outcome.certificate_sha256 = evidence::hash(&solution.evidence);
}

/// Past so many closed cubes nothing is cut any more: what is left is searched.
const MOST_CUBES: usize = 2000;

/// The solver's integers are no better.
const TOLERANCE: f64 = 1e-6;

struct Cutter<'a> {
    built: &'a Built,
    meaning: &'a Meaning,
    value: i64,
    settings: &'a Settings,
    interrupt: &'a AtomicBool,
    progress: &'a mut dyn FnMut(&Progress),
    clock: Clock<'a>,
    path: Vec<Side>,
    /// Pairs of replicas that were looked at, and whether they may change places.
    alike: BTreeMap<(u32, u32), bool>,
    parts: Vec<Part>,
    endings: Vec<Ending>,
}

impl Cutter<'_> {
    /// Closes the cube of the path, or cuts it.
    fn cube(&mut self) -> Result<(), Error> {
        let stopped = self
            .endings
            .last()
            .is_some_and(|ending| matches!(ending, Ending::Open | Ending::Better(_)));
        if stopped || self.clock.over() {
            self.endings.push(Ending::Open);
            return Ok(());
        }
        if let Some(replicas) = self.symmetric() {
            self.close(Part::Symmetric { replicas }, Ending::Symmetric);
            return Ok(());
        }
        let settings = self.limits();
        let attempt = self.attempt(&settings);
        let relaxed = close::by_multipliers(attempt, &self.path, self.progress)?;
        if let Relaxation::Closed(multipliers) = relaxed {
            let program = self.built.program();
            let own = program.rows.iter().map(|row| row.name.clone());
            let names: Vec<String> = own
                .chain((1..=self.path.len()).map(|depth| format!("cube_{depth}")))
                .collect();
            let part = evidence::bound(names.iter().map(String::as_str), &multipliers);
            self.close(part, Ending::Exact);
            return Ok(());
        }
        let Some((expression, at)) = self.next(&relaxed) else {
            return self.search();
        };
        self.parts.push(Part::Split {
            expression: expression.name.clone(),
            at,
        });
        for above in [false, true] {
            self.path.push(Side {
                expression: expression.clone(),
                at,
                above,
            });
            self.cube()?;
            self.path.pop();
        }
        Ok(())
    }

    fn close(&mut self, part: Part, ending: Ending) {
        self.parts.push(part);
        self.endings.push(ending);
    }

    fn search(&mut self) -> Result<(), Error> {
        let settings = self.limits();
        let attempt = self.attempt(&settings);
        match close::by_searches(attempt, &self.path, self.progress)? {
            Ok(seed) => self.close(Part::Searched { seed }, Ending::Searched),
            Err(Again::Better(value)) => self.endings.push(Ending::Better(value)),
            Err(_) => self.endings.push(Ending::Open),
        }
        Ok(())
    }

    fn limits(&self) -> Settings {
        Settings {
            warm_start: None,
            ..self.clock.settings(self.settings)
        }
    }

    fn attempt<'s>(&self, settings: &'s Settings) -> Attempt<'s>
    where
        Self: 's,
    {
        Attempt {
            program: self.built.program(),
            value: self.value,
            settings,
            interrupt: self.interrupt,
        }
    }

    /// Two replicas alike of which the smaller is not faulty and the larger is.
    fn symmetric(&mut self) -> Option<(u32, u32)> {
        let place = |side: &Side| {
            let list = self.meaning.faulty.iter().zip(0u32..);
            let mut known = list.filter(|(expression, _)| **expression == side.expression);
            known.next().map(|(_, replica)| (replica, side.above))
        };
        let known: Vec<(u32, bool)> = self.path.iter().filter_map(place).collect();
        let &(larger, true) = known.last()? else {
            return None;
        };
        // A relaxation may ask about them in another order than theirs.
        let sound = known
            .iter()
            .filter(|&&(smaller, above)| !above && smaller < larger);
        let pairs: Vec<(u32, u32)> = sound.map(|&(smaller, _)| (smaller, larger)).collect();
        let (built, meaning) = (self.built, self.meaning);
        let exchange: Exchange = &|first, second| built.exchange(first, second);
        pairs.into_iter().find(|&(smaller, larger)| {
            let found = self.alike.entry((smaller, larger));
            *found.or_insert_with(|| {
                cubes::alike(built.program(), meaning, exchange, (smaller, larger)).is_ok()
            })
        })
    }

    /// What to cut next, and where: the first word whose value at the relaxation's point is no
    /// integer, so that neither half has that point; where all values are, the first question that
    /// the path leaves open.
    fn next(&self, relaxed: &Relaxation) -> Option<(Expression, i64)> {
        if self.path.len() == DEEPEST || self.endings.len() >= MOST_CUBES {
            return None;
        }
        let meaning = self.meaning;
        let who = meaning.faulty.iter().chain(&meaning.faulty_parts);
        let questions = who.chain(self.first_to_decide()).chain(&meaning.commits);
        let mut words = questions.clone().chain(&meaning.acts);
        let between = |word: &Expression| {
            let value = relaxed.value(word)?;
            let at = value.floor() as i64;
            let open = self.left(word).contains(&at);
            ((value - value.round()).abs() > TOLERANCE && open).then_some(at)
        };
        let cut = |word: &Expression, at| (word.clone(), at);
        let first = words.find_map(|word| between(word).map(|at| cut(word, at)));
        first.or_else(|| {
            let mut questions = questions;
            questions.find_map(|word| self.left(word).next().map(|at| cut(word, at)))
        })
    }

    /// Where the path leaves an expression to be cut.
    fn left(&self, expression: &Expression) -> Range<i64> {
        let (mut least, mut most) = self.meaning.range(expression, self.built.program());
        for side in self
            .path
            .iter()
            .filter(|side| side.expression == *expression)
        {
            if side.above {
                least = least.max(side.at + 1);
            } else {
                most = most.min(side.at);
            }
        }
        least..most
    }

    /// How many decide in each view, up to the first that is said to decide: how many do, and what
    /// later views do, is left open.
    fn first_to_decide(&self) -> impl Iterator<Item = &Expression> + Clone {
        let decides = |decided: &Expression| {
            let mut sides = self.path.iter();
            sides.any(|side| side.above && side.expression == *decided)
        };
        let decided = self.meaning.decided.iter();
        let first = decided.clone().position(decides);
        decided.take(first.unwrap_or(usize::MAX))
    }
}
