//! `certificate.csv`: the numbers behind an outcome.

use super::{
    problem::{Problems, quoted},
    rows::{Row, rows},
};
use crate::{
    certificate::{Evidence, Part},
    write::CERTIFICATE_COLUMNS,
};

const PARTS: [&str; 9] = [
    "point",
    "split",
    "bound",
    "multiplier",
    "symmetric",
    "searched",
    "region",
    "base",
    "step",
];

/// The parts of the file. That the tree is whole is for who checks it to find.
pub(super) fn convert(text: &str, problems: &mut Problems) -> Evidence {
    let mut parts: Vec<Part> = Vec::new();
    rows(
        text,
        &CERTIFICATE_COLUMNS,
        problems,
        &mut |row, problems| {
            let Some(name) = row.name("part", &PARTS, problems) else {
                return;
            };
            let last = parts.last_mut();
            match (name, last) {
                ("point", Some(last)) if !matches!(last, Part::Point { .. }) => {
                    let (place, _) = row.cell("part");
                    let what = "a `point` comes before everything else";
                    problems.at(place, what, "move the row up");
                }
                ("multiplier", Some(Part::Bound { multipliers, .. })) => {
                    multipliers.extend(named(&row, problems));
                }
                ("multiplier", _) => {
                    let (place, _) = row.cell("part");
                    let what = "a `multiplier` belongs to the `bound` above it, and there is none";
                    problems.at(place, what, "put it behind its `bound`");
                }
                _ => parts.extend(part(&row, name, problems)),
            }
        },
    );
    Evidence { parts }
}

fn part(row: &Row, name: &str, problems: &mut Problems) -> Option<Part> {
    match name {
        "point" => {
            let (column, value) = named(row, problems)?;
            Some(Part::Point { column, value })
        }
        "split" => {
            let (expression, at) = named(row, problems)?;
            Some(Part::Split { expression, at })
        }
        "bound" => {
            row.empty(&["name"], name, problems)?;
            let shift = number(row, problems)?;
            let multipliers = Vec::new();
            Some(Part::Bound { shift, multipliers })
        }
        "base" => {
            let (column, value) = named(row, problems)?;
            Some(Part::Base { column, value })
        }
        "step" => {
            let (column, value) = named(row, problems)?;
            Some(Part::Step { column, value })
        }
        "symmetric" => {
            let first = row.required("name", name, problems);
            let second = row.required("value", name, problems);
            let replicas = (first?, second?);
            Some(Part::Symmetric { replicas })
        }
        "region" => Some(Part::Region {
            condition: condition(row, problems)?,
        }),
        _ => {
            row.empty(&["name"], name, problems)?;
            let seed = number(row, problems)?;
            Some(Part::Searched { seed })
        }
    }
}

/// The four whole numbers of a condition.
fn condition(row: &Row, problems: &mut Problems) -> Option<[i64; 4]> {
    let (place, text) = row.cell("name");
    let numbers: Option<Vec<i64>> = text.split(' ').map(|it| it.parse().ok()).collect();
    let numbers = numbers.and_then(|it| <[i64; 4]>::try_from(it).ok());
    let numbers = numbers.filter(|it| it.map(|it| it.to_string()).join(" ") == text);
    if numbers.is_none() {
        let what = format!("`name` must be four whole numbers, not {}", quoted(text));
        problems.at(
            place,
            what,
            "write `c0 c1 c2 c3` of c0 + c1·n + c2·f + c3·b ≥ 0",
        );
    }
    numbers
}

/// The name and the number of a row.
fn named(row: &Row, problems: &mut Problems) -> Option<(String, i64)> {
    let (place, name) = row.cell("name");
    let whole = |byte: u8| byte.is_ascii_alphanumeric() || b"_:".contains(&byte);
    if name.is_empty() || !name.bytes().all(whole) {
        let what = format!(
            "`name` must be a name of letters, digits, `_` and `:`, not {}",
            quoted(name)
        );
        problems.at(place, what, "the program has no other names");
        return None;
    }
    Some((name.to_owned(), number(row, problems)?))
}

/// The number of a row, in its one spelling.
fn number<T: std::str::FromStr + ToString>(row: &Row, problems: &mut Problems) -> Option<T> {
    let (place, text) = row.cell("value");
    let number = text.parse::<T>().ok();
    let number = number.filter(|number| number.to_string() == text);
    if number.is_none() {
        let what = format!("`value` must be a whole number, not {}", quoted(text));
        problems.at(
            place,
            what,
            "write decimal digits without spaces or leading zeros",
        );
    }
    number
}
