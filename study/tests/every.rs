//! Proofs for every n: what they say of one n, what they do not prove, and who checks them.

mod support;

use milp_model::{
    build,
    every::{self, Affine, Parametric, Region},
};
use milp_replay::{Options, Protocol, Recovery, Signatures, replay};
use milp_schema::{
    Every, Instance,
    certificate::Part,
    instance::{FaultKind, Formulation},
    read,
};
use milp_solver::{
    every::{Proof, check, prove},
    solve,
};
use milp_study::{
    every::{Answer, Proved, verify},
    folder,
    resilience::resilience,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::AtomicBool,
};
use support::{every::answered, settings};

/// A question of a protocol, under a mutant if there is one, about so many Byzantine replicas.
fn question(protocol: &str, mutant: Option<&str>, views: &str, byzantine: &str) -> Every {
    asking("fork", protocol, mutant, views, byzantine)
}

/// The same with another goal.
fn asking(goal: &str, protocol: &str, mutant: Option<&str>, views: &str, byzantine: &str) -> Every {
    let network = if goal == "stall" {
        "eventual"
    } else {
        "asynchronous"
    };
    let mutant = mutant.map_or(String::new(), |name| format!("mutant: {name}\n"));
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {protocol}\nreplicas: any\n\
         faults: {{kind: byzantine, count: {byzantine}}}\nbeyond_budget: true\nviews: {views}\n\
         blocks_per_proposal: 2\nslots: 12\nnetwork: {network}\ngoal: {goal}\n{mutant}"
    );
    support::every::every(&text)
}

fn programs(every: &Every) -> Vec<Parametric> {
    every::of(every, &Region::of(every)).expect("programs")
}

fn proof(programs: &[Parametric]) -> Option<Vec<Part>> {
    match prove(programs, 2, 500, &AtomicBool::new(false)).expect("a solver") {
        Proof::Closed { parts, .. } => Some(parts),
        Proof::Open { .. } | Proof::Stopped => None,
    }
}

/// The optimum of a program for all n at one of them, if its region has it.
fn at(programs: &[Parametric], point: [u32; 3]) -> Option<i64> {
    let point = point.map(i64::from);
    let program = programs.iter().find(|it| it.covers(point))?.at(point);
    let limits = settings(60.0, false);
    let solved = solve(&program, &limits, &AtomicBool::new(false), &mut |_| {});
    solved.expect("it is solved").primal
}

fn optimum(instance: &Instance) -> Option<i64> {
    let built = build(instance).expect("a program");
    let limits = settings(60.0, false);
    let solved = solve(
        built.program(),
        &limits,
        &AtomicBool::new(false),
        &mut |_| {},
    );
    solved.expect("it is solved").primal
}

/// For these n and each number of Byzantine replicas another formulation has the same optimum.
fn agrees(
    (protocol, mutant, views): (&str, Option<&str>, &str),
    formulation: Formulation,
    numbers: &[u32],
) {
    let mut compared = 0;
    for byzantine in ["0", "1", "2", "f", "f + 1"] {
        let mut every = question(protocol, mutant, views, byzantine);
        every.instance.formulation = formulation;
        let programs = programs(&every);
        for &n in numbers {
            let Some(instance) = every.of(n) else {
                continue;
            };
            let b = instance.fault_count(FaultKind::Byzantine);
            if let Some(found) = at(&programs, [n, instance.f(), b]) {
                compared += 1;
                let about = format!("{protocol} {mutant:?}, n = {n}, b = {b}");
                assert_eq!(Some(found), optimum(&instance), "{about}");
            }
        }
    }
    assert!(compared >= 4 * numbers.len(), "{protocol} {mutant:?}");
}

#[test]
fn at_one_n_the_optimum_is_that_of_the_rules_as_a_list() {
    let counting = Formulation::Counting;
    let lock = Some("no-commit-lock");
    let quorum = Some("small-quorum");
    agrees(("dbft2", None, "2"), counting, &[4, 5, 6, 7, 13, 40]);
    agrees(("dbft1", None, "2"), counting, &[4, 5, 6, 7, 13, 40]);
    agrees(("dbft2", lock, "2"), counting, &[3, 4, 7, 31]);
    agrees(("dbft2", quorum, "2"), counting, &[4, 5, 8, 11, 31]);
    agrees(("dbft2", None, "4"), counting, &[4, 7]);
}

