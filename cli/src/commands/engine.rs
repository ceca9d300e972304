//! `milp engine`: engines in other processes.

use crate::{document, exit, print, stop};
use milp_replay::engine::{ANSWER_LIMIT, CommandLine, check};
use milp_solver::Settings;
use milp_study::{Error, attack, folder::RESULTS};
use schemars::JsonSchema;
use serde::Serialize;
use std::{ffi::OsString, path::PathBuf, sync::atomic::Ordering, time::Duration};

/// What to do with an engine.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// Say what an adapter lacks of docs/ENGINE-PROTOCOL.md
    Check(Check),
    /// Attack an engine with kept schedules, random ones and a solve that asks it to confirm
    Attack(Attack),
}

/// The engine and how long it is attacked.
#[derive(Debug, clap::Args)]
pub(crate) struct Attack {
    /// Folder of kept results, whose schedules are tried
    #[arg(long, value_name = "DIR", default_value = RESULTS)]
    results: PathBuf,
    /// Acts in random schedules, for each thing that an engine must not do
    #[arg(long, value_name = "N", default_value_t = 1500)]
    steps: u64,
    /// Names the random schedules: the same seed gives the same ones
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u32,
    /// Seconds for the solve
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    time_limit: u32,
    /// The adapter's program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// How an engine fared.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Fared {
    /// Whether it withstood every attack.
    withstood: bool,
    /// Attack by attack.
    attacks: Vec<Attacked>,
}

/// How it fared under one attack.
#[derive(Debug, Serialize, JsonSchema)]
struct Attacked {
    /// Which attack.
    attack: String,
    /// What replicas do that follow the rules; empty where none were driven.
    rules: String,
    /// What the engine did.
    engine: String,
    /// `withstood`, `as the rules` (no worse than they do), `FAILED` or `not tried`.
    verdict: String,
    /// The shortest script that shows a failure, or its story.
    script: Vec<String>,
}

/// The adapter and how long it may think.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Seconds that an answer may take; all answers of the check together may take three times that
    #[arg(long, value_name = "SECONDS", default_value_t = ANSWER_LIMIT.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
    /// The adapter's program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// What an adapter does and lacks, or how its engine fared.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Found {
    /// Of a check.
    Checked(Lacks),
    /// Of an attack.
    Attacked(Fared),
}

/// What an adapter does and lacks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Lacks {
    /// Whether nothing is missing.
    passed: bool,
    /// Check by check.
    checks: Vec<Checked>,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
struct Checked {
    /// What was checked, in words.
    name: String,
    /// The part of docs/ENGINE-PROTOCOL.md that asks for it.
    page: String,
    /// Whether it is done.
    passed: bool,
    /// A remark, or what is missing.
    words: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    match args {
        Args::Check(args) => Ok(checked(args)),
        Args::Attack(args) => attacked(args),
    }
}

fn attacked(args: &Attack) -> Result<u8, Error> {
    let engine = format!("cmd:{}", args.command.join(" "));
    let request = attack::Request {
        engine: &engine.parse().map_err(Error::Refused)?,
        results: &args.results,
        steps: args.steps,
        settings: &Settings {
            time_limit_seconds: f64::from(args.time_limit),
            relative_gap: 0.0,
            threads: 1,
            seed: args.seed,
            prove: false,
            presolve: true,
            warm_start: None,
            options: Vec::new(),
        },
    };
    let interrupt = stop::interrupt();
    let mut attacks = Vec::new();
    let withstood = attack::attack(&request, &interrupt, &mut |attack| {
        attacks.push(Attacked {
            attack: attack.name.clone(),
            rules: attack.rules.clone(),
            engine: attack.did.clone(),
            verdict: match attack.fared {
                attack::Fared::Withstood => "withstood",
                attack::Fared::AsTheRules => "as the rules",
                attack::Fared::Failed => "FAILED",
                attack::Fared::NotTried => "not tried",
            }
            .to_owned(),
            script: attack.script.clone(),
        });
    })?;
    print::rows(
        ["attack", "the rules", "the engine", "verdict"],
        attacks.iter().map(|it| {
            let Attacked {
                attack,
                rules,
                engine,
                verdict,
                ..
            } = it;
            [attack, rules, engine, verdict].map(String::clone)
        }),
        &[],
    );
    for failed in attacks.iter().filter(|it| !it.script.is_empty()) {
        print::line(&format!(
            "\n{}, {}: {}",
            failed.attack, failed.verdict, failed.engine
        ));
        for line in &failed.script {
            print::line(line);
        }
    }
    let count = |verdict| attacks.iter().filter(|it| it.verdict == verdict).count();
    let tried = attacks.len() - count("not tried");
    print::line(&match count("FAILED") {
        0 => format!("\nno worse than the rules under {tried} attacks"),
        failed => format!("\nFAILED under {failed} of {tried} attacks"),
    });
    document::result(&Found::Attacked(Fared { withstood, attacks }));
    Ok(match (withstood, interrupt.load(Ordering::SeqCst)) {
        (false, _) => exit::VIOLATION,
        (true, true) => exit::INTERRUPTED,
        (true, false) => exit::DONE,
    })
}

fn checked(args: &Check) -> u8 {
    let Check { limit, command } = args;
    let [program, arguments @ ..] = command.as_slice() else {
        return exit::INPUT;
    };
    let command = CommandLine {
        program: program.clone(),
        arguments: arguments.to_vec(),
    };
    let limit = Duration::from_secs(*limit);
    let mut checks = Vec::new();
    let passed = check::check(&command, limit, |finding| {
        print::line(&finding.to_string());
        checks.push(Checked {
            name: finding.name.to_owned(),
            page: finding.page.to_owned(),
            passed: finding.result.is_ok(),
            words: finding.result.clone().unwrap_or_else(Some),
        });
    });
    document::result(&Found::Checked(Lacks { passed, checks }));
    if passed { exit::DONE } else { exit::FAILURE }
}
