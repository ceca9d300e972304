//! Points in files that `HiGHS` writes and reads.

use crate::text::row_names;
use milp_model::program::Program;
use std::{collections::BTreeMap, fmt::Write as _};

/// The farthest a value in a file may be from the integer it is taken for.
const NEAR: f64 = 1e-5;

/// A point as a raw solution file of `HiGHS`, with the names that the LP and MPS files have.
/// `status` is its model status, say `Optimal`.
///
/// # Panics
/// If `point` does not have one value per column.
pub fn solution(program: &Program, point: &[i64], status: &str) -> String {
    assert_eq!(point.len(), program.columns.len(), "one value per column");
    let mut text = format!(
        "Model status\n{status}\n\n# Primal solution values\nFeasible\nObjective {}\n# Columns {}\n",
        program.value(point),
        program.columns.len()
    );
    for (column, value) in program.columns.iter().zip(point) {
        // A string takes everything.
        let _ = writeln!(text, "{} {value}", column.name);
    }
    // A row without a side is not in the LP file.
    let rows = program.rows.iter().zip(row_names(program));
    let rows = rows.filter(|(row, _)| row.lower.is_some() || row.upper.is_some());
    let rows = rows.collect::<Vec<_>>();
    let _ = writeln!(text, "# Rows {}", rows.len());
    for (row, name) in rows {
        let terms = row.terms.iter();
        let activity = terms
            .map(|&(col, factor)| factor * point[col.index()])
            .sum::<i64>();
        let _ = writeln!(text, "{name} {activity}");
    }
    text + "\n# Dual solution values\nNone\n\n# Basis\nHiGHS_basis_file v2\nNone\n"
}

/// The point of a solution file of `HiGHS`, raw or pretty, for the LP or MPS file of `program`.
/// Columns are found by name, so their order does not matter; every column needs a value that is
/// an integer but for the solver's tolerance. Certify the point before anything else.
///
/// # Errors
/// What is wrong with the file: a line with its number, or a column without a value.
pub fn read_solution(program: &Program, text: &str) -> Result<Vec<i64>, String> {
    let known = program.columns.iter().enumerate();
    let known: BTreeMap<&str, usize> = known
        .map(|(at, column)| (column.name.as_str(), at))
        .collect();
    let mut point = vec![None; program.columns.len()];
    let mut section = Section::Before;
    for (number, line) in text.lines().enumerate() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match words.as_slice() {
            ["#", "Columns", ..] => section = Section::Raw,
            ["Columns"] => section = Section::Pretty,
            ["#", ..] | ["Rows"] if section != Section::Before => break,
            [name, value] if section == Section::Raw => {
                set(&known, &mut point, name, value).map_err(|why| at(number, &why))?;
            }
            // Index, status, bounds, primal, dual if there is one, type, name; the status may be
            // missing, so from the end.
            [index, .., name] if section == Section::Pretty && index.parse::<u32>().is_ok() => {
                let value = pretty(&words).ok_or_else(|| at(number, "no value is found here"))?;
                set(&known, &mut point, name, value).map_err(|why| at(number, &why))?;
            }
            _ => {}
        }
    }
    if section == Section::Before {
        return Err("no solution file of HiGHS: there is no line `# Columns` or `Columns`".into());
    }
    let named = point.into_iter().zip(&program.columns);
    named
        .map(|(value, column)| value.ok_or_else(|| format!("no value for column {}", column.name)))
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Before,
    Raw,
    Pretty,
}

fn at(number: usize, why: &str) -> String {
    format!("line {}: {why}", number + 1)
}

/// The primal value in a line of a pretty file: behind both bounds.
fn pretty<'a>(words: &[&'a str]) -> Option<&'a str> {
    let numbers = words[1..].iter().filter(|word| word.parse::<f64>().is_ok());
    numbers.copied().nth(2)
}

fn set(
    known: &BTreeMap<&str, usize>,
    point: &mut [Option<i64>],
    name: &str,
    value: &str,
) -> Result<(), String> {
    let column = known
        .get(name)
        .ok_or_else(|| format!("the program of the instance has no column {name}"))?;
    let value: f64 = value.parse().map_err(|_| format!("{value} is no number"))?;
    let whole = value.round();
    if (value - whole).abs() > NEAR || whole.abs() > 1e15 {
        return Err(format!("{name} is {value}, which is no integer"));
    }
    if point[*column].replace(whole as i64).is_some() {
        return Err(format!("{name} has a value already"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::rows_of_every_kind;

    #[test]
    fn what_is_written_is_read_again() {
        let program = rows_of_every_kind();
        let point = [3, 0, 1];
        let text = solution(&program, &point, "Optimal");
        assert!(text.contains("Objective 18\n"), "{text}");
        assert!(text.contains("# Rows 5\n"), "{text}");
        assert!(text.contains("row_1 6\n"), "{text}");
        assert_eq!(read_solution(&program, &text), Ok(point.to_vec()));
    }

    #[test]
    fn a_pretty_file_is_read_with_and_without_duals() {
        let program = rows_of_every_kind();
        let text = "Columns\n\
            \x20   Index Status        Lower        Upper       Primal         Dual  Type      Name\n\
            \x20       0           -2            5     2.9999999                 Integer x0\n\
            \x20       1   BS       0            1     0            -1           Integer x1\n\
            \x20       2           -inf         inf   1                         Integer x2\n\
            Rows\n        0           -5            4    2                      row_0\n";
        assert_eq!(read_solution(&program, text), Ok(vec![3, 0, 1]));
    }

    #[test]
    fn what_is_no_point_of_the_program_is_refused_with_its_line() {
        let program = rows_of_every_kind();
        let text = solution(&program, &[3, 0, 1], "Optimal");
        for (from, to, words) in [
            ("x0 3", "x0 2.5", "line 8: x0 is 2.5"),
            ("x0 3", "y 3", "has no column y"),
            ("x0 3", "x1 0", "has a value already"),
            ("x0 3", "x0 three", "three is no number"),
            ("x0 3\n", "", "no value for column x0"),
            ("# Columns", "# Rows", "no solution file"),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text);
            let why = read_solution(&program, &broken).unwrap_err();
            assert!(why.contains(words), "{words}: {why}");
        }
    }
}
