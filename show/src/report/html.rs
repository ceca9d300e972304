//! The page around the pictures.

use super::{
    Panel, Report,
    certificate::section,
    controls::controls,
    draw::esc,
    embed,
    headline::{headline, left_out},
    palette,
    scene::Fate,
    state, story, whatif, words,
};
use crate::{
    Error,
    words::{called_so, own},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// No connection to anywhere: what the page needs is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// How a picture is read.
const READING: &str = "Time runs to the right, slot by slot. Each replica has a lane, each arrow is a \
copy of a message on its way.";
/// What the colours of a selection mean; in sight while there is one.
const CAUSAL: &str = "<p class=\"causal\"><span class=\"swatch past\"></span> its past: what \
led to it<span class=\"swatch future\"></span> its future: what it led to</p>\n";
/// From so many copies on only what the attack needs is drawn at first.
const MANY: usize = 50;

/// The words of the page, for who knows PBFT.
const GLOSSARY: &str = "<details class=\"words\"><summary>Words used here</summary>\n<dl>KINDS
<dt>slot</dt><dd>a step of time; a copy sent in one arrives in the next one or later, the order inside of a slot counts \
for each replica alone</dd>
<dt>view, primary</dt><dd>an attempt at a height, and who proposes in it</dd>
<dt>h0v1b0</dt><dd>block number 0 that was proposed in view 1 of height 0; another view means another block</dd>
<dt>withheld</dt><dd>could arrive in the slots of the schedule and does not</dd>
<dt>heal phase</dt><dd>what follows the last slot of the schedule: every copy arrives, all timers run</dd>
<dt>divergence</dt><dd>something that the replicas did otherwise than the program that found the schedule said</dd>
<dt>impossible, does not apply</dt><dd>a row of the schedule that could not happen to these replicas, or a promise of \
network or timers that it breaks; it does not apply where they follow other rules than the schedule is for</dd>
<dt>exact bound</dt><dd>no schedule is worse, proved in exact arithmetic</dd>
</dl></details>\n";

/// The whole file.
pub(crate) fn page(report: &Report) -> Result<String, Error> {
    let first = &report.panels[0];
    let title = report
        .panels
        .iter()
        .map(|panel| format!("{} on {}", panel.run.name, panel.run.engine))
        .collect::<Vec<_>>()
        .join(" against ");
    let kinds = report.panels.iter().flat_map(|panel| panel.scene.kinds());
    let kinds = kinds.collect::<BTreeSet<_>>();
    // Of what else may be drawn here, too.
    let protocols = report.panels.iter().map(|it| it.run.instance.protocol);
    let all = protocols.flat_map(|protocol| protocol.kinds().collect::<Vec<_>>());
    let all = all.collect::<BTreeSet<_>>();
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}{}\">\n\
         <title>{}</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n",
        whatif::policy(report),
        esc(&title),
        palette::variables(all.clone()),
        esc(&title)
    );
    for panel in &report.panels {
        out += &headline(panel);
    }
    if let Some(sentence) = &first.run.sentence {
        out += &format!("<p class=\"proved\">The solve: {}.</p>\n", esc(sentence));
        out += &left_out(&first.run.left_out);
    }
    out += "</header>\n<main>\n";
    out += &controls(report);
    out += "<div id=\"panels\">\n";
    for at in 0..report.panels.len() {
        out += &figure(report, at);
    }
    out += "</div>\n<section class=\"details\"><h2>Selected</h2>\n<div id=\"details\" \
            aria-live=\"polite\"><p>Nothing. Point at a mark or an arrow for what it is; click it, \
            or press Enter on it, for its causal past and future: of a decision, how it came \
            about.</p></div></section>\n";
    out += &whatif::section(report);
    if report.panels.len() > 1 {
        out += &differences(report);
    }
    for panel in &report.panels {
        out += &lists(panel, report.panels.len() > 1);
    }
    for panel in &report.panels {
        let on = on(panel, report.panels.len() > 1);
        out += &section(&panel.run, &on);
    }
    let said = kinds
        .iter()
        .map(|kind| format!("\n<dt>{kind}</dt><dd>{}</dd>", esc(kind.says())));
    let theirs = &first.run.instance.protocol.words;
    let glossary = called_so(GLOSSARY, [&esc(&theirs.view), &esc(&theirs.primary)]);
    out += &glossary.replace("KINDS", &said.collect::<String>());
    for (at, panel) in report.panels.iter().enumerate() {
        out += &events(panel, ["a", "b"][at], report.panels.len() > 1);
    }
    out += "</main>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n";
    out += &embed::element(&report.panels.iter().map(|it| &it.run).collect::<Vec<_>>())?;
    let view = embed::json(&view(report, &palette::light(all)))?;
    out += &format!("<script type=\"application/json\" id=\"milp-view\">{view}</script>\n");
    out += &format!("<script>\n{SCRIPT}</script>\n");
    out += &whatif::scripts(report)?;
    Ok(out + "</body>\n</html>\n")
}

