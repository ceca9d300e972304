//! Reports in a real browser: what a reader can do with them, by pointer and by keyboard.
//!
//! `scripts/browser.sh` installs Chromium, its driver and the accessibility checker; without them
//! these tests fail.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;
#[path = "support/web.rs"]
mod web;

use milp_schema::trace::What;
use milp_show::{
    acts::Deed,
    report::{Fate, Part, Report, Run, state},
};
use milp_study::show;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use support::{Scratch, root};
use web::{Browser, DOWN, ENTER, ESCAPE, HOME, LEFT, PAGE_DOWN, PAGE_UP, RIGHT, SPACE, TAB, UP};

/// Two blocks by delays alone.
const FORK: &str = "dbft1/n4-delays-fork";
/// A state of the production engine's rules that nothing ends.
const STALL: &str = "dbft2/n4-stall-nspcc";

fn run_of(result: &str) -> Run {
    let dir = root().join("results").join(result);
    show::run(&dir, None, &"own".parse().unwrap()).unwrap()
}

fn report(result: &str) -> Report {
    Report::new(run_of(result), None, Part::SCHEDULE)
}

/// Writes a report into a scratch folder.
fn put(scratch: &Scratch, name: &str, report: &Report) -> PathBuf {
    scratch.put(name, &report.html().unwrap())
}