#[test]
fn at_one_n_the_optimum_is_that_of_levels() {
    let levels = Formulation::Levels;
    agrees(("tendermint", None, "2"), levels, &[3, 4]);
    agrees(("tendermint", Some("no-lock"), "2"), levels, &[4, 5]);
    agrees(("pbft", Some("any-prepared"), "2"), levels, &[4, 5]);
    agrees(("ibft1", None, "2"), levels, &[4, 5, 6]);
    agrees(("hotstuff", Some("no-lock"), "2"), levels, &[4]);
}

/// A stall is a final state in which 0 heights are decided; a program without one has no point.
#[test]
fn at_one_n_finality_and_stall_are_what_they_are_by_itself() {
    let mut stalls = [0, 0];
    for (protocol, mutant, views) in [
        ("dbft1", None, "1"),
        ("dbft1", None, "2"),
        ("dbft2", None, "1"),
        ("dbft2", None, "2"),
        ("dbft2", Some("no-commit-lock"), "2"),
    ] {
        for byzantine in ["0", "1", "f"] {
            let of = |goal| asking(goal, protocol, mutant, views, byzantine);
            let (finality, stall) = (of("finality"), of("stall"));
            let (certified, stuck) = (programs(&finality), programs(&stall));
            for n in [3, 4, 5, 7] {
                let (Some(one), Some(other)) = (finality.of(n), stall.of(n)) else {
                    continue;
                };
                let point = [n, one.f(), one.fault_count(FaultKind::Byzantine)];
                let about = format!("{protocol} {mutant:?} n {n} b {byzantine} views {views}");
                let found = at(&certified, point);
                let covered = found.is_some();
                assert!(!covered || found == optimum(&one), "{about}: {found:?}");
                if covered {
                    let found = at(&stuck, point).unwrap_or(0);
                    let decided = optimum(&other).expect("a final state");
                    assert_eq!(found, 1 - decided, "{about}");
                    stalls[usize::from(found == 1)] += 1;
                }
            }
        }
    }
    assert!(stalls.iter().all(|it| *it > 5), "{stalls:?}");
}

/// Whatever can be done in so many views is among the points of any number of them.
#[test]
fn no_number_of_views_does_more_than_any() {
    for (protocol, mutant) in [
        ("dbft1", None),
        ("dbft2", None),
        ("dbft2", Some("no-commit-lock")),
        ("dbft2", Some("small-quorum")),
    ] {
        for byzantine in ["0", "f", "f + 1"] {
            let any = programs(&question(protocol, mutant, "any", byzantine));
            for views in ["1", "2", "3"] {
                let every = question(protocol, mutant, views, byzantine);
                let some = programs(&every);
                for n in [3, 4, 5, 8] {
                    let (f, b) = ((n - 1) / 3, every.byzantine.of(n, (n - 1) / 3));
                    let (Some(few), Some(most)) = (at(&some, [n, f, b]), at(&any, [n, f, b]))
                    else {
                        continue;
                    };
                    // Two views of them decide.
                    let about = format!("{protocol} {mutant:?} n {n} b {b} views {views}");
                    assert!(few.min(2) <= most, "{about}: {few} and {most}");
                }
            }
        }
    }
}

/// Protocol, mutant, views and Byzantine replicas; then how many cubes and bytes a proof has at most.
type Claim = (
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
    usize,
    usize,
);

const PROVED: [Claim; 9] = [
    ("dbft2", None, "4", "f", 12, 100_000),
    ("dbft2", None, "any", "f", 4, 20_000),
    ("dbft1", None, "2", "0", 0, 0),
    ("dbft2", Some("no-commit-lock"), "2", "0", 0, 0),
    ("dbft2", Some("small-quorum"), "any", "f", 0, 0),
    ("pbft", None, "2", "f", 40, 100_000),
    ("qbft", None, "2", "f", 40, 100_000),
    ("hotstuff", None, "2", "f", 40, 200_000),
    ("tendermint", None, "2", "f", 40, 200_000),
];

#[test]
fn what_holds_for_every_n_is_proved_and_what_does_not_is_not() {
    for (protocol, mutant, views, byzantine, most_cubes, most_bytes) in PROVED {
        let programs = programs(&question(protocol, mutant, views, byzantine));
        let parts = proof(&programs);
        assert_eq!(
            parts.is_some(),
            most_cubes > 0,
            "{protocol} {mutant:?} {views}"
        );
        let Some(parts) = parts else { continue };
        let checked = check(&programs, 2, &parts).expect("it is a proof");
        assert!(
            checked.cubes <= most_cubes,
            "{protocol} {views}: {checked:?}"
        );
        let text = milp_schema::write::certificate_csv(&milp_schema::Evidence { parts });
        assert!(
            text.len() <= most_bytes,
            "{protocol} {views}: {} bytes",
            text.len()
        );
    }
}

