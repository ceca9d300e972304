//! `milp verify` on what is shipped: as it is, and with any one number or word changed.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

use milp_model::program::Program;
use milp_schema::{
    Instance, Outcome,
    certificate::Part,
    instance::{Formulation, Sense},
    outcome::{Certificate, Termination},
    protocol::WRITTEN,
    read, write,
};
use milp_study::{
    folder::LEMMAS,
    verify::{Bound, Verified, unsolved},
};
use std::path::{Path, PathBuf};

const FILES: [&str; 4] = [
    "certificate.csv",
    "outcome.yaml",
    "predictions.csv",
    "schedule.csv",
];

/// The kept results of a number of replicas with a certificate, ascending.
fn results() -> Vec<PathBuf> {
    fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).expect("a folder of the repository") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.ends_with("certificate.csv")
                && path.with_file_name("outcome.yaml").is_file()
            {
                found.push(path.parent().expect("a file has a folder").to_owned());
            }
        }
    }
    let mut found = vec![];
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    collect(&results, &mut found);
    found.sort();
    assert!(found.len() > 30, "{}", found.len());
    found
}

/// A copy of a result that may be changed.
struct Copy {
    dir: tempfile::TempDir,
    texts: Vec<(&'static str, String)>,
}

impl Copy {
    fn of(result: &Path) -> Self {
        let texts = FILES.map(|name| {
            let text = std::fs::read_to_string(result.join(name)).expect("a file of the result");
            (name, text)
        });
        let copy = Self {
            dir: tempfile::tempdir().expect("a folder"),
            texts: texts.to_vec(),
        };
        for (name, text) in &copy.texts {
            copy.put(name, text);
        }
        // A protocol of one's own stands beside its result, and so do lemmas.
        for name in [WRITTEN, LEMMAS] {
            let own = result.join(name);
            if own.is_file() {
                std::fs::copy(own, copy.dir.path().join(name)).expect("a file of the result");
            }
        }
        copy
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).expect("a file");
    }

    fn text(&self, name: &str) -> &str {
        let (_, text) = self
            .texts
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a file");
        text
    }

    fn outcome(&self) -> Outcome {
        read::outcome(&self.dir.path().join("outcome.yaml")).expect("an outcome")
    }

    /// What is said to one file changed, all others as they are.
    fn with(&self, name: &str, text: &str) -> Option<Verified> {
        self.put(name, text);
        let verified = self.accepted();
        self.put(name, self.text(name));
        verified
    }

    /// The check, if it accepts.
    fn accepted(&self) -> Option<Verified> {
        unsolved(self.dir.path())
            .ok()
            .filter(|verified| verified.differences.is_empty())
    }
}

/// Every text that differs in one number (one more, one less, 0) or one word (another one of its
/// kind, or one letter more), with the number of its line.
fn changed(text: &str) -> Vec<(usize, String)> {
    const KINDS: [&[&str]; 6] = [
        &["true", "false"],
        &["optimal", "feasible", "infeasible", "undecided"],
        &["timed", "counting", "causal", "auto"],
        &["none", "network", "crash", "byzantine"],
        &["fork", "finality", "stall", "slow", "views"],
        &["null", "0"],
    ];
    let is_word = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    let mut all = vec![];
    let mut line = 1;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
        if length == 0 {
            line += usize::from(rest.starts_with('\n'));
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let word = &rest[..length];
        let mut others: Vec<String> = vec![format!("{word}x")];
        if let Ok(number) = word.parse::<i64>() {
            others = [number.wrapping_add(1), number.wrapping_sub(1), 0]
                .iter()
                .map(i64::to_string)
                .collect();
        } else if word.len() == 64 {
            // A hash: one digit of it.
            let digit = if word.starts_with('0') { "1" } else { "0" };
            others = vec![format!("{digit}{}", &word[1..])];
        }
        for kind in KINDS.iter().filter(|kind| kind.contains(&word)) {
            others.extend(kind.iter().map(|&other| other.to_owned()));
        }
        for other in others.iter().filter(|other| *other != word) {
            let text = format!("{}{other}{}", &text[..at], &rest[length..]);
            all.push((line, text));
        }
        at += length;
    }
    all
}

/// Of many changes about so many, evenly.
fn sampled(changes: Vec<(usize, String)>, about: usize) -> Vec<(usize, String)> {
    let step = (changes.len() / about).max(1);
    changes.into_iter().step_by(step).collect()
}

