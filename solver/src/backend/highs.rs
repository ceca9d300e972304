//! `HiGHS`: options, callbacks, warm start and results that `good_lp` and `highs` do not pass on.

#![expect(
    unsafe_code,
    reason = "callbacks, node counts and names exist only in the C interface"
)]

use crate::{
    Error,
    aside::{Limits, Voice, aside},
};
use highs::{HighsModelStatus, HighsSolutionStatus, Model, SolvedModel};
use highs_sys::{
    Highs_changeObjectiveOffset, Highs_getInt64InfoValue, Highs_githash, Highs_setCallback,
    Highs_setSparseSolution, Highs_startCallback, Highs_version, HighsCallbackDataIn,
    HighsCallbackDataOut, HighsInt, STATUS_ERROR, STATUS_OK, kHighsCallbackIpmInterrupt,
    kHighsCallbackMipImprovingSolution, kHighsCallbackMipInterrupt, kHighsCallbackMipLogging,
    kHighsCallbackSimplexInterrupt,
};
use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int, c_void},
    slice,
    sync::atomic::AtomicBool,
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

/// What a run is asked to do.
pub(crate) struct Request<'a> {
    /// Seconds it may take.
    pub(crate) seconds: f64,
    /// Relative gap at which it may stop.
    pub(crate) relative_gap: f64,
    /// Absolute gap at which it may stop.
    pub(crate) absolute_gap: f64,
    /// It may stop as soon as the objective is strictly better than this.
    pub(crate) target: Option<f64>,
    /// Constant of the objective.
    pub(crate) offset: f64,
    /// Threads; 0 lets `HiGHS` choose.
    pub(crate) threads: u32,
    /// Seed of its random choices.
    pub(crate) seed: u32,
    /// Whether it may presolve.
    pub(crate) presolve: bool,
    /// A complete feasible point in stated order; empty for none.
    pub(crate) start: &'a [f64],
    /// Further options by name; those above win.
    pub(crate) options: &'a [(String, String)],
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Within the gaps, or better than the target.
    Optimal,
    /// No point exists, it says.
    Infeasible,
    /// A limit or an interrupt.
    Limit,
    /// The same, but the run did not come back: what is known of it is what it said on its way.
    Left,
}

/// What a run found; all numbers are floating point and in stated order.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) ending: Ending,
    /// Values of the columns, if a point was found.
    pub(crate) columns: Option<Vec<f64>>,
    /// Duals of the rows; meaningful only for an optimal linear program.
    pub(crate) row_duals: Vec<f64>,
    /// Objective of the point, constant included.
    pub(crate) objective: f64,
    /// Bound of a mixed-integer run, constant included; infinite while there is none.
    pub(crate) dual_bound: f64,
    /// Branch-and-bound nodes.
    pub(crate) nodes: i64,
}

/// What a run says of itself while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    /// Objective of its incumbent.
    pub(crate) incumbent: Option<f64>,
    /// Its bound.
    pub(crate) bound: Option<f64>,
    /// Its nodes.
    pub(crate) nodes: i64,
    /// A point that improves on its incumbent, in stated order.
    pub(crate) point: Option<Vec<f64>>,
}

/// Time between two samples when nothing else happens.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// What the callback reaches through the pointer `HiGHS` keeps for it.
struct Listener<'a> {
    owner: ThreadId,
    voice: &'a Voice<Sample>,
    last: Cell<Instant>,
}

impl Listener<'_> {
    /// Passes a sample on.
    fn say(&self, sample: Sample) {
        #[expect(
            clippy::disallowed_methods,
            reason = "progress is reported by the clock"
        )]
        self.last.set(Instant::now());
        self.voice.say(sample);
    }
}

