//! What is exported: the same bytes always, the same schedule again where the format carries it,
//! and a result where another solver wrote it. `scripts/exports.sh` opens the files in the tools
//! they are for.
//!
//! `UPDATE=1` rewrites the files below golden/exports.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::{Choice, instance::Formulation, read, verdict::Holds};
use milp_show::export::{Format, Names, export, read_itf, read_twins};
use milp_study::{
    Recovery,
    confirm::{Engine, How},
    folder::{Driven, Folder},
    import,
};
use std::path::{Path, PathBuf};

const FORMATS: [(Format, &str); 7] = [
    (Format::Itf, "itf.json"),
    (Format::Mermaid, "mmd"),
    (Format::Shiviz, "log"),
    (Format::Chrome, "trace.json"),
    (Format::Tikz, "tex"),
    (Format::Twins(Names::Numbers), "twins.json"),
    (Format::Twins(Names::Objects), "twins-objects.json"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn shipped(name: &str) -> Driven {
    Driven::from(&Folder::read(&root().join("results").join(name)).unwrap())
}

/// Every folder below `dir` that has a schedule, ascending.
fn folders(dir: &Path, found: &mut Vec<PathBuf>) {
    if dir.join("schedule.csv").is_file() {
        found.push(dir.to_owned());
    }
    let mut entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect::<Vec<_>>();
    entries.sort();
    for entry in entries {
        folders(&entry, found);
    }
}

fn results() -> Vec<Driven> {
    let mut found = Vec::new();
    folders(&root().join("results"), &mut found);
    assert!(found.len() >= 20, "{}", found.len());
    let driven = found.iter().map(|dir| Driven::read(dir, None).unwrap());
    driven.collect()
}

#[test]
fn two_shipped_results_give_the_bytes_that_are_kept() {
    for name in ["dbft1/n4-delays-fork", "dbft2/n4-equivocation-fork"] {
        for (format, ending) in FORMATS {
            let text = export(&(&shipped(name)).into(), format).unwrap().text;
            let file = format!("{}.{ending}", name.replace('/', "-"));
            let path = root().join("study/tests/golden/exports").join(file);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap();
            assert!(kept == text, "{} differs: UPDATE=1", path.display());
        }
    }
}

#[test]
fn every_shipped_result_has_every_format_and_every_delivery_is_in_it() {
    for driven in results() {
        let choices = driven.schedule.choices.iter();
        let delivered = choices.filter(|choice| matches!(choice, Choice::Deliver { .. }));
        let delivered = delivered.count();
        for (format, _) in FORMATS {
            let at = driven.dir.display();
            let text = export(&(&driven).into(), format).unwrap().text;
            let count = match format {
                Format::Mermaid => text.matches("->>").count(),
                Format::Shiviz => text.matches(": receives ").count(),
                Format::Chrome => text.matches("\"cat\": \"receive\"").count(),
                Format::Tikz => text.matches(",->] (").count() - legend(&text),
                Format::Itf => text.matches("\"choice\": \"deliver\"").count(),
                Format::Twins(_) => continue,
            };
            assert_eq!(count, delivered, "{at}: {format:?}");
        }
    }
}

/// How many arrows of a picture are its legend's.
fn legend(text: &str) -> usize {
    text.matches("node[right] {").count()
}

#[test]
fn a_trace_in_itf_gives_the_same_schedule_again() {
    for driven in results() {
        let text = export(&(&driven).into(), Format::Itf).unwrap().text;
        let carried = read_itf("trace.itf.json", &text).unwrap();
        let at = driven.dir.display();
        assert_eq!(carried.schedule, driven.schedule, "{at}");
        assert_eq!(carried.instance, driven.instance, "{at}");
        assert_eq!(carried.faulty, driven.faulty, "{at}");
        assert!(carried.predicted, "{at}");
    }
}

#[test]
fn a_trace_that_is_not_ours_or_broken_is_refused() {
    let text = export(&(&shipped("dbft1/n4-delays-fork")).into(), Format::Itf)
        .unwrap()
        .text;
    for (from, to, words) in [
        ("milp-schedule/2.0", "dbft.tla", "another source"),
        ("\"kind\": \"PrepareRequest\"", "\"kind\": 7", "7"),
        ("protocol: dbft1", "protocol: paxos", "paxos"),
        ("\"states\": [", "\"others\": [", "no states"),
        ("{", "[", "expected"),
    ] {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from}");
        let error = read_itf("broken", &broken).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

fn replayed(instance: &milp_schema::Instance, imported: &Driven) -> milp_schema::Verdict {
    assert_eq!(instance, &imported.instance);
    let how = How {
        symbolic: true,
        recovery: Recovery::Ideal,
        compare: false,
    };
    imported.confirm(&Engine::Own, how).unwrap().verdict
}

#[test]
fn scenarios_of_twins_become_schedules_that_replay() {
    // Blocks that differ in two parts, each with enough members: twins are two of four, more than
    // the protocol is made for. Then a good view; then one without enough in any part.
    let fork = r#"{"num_nodes": 4, "num_twins": 2, "partitions": 2, "views": 1, "scenarios":
        [[{"leader": 1, "partitions": [[1, 3, 5], [6, 2, 4]]}]]}"#;
    let good = r#"{"num_nodes": 4, "num_twins": 0, "partitions": 1, "views": 1, "scenarios":
        [[{"leader": 1, "partitions": [[1, 2, 3, 4]]}]]}"#;
    let second = r#"{"num_nodes": 4, "num_twins": 1, "partitions": 2, "views": 2, "scenarios":
        [[{"leader": 1, "partitions": [[1, 3], [4, 5, 2]]},
          {"leader": 2, "partitions": [[1, 2, 3, 4, 5]]}]]}"#;
    for (text, agreement, decide) in [
        (fork, Holds::Violated, true),
        (good, Holds::Holds, true),
        (second, Holds::Holds, true),
    ] {
        let skeleton = read_twins("scenario.json", text).unwrap();
        let faulty = (0..skeleton
            .instance
            .fault_count(milp_schema::instance::FaultKind::Byzantine))
            .map(|id| {
                let id = milp_schema::ReplicaId(id);
                (id, milp_schema::instance::FaultKind::Byzantine)
            })
            .collect();
        let driven = Driven {
            dir: PathBuf::from("."),
            instance: skeleton.instance.clone(),
            faulty,
            schedule: skeleton.schedule.clone(),
            predicted: false,
            edited: false,
        };
        let verdict = replayed(&skeleton.instance, &driven);
        assert_eq!(
            (verdict.divergences, verdict.impossible),
            (None, 0),
            "{verdict:?}"
        );
        assert_eq!(verdict.agreement, agreement, "{verdict:?}");
        let decides = verdict
            .notes
            .iter()
            .any(|note| note.starts_with("some replica decides"));
        assert_eq!(decides, decide, "{verdict:?}");
    }
}

