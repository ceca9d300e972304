//! Attacks for every n: bases and steps, what is proved of the rest, what replicas do at some n, and
//! who checks them.

mod support;

use milp_schema::{
    Every,
    instance::{Goal, Network},
    verdict::{Holds, Liveness},
};
use milp_study::{
    confirm::{Engine, How},
    every::{
        Answer, Attack,
        family::{self, Whole},
    },
    folder,
    promote::{self, promote},
    regress::{Again, Asked, regress},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};
use support::every::{answered, every};

/// n up to 100, with every remainder by three.
const MANY: [u32; 10] = [4, 5, 6, 7, 8, 9, 13, 20, 30, 100];

/// A question of a protocol, under a mutant if there is one.
fn question(protocol: &str, mutant: Option<&str>, byzantine: &str) -> Every {
    let mutant = mutant.map_or(String::new(), |name| format!("mutant: {name}\n"));
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {protocol}\nreplicas: any\n\
         faults: {{kind: byzantine, count: {byzantine}}}\nbeyond_budget: true\nviews: 2\n\
         slots: 12\nnetwork: asynchronous\ngoal: fork\n{mutant}"
    );
    every(&text)
}

fn found(every: &Every) -> Box<Attack> {
    match answered(every) {
        Answer::Attack(attack) => attack,
        Answer::Proved(_) | Answer::Open(_) => panic!("there is an attack"),
    }
}

/// The n of those given that have a member; replicas follow its schedule, and do what is bad.
fn replayed(whole: &Whole, numbers: &[u32]) -> Vec<u32> {
    let mut all = Vec::new();
    for &n in numbers {
        let Ok(driven) = whole.at(n, Path::new(".")) else {
            continue;
        };
        let how = How {
            symbolic: true,
            ..How::default()
        };
        let verdict = driven.confirm(&Engine::Own, how).expect("it replays");
        let verdict = verdict.verdict;
        assert!(verdict.confirms(), "n = {n}: {verdict:?}");
        let bad = match whole.every.instance.goal {
            Goal::Finality => verdict.finality == Holds::Violated,
            Goal::Stall => verdict.termination == Liveness::Stuck,
            _ => verdict.agreement == Holds::Violated,
        };
        assert!(bad, "n = {n}: {verdict:?}");
        all.push(n);
    }
    all
}

/// Protocol, mutant, Byzantine replicas; what is said of where, and of the rest; the n of `FEW` that
/// have a member.
type Claim = (
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
    &'static str,
    &'static [u32],
);

const FEW: [u32; 6] = [4, 5, 6, 7, 8, 9];

const CLAIMED: [Claim; 5] = [
    (
        "dbft2",
        Some("no-commit-lock"),
        "0",
        "every f ≥ 1 and every n > 3f",
        "where f = 0 ",
        &FEW,
    ),
    (
        "dbft2",
        Some("small-quorum"),
        "f",
        "every f ≥ 1 and n = 3f + 1, and every f ≥ 0 and n = 3f + 2",
        "where n ≥ 3f + 3 ",
        &[4, 5, 7, 8],
    ),
    (
        "dbft2",
        None,
        "f + 1",
        "every f ≥ 1 and n = 3f + 1",
        "where f = 0 or n ≥ 3f + 2 ",
        &[4, 7],
    ),
    (
        "tendermint",
        Some("no-lock"),
        "f",
        "every f ≥ 1 and every n > 3f",
        "where f = 0 ",
        &FEW,
    ),
    (
        "ibft1",
        None,
        "f",
        "every f ≥ 0 and n = 3f + 2, and every f ≥ 1 and n = 3f + 3",
        "where n = 3f + 1 ",
        &[5, 6, 8, 9],
    ),
];

#[test]
fn each_twin_has_an_attack_for_every_n_and_the_rest_is_proved() {
    for (protocol, mutant, byzantine, places, rest, at) in CLAIMED {
        let mut every = question(protocol, mutant, byzantine);
        every.instance.blocks_per_proposal = if byzantine == "0" { 1 } else { 2 };
        let attack = found(&every);
        let whole = attack.family.as_ref().expect("for every n");
        let said = whole.sentence();
        assert!(
            said.contains(&format!(" for {places}, within 2 ")),
            "{said}"
        );
        assert!(said.contains(rest) && said.contains("proved"), "{said}");
        assert_eq!(replayed(whole, &FEW), at, "{protocol} {mutant:?}");
    }
}

