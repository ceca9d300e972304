//! `outcome.yaml`: what a solve found.

use super::{
    Near,
    fields::{self, Fields},
    format, instance,
    problem::{Problems, Reported},
    tree::{Node, Value},
};
use crate::{
    ids::ReplicaId,
    instance::{FaultKind, Instance, Who},
    limits,
    outcome::{Certificate, Outcome, ProgramDigest, Termination},
};

const KEYS: [&str; 19] = [
    "format",
    "termination",
    "primal",
    "dual",
    "gap",
    "proved",
    "nodes",
    "seconds",
    "formulation",
    "certificate",
    "program",
    "certificate_sha256",
    "sentence",
    "faulty",
    "schedule_sha256",
    "schedule_slots",
    "instance",
    "command",
    "run",
];

/// The outcome in `node`. Every part is judged even if an earlier one is wrong.
pub(crate) fn convert(node: &Node, near: Near<'_>, problems: &mut Problems) -> Option<Outcome> {
    let fields = Fields::of(node, "an outcome", &KEYS, problems)?;
    if !format::check(&fields, "outcome", problems) {
        return None;
    }
    let terminations = [
        ("optimal", Termination::Optimal),
        ("feasible", Termination::Feasible),
        ("infeasible", Termination::Infeasible),
        ("undecided", Termination::Undecided),
    ];
    let termination = fields.choice("termination", &terminations, None, problems);
    let primal = optional(&fields, "primal", problems, |node, problems| {
        fields::number(node, "primal", i64::MIN..=i64::MAX, problems)
    });
    let dual = optional(&fields, "dual", problems, |node, problems| {
        real(node, "dual", problems)
    });
    let gap = optional(&fields, "gap", problems, |node, problems| {
        real(node, "gap", problems)
    });
    let proved = fields.boolean("proved", None, problems);
    let nodes = fields.number("nodes", i64::MIN..=i64::MAX, None, problems);
    let seconds = fields
        .required("seconds", "a number", problems)
        .and_then(|node| real(node, "seconds", problems));
    let formulation = fields.text("formulation", problems);
    let certificate = certificate(&fields, problems);
    let program = program(&fields, problems);
    let certificate_sha256 = given(&fields, "certificate_sha256", problems);
    let sentence = fields.text("sentence", problems);
    let hash = optional(&fields, "schedule_sha256", problems, |node, problems| {
        sha256(node, "schedule_sha256", "schedule.csv", problems)
    });
    let instance = fields
        .required("instance", "the whole instance", problems)
        .and_then(|node| instance::convert(node, near, problems));
    let asked_slots = instance.as_ref().map(|instance| instance.slots);
    let instance = answered(&fields, instance, problems);
    let faulty = faulty(&fields, instance.as_ref(), problems);
    let command = fields.text("command", problems);
    let run = run(&fields, problems);
    let outcome = Outcome {
        termination: termination?,
        primal: primal.ok()?,
        dual: dual.ok()?,
        proved: proved?,
        nodes: nodes?,
        seconds: seconds?,
        formulation: formulation?.to_owned(),
        certificate: certificate?,
        program: program.ok()?,
        certificate_sha256: certificate_sha256.ok()?,
        sentence: sentence?.to_owned(),
        faulty: faulty?,
        schedule_sha256: hash.ok()?,
        instance: instance?,
        asked_slots: asked_slots?,
        command: command?.to_owned(),
        run: run?,
    };
    consistent(&fields, &outcome, gap.ok()?, problems);
    Some(outcome)
}

/// The instance with as many slots as its schedule takes.
fn answered(fields: &Fields, asked: Option<Instance>, problems: &mut Problems) -> Option<Instance> {
    // Without an instance nobody asks for its slots.
    let default = asked.as_ref().map_or(1, |instance| instance.slots);
    let slots = fields.count(
        "schedule_slots",
        limits::SCHEDULE_SLOTS,
        Some(default),
        problems,
    )?;
    asked.map(|asked| Instance { slots, ..asked })
}

/// A key that must be there and may be null.
fn optional<T>(
    fields: &Fields,
    key: &str,
    problems: &mut Problems,
    read: impl FnOnce(&Node, &mut Problems) -> Option<T>,
) -> Result<Option<T>, Reported> {
    let expected = "`null` when there is none";
    let node = fields.required(key, expected, problems).ok_or(Reported)?;
    if node.is_null() {
        Ok(None)
    } else {
        read(node, problems).map(Some).ok_or(Reported)
    }
}

