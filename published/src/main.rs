//! The command `milp-published`: solves a published program and says what was found.

use clap::Parser;
use comfy_table::{Table, presets};
use milp_published::{Answer, Error, Question, build, certified, solve};
use milp_schema::outcome::Termination;
use milp_solver::{Settings, lp, mps};
use serde::Serialize;
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

/// Solves a program published in 2020
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Question, such as those in published/instances
    file: PathBuf,
    /// Seconds for the solve, proof included
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0)]
    time_limit: f64,
    /// Take the solver's word, attempt no proof
    #[arg(long)]
    no_prove: bool,
    /// Print one line of JSON in place of a table
    #[arg(long)]
    json: bool,
    /// Write the columns of the best point that are not zero, as CSV
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Write the program as an LP file and solve nothing
    #[arg(long, value_name = "FILE")]
    lp: Option<PathBuf>,
    /// Write the program as an MPS file, which minimises, and solve nothing
    #[arg(long, value_name = "FILE")]
    mps: Option<PathBuf>,
    /// Check the point of a solution file row by row, and solve nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lp", "mps"])]
    solution: Option<PathBuf>,
}

/// What is printed about a solve.
#[derive(Debug, Serialize)]
struct Line {
    columns: usize,
    rows: usize,
    nonzeros: usize,
    seconds: f64,
    termination: Termination,
    primal: Option<i64>,
    dual: Option<f64>,
    proved: bool,
    nodes: i64,
    root_bound: Option<f64>,
    solver: String,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr().lock(), "milp-published: {error}");
            let input = matches!(
                error.downcast_ref(),
                Some(Error::Read(_) | Error::Unsupported { .. } | Error::TooLarge(_))
            );
            ExitCode::from(if input { 2 } else { 1 })
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let question = Question::read(&args.file)?;
    if args.lp.is_some() || args.mps.is_some() {
        let program = build(&question)?.program;
        if let Some(path) = &args.lp {
            write(path, &lp(&program))?;
        }
        if let Some(path) = &args.mps {
            write(path, &mps(&program))?;
        }
        return Ok(());
    }
    let (table, words) = if let Some(path) = &args.solution {
        let text = fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        let built = build(&question)?;
        let (point, value) = certified(&built, &path.display().to_string(), &text)?;
        let words = format!("value {value}; the point satisfies every row in exact integers");
        (Some(built.table(&point)), words)
    } else {
        let settings = Settings {
            time_limit_seconds: args.time_limit,
            relative_gap: 0.0,
            threads: 1,
            seed: 0,
            prove: !args.no_prove,
            presolve: true,
            warm_start: None,
            options: Vec::new(),
        };
        let answer = solve(&question, &settings, &AtomicBool::new(false), &mut |_| ())?;
        let words = if args.json {
            serde_json::to_string(&line(&answer))?
        } else {
            format!("{}\n{}", answer.sentence(&question), facts(&answer))
        };
        (answer.table(), words)
    };
    if let (Some(path), Some(table)) = (&args.table, table) {
        write(path, &table)?;
    }
    writeln!(io::stdout().lock(), "{words}")?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))
}

fn line(answer: &Answer) -> Line {
    let (program, solved) = (&answer.built.program, &answer.solved);
    let highs = solved.versions.iter().find(|(name, _)| name == "highs");
    Line {
        columns: program.columns.len(),
        rows: program.rows.len(),
        nonzeros: program.nonzeros(),
        seconds: solved.seconds,
        termination: solved.termination,
        primal: solved.primal,
        dual: solved.dual,
        proved: solved.proved,
        nodes: solved.nodes,
        root_bound: solved.root_bound,
        solver: highs.map_or_else(String::new, |(_, version)| format!("HiGHS {version}")),
    }
}

/// The numbers of an answer, one a row.
fn facts(answer: &Answer) -> Table {
    let line = line(answer);
    let number = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "value", "bound", "proof", "columns", "rows", "nodes", "seconds",
    ]);
    table.add_row([
        number(line.primal.map(|value| value.to_string())),
        number(line.dual.map(|bound| bound.to_string())),
        answer.strength(),
        line.columns.to_string(),
        line.rows.to_string(),
        line.nodes.to_string(),
        format!("{:.1}", line.seconds),
    ]);
    table
}
