//! `milp report --what-if` in a real browser: the module says what the replay here says.
//!
//! `scripts/wasm.sh` builds the module, `scripts/browser.sh` installs the browser; without them
//! these tests fail.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;
#[path = "support/web.rs"]
mod web;

use milp_schema::verdict::Liveness;
use milp_show::report::{Part, Report, whatif::Answer};
use milp_study::show;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use support::{Scratch, root};
use web::{Browser, HOME};

/// A state of the production engine's rules that nothing ends.
const STALL: &str = "dbft2/n4-stall-nspcc";
/// Replicas of one's own, of the paper and of files, with and without Byzantine ones.
const RESULTS: [&str; 5] = [
    STALL,
    "dbft1/n4-delays-fork",
    "dbft2/n4-equivocation-fork",
    "tendermint/n4-no-lock-fork",
    "atlas/n4-byzcoin-fork",
];

fn kept(result: &str) -> PathBuf {
    root().join("results").join(result)
}

/// Makes the page of a result; the page and what its script is given.
fn page(scratch: &Scratch, result: &str) -> (PathBuf, Value) {
    let name = result.replace('/', "-") + ".html";
    let ran = scratch.run(&format!(
        "report {} --what-if --out {name}",
        kept(result).display()
    ));
    assert_eq!(ran.code, Some(0), "run scripts/wasm.sh: {ran:?}");
    let html = scratch.text(&name);
    let (_, given) = html.split_once("id=\"milp-what-if\">").unwrap();
    let (given, _) = given.split_once("</script>").unwrap();
    (scratch.path(&name), serde_json::from_str(given).unwrap())
}

/// What the same code says outside of a page.
fn answer(given: &Value, edits: &[(usize, &str)]) -> Answer {
    let edit =
        |(copy, fate): &(usize, &str)| json!({"row": given["copies"][copy]["row"], "fate": fate});
    let edits = edits.iter().map(edit).collect::<Vec<_>>();
    let question = json!({"setting": given["setting"], "edits": edits}).to_string();
    let answer = milp_whatif::answer(&question);
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

/// The fragment of the address that says so.
fn fragment(given: &Value, edits: &[(usize, &str)]) -> String {
    let edits = edits.iter();
    let parts =
        edits.map(|(copy, fate)| format!("{}{}", given["copies"][copy]["arrow"], &fate[..1]));
    format!("what-if={}", parts.collect::<Vec<_>>().join(","))
}

/// What the page shows once the replay is over: the result, the badges, who decides what now, the
/// schedule.
fn shown(browser: &Browser) -> Value {
    browser.run_async(
        "const done = arguments[arguments.length - 1];
         const box = document.getElementById('what-if');
         const all = (selector) => [...box.querySelectorAll(selector)].map(it => it.textContent);
         const look = () => all('pre').length === 0 || box.hasAttribute('aria-busy')
             ? setTimeout(look, 20)
             : done([all('.result')[0], all('.badge'), all('#what-if-answer tbody td:last-child'), all('pre')[0]]);
         look()",
    )
}

/// The colours that the pictures name and the page has not.
const UNKNOWN_COLOURS: &str = "\
    const known = getComputedStyle(document.documentElement); \
    const named = [...document.body.innerHTML.matchAll(/var\\((--[\\w-]+)\\)/g)].map(it => it[1]); \
    return [...new Set(named)].filter(it => known.getPropertyValue(it) === '')";

fn expected(answer: &Answer) -> Value {
    let badges = answer.after.badges.iter().map(|(word, _)| word);
    let decided = answer.after.decided.iter().map(|blocks| match blocks {
        None => "Byzantine".to_owned(),
        Some(blocks) if blocks.is_empty() => "nothing".to_owned(),
        Some(blocks) => blocks.join(", "),
    });
    json!([
        answer.after.result,
        badges.collect::<Vec<_>>(),
        decided.collect::<Vec<_>>(),
        answer.schedule
    ])
}

/// The edited schedule in a folder of its own, replayed as any other.
fn replayed(
    scratch: &Scratch,
    result: &str,
    schedule: &str,
) -> (Liveness, Vec<&'static str>, usize) {
    let dir = scratch.path(result);
    std::fs::create_dir_all(&dir).unwrap();
    for entry in std::fs::read_dir(kept(result)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), dir.join(entry.file_name())).unwrap();
    }
    std::fs::write(dir.join("schedule.csv"), schedule).unwrap();
    let run = show::run(&dir, None, &"own".parse().unwrap()).unwrap();
    let decisions = run.trace.iter().filter(|it| it.decided().is_some()).count();
    let verdict = run.verdict.unwrap();
    (verdict.termination, verdict.violated(), decisions)
}