/// How many copies are drawn: what the attack needs, and all.
fn copies(panel: &Panel) -> (usize, usize) {
    let scene = &panel.scene;
    let arrows = scene.arrows.iter();
    let drawn = arrows.filter(|arrow| {
        !matches!(
            arrow.fate,
            Fate::Open {
                withheld: false,
                ..
            }
        )
    });
    let needed = drawn.clone().filter(|it| scene.is_attack(&panel.run, it));
    (needed.count(), drawn.count())
}

/// Whether the heal phase is drawn.
fn is_healing(panel: &Panel) -> bool {
    panel.scene.slots.1 > panel.run.instance.slots
}

/// Which run of two.
fn on(panel: &Panel, several: bool) -> String {
    if several {
        format!(": {}", panel.run.engine)
    } else {
        String::new()
    }
}

/// The picture, its banner and the table of states.
fn figure(report: &Report, at: usize) -> String {
    let panel = &report.panels[at];
    let p = ["a", "b"][at];
    let (svg, ..) = report.picture(at, false);
    let overlays = report.drawn(at, false).overlays();
    let name = esc(&format!("{} on {}", panel.run.name, panel.run.engine));
    let caption = if report.panels.len() > 1 {
        &name
    } else {
        READING
    };
    let mut out = format!("<figure id=\"{p}-figure\">\n<figcaption>{caption}</figcaption>\n");
    let cut = |it: &&String| it.starts_with("Only slots");
    for sentence in panel.scene.left_out.iter().filter(cut) {
        out += &format!("<p class=\"banner\" role=\"note\">{}</p>\n", esc(sentence));
    }
    let (needed, all) = copies(panel);
    out += &format!(
        "<p class=\"banner part\" role=\"note\" hidden>Only what the attack needs is drawn: {needed} of \
         {all} copies. <button type=\"button\" data-all>Show all</button></p>\n\
         <div class=\"scroll picture\" tabindex=\"0\" role=\"region\" aria-label=\"Space-time diagram of \
         {name}\">\n{svg}{overlays}{CAUSAL}</div>\n"
    );
    let drawn = is_healing(panel);
    let for_ever = panel.scene.for_ever.iter().map(|it| it.sentence(drawn));
    for sentence in for_ever {
        out += &format!(
            "<p class=\"for-ever\" role=\"note\">{}</p>\n",
            esc(&sentence)
        );
    }
    for sentence in panel.scene.left_out.iter().filter(|it| !cut(it)) {
        out += &format!("<p class=\"aside\" role=\"note\">{}</p>\n", esc(sentence));
    }
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
                tally.have,
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
    let on = on(panel, several);
    let came = story::consequences(&panel.run, &panel.scene, panel.story.as_ref());
    format!(
        "<div class=\"lists\">{}{}</div>\n",
        acts(panel, &format!("What the adversary did{on}")),
        list(
            &format!("What came of it{on}"),
            &came,
            "Nobody decides, commits or enters a view."
        )
    )
}

/// A table of copies, and the other acts as a list.
fn acts(panel: &Panel, title: &str) -> String {
    let copies = story::copies(&panel.run, &panel.scene);
    let acts = story::acts(&panel.scene);
    if copies.is_empty() {
        return list(title, &acts, "Nothing.");
    }
    let mut out = format!(
        "<section><h2>{}</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"{0}\">\n<table class=\"states\"><thead><tr>",
        esc(title)
    );
    for name in ["message", "from", "to", "sent in", "arrives in"] {
        out += &format!("<th scope=\"col\">{name}</th>");
    }
    out += "</tr></thead>\n<tbody>\n";
    for copy in &copies {
        let story::Copied {
            message,
            from,
            to,
            sent,
            arrives,
        } = copy;
        out += &format!(
            "<tr><td>{}</td><td>{from}</td><td>{to}</td><td>slot {sent}</td><td>{arrives}</td></tr>\n",
            esc(message)
        );
    }
    out += "</tbody></table></div>\n<ul>\n";
    for act in &acts {
        out += &format!("<li>{}</li>\n", esc(act));
    }
    out + "</ul></section>\n"
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
            esc(&own(
                panel.run.instance.protocol,
                &format!("{}{ways}", words::sentence(scene, at))
            ))
        );
    }
    out + "</ol></details>\n"
}

/// What the script needs beside the picture.
fn view(report: &Report, light: &BTreeMap<String, String>) -> Value {
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
    // Whoever asks for the heal phase wants to see it.
    let mut drawn = report.panels.iter();
    let many = drawn.any(|panel| copies(panel).1 > MANY && !is_healing(panel));
    // A picture that is copied is light.
    json!({ "panels": panels.collect::<Vec<_>>(), "many": many, "light": light })
}
