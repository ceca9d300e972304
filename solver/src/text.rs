//! LP and MPS files with the program's own names and exact integer coefficients.

use milp_model::program::{Col, Column, Program, Row};
use milp_schema::instance::Sense;
use std::{collections::BTreeSet, fmt};

/// The width at which the terms of a line wrap; readers take at least 255 characters.
const WIDTH: usize = 100;

/// The row of the objective in both files.
const OBJECTIVE: &str = "objective";
/// The row of the objective in an MPS file that minimises the negative of what is maximised.
pub const NEGATED: &str = "minus_objective";

/// The program in the LP format of CPLEX, as `HiGHS`, CBC, GLPK, SCIP and others read it.
///
/// Characters of row names that the format does not take become `_`.
pub fn lp(program: &Program) -> String {
    Text {
        program: &stated(program),
        write: write_lp,
    }
    .to_string()
}

/// The program in free MPS format, always as a minimisation: GLPK refuses the section `OBJSENSE`
/// and CBC minimises whatever it says. Of a maximisation the negative is minimised; the objective
/// row is called [`NEGATED`] then, and comments say so.
///
/// Characters of row names that the LP format does not take become `_` here, too, so that both
/// files name the same rows.
pub fn mps(program: &Program) -> String {
    let mut stated = stated(program);
    if stated.sense == Sense::Maximize {
        for (_, weight) in &mut stated.objective {
            *weight = -*weight;
        }
    }
    Text {
        program: &stated,
        write: write_mps,
    }
    .to_string()
}

/// The program as both files state it, in what every reader takes for the same: rows with two
/// sides become two rows, rows without one are left out, names are those of the files, and the
/// objective's constant is the weight of a column that is always 1. GLPK takes no constant in LP
/// files, and in MPS files one of the other sign than `HiGHS` and CBC do.
pub(crate) fn stated(program: &Program) -> Program {
    let mut stated = program.clone();
    stated.rows.clear();
    let mut taken = BTreeSet::from([OBJECTIVE.to_owned(), NEGATED.to_owned()]);
    for row in &program.rows {
        let sides = match (row.lower, row.upper) {
            (None, None) => continue,
            (Some(lower), Some(upper)) if lower != upper => {
                vec![("_lower", Some(lower), None), ("_upper", None, Some(upper))]
            }
            (lower, upper) => vec![("", lower, upper)],
        };
        for (side, lower, upper) in sides {
            stated.rows.push(Row {
                name: unique(&mut taken, &format!("{}{side}", row.name)),
                lower,
                upper,
                ..row.clone()
            });
        }
    }
    if program.constant != 0 {
        let names = program.columns.iter();
        let mut taken = names.map(|column| column.name.clone()).collect();
        let name = unique(&mut taken, "constant");
        let at = Col(program.columns.len() as u32);
        stated.columns.push(Column {
            name,
            lower: 1,
            upper: 1,
        });
        stated.objective.push((at, program.constant));
        stated.constant = 0;
    }
    stated
}

/// The name as both formats take it, not yet taken; it is taken then.
fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let allowed = |char: char| {
        if char.is_ascii_alphanumeric() || "(),".contains(char) {
            char
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(allowed).collect();
    let mut candidate = name.clone();
    let mut copy = 1;
    while !taken.insert(candidate.clone()) {
        copy += 1;
        candidate = format!("{name}_{copy}");
    }
    candidate
}

/// A program and the way to write it.
struct Text<'a> {
    program: &'a Program,
    write: fn(&Program, &mut fmt::Formatter<'_>) -> fmt::Result,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.write)(self.program, out)
    }
}

/// `words` behind `first`, wrapped at [`WIDTH`] with later lines indented.
fn wrapped(first: &str, words: impl IntoIterator<Item = String>) -> String {
    let mut text = first.to_owned();
    let mut width = first.len();
    for word in words {
        if width + word.len() >= WIDTH {
            text.push_str("\n  ");
            width = 2;
        }
        text.push(' ');
        text.push_str(&word);
        width += 1 + word.len();
    }
    text
}

/// A number with its sign in front, as a word of a sum.
fn signed(number: i64) -> String {
    let sign = if number < 0 { '-' } else { '+' };
    format!("{sign} {}", number.unsigned_abs())
}

/// The words of a sum; an empty one names the first column, as the format wants a column.
fn sum(program: &Program, terms: &[(Col, i64)]) -> Vec<String> {
    let name = |col: Col| program.columns[col.index()].name.as_str();
    if terms.is_empty() {
        return vec![format!("0 {}", name(Col(0)))];
    }
    let term = |&(col, coefficient): &(Col, i64)| match coefficient {
        1 => format!("+ {}", name(col)),
        -1 => format!("- {}", name(col)),
        _ => format!("{} {}", signed(coefficient), name(col)),
    };
    terms.iter().map(term).collect()
}

