//! Forks in many views are closed by lemmas: each is proved of a program of its own, and nothing else is
//! believed.

mod support;

use milp_model::{formulation::levels::Question, program::Program};
use milp_schema::{Instance, read, write};
use milp_solver::{
    close::{Attempt, Relaxation, by_multipliers},
    solve as solved_by,
};
use milp_study::{
    folder,
    solve::{Request, Solution, solve},
    verify::{Bound, unsolved},
};
use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool};
use support::settings;

const CERTIFICATE: &str = "certificate.csv";
const LEMMAS: &str = "lemmas.yaml";
const OUTCOME: &str = "outcome.yaml";

fn question(file: &str, views: u32) -> Instance {
    let file = Path::new("../instances").join(file);
    let instance = read::instance(&file).expect("an instance");
    Instance { views, ..instance }
}

fn answered(instance: &Instance, seconds: f64) -> Solution {
    let settings = settings(seconds, true);
    let request = Request {
        instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "milp solve",
    };
    let stop = AtomicBool::new(false);
    solve(&request, &stop, &mut |_| {}).expect("an answer")
}

/// Whether one relaxation shows that no point has more than 1.
fn is_closed(program: &Program) -> bool {
    let settings = settings(60.0, true);
    let attempt = Attempt {
        program,
        value: 1,
        settings: &settings,
        interrupt: &AtomicBool::new(false),
    };
    let relaxed = by_multipliers(attempt, &[], &mut |_| {}).expect("a solver");
    matches!(relaxed, Relaxation::Closed(_))
}

#[test]
fn every_lemma_has_the_optimum_of_its_program_without_lemmas() {
    for file in [
        "tendermint/n4-fork.yaml",
        "hotstuff/n4-fork.yaml",
        "qbft/n4-fork.yaml",
        "pbft/n4-fork.yaml",
        "ibft1/n4-fork.yaml",
    ] {
        let asked = Question::of(&question(file, 3)).expect("levels say it");
        let asked = asked.expect("it has lemmas");
        let pairs = asked.pairs();
        assert!(pairs.len() >= 6, "{file}: {}", pairs.len());
        for pair in pairs {
            let built = asked.lemma(&[], pair).expect("a program").expect("a part");
            let stop = AtomicBool::new(false);
            let solved = solved_by(&built.program, &settings(60.0, true), &stop, &mut |_| {});
            let solved = solved.expect("a solver");
            assert!(solved.proved, "{file}: {}", asked.words(pair));
            assert!(solved.primal <= Some(1), "{file}: {}", asked.words(pair));
        }
    }
}

#[test]
fn what_is_false_is_no_lemma() {
    for file in [
        "tendermint/n4-no-lock-fork.yaml",
        "hotstuff/n4-no-lock-fork.yaml",
        "ibft1/n4-no-lock-fork.yaml",
        "qbft/n4-no-certificate-fork.yaml",
        "pbft/n4-no-certificate-fork.yaml",
        "twins/tendermint/n4-fork.yaml",
    ] {
        let asked = Question::of(&question(file, 3)).expect("levels say it");
        let asked = asked.expect("views are told apart");
        let mut most = 0;
        for pair in asked.pairs() {
            let built = asked.lemma(&[], pair).expect("a program").expect("a part");
            let stop = AtomicBool::new(false);
            let solved = solved_by(&built.program, &settings(60.0, false), &stop, &mut |_| {});
            let primal = solved.expect("a solver").primal.expect("a point");
            assert!(primal < 2 || !is_closed(&built.program), "{file}");
            most = most.max(primal);
        }
        assert_eq!(most, 2, "{file}");
    }
}

#[test]
fn a_fork_without_lock_is_found_and_no_lemma_is_claimed() {
    let solution = answered(&question("tendermint/n4-no-lock-fork.yaml", 5), 15.0);
    assert!(solution.outcome.primal >= Some(2));
    assert!(!solution.files().contains_key(LEMMAS));
    assert!(!solution.outcome.sentence.contains("lemma"));
}

/// A result in a folder, and whether it is as claimed with some of its files in another text.
struct Copy {
    dir: tempfile::TempDir,
    files: BTreeMap<String, Vec<u8>>,
}

impl Copy {
    fn text(&self, name: &str) -> String {
        String::from_utf8(self.files[name].clone()).expect("text")
    }

    /// The hash of the certificate is set right.
    fn is_accepted(&self, changed: &[(&str, String)]) -> bool {
        let mut files = self.files.clone();
        for (name, text) in changed {
            if *name == CERTIFICATE {
                let old = write::sha256_hex(&self.files[CERTIFICATE]);
                let new = write::sha256_hex(text.as_bytes());
                let outcome = self.text(OUTCOME).replace(&old, &new);
                files.insert(OUTCOME.to_owned(), outcome.into_bytes());
            }
            files.insert((*name).to_owned(), text.clone().into_bytes());
        }
        let dir = self.dir.path().join("result");
        folder::write(&dir, &files).expect("a folder");
        unsolved(&dir).is_ok_and(|it| it.differences.is_empty())
    }
}

