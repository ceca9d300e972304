//! `milp import`: a result made of a report, or of what another program wrote.

use super::solve::command_line;
use crate::{document, exit, print};
use milp_schema::read;
use milp_study::{
    Error, folder,
    import::{self, Imported, Kind},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The file and where the result goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A report.html of `milp report`, a trace of `milp export --itf` or of TLC or Apalache for the
    /// TLA+ model, a file of Twins, or a solution file of `HiGHS`, CBC, GLPK, SCIP or Gurobi for a program that `milp export --lp` or --mps wrote;
    /// told apart by what stands in it
    file: PathBuf,
    /// Instance file that the program was of, for a solution file; for a trace of a model checker the
    /// one whose protocol and views it is of
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,
    /// Of a report, take the second of the two runs that it shows
    #[arg(long)]
    second: bool,
    /// Folder to write [default: out/ and the name of the file, or of the run in a report]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The folder.
    written: String,
    /// The files in it.
    files: Vec<String>,
    /// What is known of it.
    sentence: String,
    /// What of the original is not in it.
    lost: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let file = args.file.display().to_string();
    let text = read::text(&args.file)?;
    let imported = imported(args, &file, &text)?;
    let out = match &args.out {
        Some(dir) => dir.clone(),
        None => match &imported.place {
            Some(place) => Path::new("out").join(place),
            None => Path::new("out").join(args.file.file_stem().unwrap_or_default()),
        },
    };
    // A folder is written whole, so nothing may be lost.
    if std::fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::Refused(format!(
            "{} is there already and not empty: give another --out",
            out.display()
        )));
    }
    folder::write(&out, &imported.files)?;
    for lost in &imported.lost {
        print::note(&format!("not taken: {lost}"));
    }
    print::line(&format!("written: {}", out.display()));
    print::line(&imported.sentence);
    document::result(&Found {
        written: out.display().to_string(),
        files: imported.files.into_keys().collect(),
        sentence: imported.sentence,
        lost: imported.lost,
    });
    Ok(exit::DONE)
}

/// One way for each kind of file.
fn imported(args: &Args, file: &str, text: &str) -> Result<Imported, Error> {
    let kind = Kind::of(text).ok_or_else(|| {
        Error::Refused(format!(
            "{file} is nothing known here: expected a report of milp report, a trace of milp export \
             --itf or of a model checker for the TLA+ model, a file of Twins or a solution file of HiGHS, CBC, GLPK, SCIP or Gurobi"
        ))
    })?;
    let takes_instance = matches!(kind, Kind::Solution | Kind::Model);
    if !takes_instance && args.instance.is_some() {
        return Err(Error::Refused(format!(
            "{file} has its own instance: leave --instance out"
        )));
    }
    if kind != Kind::Report && args.second {
        return Err(Error::Refused(format!(
            "{file} is no report of two runs: leave --second out"
        )));
    }
    match (kind, &args.instance) {
        (Kind::Report, _) => import::report(file, text, args.second),
        (Kind::Itf, _) => import::itf(file, text),
        (Kind::Model, path) => {
            let given = path.as_deref().map(read::instance).transpose()?;
            import::model(file, text, given.as_ref())
        }
        (Kind::Twins, _) => import::twins(file, text),
        (Kind::Solution, Some(path)) => {
            import::solution(file, text, &read::instance(path)?, &command_line())
        }
        (Kind::Solution, None) => Err(Error::Refused(format!(
            "{file} is a solution file: give the instance of the program with --instance"
        ))),
    }
}