/// Every result that is kept, by its path below `results/`.
fn results(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.join("outcome.yaml").is_file() {
            found.push(path);
        } else if path.is_dir() {
            found.extend(results(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn every_shipped_result_opens_without_a_word_in_the_console_and_without_a_connection() {
    let scratch = Scratch::new();
    let browser = Browser::open();
    let all = results(&root().join("results"));
    assert!(all.len() > 20, "{}", all.len());
    for (number, dir) in all.iter().enumerate() {
        let run = show::run(dir, None, &"own".parse().unwrap()).unwrap();
        let heal = Part {
            heal: number % 2 == 0,
            ..Part::SCHEDULE
        };
        let report = Report::new(run, None, heal);
        let file = put(&scratch, &format!("{number}.html"), &report);
        browser.go(&file, "");
        assert_eq!(browser.console(), [""; 0], "{}", dir.display());
        let loaded = browser.run("return performance.getEntriesByType('resource').length");
        assert_eq!(loaded, 0, "{}", dir.display());
        // The script ran to its end: it shows the controls and listens.
        assert_eq!(
            browser.text("document.getElementById('controls').hidden"),
            "false"
        );
        let marks = report.panels[0].scene.marks.iter();
        let drawn = marks.filter(|mark| mark.event.what != What::Drop).count();
        assert_eq!(browser.count(".mark[role=button]"), drawn as u64);
    }
}

#[test]
fn the_command_writes_a_page_that_a_browser_shows() {
    let scratch = Scratch::new();
    let result = root().join("results").join(FORK).display().to_string();
    let ran = scratch.run(&format!("report {result} --out report.html"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let browser = Browser::open();
    browser.go(&scratch.path("report.html"), "");
    assert_eq!(
        browser.text("document.querySelector('h1').textContent"),
        "dbft1/n4-delays-fork on dbft1-paper"
    );
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn the_pointer_shows_what_is_under_it() {
    let scratch = Scratch::new();
    let report = report(&format!("minimal/{FORK}"));
    let file = put(&scratch, "a.html", &report);
    let browser = Browser::open();
    browser.go(&file, "");
    assert_eq!(
        browser.text("document.getElementById('tip').hidden"),
        "true"
    );
    let decides = "#a .mark.decides .decide";
    browser.point(decides);
    let tip = browser.text("document.getElementById('tip').textContent");
    assert!(tip.contains("decides block h0 v"), "{tip}");
    assert_eq!(
        browser.text("document.getElementById('tip').hidden"),
        "false"
    );
    // A late copy: its tag lies on the line.
    let scene = &report.panels[0].scene;
    let late = |fate: Fate| matches!(fate, Fate::Arrives { late, .. } if late > 0);
    let last = scene.arrows.iter().rposition(|it| late(it.fate)).unwrap();
    browser.point(&format!("#a-t{last} .tag"));
    let tip = browser.text("document.getElementById('tip').textContent");
    assert!(
        tip.contains(" late") && tip.contains("sent in slot"),
        "{tip}"
    );
    browser.point("h1");
    assert_eq!(
        browser.text("document.getElementById('tip').hidden"),
        "true"
    );
}

/// What Lamport's order says of a mark, from the scene: everything before it or after it.
fn reach(report: &Report, start: usize, forward: bool) -> BTreeSet<usize> {
    let marks = &report.panels[0].scene.marks;
    let direct = |earlier: usize, later: usize| {
        let lane = marks[earlier].event.replica == marks[later].event.replica && earlier < later;
        lane || marks[later].cause == Some(earlier)
    };
    let mut seen = BTreeSet::new();
    let mut next = vec![start];
    while let Some(at) = next.pop() {
        let near = (0..marks.len()).filter(|&other| {
            if forward {
                direct(at, other)
            } else {
                direct(other, at)
            }
        });
        next.extend(near.filter(|other| seen.insert(*other)));
    }
    seen
}

#[test]
fn a_click_shows_the_causal_past_and_future() {
    let scratch = Scratch::new();
    let report = report(FORK);
    let file = put(&scratch, "a.html", &report);
    let browser = Browser::open();
    browser.go(&file, "");
    let marks = &report.panels[0].scene.marks;
    let interesting = (0..marks.len())
        .filter(|at| matches!(marks[*at].event.what, What::Decide | What::Send))
        .collect::<Vec<_>>();
    assert!(interesting.len() > 8);
    for at in interesting {
        browser.click(&format!("#a-m{at} .hit"));
        let (past, future) = (reach(&report, at, false), reach(&report, at, true));
        let text = browser.text("document.getElementById('details').textContent");
        let expected = format!(
            "Causal past: {} events. Causal future: {} events.",
            past.len(),
            future.len()
        );
        assert!(
            text.contains(&expected),
            "mark {at}: {text}\nexpected: {expected}"
        );
        let marked = |class: &str| -> BTreeSet<usize> {
            let script =
                format!("return [...document.querySelectorAll('.mark.{class}')].map(it => it.id)");
            let ids = browser.run(&script);
            let ids = ids.as_array().unwrap().iter();
            ids.map(|id| id.as_str().unwrap()[3..].parse().unwrap())
                .collect()
        };
        assert_eq!(marked("past"), past);
        assert_eq!(marked("future"), future);
        let mut expected = past;
        expected.extend(future);
        expected.insert(at);
        assert_eq!(marked("on"), expected);
    }
    // Two colours, two kinds of lines, and a legend.
    let looks = |class: &str| {
        browser.run(&format!(
            "const it = getComputedStyle(document.querySelector('.mark.{class}:not(.chosen) .hit')); \
             return [it.stroke, it.strokeDasharray, it.strokeOpacity]"
        ))
    };
    browser.click("#a-m6 .hit");
    let (past, future) = (looks("past"), looks("future"));
    assert!(
        past[0] != future[0] && past[1] != future[1],
        "{past} {future}"
    );
    assert_eq!([&past[2], &future[2]], ["1", "1"]);
    assert_eq!(visible(&browser, ".causal"), 1);
    // A click beside everything clears.
    browser.click("#a .name");
    assert_eq!(browser.count(".on"), 0);
    assert_eq!(visible(&browser, ".causal"), 0);
}

fn visible(browser: &Browser, selector: &str) -> u64 {
    let script = format!(
        "return [...document.querySelectorAll({selector:?})].filter(it => \
         it.getClientRects().length > 0 && getComputedStyle(it).visibility === 'visible').length"
    );
    browser.run(&script).as_u64().unwrap()
}

#[test]
fn kinds_replicas_views_and_all_but_the_adversary_can_be_hidden() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report(STALL));
    let browser = Browser::open();
    browser.go(&file, "");
    let everything = visible(&browser, "#a .mark");
    for (control, gone) in [
        ("input[data-kind=k-commit]", "#a [data-k=k-commit]"),
        (
            "input[data-replica='2']",
            "#a [data-r='2'], #a [data-q='2']",
        ),
        ("input[data-view='0-1']", "#a .mark[data-v='0-1']"),
    ] {
        assert!(visible(&browser, gone) > 0, "{gone}");
        browser.click(control);
        assert_eq!(visible(&browser, gone), 0, "{control}");
        assert!(visible(&browser, "#a .mark") > 0, "{control}");
        browser.click(control);
        assert_eq!(visible(&browser, "#a .mark"), everything, "{control}");
    }
    browser.click("#acts");
    assert_eq!(visible(&browser, "#a .arrow.ontime"), 0);
    assert_eq!(visible(&browser, "#a .mark.enter-view"), 0);
    let report = report(STALL);
    let scene = &report.panels[0].scene;
    let late = scene.arrows.iter();
    let late = late.filter(|it| matches!(it.fate, Fate::Arrives { late, .. } if late > 0));
    assert_eq!(visible(&browser, "#a .arrow.late[id]"), late.count() as u64);
    // A timer that only makes a primary propose is no act.
    let timers = scene.marks.iter();
    let timers = timers.filter(|it| it.event.what == What::Timeout);
    let asking = timers.clone().filter(|it| {
        let act = Deed::Timeout(it.event.slot, it.event.replica);
        scene.acts.contains(&act)
    });
    let asking = asking.count();
    assert!(0 < asking && asking < timers.count());
    assert_eq!(visible(&browser, "#a .mark.timeout"), asking as u64);
}

#[test]
fn the_cursor_shows_the_state_and_the_quorums_of_every_slot() {
    let scratch = Scratch::new();
    let report = report(STALL);
    let file = put(&scratch, "a.html", &report);
    let browser = Browser::open();
    browser.go(&file, "");
    let panel = &report.panels[0];
    let (first, last) = panel.scene.slots;
    for slot in (first..=last).rev() {
        assert_eq!(
            browser.text("document.getElementById('now').textContent"),
            slot.to_string()
        );
        for (replica, states) in panel.states.iter().enumerate() {
            let state = state::at(states, slot).unwrap();
            let row = browser.text(&format!(
                "document.querySelector('#a-states tr:nth-child({})').textContent",
                replica + 1
            ));
            assert!(row.contains(&state.words.join(", ")), "slot {slot}: {row}");
            for tally in &state.tallies {
                let count = format!("{}: {} of {}", tally.what, tally.who.len(), tally.need);
                assert!(row.contains(&count), "slot {slot}: {row}");
            }
        }
        if slot > first {
            browser.click("#back");
        }
    }
    let column = browser.run("const c = document.getElementById('a-cursor'); return [c.getAttribute('visibility'), Number(c.getAttribute('width'))]");
    assert_eq!(column[0], "visible");
    assert!(column[1].as_f64().unwrap() > 10.0);
    // The slider, by its own keys.
    browser.run("document.getElementById('slot').focus()");
    browser.press(&[RIGHT, RIGHT, RIGHT]);
    assert_eq!(
        browser.text("document.getElementById('now').textContent"),
        (first + 3).to_string()
    );
    assert_eq!(
        browser.text("document.getElementById('a-at').textContent"),
        (first + 3).to_string()
    );
}

#[test]
fn a_link_leads_to_a_slot_and_a_selection() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report(FORK));
    let browser = Browser::open();
    browser.go(&file, "#slot=5&select=a-m6");
    assert_eq!(
        browser.text("document.getElementById('now').textContent"),
        "5"
    );
    assert_eq!(
        browser.text("document.querySelector('.mark.chosen').id"),
        "a-m6"
    );
    // What is done changes the address, and the address is enough to come back.
    browser.click("#a-m1 .hit");
    browser.click("#forth");
    let fragment = browser.text("location.hash");
    assert_eq!(fragment, "#slot=6&select=a-m1");
    browser.go(&file, &fragment);
    assert_eq!(
        browser.text("document.getElementById('now').textContent"),
        "6"
    );
    assert_eq!(
        browser.text("document.querySelector('.mark.chosen').id"),
        "a-m1"
    );
    // A fragment that means nothing is no harm.
    browser.go(&file, "#slot=nine&select=a-m1%22%5D");
    assert_eq!(browser.count(".chosen"), 0);
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn the_keyboard_alone_suffices() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report(FORK));
    let browser = Browser::open();
    browser.go(&file, "");
    let focused = || browser.text("document.activeElement.id || document.activeElement.tagName");
    // Tab meets every control, and then one mark of the diagram.
    let mut met = BTreeSet::new();
    for _ in 0..60 {
        browser.press(&[TAB]);
        met.insert(focused());
        if focused().starts_with("a-m") {
            break;
        }
    }
    for control in ["slot", "back", "forth", "acts", "clear"] {
        assert!(met.contains(control), "{control} not in {met:?}");
    }
    let start = focused();
    assert_eq!(start, "a-m0");
    browser.press(&[RIGHT]);
    assert_eq!(focused(), "a-m1");
    browser.press(&[LEFT]);
    assert_eq!(focused(), "a-m0");
    browser.press(&[DOWN]);
    let lane = browser.text("document.activeElement.dataset.r");
    assert_eq!(lane, "1");
    browser.press(&[UP, HOME]);
    assert_eq!(focused(), "a-m0");
    browser.press(&[ENTER]);
    assert_eq!(
        browser.text("document.querySelector('.mark.chosen').id"),
        "a-m0"
    );
    browser.press(&[PAGE_UP, PAGE_UP, PAGE_DOWN]);
    assert_eq!(browser.text("location.hash"), "#slot=7&select=a-m0");
    browser.press(&[ESCAPE]);
    assert_eq!(browser.count(".chosen"), 0);
    // A control, by its key.
    browser.run("document.querySelector('input[data-kind=k-changeview]').focus()");
    let before = visible(&browser, "#a .k-changeview.mark");
    browser.press(&[SPACE]);
    assert!(before > 0 && visible(&browser, "#a .k-changeview.mark") == 0);
    // The focused mark is announced in words.
    let label = browser.text("document.getElementById('a-m0').getAttribute('aria-label')");
    assert!(label.starts_with("Slot 1: replica 0"), "{label}");
}

/// The fork on the protocol it was made for, and the same choices on dBFT 2.0.
fn two() -> Report {
    let dir = root().join("results").join(FORK);
    let other = show::run(&dir, None, &"dbft2".parse().unwrap()).unwrap();
    Report::new(run_of(FORK), Some(other), Part::SCHEDULE)
}

#[test]
fn two_runs_stand_side_by_side_and_their_differences_are_marked() {
    let scratch = Scratch::new();
    let report = two();
    let file = put(&scratch, "a.html", &report);
    let browser = Browser::open();
    browser.go(&file, "");
    assert_eq!(browser.count("svg.milp"), 2);
    let tops = || {
        browser.run(
            "return ['a-figure', 'b-figure'].map(it => Math.round(document.getElementById(it).getBoundingClientRect().top))",
        )
    };
    let beside = tops();
    assert_eq!(beside[0], beside[1]);
    browser.click("#beside");
    let below = tops();
    assert!(below[0].as_i64() < below[1].as_i64(), "{below}");
    for (name, panel, sentences) in [
        ("a", &report.panels[0], &report.differences[0]),
        ("b", &report.panels[1], &report.differences[1]),
    ] {
        let marks = panel.scene.marks.iter().filter(|mark| mark.differs);
        assert_eq!(marks.count(), sentences.len());
        assert!(!sentences.is_empty(), "{name}");
        assert_eq!(
            browser.count(&format!("#{name} .mark.differs")),
            sentences.len() as u64
        );
    }
    // One cursor for both.
    browser.click("#back");
    for name in ["a", "b"] {
        let x = browser.text(&format!(
            "document.getElementById('{name}-cursor').getAttribute('visibility')"
        ));
        assert_eq!(x, "visible");
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn the_picture_is_copied_as_svg_without_what_is_hidden() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report(STALL));
    let browser = Browser::open();
    browser.go(&file, "");
    browser.click("input[data-kind=k-changeview]");
    let script = "const done = arguments[arguments.length - 1]; \
        navigator.clipboard.writeText = async (text) => { window.copied = text; }; \
        document.querySelector('[data-copy=a]').click(); \
        setTimeout(() => { \
          const parsed = new DOMParser().parseFromString(window.copied, 'image/svg+xml'); \
          done([parsed.querySelectorAll('parsererror').length, parsed.documentElement.tagName, \
                parsed.querySelectorAll('.mark').length, parsed.querySelectorAll('.mark.k-changeview').length, \
                parsed.querySelectorAll('.mark > title').length, document.getElementById('said').textContent]); \
        }, 100)";
    let found = browser.run_async(script);
    assert_eq!(found[0], 0, "{found}");
    assert_eq!(found[1], "svg");
    assert!(found[2].as_u64().unwrap() > 20, "{found}");
    assert_eq!(found[3], 0);
    assert_eq!(found[4], found[2]);
    assert_eq!(found[5], "copied");
}

#[test]
fn without_its_script_a_report_is_still_read() {
    let scratch = Scratch::new();
    let html = report(FORK).html().unwrap();
    let (before, script) = html.rsplit_once("<script>").unwrap();
    let (_, after) = script.split_once("</script>").unwrap();
    let file = scratch.put("a.html", &format!("{before}{after}"));
    let browser = Browser::open();
    browser.go(&file, "");
    assert_eq!(visible(&browser, "#controls"), 0);
    assert!(visible(&browser, "#a .mark") > 20);
    assert!(browser.count("#a .mark > title") > 20);
    assert_eq!(browser.count("#a-states tr"), 4);
    let text = browser.text("document.body.innerText");
    for words in ["What the adversary did", "late by 2", "agreement violated"] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn a_printed_report_has_no_controls() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report(FORK));
    let browser = Browser::open();
    browser.go(&file, "");
    browser.print_style();
    assert_eq!(visible(&browser, "#controls"), 0);
    let fits = browser.run(
        "return document.getElementById('a').getBoundingClientRect().width <= document.body.clientWidth",
    );
    assert_eq!(fits, true);
}

#[test]
fn contrast_labels_and_roles_pass_the_accessibility_check() {
    let scratch = Scratch::new();
    let browser = Browser::open();
    let model = show::predicted(&run_of(STALL)).unwrap();
    let against_model = Report::new(run_of(STALL), Some(model), Part::SCHEDULE);
    let heal = Part {
        heal: true,
        ..Part::SCHEDULE
    };
    for (name, report) in [
        ("fork", report(FORK)),
        ("stall", Report::new(run_of(STALL), None, heal)),
        ("equivocation", report("twins/dbft2/n4-equivocation-fork")),
        ("two", two()),
        ("model", against_model),
    ] {
        let file = put(&scratch, &format!("{name}.html"), &report);
        for scheme in ["light", "dark"] {
            browser.scheme(scheme);
            browser.go(&file, "");
            assert_eq!(browser.violations(), [""; 0], "{name}, {scheme}");
        }
        // With something selected and the cursor shown, too.
        browser.go(&file, "#slot=10&select=a-m3");
        assert_eq!(browser.count(".chosen"), 1, "{name}");
        browser.run("for (const it of document.querySelectorAll('details')) it.open = true");
        assert_eq!(browser.violations(), [""; 0], "{name}, selected");
    }
}

/// The colours of the page and of the picture on it.
fn grounds(browser: &Browser) -> Value {
    browser.run(
        "return [document.body, document.querySelector('#a .page')]
         .map(it => getComputedStyle(it).getPropertyValue(it === document.body ? 'background-color' : 'fill'))",
    )
}

#[test]
fn the_page_follows_the_colours_of_the_system_and_a_copied_picture_stays_light() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report(FORK));
    let browser = Browser::open();
    for (scheme, ground) in [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")] {
        browser.scheme(scheme);
        browser.go(&file, "");
        assert_eq!(
            grounds(&browser),
            serde_json::json!([ground, ground]),
            "{scheme}"
        );
    }
    let copied = browser.run_async(
        "const done = arguments[arguments.length - 1]; \
         navigator.clipboard.writeText = async (text) => done(text); \
         document.querySelector('[data-copy=a]').click()",
    );
    let copied = copied.as_str().unwrap();
    assert!(
        copied.contains(".page { fill: #ffffff") && !copied.contains("var("),
        "{copied}"
    );
}