/// The callback itself.
///
/// # Safety
///
/// `listener` points to a live [`Listener`], `output` and `input` are null or valid for the call.
unsafe extern "C" fn on_event(
    kind: c_int,
    _message: *const c_char,
    output: *const HighsCallbackDataOut,
    input: *mut HighsCallbackDataIn,
    listener: *mut c_void,
) {
    // SAFETY: `solve` passes a pointer to its listener, which outlives the run, and nothing ever
    // borrows the listener mutably.
    let listener = unsafe { &*listener.cast::<Listener<'_>>() };
    if thread::current().id() != listener.owner {
        // The cells of the listener belong to the thread that solves; a worker of HiGHS has
        // nothing to report, and the owner sees the interrupt on its next call.
        return;
    }
    let mixed = [
        kHighsCallbackMipLogging,
        kHighsCallbackMipImprovingSolution,
        kHighsCallbackMipInterrupt,
    ];
    let interrupts = [
        kHighsCallbackSimplexInterrupt,
        kHighsCallbackIpmInterrupt,
        kHighsCallbackMipInterrupt,
    ];
    if !interrupts.contains(&kind) || listener.last.get().elapsed() >= HEARTBEAT {
        // SAFETY: HiGHS passes null or a structure that lives for the call.
        let sample = match unsafe { output.as_ref() } {
            Some(data) if mixed.contains(&kind) => Sample {
                incumbent: Some(data.mip_primal_bound).filter(|value| value.is_finite()),
                bound: Some(data.mip_dual_bound).filter(|value| value.is_finite()),
                nodes: data.mip_node_count.max(0),
                point: improves(kind, data),
            },
            _ => Sample::default(),
        };
        listener.say(sample);
    }
    // Only these kinds may ask to stop: HiGHS asserts that the others do not.
    if interrupts.contains(&kind) && listener.voice.stopped() {
        // SAFETY: as for the output.
        if let Some(input) = unsafe { input.as_mut() } {
            input.user_interrupt = 1;
        }
    }
}

/// The improving point that a callback of that kind brings.
fn improves(kind: c_int, data: &HighsCallbackDataOut) -> Option<Vec<f64>> {
    if kind != kHighsCallbackMipImprovingSolution || data.mip_solution.is_null() {
        return None;
    }
    let length = usize::try_from(data.mip_solution_size).ok()?;
    // SAFETY: HiGHS passes an array of that size, which lives for the call.
    let point = unsafe { slice::from_raw_parts(data.mip_solution, length) };
    Some(point.to_vec())
}

/// A model on its way to the thread that solves it.
struct Moved(Model);

// SAFETY: a model is a pointer that it alone owns. HiGHS keeps no state of a model in threads: what
// is of a thread there is the scheduler, which a run makes for the thread it is on.
unsafe impl Send for Moved {}

impl Moved {
    fn model(self) -> Model {
        self.0
    }
}

/// Runs a stated model, on a thread of its own: it has a scheduler of its own there, with as many
/// threads as are asked for, and can be left behind. `report` is called on the calling thread.
pub(crate) fn run(
    mut model: Model,
    request: &Request<'_>,
    interrupt: &AtomicBool,
    report: &mut dyn FnMut(&Sample),
) -> Result<Run, Error> {
    set_options(&mut model, request)?;
    set_offset(&mut model, request.offset)?;
    set_start(&mut model, request.start)?;
    let (moved, seconds) = (Moved(model), request.seconds);
    let mut last = Sample::default();
    let ran = aside(
        Limits { interrupt, seconds },
        move |voice| solve(moved.model(), seconds, voice),
        &mut |mut sample: Sample| {
            report(&sample);
            sample.incumbent = sample.incumbent.or(last.incumbent);
            sample.bound = sample.bound.or(last.bound);
            sample.nodes = sample.nodes.max(last.nodes);
            sample.point = sample.point.or(last.point.take());
            last = sample;
        },
    )
    .map_err(|error| Error::Backend {
        what: format!("no thread for HiGHS: {error}"),
    })?;
    ran.unwrap_or_else(|| {
        Ok(Run {
            ending: Ending::Left,
            columns: last.point,
            row_duals: Vec::new(),
            objective: last.incumbent.unwrap_or(f64::NAN),
            dual_bound: last.bound.unwrap_or(f64::INFINITY),
            nodes: last.nodes,
        })
    })
}

/// The run itself, on the thread that is its own. An interrupt is seen at the next callback.
fn solve(mut model: Model, seconds: f64, voice: &Voice<Sample>) -> Result<Run, Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "limits and reports are by the clock"
    )]
    let began = Instant::now();
    let listener = Listener {
        owner: thread::current().id(),
        voice,
        last: Cell::new(began),
    };
    listen(&mut model, &listener)?;
    let solved = model.try_solve().map_err(|status| Error::Backend {
        what: format!("HiGHS returned {status:?}"),
    })?;
    let stopped = voice.stopped() || began.elapsed().as_secs_f64() >= seconds;
    let ending = ending(solved.status(), stopped)?;
    let nodes = node_count(&solved);
    let solution = solved.get_solution();
    let feasible = solved.primal_solution_status() == HighsSolutionStatus::Feasible;
    Ok(Run {
        ending,
        columns: feasible.then(|| solution.columns().to_vec()),
        row_duals: solution.dual_rows().to_vec(),
        objective: solved.objective_value(),
        dual_bound: solved
            .double_info_value(c"mip_dual_bound")
            .unwrap_or(f64::INFINITY),
        nodes,
    })
}

