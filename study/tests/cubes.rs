//! `milp cubes` on programs that their relaxation does not close: the same optimum as a solve's,
//! every cube checked, and nothing believed once a part of the tree is changed.

use milp_model::{Built, meaning::Meaning, program::Program};
use milp_schema::{
    Instance, certificate::Part, instance::Formulation, outcome::Certificate, read, write,
};
use milp_solver::{Searcher, Settings, cubes};
use milp_study::{
    cubes::{Cut, Ending, cut},
    folder::Folder,
    solve,
    verify::{Bound, Request, unsolved, verify},
};
use std::{path::Path, sync::atomic::AtomicBool};

const INSTANCE: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
faults: {kind: crash, count: 1}
heights: 1
views: 2
slots: 6
network: {bounded: {delay_min: 1, delay_max: 2, gst: 0}}
timers: free
goal: {weighted: {sense: maximize, blocks: 10, views: 3, messages: -1}}
formulation: timed
mutant: no-commit-lock
";

/// A budget that the views compete for.
const COUNTED: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
faults: {kind: byzantine, count: 1}
heights: 1
views: 4
slots: 6
network: asynchronous
timers: free
goal: {weighted: {sense: maximize, blocks: 0, views: 5, messages: -1}}
budget: {timeouts: 5}
formulation: auto
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

fn keep(dir: &Path, cut: &Cut) {
    for (name, bytes) in cut.solution.files() {
        put(dir, &name, &bytes);
    }
}

/// Whether the result in the folder passes with these parts, the hash written anew.
fn accepts(dir: &Path, cut: &Cut, parts: Vec<Part>) -> bool {
    let text = write::certificate_csv(&milp_schema::Evidence { parts });
    let mut outcome = cut.solution.outcome.clone();
    outcome.certificate_sha256 = Some(write::sha256_hex(text.as_bytes()));
    put(dir, "certificate.csv", text.as_bytes());
    put(
        dir,
        "outcome.yaml",
        write::outcome_yaml(&outcome).as_bytes(),
    );
    unsolved(dir).is_ok_and(|checked| checked.differences.is_empty())
}

/// No part of the tree, every `step`-th tried, can be left out, and no bound be replaced by the
/// word that the cube is another's image.
fn is_sealed(dir: &Path, cut: &Cut, step: usize) {
    let parts = &cut.solution.evidence.parts;
    assert!(accepts(dir, cut, parts.clone()));
    let of_tree = |part: &Part| !matches!(part, Part::Point { .. });
    let tree = parts.iter().enumerate().filter(|(_, part)| of_tree(part));
    for (at, part) in tree.step_by(step) {
        let mut without = parts.clone();
        without.remove(at);
        assert!(!accepts(dir, cut, without), "without {part:?}");
        if matches!(part, Part::Bound { .. }) {
            let mut mirrored = parts.clone();
            mirrored[at] = Part::Symmetric { replicas: (0, 1) };
            assert!(!accepts(dir, cut, mirrored), "mirrored {part:?}");
        }
    }
}

/// Cuts a program that two searches close otherwise: the same optimum, every cube closed in exact
/// integers, and the tree is sealed.
fn closes_exactly(instance: &Instance, formulation: &str, step: usize) -> (Cut, tempfile::TempDir) {
    let never = AtomicBool::new(false);
    let settings = settings(true);
    let asked = request(instance, &settings);
    let solved = solve::solve(&asked, &never, &mut |_| ()).expect("solved");
    let by = &solved.outcome.certificate;
    assert!(
        matches!(by, Certificate::PermutedInfeasible { .. }),
        "{by:?}"
    );
    let cut = cut(&asked, &never, &mut |_| ()).expect("cut");
    let outcome = &cut.solution.outcome;
    assert_eq!(outcome.formulation, formulation);
    assert_eq!(outcome.primal, solved.outcome.primal);
    assert!(cut.endings.len() > 1, "{}", cut.words());
    let exact = cut.endings.iter().all(|ending| *ending == Ending::Exact);
    assert!(exact, "{}", cut.words());
    assert!(outcome.proved);
    let dir = tempfile::tempdir().expect("a folder");
    keep(dir.path(), &cut);
    let checked = unsolved(dir.path()).expect("a check");
    assert_eq!(checked.differences, [""; 0]);
    assert_eq!(checked.bound, Bound::Exact);
    is_sealed(dir.path(), &cut, step);
    keep(dir.path(), &cut);
    (cut, dir)
}

/// Splits of the tree at expressions whose names begin so.
fn splits(cut: &Cut, prefix: &str) -> usize {
    let parts = cut.solution.evidence.parts.iter();
    parts
        .filter(
            |part| matches!(part, Part::Split { expression, .. } if expression.starts_with(prefix)),
        )
        .count()
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
    keep(dir.path(), &cut);
    let checked = unsolved(dir.path()).expect("a check");
    assert_eq!(checked.differences, [""; 0]);
    assert_eq!(checked.bound, Bound::Searches(searched as usize));
    let again = Request {
        path: dir.path(),
        resolve: Some((Searcher::Highs, &settings)),
    };
    let again = verify(&again, &never, &mut |_| ()).expect("a check");
    assert_eq!(again.bound, Bound::SearchedAgain(searched as usize));

    is_sealed(dir.path(), &cut, 5);
}

