//! Points in files that solvers write and read.

use crate::text::stated;
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
    let stated = stated(program);
    // What the files have beside the program's columns is constant.
    let more = &stated.columns[point.len()..];
    let point = point.iter().copied();
    let point = point.chain(more.iter().map(|column| column.lower));
    let point = point.collect::<Vec<_>>();
    let mut text = format!(
        "Model status\n{status}\n\n# Primal solution values\nFeasible\nObjective {}\n# Columns {}\n",
        stated.value(&point),
        stated.columns.len()
    );
    for (column, value) in stated.columns.iter().zip(&point) {
        // A string takes everything.
        let _ = writeln!(text, "{} {value}", column.name);
    }
    let _ = writeln!(text, "# Rows {}", stated.rows.len());
    for row in &stated.rows {
        let terms = row.terms.iter();
        let activity = terms
            .map(|&(col, factor)| factor * point[col.index()])
            .sum::<i64>();
        let _ = writeln!(text, "{} {activity}", row.name);
    }
    text + "\n# Dual solution values\nNone\n\n# Basis\nHiGHS_basis_file v2\nNone\n"
}

/// Who writes a file like this, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `HiGHS`, raw or sparse: `# Columns`, with a number below zero where zeros are left out.
    Raw,
    /// `HiGHS`, pretty: a table under `Columns`.
    Pretty,
    /// CBC: the status with the objective, then index, name, value, reduced cost.
    Cbc,
    /// GLPK's `--output`: a table under `Column name`.
    Glpk,
    /// GLPK's `--write`: values without names.
    GlpkRaw,
    /// SCIP: the objective, then name, value and a remark.
    Scip,
    /// Gurobi: remarks with `#`, then name and value.
    Gurobi,
}

impl Style {
    fn of(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next()?;
        Some(match first {
            "Model status" => Self::Raw,
            "Columns" => Self::Pretty,
            "no solution available" => Self::Scip,
            _ if first.starts_with("# Columns") => Self::Raw,
            _ if first.starts_with("solution status:") => Self::Scip,
            _ if first.starts_with("objective value:") => Self::Scip,
            _ if first.starts_with("# Solution for model") => Self::Gurobi,
            _ if first.starts_with("# Objective value =") => Self::Gurobi,
            _ if first.contains(" - objective value ") => Self::Cbc,
            _ if first.starts_with("c Problem:") => Self::GlpkRaw,
            _ if first.starts_with("Problem:") => Self::Glpk,
            _ => return None,
        })
    }
}

/// Whether a text is a file of solutions of a solver known here.
pub fn is_solution(text: &str) -> bool {
    Style::of(text).is_some()
}

/// The point of a solution file of `HiGHS` (raw, pretty or sparse), CBC, GLPK, SCIP or Gurobi for
/// the LP or MPS file of `program`. Columns are found by name, so their order does not matter;
/// every value is an integer but for the solver's tolerance. What CBC, SCIP and the sparse style
/// leave out is zero, elsewhere every column needs a value. Certify the point before anything
/// else.
///
/// # Errors
/// What is wrong with the file: that it has no point, a line with its number, or a column without
/// a value.
pub fn read_solution(program: &Program, text: &str) -> Result<Vec<i64>, String> {
    let style = Style::of(text).ok_or(
        "no solution file of HiGHS, CBC, GLPK, SCIP or Gurobi: its first line is that of none",
    )?;
    if style == Style::GlpkRaw {
        return Err(
            "it has values without names, as glpsol --write does: write it with --output".into(),
        );
    }
    if let Some(status) = no_point(style, text) {
        return Err(format!(
            "the file has no point: its status is `{status}`, so there is nothing to import"
        ));
    }
    let (entries, sparse) = entries(style, text);
    let stated = stated(program);
    let known = stated.columns.iter().enumerate();
    let known: BTreeMap<&str, usize> = known
        .map(|(at, column)| (column.name.as_str(), at))
        .collect();
    let mut point = vec![None; stated.columns.len()];
    for (number, name, value) in entries {
        let value = value.ok_or("no value is found here".to_owned());
        value
            .and_then(|value| set(&known, &mut point, name, value))
            .map_err(|why| format!("line {}: {why}", number + 1))?;
    }
    let mut values = Vec::new();
    for (value, column) in point.into_iter().zip(&stated.columns) {
        let value = value.or(sparse.then_some(0));
        let value = value.ok_or_else(|| format!("no value for column {}", column.name))?;
        let constant = values.len() >= program.columns.len();
        if constant && value != column.lower {
            return Err(format!(
                "{} is {value}, and it is {} by definition",
                column.name, column.lower
            ));
        }
        values.push(value);
    }
    values.truncate(program.columns.len());
    Ok(values)
}