/// The status after a run that did not fail.
fn ending(status: HighsModelStatus, stopped: bool) -> Result<Ending, Error> {
    match status {
        HighsModelStatus::Optimal
        | HighsModelStatus::ObjectiveTarget
        | HighsModelStatus::ObjectiveBound => Ok(Ending::Optimal),
        // All columns are bounded, so "unbounded or infeasible" is infeasible.
        HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible => {
            Ok(Ending::Infeasible)
        }
        HighsModelStatus::ReachedTimeLimit
        | HighsModelStatus::ReachedIterationLimit
        | HighsModelStatus::ReachedSolutionLimit
        | HighsModelStatus::ReachedInterrupt
        | HighsModelStatus::ReachedMemoryLimit
        | HighsModelStatus::Unknown => Ok(Ending::Limit),
        // A run may come back without having begun when its time was over before.
        HighsModelStatus::NotSet if stopped => Ok(Ending::Limit),
        other => Err(Error::Backend {
            what: format!("HiGHS ended with the status {other:?}"),
        }),
    }
}

/// Sets options on the built model: `good_lp` forgets those set before.
fn set_options(model: &mut Model, request: &Request<'_>) -> Result<(), Error> {
    let refused = |name: &str, value: String| Error::Option {
        name: name.to_owned(),
        value,
    };
    // The crate `highs` silences HiGHS, and a silent HiGHS calls no logging callback.
    for (name, value) in [("output_flag", true), ("log_to_console", false)] {
        model
            .try_set_option(name, value)
            .map_err(|_| refused(name, value.to_string()))?;
    }
    model
        .try_set_option("mip_min_logging_interval", 1.0)
        .map_err(|_| refused("mip_min_logging_interval", "1".to_owned()))?;
    for (name, value) in request.options {
        // HiGHS reads numbers and booleans from strings.
        model
            .try_set_option(name.as_str(), value.as_str())
            .map_err(|_| refused(name, value.clone()))?;
    }
    let presolve = if request.presolve { "choose" } else { "off" };
    model
        .try_set_option("presolve", presolve)
        .map_err(|_| refused("presolve", presolve.into()))?;
    for (name, value) in [
        ("time_limit", Some(request.seconds.max(0.0))),
        ("mip_rel_gap", Some(request.relative_gap)),
        ("mip_abs_gap", Some(request.absolute_gap)),
        ("objective_target", request.target),
    ] {
        let Some(value) = value else { continue };
        model
            .try_set_option(name, value)
            .map_err(|_| refused(name, value.to_string()))?;
    }
    // HiGHS takes seeds of 31 bits.
    let seed = (request.seed & 0x7FFF_FFFF) as i32;
    for (name, value) in [("threads", request.threads as i32), ("random_seed", seed)] {
        model
            .try_set_option(name, value)
            .map_err(|_| refused(name, value.to_string()))?;
    }
    Ok(())
}

fn checked(what: &str, status: HighsInt) -> Result<(), Error> {
    if status == STATUS_ERROR {
        return Err(Error::Backend {
            what: format!("{what} failed"),
        });
    }
    Ok(())
}