/// Numbers below `below` that look random (`SplitMix64`).
fn draw(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) % below as u64) as usize
}

#[test]
fn the_page_says_of_random_fates_what_the_replay_here_says() {
    let scratch = Scratch::new();
    let browser = Browser::open();
    let mut state = 17;
    let (mut other_ends, mut asked) = (0, 0);
    for result in RESULTS {
        let (file, given) = page(&scratch, result);
        let copies = given["copies"].as_array().unwrap();
        for number in 1..=4 {
            let mut edits: Vec<(usize, &str)> = Vec::new();
            while edits.len() < number.min(3) {
                let copy = draw(&mut state, copies.len());
                let fates = copies[copy]["fates"].as_array().unwrap();
                if edits.iter().all(|(other, _)| *other != copy) {
                    let fate = fates[draw(&mut state, fates.len())].as_str().unwrap();
                    edits.push((copy, fate));
                }
            }
            // The page hands them over in the order of arrows.
            edits.sort_unstable();
            let native = answer(&given, &edits);
            let fragment = fragment(&given, &edits);
            browser.go(&file, &format!("#{fragment}"));
            assert_eq!(shown(&browser), expected(&native), "{result} {fragment}");
            assert_eq!(browser.count("#what-if-answer svg.milp"), 1);
            assert_eq!(
                browser.run(UNKNOWN_COLOURS),
                json!([]),
                "{result} {fragment}"
            );
            assert_eq!(browser.console(), [""; 0], "{result} {fragment}");
            let (end, violated, decisions) = replayed(&scratch, result, &native.schedule);
            let badges = native.after.badges.iter().map(|(word, _)| word.as_str());
            let badges = badges.collect::<Vec<_>>();
            let word = match end {
                Liveness::Decided => "everybody decides in the end",
                Liveness::Stuck => "stuck for ever",
                Liveness::Open => "the end is open",
            };
            assert!(badges.contains(&word), "{result} {fragment}: {badges:?}");
            for property in &violated {
                assert!(
                    badges.contains(&format!("{property} violated").as_str()),
                    "{badges:?}"
                );
            }
            assert_eq!(violated.is_empty(), badges.contains(&"safety holds"));
            let blocks = native.after.decided.iter().flatten().map(Vec::len);
            assert_eq!(blocks.sum::<usize>(), decisions, "{result} {fragment}");
            other_ends += usize::from(native.before.badges != native.after.badges);
            asked += 1;
        }
    }
    assert!(asked == 20 && other_ends > 3, "{other_ends} of {asked}");
}

/// A late copy that decides the block if it comes on time.
fn remedy(given: &Value) -> (usize, Answer) {
    let copies = given["copies"].as_array().unwrap();
    let on_time = |copy: &Value| copy["acted"] == true && copy["fates"][0] == "on_time";
    let mut answers = (0..copies.len())
        .filter(|copy| on_time(&copies[*copy]))
        .map(|copy| (copy, answer(given, &[(copy, "on_time")])));
    let decides = |end: &str| end == "everybody decides in the end";
    answers
        .find(|(_, answer)| answer.after.badges.iter().any(|(word, _)| decides(word)))
        .unwrap()
}

