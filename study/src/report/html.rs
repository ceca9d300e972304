//! The page around the pictures.

use super::{Panel, Report, draw::esc, embed, state, story, words};
use crate::Error;
use milp_schema::{
    Verdict,
    verdict::{Holds, Liveness},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// No connection to anywhere: what the page needs is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The whole file.
pub(crate) fn page(report: &Report) -> Result<String, Error> {
    let first = &report.panels[0];
    let title = report
        .panels
        .iter()
        .map(|panel| format!("{} on {}", panel.run.name, panel.run.engine))
        .collect::<Vec<_>>()
        .join(" against ");
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n",
        esc(&title),
        esc(&title)
    );
    if let Some(sentence) = &first.run.sentence {
        out += &format!("<p>{}</p>\n", esc(sentence));
    }
    for panel in &report.panels {
        out += &headline(panel);
    }
    out += "</header>\n<main>\n";
    out += &controls(report);
    out += "<div id=\"panels\">\n";
    for at in 0..report.panels.len() {
        out += &figure(report, at);
    }
    out += "</div>\n<section class=\"details\"><h2>Selected</h2>\n<div id=\"details\" \
            aria-live=\"polite\"><p>Nothing. Point at a mark or an arrow for what it is; click it, \
            or press Enter on it, for its causal past and future.</p></div></section>\n";
    if report.panels.len() > 1 {
        out += &differences(report);
    }
    for panel in &report.panels {
        out += &lists(panel, report.panels.len() > 1);
    }
    for (at, panel) in report.panels.iter().enumerate() {
        out += &events(panel, ["a", "b"][at], report.panels.len() > 1);
    }
    out += "</main>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n";
    out += &embed::element(&report.panels.iter().map(|it| &it.run).collect::<Vec<_>>())?;
    let view = embed::json(&view(report))?;
    out += &format!("<script type=\"application/json\" id=\"milp-view\">{view}</script>\n");
    out += &format!("<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    Ok(out)
}

/// What the replay found, as short as it can be, and every sentence about it.
fn headline(panel: &Panel) -> String {
    let engine = esc(&panel.run.engine);
    let Some(verdict) = &panel.run.verdict else {
        return format!(
            "<p class=\"verdict\"><strong>{engine}</strong>: what the program predicts, no replica \
             was driven</p>\n"
        );
    };
    let mut words = badges(verdict)
        .into_iter()
        .map(|(word, bad)| {
            let class = if bad { "bad" } else { "good" };
            format!("<span class=\"badge {class}\">{word}</span>")
        })
        .collect::<Vec<_>>()
        .join(" ");
    words = format!("<p class=\"verdict\"><strong>{engine}</strong>: {words}</p>\n");
    if !verdict.notes.is_empty() {
        words += "<ul class=\"notes\">\n";
        for note in &verdict.notes {
            words += &format!("<li>{}</li>\n", esc(note));
        }
        words += "</ul>\n";
    }
    words
}

fn badges(verdict: &Verdict) -> Vec<(String, bool)> {
    let properties = [
        ("agreement", verdict.agreement),
        ("finality", verdict.finality),
        ("validity", verdict.validity),
        ("integrity", verdict.integrity),
        ("lock", verdict.lock),
    ];
    let violated = properties.iter().filter(|it| it.1 == Holds::Violated);
    let mut badges = violated
        .map(|(name, _)| (format!("{name} violated"), true))
        .collect::<Vec<_>>();
    if badges.is_empty() {
        badges.push(("all properties hold".to_owned(), false));
    }
    let (word, bad) = match verdict.termination {
        Liveness::Decided => ("decided", false),
        Liveness::Stuck => ("stuck", true),
        Liveness::Open => ("open", false),
    };
    badges.push((word.to_owned(), bad));
    let bad = verdict.divergences > 0;
    badges.push((format!("{} divergences", verdict.divergences), bad));
    if verdict.faults > 0 {
        badges.push((format!("{} breakdowns", verdict.faults), true));
    }
    badges
}

/// The picture, its banner and the table of states.
fn figure(report: &Report, at: usize) -> String {
    let panel = &report.panels[at];
    let p = ["a", "b"][at];
    let (svg, _, _) = report.picture(at, false);
    let name = esc(&format!("{} on {}", panel.run.name, panel.run.engine));
    let mut out = format!("<figure id=\"{p}-figure\">\n<figcaption>{name}</figcaption>\n");
    for sentence in &panel.scene.left_out {
        out += &format!("<p class=\"banner\" role=\"note\">{}</p>\n", esc(sentence));
    }
    out += &format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Space-time diagram of \
         {name}\">\n{svg}</div>\n"
    );
    out += &format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"States of {name}\">\n\
         <table class=\"states\"><caption>What each replica has at the end of slot \
         <span id=\"{p}-at\">{}</span></caption>\n<thead><tr><th scope=\"col\">replica</th>\
         <th scope=\"col\">state</th><th scope=\"col\">quorums</th></tr></thead>\n\
         <tbody id=\"{p}-states\">\n",
        panel.scene.slots.1
    );
    for (replica, states) in panel.states.iter().enumerate() {
        let state = state::at(states, panel.scene.slots.1).cloned();
        let state = state.unwrap_or_default();
        let tallies = state.tallies.iter().map(|tally| {
            let who = tally.who.iter().copied().map(milp_schema::ReplicaId);
            let who = who.collect::<Vec<_>>();
            format!(
                "<li>{}: {} of {} ({})</li>",
                esc(&tally.what),
                tally.who.len(),
                tally.need,
                words::list(&who)
            )
        });
        out += &format!(
            "<tr><th scope=\"row\">{replica}</th><td>{}</td><td><ul>{}</ul></td></tr>\n",
            esc(&state.words.join(", ")),
            tallies.collect::<String>()
        );
    }
    out + "</tbody></table></div>\n</figure>\n"
}