fn real(node: &Node, key: &str, problems: &mut Problems) -> Option<f64> {
    if let Value::Scalar { text, plain: true } = &node.value
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        && let Ok(value) = text.parse::<f64>()
        && value.is_finite()
    {
        return Some(value);
    }
    let what = format!("`{key}` must be a finite number, not {}", node.described());
    problems.at(
        node.place,
        what,
        "write decimal digits, with a point and an exponent if need be",
    );
    None
}

/// A hash that need not be there.
fn given(fields: &Fields, key: &str, problems: &mut Problems) -> Result<Option<String>, Reported> {
    let Some(node) = fields.get(key) else {
        return Ok(None);
    };
    let hash = sha256(node, key, "certificate.csv", problems);
    hash.map(Some).ok_or(Reported)
}

/// Which program was solved; an outcome need not say it.
fn program(fields: &Fields, problems: &mut Problems) -> Result<Option<ProgramDigest>, Reported> {
    let Some(node) = fields.get("program") else {
        return Ok(None);
    };
    let keys = ["columns", "rows", "sha256"];
    let program = Fields::of(node, "`program`", &keys, problems).ok_or(Reported)?;
    let columns = program.number("columns", 1..=i64::MAX, None, problems);
    let rows = program.number("rows", 0..=i64::MAX, None, problems);
    let hash = program
        .required("sha256", "the hash of the program", problems)
        .and_then(|node| sha256(node, "sha256", "the program", problems));
    match (columns, rows, hash) {
        (Some(columns), Some(rows), Some(sha256)) => Ok(Some(ProgramDigest {
            columns: columns as u64,
            rows: rows as u64,
            sha256,
        })),
        _ => Err(Reported),
    }
}

fn sha256(node: &Node, key: &str, of: &str, problems: &mut Problems) -> Option<String> {
    let text = fields::text(node, key, problems)?;
    if text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Some(text.to_owned());
    }
    let what = format!(
        "`{key}` must be 64 lower-case hexadecimal digits, not {}",
        node.described()
    );
    problems.at(
        node.place,
        what,
        format!("it is what `sha256sum` prints for {of}"),
    );
    None
}

fn certificate(fields: &Fields, problems: &mut Problems) -> Option<Certificate> {
    let expected = "`none`, `{safe_dual_bound: {bound: …}}`, `{permuted_infeasible: {seed: …}}` or \
                    `{cubes: {bound: …, exact: …, symmetric: …, searched: …}}`";
    let node = fields.required("certificate", expected, problems)?;
    if !matches!(node.value, Value::Map(_)) {
        if matches!(&node.value, Value::Scalar { text, .. } if text == "none") {
            return Some(Certificate::None);
        }
        let what = format!("`certificate` must be {expected}, not {}", node.described());
        problems.at(
            node.place,
            what,
            "solve the instance again to get a certificate",
        );
        return None;
    }
    let kinds = ["safe_dual_bound", "permuted_infeasible", "cubes"];
    let certificate = Fields::of(node, "`certificate`", &kinds, problems)?;
    match kinds.map(|kind| certificate.get(kind)) {
        [Some(inner), None, None] => {
            let inner = Fields::of(inner, "`safe_dual_bound`", &["bound"], problems)?;
            let bound = inner.number("bound", i64::MIN..=i64::MAX, None, problems)?;
            Some(Certificate::SafeDualBound { bound })
        }
        [None, Some(inner), None] => {
            let inner = Fields::of(inner, "`permuted_infeasible`", &["seed"], problems)?;
            let node = inner.required("seed", "a whole number", problems)?;
            let seed = match &node.value {
                Value::Scalar { text, plain: true } => text.parse::<u64>().ok(),
                _ => None,
            };
            if seed.is_none() {
                let what = format!(
                    "`seed` must be a whole number from 0, not {}",
                    node.described()
                );
                problems.at(node.place, what, "write decimal digits only");
            }
            seed.map(|seed| Certificate::PermutedInfeasible { seed })
        }
        [None, None, Some(inner)] => cubes(inner, problems),
        // Its only key is unknown, which was reported.
        [None, None, None] if !certificate.is_empty() => None,
        _ => {
            let what = format!("`certificate` must be {expected}: exactly one of them");
            problems.at(
                node.place,
                what,
                "solve the instance again to get a certificate",
            );
            None
        }
    }
}