/// See `twins/README.md`: what the engine itself wrote, parts without nodes as `null` included.
#[test]
fn scenarios_of_the_engine_are_the_same_with_numbers_and_with_objects() {
    let read = |name: &str| {
        let path = root().join("study/tests/twins").join(name);
        read_twins(name, &std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let numbers = read("numbers.json");
    assert_eq!(read("objects.json"), numbers);
    let byzantine = milp_schema::instance::FaultKind::Byzantine;
    assert_eq!(numbers.instance.fault_count(byzantine), 1);
    // The second view has replicas 0, 1 and 2 of four in one part, and the twin of 0 with replica 3
    // in the other: no response of 3 reaches 1.
    let lone = numbers.schedule.choices.iter().any(|choice| {
        matches!(choice, Choice::Deliver { copy, .. }
            if copy.message.view.0 == 1 && (copy.sender.0, copy.receiver.0) == (3, 1)
                && copy.message.kind.name() == "PrepareResponse")
    });
    assert!(!lone);
}

#[test]
fn what_is_exported_is_the_same_scenario_with_numbers_and_with_objects() {
    let mut renamed = 0;
    for driven in results() {
        let read = |names| {
            let exported = export(&(&driven).into(), Format::Twins(names)).unwrap();
            let ticks = serde_json::from_str::<serde_json::Value>(&exported.text).unwrap();
            assert!(ticks["ticks"].as_u64() > Some(0));
            (
                read_twins("scenario.json", &exported.text).unwrap(),
                exported.lost,
            )
        };
        let (numbers, lost) = read(Names::Numbers);
        assert_eq!(read(Names::Objects), (numbers, lost.clone()));
        // Twins are those of the first replicas, so others are renamed, and that is said.
        let byzantine = driven.faulty.iter().enumerate();
        let first = byzantine.into_iter().all(|(at, (id, kind))| {
            *kind != milp_schema::instance::FaultKind::Byzantine || id.index() == at
        });
        assert_eq!(
            first,
            !lost.iter().any(|it| it.starts_with("names")),
            "{lost:?}"
        );
        renamed += usize::from(!first);
    }
    assert!(renamed > 0);
}

#[test]
fn a_scenario_that_is_none_is_refused() {
    for (text, words) in [
        ("{}", "missing field"),
        (
            r#"{"num_nodes": 4, "num_twins": 0, "partitions": 1, "views": 1, "scenarios": []}"#,
            "no scenario",
        ),
        (
            r#"{"num_nodes": 4, "num_twins": 0, "partitions": 1, "views": 1, "scenarios":
               [[{"leader": 1, "partitions": [[1, 2, 3]]}]]}"#,
            "not a partition",
        ),
        (
            r#"{"num_nodes": 4, "num_twins": 0, "partitions": 1, "views": 1, "scenarios":
               [[{"leader": 1, "partitions": [[{"ReplicaID": 1, "TwinID": 1}]]}]]}"#,
            r#"names the node {"ReplicaID":1,"TwinID":1}"#,
        ),
    ] {
        let error = read_twins("scenario.json", text).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn what_a_scenario_does_not_carry_is_said() {
    let exported = export(
        &(&shipped("dbft2/n4-equivocation-fork")).into(),
        Format::Twins(Names::Numbers),
    )
    .unwrap();
    for words in ["slots", "timers", "Byzantine replicas"] {
        assert!(
            exported.lost.iter().any(|it| it.starts_with(words)),
            "{words}"
        );
    }
    // It is a scenario again.
    read_twins("scenario.json", &exported.text).unwrap();
}

#[test]
fn a_solution_file_comes_back_as_the_same_schedule() {
    let name = "dbft1/n4-delays-fork";
    let mut driven = shipped(name);
    driven.instance.formulation = Formulation::Timed;
    let text = import::solution_of(&driven).unwrap();
    assert!(text.contains("Model status\nOptimal\n"), "{name}");
    let imported = import::solution("it.sol", &text, &driven.instance, "milp import").unwrap();
    let kept = std::fs::read(root().join("results").join(name).join("schedule.csv")).unwrap();
    assert!(imported.files["schedule.csv"] == kept, "another schedule");
    let outcome = String::from_utf8(imported.files["outcome.yaml"].clone()).unwrap();
    let outcome = read::outcome_text("outcome.yaml", &outcome).unwrap();
    assert_eq!(outcome.primal, Some(2));
    assert!(!outcome.proved);
    // One value changed: a row says so.
    let line = text.lines().find(|line| line.ends_with(" 1")).unwrap();
    let name = line.trim_end_matches(" 1");
    let broken = text.replacen(line, &format!("{name} 0"), 1);
    let error = import::solution("it.sol", &broken, &driven.instance, "milp import").unwrap_err();
    assert!(error.to_string().contains("none of the program"), "{error}");
}

#[test]
fn a_solution_of_a_program_without_slots_comes_back_as_a_schedule_that_replays() {
    let mut driven = shipped("dbft1/n4-delays-fork");
    driven.instance.formulation = Formulation::Counting;
    let text = import::solution_of(&driven).unwrap();
    let imported = import::solution("it.sol", &text, &driven.instance, "milp import").unwrap();
    let folder = std::env::temp_dir().join(format!("milp-solution-{}", std::process::id()));
    milp_study::folder::write(&folder, &imported.files).unwrap();
    let back = Driven::read(&folder, None).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let verdict = replayed(&back.instance, &back);
    assert_eq!(verdict.agreement, Holds::Violated, "{verdict:?}");
}