/// Everything that needs the script; it shows them.
fn controls(report: &Report) -> String {
    let panels = &report.panels;
    let last = panels.iter().map(|it| it.scene.slots.1).max().unwrap_or(0);
    let first = panels.iter().map(|it| it.scene.slots.0).min().unwrap_or(0);
    let marks = panels.iter().flat_map(|panel| &panel.scene.marks);
    let used = marks
        .clone()
        .filter_map(|mark| mark.event.message.as_ref())
        .map(|message| words::kind(&message.kind).0)
        .collect::<BTreeSet<_>>();
    let places = marks.map(|mark| mark.place).collect::<BTreeSet<_>>();
    let several = panels.iter().any(|it| it.run.instance.heights > 1);
    let replicas = panels.iter().map(|it| it.run.instance.replicas).max();
    let box_of = |group: &str, value: &str, label: &str| {
        format!(
            "<label><input type=\"checkbox\" data-{group}=\"{value}\" checked> {label}</label>\n"
        )
    };
    let kinds = words::KINDS
        .iter()
        .filter(|(class, _)| used.contains(class))
        .map(|(class, name)| box_of("kind", class, name));
    let views = places.iter().map(|(height, view)| {
        let name = if several {
            format!("h{height} v{view}")
        } else {
            view.to_string()
        };
        box_of("view", &format!("{height}-{view}"), &name)
    });
    let lanes =
        (0..replicas.unwrap_or(0)).map(|it| box_of("replica", &it.to_string(), &it.to_string()));
    let both = if panels.len() > 1 {
        "<label><input type=\"checkbox\" id=\"beside\" checked> side by side</label>\n"
    } else {
        ""
    };
    let copies = panels.iter().enumerate().map(|(at, panel)| {
        let which = if panels.len() > 1 {
            format!(" of {}", esc(&panel.run.engine))
        } else {
            String::new()
        };
        let p = ["a", "b"][at];
        format!("<button type=\"button\" data-copy=\"{p}\">Copy picture{which} as SVG</button>\n")
    });
    format!(
        "<form id=\"controls\" hidden>\n\
         <fieldset><legend>Slot</legend><button type=\"button\" id=\"back\" aria-label=\"one slot back\">◀</button>\n\
         <input type=\"range\" id=\"slot\" aria-label=\"slot\" min=\"{first}\" max=\"{last}\" step=\"1\" value=\"{last}\">\n\
         <button type=\"button\" id=\"forth\" aria-label=\"one slot forward\">▶</button>\n\
         <output id=\"now\" for=\"slot\">{last}</output></fieldset>\n\
         <fieldset><legend>Messages</legend>{}</fieldset>\n\
         <fieldset><legend>Replicas</legend>{}</fieldset>\n\
         <fieldset><legend>Views</legend>{}</fieldset>\n\
         <fieldset><legend>Show</legend><label><input type=\"checkbox\" id=\"acts\"> only what the adversary did</label>\n{both}\
         <button type=\"button\" id=\"clear\">Clear selection</button>\n{}\
         <output id=\"said\"></output></fieldset>\n\
         <details><summary>Keys</summary><p>Tab reaches the diagram. In it: ← and → go along a lane, ↑ and ↓ change \
         lanes, Home and End go to the ends of a lane, Enter selects, Escape clears, Page Up and Page Down move the \
         slot.</p></details>\n</form>\n",
        kinds.collect::<String>(),
        lanes.collect::<String>(),
        views.collect::<String>(),
        copies.collect::<String>()
    )
}

