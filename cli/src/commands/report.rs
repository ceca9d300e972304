//! `milp report`: a schedule and its replay as a page or a picture.

use crate::{document, exit, print};
use milp_schema::write;
use milp_show::report::{Part, Report, Run};
use milp_study::{
    Error,
    confirm::{Engine, OWN},
    show,
    what_if::what_if,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What is shown and where it goes.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch")]
pub(crate) struct Args {
    /// Folder of a result, or a schedule.csv
    path: PathBuf,
    /// Whose replicas to drive: own, sound (without the mutant), interpreter (of the protocol's
    /// file), nspcc-dbft (the production engine), PROTOCOL[:MUTANT], or cmd:COMMAND, an adapter
    #[arg(long, value_name = "ENGINE", default_value = OWN)]
    engine: Engine,
    /// Show a second run beside it: another result, the same one, or `model` for what the program
    /// predicts
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// Whose replicas to drive in the second run [default: those of the first]
    #[arg(long, value_name = "ENGINE", requires = "against")]
    against_engine: Option<Engine>,
    /// First slot drawn
    #[arg(long, value_name = "SLOT", default_value_t = 0)]
    from: u32,
    /// Last slot drawn [default: the last that fits]
    #[arg(long, value_name = "SLOT")]
    to: Option<u32>,
    /// Draw the heal phase as well
    #[arg(long)]
    heal: bool,
    /// Let the page give copies another fate and replay that, in the page (built by `make wasm`)
    #[arg(long, conflicts_with_all = ["against", "svg", "png"])]
    what_if: bool,
    /// Write the picture alone, as SVG
    #[arg(long)]
    svg: bool,
    /// Write the picture alone, as PNG
    #[arg(long)]
    png: bool,
    /// Instance file, in place of the one in outcome.yaml beside the schedule
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
    /// File to write [default: report.html, .svg or .png in out/<path of the result>]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The files.
    written: Vec<String>,
    /// What is not drawn, in sentences.
    left_out: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    if args.out.is_some() && args.svg && args.png {
        return Err(Error::Refused(
            "--out names one file, and --svg with --png writes two: give one of them".to_owned(),
        ));
    }
    if args.to.is_some_and(|to| to < args.from) {
        return Err(Error::Refused("--to is before --from".to_owned()));
    }
    let first = show::run(&args.path, args.instance.as_deref(), &args.engine)?;
    let name = first.name.clone();
    let second = second(args, &first)?;
    let part = Part {
        from: args.from,
        to: args.to,
        heal: args.heal,
    };
    let what_if = args.what_if.then(|| what_if(&first, &args.engine, part));
    let mut report = Report::new(first, second, part);
    report.what_if = what_if.transpose()?;
    let mut files = Vec::new();
    if args.svg {
        files.push(("svg", report.svg().into_bytes()));
    }
    if args.png {
        files.push(("png", report.png()?));
    }
    if files.is_empty() {
        files.push(("html", report.html()?.into_bytes()));
    }
    let mut written = Vec::new();
    for (kind, bytes) in files {
        let file = args
            .out
            .clone()
            .unwrap_or_else(|| Path::new("out").join(&name).join(format!("report.{kind}")));
        save(&file, &bytes)?;
        print::line(&format!("written: {}", file.display()));
        written.push(file.display().to_string());
    }
    let panels = report.panels.iter();
    let left_out = panels.flat_map(|panel| panel.scene.left_out.iter().cloned());
    let left_out = left_out.collect::<Vec<_>>();
    for sentence in &left_out {
        print::note(sentence);
    }
    document::result(&Found { written, left_out });
    Ok(exit::DONE)
}

/// The run beside the first one.
fn second(args: &Args, first: &Run) -> Result<Option<Run>, Error> {
    let Some(path) = &args.against else {
        return Ok(None);
    };
    if path == Path::new("model") {
        if args.against_engine.is_some() {
            return Err(Error::Refused(
                "the model drives no replicas: leave --against-engine out".to_owned(),
            ));
        }
        return show::predicted(first).map(Some);
    }
    let engine = args.against_engine.as_ref().unwrap_or(&args.engine);
    show::run(path, None, engine).map(Some)
}

fn save(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Io {
        doing: "write",
        path: file.to_owned(),
        source,
    };
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    write::file(file, bytes).map_err(failed)
}
