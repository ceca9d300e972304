//! `milp ask`: can it fork, can it stall? The verdict first.

mod question;

use super::{
    solve::command_line,
    watch::{self, Watch},
};
use crate::{
    document, exit,
    found::{told as told_of, tone},
    limits::Limits,
    print::{self, Tone},
    progress::Printer,
    set::Set,
    stop,
};
use milp_schema::instance::Goal;
use milp_show::acts;
use milp_study::{
    Error,
    ask::{Answer, Expectation, Verdict, ask},
    folder,
    sentence::Said,
    solve::Request,
};
use question::{fault, questions, sentence, with, with_gossip};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// The question.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file, whose goal is asked; without one a question is made of --protocol
    #[arg(conflicts_with = "protocol")]
    file: Option<PathBuf>,
    /// Protocol that comes with the program, or ./ and a file of one's own: whether it forks, and
    /// whether it stalls, or wastes good views where views never end
    #[arg(long, value_name = "NAME")]
    protocol: Option<String>,
    /// Number of replicas
    #[arg(long, value_name = "N", default_value_t = 4)]
    n: u32,
    /// How many are faulty, and how: byzantine:1, crash:1, network:1 or none; a list with commas
    /// [default: byzantine, as many as the protocol is made for]
    #[arg(long, value_name = "KIND:COUNT", value_delimiter = ',', value_parser = fault)]
    faults: Vec<(String, u32)>,
    /// Number of views
    #[arg(long, value_name = "VIEWS", default_value_t = 2)]
    views: u32,
    /// Last slot, where the program knows slots [default: 6 for each view]
    #[arg(long, value_name = "SLOTS")]
    slots: Option<u32>,
    #[command(flatten)]
    set: Set,
    /// End with 0 only if this is proved, say fork<=1; may be given again
    #[arg(long = "expect", value_name = "GOAL<=N")]
    expect: Vec<Expectation>,
    #[command(flatten)]
    watch: Watch,
    /// Folder for the results, one below it for each goal [default: out/ask/ and the question]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// `SAFE`, `FORKS`, `STALLS`, `DECIDES BY SLOT N` or `NOT SETTLED`.
    verdict: String,
    /// Goal by goal.
    answers: Vec<Answered>,
    /// Goals that cannot be asked here, with why.
    refused: Vec<String>,
    /// What was expected, and whether it is so: null where that is not known.
    expected: BTreeMap<String, Option<bool>>,
    /// Commands that go on from here.
    next: Vec<String>,
}

/// The answer to one goal.
#[derive(Debug, Serialize, JsonSchema)]
struct Answered {
    /// Name of the goal.
    goal: String,
    /// What the answer means.
    verdict: String,
    /// The same in a sentence.
    words: String,
    /// Value of the schedule found.
    value: Option<i64>,
    /// Whether it is proved to be the worst.
    proved: bool,
    /// How many acts of each kind the adversary needs; empty where nothing bad was found.
    needs: BTreeMap<String, i64>,
    /// How it is known.
    proof: String,
    /// Seconds.
    seconds: f64,
    /// The folder of the result.
    written: String,
    /// The folder of the same schedule without what replicas can do without, of which nothing is
    /// proved.
    fewer: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let interrupt = stop::interrupt();
    let file = args.file.as_deref();
    let seen = file.map(watch::of).unwrap_or_default();
    let own = args
        .protocol
        .as_deref()
        .filter(|name| name.starts_with('.'));
    let seen: Vec<PathBuf> = seen.into_iter().chain(own.map(PathBuf::from)).collect();
    args.watch
        .run(&seen, &interrupt, || answered(args, &interrupt))
}

