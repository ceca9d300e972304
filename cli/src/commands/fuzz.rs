//! `milp fuzz`: our own replicas against a production engine on random schedules.

use crate::{document, exit, print, stop};
use milp_replay::engine::{
    Engine, EngineError,
    fuzz::{Outcome, Report, Settings, fuzz},
    nspcc::{self, Defect, Nspcc, Switches},
};
use milp_schema::write;
use milp_study::{Error, confirm};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// What to compare, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The engine that our replicas of the same rules are compared with: nspcc-dbft, or
    /// cmd:COMMAND, an adapter
    #[arg(long, value_name = "ENGINE", value_parser = outside)]
    engine: confirm::Engine,
    /// How long, say 90s, 10m or 1h; acts without end if --steps is not given
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,
    /// How many acts; 100000 if neither this nor --time is given
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Names the schedules: the same seed gives the same ones
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Break our replicas on purpose, to see that it is noticed
    #[arg(long, value_name = "NAME", value_parser = defect)]
    defect: Option<Defect>,
    /// Sign everything with P-256 rather than with names; much slower
    #[arg(long)]
    p256: bool,
    /// Write the script of a difference into this file, too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How the comparison went.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// What was run, in words.
    report: String,
    /// The shortest script that shows a difference, if there is one.
    difference: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let own = Nspcc::new(Switches::default());
    let own = match args.defect {
        Some(defect) => own.with_defect(defect),
        None => own,
    };
    let own = || -> Result<Box<dyn Engine>, EngineError> { Ok(Box::new(own.clone())) };
    let foreign = || -> Result<Box<dyn Engine>, EngineError> { args.engine.adapter() };
    let interrupted = stop::interrupt();
    #[expect(
        clippy::disallowed_methods,
        reason = "how long and how fast is by the clock"
    )]
    let began = Instant::now();
    let mut interrupt = || {
        interrupted.load(Ordering::SeqCst) || args.time.is_some_and(|time| began.elapsed() >= time)
    };
    let mut line = Line::new(began);
    let outcome = fuzz(
        &own,
        &foreign,
        &settings(args),
        &mut interrupt,
        &mut |report| {
            line.show(report);
        },
    );
    line.wipe();
    match outcome.map_err(milp_replay::Error::from)? {
        Outcome::Same(report) => {
            document::result(&Found {
                report: report.to_string(),
                difference: None,
            });
            print::line(&report.to_string());
            print::line("No difference.");
            Ok(exit::DONE)
        }
        Outcome::Differ(report, found) => {
            let script = found.to_string();
            if let Some(path) = &args.out {
                keep(path, &script)?;
            }
            document::result(&Found {
                report: report.to_string(),
                difference: Some(script.clone()),
            });
            print::line(&report.to_string());
            print::verbatim(&script);
            match found.failure {
                Some(error) => Err(milp_replay::Error::from(error).into()),
                None => Ok(exit::VIOLATION),
            }
        }
    }
}

fn settings(args: &Args) -> Settings {
    let unlimited = args.time.is_some();
    let steps = args.steps.or((!unlimited).then_some(100_000));
    let mut settings = Settings::new(args.seed, steps);
    if args.p256 {
        settings.signatures = milp_replay::Signatures::P256;
    }
    settings
}

fn keep(path: &Path, script: &str) -> Result<(), Error> {
    write::file(path, script.as_bytes()).map_err(|source| Error::Io {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

/// A sign of life on a terminal; silent elsewhere.
struct Line {
    began: Instant,
    /// Milliseconds after the beginning when it was last shown.
    last: Option<u128>,
}

impl Line {
    fn new(began: Instant) -> Self {
        let last = io::stderr().is_terminal().then_some(0);
        Self { began, last }
    }

    fn show(&mut self, report: &Report) {
        const PAUSE: u128 = 200;
        let elapsed = self.began.elapsed();
        let now = elapsed.as_millis();
        if self.last.is_none_or(|last| now < last + PAUSE) {
            return;
        }
        self.last = Some(now);
        let pace = report.steps as f64 / elapsed.as_secs_f64();
        let (steps, runs) = (report.steps, report.runs);
        // Progress is a courtesy: a closed standard error must not end anything.
        let _ = write!(
            io::stderr().lock(),
            "\r{steps} steps in {runs} runs, {pace:.0} per second  "
        );
    }

    fn wipe(&self) {
        if self.last.is_some() {
            let _ = write!(io::stderr().lock(), "\r{:70}\r", "");
        }
    }
}

/// A number of seconds, minutes or hours.
fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a duration above 0, say 90s, 10m or 1h";
    let unit = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(unit.unwrap_or(text.len()));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(EXPECTED.to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| EXPECTED.to_owned())?;
    if number == 0 {
        return Err(EXPECTED.to_owned());
    }
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// Engines of the protocol that our replicas have.
fn outside(text: &str) -> Result<confirm::Engine, String> {
    let engine: confirm::Engine = text.parse()?;
    let known = &nspcc::protocol().engines;
    let fits = match &engine {
        confirm::Engine::Adapter(name) => known.contains(name),
        other => other.is_outside(),
    };
    if fits {
        return Ok(engine);
    }
    let known = known.join(", ");
    Err(format!("expected cmd:COMMAND or one of {known}"))
}

fn defect(name: &str) -> Result<Defect, String> {
    Defect::named(name).ok_or_else(|| {
        let names = Defect::ALL.map(Defect::name);
        format!("expected one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("10m"), Ok(600));
        assert_eq!(seconds("2h"), Ok(7200));
        for wrong in ["", "10", "h", "0s", "-1s", "1d", "1.5h", "99999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
