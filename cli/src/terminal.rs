//! What standard output is, and text and tables that fit it.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::io::{self, IsTerminal};
use terminal_size::terminal_size_of;

/// Nothing is made to fit into less.
const NARROWEST: usize = 20;
/// How many letters the text of a continued line is set in.
const HANGING: usize = 2;
/// Columns that go first where a terminal is too narrow, the least important one first; then those
/// on the right.
const SPARE: [&str; 6] = [
    "nodes",
    "seconds",
    "rows",
    "columns",
    "root bound",
    "formulation",
];
/// The columns that say what a row is about, on the left, stay.
const KEPT: usize = 2;

/// Letters of a line; nothing where standard output is no terminal and nothing is to be wrapped.
pub(crate) fn width() -> Option<usize> {
    let (width, _) = terminal_size_of(io::stdout())?;
    Some(usize::from(width.0).max(NARROWEST))
}

/// Whether what is printed there is to have colours: not if `NO_COLOR` says something.
pub(crate) fn coloured(stream: &impl IsTerminal) -> bool {
    let says = |name: &str, wanted: &dyn Fn(&std::ffi::OsStr) -> bool| {
        std::env::var_os(name).is_some_and(|value| wanted(&value))
    };
    stream.is_terminal()
        && !says("NO_COLOR", &|value| !value.is_empty())
        && !says("TERM", &|value| value == "dumb")
}

/// The text with every line broken between words; what goes on is set in by as much as the line
/// and a little more. A word that is too long, a path or an id, stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let lines = text.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        set_in(line, width, indent + HANGING)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One line, broken between words, what goes on set in by that many letters.
fn set_in(line: &str, width: usize, indent: usize) -> String {
    if letters(line) <= width {
        return line.to_owned();
    }
    let first = line.len() - line.trim_start().len();
    let mut out = " ".repeat(first);
    let mut length = first;
    for (at, word) in line.split_whitespace().enumerate() {
        let more = letters(word);
        if at > 0 && length + 1 + more > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            length = indent;
        } else if at > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += more;
    }
    out
}

fn letters(text: &str) -> usize {
    text.chars().count()
}

/// Names and values, each value beside its name and wrapped.
pub(crate) fn facts(facts: &[(&str, String)], width: usize) -> String {
    let names = facts.iter().map(|(name, _)| letters(name)).max();
    let names = names.unwrap_or(0);
    let lines = facts.iter().map(|(name, value)| {
        // What stands before the value takes room and is no place to break.
        let before = names + 3;
        let placed = format!("{:before$}{value}", "");
        let placed = set_in(&placed, width, before);
        format!(" {name:names$}  {}", placed.trim_start())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A table with lines around its cells that fits the width, and the names of the columns that it
/// leaves out for that.
pub(crate) fn table(
    header: &[String],
    rows: &[Vec<String>],
    numbers: &[usize],
    width: usize,
) -> (String, Vec<String>) {
    let longest: Vec<usize> = (0..header.len())
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let words = cells
                .chain([&header[at]])
                .flat_map(|it| it.split_whitespace());
            words.map(letters).max().unwrap_or(0)
        })
        .collect();
    let mut kept: Vec<usize> = (0..header.len()).collect();
    // A border on both sides of each cell, and a space.
    let takes = |kept: &[usize]| kept.iter().map(|at| longest[*at] + 3).sum::<usize>() + 1;
    let mut without = Vec::new();
    while takes(&kept) > width && kept.len() > KEPT {
        let spare = SPARE.iter().find_map(|name| {
            let mut places = kept.iter().skip(KEPT);
            places.find(|at| header[**at] == *name)
        });
        let Some(gone) = spare.or(kept.last()).copied() else {
            break;
        };
        kept.retain(|at| *at != gone);
        without.push(gone);
    }
    without.sort_unstable();
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    let cells = |row: &[String]| {
        let cells = kept
            .iter()
            .map(|at| row.get(*at).cloned().unwrap_or_default());
        cells.collect::<Vec<_>>()
    };
    table.set_header(cells(header));
    for row in rows {
        table.add_row(cells(row));
    }
    for (place, at) in kept.iter().enumerate() {
        if let Some(column) = table.column_mut(place) {
            let least = u16::try_from(longest[*at] + 2).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            if numbers.contains(at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let names = without.into_iter().map(|at| header[at].clone());
    (table.trim_fmt(), names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "out/ask/dbft2-nspcc-n4-crash1-v2/stall/schedule.csv";

    #[test]
    fn lines_are_broken_between_words_and_words_stay_whole() {
        let text = format!("  written to {PATH}, and a few more words beside it");
        for width in [20, 40, 60, 80, 200] {
            let out = wrapped(&text, width);
            assert!(out.contains(PATH), "{out}");
            assert_eq!(
                out.split_whitespace().collect::<Vec<_>>(),
                text.split_whitespace().collect::<Vec<_>>()
            );
            for line in out.lines() {
                let alone = line.split_whitespace().count() == 1;
                assert!(letters(line) <= width || alone, "{width}: {line:?}");
                assert!(line.starts_with("  "), "{out}");
            }
        }
        assert_eq!(wrapped("short\nlines", 80), "short\nlines");
    }

    #[test]
    fn values_stand_beside_their_names() {
        let rows = [
            ("asked", "one two three four five".to_owned()),
            ("left out", "six".to_owned()),
        ];
        assert_eq!(
            facts(&rows, 24),
            " asked     one two three\n           four five\n left out  six"
        );
    }

    #[test]
    fn a_table_drops_what_matters_least_and_says_what() {
        let header = ["rank", "value", "nodes", "folder"].map(str::to_owned);
        let rows = vec![["1", "2 blocks", "17", PATH].map(str::to_owned).to_vec()];
        let (wide, none) = table(&header, &rows, &[0], 200);
        assert!(
            none.is_empty() && wide.contains("nodes") && wide.contains(PATH),
            "{wide}"
        );
        let (narrow, gone) = table(&header, &rows, &[0], 74);
        assert_eq!(gone, ["nodes"], "{narrow}");
        assert!(narrow.contains(PATH), "{narrow}");
        let (least, gone) = table(&header, &rows, &[0], 30);
        assert_eq!(gone, ["nodes", "folder"], "{least}");
        assert!(least.lines().all(|line| letters(line) <= 30), "{least}");
    }
}
