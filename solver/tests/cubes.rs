//! A tree of cubes is believed only if it covers the program and every cube closes.

mod support;

use milp_model::{
    meaning::{Expression, Meaning},
    program::{Col, Program},
};
use milp_schema::{certificate::Part, instance::Sense};
use milp_solver::cubes::{check, is_symmetry};
use support::program;

/// At most one of `x0`, `x1`, `x2`, said pair by pair, so that the relaxation takes half of each.
fn pairs() -> (Program, Meaning) {
    let rows: [support::DenseRow<'_>; 3] = [
        (None, &[1, 1, 0], Some(1)),
        (None, &[0, 1, 1], Some(1)),
        (None, &[1, 0, 1], Some(1)),
    ];
    let program = program(Sense::Maximize, &[(0, 1); 3], &[1, 1, 1], 0, &rows);
    let faulty = |i: u32| Expression {
        name: format!("faulty_i{i}"),
        terms: vec![(Col(i), 1)],
    };
    let meaning = Meaning {
        faulty: (0..3).map(faulty).collect(),
        ..Meaning::default()
    };
    (program, meaning)
}

/// The columns of two replicas in each other's place; of those that are in no column, none.
fn exchange(first: u32, second: u32) -> Option<Vec<Col>> {
    let image = |i| match i {
        i if i == first => second,
        i if i == second => first,
        i => i,
    };
    (first.max(second) < 3).then(|| (0..3).map(image).map(Col).collect())
}

fn split(expression: &str, at: i64) -> Part {
    Part::Split {
        expression: expression.to_owned(),
        at,
    }
}

fn bound(shift: u32, multipliers: &[(&str, i64)]) -> Part {
    let multipliers = multipliers.iter();
    Part::Bound {
        shift,
        multipliers: multipliers.map(|&(name, y)| (name.to_owned(), y)).collect(),
    }
}

const SYMMETRIC: Part = Part::Symmetric { replicas: (0, 1) };

/// `x0 = 0`: then `x1 + x2 <= 1`; `x0 = 1`: then the others are 0.
fn whole() -> Vec<Part> {
    vec![
        split("faulty_i0", 0),
        bound(0, &[("cube_1", 1), ("row_1", 1)]),
        bound(0, &[("row_0", 1), ("row_2", 1), ("cube_1", -1)]),
    ]
}

fn says(parts: &[Part]) -> Result<(u32, u32), String> {
    let (program, meaning) = pairs();
    check(&program, &meaning, &exchange, 1, parts).map(|closed| (closed.exact, closed.symmetric))
}

#[test]
fn a_tree_that_covers_the_program_is_believed() {
    let (program, meaning) = pairs();
    let closed = check(&program, &meaning, &exchange, 1, &whole()).expect("it closes");
    assert_eq!((closed.bound, closed.exact), (Some(1), 2));
    // Rounding closes it in one cube: 3/2.
    assert_eq!(
        says(&[bound(1, &[("row_0", 1), ("row_1", 1), ("row_2", 1)])]),
        Ok((1, 0))
    );
    // Of x0 = 0 and x1 = 1 the image is x0 = 1 and x1 = 0.
    let with_image = [
        split("faulty_i0", 0),
        split("faulty_i1", 0),
        bound(0, &[("cube_1", 1), ("cube_2", 1)]),
        SYMMETRIC,
        whole()[2].clone(),
    ];
    assert_eq!(says(&with_image), Ok((2, 1)));
}

#[test]
fn a_tree_with_a_gap_is_not() {
    for missing in 0..3 {
        let mut parts = whole();
        parts.remove(missing);
        assert!(says(&parts).is_err(), "{missing}");
    }
    let mut parts = whole();
    parts.push(bound(0, &[]));
    assert!(says(&parts).expect_err("too much").contains("goes on"));
    assert!(says(&[]).is_err());
    // Deeper than anybody looks.
    assert!(says(&vec![split("faulty_i0", 0); 100]).is_err());
}

#[test]
fn a_cube_that_does_not_close_is_not() {
    let replaced = |at: usize, part: Part| {
        let mut parts = whole();
        parts[at] = part;
        says(&parts).expect_err("it does not close")
    };
    assert!(replaced(1, bound(0, &[("row_1", 1)])).contains("faulty_i0 <= 0"));
    assert!(replaced(2, bound(0, &[("row_0", 1), ("row_2", 1)])).contains("faulty_i0 > 0"));
    assert!(replaced(1, bound(0, &[("cube_2", 1), ("row_1", 1)])).contains("cube_2"));
    assert!(replaced(1, bound(0, &[("row_7", 1)])).contains("row_7"));
    assert!(replaced(1, bound(63, &[])).contains("2^62"));
    assert!(replaced(1, bound(0, &[("cube_1", 1), ("row_1", 1), ("row_1", 1)])).contains("twice"));
    assert!(replaced(0, split("faulty_i0", 1)).contains("faulty_i0 <= 1"));
    assert!(replaced(0, split("faulty_i9", 0)).contains("faulty_i9"));
    assert!(replaced(0, split("faulty_i0", i64::MAX)).contains("beyond"));
    assert!(replaced(1, SYMMETRIC).contains("larger"));
    assert!(replaced(2, SYMMETRIC).contains("larger"));
}

/// The second cube is closed by a mirror image that does not exist.
#[test]
fn replicas_that_differ_are_no_images_of_each_other() {
    let tree = |replicas| {
        [
            split("faulty_i0", 0),
            split("faulty_i1", 0),
            bound(0, &[("cube_1", 1), ("cube_2", 1)]),
            Part::Symmetric { replicas },
            bound(0, &[("row_0", 1), ("row_2", 1), ("cube_1", -1)]),
        ]
    };
    let (program, meaning) = pairs();
    let refused = |program: &Program, meaning: &Meaning, replicas| {
        check(program, meaning, &exchange, 1, &tree(replicas)).expect_err("refused")
    };
    assert!(check(&program, &meaning, &exchange, 1, &tree((0, 1))).is_ok());
    for replicas in [(1, 0), (0, 2), (1, 2), (0, 0), (0, 7)] {
        refused(&program, &meaning, replicas);
    }
    let mut other = program.clone();
    other.rows.remove(1);
    assert!(refused(&other, &meaning, (0, 1)).contains("row"));
    let mut other = program.clone();
    other.rows[1].upper = Some(2);
    assert!(refused(&other, &meaning, (0, 1)).contains("row_1"));
    let mut other = program.clone();
    other.columns[1].lower = -1;
    assert!(refused(&other, &meaning, (0, 1)).contains("bounds"));
    let without = check(&program, &meaning, &|_, _| None, 1, &tree((0, 1)));
    assert!(without.expect_err("refused").contains("counterparts"));
    let mut other = meaning.clone();
    other.faulty[2].terms = vec![(Col(0), 1)];
    assert!(refused(&program, &other, (0, 1)).contains("faulty_i2"));
    // Of two columns with other weights neither is the image of the other.
    let mut other = program.clone();
    other.objective[1].1 = 2;
    assert!(is_symmetry(&other, &[Col(1), Col(0), Col(2)]).is_err());
    assert!(is_symmetry(&program, &[Col(1), Col(1), Col(2)]).is_err());
    assert!(is_symmetry(&program, &[Col(1), Col(0)]).is_err());
    assert!(is_symmetry(&program, &[Col(1), Col(2), Col(0)]).is_ok());
}
