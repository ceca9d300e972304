//! What is kept, and what is said of it: nothing that was not derived again, and searches that were
//! not repeated are said not to be.

mod support;

use milp_schema::{
    Instance, Outcome,
    instance::Formulation,
    outcome::{Certificate, Termination},
    read, write,
};
use milp_solver::Settings;
use milp_study::{
    Error,
    confirm::Engine,
    folder::{CERTIFICATE, Folder, OUTCOME},
    import, minimize,
    promote::{self, Promoted, promote},
    regress::{Again, Asked, Case, regress},
    verify::{self, Bound, Horizon, Verified},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

fn settings() -> Settings {
    support::settings(120.0, true)
}

/// Delays alone fork dBFT 1.0, so that its worst is two blocks.
fn forks() -> Instance {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instances/dbft1/n4-delays-fork.yaml");
    Instance {
        slots: 8,
        formulation: Formulation::Timed,
        ..read::instance(&path).expect("a shipped instance")
    }
}

/// A schedule with one block, certified row by row, and of all claims only the true ones.
fn harmless() -> BTreeMap<String, Vec<u8>> {
    let instance = forks();
    let built = milp_model::build(&instance).expect("it builds");
    let mut program = built.program().clone();
    // Two columns, one for each block: the second is left out.
    let [(_, 1), (second, 1)] = program.objective[..] else {
        panic!("{:?}", program.objective);
    };
    program.columns[second.index()].upper = 0;
    let none = AtomicBool::new(false);
    let solved = milp_solver::solve(&program, &settings(), &none, &mut |_| ()).expect("it solves");
    let point = solved.point.expect("one block can be decided");
    assert_eq!(built.program().value(&point), 1);
    let text = milp_solver::solution(built.program(), &point, "Optimal");
    let imported = import::solution("harmless.sol", &text, &instance, "milp import");
    imported.expect("a point of the program").files
}

/// The same with the claim that nothing is worse, by two searches that nobody did.
fn made_up() -> BTreeMap<String, Vec<u8>> {
    let mut files = harmless();
    let certificate = files
        .get(CERTIFICATE)
        .map_or("part,name,value\n".to_owned(), |bytes| {
            String::from_utf8(bytes.clone()).expect("text")
        });
    let certificate = certificate + "searched,,4711\n";
    let outcome = outcome(&files);
    let scope = outcome.sentence.split_once(", ");
    let scope = scope.and_then(|(_, rest)| rest.split(": ").next());
    let outcome = Outcome {
        termination: Termination::Optimal,
        dual: Some(1.0),
        proved: true,
        certificate: Certificate::PermutedInfeasible { seed: 4711 },
        certificate_sha256: Some(write::sha256_hex(certificate.as_bytes())),
        sentence: format!(
            "no two blocks can be decided at one height, {}: proved by two searches on different \
             paths, in floating-point arithmetic",
            scope.expect("the assumptions")
        ),
        ..outcome
    };
    files.insert(CERTIFICATE.to_owned(), certificate.into_bytes());
    files.insert(
        OUTCOME.to_owned(),
        write::outcome_yaml(&outcome).into_bytes(),
    );
    files
}

fn outcome(files: &BTreeMap<String, Vec<u8>>) -> Outcome {
    let text = std::str::from_utf8(&files[OUTCOME]).expect("text");
    read::outcome_text(OUTCOME, text).expect("an outcome")
}

/// A folder with results to keep and kept ones, gone when the test ends.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn with(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let scratch = Self(tempfile::tempdir().expect("a folder"));
        milp_study::folder::write(&scratch.from(), files).expect("it is written");
        scratch
    }

    fn from(&self) -> PathBuf {
        self.0.path().join("out/case")
    }

    fn results(&self) -> PathBuf {
        self.0.path().join("results")
    }

    fn promote(&self, resolve: Option<&Settings>) -> Result<Promoted, Error> {
        let request = promote::Request {
            from: &self.from(),
            results: &self.results(),
            name: None,
            engines: Some(&[]),
            force: true,
            resolve,
        };
        promote(&request, &AtomicBool::new(false), &mut |_| ())
    }

    fn regress(&self, again: Again<'_>) -> Case {
        let asked = Asked::of(&[Engine::Own]).expect("own replicas");
        let cases = regress(
            &self.results(),
            &asked,
            again,
            &AtomicBool::new(false),
            &mut |_| (),
        );
        cases.expect("one result").remove(0)
    }

    fn verify(&self, resolve: Option<&Settings>) -> Verified {
        let request = verify::Request {
            path: &self.from(),
            resolve: resolve.map(|settings| (milp_solver::Searcher::Highs, settings)),
        };
        let none = AtomicBool::new(false);
        verify::verify(&request, &none, &mut |_| ()).expect("its files are read")
    }
}

