//! The page around the pictures.

use super::{Panel, Report, draw::esc, embed, finding, state, story, whatif, words};
use crate::{
    Error,
    words::{called_so, class, count, followers, own},
};
use milp_schema::{Verdict, verdict::Liveness};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
/// No connection to anywhere: what the page needs is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

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
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}{}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n",
        whatif::policy(report),
        esc(&title),
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
    let kinds = report.panels.iter().flat_map(|panel| panel.scene.kinds());
    let kinds = kinds.collect::<BTreeSet<_>>().into_iter();
    let said = kinds.map(|kind| format!("\n<dt>{kind}</dt><dd>{}</dd>", esc(kind.says())));
    let theirs = &first.run.instance.protocol.words;
    let glossary = called_so(GLOSSARY, [&esc(&theirs.view), &esc(&theirs.primary)]);
    out += &glossary.replace("KINDS", &said.collect::<String>());
    for (at, panel) in report.panels.iter().enumerate() {
        out += &events(panel, ["a", "b"][at], report.panels.len() > 1);
    }
    out += "</main>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n";
    out += &embed::element(&report.panels.iter().map(|it| &it.run).collect::<Vec<_>>())?;
    let view = embed::json(&view(report))?;
    out += &format!("<script type=\"application/json\" id=\"milp-view\">{view}</script>\n");
    out += &format!("<script>\n{SCRIPT}</script>\n");
    out += &whatif::scripts(report)?;
    Ok(out + "</body>\n</html>\n")
}

/// Under the sentence of a solve each pattern that the program leaves out.
fn left_out(lines: &[String]) -> String {
    let Some((heading, patterns)) = lines.split_first() else {
        return String::new();
    };
    let items = patterns.iter();
    let items = items.map(|it| format!("<li>{}</li>\n", esc(it.trim_start_matches("- "))));
    let items = items.collect::<String>();
    format!(
        "<p class=\"aside\">{}</p>\n<ul class=\"aside\">\n{items}</ul>\n",
        esc(heading)
    )
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
    let words = badges(verdict)
        .into_iter()
        .map(|(word, class)| format!("<span class=\"badge {class}\">{word}</span>"))
        .collect::<Vec<_>>()
        .join(" ");
    let mut out = String::new();
    if let Some(finding) = finding::of(&panel.run, &panel.scene, panel.story.as_ref()) {
        out += &format!(
            "<p class=\"finding\"><strong>{}</strong> {}</p>\n",
            esc(&finding.result),
            esc(&finding.adversary)
        );
        if !finding.why.is_empty() {
            out += "<ul class=\"why\">\n";
            for sentence in &finding.why {
                out += &format!("<li>{}</li>\n", esc(sentence));
            }
            out += "</ul>\n";
        }
    }
    let followers = followers(&panel.run.engine);
    out += &format!(
        "<p class=\"verdict\">Replay on <strong>{engine}</strong>, {followers}: {words}</p>\n"
    );
    if !verdict.notes.is_empty() {
        out += "<details class=\"notes\"><summary>Every sentence of the verdict</summary>\n<ul>\n";
        for note in &verdict.notes {
            out += &format!("<li>{}</li>\n", esc(note));
        }
        out += "</ul></details>\n";
    }
    out
}

/// Each with its class.
pub(crate) fn badges(verdict: &Verdict) -> Vec<(String, &'static str)> {
    let violated = verdict.violated().into_iter();
    let mut badges = violated
        .map(|name| (format!("{name} violated"), "bad"))
        .collect::<Vec<_>>();
    if badges.is_empty() {
        badges.push(("safety holds".to_owned(), "good"));
    }
    let (word, class) = match verdict.termination {
        Liveness::Decided => ("everybody decides in the end", "plain"),
        Liveness::Stuck => ("stuck for ever", "bad"),
        Liveness::Open => ("the end is open", "plain"),
    };
    badges.push((word.to_owned(), class));
    // Where nothing was compared, there is nothing to say.
    badges.extend(verdict.divergences.map(|count| match count {
        0 => ("as predicted, no divergence".to_owned(), "good"),
        1 => ("1 divergence from the predictions".to_owned(), "bad"),
        more => (format!("{more} divergences from the predictions"), "bad"),
    }));
    let places = |number: u32| count(i64::from(number), "place");
    if verdict.impossible > 0 {
        let words = format!("schedule impossible in {}", places(verdict.impossible));
        badges.push((words, "bad"));
    }
    if verdict.unapplied > 0 {
        let words = format!("schedule does not apply in {}", places(verdict.unapplied));
        badges.push((words, "plain"));
    }
    if verdict.faults > 0 {
        badges.push((format!("{} breakdowns", verdict.faults), "bad"));
    }
    badges
}

/// The picture, its banner and the table of states.
fn figure(report: &Report, at: usize) -> String {
    let panel = &report.panels[at];
    let p = ["a", "b"][at];
    let (svg, width, _) = report.picture(at, false);
    let name = esc(&format!("{} on {}", panel.run.name, panel.run.engine));
    let mut out = format!("<figure id=\"{p}-figure\">\n<figcaption>{name}</figcaption>\n");
    let cut = |it: &&String| it.starts_with("Only slots");
    for sentence in panel.scene.left_out.iter().filter(cut) {
        out += &format!("<p class=\"banner\" role=\"note\">{}</p>\n", esc(sentence));
    }
    // What is a little wider than the page is drawn smaller, what is much wider is scrolled.
    let fit = if width < 1800.0 { " fit" } else { "" };
    out += &format!(
        "<div class=\"scroll{fit}\" tabindex=\"0\" role=\"region\" aria-label=\"Space-time diagram of \
         {name}\">\n{svg}</div>\n"
    );
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

/// Everything that needs the script; it shows them.
fn controls(report: &Report) -> String {
    let panels = &report.panels;
    let last = panels.iter().map(|it| it.scene.slots.1).max().unwrap_or(0);
    let first = panels.iter().map(|it| it.scene.slots.0).min().unwrap_or(0);
    let marks = panels.iter().flat_map(|panel| &panel.scene.marks);
    let used = marks
        .clone()
        .filter_map(|mark| mark.event.message.as_ref())
        .map(|message| message.kind)
        .collect::<BTreeSet<_>>();
    let places = marks.map(|mark| mark.place).collect::<BTreeSet<_>>();
    let several = panels.iter().any(|it| it.run.instance.heights > 1);
    let replicas = panels.iter().map(|it| it.run.instance.replicas).max();
    let box_of = |group: &str, value: &str, label: &str| {
        format!(
            "<label><input type=\"checkbox\" data-{group}=\"{value}\" checked> {label}</label>\n"
        )
    };
    let kinds = used
        .into_iter()
        .map(|kind| box_of("kind", &class(kind), kind.name()));
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
    let heading = esc(&own(panels[0].run.instance.protocol, "Views"));
    format!(
        "<form id=\"controls\" hidden>\n\
         <fieldset><legend>Slot</legend><button type=\"button\" id=\"back\" aria-label=\"one slot back\">◀</button>\n\
         <input type=\"range\" id=\"slot\" aria-label=\"slot\" min=\"{first}\" max=\"{last}\" step=\"1\" value=\"{last}\">\n\
         <button type=\"button\" id=\"forth\" aria-label=\"one slot forward\">▶</button>\n\
         <output id=\"now\" for=\"slot\">{last}</output></fieldset>\n\
         <fieldset><legend>Messages</legend>{}</fieldset>\n\
         <fieldset><legend>Replicas</legend>{}</fieldset>\n\
         <fieldset><legend>{heading}</legend>{}</fieldset>\n\
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
