//! What stands above the picture: what the replay found, how strong it is, what is left out.

use super::{Panel, draw::esc, finding};
use crate::words::{count, followers};
use milp_schema::{Verdict, verdict::Liveness};

/// Under the sentence of a solve each pattern that the program leaves out.
pub(super) fn left_out(lines: &[String]) -> String {
    let Some((heading, patterns)) = lines.split_first() else {
        return String::new();
    };
    let items = patterns.iter();
    let items = items.map(|it| format!("<li>{}</li>\n", esc(it.trim_start_matches("- "))));
    let items = items.collect::<String>();
    format!(
        "<details class=\"aside\"><summary>{}</summary>\n<ul>\n{items}</ul></details>\n",
        esc(heading.trim_end_matches(':'))
    )
}

/// What the replay found, as short as it can be, and every sentence about it.
pub(super) fn headline(panel: &Panel) -> String {
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