fn list(title: &str, items: &[String], none: &str) -> String {
    let mut out = format!("<section><h2>{}</h2>\n", esc(title));
    if items.is_empty() {
        return out + &format!("<p>{}</p></section>\n", esc(none));
    }
    out += "<ul>\n";
    for item in items {
        out += &format!("<li>{}</li>\n", esc(item));
    }
    out + "</ul></section>\n"
}

fn lists(panel: &Panel, several: bool) -> String {
    let on = if several {
        format!(": {}", panel.run.engine)
    } else {
        String::new()
    };
    let acts = story::acts(&panel.run, &panel.scene);
    let came = story::consequences(&panel.run, &panel.scene);
    format!(
        "<div class=\"lists\">{}{}</div>\n",
        list(&format!("What the adversary did{on}"), &acts, "Nothing."),
        list(
            &format!("What came of it{on}"),
            &came,
            "Nobody decides, commits or enters a view."
        )
    )
}

fn differences(report: &Report) -> String {
    let [left, right] = &report.differences;
    let names = report.panels.iter().map(|it| &it.run.engine);
    let names = names.collect::<Vec<_>>();
    let same = names[0] == names[1];
    let title = |at: usize| {
        let run = &report.panels[at].run;
        if same {
            format!("Only in {}", run.name)
        } else {
            format!("Only on {}", run.engine)
        }
    };
    format!(
        "<div class=\"lists\" id=\"differences\">{}{}</div>\n",
        list(&title(0), left, "Nothing: the other has all of it."),
        list(&title(1), right, "Nothing: the other has all of it.")
    )
}

/// Every mark in words, for who cannot see the picture.
fn events(panel: &Panel, prefix: &str, several: bool) -> String {
    let scene = &panel.scene;
    let on = if several {
        format!(" on {}", panel.run.engine)
    } else {
        String::new()
    };
    let mut out = format!(
        "<details class=\"events\"><summary>Every event drawn{}, in words ({})</summary>\n<ol>\n",
        esc(&on),
        scene.marks.len()
    );
    for at in 0..scene.marks.len() {
        let ways = scene.arrows.iter().filter(|arrow| arrow.from == at);
        let ways = ways
            .map(|arrow| format!("replica {}: {}", arrow.to, words::end(scene, arrow)))
            .collect::<Vec<_>>();
        let ways = if ways.is_empty() {
            String::new()
        } else {
            format!(" ({})", ways.join("; "))
        };
        out += &format!(
            "<li id=\"{prefix}-e{at}\">{}</li>\n",
            esc(&format!("{}{ways}", words::sentence(scene, at)))
        );
    }
    out + "</ol></details>\n"
}

/// What the script needs beside the picture.
fn view(report: &Report) -> Value {
    let panels = report.panels.iter().map(|panel| {
        let columns = report.columns.0.iter();
        let columns = columns.map(|it| json!([it.first, it.last, it.x, it.width]));
        let marks = panel.scene.marks.iter();
        let marks = marks.map(|it| json!([it.event.replica.0, it.event.slot.0, it.cause]));
        json!({
            "columns": columns.collect::<Vec<_>>(),
            "marks": marks.collect::<Vec<_>>(),
            "states": panel.states,
        })
    });
    json!({ "panels": panels.collect::<Vec<_>>() })
}