#[test]
fn certificates_and_final_states_are_proved_for_every_n_too() {
    for (goal, protocol, views, byzantine, words) in [
        (
            "finality",
            "dbft2",
            "any",
            "f",
            "no two certificates can exist at one height, with at most f Byzantine replicas of n, up \
             to 2 blocks per proposal, copies may never arrive, for every n ≥ 1 and every f < n/3, in any \
             number of views and of slots: proved for every n, case by case (",
        ),
        (
            "finality",
            "tendermint",
            "2",
            "f",
            "for every n ≥ 1 and every f < n/3, within 2 rounds",
        ),
        (
            "stall",
            "dbft1",
            "2",
            "0",
            "nobody comes to rest before all have decided, with no faulty replica of n, up to 2 blocks per \
             proposal, for every n ≥ 1 and every f < n/3, within 2 views and any number of slots: proved",
        ),
        ("stall", "dbft1", "2", "f", "within 2 views"),
        ("stall", "dbft2", "2", "0", ""),
    ] {
        let every = asking(goal, protocol, None, views, byzantine);
        let answer = answered(&every);
        let Answer::Proved(proved) = answer else {
            assert_eq!(words, "", "{goal} {protocol}");
            continue;
        };
        let said = &proved.said.sentence;
        assert!(!words.is_empty() && said.contains(words), "{said}");
    }
}

/// n > 2f + b in place of n > 3f and b ≤ f.
fn majority(plus: i64) -> Region {
    Region {
        conditions: vec![Affine([-plus, 1, -2, -1]), Affine::F, Affine::B],
        at_least: 1,
    }
}

#[test]
fn the_region_is_as_large_as_it_can_be() {
    for views in ["2", "any"] {
        let every = question("dbft2", None, views, "f");
        let of = |region: &Region| every::of(&every, region).expect("programs");
        assert!(proof(&of(&majority(1))).is_some());
        assert!(proof(&of(&majority(0))).is_none(), "n = 2f + b is too few");
        // n ≥ 3f in place of n > 3f, and one Byzantine replica more.
        for (wrong, is) in [(0, Affine([0, 1, -3, 0])), (3, Affine([1, 0, 1, -1]))] {
            let mut region = Region::of(&every);
            region.conditions[wrong] = is;
            assert!(proof(&of(&region)).is_none(), "{is:?}");
        }
    }
}

/// Each claim has a twin in which one thing is wrong: the smallest attack on it is followed by the
/// replicas.
#[test]
fn twins_have_a_smallest_attack_that_replays() {
    for (protocol, mutant, byzantine, at_least, smallest) in [
        ("dbft1", None, "0", 1, 4),
        ("dbft2", None, "f + 1", 1, 4),
        ("dbft2", Some("no-commit-lock"), "0", 1, 4),
        ("dbft2", Some("small-quorum"), "f", 1, 2),
        ("tendermint", Some("no-lock"), "f", 1, 4),
        ("ibft1", None, "f", 4, 5),
    ] {
        let mut every = question(protocol, mutant, "2", byzantine);
        every.at_least = at_least;
        let Answer::Attack(attack) = answered(&every) else {
            panic!("{protocol} {mutant:?} has an attack");
        };
        let outcome = &attack.solution.outcome;
        assert_eq!(outcome.instance.replicas, smallest, "{protocol} {mutant:?}");
        let said = format!("{smallest} is the smallest number of replicas: ");
        assert!(attack.sentence.starts_with(&said), "{}", attack.sentence);
        let schedule = attack.solution.schedule.as_ref().expect("a schedule");
        let options = Options {
            protocol: Protocol::Own,
            compare: true,
            foreign: false,
            signatures: Signatures::Symbolic,
            recovery: Recovery::Ideal,
        };
        let replayed = replay(&outcome.instance, &outcome.faulty, schedule, &options);
        let verdict = replayed.expect("it replays").verdict;
        assert!(verdict.confirms(), "{protocol} {mutant:?}: {verdict:?}");
    }
}

