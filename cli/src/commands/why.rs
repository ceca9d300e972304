//! The questions of `milp explain` about an instance: which rules are in the adversary's way.

use super::explain::{Args, Found};
use crate::{document, exit, print, progress::Printer, stop};
use milp_schema::{Instance, read};
use milp_study::{
    Error,
    sentence::patterns,
    why::{How, Necessity, necessity, necessity_words, why_not, why_not_words},
};
use std::{path::Path, sync::atomic::Ordering};

pub(super) fn run(file: &Path, args: &Args) -> Result<u8, Error> {
    let mut instance = args.set.read(file)?;
    instance.views = args.views.unwrap_or(instance.views);
    instance.slots = args.slots.unwrap_or(instance.slots);
    let beside = args.beside.as_deref().map(read::instance).transpose()?;
    if let Some(beside) = &beside
        && beside.protocol != instance.protocol
    {
        return Err(Error::Refused(
            "--beside: an instance of another protocol has other rules".to_owned(),
        ));
    }
    let interrupt = stop::interrupt();
    let settings = args.limits.settings();
    let how = How {
        settings: &settings,
        interrupt: &interrupt,
    };
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    let answered = if args.rules {
        let mut instances = vec![instance];
        instances.extend(beside);
        tables(&instances, how, &mut printer)
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
    let mut story = why_not_words(instance, &answer);
    story.extend(patterns(instance));
    for line in &story {
        print::line(line);
    }
    document::result(&Found { story });
    let forbidden = answer.proved && answer.smallest;
    Ok(answer.possible == Some(true) || forbidden)
}

/// Prints the optimum without each rule, of both instances if there are two; whether all that is
/// said is proved.
fn tables(instances: &[Instance], how: How<'_>, printer: &mut Printer) -> Result<bool, Error> {
    let table = |instance| necessity(instance, how, &mut |progress| printer.show(progress));
    let tables = instances.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    printer.finish();
    let pairs = instances.iter().zip(&tables).collect::<Vec<_>>();
    let mut rows = necessity_words(&pairs);
    let header = rows.remove(0);
    print::table(&header, &rows, &[]);
    document::result(&Found { story: Vec::new() });
    Ok(tables.iter().all(Necessity::settled))
}
