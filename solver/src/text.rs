//! LP and MPS files with the program's own names and exact integer coefficients.

use milp_model::program::{Col, Column, Program, Row};
use milp_schema::instance::Sense;
use std::{
    collections::BTreeSet,
    fmt::{self, Write},
};

/// The width at which the terms of a line wrap; readers take at least 255 characters.
const WIDTH: usize = 100;

/// The program in the LP format of CPLEX, as `HiGHS`, SCIP and others read it: sense stated,
/// constant in the objective, rows with two sides as ranges.
///
/// Characters of row names that the format does not take become `_`.
pub fn lp(program: &Program) -> String {
    Text {
        program,
        write: write_lp,
    }
    .to_string()
}

/// The program in free MPS format: sense in the section `OBJSENSE`, the objective's constant as
/// the negated right-hand side of its row, as the format has it.
///
/// Characters of row names that the LP format does not take become `_` here, too, so that both
/// files name the same rows.
pub fn mps(program: &Program) -> String {
    Text {
        program,
        write: write_mps,
    }
    .to_string()
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

/// Names of the rows as both formats take them, still unique.
pub(crate) fn row_names(program: &Program) -> Vec<String> {
    let mut taken = BTreeSet::from(["objective".to_owned()]);
    let allowed = |char: char| {
        if char.is_ascii_alphanumeric() || "(),".contains(char) {
            char
        } else {
            '_'
        }
    };
    let unique = |row: &Row| {
        let name: String = row.name.chars().map(allowed).collect();
        let mut candidate = name.clone();
        let mut copy = 1;
        while !taken.insert(candidate.clone()) {
            copy += 1;
            candidate = format!("{name}_{copy}");
        }
        candidate
    };
    program.rows.iter().map(unique).collect()
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
    let mut objective = sum(program, &program.objective);
    if program.constant != 0 {
        objective.push(signed(program.constant));
    }
    writeln!(
        out,
        "{sense}\n{}\nSubject To",
        wrapped(" objective:", objective)
    )?;
    for (row, name) in program.rows.iter().zip(row_names(program)) {
        let mut words = sum(program, &row.terms);
        let mut first = format!(" {name}:");
        match (row.lower, row.upper) {
            (Some(lower), Some(upper)) if lower == upper => words.push(format!("= {upper}")),
            (Some(lower), Some(upper)) => {
                write!(first, " {lower} <=")?;
                words.push(format!("<= {upper}"));
            }
            (Some(lower), None) => words.push(format!(">= {lower}")),
            (None, Some(upper)) => words.push(format!("<= {upper}")),
            // A row without a side constrains nothing.
            (None, None) => continue,
        }
        writeln!(out, "{}", wrapped(&first, words))?;
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

/// The kind of a row in MPS, its right-hand side, and how far its range reaches below that.
fn mps_sides(row: &Row) -> (char, i64, Option<i128>) {
    match (row.lower, row.upper) {
        (Some(lower), Some(upper)) if lower == upper => ('E', upper, None),
        (Some(lower), Some(upper)) => ('L', upper, Some(i128::from(upper) - i128::from(lower))),
        (Some(lower), None) => ('G', lower, None),
        (None, Some(upper)) => ('L', upper, None),
        (None, None) => ('N', 0, None),
    }
}

fn write_mps(program: &Program, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sense = match program.sense {
        Sense::Maximize => "MAX",
        Sense::Minimize => "MIN",
    };
    writeln!(
        out,
        "NAME program\nOBJSENSE\n    {sense}\nROWS\n N objective"
    )?;
    let names = row_names(program);
    for (row, name) in program.rows.iter().zip(&names) {
        writeln!(out, " {} {name}", mps_sides(row).0)?;
    }
    writeln!(out, "COLUMNS\n    MARKER 'MARKER' 'INTORG'")?;
    let mut entries: Vec<Vec<(&str, i64)>> = vec![Vec::new(); program.columns.len()];
    for &(col, weight) in &program.objective {
        entries[col.index()].push(("objective", weight));
    }
    for (row, name) in program.rows.iter().zip(&names) {
        for &(col, coefficient) in &row.terms {
            entries[col.index()].push((name, coefficient));
        }
    }
    for (column, mut entries) in program.columns.iter().zip(entries) {
        if entries.is_empty() {
            // A column exists in MPS only through an entry.
            entries.push(("objective", 0));
        }
        for (row, coefficient) in entries {
            writeln!(out, "    {} {row} {coefficient}", column.name)?;
        }
    }
    writeln!(out, "    MARKER 'MARKER' 'INTEND'\nRHS")?;
    if program.constant != 0 {
        writeln!(out, "    RHS objective {}", -i128::from(program.constant))?;
    }
    for (row, name) in program.rows.iter().zip(&names) {
        let (_, side, _) = mps_sides(row);
        if side != 0 {
            writeln!(out, "    RHS {name} {side}")?;
        }
    }
    writeln!(out, "RANGES")?;
    for (row, name) in program.rows.iter().zip(&names) {
        if let (_, _, Some(range)) = mps_sides(row) {
            writeln!(out, "    RANGE {name} {range}")?;
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
    use super::{lp, mps};
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

    fn names(program: &Program) -> Vec<String> {
        program
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    #[test]
    fn lp_text_has_the_names_the_sense_and_exact_numbers() {
        let expected = "\
Maximize
 objective: + 3 x0 - x1 + 2 x2 + 7
Subject To
 row_0: -5 <= + x0 + x1 - x2 <= 4
 row_1: + 2 x0 + 3 x1 = 6
 row_2: + x1 >= -1
 row_3: + x2 <= 1
 row_4: 0 x0 <= 0
Bounds
 -2 <= x0 <= 5
 3 <= x2 <= 3
Binary
 x1
General
 x0 x2
End
";
        let mut program = rows_of_every_kind();
        program.columns[2].lower = 3;
        program.columns[2].upper = 3;
        assert_eq!(lp(&program), expected);
    }

    #[test]
    fn mps_text_has_the_names_the_sense_and_exact_numbers() {
        let expected = "\
NAME program
OBJSENSE
    MAX
ROWS
 N objective
 L row_0
 E row_1
 G row_2
 L row_3
 L row_4
COLUMNS
    MARKER 'MARKER' 'INTORG'
    x0 objective 3
    x0 row_0 1
    x0 row_1 2
    x1 objective -1
    x1 row_0 1
    x1 row_1 3
    x1 row_2 1
    x2 objective 2
    x2 row_0 -1
    x2 row_3 1
    MARKER 'MARKER' 'INTEND'
RHS
    RHS objective -7
    RHS row_0 4
    RHS row_1 6
    RHS row_2 -1
    RHS row_3 1
RANGES
    RANGE row_0 9
BOUNDS
 LO BOUND x0 -2
 UP BOUND x0 5
 LO BOUND x1 0
 UP BOUND x1 1
 LO BOUND x2 -4
 UP BOUND x2 4
ENDATA
";
        assert_eq!(mps(&rows_of_every_kind()), expected);
    }

    #[test]
    fn highs_reads_both_texts_back_to_the_same_optimum() {
        // By hand: 2·x0 + 3·x1 = 6 leaves (3, 0) and (0, 2), the latter beyond x1 ≤ 1; x2 ≤ 1.
        let program = rows_of_every_kind();
        let expected = Some((3.0 * 3.0 + 2.0 + 7.0, names(&program)));
        assert_eq!(reread(&mps(&program), "mps"), expected);
        assert_eq!(reread(&lp(&program), "lp"), expected);
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
    fn names_the_formats_do_not_take_are_replaced_and_stay_unique() {
        let mut program = rows_of_every_kind();
        program.rows[0].name = "commit[0;1]".to_owned();
        program.rows[1].name = "commit[0 1]".to_owned();
        let text = lp(&program);
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
