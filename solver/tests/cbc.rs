//! CBC as the second searcher: it agrees with `HiGHS`, and what it says is believed no further.
#![cfg(feature = "cbc")]

mod support;

use milp_schema::instance::Sense;
use milp_solver::{Again, Searcher, Settings, again_by, solve};
use std::sync::atomic::AtomicBool;
use support::{Dice, ring, rows_of_every_kind};

fn settings(seconds: f64) -> Settings {
    Settings {
        time_limit_seconds: seconds,
        relative_gap: 0.0,
        threads: 1,
        seed: 0,
        prove: false,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    }
}

fn ask(program: &milp_model::program::Program, value: Option<i64>, seed: u64) -> Again {
    let never = AtomicBool::new(false);
    let settings = settings(20.0);
    again_by(
        Searcher::Cbc,
        program,
        value,
        seed,
        &settings,
        &never,
        &mut |_| (),
    )
    .expect("a word")
}

#[test]
fn it_finds_nothing_better_than_the_optimum_and_something_better_than_less() {
    let never = AtomicBool::new(false);
    let mut programs = vec![rows_of_every_kind()];
    programs.extend([5, 7, 9].map(|length| ring(Sense::Maximize, length)));
    programs.extend([5, 7].map(|length| ring(Sense::Minimize, length)));
    let mut dice = Dice(3);
    for program in &programs {
        let solved = solve(program, &settings(20.0), &never, &mut |_| ()).expect("solved");
        let best = solved.primal.expect("a value");
        let seed = dice.roll(0, 1_000) as u64;
        assert_eq!(ask(program, Some(best), seed), Again::Nothing, "{best}");
        let worse = match program.sense {
            Sense::Maximize => best - 1,
            Sense::Minimize => best + 1,
        };
        assert!(
            matches!(ask(program, Some(worse), seed), Again::Better(_)),
            "{best}"
        );
        assert!(matches!(ask(program, None, seed), Again::Better(_)));
    }
}

#[test]
fn it_says_that_an_empty_program_is_empty() {
    let mut program = ring(Sense::Maximize, 5);
    for row in &mut program.rows {
        row.lower = Some(1);
        row.upper = Some(1);
    }
    // Five items in a ring, exactly one of any two neighbours: not in whole numbers.
    assert_eq!(ask(&program, None, 1), Again::Nothing);
}

#[test]
fn it_agrees_with_highs_on_arbitrary_small_programs() {
    let never = AtomicBool::new(false);
    let mut dice = Dice(17);
    let (mut empty, mut solved) = (0, 0);
    for _ in 0..60 {
        let program = dice.program();
        let found = solve(&program, &settings(20.0), &never, &mut |_| ()).expect("solved");
        match found.primal {
            Some(best) => {
                solved += 1;
                assert_eq!(ask(&program, Some(best), 5), Again::Nothing, "{program:?}");
            }
            None => empty += 1,
        }
        let any = ask(&program, None, 5);
        assert_eq!(any == Again::Nothing, found.primal.is_none(), "{program:?}");
    }
    assert!(empty >= 5 && solved >= 20, "{empty} {solved}");
}
