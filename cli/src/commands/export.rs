//! `milp export`: a program for another solver, a schedule for another viewer or checker.

use crate::{document, exit, print, set::Set};
use milp_schema::{instance::Sense, write};
use milp_show::export::{Format, Names, export};
use milp_solver::NEGATED;
use milp_study::{Error, folder::Driven, import::solution_of};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// What is exported and the format.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag per format, of which one is given"
)]
#[command(group(clap::ArgGroup::new("format").required(true).args([
    "lp", "mps", "sol", "itf", "tla", "mermaid", "shiviz", "chrome", "tikz", "twins",
    "twins_objects",
])))]
#[command(group(clap::ArgGroup::new("schedule").args([
    "sol", "itf", "tla", "mermaid", "shiviz", "chrome", "tikz", "twins",
    "twins_objects",
])))]
pub(crate) struct Args {
    /// Folder of a result, or a schedule.csv; for --lp and --mps an instance file
    file: PathBuf,
    #[command(flatten)]
    set: Set,
    /// The program in the LP format of CPLEX
    #[arg(long)]
    lp: bool,
    /// The program in free MPS, always as a minimisation: of the negative of what is maximised
    #[arg(long)]
    mps: bool,
    /// The point of the schedule as a solution file of `HiGHS` for that program
    #[arg(long)]
    sol: bool,
    /// A trace in the Informal Trace Format; of protocols dbft2-tla and dbft2-tla-per-view the behaviour of the
    /// TLA+ model
    #[arg(long)]
    itf: bool,
    /// The behaviour as a module Trace with which TLC confirms it on the published model
    #[arg(long)]
    tla: bool,
    /// A sequence diagram for Mermaid
    #[arg(long)]
    mermaid: bool,
    /// A log with vector clocks for `ShiViz`
    #[arg(long)]
    shiviz: bool,
    /// Trace events for Perfetto and Chrome
    #[arg(long)]
    chrome: bool,
    /// A picture for LaTeX
    #[arg(long)]
    tikz: bool,
    /// A scenario for Twins, nodes as numbers (relab/hotstuff to v0.5.0); what it does not carry is
    /// said
    #[arg(long)]
    twins: bool,
    /// The same with nodes as objects (relab/hotstuff since November 2025)
    #[arg(long)]
    twins_objects: bool,
    /// Instance file of a schedule, in place of the one in outcome.yaml beside it
    #[arg(long, value_name = "FILE", requires = "schedule")]
    instance: Option<PathBuf>,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The file, if it went into one.
    file: Option<String>,
    /// The text, if it did not.
    text: Option<String>,
    /// What the format does not carry.
    lost: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let (text, lost) = if args.lp || args.mps {
        (program(args)?, Vec::new())
    } else {
        let driven = Driven::read(&args.file, args.instance.as_deref())?;
        schedule(args, &driven)?
    };
    for lost in &lost {
        print::note(&format!("not carried: {lost}"));
    }
    if let Some(path) = &args.out {
        write::file(path, text.as_bytes()).map_err(|source| Error::Io {
            doing: "write",
            path: path.clone(),
            source,
        })?;
    } else {
        print::text(&text);
    }
    document::result(&Found {
        file: args.out.as_ref().map(|path| path.display().to_string()),
        text: args.out.is_none().then_some(text),
        lost,
    });
    Ok(exit::DONE)
}

/// The schedule as text, and what the text does not carry.
fn schedule(args: &Args, driven: &Driven) -> Result<(String, Vec<String>), Error> {
    let of_the_model = driven.instance.protocol.pools();
    if args.sol {
        return Ok((solution_of(driven)?, Vec::new()));
    }
    if args.tla {
        return Ok((driven.tla_module()?, Vec::new()));
    }
    if args.itf && of_the_model {
        return Ok((driven.itf()?, Vec::new()));
    }
    let formats = [
        (args.itf, Format::Itf),
        (args.mermaid, Format::Mermaid),
        (args.shiviz, Format::Shiviz),
        (args.chrome, Format::Chrome),
        (args.tikz, Format::Tikz),
        (args.twins_objects, Format::Twins(Names::Objects)),
    ];
    let asked = formats.into_iter().find(|(asked, _)| *asked);
    let format = asked.map_or(Format::Twins(Names::Numbers), |(_, format)| format);
    let exported = export(&driven.into(), format)?;
    Ok((exported.text, exported.lost))
}

/// The program of the instance as text.
fn program(args: &Args) -> Result<String, Error> {
    let instance = args.set.read(&args.file)?;
    let built = milp_model::build(&instance)?;
    let program = built.program();
    if args.lp {
        return Ok(milp_solver::lp(program));
    }
    if program.sense == Sense::Maximize {
        print::note(&format!(
            "the goal is maximised, and readers of MPS files minimise: the file minimises its \
             negative, {NEGATED}, so the value is -1 * its optimum"
        ));
    }
    Ok(milp_solver::mps(program))
}
