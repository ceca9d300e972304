//! Proofs for every n by way of lemmas: each is a program of its own, and nothing else is believed.

#![expect(
    clippy::print_stdout,
    reason = "the numbers are for whoever runs the test by hand"
)]

mod support;

use milp_model::every::{self, Lemma, Region, candidates, with_lemmas};
use milp_schema::{Every, certificate::Part};
use milp_solver::every::{Proof, check, prove};
use milp_study::{
    every::{Answer, Proved, verify},
    folder,
};
use std::{path::Path, process::Command, sync::atomic::AtomicBool};
use support::every::{answered, every};

fn question(protocol: &str, mutant: Option<&str>, views: u32) -> Every {
    let mutant = mutant.map_or(String::new(), |name| format!("mutant: {name}\n"));
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {protocol}\nreplicas: {{at_least: {views}}}\n\
         faults: {{kind: byzantine, count: f}}\nviews: {views}\nblocks_per_proposal: 2\nslots: 12\n\
         network: asynchronous\ngoal: fork\n{mutant}"
    );
    every(&text)
}

fn proved(every: &Every) -> Box<Proved> {
    match answered(every) {
        Answer::Proved(proved) => proved,
        Answer::Attack(_) | Answer::Open(_) => panic!("it is proved"),
    }
}

/// The pairs that are proved, each with those before it.
fn mined(every: &Every) -> (Vec<Lemma>, Vec<Part>, usize) {
    let region = Region::of(every);
    let pairs = candidates(every).expect("pairs");
    let (mut lemmas, mut parts) = (Vec::new(), Vec::new());
    let all = pairs.len();
    for pair in pairs {
        let program = every::lemma(every, &region, &lemmas, pair).expect("a program");
        let proof = prove(&[program], 2, 400, &AtomicBool::new(false)).expect("a solver");
        if let Proof::Closed { parts: more, .. } = proof {
            lemmas.push(pair);
            parts.extend(more);
        }
    }
    (lemmas, parts, all)
}

/// Tendermint's final votes of a round bind all of the next; without its lock they do not.
#[test]
fn a_lemma_holds_of_its_own_protocol_and_pair_only() {
    let every = question("tendermint", None, 2);
    let region = Region::of(&every);
    let (lemmas, mut parts, all) = mined(&every);
    assert_eq!((lemmas.len(), all), (4, 4));
    let programs = with_lemmas(&every, &region, &lemmas).expect("programs");
    assert_eq!(programs.len(), lemmas.len() + 1);
    let last = &programs[lemmas.len()..];
    let Proof::Closed {
        parts: more, cubes, ..
    } = prove(last, 2, 400, &AtomicBool::new(false)).expect("a solver")
    else {
        panic!("it is proved");
    };
    // Without them it takes 29.
    assert!(cubes < 10, "{cubes}");
    parts.extend(more);
    assert!(check(&programs, 2, &parts).is_ok());
    let fewer = with_lemmas(&every, &region, &lemmas[1..]).expect("programs");
    assert!(check(&fewer, 2, &parts).is_err(), "a lemma less");
    let mut other = lemmas.clone();
    other.swap(0, 2);
    let other = with_lemmas(&every, &region, &other).expect("programs");
    assert!(check(&other, 2, &parts).is_err(), "in another order");
    let [first, then] = lemmas[0];
    let turned = [[then, first]];
    assert!(
        with_lemmas(&every, &region, &turned).is_err(),
        "no such pair"
    );
    let (without, ..) = mined(&question("tendermint", Some("no-lock"), 2));
    assert_eq!(without, Vec::<Lemma>::new());
}

#[test]
fn a_proof_by_lemmas_is_derived_again_from_its_lemmas() {
    let place = tempfile::tempdir().expect("a folder");
    let full = std::env::var_os("MILP_FULL").is_some();
    let protocol = if full { "tendermint" } else { "pbft" };
    let every = question(protocol, None, 3);
    let proved = proved(&every);
    let said = &proved.said;
    let bytes = proved.files["certificate.csv"].len();
    println!(
        "{protocol}: {} lemmas, {} cubes, {} s, {bytes} bytes",
        said.lemmas.len(),
        said.cubes,
        said.seconds
    );
    assert!(said.sentence.contains(", by way of "), "{}", said.sentence);
    let dir = place.path().join("proof");
    folder::write(&dir, &proved.files).expect("a folder");
    let differences = || verify(&dir).map_or(1, |it| it.differences.len());
    assert_eq!(differences(), 0);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/check_every_n.py");
    let ran = Command::new("python3").arg(script).arg(&dir).status();
    assert!(ran.expect("python3 runs").success());
    let text = String::from_utf8(proved.files["proof.yaml"].clone()).expect("text");
    let start = text.find("lemmas:").expect("lemmas");
    let end = text.find("columns:").expect("columns");
    std::fs::write(
        dir.join("proof.yaml"),
        text[..start].to_owned() + &text[end..],
    )
    .expect("it");
    assert!(differences() > 0, "no lemma is said");
}