fn write_lp(program: &Program, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sense = match program.sense {
        Sense::Maximize => "Maximize",
        Sense::Minimize => "Minimize",
    };
    let objective = sum(program, &program.objective);
    let first = format!(" {OBJECTIVE}:");
    writeln!(out, "{sense}\n{}\nSubject To", wrapped(&first, objective))?;
    for row in &program.rows {
        let mut words = sum(program, &row.terms);
        let (_, sign, side) = side(row);
        words.push(format!("{sign} {side}"));
        writeln!(out, "{}", wrapped(&format!(" {}:", row.name), words))?;
    }
    writeln!(out, "Bounds")?;
    let binary = |column: &&Column| (column.lower, column.upper) == (0, 1);
    for column in program.columns.iter().filter(|column| !binary(column)) {
        writeln!(
            out,
            " {} <= {} <= {}",
            column.lower, column.name, column.upper
        )?;
    }
    let (binaries, generals): (Vec<_>, Vec<_>) = program.columns.iter().partition(binary);
    for (section, columns) in [("Binary", binaries), ("General", generals)] {
        if !columns.is_empty() {
            let names = columns.iter().map(|column| column.name.clone());
            writeln!(out, "{}", wrapped(&format!("{section}\n"), names))?;
        }
    }
    writeln!(out, "End")
}

/// The kind of a row in MPS, its sign in LP files, and its right-hand side.
fn side(row: &Row) -> (char, &'static str, i64) {
    match (row.lower, row.upper) {
        (Some(lower), None) => ('G', ">=", lower),
        (None, Some(upper)) => ('L', "<=", upper),
        (Some(lower), Some(upper)) if lower == upper => ('E', "=", upper),
        other => unreachable!("a row as files state it has one side: {other:?}"),
    }
}

fn write_mps(program: &Program, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let objective = match program.sense {
        Sense::Maximize => {
            writeln!(
                out,
                "* The goal is to be MAXIMISED, and readers of MPS files minimise: so this file\n\
                 * minimises its negative, which the row {NEGATED} is.\n\
                 * value of the goal = -1 * the optimum of this file"
            )?;
            NEGATED
        }
        Sense::Minimize => {
            writeln!(
                out,
                "* The goal is to be minimised: value of the goal = the optimum of this file"
            )?;
            OBJECTIVE
        }
    };
    writeln!(out, "NAME program\nROWS\n N {objective}")?;
    for row in &program.rows {
        writeln!(out, " {} {}", side(row).0, row.name)?;
    }
    writeln!(out, "COLUMNS\n    MARKER 'MARKER' 'INTORG'")?;
    let mut entries: Vec<Vec<(&str, i64)>> = vec![Vec::new(); program.columns.len()];
    for &(col, weight) in &program.objective {
        entries[col.index()].push((objective, weight));
    }
    for row in &program.rows {
        for &(col, coefficient) in &row.terms {
            entries[col.index()].push((&row.name, coefficient));
        }
    }
    for (column, mut entries) in program.columns.iter().zip(entries) {
        if entries.is_empty() {
            // A column exists in MPS only through an entry.
            entries.push((objective, 0));
        }
        for (row, coefficient) in entries {
            writeln!(out, "    {} {row} {coefficient}", column.name)?;
        }
    }
    writeln!(out, "    MARKER 'MARKER' 'INTEND'\nRHS")?;
    for row in &program.rows {
        let (_, _, side) = side(row);
        if side != 0 {
            writeln!(out, "    RHS {} {side}", row.name)?;
        }
    }
    writeln!(out, "BOUNDS")?;
    for Column { name, lower, upper } in &program.columns {
        writeln!(out, " LO BOUND {name} {lower}\n UP BOUND {name} {upper}")?;
    }
    writeln!(out, "ENDATA")
}

#[cfg(test)]
mod tests {
    use super::{lp, mps, stated};
    use crate::{
        backend::highs::read_and_solve,
        support::{program, rows_of_every_kind},
    };
    use milp_model::program::Program;
    use milp_schema::instance::Sense;

    /// What `HiGHS` makes of a text in a file with this ending.
    fn reread(text: &str, ending: &str) -> Option<(f64, Vec<String>)> {
        let name = format!("milp-solver-{}-{}.{ending}", std::process::id(), text.len());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("the temporary folder is writable");
        let read = read_and_solve(&path);
        std::fs::remove_file(&path).expect("the file was just written");
        read
    }

    /// The columns as both files have them.
    fn names(program: &Program) -> Vec<String> {
        let columns = stated(program).columns.into_iter();
        columns.map(|column| column.name).collect()
    }

    #[test]
    fn lp_text_has_the_names_the_sense_and_exact_numbers() {
        let expected = "\
Maximize
 objective: + 3 x0 - x1 + 2 x2 + 7 constant
Subject To
 row_0_lower: + x0 + x1 - x2 >= -5
 row_0_upper: + x0 + x1 - x2 <= 4
 row_1: + 2 x0 + 3 x1 = 6
 row_2: + x1 >= -1
 row_3: + x2 <= 1
 row_4: 0 x0 <= 0
Bounds
 -2 <= x0 <= 5
 3 <= x2 <= 3
 1 <= constant <= 1
Binary
 x1
General
 x0 x2 constant
End
";
        let mut program = rows_of_every_kind();
        program.columns[2].lower = 3;
        program.columns[2].upper = 3;
        assert_eq!(lp(&program), expected);
    }