#[test]
fn on_a_phone_the_picture_comes_first_and_the_controls_wait() {
    let scratch = Scratch::new();
    let browser = Browser::open();
    browser.phone();
    for (name, report) in [("stall", report("dbft2/n7-stall-nspcc")), ("two", two())] {
        let file = put(&scratch, &format!("{name}.html"), &report);
        for scheme in ["light", "dark"] {
            browser.scheme(scheme);
            browser.go(&file, "");
            assert_eq!(browser.violations(), [""; 0], "{name}, {scheme}");
        }
        let top = |selector: &str| {
            let script =
                format!("return document.querySelector({selector:?}).getBoundingClientRect().top");
            browser.run(&script).as_f64().unwrap()
        };
        assert!(top("#a") < 300.0, "{name}: {}", top("#a"));
        for below in [".finding", ".verdict", "#controls", ".details"] {
            assert!(top("#a") < top(below), "{name}: {below}");
        }
        let shown = || browser.text("document.getElementById('slot').checkVisibility()");
        assert_eq!(shown(), "false", "{name}");
        browser.click("#options > summary");
        assert_eq!(shown(), "true", "{name}");
        // Nothing but pictures and tables is wider than the screen.
        let width = browser.run("return document.documentElement.scrollWidth");
        assert_eq!(width, 390, "{name}");
    }
}