/// That four replicas of the formal model never lock themselves within two views is the word of
/// two searches after a solve; in cubes it is no solver's word any more.
#[test]
fn cubes_exclude_a_lock_of_the_formal_model_in_exact_integers() {
    let path = Path::new("../instances/dbft2/tla/n4-stall.yaml");
    let mut instance = read::instance(path).expect("an instance");
    instance.formulation = Formulation::Causal;
    // With two of them the relaxation closes.
    instance.views = 3;
    let (cut, dir) = closes_exactly(&instance, "causal", 20);
    assert_eq!(cut.solution.outcome.primal, Some(1));
    for prefix in ["commits_h0_v", "entered_i", "did_"] {
        assert!(splits(&cut, prefix) > 0, "{prefix}");
    }

    // The point in the certificate is a start for the same program, and for no other.
    let never = AtomicBool::new(false);
    let settings = settings(false);
    let earlier = Folder::read(dir.path()).expect("a result");
    let again = |instance: &Instance| {
        let asked = solve::Request {
            warm_start: Some(&earlier),
            ..request(instance, &settings)
        };
        solve::solve(&asked, &never, &mut |_| ())
    };
    assert_eq!(again(&instance).expect("solved").started_from, Some(1));
    instance.views = 1;
    let refused = again(&instance).expect_err("another program").to_string();
    assert!(refused.contains("takes no schedules"), "{refused}");
}

#[test]
fn cubes_of_counts_close_in_exact_integers() {
    let instance = read::instance_text("test", COUNTED).expect("an instance");
    let (cut, _) = closes_exactly(&instance, "counting", 20);
    for prefix in ["faulty_primary_v", "took_v"] {
        assert!(splits(&cut, prefix) > 0, "{prefix}");
    }
}

fn built(formulation: Formulation) -> Built {
    let mut instance = read::instance_text("test", COUNTED).expect("an instance");
    instance.formulation = formulation;
    instance.views = 2;
    milp_model::build(&instance).expect("built")
}

/// In `causal` the order of replicas with the same part already leaves renamings out, so that
/// exchanging two of them is no symmetry of the rows; what the columns stand for would allow it.
#[test]
fn no_two_replicas_of_causal_are_alike_because_they_are_in_order() {
    let built = built(Formulation::Causal);
    let (mut program, meaning) = (built.program().clone(), built.meaning());
    let alike = |program: &Program, pair| {
        let exchange = |first, second| built.exchange(first, second);
        cubes::alike(program, &meaning, &exchange, pair)
    };
    let why = alike(&program, (2, 3)).expect_err("in order");
    assert!(why.contains("same_part_in_order"), "{why}");
    let families = program.families.clone();
    let in_order = |family: usize| families[family].name == "same_part_in_order";
    program.rows.retain(|row| !in_order(row.family.0 as usize));
    assert_eq!(alike(&program, (2, 3)), Ok(()));
    assert!(alike(&program, (0, 2)).is_err(), "0 is a primary");
}

#[test]
fn words_ask_what_their_names_say() {
    let names = |list: &[milp_model::meaning::Expression]| -> Vec<String> {
        let asked = list.iter().filter(|word| !word.terms.is_empty());
        asked.map(|word| word.name.clone()).collect()
    };
    let text = |program: &Program, meaning: &Meaning, name: &str| -> Vec<String> {
        let word = meaning.expression(name).expect("a word");
        let column = |&(col, coefficient): &(milp_model::program::Col, i64)| {
            assert_eq!(coefficient, 1);
            program.columns[col.index()].name.clone()
        };
        word.terms.iter().map(column).collect()
    };
    let asked = built(Formulation::Causal);
    let (program, meaning) = (asked.program(), asked.meaning());
    assert_eq!(
        names(&meaning.faulty),
        [0, 1, 2, 3].map(|i| format!("faulty_i{i}"))
    );
    assert_eq!(text(program, &meaning, "faulty_i2"), ["byzantine_i2"]);
    assert_eq!(
        text(program, &meaning, "commits_h0_v1"),
        [0, 1, 2, 3].map(|i| format!("did_commit_i{i}_v1_b0"))
    );

    let asked = built(Formulation::Counting);
    let (program, meaning) = (asked.program(), asked.meaning());
    assert_eq!(meaning.faulty, []);
    let parts = ["faulty_primary_v0", "faulty_primary_v1", "faulty_rest"];
    assert_eq!(names(&meaning.faulty_parts), parts);
    assert_eq!(
        text(program, &meaning, "faulty_primary_v1"),
        ["byzantine_v1"]
    );
    for v in 0..2 {
        let steps = program.columns.iter().map(|column| column.name.clone());
        let steps = steps.filter(|name| {
            let acts = name.split_once("_to_").map_or("", |(_, acts)| acts);
            name.starts_with(&format!("took_v{v}_")) && acts.contains("commit0")
        });
        let steps: Vec<String> = steps.collect();
        assert!(!steps.is_empty());
        let word = format!("commits_h0_v{v}");
        assert_eq!(text(program, &meaning, &word), steps);
    }
}
