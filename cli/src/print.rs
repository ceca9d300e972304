//! Text and tables on standard output: plain in a pipe, wrapped and with lines around cells on a
//! terminal, and kept for the one document of `--json`.

use crate::{document, exit, stop, terminal};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};
use std::{
    io::{self, ErrorKind, Write},
    sync::OnceLock,
};

/// Writes a text and a line end.
pub(crate) fn line(text: &str) {
    if !document::add(|document| document.lines.push(text.to_owned())) {
        out(&fitting(text));
    }
}

/// The same of a line that is to be taken as it stands, say a command.
pub(crate) fn verbatim(text: &str) {
    if !document::add(|document| document.lines.push(text.to_owned())) {
        out(text);
    }
}

/// The text as wide as the terminal, if there is one.
fn fitting(text: &str) -> String {
    terminal::width().map_or_else(|| text.to_owned(), |width| terminal::wrapped(text, width))
}

/// How a verdict looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Green.
    Good,
    /// Yellow.
    Open,
    /// Red.
    Bad,
}

/// Writes a verdict and what it says.
pub(crate) fn verdict(verdict: &str, says: &str, tone: Tone) {
    let plain = format!("{verdict}: {says}");
    if document::add(|document| document.lines.push(plain.clone())) {
        return;
    }
    let said = fitting(&plain);
    // No word of a verdict is as long as a line.
    let rest = said.strip_prefix(verdict);
    match rest {
        Some(rest) => out(&(coloured(verdict, tone) + rest)),
        None => out(&coloured(&said, tone)),
    }
}

/// Writes a sentence that is a verdict itself.
pub(crate) fn sentence(text: &str, tone: Tone) {
    if !document::add(|document| document.lines.push(text.to_owned())) {
        out(&coloured(&fitting(text), tone));
    }
}

/// The text in bold and in the colour of its tone, on a terminal that is to have colours.
fn coloured(text: &str, tone: Tone) -> String {
    if !terminal::coloured(&io::stdout()) {
        return text.to_owned();
    }
    let colour = match tone {
        Tone::Good => 32,
        Tone::Open => 33,
        Tone::Bad => 31,
    };
    format!("\x1b[1;{colour}m{text}\x1b[0m")
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
    if let Some(width) = terminal::width() {
        return out(&terminal::facts(&facts, width));
    }
    let mut table = plain();
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
            let cells = header.iter().zip(row).enumerate();
            let cells = cells.map(|(at, (name, cell))| {
                let number = numbers.contains(&at).then(|| measured(cell)).flatten();
                let text = || Value::String(cell.clone());
                (name.clone(), number.unwrap_or_else(text))
            });
            cells.collect()
        };
        rows.iter().map(named).collect()
    };
    if document::add(|document| document.tables.push(objects())) {
        return;
    }
    if let Some(width) = terminal::width() {
        let (table, without) = terminal::table(header, rows, numbers, width);
        out(&table);
        if !without.is_empty() {
            let names = without.join(", ");
            line(&format!("not shown, the terminal is too narrow: {names}"));
        }
        return;
    }
    let mut table = plain();
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

/// What has fractions; elsewhere `1.10` may be a version.
const MEASURED: [&str; 2] = ["seconds", "root bound"];

/// Names and values as an object, numbers as numbers.
fn object<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> Map<String, Value> {
    let typed = |(name, text): (&str, String)| {
        let number = measured(&text).filter(|it| it.is_i64() || MEASURED.contains(&name));
        (name.to_owned(), number.unwrap_or(Value::String(text)))
    };
    entries.map(typed).collect()
}

/// The number that a text is, if it is one.
fn measured(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::from);
    let finite = |number: &f64| number.is_finite();
    whole.or_else(|| text.parse().ok().filter(finite).map(Value::from))
}

/// A table for a pipe: no escapes, no wrapping; what reads it wants one row on one line.
fn plain() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.force_no_tty();
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