#[test]
fn names_and_slots_stay_in_sight_and_no_letter_is_drawn_smaller() {
    let scratch = Scratch::new();
    let file = put(&scratch, "a.html", &report("dbft2/n7-stall-nspcc"));
    let browser = Browser::open();
    for phone in [false, true] {
        if phone {
            browser.phone();
        }
        browser.go(&file, "");
        let found = browser.run(
            "const frame = document.querySelector('.picture'); frame.scrollTo(500, 200); \
             const box = it => it.getBoundingClientRect(); \
             const [names, axes] = ['.names', '.axes'].map(it => frame.querySelector('.over' + it)); \
             const under = document.elementsFromPoint(box(frame).left + 20, box(frame).top + 100); \
             return [frame.scrollLeft, frame.scrollTop, box(names).left - box(frame).left, \
                     box(axes).top - box(frame).top, document.querySelector('#a').getScreenCTM().a, \
                     Math.min(...[...document.querySelectorAll('text')].map(it => parseFloat(getComputedStyle(it).fontSize)))]",
        );
        let number = |at: usize| found[at].as_f64().unwrap();
        assert!(
            number(0) > 400.0 && (!phone || number(1) > 100.0),
            "{found}"
        );
        assert!(number(2).abs() < 3.0 && number(3).abs() < 3.0, "{found}");
        assert!(number(4) >= 1.0 && number(5) >= 11.0, "{found}");
    }
}

