//! What the shapes of a picture mean, below it.

use super::{draw::esc, scene::Scene, shape};
use crate::words::{Does, class, does};
use milp_schema::{Kind, trace::What};

/// The legend as SVG from `top` on, and its height. It names what the scene has, and nothing else;
/// a picture that stands alone also says what it leaves out.
pub(crate) fn legend(scene: &Scene, top: f64, width: f64, alone: bool) -> (String, f64) {
    let mut items = kinds(scene);
    items.extend(signs(scene));
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

/// The other signs.
fn signs(scene: &Scene) -> Vec<(String, String)> {
    use super::scene::Fate;
    let has = |what: What| scene.marks.iter().any(|it| it.event.what == what);
    let fate = |wanted: &dyn Fn(Fate) -> bool| scene.arrows.iter().any(|it| wanted(it.fate));
    let kinds = scene.kinds();
    let proposal = kinds.iter().find(|kind| does(kind) == Does::Proposes);
    let request = proposal.map_or_else(|| "k-none".to_owned(), |kind| class(*kind));
    let arrow =
        |class: &str, drawn: String| format!("<g class=\"arrow k-none {class}\">{drawn}</g>");
    let all: [(bool, String, &str); 14] = [
        (
            scene
                .arrows
                .iter()
                .any(|it| matches!(it.fate, Fate::Arrives { late, .. } if late > 0) && it.acted),
            format!(
                "<g class=\"arrow {request} late\"><path class=\"line\" d=\"M-4 0H30\"/>{}</g>",
                shape::chip((14.0, 0.0), "+n")
            ),
            "late by so many slots",
        ),
        (
            fate(&|it| matches!(it, Fate::Open { withheld: true, .. })),
            arrow(
                "withheld",
                format!(
                    "<g class=\"{request}\"><path class=\"line\" d=\"M-4 0H20\"/></g>\
                     <circle class=\"stop\" cx=\"24\" cy=\"0\" r=\"6.5\"/>\
                     <text class=\"chip\" x=\"24\" y=\"3.4\" text-anchor=\"middle\">i</text>"
                ),
            ),
            "withheld from that replica",
        ),
        (
            fate(&|it| matches!(it, Fate::Lost { .. })),
            arrow("lost", shape::cross(14.0, 0.0, 6.0)),
            "lost",
        ),
        (
            has(What::Timeout),
            shape::hourglass(14.0, 0.0),
            "timer fires",
        ),
        (has(What::Deliver), shape::dot(14.0, 0.0, 3.2), "delivered"),
        (
            has(What::HoldBack),
            shape::ring(14.0, 0.0, 3.2),
            "ahead of its receiver, held back until it gets there",
        ),
        (
            has(What::HandOver),
            shape::dot(14.0, 0.0, 3.2) + &shape::ring(14.0, 0.0, 5.4),
            "held back before, now handed over",
        ),
        (
            has(What::Ignore),
            shape::cross(14.0, 0.0, 3.2),
            "without effect",
        ),
        (
            has(What::EnterView),
            shape::flag(14.0, 4.0),
            "enters a view",
        ),
        (has(What::Decide), shape::decision(14.0, 0.0), "decides"),
        (
            scene.marks.iter().any(|it| it.forks),
            format!("<g class=\"forks\">{}</g>", shape::decision(14.0, 0.0)),
            "decides, and another replica decides another block",
        ),
        (
            scene.marks.iter().any(|it| {
                let message = it.event.message.as_ref();
                it.event.what == What::Send
                    && message.is_some_and(|it| does(&it.kind) == Does::Binds)
            }),
            shape::padlock(14.0, 0.0),
            "commit lock",
        ),
        (
            scene.marks.iter().any(|it| it.equivocates),
            "<text class=\"strong\" x=\"10\" y=\"4\">≠</text>".to_owned(),
            "equivocation",
        ),
        (
            scene.marks.iter().any(|it| it.differs),
            "<circle class=\"differ\" cx=\"14\" cy=\"0\" r=\"8\"/>".to_owned(),
            "not so in the other run",
        ),
    ];
    let shown = all.into_iter().filter(|(shown, _, _)| *shown);
    shown
        .map(|(_, drawn, text)| (drawn, text.to_owned()))
        .collect()
}