/// The status of a file whose solver found no point, whatever values stand in it.
fn no_point(style: Style, text: &str) -> Option<String> {
    let line = |start: &str| {
        let mut lines = text.lines().map(str::trim);
        let found = lines.find_map(|line| line.strip_prefix(start));
        found.map(|rest| rest.trim().to_owned())
    };
    let after = |heading: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find(|line| *line == heading)?;
        lines.next().map(str::to_owned)
    };
    let has = |status: &str, words: &[&str]| {
        let status = status.to_ascii_lowercase();
        words.iter().any(|word| status.contains(word))
    };
    match style {
        Style::Raw => {
            let none = after("# Primal solution values").is_some_and(|line| line != "Feasible");
            let status = || after("Model status").unwrap_or_else(|| "None".to_owned());
            none.then(status)
        }
        Style::Pretty => {
            let status = line("Model status:").unwrap_or_default();
            let (entries, _) = entries(style, text);
            let none = !entries.is_empty() && entries.iter().all(|(_, _, value)| value.is_none());
            none.then_some(status)
        }
        Style::Cbc => {
            let first = text.lines().map(str::trim).find(|line| !line.is_empty())?;
            let (status, _) = first.split_once(" - objective value ")?;
            has(status, &["infeasible", "unbounded", "no integer solution"])
                .then(|| status.to_owned())
        }
        Style::Glpk => line("Status:").filter(|it| has(it, &["empty", "undefined", "infeasible"])),
        Style::Scip => line("no solution available").map(|_| "no solution available".to_owned()),
        Style::Gurobi | Style::GlpkRaw => None,
    }
}

/// A line with its number, the name and the value of a column.
type Entry<'a> = (usize, &'a str, Option<&'a str>);

/// The lines about columns, and whether zeros are left out.
fn entries(style: Style, text: &str) -> (Vec<Entry<'_>>, bool) {
    let mut entries = Vec::new();
    let mut sparse = matches!(style, Style::Cbc | Style::Scip);
    let mut inside = matches!(style, Style::Cbc | Style::Scip | Style::Gurobi);
    // A name that is too long for its column of a table stands in a line of its own.
    let mut alone: Option<(usize, &str)> = None;
    for (number, line) in text.lines().enumerate() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match (style, words.as_slice()) {
            (Style::Raw, ["#", "Columns", count, ..]) => {
                inside = true;
                sparse = count.starts_with('-');
            }
            (Style::Pretty, ["Columns"]) | (Style::Glpk, ["No.", "Column", "name", ..]) => {
                inside = true;
            }
            (Style::Raw, ["#", ..]) | (Style::Pretty, ["Rows"]) if inside => break,
            (Style::Raw, [name, value] | [name, value, _]) if inside => {
                entries.push((number, *name, Some(*value)));
            }
            // Index, status, bounds, primal, dual if there is one, type, name; the status may be
            // missing, so from the end.
            (Style::Pretty, [index, .., name]) if inside && is_index(index) => {
                entries.push((number, *name, pretty(&words)));
            }
            (Style::Cbc, ["**", index, name, value, ..] | [index, name, value, ..])
                if is_index(index) =>
            {
                entries.push((number, *name, Some(*value)));
            }
            (Style::Glpk, [index, name]) if inside && is_index(index) => {
                alone = Some((number, *name));
            }
            (Style::Glpk, [index, name, rest @ ..]) if inside && is_index(index) => {
                entries.push((number, *name, glpk(rest)));
            }
            (Style::Glpk, []) if inside && !entries.is_empty() => break,
            (Style::Glpk, rest) => {
                if let Some((number, name)) = alone.take() {
                    entries.push((number, name, glpk(rest)));
                }
            }
            (Style::Scip, [name, value] | [name, value, _])
                if !name.ends_with(':') && *name != "objective" =>
            {
                entries.push((number, *name, Some(*value)));
            }
            (Style::Gurobi, [name, value]) if !name.starts_with('#') => {
                entries.push((number, *name, Some(*value)));
            }
            _ => {}
        }
    }
    (entries, sparse)
}

fn is_index(word: &str) -> bool {
    word.parse::<u32>().is_ok()
}

/// The primal value in a line of a pretty file: behind both bounds.
fn pretty<'a>(words: &[&'a str]) -> Option<&'a str> {
    let numbers = words[1..].iter().filter(|word| word.parse::<f64>().is_ok());
    numbers.copied().nth(2)
}