#[test]
fn of_many_copies_those_come_first_that_the_attack_needs() {
    let scratch = Scratch::new();
    let report = report("dbft2/n7-fork-nspcc");
    let file = put(&scratch, "a.html", &report);
    let browser = Browser::open();
    browser.go(&file, "");
    let drawn = browser.count("#a .arrow[id]");
    let needed = visible(&browser, "#a .arrow[id]");
    assert!(
        drawn > 50 && 0 < needed && needed < drawn,
        "{needed} of {drawn}"
    );
    let banner = browser.text("document.querySelector('.part').textContent");
    assert!(
        banner.contains(&format!("{needed} of {drawn} copies")),
        "{banner}"
    );
    // What Byzantine replicas make, timers that are acts and decisions are there.
    let marks = report.panels[0].scene.marks.iter();
    let decisions = marks.filter(|mark| mark.event.what == What::Decide).count();
    assert_eq!(visible(&browser, "#a .mark.decides"), decisions as u64);
    assert_eq!(
        visible(&browser, "#a .mark.inject"),
        browser.count("#a .mark.inject")
    );
    browser.click("[data-all]");
    assert_eq!(visible(&browser, "#a .arrow[id]"), drawn);
    assert_eq!(browser.text("location.hash"), "#view=all");
    browser.go(&file, "#view=all");
    assert_eq!(visible(&browser, "#a .arrow[id]"), drawn);
    // A selection shows its past and future whole.
    browser.go(&file, "#select=a-m30");
    assert_eq!(
        visible(&browser, "#a .mark.on"),
        browser.count("#a .mark.on")
    );
}