fn proved_in(dir: &Path, every: &Every) -> Box<Proved> {
    let Answer::Proved(proved) = answered(every) else {
        panic!("it is proved");
    };
    folder::write(dir, &proved.files).expect("a folder");
    proved
}

/// What the stand-alone checker says of a folder.
fn by_itself(dir: &Path) -> Result<String, String> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts/check_every_n.py");
    let ran = Command::new("python3").arg(script).arg(dir).output();
    let ran = ran.expect("python3 runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if ran.status.success() {
        Ok(text(&ran.stdout))
    } else {
        Err(text(&ran.stderr))
    }
}

#[test]
fn a_proof_is_checked_twice_and_no_number_of_it_can_be_another() {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path().join("proof");
    let every = question("dbft2", None, "any", "f");
    let proved = proved_in(&dir, &every);
    let said = &proved.said.sentence;
    assert!(
        said.contains("for every n ≥ 1 and every f < n/3, in any number of views"),
        "{said}"
    );
    assert_eq!(
        verify(&dir).expect("it is read").differences,
        Vec::<String>::new()
    );
    let found = by_itself(&dir).expect("it is a proof");
    assert!(found.starts_with("verified: 3 cubes"), "{found}");

    let text = String::from_utf8(proved.files["certificate.csv"].clone()).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let mut closed = 0;
    for at in 1..lines.len() {
        let (rest, number) = lines[at].rsplit_once(',').expect("a number");
        let number: i64 = number.parse().expect("a number");
        let changed = format!("{rest},{}", number + 1);
        let mut lines = lines.clone();
        lines[at] = &changed;
        std::fs::write(dir.join("certificate.csv"), lines.join("\n") + "\n").expect("written");
        let noticed = verify(&dir).map_or(true, |it| !it.differences.is_empty());
        assert!(noticed, "{changed}");
        if at % 9 == 0 {
            assert!(by_itself(&dir).is_err(), "{changed}");
        }
        // Another multiplier may close the cube as well: then it is the hash that tells.
        let parts = read::certificate(&dir.join("certificate.csv"));
        let still = parts.is_ok_and(|it| check(&programs(&every), 2, &it.parts).is_ok());
        closed += usize::from(still);
    }
    assert!(
        closed < lines.len() / 4,
        "{closed} of {} changes prove it too",
        lines.len()
    );
}

/// A certificate is one of its programs: not of a smaller quorum, nor of a larger region.
#[test]
fn a_proof_proves_nothing_else() {
    let every = question("dbft2", None, "2", "f");
    let right = programs(&every);
    let parts = proof(&right).expect("a proof");
    assert!(check(&right, 2, &parts).is_ok());
    assert!(
        check(&right, 1, &parts).is_err(),
        "one block can be decided"
    );
    let smaller = question("dbft2", Some("small-quorum"), "2", "f");
    assert!(check(&programs(&smaller), 2, &parts).is_err());
    let mut region = Region::of(&every);
    region.conditions[0] = Affine([0, 1, -3, 0]);
    let mut larger = every::of(&every, &region).expect("programs");
    assert!(check(&larger, 2, &parts).is_err(), "another region is said");
    let mut said = parts.clone();
    for part in &mut said {
        if let Part::Region { condition } = part
            && *condition == [-1, 1, -3, 0]
        {
            *condition = [0, 1, -3, 0];
        }
    }
    assert!(
        check(&larger, 2, &said).is_err(),
        "and it does not close there"
    );
    larger.pop();
    assert!(check(&larger, 2, &said).is_err());
    for at in 0..parts.len() {
        let mut fewer = parts.clone();
        fewer.remove(at);
        assert!(check(&right, 2, &fewer).is_err(), "without {:?}", parts[at]);
    }
}

#[test]
fn the_conditions_proved_are_exact_up_to_twelve_replicas() {
    let settings = settings(60.0, true);
    let every = question("dbft2", None, "any", "f");
    let found = resilience(&every, &settings, &AtomicBool::new(false)).expect("an answer");
    let proved: Vec<[i64; 3]> = found.conditions.iter().map(|it| it.0).collect();
    // The other is the same but for f = 0, where a quorum is everybody.
    assert_eq!(proved, [[2, 1, 1], [3, 1, 0]]);
    assert_eq!(found.pairs.len(), 65);
    assert!(
        found.pairs.iter().all(|it| it.1.is_some()),
        "{:?}",
        found.pairs
    );
    assert_eq!(found.untold().count(), 0, "{}", found.sentence);
}
