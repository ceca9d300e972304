//! Proofs for every n: what they close, and what they do not.

use milp_model::every::{self, Region};
use milp_schema::{Every, read};
use milp_solver::every::{Proof, check, prove};
use std::{sync::atomic::AtomicBool, time::Instant};

fn question(protocol: &str, views: u32, blocks: u32, count: &str, mutant: &str) -> Every {
    let mutant = match mutant {
        "" => String::new(),
        name => format!("mutant: {name}\n"),
    };
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {protocol}\nreplicas: 50\nfaults: {{kind: byzantine, count: {count}}}\nbeyond_budget: true\nviews: {views}\nblocks_per_proposal: {blocks}\nslots: 12\nnetwork: asynchronous\ngoal: fork\n{mutant}"
    );
    let instance = read::instance_text("question", &text).expect("an instance");
    Every {
        instance,
        at_least: 1,
        byzantine: count.parse().expect("a count"),
    }
}

#[test]
fn try_out() {
    let args = std::env::var("TRY").unwrap_or("dbft2 2 1 f".to_owned());
    for line in args.split(';') {
        let w: Vec<&str> = line.split_whitespace().collect();
        let q = question(
            w[0],
            w[1].parse().unwrap(),
            w[2].parse().unwrap(),
            &w[3].replace('+', " + "),
            w.get(4).unwrap_or(&""),
        );
        let t = Instant::now();
        let programs = every::of(&q, &Region::of(&q)).expect("programs");
        for p in &programs {
            let bins = p
                .columns
                .iter()
                .filter(|it| it.kind == every::Kind::Binary)
                .count();
            println!(
                "  {} rows {} cols {} binaries",
                p.rows.len(),
                p.columns.len(),
                bins
            );
            if std::env::var("SHOW").is_ok() {
                for r in &p.rows {
                    println!(
                        "{} {:?} <= {:?}",
                        r.name,
                        r.terms
                            .iter()
                            .map(|(c, a)| (p.columns[*c].name.as_str(), a.0))
                            .collect::<Vec<_>>(),
                        r.upper.0
                    );
                }
            }
        }
        println!("built {:?}", t.elapsed());
        let t = Instant::now();
        match prove(&programs, 2, 20000, &AtomicBool::new(false)).expect("a proof") {
            Proof::Closed { parts, cubes } => {
                let s = t.elapsed();
                let t = Instant::now();
                let checked = check(&programs, 2, &parts).expect("it checks");
                println!(
                    "{line}: closed {cubes} cubes {s:?}; check {:?} {checked:?}",
                    t.elapsed()
                );
            }
            other => println!("{line}: {other:?} {:?}", t.elapsed()),
        }
    }
}
