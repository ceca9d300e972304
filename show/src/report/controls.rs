//! Everything on the page that needs the script; the script shows it.

use super::{Report, draw::esc};
use crate::words::{class, own};
use std::collections::BTreeSet;

/// The form with the controls.
pub(super) fn controls(report: &Report) -> String {
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
        "<form id=\"controls\" hidden>\n<details id=\"options\" open><summary>Controls</summary>\n<div class=\"fields\">\n\
         <fieldset><legend>Slot</legend><button type=\"button\" id=\"back\" aria-label=\"one slot back\">◀</button>\n\
         <input type=\"range\" id=\"slot\" aria-label=\"slot\" min=\"{first}\" max=\"{last}\" step=\"1\" value=\"{last}\">\n\
         <button type=\"button\" id=\"forth\" aria-label=\"one slot forward\">▶</button>\n\
         <output id=\"now\" for=\"slot\">{last}</output></fieldset>\n\
         <fieldset><legend>Messages</legend>{}</fieldset>\n\
         <fieldset><legend>Replicas</legend>{}</fieldset>\n\
         <fieldset><legend>{heading}</legend>{}</fieldset>\n\
         <fieldset><legend>Show</legend><label><input type=\"checkbox\" id=\"acts\"> only what the attack needs</label>\n{both}\
         <button type=\"button\" id=\"clear\">Clear selection</button>\n{}\
         <output id=\"said\"></output></fieldset>\n\
         <details><summary>Keys</summary><p>Tab reaches the diagram. In it: ← and → go along a lane, ↑ and ↓ change \
         lanes, Home and End go to the ends of a lane, Enter selects, Escape clears, Page Up and Page Down move the \
         slot.</p></details>\n</div></details>\n</form>\n",
        kinds.collect::<String>(),
        lanes.collect::<String>(),
        views.collect::<String>(),
        copies.collect::<String>()
    )
}
