//! What the shapes of a picture mean, below it.

use super::{
    draw::esc,
    scene::{Arrow, Fate, Mark, Scene},
    shape,
};
use crate::words::{Does, binds, class, does};
use milp_schema::{Kind, trace::What};

/// How wide it is at most.
const WIDEST: f64 = 1180.0;

/// The legend as SVG from `top` on, and its height. It names what the scene has, and nothing else;
/// a picture that stands alone also says what it leaves out.
pub(crate) fn legend(scene: &Scene, top: f64, width: f64, alone: bool) -> (String, f64) {
    let mut items = kinds(scene);
    let signs = of_arrows(scene).into_iter().chain(of_marks(scene));
    let signs = signs.filter(|(shown, ..)| *shown);
    items.extend(signs.map(|(_, drawn, text)| (drawn, text.to_owned())));
    // A page shows so much of it without being scrolled.
    let width = width.min(WIDEST);
    let mut out = String::from("<g class=\"legend\">\n");
    let (mut x, mut y) = (14.0, top + 20.0);
    for (drawn, text) in items {
        let needed = 58.0 + 6.9 * text.chars().count() as f64;
        if x + needed > width {
            (x, y) = (14.0, y + 30.0);
        }
        out += &format!(
            "<g transform=\"translate({x:.1} {y:.1})\">{drawn}<text x=\"40\" y=\"4\">{}</text></g>\n",
            esc(&text)
        );
        x += needed;
    }
    let left_out = scene.left_out.iter().filter(|_| alone);
    for sentence in left_out {
        for line in lines(sentence, ((width - 28.0) / 7.6) as usize) {
            y += 20.0;
            out += &format!(
                "<text class=\"strong\" x=\"14\" y=\"{:.1}\">{}</text>\n",
                y + 4.0,
                esc(&line)
            );
        }
    }
    out += "</g>\n";
    (out, y - top + 22.0)
}

/// A sentence in lines of at most so many letters.
fn lines(sentence: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A line and a shape for each kind of message.
fn kinds(scene: &Scene) -> Vec<(String, String)> {
    let drawn = |kind: Kind| {
        let drawn = format!(
            "<g class=\"arrow {}\"><path class=\"line\" d=\"M-4 0H34\"/>{}</g>",
            class(kind),
            shape::sending(kind.mark().shape, 4.0, 0.0)
        );
        (drawn, kind.name().to_owned())
    };
    scene.kinds().into_iter().map(drawn).collect()
}

/// Whether a sign is in the picture, the sign, and what it means.
type Sign = (bool, String, &'static str);

/// The signs of copies on their way.
fn of_arrows(scene: &Scene) -> [Sign; 3] {
    let any = |wanted: fn(&Arrow) -> bool| scene.arrows.iter().any(wanted);
    let kinds = scene.kinds();
    let proposal = kinds.iter().find(|kind| does(kind) == Does::Proposes);
    let request = proposal.map_or_else(|| "k-none".to_owned(), |kind| class(*kind));
    let late = format!(
        "<g class=\"arrow {request} late\"><path class=\"line\" d=\"M-4 0H30\"/>{}</g>",
        shape::chip((14.0, 0.0), "+n", 22.0)
    );
    let withheld = format!(
        "<g class=\"arrow k-none withheld\">\
         <g class=\"{request}\"><path class=\"line\" d=\"M-4 0H20\"/></g>\
         <circle class=\"stop\" cx=\"24\" cy=\"0\" r=\"7.5\"/>\
         <text class=\"chip\" x=\"24\" y=\"4\" text-anchor=\"middle\">i</text></g>"
    );
    let lost = format!(
        "<g class=\"arrow k-none lost\">{}</g>",
        shape::cross(14.0, 0.0, 6.0)
    );
    let is_late = any(|it| it.acted && matches!(it.fate, Fate::Arrives { late: 1.., .. }));
    let is_withheld = any(|it| matches!(it.fate, Fate::Open { withheld: true, .. }));
    let is_lost = any(|it| matches!(it.fate, Fate::Lost { .. }));
    [
        (is_late, late, "late by so many slots"),
        (is_withheld, withheld, "withheld from that replica"),
        (is_lost, lost, "lost"),
    ]
}

/// The signs of what happens at a replica.
fn of_marks(scene: &Scene) -> [Sign; 11] {
    let (x, y) = (14.0, 0.0);
    let any = |wanted: fn(&Mark) -> bool| scene.marks.iter().any(wanted);
    let has = |what: What| scene.marks.iter().any(|it| it.event.what == what);
    let forks = format!("<g class=\"forks\">{}</g>", shape::decision(x, y));
    let locks = any(|it| {
        let mut message = it.event.message.iter();
        it.event.what == What::Send && message.any(binds)
    });
    [
        (has(What::Timeout), shape::hourglass(x, y), "timer fires"),
        (has(What::Deliver), shape::dot(x, y, 3.2), "delivered"),
        (
            has(What::HoldBack),
            shape::ring(x, y, 3.2),
            "ahead of its receiver, held back until it gets there",
        ),
        (
            has(What::HandOver),
            shape::dot(x, y, 3.2) + &shape::ring(x, y, 5.4),
            "held back before, now handed over",
        ),
        (has(What::Ignore), shape::cross(x, y, 3.2), "without effect"),
        (has(What::EnterView), shape::flag(x, 4.0), "enters a view"),
        (has(What::Decide), shape::decision(x, y), "decides"),
        (
            any(|it| it.forks),
            forks,
            "decides, and another replica decides another block",
        ),
        (locks, shape::padlock(x, y), "commit lock"),
        (
            any(|it| it.equivocates),
            "<text class=\"strong\" x=\"10\" y=\"4\">≠</text>".to_owned(),
            "equivocation",
        ),
        (
            any(|it| it.differs),
            "<circle class=\"differ\" cx=\"14\" cy=\"0\" r=\"8\"/>".to_owned(),
            "not so in the other run",
        ),
    ]
}