/// The objective's constant, which `good_lp` drops; with it bounds and progress are the user's.
fn set_offset(model: &mut Model, offset: f64) -> Result<(), Error> {
    // SAFETY: the pointer is that of a live model.
    let status = unsafe { Highs_changeObjectiveOffset(model.as_mut_ptr(), offset) };
    checked("Highs_changeObjectiveOffset", status)
}

/// Hands a complete point over as a first incumbent.
fn set_start(model: &mut Model, start: &[f64]) -> Result<(), Error> {
    if start.is_empty() {
        return Ok(());
    }
    assert_eq!(
        start.len(),
        model.num_cols(),
        "a start has one value per column"
    );
    let count = start.len() as HighsInt;
    let indices: Vec<HighsInt> = (0..count).collect();
    // SAFETY: the pointer is that of a live model, and both arrays have `count` entries.
    let status = unsafe {
        Highs_setSparseSolution(model.as_mut_ptr(), count, indices.as_ptr(), start.as_ptr())
    };
    checked("Highs_setSparseSolution", status)
}

/// Registers the listener for everything it understands.
fn listen(model: &mut Model, listener: &Listener<'_>) -> Result<(), Error> {
    let data = (&raw const *listener).cast::<c_void>().cast_mut();
    // SAFETY: the model is live, and `solve` drops it before the listener.
    let status = unsafe { Highs_setCallback(model.as_mut_ptr(), Some(on_event), data) };
    checked("Highs_setCallback", status)?;
    for kind in [
        kHighsCallbackSimplexInterrupt,
        kHighsCallbackIpmInterrupt,
        kHighsCallbackMipImprovingSolution,
        kHighsCallbackMipLogging,
        kHighsCallbackMipInterrupt,
    ] {
        // SAFETY: the model is live and the kind one of its constants.
        let status = unsafe { Highs_startCallback(model.as_mut_ptr(), kind) };
        checked("Highs_startCallback", status)?;
    }
    Ok(())
}

/// Nodes of the run; 0 if it did not get that far.
fn node_count(solved: &SolvedModel) -> i64 {
    let mut nodes = 0i64;
    // SAFETY: the pointer is that of a live model, the name ends with a null byte, and the
    // value outlives the call.
    let status = unsafe {
        Highs_getInt64InfoValue(solved.as_ptr(), c"mip_node_count".as_ptr(), &raw mut nodes)
    };
    if status == STATUS_OK { nodes.max(0) } else { 0 }
}

/// Version and commit of `HiGHS`.
pub(crate) fn version() -> String {
    // SAFETY: both functions return static strings that end with a null byte.
    let (version, commit) = unsafe {
        (
            CStr::from_ptr(Highs_version()),
            CStr::from_ptr(Highs_githash()),
        )
    };
    format!(
        "{} ({})",
        version.to_string_lossy(),
        commit.to_string_lossy()
    )
}

/// Reads a model file and solves it, to check what [`crate::mps`] and [`crate::lp`] write:
/// the optimum, and the names of the columns.
#[cfg(test)]
pub(crate) fn read_and_solve(path: &std::path::Path) -> Option<(f64, Vec<String>)> {
    use highs_sys::{Highs_getColName, Highs_readModel, kHighsMaximumStringLength};
    let name = std::ffi::CString::new(path.to_str()?).ok()?;
    let problem: highs::RowProblem = highs::Problem::new();
    let mut model = problem.optimise(highs::Sense::Minimise);
    // SAFETY: the model is live and the name ends with a null byte.
    let status = unsafe { Highs_readModel(model.as_mut_ptr(), name.as_ptr()) };
    if status != STATUS_OK {
        return None;
    }
    let names = (0..model.num_cols()).map(|col| {
        let mut buffer = vec![0 as c_char; kHighsMaximumStringLength as usize];
        // SAFETY: the buffer has the length that the interface promises to respect.
        unsafe {
            Highs_getColName(model.as_ptr(), col as HighsInt, buffer.as_mut_ptr());
            CStr::from_ptr(buffer.as_ptr())
                .to_string_lossy()
                .into_owned()
        }
    });
    let names = names.collect();
    let solved = model.try_solve().ok()?;
    (solved.status() == HighsModelStatus::Optimal).then(|| (solved.objective_value(), names))
}
