//! `milp minimize`: the same value with the fewest acts.

use super::solve::{Limits, command_line, interrupt_on_ctrl_c};
use crate::{exit, print, progress::Printer};
use milp_schema::write;
use milp_study::{
    Error,
    folder::{self, Folder, SCHEDULE},
    minimize::{Minimized, minimize, name, place},
};
use std::path::{Path, PathBuf};

/// The result, the limits, and where the schedule goes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  milp minimize results/dbft1/n4-delays-fork
  milp minimize results/dbft2/n4-stall --out out/small --time-limit 120

Fewest first: faulty replicas, messages of Byzantine ones, crashed replicas, late or missing
messages, requests to leave a view or for recovery by timers. Exit code 0: proved minimal in this
order; 10: the limit came before the proof; 130: interrupted.")]
pub(crate) struct Args {
    /// Folder of a result
    dir: PathBuf,
    /// Folder for the new one [default: out/, the path of DIR below results/ or out/, -minimal]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let from = Folder::read(&args.dir)?;
    let out = match &args.out {
        Some(dir) => dir.clone(),
        None => place(&args.dir)?,
    };
    folder::replaceable(&out)?;
    let interrupt = interrupt_on_ctrl_c()?;
    let mut printer = Printer::new(args.quiet);
    let minimized = minimize(
        &from,
        &args.limits.settings(),
        &command_line(),
        &interrupt,
        &mut |progress| printer.show(progress),
    );
    printer.finish();
    let minimized = minimized?;
    write::folder(&out, &minimized.files()).map_err(|source| Error::Io {
        doing: "write",
        path: out.clone(),
        source,
    })?;
    table(&minimized, &out);
    Ok(match () {
        () if minimized.proved() => exit::DONE,
        () if minimized.interrupted => exit::INTERRUPTED,
        () => exit::UNPROVED,
    })
}

fn table(minimized: &Minimized, out: &Path) {
    print::rows(
        ["fewest first", "before", "after", "proved", "nodes"],
        minimized.stages.iter().map(|stage| {
            [
                format!("{}s", name(stage.act)),
                stage.before.to_string(),
                stage.after.to_string(),
                if stage.proved { "yes" } else { "no" }.to_owned(),
                stage.nodes.to_string(),
            ]
        }),
        &[1, 2, 4],
    );
    print::line(&format!(
        "{} replays without divergence and with the same verdict",
        out.join(SCHEDULE).display()
    ));
    print::line(&minimized.outcome.sentence);
    print::line(&minimized.words());
}