#[test]
fn a_late_copy_on_time_ends_a_stall_by_keyboard_and_by_pointer() {
    let scratch = Scratch::new();
    let browser = Browser::open();
    let (file, given) = page(&scratch, STALL);
    let (copy, native) = remedy(&given);
    assert!(
        native
            .before
            .badges
            .iter()
            .any(|(word, _)| word == "stuck for ever")
    );
    assert!(
        native
            .after
            .decided
            .iter()
            .flatten()
            .all(|blocks| blocks.len() == 1)
    );
    let arrow = &given["copies"][copy]["arrow"];
    let fate = fragment(&given, &[(copy, "on_time")]);
    let address = || browser.text("location.hash");

    browser.go(&file, "#slot=3");
    assert_eq!(
        browser.text("document.getElementById('what-if').hidden"),
        "false"
    );
    assert_eq!(browser.count("#what-if-answer *"), 0);
    browser.run(&format!(
        "document.querySelector('#what-if-copies [data-copy=\"{arrow}\"]').focus()"
    ));
    browser.press(&["o"]);
    assert_eq!(shown(&browser), expected(&native));
    assert_eq!(address(), format!("#slot=3&{fate}"));
    assert_eq!(browser.count(&format!("#a-c{arrow}.otherwise")), 1);
    // Where the keyboard was, it is.
    assert_eq!(
        browser.text("document.activeElement.dataset.copy"),
        arrow.to_string()
    );
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        assert_eq!(browser.violations(), [""; 0], "{scheme}");
    }

    // The slot moves, the fates stay; back to the schedule.
    browser.click("#forth");
    assert_eq!(address(), format!("#{fate}&slot=4"));
    browser.click("#what-if-reset");
    assert_eq!(address(), "#slot=4");
    assert_eq!(
        browser.count("#what-if-answer *") + browser.count(".otherwise"),
        0
    );

    // The same where an arrow is selected; others may lie over it.
    browser.run(&format!(
        "document.querySelector('#a-c{arrow} .hit').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    ));
    browser.run("document.querySelector('#details select').focus()");
    browser.press(&["o"]);
    assert_eq!(shown(&browser), expected(&native));
    let table = browser.text(&format!(
        "document.querySelector('#what-if-copies [data-copy=\"{arrow}\"]').value"
    ));
    assert_eq!(table, "on_time");
    assert!(
        address().contains(&fate) && address().contains("select=a-c"),
        "{}",
        address()
    );
    browser.press(&[HOME]);
    assert_eq!(browser.count("#what-if-answer *"), 0);
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_page_is_made_for_copies_and_with_a_module_only() {
    let scratch = Scratch::new();
    let (first, _) = page(&scratch, STALL);
    let first = std::fs::read(first).unwrap();
    let (again, _) = page(&scratch, STALL);
    assert_eq!(first, std::fs::read(again).unwrap());
    let refused = |arguments: &str, module: Option<&Path>, why: &str| {
        let mut command = scratch.command(arguments);
        if let Some(module) = module {
            command.env("MILP_WASM", module);
        }
        let ran = support::Ran::from(command.output().unwrap());
        assert_eq!(ran.code, Some(2), "{arguments}: {ran:?}");
        assert!(ran.stderr.contains(why), "{arguments}: {ran:?}");
    };
    let report = format!("report {} --what-if", kept(STALL).display());
    let text = scratch.put("module", "no module");
    refused(&report, Some(&text), "build it with `make wasm`");
    refused(&report, Some(&scratch.path("nothing")), "nothing");
    refused(&format!("{report} --against model"), None, "--against");
    let pool = kept("dbft2/tla");
    let pool = std::fs::read_dir(pool)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    refused(
        &format!("report {} --what-if", pool.display()),
        None,
        "every message a slot later",
    );
    // Who does not ask gets none of it.
    let run = show::run(&kept(STALL), None, &"own".parse().unwrap()).unwrap();
    let plain = Report::new(run, None, Part::SCHEDULE).html().unwrap();
    assert!(!plain.contains("wasm") && plain.len() < first.len() / 4);
}
