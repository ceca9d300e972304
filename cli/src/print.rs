//! Text and tables on standard output: plain in a pipe, with lines around cells on a terminal.

use comfy_table::{ContentArrangement, Table, presets};
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Writes a text and a line end. A reader that went away (`milp check … | head`) is no failure.
///
/// # Panics
///
/// When standard output cannot be written for any other reason, say a full disk.
pub(crate) fn line(text: &str) {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            panic!("failed to write to standard output: {error}")
        }
        _ => {}
    }
}

/// Writes a table of names and values; values that are not there are left out.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Option<String>)>) {
    let mut table = empty();
    for (name, value) in facts {
        if let Some(value) = value {
            table.add_row([name.to_owned(), value]);
        }
    }
    write(&table);
}

/// Writes a table with a header.
pub(crate) fn rows<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    numbers: &[usize],
) {
    let mut table = empty();
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for &column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    write(&table);
}

/// Writes a table of as many columns as its first row, the header, has.
pub(crate) fn table(rows: Vec<Vec<String>>) {
    let mut table = empty();
    let mut rows = rows.into_iter();
    if let Some(header) = rows.next() {
        table.set_header(header);
    }
    table.add_rows(rows);
    write(&table);
}

fn empty() -> Table {
    let mut table = Table::new();
    if io::stdout().is_terminal() {
        table.load_preset(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        // No escapes, no wrapping: what reads a pipe wants one row on one line.
        table.load_preset(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.force_no_tty();
    }
    table
}

fn write(table: &Table) {
    line(&table.trim_fmt());
}

/// A number for people: without a fraction where it has none.
pub(crate) fn number(value: f64) -> String {
    if value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
