//! How fast programs are built, and how much memory that takes in relation to the matrix.
//!
//! `cargo bench --profile dev -p milp-model --bench build` measures, in the one profile that is
//! built anyway; `cargo test` builds the smallest program only, so that this keeps working.
//! `-- --json` prints one JSON line per program instead of the table, for the history.

#![expect(clippy::print_stdout, reason = "the table is the result")]

use milp_model::{Error, build};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Formulation, Goal, Sense},
};
use std::time::Instant;

/// What a coefficient takes in the form solvers read: a row of 4 bytes, a value of 8.
const BYTES_PER_NONZERO: usize = 12;

/// One group of replicas of dBFT 2.0, f of them Byzantine, four views.
fn instance(replicas: u32, slots: u32) -> Instance {
    Instance::builder("dbft2")
        .replicas(replicas)
        .faults([Fault::any(FaultKind::Byzantine, (replicas - 1) / 3)])
        .views(4)
        .slots(slots)
        .goal(Goal::Weighted {
            sense: Sense::Maximize,
            blocks: 1000,
            views: 100,
            messages: 1,
        })
        .formulation(Formulation::Timed)
        .build()
}

/// One program built.
struct Measured {
    instance: Instance,
    columns: usize,
    rows: usize,
    nonzeros: usize,
    seconds: f64,
    /// Largest resident memory of the process so far, less what it had before the first program.
    bytes: Option<usize>,
}

impl Measured {
    fn of(instance: Instance, before: Option<usize>) -> Result<Self, Error> {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let began = Instant::now();
        let built = build(&instance)?;
        let seconds = began.elapsed().as_secs_f64();
        let program = built.program();
        let peak = peak_bytes();
        Ok(Self {
            columns: program.columns.len(),
            rows: program.rows.len(),
            nonzeros: program.nonzeros(),
            seconds,
            bytes: peak
                .zip(before)
                .map(|(peak, before)| peak.saturating_sub(before)),
            instance,
        })
    }

    /// Memory as a multiple of the matrix.
    fn times_matrix(&self) -> Option<f64> {
        let matrix = (self.nonzeros * BYTES_PER_NONZERO) as f64;
        self.bytes.map(|bytes| bytes as f64 / matrix)
    }

    fn line(&self) -> String {
        let times = self
            .times_matrix()
            .map_or("not known here".to_owned(), |times| format!("{times:.1}"));
        format!(
            "{:>4}{:>7}{:>10}{:>10}{:>11}{:>9.2}{:>12.0}{:>13.0}{times:>15}",
            self.instance.replicas,
            self.instance.slots,
            self.columns,
            self.rows,
            self.nonzeros,
            self.seconds,
            self.rows as f64 / self.seconds,
            self.nonzeros as f64 / self.seconds,
        )
    }

    fn json(&self) -> String {
        let bytes = self
            .bytes
            .map_or("null".to_owned(), |bytes| bytes.to_string());
        format!(
            "{{\"replicas\": {}, \"views\": {}, \"slots\": {}, \"columns\": {}, \"rows\": {}, \"nonzeros\": {}, \"build_seconds\": {:.4}, \"bytes\": {bytes}}}",
            self.instance.replicas,
            self.instance.views,
            self.instance.slots,
            self.columns,
            self.rows,
            self.nonzeros,
            self.seconds,
        )
    }
}

/// The largest resident memory this process had, where the system tells it in a file.
fn peak_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn main() -> Result<(), Error> {
    // Cargo says `--bench` when it measures and nothing when it tests.
    let measures = std::env::args().any(|argument| argument == "--bench");
    let json = std::env::args().any(|argument| argument == "--json");
    // Ascending, because the peak of a process never falls.
    let sizes: &[(u32, u32)] = if measures {
        &[(4, 24), (7, 24), (10, 24), (13, 24), (16, 24)]
    } else {
        &[(4, 8)]
    };
    let before = peak_bytes();
    if !json {
        println!(
            "   n  slots   columns      rows  non-zeros  seconds    rows / s  non-zeros / s  memory/matrix"
        );
    }
    for &(replicas, slots) in sizes {
        let measured = Measured::of(instance(replicas, slots), before)?;
        assert!(measured.nonzeros > 0, "an empty program was built");
        println!(
            "{}",
            if json {
                measured.json()
            } else {
                measured.line()
            }
        );
    }
    Ok(())
}