    #[test]
    fn mps_text_minimises_and_has_the_names_and_exact_numbers() {
        let expected = "\
* The goal is to be MAXIMISED, and readers of MPS files minimise: so this file
* minimises its negative, which the row minus_objective is.
* value of the goal = -1 * the optimum of this file
NAME program
ROWS
 N minus_objective
 G row_0_lower
 L row_0_upper
 E row_1
 G row_2
 L row_3
 L row_4
COLUMNS
    MARKER 'MARKER' 'INTORG'
    x0 minus_objective -3
    x0 row_0_lower 1
    x0 row_0_upper 1
    x0 row_1 2
    x1 minus_objective 1
    x1 row_0_lower 1
    x1 row_0_upper 1
    x1 row_1 3
    x1 row_2 1
    x2 minus_objective -2
    x2 row_0_lower -1
    x2 row_0_upper -1
    x2 row_3 1
    constant minus_objective -7
    MARKER 'MARKER' 'INTEND'
RHS
    RHS row_0_lower -5
    RHS row_0_upper 4
    RHS row_1 6
    RHS row_2 -1
    RHS row_3 1
BOUNDS
 LO BOUND x0 -2
 UP BOUND x0 5
 LO BOUND x1 0
 UP BOUND x1 1
 LO BOUND x2 -4
 UP BOUND x2 4
 LO BOUND constant 1
 UP BOUND constant 1
ENDATA
";
        assert_eq!(mps(&rows_of_every_kind()), expected);
    }

    #[test]
    fn highs_reads_both_texts_back_to_the_same_optimum() {
        // By hand: 2·x0 + 3·x1 = 6 leaves (3, 0) and (0, 2), the latter beyond x1 ≤ 1; x2 ≤ 1.
        let program = rows_of_every_kind();
        let optimum = 3.0 * 3.0 + 2.0 + 7.0;
        let expected = |optimum| Some((optimum, names(&program)));
        assert_eq!(reread(&mps(&program), "mps"), expected(-optimum));
        assert_eq!(reread(&lp(&program), "lp"), expected(optimum));
    }

    #[test]
    fn a_minimisation_with_a_negative_constant_is_read_back_as_one() {
        let rows: [(_, &[i64], _); 1] = [(Some(3), &[1, 1], None)];
        let program = program(Sense::Minimize, &[(0, 5), (0, 5)], &[2, 5], -4, &rows);
        let expected = Some((2.0, names(&program)));
        assert_eq!(reread(&mps(&program), "mps"), expected);
        assert_eq!(reread(&lp(&program), "lp"), expected);
    }

    #[test]
    fn nothing_stands_in_the_files_that_readers_take_differently() {
        let mut program = rows_of_every_kind();
        program.columns[1].name = "constant".to_owned();
        let (mps, lp) = (mps(&program), lp(&program));
        // Sections that GLPK refuses or CBC ignores; a right-hand side of the objective, whose
        // sign GLPK reads the other way round.
        for section in ["OBJSENSE", "OBJ SENSE", "RANGES", "RHS minus_objective"] {
            assert!(!mps.contains(section), "{section}: {mps}");
        }
        // A constant among the terms, which GLPK refuses, and rows with two sides, which it does
        // not know either.
        assert!(lp.contains("+ 7 constant_2\n"), "{lp}");
        let (rows, _) = lp.split_once("Bounds").unwrap();
        assert!(
            rows.lines().all(|line| line.matches('=').count() <= 1),
            "{rows}"
        );
    }

    #[test]
    fn names_the_formats_do_not_take_are_replaced_and_stay_unique() {
        let mut program = rows_of_every_kind();
        program.rows[0].name = "commit[0;1]".to_owned();
        program.rows[1].name = "commit[0 1]".to_owned();
        program.rows[2].name = "commit{0;1}".to_owned();
        let text = lp(&program);
        assert!(text.contains(" commit_0_1__lower: "), "{text}");
        assert!(text.contains(" commit_0_1_: "), "{text}");
        assert!(text.contains(" commit_0_1__2: "), "{text}");
        assert!(reread(&text, "lp").is_some());
    }

    #[test]
    fn long_sums_wrap_and_are_read_back_whole() {
        let ones = [1; 90];
        let rows: [(_, &[i64], _); 1] = [(None, &ones, Some(31))];
        let program = program(Sense::Maximize, &[(0, 1); 90], &ones, 0, &rows);
        let text = lp(&program);
        assert!(text.lines().all(|line| line.len() <= 110), "{text}");
        assert_eq!(reread(&text, "lp").map(|(optimum, _)| optimum), Some(31.0));
    }
}
