//! Every shipped protocol file means the same to the program as to the interpreter.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

use milp_schema::{Protocol, protocol};
use milp_study::protocol_check::{Checked, Effort, check};
use std::sync::atomic::AtomicBool;

fn checked(name: &str, effort: &Effort) -> Checked {
    let never = AtomicBool::new(false);
    let protocol = Protocol::shipped(name);
    let checked = check(protocol, effort, &never, &mut |what| println!("  {what}"));
    let checked = checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    for it in &checked.executions {
        println!("{}: {} of {} points, outside {:?}, wrong {}", it.setting, it.points, it.tried, it.outside, it.wrong);
    }
    for it in &checked.corners {
        println!("{it:?}");
    }
    for it in &checked.fires {
        println!("{} {}: {:?} {:?} never {:?} open {:?}", it.lines, it.text, it.executions, it.program, it.never, it.open);
    }
    println!("{:#?} {:#?}", checked.mutants, checked.searched);
    for it in checked.differences() {
        println!("DIFFERS {}: {:?} {:?}\n{}\n{}", it.what, it.instance.mutant, it.faulty,
            milp_schema::write::choices_csv(&it.schedule.choices),
            milp_schema::write::predictions_csv(&it.schedule.predictions));
    }
    checked
}

#[test]
fn shipped() {
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(or);
    let only = std::env::var("ONLY").unwrap_or_default();
    for definition in protocol::shipped() {
        let name = &definition.words.name;
        if !only.is_empty() && *name != only { continue; }
        println!("=== {name}");
        checked(name, &Effort { executions: number("EX", 100), corners: number("CO", 4), states: 0, seconds: number("SEC", 60) as f64 });
    }
}
