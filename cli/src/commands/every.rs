//! `milp solve` and `milp verify` where every number of replicas is asked for.

use super::solve::{Args, command_line, destination, place};
use crate::{
    document, exit,
    found::{Found, code, summary},
    print::{self, Tone},
    progress::Printer,
    stop,
};
use milp_schema::{Every, instance::Formulation};
use milp_study::{
    Error,
    every::{self, Answer},
    folder,
    solve::Request,
};
use std::path::Path;

/// Proves the question, or finds the smallest attack.
pub(super) fn solve(args: &Args, every: &Every) -> Result<u8, Error> {
    refuse(args)?;
    let out = destination(args.out.as_deref(), place, &args.file, &every.instance)?;
    folder::replaceable(&out)?;
    let interrupt = stop::interrupt();
    let request = Request {
        instance: &every.instance,
        settings: &args.limits.settings(),
        warm_start: None,
        adequacy: false,
        command: &command_line(),
    };
    let mut printer = Printer::new(args.quiet, Some(args.limits.seconds()));
    printer.about(&every.instance, "");
    let answer = every::solve(every, &request, &interrupt, &mut |progress| {
        printer.show(progress);
    });
    printer.finish();
    match answer? {
        Answer::Proved(proved) => {
            folder::write(&out, &proved.files)?;
            let said = &proved.said;
            let certificate = proved.files.get(folder::CERTIFICATE);
            let [answer, scope, proof] = said.parts(every.instance.goal);
            print::verdict("SAFE", answer, Tone::Good);
            print::facts([
                ("asked", Some(scope.to_owned())),
                ("known", Some(proof.to_owned())),
                (
                    "program",
                    Some(format!("{} columns x {} rows", said.columns, said.rows)),
                ),
                ("cubes", Some(said.cubes.to_string())),
                (
                    "certificate",
                    certificate.map(|it| format!("{} bytes", it.len())),
                ),
                ("seconds", Some(print::number(said.seconds))),
                ("result", Some(out.display().to_string())),
            ]);
            document::result(&Found::of_every(said, every.instance.goal, &out));
            Ok(exit::DONE)
        }
        Answer::Attack(attack) => {
            let solution = &attack.solution;
            folder::write(&out, &attack.files()?)?;
            summary(solution, &out);
            print::line(&attack.sentence);
            if let Some(family) = &attack.family {
                print::line(&family.sentence());
            }
            document::result(&Found::of(solution, &out, None));
            Ok(code(solution))
        }
        Answer::Open(why) => {
            print::line(&why);
            Ok(exit::UNPROVED)
        }
    }
}

/// Refuses what has no meaning for every number of replicas.
fn refuse(args: &Args) -> Result<(), Error> {
    let listed = args
        .formulation
        .is_none_or(|it| matches!(it, Formulation::Auto | Formulation::Counting));
    let given = [
        (!listed, "--formulation"),
        (args.warm_start.is_some(), "--warm-start"),
        (args.confirm.is_some(), "--confirm"),
        (args.best.k_best.is_some(), "--k-best"),
    ];
    if let Some((_, option)) = given.into_iter().find(|(given, _)| *given) {
        return Err(Error::Refused(format!(
            "{option} does not go with `replicas: any`: leave it out, or ask for one number"
        )));
    }
    Ok(())
}

/// Derives a proof again.
pub(super) fn verify(path: &Path) -> Result<u8, Error> {
    let verified = every::verify(path)?;
    for difference in &verified.differences {
        print::line(difference);
    }
    document::result(&super::verify::Found::of_every(&verified));
    if !verified.differences.is_empty() {
        print::line("not as claimed");
        return Ok(exit::VIOLATION);
    }
    print::line(&verified.said.sentence);
    print::line(
        "verified: the programs were derived again, and every cube closes in exact integers",
    );
    Ok(exit::DONE)
}