fn answered(args: &Args, interrupt: &AtomicBool) -> Result<u8, Error> {
    let mut questions = VecDeque::from(questions(args)?);
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    let (mut answers, mut refused) = (Vec::new(), Vec::new());
    // Of several ways to ask for liveness the first that the protocol has is taken.
    let (mut at, mut all) = (0, questions.len());
    while let Some(ways) = questions.pop_front() {
        at += 1;
        let mut why = None;
        for (instance, out) in ways {
            folder::replaceable(&out)?;
            folder::replaceable(&fewer(&out))?;
            let part = match all {
                1 => String::new(),
                _ => format!("{} ({at} of {all}), ", instance.goal.name()),
            };
            printer.about(&instance, &part);
            let request = Request {
                instance: &instance,
                settings: &args.limits.settings(),
                warm_start: None,
                adequacy: false,
                command: &command_line(),
            };
            let asked = ask(&request, interrupt, &mut |progress| printer.show(progress));
            printer.finish();
            match asked {
                Ok(answer) => {
                    folder::write(&out, &answer.solution.files())?;
                    keep_fewer(&answer, &fewer(&out))?;
                    if let Some(then) = with_gossip(args, &answer, &out) {
                        questions.push_back(vec![then]);
                        all += 1;
                    }
                    answers.push((answer, out));
                    why = None;
                    break;
                }
                Err(Error::Model(model)) => {
                    why.get_or_insert(Error::Model(model));
                }
                Err(error) => return Err(error),
            }
        }
        match why {
            Some(error) if args.file.is_some() => return Err(error),
            Some(error) => refused.push(format!("not asked: {error}")),
            None => {}
        }
    }
    told(args, &answers, refused, interrupt)
}

/// Where the schedule goes that has fewer acts.
fn fewer(out: &Path) -> PathBuf {
    with(out, "-fewer")
}

/// Writes that schedule; one of an earlier question does not stay.
fn keep_fewer(answer: &Answer, out: &Path) -> Result<(), Error> {
    let Some(fewer) = &answer.fewer else {
        return folder::remove(out);
    };
    let files = folder::files(&fewer.outcome, Some(&fewer.schedule), None);
    folder::write(out, &files)
}

/// Prints the answers, the verdict first, and gives the exit code.
fn told(
    args: &Args,
    answers: &[(Answer, PathBuf)],
    refused: Vec<String>,
    interrupt: &AtomicBool,
) -> Result<u8, Error> {
    let expected = expected(args, answers)?;
    let mut verdicts: Vec<Verdict> = answers.iter().map(|(answer, _)| answer.verdict).collect();
    if !refused.is_empty() {
        verdicts.push(Verdict::NotSettled);
    }
    verdicts.sort();
    verdicts.dedup();
    let broken = verdicts.iter().filter(|verdict| verdict.is_broken());
    let broken: Vec<String> = broken.map(Verdict::to_string).collect();
    let verdict = match (broken.is_empty(), verdicts.first()) {
        (true, first) => first.map_or_else(String::new, Verdict::to_string),
        (false, _) => broken.join(", "),
    };
    let mut said: Vec<&Answer> = answers.iter().map(|(answer, _)| answer).collect();
    said.sort_by_key(|answer| answer.verdict);
    // What gossip changes nothing of is said once.
    let has_gossip = |it: &&Answer| it.solution.outcome.instance.gossip;
    let (with, without): (Vec<&Answer>, Vec<&Answer>) = said.into_iter().partition(has_gossip);
    let same = |it: &&Answer| without.iter().any(|one| one.said.answer == it.said.answer);
    let with = with.into_iter().filter(|it| !same(it));
    let said = without.iter().copied().chain(with);
    let said = said.map(sentence);
    let said: Vec<String> = said.chain(refused.iter().cloned()).collect();
    let tone = verdicts.first().map_or(Tone::Open, |first| tone(*first));
    print::verdict(&verdict, &said.join("; "), tone);
    facts(answers);
    for (text, so) in &expected {
        let so = so.map_or("not known", |so| if so { "so" } else { "NOT SO" });
        print::line(&format!("expected {text}: {so}"));
    }
    let next = next(answers);
    print::line("next:");
    for line in &next {
        print::verbatim(&format!("  {line}"));
    }
    let holds = if expected.is_empty() {
        match verdicts.first() {
            Some(verdict) if verdict.is_broken() => Some(false),
            Some(Verdict::NotSettled) | None => None,
            Some(_) => Some(true),
        }
    } else {
        all(expected.values().copied())
    };
    document::result(&Found {
        verdict,
        answers: answers.iter().map(Answered::of).collect(),
        refused,
        expected,
        next,
    });
    Ok(code(holds, interrupt))
}

