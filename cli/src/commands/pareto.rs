//! `milp pareto`: how much damage how much effort does.

use super::solve::{command_line, destination, formulation};
use crate::{
    document, exit,
    found::{answer, told},
    limits::Limits,
    print,
    progress::Printer,
    set::Set,
    stop,
};
use milp_schema::{instance::Formulation, outcome::Termination};
use milp_show::words::capital;
use milp_study::{
    Error,
    pareto::{CSV, Effort, Front, HTML, pareto, place, replaceable, write},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The instance, the measure, the limits, and where the points go.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
    #[command(flatten)]
    set: Set,
    /// What the effort is measured in
    #[arg(long, value_name = "MEASURE")]
    effort: Effort,
    /// Folder for the points [default: out/, the path of the instance, -pareto-MEASURE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    formulation: Option<Formulation>,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Every point in words, least effort first.
    points: Vec<String>,
    /// What more effort brings.
    end: String,
    /// Whether all of it is proved.
    proved: bool,
    /// The files.
    written: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut instance = args.set.read(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let place = |file: &Path| place(file, args.effort);
    let out = destination(args.out.as_deref(), place, &args.file, &instance)?;
    replaceable(&out)?;
    let interrupt = stop::interrupt();
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    printer.about(&instance, "");
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
    if let Some(said) = front.said() {
        answer(&said);
    }
    print::line(&format!("{}.", capital(&front.end())));
    print::table(&Front::header(), &front.rows(), &[0, 1, 2, 7]);
    if let Some(said) = front.said() {
        print::facts(told(front.instance.goal, &said));
    }
    let [csv, html] = [CSV, HTML].map(|name| out.join(name).display().to_string());
    print::line(&format!("{csv} and {html} are written"));
    let points = front.points.iter();
    document::result(&Found {
        points: points.map(|point| front.words(point)).collect(),
        end: front.end(),
        proved: front.proved(),
        written: vec![csv, html],
    });
}
