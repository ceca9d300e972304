//! Everything at hand against one engine: the kept schedules of its protocol, random ones, and a
//! solve that asks it to confirm.

use crate::{
    Error,
    confirm::{Engine, How, of_engines},
    folder::{Driven, Folder},
    learn::{self, Ending, News, Witness},
    regress, show, solve,
};
use milp_replay::engine::fuzz::{Against, Outcome, Settings as Random, alone};
use milp_schema::{
    Instance, Protocol, Verdict,
    instance::{Fault, FaultKind, Goal},
    verdict::Liveness,
};
use milp_solver::Settings;
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// How one attack went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// Which: the path of a kept result, or what was drawn or solved.
    pub name: String,
    /// What replicas do that follow the rules; empty where none were driven.
    pub rules: String,
    /// What the engine did.
    pub did: String,
    /// How it fared.
    pub fared: Fared,
    /// The shortest script that shows a failure, or its story; a line each.
    pub script: Vec<String>,
}

/// Whether an engine withstood an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fared {
    /// It did nothing wrong.
    Withstood,
    /// It did nothing worse than the rules do.
    AsTheRules,
    /// It did.
    Failed,
    /// The attack cannot be tried on it.
    NotTried,
}

/// What to attack, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The folder of kept results; those that are not there are not tried.
    pub results: &'a Path,
    /// Acts of random schedules, for each thing that it must not do.
    pub steps: u64,
    /// Of the solve that asks it to confirm; the seed names the random schedules, too.
    pub settings: &'a Settings,
}

/// How: nothing that is judged here depends on signatures.
const HOW: How = How {
    symbolic: true,
    recovery: milp_replay::Recovery::Ideal,
    compare: false,
};

/// Attacks the engine and hands each attack to `each` as it ends; whether it withstood all.
///
/// # Errors
///
/// When the engine is not there, or the folder of results cannot be read.
pub fn attack(
    request: &Request<'_>,
    interrupt: &AtomicBool,
    each: &mut dyn FnMut(&Attack),
) -> Result<bool, Error> {
    let Some(protocol) = of_engines() else {
        return Err(Error::Refused("no protocol has engines".to_owned()));
    };
    request.engine.probe(protocol)?;
    let mut withstood = true;
    let mut tell = |attack: Attack| {
        withstood &= attack.fared != Fared::Failed;
        each(&attack);
    };
    let over = || interrupt.load(Ordering::SeqCst);
    for dir in regress::kept(request.results)? {
        // What cannot be read is the business of `milp regress`.
        let Ok(folder) = Folder::read(&dir) else {
            continue;
        };
        if over() {
            return Ok(withstood);
        }
        if spoken(protocol, &folder.outcome.instance) {
            let name = dir.strip_prefix(request.results).unwrap_or(&dir);
            let driven = Driven::from(&folder);
            tell(kept(
                request.engine,
                &name.display().to_string(),
                driven,
                interrupt,
            )?);
        }
    }
    for (against, name) in [
        (Against::Fork, "random schedules, for a fork"),
        (Against::Breakdown, "random schedules, for a breakdown"),
    ] {
        tell(drawn(request, against, name, interrupt)?);
    }
    tell(confirmed(request, protocol, interrupt)?);
    Ok(withstood)
}

/// Whether schedules of the instance are about the same messages.
fn spoken(protocol: Protocol, instance: &Instance) -> bool {
    let kinds = |protocol: Protocol| {
        let kinds = protocol.kinds.iter().map(|words| words.kind.as_str());
        kinds.collect::<Vec<_>>()
    };
    kinds(instance.protocol) == kinds(protocol) && instance.protocol.messages == protocol.messages
}

/// A kept schedule, held against what the protocol without a mutant does with it.
fn kept(
    engine: &Engine,
    name: &str,
    mut driven: Driven,
    interrupt: &AtomicBool,
) -> Result<Attack, Error> {
    let attack = |did: String, fared| Attack {
        name: name.to_owned(),
        rules: String::new(),
        did,
        fared,
        script: Vec::new(),
    };
    let rules = driven.replay(&Engine::Sound, HOW)?.verdict;
    let found = match driven.replay(engine, HOW) {
        Ok(replayed) => replayed.verdict,
        Err(error) if error.is_engine() => return Ok(attack(error.to_string(), Fared::Failed)),
        Err(error) => {
            return Ok(Attack {
                script: vec![error.to_string()],
                ..attack(String::new(), Fared::NotTried)
            });
        }
    };
    let rules_say = says(&rules);
    let mut attack = Attack {
        rules: rules_say,
        ..attack(
            says(&found),
            if found.violated().is_empty() && found.termination != Liveness::Stuck {
                Fared::Withstood
            } else {
                Fared::AsTheRules
            },
        )
    };
    let worse = worse(&rules, &found);
    if worse.is_empty() {
        return Ok(attack);
    }
    attack.fared = Fared::Failed;
    attack.did = worse.join(", ");
    shorten(&mut driven, interrupt, |shorter| {
        let (rules, found) = (
            shorter.replay(&Engine::Sound, HOW),
            shorter.replay(engine, HOW),
        );
        matches!((rules, found), (Ok(rules), Ok(found))
            if self::worse(&rules.verdict, &found.verdict) == worse)
    });
    attack.script = show::story(&driven, engine)?.lines();
    Ok(attack)
}