/// The activity in a line of GLPK's table, behind the sign of an integer column.
fn glpk<'a>(words: &[&'a str]) -> Option<&'a str> {
    let mut words = words.iter().copied();
    words.find(|word| word.parse::<f64>().is_ok())
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

    /// What solvers wrote for the LP file of [`rows_of_every_kind`], the column `x1` zero.
    const HIGHS_SPARSE: &str = "Model status\nOptimal\n\n# Primal solution values\nFeasible\n\
        Objective 18\n# Columns -3\nx0 3 0\nx2 1 2\nconstant 1 3\n";
    const CBC: &str = "Optimal - objective value 18.00000000\n\
        \x20     0 x0                     3                       3\n\
        \x20     2 x2                     1                       2\n\
        \x20     3 constant               1                       7\n";
    const GLPK: &str = "Problem:    \nRows:       6\nColumns:    4 (4 integer, 1 binary)\n\
        Non-zeros:  10\nStatus:     INTEGER OPTIMAL\n\
        Objective:  objective = 18 (MAXimum)\n\n\
        \x20  No.   Row name        Activity     Lower bound   Upper bound\n\
        ------ ------------    ------------- ------------- -------------\n\
        \x20    1 row_0_lower                 2            -5               \n\n\
        \x20  No. Column name       Activity     Lower bound   Upper bound\n\
        ------ ------------    ------------- ------------- -------------\n\
        \x20    1 x0           *              3            -2             5 \n\
        \x20    2 x1\n\
        \x20                   *              0             0             1 \n\
        \x20    3 x2           *              1            -4             4 \n\
        \x20    4 constant     *              1             1             = \n\n\
        Integer feasibility conditions:\n\n\
        KKT.PE: max.abs.err = 0.00e+00 on row 0\n";
    const SCIP: &str = "solution status: optimal solution found\n\
        objective value:                                   18\n\
        x0                                                  3 \t(obj:3)\n\
        x2                                                  1 \t(obj:2)\n\
        constant                                            1 \t(obj:7)\n";
    const GUROBI: &str = "# Solution for model objective\n# Objective value = 18\n\
        x0 3\nx1 0\nx2 1\nconstant 1\n";

    #[test]
    fn the_files_of_every_solver_are_read() {
        let program = rows_of_every_kind();
        // What SCIP's library writes has no line with the status.
        let bare = SCIP.split_once('\n').unwrap().1;
        for text in [HIGHS_SPARSE, CBC, GLPK, SCIP, bare, GUROBI] {
            assert!(is_solution(text), "{text}");
            assert_eq!(read_solution(&program, text), Ok(vec![3, 0, 1]), "{text}");
        }
    }

    #[test]
    fn a_file_without_a_point_says_so_whatever_values_stand_in_it() {
        let program = rows_of_every_kind();
        let pretty = "Columns\n    Index Status  Lower  Upper  Primal  Dual  Type  Name\n\
            \x20       0           -2      5                 Integer     x0\n\
            Rows\n\nModel status: Infeasible\n";
        for (text, status) in [
            (
                "Model status\nInfeasible\n\n# Primal solution values\nNone\n".to_owned(),
                "Infeasible",
            ),
            (pretty.to_owned(), "Infeasible"),
            (CBC.replace("Optimal", "Infeasible"), "Infeasible"),
            (
                CBC.replace("Optimal", "Integer infeasible"),
                "Integer infeasible",
            ),
            (
                CBC.replace(
                    "Optimal",
                    "Stopped on time (no integer solution - continuous used)",
                ),
                "Stopped on time (no integer solution",
            ),
            (
                GLPK.replace("INTEGER OPTIMAL", "INTEGER EMPTY"),
                "INTEGER EMPTY",
            ),
            (
                GLPK.replace("INTEGER OPTIMAL", "INTEGER UNDEFINED"),
                "INTEGER UNDEFINED",
            ),
            (
                "no solution available\n".to_owned(),
                "no solution available",
            ),
        ] {
            assert!(is_solution(&text), "{text}");
            let why = read_solution(&program, &text).unwrap_err();
            let words = format!("no point: its status is `{status}");
            assert!(why.contains(&words), "{words}: {why}");
        }
    }

    #[test]
    fn what_was_found_before_a_limit_is_a_point() {
        let program = rows_of_every_kind();
        for text in [
            CBC.replace("Optimal", "Stopped on time"),
            GLPK.replace("INTEGER OPTIMAL", "INTEGER NON-OPTIMAL"),
        ] {
            assert_eq!(read_solution(&program, &text), Ok(vec![3, 0, 1]), "{text}");
        }
    }

    #[test]
    fn what_says_no_names_or_another_constant_is_refused() {
        let program = rows_of_every_kind();
        let raw = "c Problem:    \nc Rows:       6\ns mip 6 5 o 18\nj 1 3\n";
        let why = read_solution(&program, raw).unwrap_err();
        assert!(why.contains("--output"), "{why}");
        let why = read_solution(&program, &GUROBI.replace("constant 1", "constant 2"));
        assert_eq!(
            why,
            Err("constant is 2, and it is 1 by definition".to_owned())
        );
        let why = read_solution(&program, &GUROBI.replace("x1 0\n", ""));
        assert_eq!(why, Err("no value for column x1".to_owned()));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let program = rows_of_every_kind();
        let point = [3, 0, 1];
        let text = solution(&program, &point, "Optimal");
        assert!(text.contains("Objective 18\n"), "{text}");
        assert!(text.contains("# Rows 6\n"), "{text}");
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
            \x20       3           1            1     1                         Integer constant\n\
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
            ("Model status", "Status", "no solution file"),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text);
            let why = read_solution(&program, &broken).unwrap_err();
            assert!(why.contains(words), "{words}: {why}");
        }
    }
}
