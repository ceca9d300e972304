//! Programs of formulation `causal` as text: what the rules of a protocol become without slots.

use milp_model::{
    Error,
    formulation::causal,
    program::{Program, Row},
};
use milp_schema::{
    Instance, Protocol,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Primary, Timers},
};
use std::fmt::Write as _;

fn instance(protocol: &str) -> Instance {
    Instance::builder(protocol)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .slots(1)
        .goal(Goal::Stall)
        .formulation(Formulation::Causal)
        .build()
}

fn text(program: &Program, row: &Row) -> String {
    let mut text = format!("{}:", row.name);
    for (col, k) in &row.terms {
        let name = &program.columns[col.index()].name;
        write!(text, " {k:+} {name}").expect("writing to a string cannot fail");
    }
    write!(text, " in {:?}..{:?}", row.lower, row.upper).expect("writing to a string cannot fail");
    text
}

/// The longest row of each family: enough to read the formula in it.
fn families(program: &Program) -> String {
    let mut out = String::new();
    for (number, family) in program.families.iter().enumerate() {
        let rows = program.rows.iter().rev();
        let longest = rows
            .filter(|row| row.family.0 as usize == number)
            .max_by_key(|row| row.terms.len());
        let row = longest.map_or_else(|| "no rows".into(), |row| text(program, row));
        let (name, tag, line) = (&family.name, family.tag, &family.line);
        writeln!(out, "{name} [{tag:?}] line {line}\n  {row}").expect("strings take everything");
    }
    out
}

#[test]
fn families_without_slots_read_as_their_formulas() {
    for protocol in Protocol::all().map(|protocol| protocol.name.as_str()) {
        let dir = env!("CARGO_MANIFEST_DIR");
        let path = format!("{dir}/tests/golden/causal-{protocol}.txt");
        let built = match causal::of(&instance(protocol)) {
            // Some files say more than this formulation can.
            Err(Error::Unsupported { .. }) if !std::fs::exists(&path).unwrap() => continue,
            built => built.unwrap(),
        };
        let text = families(&built.program);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).expect("the golden file can be written");
        }
        let golden = std::fs::read_to_string(&path).expect("a golden file");
        assert!(
            golden == text,
            "{path} differs; UPDATE=1 rewrites it, then read the diff"
        );
    }
}

#[test]
fn what_asks_for_slots_is_refused_by_name() {
    type Change = fn(&mut Instance);
    let cases: [(&str, Change); 6] = [
        ("goal `slow`", |i| i.goal = Goal::Slow),
        ("several heights", |i| i.heights = 2),
        ("timers: protocol", |i| {
            i.timers = Timers::Protocol;
            i.block_time = Some(3);
        }),
        ("budget: {late", |i| i.budget.late = Some(1)),
        ("primary: free", |i| i.primary = Primary::Free),
        ("network: asynchronous", |i| {
            i.network = Network::Asynchronous;
        }),
    ];
    for (what, change) in cases {
        let mut instance = instance("dbft2");
        assert!(causal::is_exact(&instance));
        change(&mut instance);
        assert!(!causal::is_exact(&instance), "{what}");
        match causal::of(&instance) {
            Err(Error::Unsupported { construct, .. }) => {
                assert!(construct.contains(what), "{construct}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}