fn program(outcome: &Outcome) -> Program {
    let formulation = match outcome.formulation.as_str() {
        "timed" => Formulation::Timed,
        "counting" => Formulation::Counting,
        "causal" => Formulation::Causal,
        "levels" => Formulation::Levels,
        other => panic!("no formulation is called {other}"),
    };
    let instance = Instance {
        formulation,
        ..outcome.instance.clone()
    };
    let built = milp_model::build(&instance).expect("a shipped instance builds");
    built.program().clone()
}

#[test]
fn every_result_kept_is_verified() {
    let (mut exact, mut searches) = (0, 0);
    for result in results() {
        let at = result.display();
        let verified = unsolved(&result).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(verified.differences, [""; 0], "{at}");
        match (&verified.bound, &verified.outcome.certificate) {
            (Bound::Exact, Certificate::SafeDualBound { .. } | Certificate::Cubes { .. }) => {
                exact += 1;
            }
            (Bound::Searches(_), _) => searches += 1,
            other => panic!("{at}: {other:?}"),
        }
    }
    println!("{exact} exact, {searches} by two searches");
    assert!(exact >= 25, "{exact}");
}

/// Lines of an outcome that tell of the search and claim nothing about the answer.
fn tells_of_the_search(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let run = lines
        .iter()
        .position(|line| *line == "run:")
        .expect("`run:` is there");
    let words = lines[line - 1];
    // Below `run:` the horizon is told, too, which is of the answer.
    (line > run + 1 && !words.starts_with("  horizon:"))
        || ["nodes:", "seconds:", "command:"]
            .iter()
            .any(|key| words.starts_with(key))
}

#[test]
fn an_outcome_with_anything_changed_is_rejected_or_says_the_same_about_the_same_program() {
    let (mut rejected, mut accepted) = (0, 0);
    for result in results() {
        let copy = Copy::of(&result);
        let text = copy.text("outcome.yaml").to_owned();
        let original = copy.outcome();
        let program = program(&original);
        let about = match program.columns.len() {
            ..300 => 100_000,
            300..1500 => 80,
            _ => 20,
        };
        for (line, changed) in sampled(changed(&text), about) {
            if tells_of_the_search(&text, line) {
                continue;
            }
            let Some(verified) = copy.with("outcome.yaml", &changed) else {
                rejected += 1;
                continue;
            };
            accepted += 1;
            let at = format!("{} line {line}", result.display());
            let found = verified.outcome;
            // The same claims; the instance may be told otherwise if its program is the same.
            let same = Outcome {
                instance: found.instance.clone(),
                asked_slots: found.asked_slots,
                ..original.clone()
            };
            assert_eq!(found, same, "{at}");
            assert_eq!(self::program(&found), program, "{at}");
        }
    }
    println!("{rejected} changes rejected, {accepted} that change nothing accepted");
    assert!(
        rejected > 1000 && accepted < rejected / 20,
        "{rejected} {accepted}"
    );
}

#[test]
fn a_certificate_or_a_schedule_with_one_number_changed_is_rejected() {
    let mut rejected = 0;
    for result in results() {
        let copy = Copy::of(&result);
        let pools = copy.outcome().instance.protocol.pools();
        for name in ["certificate.csv", "schedule.csv", "predictions.csv"] {
            // In a pool predictions are the behaviour, and another one may be as bad.
            let behaviour = pools && name == "predictions.csv";
            for (line, changed) in sampled(changed(copy.text(name)), 6) {
                let accepted = copy.with(name, &changed).is_some();
                assert!(
                    behaviour || !accepted,
                    "{}: {name} line {line}",
                    result.display()
                );
                rejected += u32::from(!accepted);
            }
        }
    }
    println!("{rejected} rejected");
    assert!(rejected > 400, "{rejected}");
}

