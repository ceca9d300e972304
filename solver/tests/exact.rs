//! Certification and safe bounds, without a solver.

mod support;

use milp_schema::instance::Sense;
use milp_solver::{
    Error,
    exact::{Multipliers, certify, safe_dual_bound},
};
use support::{Dice, brute_force, program, ring, rows_of_every_kind};

#[test]
fn a_point_that_violates_nothing_is_certified() {
    assert_eq!(certify(&rows_of_every_kind(), &[3, 0, 1]), Ok(()));
}

#[test]
fn every_violated_column_and_row_is_named_with_its_number() {
    let sentences = certify(&rows_of_every_kind(), &[6, -2, 2]).expect_err("a violated point");
    let expected = [
        "x0: 6 is outside -2..=5",
        "x1: -2 is outside 0..=1",
        "row_2: -2 is below -1",
        "row_3: 2 is above 1",
    ];
    assert_eq!(sentences, expected);
    let low = certify(&rows_of_every_kind(), &[3, 0, 9]).expect_err("a violated point");
    assert_eq!(
        low,
        [
            "x2: 9 is outside -4..=4",
            "row_0: -6 is below -5",
            "row_3: 9 is above 1"
        ]
    );
}

#[test]
fn a_point_of_the_wrong_length_is_refused() {
    let sentences = certify(&rows_of_every_kind(), &[3, 0]).expect_err("a short point");
    assert_eq!(sentences, ["the point has 2 values for 3 columns"]);
}

#[test]
fn sums_beyond_64_bits_are_still_exact() {
    let rows: [(_, &[i64], _); 1] = [(None, &[1 << 50, 1 << 50], Some(1 << 50))];
    let wide = program(Sense::Maximize, &[(0, 1 << 50); 2], &[1, 0], 0, &rows);
    let sentences = certify(&wide, &[1 << 50, 1 << 50]).expect_err("a violated point");
    assert_eq!(
        sentences,
        [format!("row_0: {} is above {}", 1i128 << 101, 1i64 << 50)]
    );
}

#[test]
fn zero_multipliers_give_the_objectives_own_range() {
    let program = rows_of_every_kind();
    // 3·5 − 0 + 2·4 + 7.
    assert_eq!(
        safe_dual_bound(&program, &Multipliers::zero(&program)),
        Ok(30)
    );
}

#[test]
fn halves_of_the_ring_rows_give_the_rounded_relaxation() {
    for (sense, bound) in [(Sense::Maximize, 3), (Sense::Minimize, 4)] {
        let halves = Multipliers {
            shift: 1,
            numerators: vec![1; 7],
        };
        assert_eq!(safe_dual_bound(&ring(sense, 7), &halves), Ok(bound));
    }
}

#[test]
fn multipliers_of_the_wrong_sign_are_dropped_not_believed() {
    let ring = ring(Sense::Maximize, 7);
    let wrong = Multipliers {
        shift: 1,
        numerators: vec![-1; 7],
    };
    assert_eq!(safe_dual_bound(&ring, &wrong), Ok(7));
}

#[test]
fn multipliers_for_another_program_are_an_error() {
    let short = Multipliers {
        shift: 0,
        numerators: vec![1; 6],
    };
    let result = safe_dual_bound(&ring(Sense::Maximize, 7), &short);
    assert_eq!(
        result,
        Err(Error::Multipliers {
            expected: 7,
            found: 6
        })
    );
}

#[test]
fn an_overflow_is_an_error_not_a_bound() {
    let rows: [(_, &[i64], _); 1] = [(None, &[1 << 50], Some(0))];
    let wide = program(Sense::Maximize, &[(-(1 << 50), 1 << 50)], &[1], 0, &rows);
    let large = Multipliers {
        shift: 0,
        numerators: vec![i64::MAX],
    };
    assert_eq!(safe_dual_bound(&wide, &large), Err(Error::Overflow));
}

#[test]
fn no_multipliers_whatever_cut_an_integer_optimum() {
    let mut dice = Dice(3);
    let (mut checked, mut tight) = (0, 0);
    for _ in 0..3000 {
        let program = dice.program();
        let Some(optimum) = brute_force(&program) else {
            continue;
        };
        for _ in 0..5 {
            let multipliers = Multipliers {
                shift: dice.roll(0, 3) as u32,
                numerators: program.rows.iter().map(|_| dice.roll(-12, 12)).collect(),
            };
            let bound = safe_dual_bound(&program, &multipliers).expect("small numbers");
            let holds = match program.sense {
                Sense::Maximize => bound >= optimum,
                Sense::Minimize => bound <= optimum,
            };
            assert!(
                holds,
                "{bound} cuts {optimum} of {program:?} by {multipliers:?}"
            );
            checked += 1;
            tight += u32::from(bound == optimum);
        }
    }
    assert!(
        checked > 5000 && tight > 1000,
        "{checked} bounds checked, {tight} of them tight"
    );
}
