//! A picture for LaTeX: one lane for each replica, slots to the right, an arrow for each copy.
//! Each kind of message has a colour and a dash pattern, so that colour is never the only sign.

use super::story::{Act, Story, Trip};
use milp_schema::{Kind, ReplicaId, schedule::End};
use std::{collections::BTreeSet, fmt::Write as _};

/// Centimetres between two slots, and between two lanes.
const STEP: f64 = 1.1;
const LANE: f64 = 1.6;

/// The kinds of copies that are drawn, in the order of handling.
fn kinds(story: &Story<'_>) -> BTreeSet<Kind> {
    let kinds = story.trips.iter().map(|trip| trip.copy.message.kind);
    kinds.collect()
}

/// The dashes of a kind's lines, in the words of `TikZ`.
fn dashes(kind: Kind) -> String {
    let turns = kind
        .mark()
        .dash
        .iter()
        .zip(["on", "off"].into_iter().cycle());
    let turns: Vec<_> = turns
        .map(|(length, turn)| format!("{turn} {length}pt"))
        .collect();
    if turns.is_empty() {
        "solid".to_owned()
    } else {
        format!("dash pattern={}", turns.join(" "))
    }
}

pub(super) fn write(story: &Story<'_>) -> String {
    let mut text = format!(
        "% {}\n\\documentclass[tikz,border=4pt]{{standalone}}\n\\begin{{document}}\n",
        story.title()
    );
    for kind in kinds(story) {
        let colour = kind.mark().colour.trim_start_matches('#').to_uppercase();
        let _ = writeln!(text, "\\definecolor{{k-{kind}}}{{HTML}}{{{colour}}}");
    }
    text += "\\begin{tikzpicture}[>=stealth,font=\\scriptsize,\n";
    for kind in kinds(story) {
        let dashes = dashes(kind);
        let _ = writeln!(
            text,
            "  k-{kind}/.style={{draw=k-{kind},text=k-{kind},{dashes}}},"
        );
    }
    text += "  late/.style={line width=1.2pt},\n\
             \x20 sign/.style={inner sep=1pt,fill=white}]\n";
    lanes(story, &mut text);
    for trip in &story.trips {
        way(story, &mut text, trip);
    }
    for (slot, replica, act) in &story.acts {
        let sign = match act {
            Act::Timeout(..) => "T".to_owned(),
            Act::Enter(_, view) => format!("$v_{{{view}}}$"),
            Act::Decide(block) => format!("\\textbf{{{block}}}"),
            Act::Crash => "crash".to_owned(),
            Act::Restart => "restart".to_owned(),
            Act::Receive(_) | Act::Send(_) | Act::Inject(_) => continue,
        };
        let above = match act {
            Act::Decide(_) => "above=5pt",
            Act::Enter(..) => "below=1pt",
            _ => "above=0pt",
        };
        let (x, y) = at(slot.0, *replica);
        let _ = writeln!(text, "\\node[sign,{above}] at ({x:.2},{y:.2}) {{{sign}}};");
    }
    legend(story, &mut text);
    text += "\\end{tikzpicture}\n\\end{document}\n";
    text
}

fn at(slot: u32, replica: ReplicaId) -> (f64, f64) {
    (f64::from(slot) * STEP, -f64::from(replica.0) * LANE)
}

/// A line for each replica, a mark for each slot.
fn lanes(story: &Story<'_>, text: &mut String) {
    let last = story.instance.slots;
    for replica in story.replicas() {
        let ((x, y), (end, _)) = (at(0, replica), at(last + 1, replica));
        let _ = writeln!(
            text,
            "\\draw[gray] ({x:.2},{y:.2}) node[left,black] {{{}}} -- ({end:.2},{y:.2});",
            story.name(replica)
        );
    }
    for slot in 0..=last {
        let (x, y) = at(slot, ReplicaId(story.instance.replicas));
        let _ = writeln!(text, "\\node[gray] at ({x:.2},{y:.2}) {{{slot}}};");
    }
}

/// The way of a copy: an arrow, a thick one where it is late; a cross where it is lost; nothing for
/// one that is still on its way at the end.
fn way(story: &Story<'_>, text: &mut String, trip: &Trip) {
    let copy = &trip.copy;
    let style = copy.message.kind;
    let (x, y) = at(copy.sent.0, copy.sender);
    match trip.end {
        End::Arrives(slot) => {
            let (to_x, to_y) = at(slot.0, copy.receiver);
            let late = if story.is_late(trip) { ",late" } else { "" };
            let _ = writeln!(
                text,
                "\\draw[k-{style}{late},->] ({x:.2},{y:.2}) -- ({to_x:.2},{to_y:.2});"
            );
        }
        End::Lost(_) => {
            let (_, to_y) = at(0, copy.receiver);
            let (to_x, to_y) = (x + STEP * 0.4, y + (to_y - y) * 0.4);
            let _ = writeln!(
                text,
                "\\draw[k-{style}] ({x:.2},{y:.2}) -- ({to_x:.2},{to_y:.2}) node {{$\\times$}};"
            );
        }
        End::Open => {}
    }
}

/// The kinds that occur.
fn legend(story: &Story<'_>, text: &mut String) {
    let (_, y) = at(0, ReplicaId(story.instance.replicas + 1));
    let mut x = 0.0;
    for kind in kinds(story) {
        let name = kind.name().replace('_', "\\_");
        let end = x + 0.8;
        let _ = writeln!(
            text,
            "\\draw[k-{kind},->] ({x:.2},{y:.2}) -- ({end:.2},{y:.2}) node[right] {{{name}}};"
        );
        x += 3.6;
    }
}