fn value(case: &Case) -> &str {
    &case.about.as_ref().expect("it is read").value
}

#[test]
fn a_bound_by_searches_that_nobody_did_is_found_out_or_said_not_to_be_repeated() {
    let scratch = Scratch::with(&made_up());
    let settings = settings();
    let refused = scratch.promote(Some(&settings)).unwrap_err().to_string();
    assert!(refused.contains("a search finds the value 2"), "{refused}");
    assert!(!scratch.results().exists());

    // Without searches nothing contradicts it, and every sentence says so.
    let kept = scratch.promote(None).expect("its schedule is as claimed");
    assert_eq!(kept.verified.bound, Bound::Searches(1));
    assert!(kept.verified.words().contains("not checked"), "{kept:?}");
    let case = scratch.regress(Again::Nothing);
    assert_eq!(case.differences, [""; 0]);
    assert_eq!(
        value(&case),
        "1 block at one height, proved, searches not repeated"
    );
    for again in [Again::Searches(&settings), Again::Solves(&settings)] {
        let case = scratch.regress(again);
        assert_eq!(value(&case), "1 block at one height", "{again:?}");
        let all = case.differences.join("; ");
        assert!(all.contains("value 2") || all.contains("found 2"), "{all}");
    }
}

#[test]
fn an_outcome_that_names_no_program_is_not_kept_and_not_as_expected() {
    let files = made_up();
    let scratch = Scratch::with(&files);
    scratch.promote(None).expect("its schedule is as claimed");
    let kept = scratch.results().join("case");
    let whole = outcome(&files);
    let without_program = Outcome {
        program: None,
        ..whole.clone()
    };
    let without_either = Outcome {
        certificate_sha256: None,
        ..without_program.clone()
    };
    let without_certificate = Outcome {
        certificate_sha256: None,
        ..whole
    };
    for less in [without_program, without_either, without_certificate] {
        let text = write::outcome_yaml(&less);
        std::fs::write(scratch.from().join(OUTCOME), &text).expect("a file");
        assert!(scratch.promote(None).is_err(), "{text}");
        std::fs::write(kept.join(OUTCOME), &text).expect("a file");
        let case = scratch.regress(Again::Nothing);
        assert!(!case.differences.is_empty(), "{text}");
        assert!(!value(&case).contains("proved"), "{text}");
    }
}

/// A solve whose horizon is too short for the delays, and what it says of longer ones.
fn short() -> (BTreeMap<String, Vec<u8>>, Outcome) {
    let asked = Instance::builder("dbft2").views(1).slots(3);
    let instance = asked.formulation(Formulation::Timed).build();
    let request = milp_study::solve::Request {
        instance: &instance,
        settings: &settings(),
        warm_start: None,
        adequacy: true,
        command: "milp solve",
    };
    let none = AtomicBool::new(false);
    let solved = milp_study::solve::solve(&request, &none, &mut |_| ()).expect("it solves");
    (solved.files(), solved.outcome)
}

