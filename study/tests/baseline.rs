//! What everything shipped gives, line by line in `tests/baseline.ndjson`: whoever moves code and
//! means to change nothing sees here what moved. `UPDATE=1` writes the file again; a line that
//! changes is a commit of its own that says why.

mod support;

use milp_schema::{Instance, instance::Formulation, read, write};
use milp_study::{
    confirm::{Engine, How},
    expected::{CertificateKind, Expected},
    folder::{Driven, EXPECTED, Folder},
    solve::{Request, solve},
};
use serde_json::{Map, Value, json};
use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use support::{canonical, settings};

const FORMULATIONS: [(Formulation, &str); 3] = [
    (Formulation::Timed, "timed"),
    (Formulation::Counting, "counting"),
    (Formulation::Causal, "causal"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files whose name ends so, below a folder of the repository, ascending.
fn below(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    let path = path.strip_prefix(root()).expect("below the root");
    path.display().to_string()
}

fn sha(text: &str) -> String {
    write::sha256_hex(text.as_bytes())[..16].to_owned()
}

/// The digest of the program of each formulation that takes the instance.
fn programs(instance: &Instance) -> Map<String, Value> {
    let mut digests = Map::new();
    for (formulation, name) in FORMULATIONS {
        let asked = Instance {
            formulation,
            ..instance.clone()
        };
        if let Ok(built) = milp_model::build(&asked) {
            let digest = canonical::digest(built.program());
            digests.insert(name.to_owned(), json!(digest));
        }
    }
    digests
}

/// What an instance gives: formulation taken, value, bound, kind of proof, programs.
fn of_instance(path: &Path) -> Value {
    let instance = read::instance(path).expect("a shipped instance is valid");
    let programs = programs(&instance);
    let request = Request {
        instance: &instance,
        settings: &settings(600.0, true),
        warm_start: None,
        adequacy: false,
        command: "milp solve",
    };
    let solved = solve(&request, &AtomicBool::new(false), &mut |_| {}).expect("it solves");
    let outcome = solved.outcome;
    json!({
        "instance": name(path),
        "formulation": outcome.formulation,
        "value": outcome.primal,
        "bound": outcome.dual,
        "proved": outcome.proved,
        "proof": CertificateKind::from(&outcome.certificate),
        "programs": programs,
    })
}

/// What a kept result gives: the trace of its own replicas and of each engine it names.
fn of_result(path: &Path) -> Value {
    let folder = Folder::read(path.parent().expect("a file has a folder")).expect("a result");
    let expected = Expected::read(path).expect("what a result is expected to give");
    let others = expected.replays.iter().map(|replay| {
        let engine: Engine = replay.engine.parse().expect("the name of an engine");
        (replay.engine.clone(), engine)
    });
    let driven = Driven::from(&folder);
    let mut traces = Map::new();
    for (name, engine) in [("own".to_owned(), Engine::Own)].into_iter().chain(others) {
        let confirmed = driven.confirm(&engine, How::default()).expect("it replays");
        traces.insert(name, json!(sha(&confirmed.trace)));
    }
    json!({"result": name(path.parent().expect("a file has a folder")), "traces": traces})
}

/// Rows of the table of the benchmarks: the size of the question, and the answer at the root.
fn of_row(replicas: u32, formulation: Formulation, goal: &str) -> Value {
    let text = format!(
        "format: milp-instance/2.0\nprotocol: dbft2\nreplicas: {replicas}\nviews: 4\nslots: 24\n\
         faults: {{kind: byzantine, count: {}}}\ngoal: {goal}\n",
        (replicas - 1) / 3
    );
    let instance = Instance {
        formulation,
        ..read::instance_text("row.yaml", &text).expect("a valid row")
    };
    let request = Request {
        instance: &instance,
        settings: &settings(600.0, true),
        warm_start: None,
        adequacy: false,
        command: "milp bench",
    };
    let solved = solve(&request, &AtomicBool::new(false), &mut |_| {}).expect("it solves");
    json!({
        "row": format!("{goal}, n = {replicas}, {}", solved.outcome.formulation),
        "columns": solved.size.columns,
        "rows": solved.size.rows,
        "value": solved.outcome.primal,
        "bound": solved.outcome.dual,
        "proved": solved.outcome.proved,
    })
}

/// Whether the kept result of an instance took more than half a minute: `milp regress --resolve`
/// alone solves these again.
fn takes_long(instance: &Path) -> bool {
    let place = instance.strip_prefix(root().join("instances"));
    let place = place
        .expect("an instance of the repository")
        .with_extension("");
    let outcome = root().join("results").join(place).join("outcome.yaml");
    read::outcome(&outcome).is_ok_and(|outcome| outcome.seconds > 30.0)
}

#[test]
fn what_is_shipped_gives_what_it_gave() {
    let mut lines: Vec<Value> = below("instances", ".yaml")
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).expect("a file of the repository");
            let one = |path| read::every(path).expect("a question").is_none();
            text.contains("\nformat: milp-instance/") && !takes_long(path) && one(path)
        })
        .map(|path| of_instance(path))
        .collect();
    lines.extend(
        below("results", EXPECTED)
            .iter()
            .map(|path| of_result(path)),
    );
    for replicas in [4, 7] {
        for formulation in [Formulation::Counting, Formulation::Timed] {
            for goal in ["fork", "stall", "views"] {
                lines.push(of_row(replicas, formulation, goal));
            }
        }
    }
    let found: Vec<String> = lines.iter().map(Value::to_string).collect();
    let path = root().join("tests/baseline.ndjson");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found.join("\n") + "\n").expect("a file that can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).expect("tests/baseline.ndjson");
    let kept: Vec<&str> = kept.lines().collect();
    let moved: Vec<String> = found
        .iter()
        .filter(|line| !kept.contains(&line.as_str()))
        .map(|line| format!("now  {line}"))
        .chain(
            kept.iter()
                .filter(|line| !found.iter().any(|found| found == *line))
                .map(|line| format!("kept {line}")),
        )
        .collect();
    assert!(moved.is_empty(), "moved:\n{}", moved.join("\n"));
}

#[test]
fn a_digest_knows_no_names_and_no_order_and_notices_a_number() {
    let instance = read::instance(&root().join("instances/n4.yaml")).expect("it is valid");
    let program = milp_model::build(&instance)
        .expect("it builds")
        .program()
        .clone();
    let digest = canonical::digest(&program);

    let mut other = program.clone();
    other.rows.reverse();
    for (index, row) in other.rows.iter_mut().enumerate() {
        row.name = format!("r{index}");
    }
    assert_eq!(canonical::digest(&other), digest, "rows in another order");

    for index in 0..program.rows.len() {
        let mut other = program.clone();
        other.rows[index].terms[0].1 += 1;
        assert_ne!(
            canonical::digest(&other),
            digest,
            "{}",
            other.rows[index].name
        );
    }
}
