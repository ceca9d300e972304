//! Reports have everything that a schedule and its replay have, in files that other programs read.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::{
    Act, Choice, Kind, Message, ReplicaId, Slot,
    protocol::WRITTEN,
    schedule::Copy,
    trace::{Phase, TraceEvent, What},
    vocabulary::Role,
    write,
};
use milp_show::{
    acts,
    report::{Fate, Part, Report, Run, Scene, scene::MARKS, state},
    words,
};
use milp_study::{
    folder::{CERTIFICATE, LEMMAS, OUTCOME, PREDICTIONS, SCHEDULE},
    import::{embedded, is_edited},
    show,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use support::kept::{folders, root};

const FORK: &str = "dbft1/n4-delays-fork";

fn run_of(dir: &Path) -> Run {
    show::run(dir, None, &"own".parse().unwrap()).unwrap()
}

/// Every result that is kept.
fn runs() -> Vec<Run> {
    let found = folders();
    found.iter().map(|dir| run_of(dir)).collect()
}

fn is_pool(run: &Run) -> bool {
    run.instance.protocol.pools()
}

/// An arrow as a row of the schedule names it: sender, receiver, message, slot of sending.
type Way = (ReplicaId, ReplicaId, Message, Slot);

fn ways(scene: &Scene, wanted: impl Fn(Fate) -> Option<u32>) -> BTreeMap<(Way, u32), u32> {
    let mut ways = BTreeMap::new();
    for arrow in &scene.arrows {
        let event = &scene.marks[arrow.from].event;
        if let Some(slot) = wanted(arrow.fate) {
            let message = event.message.clone().unwrap();
            let way = (event.replica, arrow.to, message, event.slot);
            *ways.entry((way, slot)).or_insert(0) += 1;
        }
    }
    ways
}

fn way(copy: &Copy) -> Way {
    (copy.sender, copy.receiver, copy.message.clone(), copy.sent)
}

#[test]
fn every_delivery_loss_and_injection_of_a_schedule_is_an_arrow() {
    let mut seen = 0;
    for run in runs().iter().filter(|run| !is_pool(run)) {
        let scene = Scene::new(run, Part::SCHEDULE);
        let arrivals = ways(&scene, |fate| match fate {
            Fate::Arrives { mark, .. } => Some(scene.marks[mark].event.slot.0),
            _ => None,
        });
        let losses = ways(&scene, |fate| match fate {
            Fate::Lost { slot } => Some(slot),
            _ => None,
        });
        let made = ways(&scene, |_| Some(0));
        let mut delivered = BTreeMap::new();
        for choice in &run.schedule.choices {
            match choice {
                Choice::Deliver { slot, copy } => {
                    *delivered.entry((way(copy), slot.0)).or_insert(0) += 1;
                }
                Choice::Drop { slot, copy } => {
                    assert!(
                        losses.contains_key(&(way(copy), slot.0)),
                        "{}: {copy:?}",
                        run.name
                    );
                }
                Choice::Inject { copy } => {
                    assert!(made.contains_key(&(way(copy), 0)), "{}: {copy:?}", run.name);
                }
                _ => {}
            }
        }
        assert_eq!(arrivals, delivered, "{}", run.name);
        seen += delivered.len();
        // How late each is.
        let (delay_min, _) = run.instance.delays();
        let late = scene.arrows.iter().filter_map(|arrow| match arrow.fate {
            Fate::Arrives { late, .. } => Some(late),
            _ => None,
        });
        let expected = run
            .schedule
            .choices
            .iter()
            .filter_map(|choice| match choice {
                Choice::Deliver { slot, copy } => Some(slot.0 - copy.sent.0 - delay_min),
                _ => None,
            });
        assert_eq!(late.sum::<u32>(), expected.sum::<u32>(), "{}", run.name);
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn a_lost_copy_ends_in_a_cross_and_is_said_to_be_lost() {
    let mut run = run_of(&root().join("minimal").join(FORK));
    // A late copy of the fork, lost in place of delivered.
    let at = run.trace.iter().rposition(|event| {
        event.what == What::Deliver
            && event.message.as_ref().unwrap().kind.name() == "PrepareResponse"
    });
    let event = &mut run.trace[at.unwrap()];
    event.what = What::Drop;
    let lost_in = format!("lost in slot {}", event.slot);
    let choices = run.schedule.choices.iter_mut();
    for choice in choices.filter(|choice| choice.slot() == event.slot) {
        if let Choice::Deliver { slot, copy } = choice
            && (copy.sender, copy.receiver) == (event.peer.unwrap(), event.replica)
            && Some(&copy.message) == event.message.as_ref()
        {
            let (slot, copy) = (*slot, copy.clone());
            *choice = Choice::Drop { slot, copy };
        }
    }
    let report = Report::new(run, None, Part::SCHEDULE);
    let lost = report.panels[0].scene.arrows.iter();
    let lost = lost.filter(|arrow| matches!(arrow.fate, Fate::Lost { .. }));
    assert_eq!(lost.count(), 1);
    let svg = report.svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let drawn = document
        .descendants()
        .filter(|it| has_class(*it, "lost") && it.attribute("id").is_some())
        .collect::<Vec<_>>();
    let [drawn] = drawn.as_slice() else {
        panic!("{} lost arrows", drawn.len())
    };
    assert!(drawn.descendants().any(|it| has_class(it, "cross")));
    assert!(
        drawn
            .descendants()
            .any(|it| { it.text().is_some_and(|text| text.contains(&lost_in)) })
    );
    assert!(
        report
            .html()
            .unwrap()
            .contains(&format!("never, {lost_in}"))
    );
}

fn has_class(node: roxmltree::Node, class: &str) -> bool {
    let classes = node.attribute("class").unwrap_or_default();
    classes.split(' ').any(|it| it == class)
}

#[test]
fn pictures_are_valid_xml_with_unique_ids_and_words_for_every_mark_and_arrow() {
    for run in runs() {
        for heal in [false, true] {
            let part = Part {
                heal,
                ..Part::SCHEDULE
            };
            let name = run.name.clone();
            let report = Report::new(run.clone(), None, part);
            let svg = report.svg();
            let document = roxmltree::Document::parse(&svg).unwrap();
            let ids = document.descendants().filter_map(|it| it.attribute("id"));
            let ids = ids.collect::<Vec<_>>();
            assert_eq!(
                ids.iter().collect::<BTreeSet<_>>().len(),
                ids.len(),
                "{name}"
            );
            let things = document.descendants().filter(|it| {
                (has_class(*it, "mark") || has_class(*it, "arrow")) && it.attribute("id").is_some()
            });
            let mut marks = 0;
            for thing in things {
                let title = thing.children().find(|it| it.has_tag_name("title"));
                let title = title.or_else(|| {
                    let spaced = ("http://www.w3.org/2000/svg", "title");
                    thing.children().find(|it| it.has_tag_name(spaced))
                });
                let title = title.and_then(|it| it.text()).unwrap_or_default();
                assert!(title.contains("replica"), "{name}: {title}");
                marks += usize::from(has_class(thing, "mark"));
            }
            let drawn = report.panels[0].scene.marks.iter();
            let drawn = drawn.filter(|mark| mark.event.what != What::Drop);
            assert_eq!(marks, drawn.count(), "{name}");
            // The page's picture is the same but for the banner, which stands beside it there.
            let html = report.html().unwrap();
            let (_, rest) = html.split_once("<svg ").unwrap();
            let (inner, _) = rest.split_once("</svg>").unwrap();
            roxmltree::Document::parse(&format!("<svg {inner}</svg>")).unwrap();
        }
    }
}

#[test]
fn a_decision_has_a_quorum_of_votes_or_a_block_behind_it() {
    let mut decisions = 0;
    for run in runs() {
        for decision in state::decisions(&run) {
            decisions += 1;
            if let Some((_, who)) = &decision.votes {
                let votes: u32 = who
                    .iter()
                    .map(|id| run.instance.power_of(ReplicaId(*id)))
                    .sum();
                let need = run.instance.threshold();
                assert!(votes >= need, "{}: {decision:?}", run.name);
                let distinct = who.iter().collect::<BTreeSet<_>>();
                assert_eq!(distinct.len(), who.len());
            } else {
                let block = run.trace.iter().any(|event| {
                    let mut message = event.message.iter();
                    matches!(event.what, What::Deliver | What::HandOver)
                        && event.replica == decision.replica
                        && message.any(|it| it.kind.is(Role::Decision))
                });
                // In a chain the votes of several views decide together, under a mutant other ones.
                let definition = run.instance.protocol.definition();
                let chain = definition.is_some_and(|it| it.rules.chain);
                let other = chain || run.instance.mutant.is_some();
                assert!(block || other, "{}: {decision:?}", run.name);
            }
        }
    }
    assert!(decisions > 50, "{decisions}");
}

#[test]
fn who_commits_has_a_quorum_of_preparations_and_who_enters_a_view_one_of_requests() {
    let mut seen = [0, 0];
    for run in runs().iter().filter(|run| !is_pool(run)) {
        let history = state::history(run);
        for event in run
            .trace
            .iter()
            .filter(|event| event.phase == Phase::Schedule)
        {
            let states = &history[event.replica.index()];
            let has = |slot, what: &str| {
                let state = state::at(states, slot).unwrap();
                let mut tallies = state.tallies.iter();
                tallies.any(|it| it.what == what && it.who.len() as u32 >= it.need)
            };
            let done = state::at(states, event.slot.0).unwrap().words.iter();
            let done = done.clone().any(|word| word.starts_with("decided"));
            match (event.what, &event.message, event.place) {
                (What::Send, Some(it), _) if it.kind.name() == "Commit" && !done => {
                    let what = format!("preparations of v{} b{}", it.view, it.index().unwrap());
                    assert!(has(event.slot.0, &what), "{}: {event:?}", run.name);
                    seen[0] += 1;
                }
                // Of several views entered in one slot the last is what the state says.
                (What::EnterView, _, Some(_)) => {
                    let same = |it: &&TraceEvent| {
                        (it.slot, it.replica, it.what) == (event.slot, event.replica, event.what)
                    };
                    let view = run.trace.iter().filter(same).filter_map(|it| it.place);
                    let view = view.map(|(_, view)| view).max().unwrap();
                    let words = &state::at(states, event.slot.0).unwrap().words;
                    let in_view = words.iter().any(|it| it.ends_with(&format!(" v{view}")));
                    assert!(done || in_view, "{}: {event:?} {words:?}", run.name);
                    seen[1] += 1;
                }
                _ => {}
            }
        }
    }
    assert!(seen[0] > 20 && seen[1] > 20, "{seen:?}");
}

/// The text between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn headline_table_and_minimisation_count_the_same_acts() {
    let mut kinds = BTreeSet::new();
    for run in runs() {
        // As `milp minimize` counts them: rows and predictions, no replica.
        let counts = acts::counts(&run.instance, &run.schedule, &run.faulty);
        let name = run.name.clone();
        let html = Report::new(run, None, Part::SCHEDULE).html().unwrap();
        let headline = between(&html, "<p class=\"finding\">", "</p>");
        let list = between(&html, "<h2>What the adversary did</h2>", "</section>");
        let listed = |kind| match kind {
            Act::Made => list.matches("(made up)").count(),
            Act::Late => list.matches("<tr><td>").count() - list.matches("(made up)").count(),
            Act::Crash => list.matches(" crashes.</li>").count(),
            _ => {
                let slots = list.split("makes it ask in ").skip(1);
                let slots = slots.map(|it| it.split("</li>").next().unwrap());
                slots.map(|it| it.split(", ").count()).sum()
            }
        };
        for (act, number) in counts {
            let words = words::count(number, acts::name(act));
            match act {
                Act::Faulty => continue,
                _ if number > 0 => assert!(
                    headline.contains(&format!(" {words},"))
                        || headline.contains(&format!(" {words}.")),
                    "{name}: {words}: {headline}"
                ),
                _ => assert!(!headline.contains(acts::name(act)), "{name}: {headline}"),
            }
            assert_eq!(listed(act) as i64, number, "{name}: {act:?}: {list}");
            kinds.extend((number > 0).then_some(act));
        }
    }
    assert_eq!(kinds.len(), 4, "{kinds:?}");
}

#[test]
fn the_embedded_schedule_comes_back_byte_for_byte() {
    for run in runs() {
        let dir = root().join(&run.name);
        let name = run.name.clone();
        let html = Report::new(run, None, Part::SCHEDULE).html().unwrap();
        let found = embedded("report.html", &html).unwrap();
        let [back] = found.runs.as_slice() else {
            panic!("{} runs", found.runs.len())
        };
        assert_eq!(back.name, name);
        assert!(!is_edited(back).unwrap());
        // A result about a file of one's own has that beside it.
        let files = [SCHEDULE, PREDICTIONS, OUTCOME, CERTIFICATE, LEMMAS, WRITTEN];
        let files = files.into_iter().filter(|file| dir.join(file).is_file());
        let files: Vec<&str> = files.collect();
        assert_eq!(back.files.len(), files.len(), "{name}");
        assert!(files.len() >= 4, "{name}: {files:?}");
        for file in files {
            let kept = std::fs::read_to_string(dir.join(file)).unwrap();
            assert_eq!(back.files[file], kept, "{name}: {file}");
        }
    }
}

#[test]
fn what_is_no_report_or_a_broken_one_is_refused() {
    let good = Report::new(run_of(&root().join(FORK)), None, Part::SCHEDULE);
    let good = good.html().unwrap();
    let refused = |html: &str, why: &str| {
        let error = embedded("r.html", html).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused("<html></html>", "no embedded schedule");
    refused(
        &good.replace("milp-report/2.0", "milp-report/1.0"),
        "of format `milp-report/1.0`, and this version reads milp-report/2.0",
    );
    refused(
        &good.replace("{\"format\":\"milp-report/2.0\"", "{\"format\":3,"),
        "broken",
    );
    refused(
        &good.replace("\"schedule.csv\":", "\"../x.csv\":"),
        "no file of a result",
    );
    refused(
        &good.replace("\"schedule.csv\":", "\"instance.yaml\":"),
        "embeds no schedule.csv",
    );
    refused(
        &good.replace("\"certificate.csv\":", "\"cuts.yaml\":"),
        "embeds no certificate.csv",
    );
    refused(
        &good.replace("\"engine\":\"dbft1-paper\"", "\"motor\":\"x\""),
        "motor",
    );
    let schedule = std::fs::read_to_string(root().join(FORK).join(SCHEDULE)).unwrap();
    let rows = schedule
        .lines()
        .map(|row| row.split(',').collect::<Vec<_>>());
    let late = |row: &Vec<&str>| row[1] == "deliver" && row[11].parse::<u32>().unwrap() > 1;
    let row = rows.rev().find(late).unwrap();
    let nobody = good.replace(&row.join(","), &{
        let mut row = row.clone();
        row[2] = "9";
        row.join(",")
    });
    refused(&nobody, "schedule.csv");
    // A row changed by hand is noticed.
    let [slot, delay] = [row[0], row[11]].map(|cell| cell.parse::<u32>().unwrap() - 1);
    let (slot, delay) = (slot.to_string(), delay.to_string());
    let edited = good.replace(&row.join(","), &{
        let mut row = row.clone();
        (row[0], row[11]) = (&slot, &delay);
        row.join(",")
    });
    assert_ne!(edited, good);
    if let Ok(found) = embedded("r.html", &edited) {
        assert!(is_edited(&found.runs[0]).unwrap());
    }
}

/// A response whose letters and explanation are that text; names of kinds have no markup.
fn said(text: &str) -> Kind {
    let quoted = serde_json::to_string(text).unwrap();
    let quoted = quoted.replace('\u{2028}', "\\u2028");
    let words = include_str!("../../protocols/dbft2.yaml");
    let words = words
        .replace("a backup's acceptance of a proposal", &quoted)
        .replace("letters: Resp,", &format!("letters: {quoted},"));
    let protocol = milp_schema::Protocol::of_text(&words).unwrap();
    let kind = protocol.kind("PrepareResponse").unwrap();
    assert_eq!((kind.says(), kind.mark().letters.as_str()), (text, text));
    kind
}

#[test]
fn nothing_in_a_name_or_a_message_ends_an_element() {
    const EVIL: &str = "</script><script>alert(1)</script>\u{2028}<!--\"'&\u{1}";
    let mut run = run_of(&root().join(FORK));
    run.name = EVIL.to_owned();
    run.engine = EVIL.to_owned();
    let evil = said(EVIL);
    run.sentence = Some(EVIL.to_owned());
    for event in &mut run.trace {
        if let Some(message) = event
            .message
            .as_mut()
            .filter(|it| it.kind.name() == "PrepareResponse")
        {
            message.kind = evil;
        }
    }
    if let Some(verdict) = &mut run.verdict {
        verdict.notes.push(EVIL.to_owned());
    }
    let report = Report::new(run, None, Part::SCHEDULE);
    roxmltree::Document::parse(&report.svg()).unwrap();
    let html = report.html().unwrap();
    assert!(!html.contains("<script>alert"));
    assert_eq!(html.matches("<script").count(), 3);
    assert_eq!(html.matches("</script>").count(), 3);
    assert!(!html.contains("<!--"));
    let found = embedded("r.html", &html).unwrap();
    assert_eq!(found.runs[0].name, EVIL);
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for dir in [
        FORK,
        "dbft2/n7-stall-nspcc",
        "twins/dbft2/n4-equivocation-fork",
    ] {
        let report = || Report::new(run_of(&root().join(dir)), None, Part::SCHEDULE);
        let (one, other) = (report(), report());
        assert_eq!(one.html().unwrap(), other.html().unwrap());
        assert_eq!(one.svg(), other.svg());
        assert_eq!(one.png().unwrap(), other.png().unwrap());
    }
}

/// Width and height of a PNG, from its header.
fn size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn a_png_has_the_picture_at_twice_its_size_letters_included() {
    let report = Report::new(run_of(&root().join(FORK)), None, Part::SCHEDULE);
    let svg = report.svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let side = |name| {
        document
            .root_element()
            .attribute(name)
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    let png = report.png().unwrap();
    assert_eq!(size(&png), (2 * side("width"), 2 * side("height")));
    // Letters are drawn: without them there is much less to compress.
    assert!(png.len() > 100_000, "{}", png.len());
}

#[test]
fn the_model_and_the_replicas_agree_in_every_result_and_a_shifted_prediction_is_marked() {
    let mut shifts = 0;
    for run in runs() {
        let model = show::predicted(&run).unwrap();
        let report = Report::new(run.clone(), Some(model.clone()), Part::SCHEDULE);
        assert_eq!(
            report.differences,
            [Vec::<String>::new(), Vec::new()],
            "{}",
            run.name
        );
        let mut wrong = model;
        let sends = |event: &TraceEvent| event.what == What::Send;
        let Some(at) = wrong.trace.iter().position(sends) else {
            let seen = |event: &TraceEvent| event.phase == Phase::Schedule && sends(event);
            assert!(!run.trace.iter().any(seen), "{}", run.name);
            continue; // nothing to shift
        };
        shifts += 1;
        let shifted = wrong.trace[at].replica;
        wrong.trace[at].replica = ReplicaId((shifted.0 + 1) % run.instance.replicas);
        let report = Report::new(run.clone(), Some(wrong), Part::SCHEDULE);
        let [left, right] = &report.differences;
        assert_eq!(
            (left.len(), right.len()),
            (1, 1),
            "{}: {left:?} {right:?}",
            run.name
        );
        for panel in &report.panels {
            assert_eq!(
                panel.scene.marks.iter().filter(|mark| mark.differs).count(),
                1
            );
        }
    }
    assert!(shifts > 20, "{shifts}");
}

#[test]
fn a_run_does_not_differ_from_itself_and_two_engines_differ_where_they_do() {
    let fork = run_of(&root().join(FORK));
    let report = Report::new(fork.clone(), Some(fork.clone()), Part::SCHEDULE);
    assert_eq!(report.differences, [Vec::<String>::new(), Vec::new()]);
    let engine = "dbft2".parse().unwrap();
    let other = show::run(&root().join(FORK), None, &engine).unwrap();
    let report = Report::new(fork, Some(other), Part::SCHEDULE);
    let [left, right] = &report.differences;
    assert!(
        left.iter().any(|it| it.contains("decides block h0 v0 b0")),
        "{left:?}"
    );
    assert!(
        right.iter().any(|it| it.contains("broadcasts Commit")),
        "{right:?}"
    );
}

#[test]
fn what_is_not_drawn_is_said_with_its_number() {
    let run = run_of(&root().join("dbft2/n7-stall-nspcc"));
    let healing = run
        .trace
        .iter()
        .filter(|it| it.phase == Phase::Heal)
        .count();
    assert!(healing > 100);
    let scene = Scene::new(&run, Part::SCHEDULE);
    assert!(
        scene.left_out[0].contains(&format!("({healing} events")),
        "{:?}",
        scene.left_out
    );
    let part = Part {
        from: 3,
        to: Some(5),
        heal: false,
    };
    let scene = Scene::new(&run, part);
    assert!(
        scene
            .marks
            .iter()
            .all(|mark| (3..=5).contains(&mark.event.slot.0))
    );
    let drawn = |slots: std::ops::Range<u32>| {
        let here = run.trace.iter().filter(|it| it.phase == Phase::Schedule);
        here.filter(|it| slots.contains(&it.slot.0)).count()
    };
    let expected = format!("{} events before and {} behind", drawn(0..3), drawn(6..100));
    assert!(
        scene.left_out[0].contains(&expected),
        "{:?}",
        scene.left_out
    );
    assert!(
        Report::new(run, None, part)
            .svg()
            .contains("Only slots 3 to 5 are drawn")
    );
}

#[test]
fn a_run_that_is_too_large_is_cut_at_a_slot_and_says_so() {
    let mut run = run_of(&root().join("dbft2/n7-stall-nspcc"));
    let events = run.trace.clone();
    let last = events.iter().map(|event| event.slot.0).max().unwrap();
    for round in 1..10 {
        run.trace.extend(events.iter().cloned().map(|mut event| {
            event.slot.0 += round * last;
            event
        }));
    }
    let part = Part {
        heal: true,
        ..Part::SCHEDULE
    };
    let scene = Scene::new(&run, part);
    assert!(scene.marks.len() <= MARKS && scene.marks.len() > MARKS / 2);
    let undrawn = run.trace.len() - scene.marks.len();
    let expected = format!("at most {MARKS} marks): 0 events before and {undrawn} behind");
    assert!(
        scene.left_out[0].contains(&expected),
        "{:?}",
        scene.left_out
    );
}

#[test]
fn equivocation_forks_and_byzantine_lanes_are_seen() {
    let run = run_of(&root().join("twins/dbft2/n4-equivocation-fork"));
    let report = Report::new(run, None, Part::SCHEDULE);
    let svg = report.svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let count = |class| {
        document
            .descendants()
            .filter(|it| has_class(*it, class))
            .count()
    };
    assert_eq!(count("byzantine"), 1);
    assert!(count("equivocates") >= 2);
    assert!(count("forks") >= 2);
    let both = |v| [0, 1].map(|b| svg.contains(&format!("≠ Req v{v} b{b}"))) == [true; 2];
    assert!((0..2).any(both));
    // An honest run has none of these.
    let report = Report::new(run_of(&root().join("dbft2/n4-stall")), None, Part::SCHEDULE);
    assert!(!report.svg().contains("equivocates\"") && !report.svg().contains("≠"));
}

#[test]
fn the_instance_is_embedded_where_there_is_no_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let kept = run_of(&root().join(FORK));
    let instance = dir.path().join("fork.yaml");
    std::fs::write(&instance, write::instance_yaml(&kept.instance)).unwrap();
    let schedule = dir.path().join(SCHEDULE);
    std::fs::write(&schedule, &kept.files[SCHEDULE]).unwrap();
    let run = show::run(&schedule, Some(&instance), &"own".parse().unwrap()).unwrap();
    assert!(show::predicted(&run).is_err());
    let html = Report::new(run, None, Part::SCHEDULE).html().unwrap();
    let found = embedded("r.html", &html).unwrap();
    let names = found.runs[0].files.keys().collect::<Vec<_>>();
    assert_eq!(names, ["instance.yaml", SCHEDULE]);
}
