//! Text and tables on standard output: plain in a pipe, with lines around cells on a terminal, and
//! kept for the one document of `--json`.

use crate::{document, exit, stop};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};
use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    sync::OnceLock,
};

/// Writes a text and a line end.
pub(crate) fn line(text: &str) {
    if !document::add(|document| document.lines.push(text.to_owned())) {
        out(text);
    }
}

/// Writes a verdict and what it says: green or red on a terminal.
pub(crate) fn verdict(verdict: &str, says: &str, good: bool) {
    let plain = format!("{verdict}: {says}");
    if document::add(|document| document.lines.push(plain.clone())) {
        return;
    }
    if io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        let colour = if good { 32 } else { 31 };
        out(&format!("\x1b[1;{colour}m{verdict}\x1b[0m: {says}"));
    } else {
        out(&plain);
    }
}

/// Writes a text that is a whole file; the document of `--json` has it as the command's result.
pub(crate) fn text(text: &str) {
    if !document::add(|_| ()) {
        out(text.trim_end());
    }
}

/// A remark on standard error.
pub(crate) fn note(text: &str) {
    if !document::add(|document| document.notes.push(text.to_owned())) {
        stop::say(&format!("note: {text}"));
    }
}

/// Writes the document of `--json`, if there is one, and gives the exit code: that of a failure if
/// anything of what was to be printed could not be.
pub(crate) fn end(exit: u8) -> u8 {
    if let Some(mut document) = document::take() {
        document.exit = exit;
        let value = serde_json::to_value(document).expect("documents are plain data");
        out(&format!("{value:#}"));
    }
    written(io::stdout().flush());
    match UNWRITTEN.get() {
        Some(why) => {
            stop::say(&format!("failed to write to standard output: {why}"));
            exit::FAILURE
        }
        None => exit,
    }
}

/// Why standard output could not be written, the first time. What a command keeps in files is
/// written all the same, so this is said in the end.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Takes note of a failure to write to standard output. A reader that went away
/// (`milp check … | head`) is none.
pub(crate) fn written(done: io::Result<()>) {
    if let Err(error) = done
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = UNWRITTEN.set(error);
    }
}

fn out(text: &str) {
    written(writeln!(io::stdout().lock(), "{text}"));
}

/// Writes a table of names and values; values that are not there are left out.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Option<String>)>) {
    let facts = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect::<Vec<_>>();
    let object = || object(facts.iter().map(|(name, value)| (*name, value.clone())));
    if document::add(|document| document.facts.push(object())) {
        return;
    }
    let mut table = empty();
    for (name, value) in facts {
        table.add_row([name.to_owned(), value]);
    }
    out(&table.trim_fmt());
}

/// Writes a table with a header.
pub(crate) fn rows<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    numbers: &[usize],
) {
    let rows = rows.into_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    table(&header.map(str::to_owned), &rows, numbers);
}

/// [`rows`] with as many columns as there are.
pub(crate) fn table(header: &[String], rows: &[Vec<String>], numbers: &[usize]) {
    let objects = || {
        let named = |row: &Vec<String>| {
            let names = header.iter().map(String::as_str);
            object(names.zip(row.iter().cloned()))
        };
        rows.iter().map(named).collect()
    };
    if document::add(|document| document.tables.push(objects())) {
        return;
    }
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
    out(&table.trim_fmt());
}

/// A row as an object of texts.
fn object<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> Map<String, Value> {
    entries
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect()
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

/// A number for people: without a fraction where it has none.
pub(crate) fn number(value: f64) -> String {
    if value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