/// What a checker of another language says of a folder.
fn by_itself(dir: &Path) -> Result<(), String> {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let run = |script: &str, files: &[&str]| {
        let files = files.iter().map(|it| dir.join(it));
        let mut command = Command::new("python3");
        let ran = command.arg(scripts.join(script)).args(files).output();
        let ran = ran.expect("python3 runs");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        if ran.status.success() {
            Ok(())
        } else {
            Err(said)
        }
    };
    run("check_family.py", &[""])?;
    run("check_family.py", &[folder::PROGRAM, folder::MEMBERS])?;
    run("check_every_n.py", &[folder::REST, folder::REST_PROOF])
}

/// dBFT 1.0 forks by delays alone with every n from 4 on.
#[test]
fn a_family_is_kept_and_followed_up_to_a_hundred_and_no_number_of_it_can_be_another() {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path().join("out/family");
    let attack = found(&question("dbft1", None, "0"));
    folder::write(&dir, &attack.files().expect("files")).expect("a folder");
    let whole = family::read(&dir).expect("it is read");
    assert_eq!(
        whole.sentence(),
        attack.family.as_ref().expect("it").sentence()
    );
    assert_eq!(replayed(&whole, &MANY), MANY);
    assert!(whole.at(3, &dir).is_err());
    assert_eq!(by_itself(&dir), Ok(()));

    let results = place.path().join("results");
    let never = AtomicBool::new(false);
    let request = promote::Request {
        from: &dir,
        results: &results,
        name: Some(Path::new("family")),
        engines: Some(&[]),
        force: false,
        resolve: None,
    };
    promote(&request, &never, &mut |_| {}).expect("it is kept");
    let kept = results.join("family");
    let differences = || {
        let asked = Asked::of(&[Engine::Own]).expect("own replicas");
        let cases = regress(&results, &asked, Again::Nothing, &never, &mut |_| {});
        let [case] = &cases.expect("a folder")[..] else {
            panic!("one case");
        };
        case.differences.clone()
    };
    assert_eq!(differences(), Vec::<String>::new());

    let text = std::fs::read_to_string(kept.join(folder::MEMBERS)).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let mut refused = 0;
    for at in 1..lines.len() {
        let (rest, number) = lines[at].rsplit_once(',').expect("a number");
        let number: i64 = number.parse().expect("a number");
        let changed = format!("{rest},{}", number + 1);
        let mut lines = lines.clone();
        lines[at] = &changed;
        let changed = lines.join("\n") + "\n";
        std::fs::write(kept.join(folder::MEMBERS), &changed).expect("written");
        refused += usize::from(family::read(&kept).is_err());
        if at % 9 == 0 {
            assert!(!differences().is_empty(), "{}", lines[at]);
            assert!(by_itself(&kept).is_err(), "{}", lines[at]);
        }
    }
    // One replica more may do a step that nothing rests on; then it is the hash that tells.
    assert!(
        refused * 10 > lines.len() * 8,
        "{refused} of {}",
        lines.len()
    );
}

/// What is bad with another goal, without a fork: final states without a decision, and certificates
/// that nobody holds.
#[test]
fn a_stall_and_two_certificates_for_every_n_are_followed() {
    for (goal, protocol, views, byzantine, places, rest) in [
        (
            Goal::Stall,
            "dbft2",
            1,
            "0",
            "every f ≥ 1 and every n > 3f, and f = 0 and every n ≥ ",
            "; ",
        ),
        (
            Goal::Stall,
            "dbft2",
            2,
            "f",
            "every f ≥ 1 and every n > 3f, and f = 0 and every n ≥ ",
            "; ",
        ),
        (
            Goal::Finality,
            "dbft1",
            2,
            "0",
            "every f ≥ 1 and every n > 3f, and f = 0 and every n ≥ ",
            "; ",
        ),
        (
            Goal::Finality,
            "dbft2",
            2,
            "f + 1",
            "every f ≥ 1 and n = 3f + 1",
            "nothing is said of others",
        ),
    ] {
        let mut every = question(protocol, None, byzantine);
        let instance = &mut every.instance;
        (instance.goal, instance.views) = (goal, views);
        if goal == Goal::Stall {
            instance.network = Network::Eventual;
        }
        let attack = found(&every);
        let whole = attack.family.as_ref().expect("for every n");
        let said = whole.sentence();
        assert!(said.contains(&format!(" for {places}")), "{said}");
        assert!(said.contains(rest), "{said}");
        let numbers = replayed(whole, &[4, 5, 6, 7, 8, 9, 13]);
        assert!(
            numbers.starts_with(&[4]) && numbers.len() > 2,
            "{numbers:?}"
        );
    }
}