/// What was asked and found, question by question.
fn facts(answers: &[(Answer, PathBuf)]) {
    let mut told: Option<&Said> = None;
    for (answer, out) in answers {
        let outcome = &answer.solution.outcome;
        let [asked, known, left_out] = told_of(outcome.instance.goal, &answer.said);
        // What is left out of both is said once.
        let new = told.is_none_or(|it| it.left_out != answer.said.left_out);
        let text = format!("{}: {}", answer.verdict, sentence(answer));
        let with_fewer = answer.fewer.as_ref();
        print::facts([
            asked,
            ("answer", Some(text)),
            ("the adversary needs", needed(answer)),
            known,
            (left_out.0, left_out.1.filter(|_| new)),
            ("seconds", Some(format!("{:.2}", outcome.seconds))),
            ("written", Some(out.display().to_string())),
            (
                "with fewer acts",
                with_fewer.map(|_| fewer(out).display().to_string()),
            ),
        ]);
        told = Some(&answer.said);
    }
}

/// What the adversary needs, and how that was found.
fn needed(answer: &Answer) -> Option<String> {
    let how = answer.fewer.as_ref();
    let how = how.map_or(
        "",
        |_| " (found by deleting acts for as long as replicas end so; a search may find fewer)",
    );
    Some(answer.needed()? + how)
}

impl Answered {
    fn of((answer, out): &(Answer, PathBuf)) -> Self {
        let outcome = &answer.solution.outcome;
        let needs = answer.needs.iter();
        let needs = needs.map(|(act, count)| (format!("{}s", acts::name(*act)), *count));
        Self {
            goal: outcome.instance.goal.name().to_owned(),
            verdict: answer.verdict.to_string(),
            words: sentence(answer),
            value: outcome.primal,
            proved: outcome.proved,
            needs: needs.collect(),
            proof: answer.said.proof.clone(),
            seconds: outcome.seconds,
            written: out.display().to_string(),
            fewer: answer
                .fewer
                .as_ref()
                .map(|_| fewer(out).display().to_string()),
        }
    }
}

/// What was expected, and whether it is so.
fn expected(
    args: &Args,
    answers: &[(Answer, PathBuf)],
) -> Result<BTreeMap<String, Option<bool>>, Error> {
    let goal = |answer: &Answer| -> Goal { answer.solution.outcome.instance.goal };
    let judged = args.expect.iter().map(|expectation| {
        let mut answers = answers.iter().map(|(answer, _)| answer);
        let answer = answers.find(|answer| expectation.is_about(goal(answer)));
        let answer = answer.ok_or_else(|| unasked(expectation))?;
        Ok((expectation.to_string(), expectation.holds(&answer.solution)))
    });
    judged.collect()
}

/// An expectation of a goal that is not asked.
pub(crate) fn unasked(expectation: &Expectation) -> Error {
    Error::Refused(format!(
        "--expect {expectation} is about no goal that is asked here"
    ))
}

/// Whether all is so; false beats what is not known.
pub(crate) fn all(mut holds: impl Iterator<Item = Option<bool>> + Clone) -> Option<bool> {
    if holds.clone().any(|so| so == Some(false)) {
        return Some(false);
    }
    holds.try_fold(true, |_, so| so)
}

/// How a command ends that was told what to expect.
pub(crate) fn code(holds: Option<bool>, interrupt: &AtomicBool) -> u8 {
    match holds {
        Some(false) => exit::VIOLATION,
        _ if interrupt.load(Ordering::SeqCst) => exit::INTERRUPTED,
        Some(true) => exit::DONE,
        None => exit::UNPROVED,
    }
}

/// What to do next: with the schedule that shows the worst, or to trust the proof.
fn next(answers: &[(Answer, PathBuf)]) -> Vec<String> {
    let broken = |it: &&(Answer, PathBuf)| it.0.verdict.is_broken();
    let shows = |it: &&(Answer, PathBuf)| !it.0.needs.is_empty();
    let worst = answers.iter().find(broken);
    let worst = worst.or_else(|| answers.iter().find(shows));
    match (worst, answers.first()) {
        (Some((answer, out)), _) => {
            let shown = match &answer.fewer {
                Some(_) => fewer(out),
                None => out.clone(),
            };
            let shown = ["report", "explain", "replay"].map(|verb| (verb, &shown));
            let verbs = shown.into_iter().chain([("minimize", out)]);
            let lines = verbs.map(|(verb, dir)| format!("milp {verb} {}", dir.display()));
            lines.collect()
        }
        (None, Some((answer, out))) if answer.solution.schedule.is_some() => {
            vec![format!("milp verify {}", out.display())]
        }
        (None, _) => vec!["milp ask --help".to_owned()],
    }
}
