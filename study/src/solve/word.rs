//! What was found, put into words and into the files of a result.

use super::{
    adequacy::Adequacy,
    build,
    decode::Followed,
    request::{PASSED_OVER, REFUSED, Request, Solution},
};
use crate::{
    beside::Beside,
    evidence,
    lemmas::{BY, Lemmas},
    sentence,
    size::Size,
};
use milp_model::{Built, Decoded};
use milp_schema::{Evidence, Instance, Outcome, Schedule, protocol::WRITTEN, write};
use milp_solver::{Settings, Solved};
use std::sync::atomic::{AtomicBool, Ordering};

/// The keys of `run:` that tell of the search. Others tell something of the answer, and
/// `milp verify` derives that again.
pub(crate) const OF_THE_SEARCH: [&str; 11] = [
    "milp",
    "milp-solver",
    "good_lp",
    "highs",
    "seed",
    "threads",
    "time_limit_seconds",
    "system",
    "cores",
    "passed over",
    REFUSED,
];

/// What `run:` says of a protocol whose file does not come with the program: its key and its words.
pub(crate) fn of_a_file(instance: &Instance) -> Option<(String, String)> {
    instance.protocol.given()?;
    let digest = instance.protocol.definition()?.digest();
    let words = format!("SHA-256 {digest}, none that comes with the program");
    Some((WRITTEN.to_owned(), words))
}

/// Notes the limit that is for several solves together: what each had of it differs from run to run.
pub(crate) fn note_limit(outcome: &mut Outcome, settings: &Settings) {
    let limits = outcome.run.iter_mut();
    for (_, value) in limits.filter(|(key, _)| key == "time_limit_seconds") {
        *value = settings.time_limit_seconds.to_string();
    }
}

/// What `run:` records. Nothing else of an outcome but `seconds` may differ between two runs.
fn run_facts(
    settings: &Settings,
    versions: Vec<(String, String)>,
    adequacy: Option<&Adequacy>,
) -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![fact("milp", env!("CARGO_PKG_VERSION").to_owned())];
    facts.extend(versions);
    facts.extend([
        fact("seed", settings.seed.to_string()),
        fact("threads", settings.threads.to_string()),
        fact(
            "time_limit_seconds",
            settings.time_limit_seconds.to_string(),
        ),
        fact(
            "system",
            format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        ),
        fact("cores", cores.to_string()),
    ]);
    facts.extend(adequacy.map(|adequacy| fact("horizon", adequacy.words())));
    facts
}

/// The numbers behind it: the point, what proves the lemmas, what proves the bound.
fn evidence_of(
    built: &Built,
    lemmas: Option<&Lemmas>,
    solved: &Solved,
    decoded: Option<&Decoded>,
) -> Evidence {
    let mut evidence = Evidence::default();
    if let (Some(point), Some(decoded)) = (&solved.point, decoded) {
        let parts = evidence::point(built, point, &decoded.schedule, &decoded.faulty);
        evidence.parts.extend(parts);
    }
    let proved = lemmas.into_iter().flat_map(|it| it.parts.iter().cloned());
    evidence.parts.extend(proved);
    let multipliers = solved.multipliers.as_ref();
    let whole = evidence::whole(built.program(), &solved.certificate, multipliers);
    evidence.parts.extend(whole);
    evidence
}

/// The files of a result hold what was asked, what was found and what it rests on.
pub(super) fn word(
    (request, beside, built): (&Request<'_>, Beside<'_>, &Built),
    Followed {
        solved,
        decoded,
        refused,
    }: Followed,
    (seconds, adequacy): (f64, Option<Adequacy>),
    interrupt: &AtomicBool,
) -> Solution {
    let program = built.program();
    let lemmas = match beside {
        Beside::Lemmas(lemmas) => Some(lemmas),
        _ => None,
    };
    let evidence = evidence_of(built, lemmas, &solved, decoded.as_ref());
    // Without slots in the program the schedule says how many its replay takes.
    let mut instance = request.instance.clone();
    let (schedule, faulty) = decoded.map_or((None, Vec::new()), |decoded| {
        instance.slots = decoded.slots;
        (Some(decoded.schedule), decoded.faulty)
    });
    let mut run = run_facts(request.settings, solved.versions, adequacy.as_ref());
    let passed = build::passed_over(request, beside, built);
    run.extend(passed.map(|it| (PASSED_OVER.to_owned(), it)));
    run.extend(of_a_file(request.instance));
    run.extend(lemmas.map(|it| (BY.to_owned(), it.count().to_string())));
    let refused = (refused > 0).then(|| (REFUSED.to_owned(), refused.to_string()));
    run.extend(refused);
    let sha256 =
        |schedule: &Schedule| write::sha256_hex(write::choices_csv(&schedule.choices).as_bytes());
    let mut outcome = Outcome {
        termination: solved.termination,
        primal: solved.primal,
        dual: solved.dual,
        proved: solved.proved,
        nodes: solved.nodes,
        seconds,
        formulation: built.formulation().name().to_owned(),
        certificate: solved.certificate,
        program: Some(evidence::digest(program)),
        certificate_sha256: evidence::hash(&evidence),
        sentence: String::new(),
        faulty,
        schedule_sha256: schedule.as_ref().map(sha256),
        asked_slots: request.instance.slots,
        instance,
        command: request.command.to_owned(),
        run,
    };
    outcome.sentence = sentence::again(&outcome, schedule.as_ref(), &beside.relative());
    Solution {
        interrupted: interrupt.load(Ordering::SeqCst) && !outcome.proved,
        outcome,
        schedule,
        point: solved.point,
        evidence,
        lemmas: lemmas.map(|it| it.text().to_owned()),
        size: Size::of(program),
        root_bound: solved.root_bound,
        started_from: solved.started_from,
        refuted: solved.refuted,
        adequacy,
    }
}
