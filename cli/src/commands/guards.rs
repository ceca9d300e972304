//! `milp explain --guards FILE`: what each rule and each guard of a protocol file carries.

use super::explain::{Args, Found};
use crate::{document, exit, print, progress::Printer, stop};
use milp_schema::protocol;
use milp_study::{
    Error,
    protocol_check::{Effect, Without, guards},
};
use std::sync::atomic::Ordering;

/// The views within which agreement is looked at unless `--views` says otherwise.
const VIEWS: u32 = 3;

pub(super) fn run(args: &Args) -> Result<u8, Error> {
    let definition = protocol::read(&args.path)?;
    let protocol = protocol::embedded(&definition.text)?;
    let views = args.views.unwrap_or(VIEWS);
    let seconds = args.limits.settings().time_limit_seconds;
    let interrupt = stop::interrupt();
    let mut printer = Printer::new(args.quiet);
    let mut say = |seconds: f64, what: &str| {
        printer.say(seconds, || format!("{what}, {seconds:.0} s"));
    };
    let found = guards(protocol, views, seconds, &interrupt, &mut say);
    printer.finish();
    let found = found?;
    let header = ["lines", "without", "agreement"];
    print::rows(header, found.iter().map(row), &[]);
    let story = vec![carried(&found, views)];
    print::line(&story[0]);
    document::result(&Found { story });
    let open = found
        .iter()
        .any(|it| matches!(it.agreement, Effect::Open { .. }));
    Ok(match open {
        _ if interrupt.load(Ordering::SeqCst) => exit::INTERRUPTED,
        true => exit::UNPROVED,
        false => exit::DONE,
    })
}

fn row(it: &Without) -> [String; 3] {
    let what = match &it.guard {
        None => format!("the rule {}", it.rule),
        Some(guard) => guard.clone(),
    };
    [it.lines.to_string(), what, words(&it.agreement)]
}

fn words(effect: &Effect) -> String {
    match effect {
        Effect::Senseless(why) => format!("no rules without it: {why}"),
        Effect::Same { views } => format!("not needed in {views} {}", of(*views)),
        Effect::Changes {
            views, without: 0, ..
        } => format!("needed for any decision in {views} {}", of(*views)),
        Effect::Changes {
            views,
            protocol,
            without,
        } if without > protocol => {
            format!("needed from {views} {} on: {without} blocks", of(*views))
        }
        Effect::Changes { views, without, .. } => {
            format!("{without} blocks in {views} {}", of(*views))
        }
        Effect::Open { views, why } => {
            let why = why.as_deref().unwrap_or("no proof came within the limits");
            match views {
                0 => format!("open: {why}"),
                _ => format!("not needed in {views} {}, open in more: {why}", of(*views)),
            }
        }
    }
}

/// What so many views are called.
fn of(views: u32) -> &'static str {
    if views == 1 { "view" } else { "views" }
}

/// What agreement rests on, in one sentence.
fn carried(found: &[Without], views: u32) -> String {
    let carries = |it: &&Without| match it.agreement {
        Effect::Changes {
            protocol, without, ..
        } => without > protocol,
        _ => false,
    };
    let named = found.iter().filter(carries).map(|it| {
        let what = it.guard.as_deref().unwrap_or("the rule");
        format!("`{what}` of {}", it.lines)
    });
    let named: Vec<_> = named.collect();
    let rest = format!("within {views} {}", of(views));
    if named.is_empty() {
        let open = |it: &&Without| matches!(it.agreement, Effect::Open { .. });
        match found.iter().filter(open).count() {
            0 => format!("No guard alone carries agreement {rest}."),
            open => format!("No guard alone is known to carry agreement {rest}; {open} are open."),
        }
    } else {
        format!("Agreement rests {rest} on {}.", named.join(", "))
    }
}
