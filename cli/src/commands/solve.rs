//! `milp solve`: the worst schedule of an instance.

use super::watch::{self, Watch};
use crate::{
    document,
    found::{Alarmed, Found, Witnessed, code, summary},
    limits::Limits,
    print,
    progress::Printer,
    set::Set,
    stop,
};
use milp_schema::{Instance, instance::Formulation};
use milp_study::{
    Error,
    ask::Expectation,
    best,
    folder::{self, Folder, Held},
    learn::{self, Ending, News, Witness},
    solve::{Request, Solution, solve},
};
use serde::{
    Deserialize as _,
    de::{
        IntoDeserializer as _,
        value::{Error as Unknown, StrDeserializer},
    },
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

/// The question, the limits, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    pub(super) file: PathBuf,
    #[command(flatten)]
    set: Set,
    /// Folder for the result [default: out/ and the path of the instance, below instances/ if it
    /// lies there]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) limits: Limits,
    /// Start from the schedule of an earlier result
    #[arg(long, value_name = "DIR")]
    pub(super) warm_start: Option<PathBuf>,
    /// Formulation, in place of the instance's own
    #[arg(long, value_name = "NAME", value_parser = formulation)]
    pub(super) formulation: Option<Formulation>,
    /// Do not solve again with four more slots to see whether the optimum is the same
    #[arg(long)]
    no_adequacy: bool,
    /// Confirm the schedule on an engine (own, nspcc-dbft, dbft2-nspcc[:DEFECT], PROTOCOL[:MUTANT]
    /// or cmd:COMMAND); what the engine does not do is learned as cuts, what it does and the rules forbid is an alarm and
    /// allowed from then on; solved again until it follows a schedule or none is left
    #[arg(long, value_name = "ENGINE")]
    pub(super) confirm: Option<Witness>,
    /// Stop after so many cuts
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "CUTS",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..),
        requires = "confirm",
    )]
    confirm_limit: u32,
    /// End with 0 only if this is proved, say fork<=1, and with 12 if it is not so; may be given again
    #[arg(long = "expect", value_name = "GOAL<=N", conflicts_with_all = ["k_best", "confirm"])]
    expect: Vec<Expectation>,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    pub(super) best: super::best::Args,
    /// Show no progress
    #[arg(long)]
    pub(super) quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let interrupt = stop::interrupt();
    args.watch.run(&watch::of(&args.file), &interrupt, || {
        solved(args, &interrupt)
    })
}

fn solved(args: &Args, interrupt: &AtomicBool) -> Result<u8, Error> {
    if let Some(every) = args.set.every(&args.file)? {
        return super::every::solve(args, &every);
    }
    let mut instance = args.set.read(&args.file)?;
    if let Some(formulation) = args.formulation {
        instance.formulation = formulation;
    }
    let warm_start = args.warm_start.as_deref().map(Folder::read).transpose()?;
    let out = destination(args.out.as_deref(), place, &args.file, &instance)?;
    match args.best.k_best {
        Some(_) => best::replaceable(&out)?,
        None => folder::replaceable(&out)?,
    }
    if let Some(other) = args.expect.iter().find(|it| !it.is_about(instance.goal)) {
        return Err(super::ask::unasked(other));
    }
    let request = Request {
        instance: &instance,
        settings: &args.limits.settings(),
        warm_start: warm_start.as_ref(),
        adequacy: !args.no_adequacy,
        command: &command_line(),
    };
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    printer.about(&instance, "");
    if args.best.k_best.is_some() {
        return super::best::run(&args.best, request, &out, interrupt, &mut printer);
    }
    let answer = answer(args, request, interrupt, &mut printer);
    printer.finish();
    let Answer {
        solution,
        files,
        confirmed,
    } = answer?;
    folder::write(&out, &files)?;
    summary(&solution, &out);
    if let Some(witnessed) = &confirmed {
        print::line(&witnessed.words);
    }
    let code = match &confirmed {
        Some(witnessed) => witnessed.code(&solution),
        None => code(&solution),
    };
    let expected = args.expect.iter().map(|it| it.holds(&solution));
    let code = if args.expect.is_empty() {
        code
    } else {
        super::ask::code(super::ask::all(expected), interrupt)
    };
    document::result(&Found::of(&solution, &out, confirmed));
    Ok(code)
}

/// Where the result of an instance goes. A result of another one that is there is not replaced
/// unless the folder was named or the file is the same, and never without a word.
pub(crate) fn destination(
    out: Option<&Path>,
    place: impl FnOnce(&Path) -> Result<PathBuf, Error>,
    file: &Path,
    instance: &Instance,
) -> Result<PathBuf, Error> {
    let dir = match out {
        Some(dir) => dir.to_owned(),
        None => place(file)?,
    };
    if let Some(Held { command, changed }) = folder::held(&dir, instance, file) {
        let words = format!(
            "{} holds the result of another instance, of `{command}`",
            dir.display()
        );
        if out.is_none() && !changed {
            return Err(Error::Refused(format!(
                "{words}: give another --out, or remove it"
            )));
        }
        print::note(&format!("{words}, which this one replaces"));
    }
    Ok(dir)
}

/// Where the result of an instance file goes by default.
pub(crate) fn place(file: &Path) -> Result<PathBuf, Error> {
    Ok(Path::new("out").join(folder::place(file)?))
}

/// What is written and printed.
struct Answer {
    solution: Solution,
    files: BTreeMap<String, Vec<u8>>,
    /// What an engine said to it, if one was asked.
    confirmed: Option<Witnessed>,
}

fn answer(
    args: &Args,
    request: Request<'_>,
    interrupt: &AtomicBool,
    printer: &mut Printer,
) -> Result<Answer, Error> {
    let Some(witness) = &args.confirm else {
        let solution = solve(&request, interrupt, &mut |progress| printer.show(progress))?;
        return Ok(Answer {
            files: solution.files(),
            solution,
            confirmed: None,
        });
    };
    let instance = request.instance;
    let request = learn::Request {
        solve: request,
        witness,
        limit: args.confirm_limit as usize,
    };
    let printer = RefCell::new(printer);
    let learned = learn::learn(
        &request,
        interrupt,
        &mut |progress| printer.borrow_mut().show(progress),
        &mut |news| {
            printer.borrow_mut().finish();
            match news {
                News::Cut(cut) => print::line(&cut.sentence),
                News::Alarm(alarm) => print::line(&format!("alarm: {}", alarm.words())),
            }
        },
    )?;
    let confirmed = Witnessed {
        follows: learned.ending == Ending::Confirmed,
        failed: matches!(learned.ending, Ending::Failed(_)),
        words: learned.words(instance),
        alarms: learned.alarms.iter().map(Alarmed::of).collect(),
    };
    Ok(Answer {
        files: learned.files()?,
        solution: learned.solution,
        confirmed: Some(confirmed),
    })
}

/// The command line for the outcome, without the path of the binary.
pub(crate) fn command_line() -> String {
    let arguments = std::env::args_os()
        .skip(1)
        .map(|part| part.to_string_lossy().into_owned());
    ["milp".to_owned()]
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

pub(crate) fn formulation(text: &str) -> Result<Formulation, String> {
    let name: StrDeserializer<'_, Unknown> = text.into_deserializer();
    Formulation::deserialize(name)
        .map_err(|_| "expected auto, timed, counting, causal or levels".to_owned())
}
