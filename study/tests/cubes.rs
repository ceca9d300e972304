//! `milp cubes` on a program that its relaxation does not close: the same optimum as a solve's,
//! every cube checked, and nothing believed once a part of the tree is changed.

use milp_schema::{Instance, certificate::Part, outcome::Certificate, read, write};
use milp_solver::{Searcher, Settings};
use milp_study::{
    cubes::{Ending, cut},
    solve,
    verify::{Bound, Request, unsolved, verify},
};
use std::{path::Path, sync::atomic::AtomicBool};

const INSTANCE: &str = "\
format: milp-instance/1.0
protocol: dbft2
replicas: 4
faults: {kind: crash, count: 1}
heights: 1
views: 2
slots: 6
network: {bounded: {delay_min: 1, delay_max: 2, gst: 0}}
timeouts: free
goal: {weighted: {sense: maximize, blocks: 10, views: 3, messages: -1}}
formulation: timed
mutant: no-commit-lock
";

fn settings(prove: bool) -> Settings {
    Settings {
        time_limit_seconds: 600.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    }
}

fn request<'a>(instance: &'a Instance, settings: &'a Settings) -> solve::Request<'a> {
    solve::Request {
        instance,
        settings,
        warm_start: None,
        adequacy: false,
        command: "test",
    }
}

fn put(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).expect("a file");
}

#[test]
fn cubes_prove_what_a_solve_finds_and_a_changed_tree_proves_nothing() {
    let instance = read::instance_text("test", INSTANCE).expect("an instance");
    let never = AtomicBool::new(false);
    let settings = settings(true);
    let asked = request(&instance, &settings);
    let solved = solve::solve(&asked, &never, &mut |_| ()).expect("solved");
    let cut = cut(&asked, &never, &mut |_| ()).expect("cut");
    let outcome = &cut.solution.outcome;
    assert_eq!(outcome.primal, solved.outcome.primal);
    assert!(outcome.proved, "{}", cut.words());
    for ending in [Ending::Exact, Ending::Symmetric, Ending::Searched] {
        assert!(cut.endings.contains(&ending), "{}", cut.words());
    }
    let Certificate::Cubes { searched, .. } = outcome.certificate else {
        panic!("{:?}", outcome.certificate);
    };

    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in cut.solution.files() {
        put(dir.path(), &name, &bytes);
    }
    let checked = unsolved(dir.path()).expect("a check");
    assert_eq!(checked.differences, [""; 0]);
    assert_eq!(checked.bound, Bound::Searches(searched as usize));
    let again = Request {
        path: dir.path(),
        resolve: Some((Searcher::Highs, &settings)),
    };
    let again = verify(&again, &never, &mut |_| ()).expect("a check");
    assert_eq!(again.bound, Bound::SearchedAgain(searched as usize));

    // Parts left out, and closed in another way, with the hash written anew.
    let evidence = &cut.solution.evidence;
    let accepts = |parts: Vec<Part>| {
        let text = write::certificate_csv(&milp_schema::Evidence { parts });
        let mut outcome = outcome.clone();
        outcome.certificate_sha256 = Some(write::sha256_hex(text.as_bytes()));
        put(dir.path(), "certificate.csv", text.as_bytes());
        put(
            dir.path(),
            "outcome.yaml",
            write::outcome_yaml(&outcome).as_bytes(),
        );
        unsolved(dir.path()).is_ok_and(|checked| checked.differences.is_empty())
    };
    assert!(accepts(evidence.parts.clone()));
    for (at, part) in evidence.parts.iter().enumerate().step_by(2) {
        let mut without = evidence.parts.clone();
        without.remove(at);
        assert!(!accepts(without), "without {part:?}");
        let closed_otherwise = Part::Symmetric { replicas: (0, 1) };
        if matches!(part, Part::Bound { .. }) && at % 4 == 0 {
            let mut mirrored = evidence.parts.clone();
            mirrored[at] = closed_otherwise;
            assert!(!accepts(mirrored), "mirrored {part:?}");
        }
    }
}
