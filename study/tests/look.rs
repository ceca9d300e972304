//! What is written in pictures can be read: it is large enough, no line goes through it, and no
//! text lies on another one. Measured in the pictures of all kept results.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use milp_schema::verdict::Liveness;
use milp_show::report::{ForEver, Part, Report, Run};
use milp_study::show;
use roxmltree::{Document, Node};
use std::path::Path;
use support::kept::{folders, root};

fn run_of(dir: &Path) -> Run {
    show::run(dir, None, &"own".parse().unwrap()).unwrap()
}

fn part(heal: bool) -> Part {
    Part {
        heal,
        ..Part::SCHEDULE
    }
}

type Point = (f64, f64);

/// Left, top, right and bottom.
#[derive(Debug, Clone, Copy)]
struct Area(f64, f64, f64, f64);

impl Area {
    fn meets(&self, other: &Self) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }

    fn has(&self, other: &Self) -> bool {
        let (left, top) = (self.0 <= other.0, self.1 <= other.1);
        left && top && self.2 >= other.2 && self.3 >= other.3
    }

    /// Whether a line goes through it: looked up at points half a pixel apart.
    fn is_crossed(&self, (from, to): (Point, Point)) -> bool {
        let line = Self(
            from.0.min(to.0),
            from.1.min(to.1),
            from.0.max(to.0),
            from.1.max(to.1),
        );
        let touches = line.0 <= self.2 && self.0 <= line.2 && line.1 <= self.3 && self.1 <= line.3;
        let steps = (2.0 * (to.0 - from.0).hypot(to.1 - from.1)).ceil() as u32;
        touches
            && (0..=steps).any(|step| {
                let part = f64::from(step) / f64::from(steps.max(1));
                let x = from.0 + (to.0 - from.0) * part;
                let y = from.1 + (to.1 - from.1) * part;
                self.0 < x && x < self.2 && self.1 < y && y < self.3
            })
    }
}

fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn is(node: Node, class: &str) -> bool {
    let classes = node.attribute("class").unwrap_or_default();
    classes.split(' ').any(|it| it == class)
}

/// Both ends of a path of one line: `M1 2L3 4`, `M1 2H3`, `M1 2V3`.
fn ends(d: &str) -> (Point, Point) {
    let turn = d.find(['L', 'H', 'V']).unwrap();
    let numbers = |text: &str| -> Vec<f64> {
        let numbers = text.split(' ').map(|it| it.parse().unwrap());
        numbers.collect()
    };
    let from = numbers(&d[1..turn]);
    let rest = numbers(&d[turn + 1..]);
    let to = match &d[turn..=turn] {
        "H" => (rest[0], from[1]),
        "V" => (from[0], rest[0]),
        _ => (rest[0], rest[1]),
    };
    ((from[0], from[1]), to)
}

/// How large a text is, and how wide on an average letter.
fn area_of(text: Node) -> Area {
    let large = ["name", "axis"].iter().any(|it| is(text, it)) && !is(text, "idle");
    let bold = large || ["strong", "chip", "tagtext"].iter().any(|it| is(text, it));
    let size = if large { 13.0 } else { 11.0 };
    let letters = text.text().unwrap_or_default().chars();
    let letters = letters.map(|letter| match letter {
        ' ' | ',' | '.' | 'i' | 'j' | 'l' => 0.3,
        'f' | 't' | 'r' | '(' | ')' => 0.4,
        _ => 0.62,
    });
    let width = size * if bold { 1.1 } else { 1.0 } * letters.sum::<f64>();
    let (x, y) = (number(text, "x"), number(text, "y"));
    let left = match text.attribute("text-anchor") {
        Some("middle") => x - width / 2.0,
        Some("end") => x - width,
        _ => x,
    };
    Area(left, y - 0.76 * size, left + width, y + 0.1 * size)
}