/// The texts of the lemmas, one for each, and what stands before them.
fn entries(text: &str) -> (String, Vec<String>) {
    let mut parts = text.split("- never:");
    let head = parts.next().expect("a head").to_owned();
    (head, parts.map(|it| format!("- never:{it}")).collect())
}

/// The lines of a certificate: points, then one proof after the other.
fn proofs(text: &str) -> (String, Vec<String>) {
    let start = text.find("bound,").expect("a proof");
    let mut proofs: Vec<String> = Vec::new();
    for line in text[start..].lines() {
        if line.starts_with("bound,") {
            proofs.push(String::new());
        }
        let last = proofs.last_mut().expect("it begins with one");
        *last += line;
        last.push('\n');
    }
    (text[..start].to_owned(), proofs)
}

#[test]
fn a_result_by_lemmas_is_derived_again_and_rejected_with_anything_else() {
    let solution = answered(&question("tendermint/n4-fork.yaml", 5), 60.0);
    let outcome = &solution.outcome;
    assert_eq!((outcome.primal, outcome.proved), (Some(1), true));
    let words = ": proved by way of 20 lemmas, in exact integers";
    assert!(outcome.sentence.ends_with(words), "{}", outcome.sentence);
    let copy = Copy {
        dir: tempfile::tempdir().expect("a folder"),
        files: solution.files(),
    };
    assert!(copy.is_accepted(&[]));
    let verified = unsolved(&copy.dir.path().join("result")).expect("a result");
    assert_eq!(verified.bound, Bound::Exact);

    let text = copy.text(LEMMAS);
    let (head, lemmas) = entries(&text);
    let (points, certificates) = proofs(&copy.text(CERTIFICATE));
    assert_eq!((lemmas.len(), certificates.len()), (20, 21));
    let both = |lemmas: &[String], certificates: &[String]| {
        let lemmas = head.clone() + &lemmas.concat();
        let certificate = points.clone() + &certificates.concat();
        copy.is_accepted(&[(LEMMAS, lemmas), (CERTIFICATE, certificate)])
    };
    assert!(both(&lemmas, &certificates));
    for at in [0, 7, 19] {
        let (mut fewer, mut rest) = (lemmas.clone(), certificates.clone());
        fewer.remove(at);
        assert!(!both(&fewer, &certificates), "lemma {at} is not said");
        rest.remove(at);
        assert!(!both(&lemmas, &rest), "lemma {at} is not proved");
        assert!(!both(&fewer, &rest), "there is no lemma {at}");
    }
    // The third one uses the first.
    let (mut other, mut moved) = (lemmas.clone(), certificates.clone());
    other.swap(0, 2);
    moved.swap(0, 2);
    assert!(!both(&other, &moved), "it uses a later one");
    assert!(!both(&lemmas, &moved), "each has its own proof");
    let swapped = lemmas[0].replacen("  - 15\n", "  - 16\n", 1);
    for (from, to) in [
        (lemmas[0].clone(), swapped),
        ("views: 2".to_owned(), "views: 3".to_owned()),
        ("byzantine: 1".to_owned(), "byzantine: 2".to_owned()),
        ("uses: []".to_owned(), "uses: [2]".to_owned()),
        ("rows: 548".to_owned(), "rows: 549".to_owned()),
        ("precommit(0, 0)".to_owned(), "precommit(1, 0)".to_owned()),
    ] {
        let changed = text.replacen(&from, &to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(!copy.is_accepted(&[(LEMMAS, changed)]), "{to}");
    }
    for (at, certificate) in certificates.iter().enumerate().step_by(4) {
        let mut changed = certificates.clone();
        let mut lines = certificate.lines();
        changed[at] = format!("{}\n", lines.next().expect("a bound"));
        assert!(!both(&lemmas, &changed), "proof {at} has no multipliers");
        // Any one number is bound by the hash.
        let line = lines.next().expect("a multiplier");
        changed[at] = certificate.replacen(line, &format!("{line}1"), 1);
        let texts = [
            (CERTIFICATE, points.clone() + &changed.concat()),
            (OUTCOME, copy.text(OUTCOME)),
        ];
        assert!(!copy.is_accepted(&texts), "proof {at}: {line}1");
    }
    let outcome = copy.text(OUTCOME);
    let fewer = outcome.replace("lemmas: '20'", "lemmas: '19'");
    let fewer = fewer.replace("20 lemmas", "19 lemmas");
    assert_ne!(fewer, outcome);
    assert!(!copy.is_accepted(&[(OUTCOME, fewer)]));
}
