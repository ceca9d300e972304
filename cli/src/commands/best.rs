//! `milp solve --k-best`: the worst schedules that differ.

use crate::{
    document, exit,
    found::{Found, answer, code, told},
    print,
    progress::Printer,
};
use milp_schema::write;
use milp_study::{
    Error,
    best::{self, BEST, Best, Projection, REST, Ranked, Request},
    folder, sentence, solve,
};
use std::{path::Path, sync::atomic::AtomicBool};

/// How many schedules, and what tells two apart.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Find so many worst schedules that differ, worst first, each in a numbered folder; renamings
    /// of interchangeable replicas do not differ
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "K",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with = "confirm",
    )]
    pub(crate) k_best: Option<u32>,
    /// In what they differ: committed (who committed where), quorums (whose messages made which
    /// quorum) or schedule (anything)
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "committed",
        value_parser = best::projection,
        requires = "k_best",
    )]
    distinct: Projection,
}

/// Solves, writes every result as soon as it is there, and prints what was found.
pub(crate) fn run(
    args: &Args,
    request: solve::Request<'_>,
    out: &Path,
    interrupt: &AtomicBool,
    printer: &mut Printer,
) -> Result<u8, Error> {
    let instance = request.instance;
    let request = Request {
        solve: request,
        most: args.k_best.unwrap_or(1),
        projection: args.distinct,
    };
    let mut kept: Vec<Ranked> = Vec::new();
    let found = best::best(
        &request,
        interrupt,
        &mut |progress| printer.show(progress),
        &mut |ranked| {
            // Results of an earlier run stay until there is something in their place.
            if kept.is_empty() {
                best::clear(out)?;
            }
            kept.push(ranked.clone());
            written(ranked, &out.join(ranked.rank.to_string()))?;
            summary(&best::csv(&kept), out)
        },
    );
    printer.finish();
    let found = found?;
    if let Some(rest) = &found.rest {
        if kept.is_empty() {
            best::clear(out)?;
            summary(&found.csv(), out)?;
        }
        written(rest, &out.join(REST))?;
    }
    table(&found, out);
    print::line(&found.words(instance, request.projection));
    // The first one; the table has all of them.
    if let Some(first) = found.ranked.first() {
        let dir = out.join(first.rank.to_string());
        document::result(&Found::of(&first.solution, &dir, None));
    }
    Ok(exit_code(&found))
}

fn written(ranked: &Ranked, dir: &Path) -> Result<(), Error> {
    folder::write(dir, &ranked.files()?)
}

fn summary(csv: &str, out: &Path) -> Result<(), Error> {
    let path = out.join(BEST);
    write::file(&path, csv.as_bytes()).map_err(io(&path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        doing: "write",
        path,
        source,
    }
}

fn table(found: &Best, out: &Path) {
    let solution = found
        .ranked
        .first()
        .or(found.rest.as_ref())
        .map(|it| &it.solution);
    if let Some(solution) = solution {
        answer(&solution.said());
    }
    print::rows(
        ["rank", "value", "proved", "nodes", "folder", "projection"],
        found.ranked.iter().map(|ranked| {
            let outcome = &ranked.solution.outcome;
            let value = outcome.primal;
            [
                ranked.rank.to_string(),
                value.map_or(String::new(), |value| {
                    sentence::value(&outcome.instance, value)
                }),
                if outcome.proved { "yes" } else { "no" }.to_owned(),
                outcome.nodes.to_string(),
                out.join(ranked.rank.to_string()).display().to_string(),
                ranked.words.clone(),
            ]
        }),
        &[0, 3],
    );
    if let Some(solution) = solution {
        print::facts(told(solution.outcome.instance.goal, &solution.said()));
    }
    print::line(&found.group);
    if !found.ranked.is_empty() {
        print::line("every schedule replays without divergence");
    }
}

fn exit_code(found: &Best) -> u8 {
    match (&found.rest, found.ranked.as_slice()) {
        _ if found.interrupted => exit::INTERRUPTED,
        (Some(rest), []) => code(&rest.solution),
        (None, []) => exit::UNDECIDED,
        _ if found.proved() => exit::DONE,
        _ => exit::UNPROVED,
    }
}
