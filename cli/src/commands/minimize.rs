//! `milp minimize`: the same value with the fewest acts.

use super::solve::{command_line, destination};
use crate::{
    document, exit,
    found::{answer, told},
    limits::Limits,
    print,
    progress::Printer,
    stop,
};
use milp_show::acts::name;
use milp_study::{
    Error,
    folder::{self, Folder, SCHEDULE},
    minimize::{Minimized, minimize, place},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The result, the limits, and where the schedule goes.
#[derive(Debug, clap::Args)]
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

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The kinds of acts, fewest first.
    stages: Vec<Stage>,
    /// Whether every stage is proved.
    proved: bool,
    /// The result in one sentence.
    sentence: String,
    /// How far it is minimal, in words.
    minimal: String,
    /// How it was found, where acts were undone by replays.
    deleted: Option<String>,
    /// What replicas can do with in a schedule that the program leaves out, where that is less.
    beyond: Option<String>,
    /// The folder of the schedule.
    written: String,
}

/// One kind of acts.
#[derive(Debug, Serialize, JsonSchema)]
struct Stage {
    /// What is counted.
    act: String,
    /// How many there were.
    before: i64,
    /// How many there are.
    after: i64,
    /// Whether fewer are proved to be impossible.
    proved: bool,
    /// Fewer than these are proved to be impossible.
    least: i64,
    /// Branch-and-bound nodes.
    nodes: i64,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let from = Folder::read(&args.dir)?;
    let instance = &from.outcome.instance;
    let out = destination(args.out.as_deref(), place, &args.dir, instance)?;
    folder::replaceable(&out)?;
    let interrupt = stop::interrupt();
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    let minimized = minimize(
        &from,
        &args.limits.settings(),
        &command_line(),
        &interrupt,
        &mut |progress| printer.show(progress),
    );
    printer.finish();
    let minimized = minimized?;
    folder::write(&out, &minimized.files())?;
    table(&minimized, &out);
    Ok(match () {
        () if minimized.proved() => exit::DONE,
        () if minimized.interrupted => exit::INTERRUPTED,
        () => exit::UNPROVED,
    })
}

impl Stage {
    fn of(stage: &milp_study::minimize::Stage) -> Self {
        Self {
            act: format!("{}s", name(stage.act)),
            before: stage.before,
            after: stage.after,
            proved: stage.proved,
            least: stage.least,
            nodes: stage.nodes,
        }
    }
}

fn table(minimized: &Minimized, out: &Path) {
    answer(&minimized.said());
    print::line(&format!("{}:", minimized.claim()));
    print::rows(
        [
            "fewest first",
            "before",
            "after",
            "at least",
            "proved",
            "nodes",
        ],
        minimized.stages.iter().map(|stage| {
            [
                format!("{}s", name(stage.act)),
                stage.before.to_string(),
                stage.after.to_string(),
                stage.least.to_string(),
                if stage.proved { "yes" } else { "no" }.to_owned(),
                stage.nodes.to_string(),
            ]
        }),
        &[1, 2, 3, 5],
    );
    print::line(&format!(
        "{} replays without divergence and with the same verdict",
        out.join(SCHEDULE).display()
    ));
    let more = [minimized.found(), minimized.without_program()];
    for more in more.into_iter().flatten() {
        print::line(&more);
    }
    let outcome = &minimized.outcome;
    print::facts(told(outcome.instance.goal, &minimized.said()));
    document::result(&Found {
        stages: minimized.stages.iter().map(Stage::of).collect(),
        proved: minimized.proved(),
        sentence: minimized.outcome.sentence.clone(),
        minimal: minimized.words(),
        deleted: minimized.found(),
        beyond: minimized.without_program(),
        written: out.display().to_string(),
    });
}