#[test]
fn what_is_told_of_a_longer_horizon_is_derived_again_or_said_not_to_be() {
    let (files, solved) = short();
    let telling = |key: &str, words: &str| {
        let mut outcome = solved.clone();
        outcome.run.retain(|(known, _)| known != "horizon");
        outcome.run.push((key.to_owned(), words.to_owned()));
        let mut files = files.clone();
        let text = write::outcome_yaml(&outcome);
        files.insert(OUTCOME.to_owned(), text.into_bytes());
        Scratch::with(&files)
    };
    let settings = settings();
    let truth = "not adequate: the optimum is 1 with 7 slots";
    assert!(
        solved
            .run
            .contains(&("horizon".to_owned(), truth.to_owned()))
    );

    let told = telling("horizon", truth);
    let word = told.verify(None);
    assert_eq!((word.differences.len(), word.horizon), (0, Horizon::Word));
    assert!(
        word.words()
            .contains("horizon is a solve's word, not checked")
    );
    let again = told.verify(Some(&settings));
    assert_eq!(
        (again.differences.len(), again.horizon),
        (0, Horizon::Again)
    );

    // A lie in the words of a solve needs the solve; whatever no solve says needs none.
    let lie = telling("horizon", "adequate: the optimum is the same with 7 slots");
    assert_eq!(lie.verify(None).horizon, Horizon::Word);
    let found = lie.verify(Some(&settings)).differences;
    assert_eq!(found, ["run.horizon: this does not follow"]);
    let refused = lie.promote(Some(&settings)).unwrap_err().to_string();
    assert!(refused.contains("run.horizon"), "{refused}");
    for (key, words) in [
        ("horizon", "adequate: the optimum is the same with 70 slots"),
        ("horizon", "not adequate: the optimum is 0 with 7 slots"),
        ("horizon", "adequate for ever"),
        (
            "cubes",
            "3 cubes: 3 closed in exact integers, 0 by symmetry, 0 by two searches",
        ),
        ("distinct", "number 2 by schedule"),
        (
            "acts",
            "proved minimal, in this order: 7 timer requests (before 9)",
        ),
        ("acts", "proved minimal"),
        ("verdict", "no execution forks"),
    ] {
        let found = telling(key, words).verify(None).differences;
        assert_eq!(
            found,
            [format!("run.{key}: this does not follow")],
            "{words}"
        );
    }
}

#[test]
fn whatever_a_command_writes_is_verified_and_says_what_was_not_done_again() {
    let (files, _) = short();
    let scratch = Scratch::with(&files);
    let from = Folder::read(&scratch.from()).expect("a result");
    let none = AtomicBool::new(false);
    let minimized = minimize::minimize(&from, &settings(), "milp minimize", &none, &mut |_| ());
    let minimized = minimized.expect("it replays");
    let mut files = minimized.files();
    let scratch = Scratch::with(&files);
    let verified = scratch.verify(None);
    assert_eq!(verified.differences, [""; 0]);
    let words = "that no schedule has fewer acts is a search's word, not checked";
    assert!(verified.words().contains(words), "{}", verified.words());

    // One act more than the schedule has is a lie that needs no search.
    let outcome = outcome(&files);
    let mut lie = outcome.clone();
    let acts = lie.run.iter_mut().find(|(key, _)| key == "acts");
    let (_, told) = acts.expect("it is told");
    let digit = told
        .find(|char: char| char.is_ascii_digit())
        .expect("a count");
    told.replace_range(digit..=digit, "8");
    let text = write::outcome_yaml(&lie);
    files.insert(OUTCOME.to_owned(), text.into_bytes());
    let found = Scratch::with(&files).verify(None).differences;
    assert_eq!(found, ["run.acts: this does not follow"]);

    let mut confirmed = outcome;
    let word = ("confirm".to_owned(), "confirmed by nspcc-dbft".to_owned());
    confirmed.run.push(word);
    let text = write::outcome_yaml(&confirmed);
    files.insert(OUTCOME.to_owned(), text.into_bytes());
    let verified = Scratch::with(&files).verify(None);
    assert_eq!(verified.differences, [""; 0]);
    let words = verified.words();
    assert!(words.contains("the engine was not asked again"), "{words}");
}