#[test]
fn the_largest_picture_stays_usable() {
    let scratch = Scratch::new();
    let mut run = run_of("dbft2/n7-stall-nspcc");
    // The same slots again and again, until there are more marks than a picture has.
    let events = run.trace.clone();
    let last = events.iter().map(|event| event.slot.0).max().unwrap();
    for round in 1..8 {
        run.trace.extend(events.iter().cloned().map(|mut event| {
            event.slot.0 += round * last;
            event.copy = event
                .copy
                .map(|(slot, copy)| (milp_schema::Slot(slot.0 + round * last), copy));
            event
        }));
    }
    let heal = Part {
        heal: true,
        ..Part::SCHEDULE
    };
    let report = Report::new(run, None, heal);
    let scene = &report.panels[0].scene;
    assert!(scene.marks.len() > 2000 && scene.marks.len() <= milp_show::report::scene::MARKS);
    let file = put(&scratch, "a.html", &report);
    let browser = Browser::open();
    browser.go(&file, "");
    let banner = browser.text("document.querySelector('.banner').textContent");
    assert!(banner.contains("are drawn"), "{banner}");
    let milliseconds = |script: &str| {
        let script = format!(
            "const start = performance.now(); {script}; document.body.getBoundingClientRect(); \
             return performance.now() - start"
        );
        browser.run(&script).as_f64().unwrap()
    };
    let selected = format!(
        "document.getElementById('a-m{}').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))",
        scene.marks.len() / 2
    );
    for script in [
        selected.as_str(),
        "document.getElementById('back').click()",
        "document.querySelector('input[data-kind=k-commit]').click()",
    ] {
        let taken = milliseconds(script);
        // Far below on an idle machine; work that grows with the square takes minutes.
        assert!(taken < 10_000.0, "{script}: {taken} ms");
    }
    assert_eq!(
        browser.run("return document.querySelectorAll('.chosen').length"),
        Value::from(1)
    );
}

#[test]
fn the_pages_of_sweeps_and_of_efforts_are_silent_and_pass_the_accessibility_check() {
    let scratch = Scratch::new();
    for name in ["instances/sweep.yaml", "instances/dbft2/n7-views.yaml"] {
        scratch.put(name, &std::fs::read_to_string(root().join(name)).unwrap());
    }
    let views = "instances/dbft2/n7-views.yaml";
    // Some marks are filled, others are empty.
    for (arguments, code) in [
        ("sweep instances/sweep.yaml".to_owned(), 0),
        (format!("pareto {views} --effort timeouts --no-prove"), 10),
    ] {
        let ran = scratch.run(&arguments);
        assert_eq!(ran.code, Some(code), "{ran:?}");
    }
    let browser = Browser::open();
    for (page, marks) in [
        ("out/sweep/sweep.html", 42 + 6),
        ("out/dbft2/n7-views-pareto-timeouts/pareto.html", 2),
    ] {
        browser.go(&scratch.path(page), "");
        assert_eq!(browser.count(".plot .mark"), marks, "{page}");
        assert_eq!(browser.violations(), [""; 0], "{page}");
        assert_eq!(browser.console(), [""; 0], "{page}");
    }
}