/// Takes rows out of a schedule as long as it still `shows` something, halves first, then quarters
/// and so on to single rows.
fn shorten(driven: &mut Driven, interrupt: &AtomicBool, shows: impl Fn(&Driven) -> bool) {
    let mut size = driven.schedule.choices.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < driven.schedule.choices.len() {
            if interrupt.load(Ordering::SeqCst) {
                return;
            }
            let mut shorter = driven.clone();
            let to = shorter.schedule.choices.len().min(from + size);
            shorter.schedule.choices.drain(from..to);
            shorter.predicted = false;
            if shows(&shorter) {
                *driven = shorter;
            } else {
                from = to;
            }
        }
        size /= 2;
    }
}

/// What the engine does that the rules do not, in words.
fn worse(rules: &Verdict, found: &Verdict) -> Vec<String> {
    let allowed = rules.violated();
    let violated = found.violated().into_iter();
    let mut worse: Vec<String> = violated
        .filter(|property| !allowed.contains(property))
        .map(|property| format!("{property} violated"))
        .collect();
    if found.termination == Liveness::Stuck && rules.termination != Liveness::Stuck {
        worse.push("stuck".to_owned());
    }
    if found.faults > rules.faults {
        worse.push("a replica breaks down".to_owned());
    }
    worse
}

/// A verdict in few words.
fn says(verdict: &Verdict) -> String {
    let violated = verdict.violated().into_iter();
    let mut words: Vec<String> = violated.map(|it| format!("{it} violated")).collect();
    words.push(
        match verdict.termination {
            Liveness::Decided => "decided",
            Liveness::Stuck => "stuck",
            Liveness::Open => "open",
        }
        .to_owned(),
    );
    if let Some(divergences) = verdict.divergences.filter(|count| *count > 0) {
        words.push(format!("{divergences} acts otherwise"));
    }
    words.join(", ")
}

/// Random schedules, drawn while the engine answers.
fn drawn(
    request: &Request<'_>,
    against: Against,
    name: &str,
    interrupt: &AtomicBool,
) -> Result<Attack, Error> {
    let settings = Random::new(u64::from(request.settings.seed) + 1, Some(request.steps));
    let make = || request.engine.adapter();
    let mut stop = || interrupt.load(Ordering::SeqCst);
    let (report, found) = match alone(&make, against, &settings, &mut stop, &mut |_| ())? {
        Outcome::Same(report) => (report, None),
        Outcome::Differ(report, found) => (report, Some(found)),
    };
    let mut script = Vec::new();
    let did = match &found {
        None => format!("nothing of the kind in {} acts", report.steps),
        Some(found) => {
            script.extend(found.script.to_string().lines().map(str::to_owned));
            let differs = found.difference.0.first();
            differs.map_or_else(String::new, |field| format!("{}; {}", field.a, field.b))
        }
    };
    Ok(Attack {
        name: name.to_owned(),
        rules: String::new(),
        did,
        fared: if found.is_some() {
            Fared::Failed
        } else {
            Fared::Withstood
        },
        script,
    })
}

/// A solve of the smallest question that has a Byzantine replica, which the engine is asked to
/// confirm; what it does and the rules forbid ends it.
fn confirmed(
    request: &Request<'_>,
    protocol: Protocol,
    interrupt: &AtomicBool,
) -> Result<Attack, Error> {
    let instance = Instance::asking(protocol)
        .replicas(4)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .views(1)
        .slots(8)
        .goal(Goal::Fork)
        .build();
    let witness = Witness::Engine(request.engine.clone());
    let request = learn::Request {
        solve: solve::Request {
            instance: &instance,
            settings: request.settings,
            warm_start: None,
            adequacy: false,
            command: "milp engine attack",
        },
        witness: &witness,
        limit: 20,
    };
    let ended = AtomicBool::new(interrupt.load(Ordering::SeqCst));
    let learned = learn::learn(&request, &ended, &mut |_| (), &mut |news| {
        let alarmed = matches!(news, News::Alarm(_));
        ended.fetch_or(
            alarmed || interrupt.load(Ordering::SeqCst),
            Ordering::SeqCst,
        );
    })?;
    let (fared, did) = match (&learned.alarms.first(), &learned.ending) {
        (Some(_), _) => (Fared::Failed, "it does what the rules forbid".to_owned()),
        (None, Ending::Failed(why)) => (Fared::Failed, why.clone()),
        (None, Ending::Confirmed) => (Fared::Withstood, "it follows the worst schedule".to_owned()),
        (None, Ending::NoneLeft) => (Fared::Withstood, "it follows no schedule".to_owned()),
        (None, Ending::Stopped(why)) => (Fared::Withstood, format!("stopped: {why}")),
    };
    let script = learned.alarms.first().map_or_else(Vec::new, |alarm| {
        let history = (1..).zip(&alarm.history);
        let steps = history.map(|(number, step)| format!("{number:>4}  {step}"));
        [alarm.what.clone()].into_iter().chain(steps).collect()
    });
    Ok(Attack {
        name: "the worst schedule of four replicas, one Byzantine, in one view".to_owned(),
        rules: "decided".to_owned(),
        did,
        fared,
        script,
    })
}
