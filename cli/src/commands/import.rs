//! `milp import`: the schedule back out of a report.

use crate::{exit, print};
use milp_schema::write;
use milp_study::{Error, report::Embedded};
use std::path::{Component, Path, PathBuf};

/// The report and where the files go.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A report.html that `milp report` wrote
    file: PathBuf,
    /// Take the second of the two runs that it shows
    #[arg(long)]
    second: bool,
    /// Folder to write [default: out/<what the run is called>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let file = args.file.display().to_string();
    let html = std::fs::read_to_string(&args.file).map_err(|source| Error::Io {
        doing: "read",
        path: args.file.clone(),
        source,
    })?;
    let embedded = Embedded::read(&file, &html)?;
    let run = embedded
        .runs
        .get(usize::from(args.second))
        .ok_or_else(|| Error::Refused(format!("{file} shows one run, there is no second")))?;
    let dir = match &args.out {
        Some(dir) => dir.clone(),
        None => below_out(&run.name)?,
    };
    // The report itself may lie there, and a folder is written whole.
    if std::fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::Refused(format!(
            "{} is there already and not empty: give another --out",
            dir.display()
        )));
    }
    if run.is_edited()? {
        eprintln!("milp: note: schedule.csv is not the one outcome.yaml is about, it was edited");
    }
    let bytes = run.files.iter();
    let bytes = bytes.map(|(name, text)| (name.clone(), text.clone().into_bytes()));
    write::folder(&dir, &bytes.collect()).map_err(|source| Error::Io {
        doing: "write",
        path: dir.clone(),
        source,
    })?;
    print::line(&format!("written: {}", dir.display()));
    Ok(exit::DONE)
}

/// The folder that a name means. The name is from the file, and must not lead elsewhere.
fn below_out(name: &str) -> Result<PathBuf, Error> {
    let path = Path::new(name);
    let plain = path
        .components()
        .all(|it| matches!(it, Component::Normal(_)));
    if name.is_empty() || !plain {
        return Err(Error::Refused(format!(
            "the run is called `{name}`, which is no path below out/: give --out"
        )));
    }
    Ok(Path::new("out").join(path))
}
