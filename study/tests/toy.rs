//! A family of protocols that no crate knows, from the question to everything that people look at.

#[path = "../../solver/tests/support/toy.rs"]
mod toy;

use milp_model::rule::Threshold;
use milp_schema::{
    Instance, Schedule, Verdict,
    verdict::{FORMAT, Holds, Liveness},
    write,
};
use milp_show::{
    explain::Story,
    export::{Carried, Format, Names, export},
    report::{Part, Report, Run},
};
use std::collections::BTreeMap;
use toy::{WORDS, echo_broadcast, question};

const FORMATS: [Format; 7] = [
    Format::Itf,
    Format::Mermaid,
    Format::Shiviz,
    Format::Chrome,
    Format::Tikz,
    Format::Twins(Names::Numbers),
    Format::Twins(Names::Objects),
];

/// The worst schedule of the weakened family: an offerer that equivocates and two deliveries.
fn run() -> Run {
    let (value, decoded) = toy::worst(&echo_broadcast(Threshold::QuorumLessOne));
    assert_eq!(value, 2, "two values are delivered");
    let instance = Instance {
        slots: decoded.slots,
        ..question()
    };
    let files = BTreeMap::from([(
        "schedule.csv".to_owned(),
        write::choices_csv(&decoded.schedule.choices),
    )]);
    let run = Run {
        name: "toy".to_owned(),
        engine: "model".to_owned(),
        instance,
        faulty: decoded.faulty,
        schedule: decoded.schedule,
        earlier: 0,
        predicted: true,
        locks: false,
        sentence: None,
        certificate: None,
        left_out: Vec::new(),
        trace: Vec::new(),
        verdict: None,
        files,
    };
    run.expected().expect("it is predicted")
}

#[test]
fn a_report_draws_the_kinds_of_a_family_as_its_file_says() {
    let report = Report::new(run(), None, Part::SCHEDULE);
    let page = report.html().expect("a page");
    for kind in WORDS.kinds() {
        let label = format!("> {kind}</label>");
        assert!(page.contains(&label), "{kind} can be hidden");
        assert!(page.contains(kind.says()), "{kind} is explained");
        assert!(page.contains(&kind.mark().colour), "{kind} has its colour");
    }
    for word in ["Commit", "Prepare", "ChangeView"] {
        assert!(!page.contains(word), "nobody said {word}");
    }
    assert!(report.svg().contains("k-echo"));
}

#[test]
fn a_story_of_a_family_tells_its_quorums() {
    let run = run();
    let broken = Verdict {
        format: FORMAT.to_owned(),
        engine: "a toy".to_owned(),
        agreement: Holds::Violated,
        finality: Holds::Holds,
        validity: Holds::Holds,
        integrity: Holds::Holds,
        lock: Holds::Holds,
        termination: Liveness::Decided,
        wasted: None,
        guilty: None,
        divergences: Some(0),
        impossible: 0,
        unapplied: 0,
        faults: 0,
        notes: Vec::new(),
    };
    let story = Story::of(run.instance, run.faulty, run.trace, broken);
    let told = [story.lines(), story.ending_lines()].concat().join("\n");
    for text in ["v0b0", "v0b1"] {
        assert!(told.contains(text), "{text}: {told}");
    }
}

#[test]
fn every_export_carries_a_family() {
    let run = run();
    let carried = Carried {
        instance: run.instance,
        faulty: run.faulty,
        schedule: run.schedule,
        predicted: true,
    };
    let Schedule { choices, .. } = &carried.schedule;
    assert!(!choices.is_empty());
    for format in FORMATS {
        let text = export(&carried, format).expect("a text").text;
        let named = !matches!(format, Format::Twins(_));
        assert!(!named || text.contains("Echo"), "{format:?}: {text}");
    }
}