/// What is wrong in a picture: texts with a line through them, texts on texts, and how many texts
/// there are.
fn faults(svg: &str) -> (Vec<String>, Vec<String>, usize) {
    let document = Document::parse(svg).unwrap();
    let legend = |it: &Node| it.ancestors().any(|above| is(above, "legend"));
    let drawn = document
        .descendants()
        .filter(|it| it.is_element() && !legend(it));
    let drawn = drawn.collect::<Vec<_>>();
    let (mut lines, mut plates, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (turn, node) in drawn.into_iter().enumerate() {
        let any = |classes: &[&str]| classes.iter().any(|class| is(node, class));
        if any(&["line", "lane", "bar", "slot", "horizon", "round"]) {
            lines.push((turn, ends(node.attribute("d").unwrap())));
        } else if any(&["plate", "tag"]) {
            let (x, y) = (number(node, "x"), number(node, "y"));
            let area = Area(x, y, x + number(node, "width"), y + number(node, "height"));
            plates.push((turn, area));
        } else if is(node, "stop") {
            let (x, y, r) = (number(node, "cx"), number(node, "cy"), number(node, "r"));
            plates.push((turn, Area(x - r, y - r, x + r, y + r)));
        } else if node.has_tag_name("text") || node.tag_name().name() == "text" {
            texts.push((turn, area_of(node), node.text().unwrap_or_default()));
        }
    }
    let mut crossed = Vec::new();
    for (turn, area, text) in &texts {
        let mut through = lines.iter().filter(|(_, line)| area.is_crossed(*line));
        // A plate between the line and the text keeps the two apart.
        let bare = through.any(|(line, _)| {
            let mut plates = plates.iter();
            !plates.any(|(plate, it)| line < plate && plate < turn && it.has(area))
        });
        if bare {
            crossed.push((*text).to_owned());
        }
    }
    let mut hidden = Vec::new();
    for (at, (_, area, text)) in texts.iter().enumerate() {
        for (_, other, words) in &texts[at + 1..] {
            if area.meets(other) {
                hidden.push(format!("{text} / {words}"));
            }
        }
    }
    (crossed, hidden, texts.len())
}

#[test]
fn no_line_goes_through_what_is_written_and_no_text_lies_on_another() {
    let found = folders();
    let (mut all, mut bare) = (0, 0);
    for (turn, dir) in found.iter().enumerate() {
        let run = run_of(dir);
        let svg = Report::new(run, None, part(turn % 3 == 0)).svg();
        let (crossed, hidden, texts) = faults(&svg);
        assert_eq!(crossed, [""; 0], "{}", dir.display());
        assert_eq!(hidden, [""; 0], "{}", dir.display());
        all += texts;
        // The test can fail: without plates there is something to see.
        if turn % 8 == 0 {
            bare += faults(&svg.replace("class=\"plate", "class=\"")).0.len();
        }
    }
    assert!(all > 5000 && bare > 20, "{all} {bare}");
}

#[test]
fn nothing_written_is_smaller_than_eleven_pixels() {
    let svg = Report::new(
        run_of(&root().join("dbft2/n4-stall-nspcc")),
        None,
        part(true),
    )
    .svg();
    let sizes = svg.split("font-size: ").skip(1);
    let sizes = sizes.map(|rest| rest.split("px").next().unwrap().parse::<f64>().unwrap());
    let sizes = sizes.collect::<Vec<_>>();
    assert!(
        sizes.len() > 3 && sizes.iter().all(|size| *size >= 11.0),
        "{sizes:?}"
    );
    assert!(
        !svg.contains("var("),
        "alone, a picture has its colours itself"
    );
}

#[test]
fn a_schedule_is_shown_from_slot_1_on_where_nothing_is_changed_by_it() {
    let late = run_of(&root().join("minimal/dbft1/n4-delays-fork"));
    let first = late.trace.iter().map(|event| event.slot.0).min();
    let kept = late.files["schedule.csv"].lines().nth(1).unwrap();
    assert!(late.earlier > 0 && kept.starts_with(&format!("{},", late.earlier + 1)));
    assert_eq!(first, Some(1));
    let html = Report::new(late, None, Part::SCHEDULE).html().unwrap();
    assert!(html.contains("here slot 1 is its slot"));
    // Where the slot is what the result is about, and where nothing is late, it stays.
    for name in ["minimal/twins/dbft2/n4-slow", "dbft2/n4-stall-nspcc"] {
        assert_eq!(run_of(&root().join(name)).earlier, 0, "{name}");
    }
}

#[test]
fn what_comes_again_for_ever_is_shaded_and_said() {
    let found = folders();
    let mut kinds = [0; 3];
    for dir in found {
        let run = run_of(&dir);
        let stuck = run.verdict.as_ref().map(|it| it.termination) == Some(Liveness::Stuck);
        if !stuck {
            continue;
        }
        let report = Report::new(run, None, part(true));
        let panel = &report.panels[0];
        let name = dir.display();
        match &panel.scene.for_ever {
            Some(ForEver::Rounds(rounds)) => {
                kinds[0] += 1;
                // A slot and the one a round later are alike, from the first round on.
                let at = |slot: u32| {
                    let here = panel.run.trace.iter().filter(move |it| it.slot.0 == slot);
                    here.map(|it| (it.replica, it.what, it.message.clone()))
                };
                for slot in rounds.from..=rounds.to - rounds.period {
                    assert!(at(slot).eq(at(slot + rounds.period)), "{name}, slot {slot}");
                }
                assert!(rounds.from > panel.run.instance.slots, "{name}");
                assert!(rounds.from + 2 * rounds.period <= rounds.to + 1, "{name}");
                let html = report.html().unwrap();
                assert!(html.contains("<p class=\"for-ever\" role=\"note\">For ever: from slot"));
                if rounds.from <= panel.scene.slots.1 {
                    assert!(html.contains("class=\"rounds\""), "{name}");
                }
            }
            Some(ForEver::Silence(_)) => kinds[1] += 1,
            Some(ForEver::Unequal) => kinds[2] += 1,
            None => panic!("{name}: stuck, and nothing said"),
        }
    }
    assert!(kinds[0] > 0, "{kinds:?}");
}

#[test]
fn the_certificate_is_a_link_to_its_text_or_named_with_its_digest() {
    let mut run = run_of(&root().join("dbft2/n4-stall-nspcc"));
    let text = run.files["certificate.csv"].clone();
    let html = Report::new(run.clone(), None, Part::SCHEDULE)
        .html()
        .unwrap();
    let (_, rest) = html
        .split_once("href=\"data:text/csv;charset=utf-8,")
        .unwrap();
    let (link, _) = rest.split_once('"').unwrap();
    let mut parts = link.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    assert_eq!(String::from_utf8(bytes).unwrap(), text);
    assert!(html.contains("proved in exact arithmetic"));
    // One that is too long for a link.
    let long = text.repeat(300_000 / text.len() + 1);
    let digest = milp_schema::write::sha256_hex(long.as_bytes());
    run.files.insert("certificate.csv".to_owned(), long);
    let html = Report::new(run, None, Part::SCHEDULE).html().unwrap();
    assert!(!html.contains("href=\"data:") && html.contains(&format!("<code>{digest}</code>")));
}
