//! `milp pareto`: how much damage how much effort does.

use super::solve::{Limits, command_line, formulation, interrupt_on_ctrl_c};
use crate::{exit, print, progress::Printer};
use milp_schema::{instance::Formulation, outcome::Termination, read};
use milp_study::{
    Error,
    pareto::{CSV, Effort, Front, HTML, pareto, place, replaceable, write},
};
use std::path::{Path, PathBuf};

/// The instance, the measure, the limits, and where the points go.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  milp pareto instances/dbft1/n4-delays-fork.yaml --effort late
  milp pareto instances/n4.yaml --effort f --out out/faults

Effort: late (late or missing messages), timeouts (requests to leave a view), injects (Byzantine
messages), f (faulty replicas of the only kind the instance has), byzantine, crash, network.
Exit code 0: every point is proved; 10: some are not; 11: no execution exists; 13: no schedule was
found; 130: interrupted.")]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    /// What the effort is measured in
    #[arg(long, value_name = "MEASURE")]
    effort: Effort,
    /// Folder for the points [default: out/, the path of the instance below instances/, -pareto-MEASURE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Limits of each solve
    #[command(flatten)]
    limits: Limits,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    formulation: Option<Formulation>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut instance = read::instance(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let out = match &args.out {
        Some(dir) => dir.clone(),
        None => place(&args.file, args.effort)?,
    };
    replaceable(&out)?;
    let interrupt = interrupt_on_ctrl_c()?;
    let mut printer = Printer::new(args.quiet);
    let front = pareto(
        (&instance, args.effort),
        &args.limits.settings(),
        &command_line(),
        &interrupt,
        &mut |progress| printer.show(progress),
    );
    printer.finish();
    let front = front?;
    write(&front, &out)?;
    table(&front, &out);
    Ok(code(&front))
}

fn code(front: &Front) -> u8 {
    match front.termination() {
        _ if front.interrupted => exit::INTERRUPTED,
        _ if front.proved() => exit::DONE,
        Termination::Infeasible => exit::INFEASIBLE,
        _ if front.points.is_empty() => exit::UNDECIDED,
        _ => exit::UNPROVED,
    }
}

fn table(front: &Front, out: &Path) {
    print::table(&Front::header(), &front.rows(), &[0, 1, 2, 7]);
    for point in &front.points {
        print::line(&front.words(point));
    }
    print::line(&front.end());
    let [csv, html] = [CSV, HTML].map(|name| out.join(name).display().to_string());
    print::line(&format!("{csv} and {html} are written"));
}
