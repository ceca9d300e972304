//! The questions of `milp explain` about an instance: which rules are in the adversary's way.

use super::{explain::Args, solve::interrupt_on_ctrl_c};
use crate::{exit, print, progress::Printer};
use milp_schema::{Instance, read};
use milp_study::{
    Error,
    why::{How, necessity, necessity_words, why_not, why_not_words},
};
use std::{path::Path, sync::atomic::Ordering};

pub(super) fn run(file: &Path, args: &Args) -> Result<u8, Error> {
    let mut instance = read::instance(file)?;
    instance.views = args.views.unwrap_or(instance.views);
    instance.slots = args.slots.unwrap_or(instance.slots);
    let interrupt = interrupt_on_ctrl_c()?;
    let settings = args.limits.settings();
    let how = How {
        settings: &settings,
        interrupt: &interrupt,
    };
    let mut printer = Printer::new(args.quiet);
    let answered = if args.rules {
        table(&instance, how, &mut printer)
    } else {
        answer(args.why_not, &instance, how, &mut printer)
    };
    printer.finish();
    Ok(match answered? {
        true => exit::DONE,
        false if interrupt.load(Ordering::SeqCst) => exit::INTERRUPTED,
        false => exit::UNPROVED,
    })
}

/// Prints the rules in the way; whether all that is said is proved.
fn answer(
    value: Option<i64>,
    instance: &Instance,
    how: How<'_>,
    printer: &mut Printer,
) -> Result<bool, Error> {
    let answer = why_not(instance, value, how, &mut |progress| printer.show(progress))?;
    printer.finish();
    for line in why_not_words(instance, &answer) {
        print::line(&line);
    }
    let forbidden = answer.proved && answer.smallest;
    Ok(answer.possible == Some(true) || forbidden)
}

/// Prints the optimum without each rule; whether all that is said is proved.
fn table(instance: &Instance, how: How<'_>, printer: &mut Printer) -> Result<bool, Error> {
    let table = necessity(instance, how, &mut |progress| printer.show(progress))?;
    printer.finish();
    print::rows(
        ["rules", "lines", "optimum", "necessary", "what the rule is for"],
        necessity_words(instance, &table),
        &[],
    );
    Ok(table.settled())
}
