//! Whether the lines that rules cite stand on the page of their protocol.

use super::{Definition, file::MOST_BYTES};
use crate::read::{
    Quote, ReadError,
    problem::{Place, Problems, quoted, text_of},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Judges what the rules of a file cite: the page is there, in the folder of the file or in one
/// above, and its first block of `text` has a line that begins with each number. Of a file that
/// comes with the program whose page is not there nothing is said.
///
/// # Errors
/// A page that is not there or cannot be read; every rule that cites a line that it has not.
pub fn cited(path: &Path, definition: &Definition) -> Result<(), ReadError> {
    let page = &definition.words.page;
    let mut problems = Problems::new(&path.display().to_string());
    match found(path, page) {
        Some(place) => {
            let (_, text) = text_of(&place, MOST_BYTES)?;
            lines(definition, &numbered(&text), &mut problems);
        }
        None if definition.is_shipped() => {}
        None => {
            let what = format!(
                "there is no page {}, here or in a folder above",
                quoted(page)
            );
            let hint =
                "write the pseudo-code there, each line with its number, behind a line ```text";
            problems.at(named(&definition.text), what, hint);
        }
    }
    let text = &definition.text;
    problems.finish(Some(()), &|line, column| Quote::of(text, line, column))
}

/// The page of a file: in its folder, or in the nearest one above.
fn found(path: &Path, page: &str) -> Option<PathBuf> {
    let folders = path.parent()?.ancestors();
    folders.map(|it| it.join(page)).find(|it| it.is_file())
}

/// Where a file names its page.
fn named(text: &str) -> Place {
    let line = text.lines().position(|line| line.starts_with("page:"));
    line.map_or(Place::WHOLE_FILE, |line| Place {
        line: line + 1,
        column: 1,
    })
}

/// The numbers at the beginning of lines of the page's first block of text.
fn numbered(page: &str) -> BTreeSet<u32> {
    let code = page.split("```text\n").nth(1).unwrap_or_default();
    let lines = code.lines().take_while(|line| !line.starts_with("```"));
    let number = |line: &str| line.split_whitespace().next()?.parse().ok();
    lines.filter_map(number).collect()
}

/// Every line that a rule cites is there.
fn lines(definition: &Definition, there: &BTreeSet<u32>, problems: &mut Problems) {
    let page = quoted(&definition.words.page);
    for rule in &definition.rules.rules {
        let cited = rule.lines.ranges.iter();
        let mut cited = cited.flat_map(|&(first, last)| first..=last);
        if let Some(missing) = cited.find(|line| !there.contains(line)) {
            let what = format!("{page} has no line {missing}");
            let hint = match (there.first(), there.last()) {
                (Some(first), Some(last)) => format!("its numbered lines are among {first}-{last}"),
                _ => "its first block ```text has no line that begins with a number".to_owned(),
            };
            problems.at(rule.lines.at.into(), what, &hint);
        }
    }
}