/// The bound that follows from the multipliers of a certificate in one cube, by hand: in units of
/// `2^-shift`, constant included, not rounded to the grid.
fn by_hand(program: &Program, part: &Part) -> (i128, i128) {
    let Part::Bound { shift, multipliers } = part else {
        panic!("{part:?}");
    };
    let sign = if program.sense == Sense::Maximize {
        1
    } else {
        -1
    };
    let unit = 1i128 << shift;
    let mut cost = vec![0i128; program.columns.len()];
    for (col, weight) in &program.objective {
        cost[col.index()] += sign * i128::from(*weight) * unit;
    }
    let mut total = sign * i128::from(program.constant) * unit;
    for row in &program.rows {
        let named = multipliers.iter().find(|(name, _)| *name == row.name);
        let y = sign * named.map_or(0, |(_, numerator)| i128::from(*numerator));
        let side = if y > 0 { row.upper } else { row.lower };
        // A row without the side its multiplier needs says nothing.
        let Some(side) = side.filter(|_| y != 0) else {
            continue;
        };
        total += y * i128::from(side);
        for (col, coefficient) in &row.terms {
            cost[col.index()] -= y * i128::from(*coefficient);
        }
    }
    for (column, cost) in program.columns.iter().zip(cost) {
        total += (cost * i128::from(column.lower)).max(cost * i128::from(column.upper));
    }
    (total, unit)
}

#[test]
fn multipliers_changed_together_with_their_hash_are_accepted_only_if_they_still_prove_the_bound() {
    let (mut rejected, mut accepted) = (0, 0);
    for result in results() {
        let copy = Copy::of(&result);
        let text = copy.text("outcome.yaml").to_owned();
        let outcome = copy.outcome();
        let Certificate::SafeDualBound { bound } = outcome.certificate else {
            continue;
        };
        // Those by lemmas have several (`study/tests/by_lemmas.rs`).
        if result.join(LEMMAS).is_file() {
            continue;
        }
        let program = program(&outcome);
        let hash = outcome.certificate_sha256.as_deref().expect("a hash");
        for (line, changed) in sampled(changed(copy.text("certificate.csv")), 20) {
            let other = write::sha256_hex(changed.as_bytes());
            copy.put("outcome.yaml", &text.replace(hash, &other));
            let verified = copy.with("certificate.csv", &changed);
            copy.put("outcome.yaml", &text);
            if verified.is_none() {
                rejected += 1;
                continue;
            }
            accepted += 1;
            let evidence =
                read::certificate_text("certificate.csv", &changed).expect("read before");
            let part = evidence.cubes().next().expect("a cube");
            let (total, unit) = by_hand(&program, part);
            let sign = if program.sense == Sense::Maximize {
                1
            } else {
                -1
            };
            // Nothing is one better, all values being integers.
            let better = (sign * i128::from(bound) + 1) * unit;
            assert!(total < better, "{} line {line}", result.display());
        }
    }
    println!("{rejected} rejected, {accepted} that prove the same bound accepted");
    assert!(rejected > 30, "{rejected}");
}

#[test]
fn a_proof_claimed_without_a_certificate_is_rejected() {
    let result = results().remove(0);
    let copy = Copy::of(&result);
    let outcome = copy.outcome();
    // Taken back as a whole it is accepted, as the solver's word.
    let word = Outcome {
        certificate: Certificate::None,
        proved: false,
        sentence: outcome
            .sentence
            .split(": ")
            .next()
            .expect("a sentence")
            .to_owned()
            + ": says the solver, nothing confirms it",
        ..outcome.clone()
    };
    let evidence = read::certificate_text("certificate.csv", copy.text("certificate.csv"));
    let parts: Vec<Part> = evidence.expect("a certificate").parts;
    let points = parts
        .into_iter()
        .filter(|part| matches!(part, Part::Point { .. }));
    let points = milp_schema::Evidence {
        parts: points.collect(),
    };
    let certificate = write::certificate_csv(&points);
    let word = Outcome {
        certificate_sha256: Some(write::sha256_hex(certificate.as_bytes())),
        ..word
    };
    copy.put("certificate.csv", &certificate);
    let verified = copy.with("outcome.yaml", &write::outcome_yaml(&word));
    assert_eq!(verified.expect("accepted").bound, Bound::Word);
    let value = outcome.primal.expect("a value") as f64;
    for wrong in [
        Outcome {
            termination: Termination::Feasible,
            ..word.clone()
        },
        Outcome {
            dual: Some(value + 5.0),
            ..word.clone()
        },
        Outcome {
            sentence: outcome.sentence.clone(),
            ..word.clone()
        },
        Outcome {
            certificate: outcome.certificate.clone(),
            proved: true,
            sentence: outcome.sentence.clone(),
            ..word.clone()
        },
    ] {
        assert!(
            copy.with("outcome.yaml", &write::outcome_yaml(&wrong))
                .is_none(),
            "{wrong:?}"
        );
    }
}
