//! `milp explain --guards FILE`: what each rule and each guard of a protocol file carries.

use super::explain::{Args, Found};
use crate::{document, exit, print, progress::Printer, stop};
use milp_schema::protocol;
use milp_study::{
    Error,
    protocol_check::{Carried, Effect, Without, guards},
};
use std::sync::atomic::Ordering;

/// The views within which is looked unless `--views` says otherwise.
const VIEWS: u32 = 3;

const HEADER: [&str; 4] = ["lines", "without", "agreement", "liveness"];

pub(super) fn run(args: &Args) -> Result<u8, Error> {
    let definition = protocol::read(&args.path)?;
    let protocol = protocol::embedded(&definition.text)?;
    let views = args.views.unwrap_or(VIEWS);
    let seconds = args.limits.settings().time_limit_seconds;
    let interrupt = stop::interrupt();
    let mut printer = Printer::new(args.quiet, Some(seconds));
    let mut say = |_: f64, what: &str| printer.say(what, "");
    let found = guards(protocol, views, seconds, &interrupt, &mut say);
    printer.finish();
    let Carried { all, not_asked } = found?;
    if args.markdown {
        let rows = [HEADER.map(str::to_owned), HEADER.map(|_| "---".to_owned())];
        for row in rows.into_iter().chain(all.iter().map(|it| row(it, "`"))) {
            print::verbatim(&format!("| {} |", row.join(" | ")));
        }
        print::line("");
    } else {
        print::rows(HEADER, all.iter().map(|it| row(it, "")), &[]);
    }
    let story = said(&all, views, not_asked.as_deref());
    for line in &story {
        print::line(line);
    }
    document::result(&Found { story });
    let is_open = |effect: &Effect| matches!(effect, Effect::Open { .. });
    let open = |it: &Without| is_open(&it.agreement) || it.liveness.as_ref().is_some_and(is_open);
    Ok(match all.iter().any(open) {
        _ if interrupt.load(Ordering::SeqCst) => exit::INTERRUPTED,
        true => exit::UNPROVED,
        false => exit::DONE,
    })
}

/// A row of the table; in Markdown, rules stand between ticks.
fn row(it: &Without, tick: &str) -> [String; 4] {
    let bar = if tick.is_empty() { "|" } else { "\\|" };
    let spelled = |text: &str| format!("{tick}{}{tick}", text.replace('|', bar));
    let what = match &it.guard {
        None => format!("the rule {}", spelled(&it.rule)),
        Some(guard) => spelled(guard),
    };
    let live = match &it.liveness {
        None => "not asked".to_owned(),
        Some(Effect::Senseless(_)) => "–".to_owned(),
        Some(effect) => words(effect, "good view", "wasted"),
    };
    let agreement = words(&it.agreement, "view", "blocks");
    [it.lines.to_string(), what, agreement, live]
}

/// What becomes of an optimum, a number of `unit`, within a number of `view`.
fn words(effect: &Effect, view: &str, unit: &str) -> String {
    let of = |views: &u32| format!("{views} {view}{}", if *views == 1 { "" } else { "s" });
    match effect {
        Effect::Senseless(why) => format!("no rules without it: {why}"),
        Effect::Nothing => format!("needed for any {view}"),
        Effect::Same { views } => format!("not needed in {}", of(views)),
        Effect::Changes {
            views, without: 0, ..
        } if unit == "blocks" => format!("needed for any decision in {}", of(views)),
        Effect::Changes {
            views,
            protocol,
            without,
        } if without > protocol => format!("needed from {} on: {without} {unit}", of(views)),
        Effect::Changes { views, without, .. } => format!("{without} {unit} in {}", of(views)),
        Effect::Open { views, why } => {
            let why = why.as_deref().unwrap_or("no proof came within the limits");
            match views {
                0 => format!("open: {why}"),
                _ => format!("not needed in {}, open in more: {why}", of(views)),
            }
        }
    }
}

/// What agreement and liveness rest on, a sentence each.
fn said(all: &[Without], views: u32, not_asked: Option<&str>) -> Vec<String> {
    let within = |views: u32, view: &str| {
        format!("within {views} {view}{}", if views == 1 { "" } else { "s" })
    };
    let agreement = |it: &Without| Some(it.agreement.clone());
    let live = match not_asked {
        Some(why) => format!("Liveness was not asked: {why}."),
        None => carried("liveness", all, &within(views - 1, "good view"), &|it| {
            it.liveness.clone()
        }),
    };
    vec![
        carried("agreement", all, &within(views, "view"), &agreement),
        live,
    ]
}

/// What a property rests on.
fn carried(
    property: &str,
    all: &[Without],
    within: &str,
    effect: &dyn Fn(&Without) -> Option<Effect>,
) -> String {
    let carries = |it: &&Without| match effect(it) {
        Some(Effect::Changes {
            protocol, without, ..
        }) => without > protocol,
        _ => false,
    };
    let open = |it: &&Without| matches!(effect(it), Some(Effect::Open { .. }));
    let named = all.iter().filter(carries).map(|it| {
        let what = it.guard.as_deref().unwrap_or("the rule");
        format!("`{what}` of {}", it.lines)
    });
    let named: Vec<_> = named.collect();
    let open = match all.iter().filter(open).count() {
        0 => String::new(),
        1 => "; 1 is open".to_owned(),
        open => format!("; {open} are open"),
    };
    if named.is_empty() {
        let known = if open.is_empty() {
            "carries"
        } else {
            "is known to carry"
        };
        format!("No guard alone {known} {property} {within}{open}.")
    } else {
        let property = format!("{}{}", property[..1].to_uppercase(), &property[1..]);
        format!("{property} rests {within} on {}{open}.", named.join(", "))
    }
}
