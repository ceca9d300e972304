use milp_model::every::{self, Region};
use milp_schema::read::{self, Near};
use milp_solver::every::{Proof, check, prove};
use std::{sync::atomic::AtomicBool, time::Instant};
#[test]
fn try_out() {
    let args = std::env::var("TRY").unwrap_or("dbft2 2 1 f".to_owned());
    for line in args.split(';') {
        let w: Vec<&str> = line.split_whitespace().collect();
        let mutant = w.get(4).map_or(String::new(), |m| format!("mutant: {m}\n"));
        let text = format!(
            "format: milp-instance/2.0\nprotocol: {}\nreplicas: {}\nfaults: {{kind: byzantine, count: {}}}\nbeyond_budget: true\nviews: {}\nblocks_per_proposal: {}\nslots: 12\nnetwork: asynchronous\ngoal: fork\n{mutant}",
            w[0],
            w.get(5)
                .map_or("any".to_owned(), |n| format!("{{at_least: {n}}}")),
            w[3].replace('+', " + "),
            w[1],
            w[2]
        );
        let q = read::every_near("q", &text, Near::Nothing)
            .expect("a question")
            .expect("any");
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
        for p in programs.chunks(1) {
            let t = Instant::now();
            match prove(p, 2, 20000, &AtomicBool::new(false)).expect("a proof") {
                Proof::Closed { parts, cubes } => {
                    let s = t.elapsed();
                    let bytes = milp_schema::write::certificate_csv(&milp_schema::Evidence {
                        parts: parts.clone(),
                    })
                    .len();
                    let t = Instant::now();
                    let checked = check(p, 2, &parts).expect("it checks");
                    println!(
                        "{line}: closed {cubes} cubes {s:?}; {bytes} bytes check {:?} {checked:?}",
                        t.elapsed()
                    );
                }
                other => println!("{line}: {other:?} {:?}", t.elapsed()),
            }
        }
    }
}