fn cubes(inner: &Node, problems: &mut Problems) -> Option<Certificate> {
    let keys = ["bound", "exact", "symmetric", "searched"];
    let fields = Fields::of(inner, "`cubes`", &keys, problems)?;
    let bound = fields.number("bound", i64::MIN..=i64::MAX, None, problems);
    let mut count = |key: &str| fields.count(key, 0..=u32::MAX, None, problems);
    let (exact, symmetric, searched) = (count("exact"), count("symmetric"), count("searched"));
    Some(Certificate::Cubes {
        bound: bound?,
        exact: exact?,
        symmetric: symmetric?,
        searched: searched?,
    })
}

fn faulty(
    fields: &Fields,
    instance: Option<&Instance>,
    problems: &mut Problems,
) -> Option<Vec<(ReplicaId, FaultKind)>> {
    let node = fields.required("faulty", "a list, `[]` for nobody", problems)?;
    let Value::List(nodes) = &node.value else {
        let what = format!("`faulty` must be a list, not {}", node.described());
        problems.at(node.place, what, "write `[]` for nobody");
        return None;
    };
    let last = instance.map_or(u32::MAX, |instance| instance.replicas - 1);
    let mut members: Vec<(ReplicaId, FaultKind)> = Vec::new();
    let mut good = true;
    for node in nodes {
        let entry = Fields::of(node, "a faulty replica", &["replica", "kind"], problems).and_then(
            |fields| {
                let replica = fields.count("replica", 0..=last, None, problems);
                let kind = fields.choice("kind", &instance::FAULT_KINDS, None, problems);
                Some((ReplicaId(replica?), kind?))
            },
        );
        let Some((replica, kind)) = entry else {
            good = false;
            continue;
        };
        if members
            .last()
            .is_some_and(|&(earlier, _)| earlier >= replica)
        {
            let what = format!("replica {replica} is out of order; ascending ids are expected");
            problems.at(node.place, what, "sort the list and name each replica once");
            good = false;
        }
        if instance.is_some_and(|instance| !may_be(instance, replica, kind)) {
            let what = format!("the instance does not let replica {replica} have this fault");
            problems.at(
                node.place,
                what,
                "compare `faulty` with `faults` of the instance",
            );
            good = false;
        }
        members.push((replica, kind));
    }
    good.then_some(members)
}

fn may_be(instance: &Instance, replica: ReplicaId, kind: FaultKind) -> bool {
    instance
        .faults
        .iter()
        .filter(|fault| fault.kind == kind)
        .any(|fault| match &fault.who {
            Who::Any(count) | Who::Power(count) => *count > 0,
            Who::These(members) => members.contains(&replica),
        })
}

fn run(fields: &Fields, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let node = fields.required("run", "versions, seed, threads and host facts", problems)?;
    let Value::Map(entries) = &node.value else {
        let what = format!("`run` must be a mapping, not {}", node.described());
        problems.at(
            node.place,
            what,
            "write `{}` when nothing is known of the run",
        );
        return None;
    };
    entries
        .iter()
        .map(|entry| {
            let text = fields::text(&entry.value, &entry.key, problems)?;
            Some((entry.key.clone(), text.to_owned()))
        })
        .collect()
}

/// What the parts say of each other.
fn consistent(fields: &Fields, outcome: &Outcome, gap: Option<f64>, problems: &mut Problems) {
    let found = matches!(
        outcome.termination,
        Termination::Optimal | Termination::Feasible
    );
    let hint = "solve the instance again instead of editing its outcome";
    if outcome.primal.is_some() != found {
        let what = "`primal` must be given if and only if `termination` is `optimal` or `feasible`";
        problems.at(fields.place("primal"), what, hint);
    }
    if outcome.schedule_sha256.is_some() != outcome.primal.is_some() {
        let what = "`schedule_sha256` must be given if and only if `primal` is";
        problems.at(fields.place("schedule_sha256"), what, hint);
    }
    if outcome.proved && outcome.certificate == Certificate::None {
        let what = "`proved: true` needs a certificate, but `certificate` is `none`";
        problems.at(fields.place("proved"), what, hint);
    }
    let expected = outcome.gap();
    let same = match (gap, expected) {
        (Some(gap), Some(expected)) => (gap - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        (None, None) => true,
        _ => false,
    };
    if !same {
        let expected = expected.map_or_else(|| "null".to_owned(), |gap| gap.to_string());
        let what = format!("`gap` does not follow from `primal` and `dual`: expected {expected}");
        problems.at(fields.place("gap"), what, hint);
    }
}
