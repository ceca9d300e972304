//! Many instances at once: every combination of a sweep is solved in a process of its own, so that
//! one that crashes or runs out of memory costs its own row and nothing else.
//!
//! ```text
//! out/sweep.csv           one row for each combination, in the order of the file
//! out/sweep.html, .svg    the same with a plot
//! out/instances/NAME.yaml the combination as an instance file
//! out/results/NAME/       what the solve found
//! out/ended/NAME.yaml     that it ended and how, of which instance and with which limits
//! ```
//!
//! The table is written whenever a solve ends, so it is there whatever ends the sweep.

mod child;
mod place;
mod plots;
mod request;
mod row;
mod show;
mod stamp;
mod task;

pub use child::{STOP_WITH_STDIN, limits};
pub use place::{place, replaceable};
pub use request::{Request, Swept};
pub use row::{Row, State};
pub use show::{CSV, HTML, SVG};
pub use task::{left, task};

use crate::Error;
use child::{Child, LOOK};
use milp_schema::write;
use place::{FOLDERS, is_ours};
use std::sync::atomic::{AtomicBool, Ordering};

/// How far a sweep is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Far {
    /// Rows that are known.
    pub ended: usize,
    /// All rows.
    pub all: usize,
    /// What is being solved.
    pub at_work: Vec<String>,
}

/// Solves every combination that was not solved before, unless they are to be collected only, and
/// writes table, plot and page.
///
/// `interrupt` may be set from elsewhere at any time; children then end, and keep what they know.
///
/// # Errors
///
/// When the folder holds something else, or cannot be written, or no child can be started. What
/// becomes of a child is said in its row.
pub fn sweep(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Far),
) -> Result<Swept, Error> {
    replaceable(request.out)?;
    let fields = request.sweep.fields().into_iter().map(str::to_owned);
    let mut running = Running {
        request,
        swept: Swept {
            fields: fields.collect(),
            rows: row::all(request.sweep),
            reused: 0,
            interrupted: false,
        },
        children: Vec::new(),
    };
    running.prepare()?;
    let waiting = running.swept.rows.iter().enumerate();
    let waiting = waiting.filter(|(_, row)| row.state == State::Missing && !request.collect);
    let mut waiting = waiting.map(|(at, _)| at).collect::<Vec<_>>().into_iter();
    running.write()?;
    loop {
        let stop = interrupt.load(Ordering::SeqCst);
        if stop {
            running.swept.interrupted = true;
            running.children.iter_mut().for_each(Child::stop);
        }
        while !stop && running.children.len() < request.jobs.max(1) {
            let Some(at) = waiting.next() else { break };
            running.start(at)?;
        }
        progress(&running.far(waiting.len()));
        if running.children.is_empty() {
            break;
        }
        if !running.collect()? {
            std::thread::sleep(LOOK);
        }
    }
    running.write()?;
    Ok(running.swept)
}

/// A sweep under way.
struct Running<'a> {
    request: &'a Request<'a>,
    swept: Swept,
    children: Vec<Child>,
}

impl Running<'_> {
    /// Writes the instance files, and takes over what was solved before.
    fn prepare(&mut self) -> Result<(), Error> {
        let out = self.request.out;
        write::remove_leftovers(out, &is_ours);
        for folder in FOLDERS {
            write::remove_leftovers(&out.join(folder), &|_| true);
        }
        for row in &mut self.swept.rows {
            task::write_files(out, row)?;
            if row.state != State::Missing || self.request.fresh {
                continue;
            }
            let known = task::known(self.request, row);
            if let Some(state) = known.filter(|state| state.stays() || self.request.collect) {
                row.state = state;
                self.swept.reused += 1;
            }
        }
        Ok(())
    }

    fn start(&mut self, at: usize) -> Result<(), Error> {
        let row = &self.swept.rows[at];
        // What lies there is of another instance or of other limits, or is to be solved again.
        stamp::forget(self.request.out, &row.name)?;
        self.children.push(Child::start(self.request, at, row)?);
        Ok(())
    }

    /// Takes what children left that have ended, if any has.
    fn collect(&mut self) -> Result<bool, Error> {
        let mut any = false;
        let mut at = 0;
        while at < self.children.len() {
            let child = &mut self.children[at];
            let Some(state) = child.ended(self.request.out)? else {
                at += 1;
                continue;
            };
            let child = self.children.remove(at);
            let row = &mut self.swept.rows[child.row];
            row.state = state;
            task::keep(self.request, row, &row.state)?;
            any = true;
        }
        if any {
            self.write_table()?;
        }
        Ok(any)
    }

    fn far(&self, waiting: usize) -> Far {
        let names = self.children.iter();
        let names = names.map(|child| self.swept.rows[child.row].name.clone());
        let all = self.swept.rows.len();
        Far {
            ended: all - waiting - self.children.len(),
            all,
            at_work: names.collect(),
        }
    }

    /// The table alone: whatever ends the sweep, it is there.
    fn write_table(&self) -> Result<(), Error> {
        self.write_file(CSV, &show::csv(&self.swept))
    }

    fn write(&self) -> Result<(), Error> {
        self.write_table()?;
        let [html, svg] = show::pictures(self.request, &self.swept);
        self.write_file(HTML, &html)?;
        self.write_file(SVG, &svg)
    }

    fn write_file(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.request.out.join(name);
        write::file(&path, text.as_bytes()).map_err(Error::io("write", &path))
    }
}
