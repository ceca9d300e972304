//! Formulas: whole numbers times named quantities. Those of a protocol file are kept as formulas.

use crate::{Height, ReplicaId, View};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::fmt;

/// How many replicas: a·n + b·f + c.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    n: i64,
    f: i64,
    constant: i64,
}

impl Count {
    /// The number for n replicas of which f may be faulty; 0 where the formula is below.
    pub fn of(self, replicas: u32, faulty: u32) -> u32 {
        let number = self.n * i64::from(replicas) + self.f * i64::from(faulty) + self.constant;
        u32::try_from(number.max(0)).unwrap_or(u32::MAX)
    }
}

/// The number of the primary of a view: a·h + b·v + c modulo the number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    height: i64,
    view: i64,
    constant: i64,
}

impl Rotation {
    /// The primary of view v at height h of n replicas.
    pub fn of(self, replicas: u32, height: Height, view: View) -> ReplicaId {
        let number = self.height * i64::from(height.0) + self.view * i64::from(view.0);
        let number = (number + self.constant).rem_euclid(i64::from(replicas));
        ReplicaId(number.unsigned_abs() as u32)
    }
}

/// What a·f + c is for that f; none if the text is no such formula.
pub(crate) fn of_faulty(text: &str, f: u32) -> Option<i64> {
    let [factor, constant] = sum(text, ['f'])?;
    Some(factor * i64::from(f) + constant)
}

/// The factors of two quantities and the constant, in a text like `2f + 1` or `h - v`.
fn linear(text: &str, names: [char; 2]) -> Result<[i64; 3], String> {
    let [a, b] = names;
    sum(text, names).ok_or_else(|| {
        format!("expected a sum of {a}, {b} and numbers, like `{a} - {b}`, not `{text}`")
    })
}

/// The factors of the quantities and, at the end, the constant.
fn sum<const Q: usize, const N: usize>(text: &str, names: [char; Q]) -> Option<[i64; N]> {
    let mut sum = [0; N];
    let terms = text.trim().replace('-', "+-");
    // A text may begin with a sign.
    for term in terms.strip_prefix('+').unwrap_or(&terms).split('+') {
        let (sign, term) = match term.trim().strip_prefix('-') {
            Some(term) => (-1, term.trim()),
            None => (1, term.trim()),
        };
        let at = names.iter().position(|name| term.ends_with(*name));
        let number = at.map_or(term, |_| term[..term.len() - 1].trim());
        let factor = match number {
            "" if at.is_some() => 1,
            _ => number.parse::<u32>().ok()?,
        };
        sum[at.unwrap_or(Q)] += sign * i64::from(factor);
    }
    Some(sum)
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let [n, f, constant] = linear(&text, ['n', 'f']).map_err(D::Error::custom)?;
        Ok(Self { n, f, constant })
    }
}

impl<'de> Deserialize<'de> for Rotation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let [height, view, constant] = linear(&text, ['h', 'v']).map_err(D::Error::custom)?;
        Ok(Self {
            height,
            view,
            constant,
        })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        terms(&[("n", self.n), ("f", self.f), ("", self.constant)], out)
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        terms(
            &[("h", self.height), ("v", self.view), ("", self.constant)],
            out,
        )
    }
}

fn terms(terms: &[(&str, i64)], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut first = true;
    for (name, factor) in terms.iter().filter(|(_, factor)| *factor != 0) {
        let sign = match (first, *factor < 0) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        };
        first = false;
        match (factor.unsigned_abs(), name.is_empty()) {
            (1, false) => write!(out, "{sign}{name}")?,
            (number, _) => write!(out, "{sign}{number}{name}")?,
        }
    }
    if first {
        out.write_str("0")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Result<Count, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    #[test]
    fn a_formula_is_read_counted_and_shown() {
        for (text, shown, value) in [
            ("n - f", "n - f", 5),
            ("2f+1", "2f + 1", 5),
            ("n - f - 1", "n - f - 1", 4),
            ("3", "3", 3),
            ("f - n", "-n + f", 0),
        ] {
            let formula = count(text).expect(text);
            assert_eq!(formula.to_string(), shown);
            assert_eq!(formula.of(7, 2), value, "{text}");
        }
        for text in [
            "n * 2",
            "''",
            "n f",
            "1 0",
            "n +",
            "n + + f",
            "99999999999f",
        ] {
            let refused = count(text).expect_err(text);
            assert!(refused.to_string().contains("like `n - f`"), "{refused}");
        }
    }

    #[test]
    fn how_many_are_faulty_is_a_number_for_each_f() {
        let of = |text| of_faulty(text, 2);
        let sums = ["f", "f + 1", "3 - 2f", "-f", "0"].map(of);
        assert_eq!(sums, [2, 3, -1, -2, 0].map(Some));
        assert_eq!(["n - f", "four", "f2", ""].map(of), [None; 4]);
    }

    #[test]
    fn a_rotation_never_leaves_the_replicas() {
        let back: Rotation = serde_yaml::from_str("h - v").expect("a rotation");
        let of = |height, view| back.of(4, Height(height), View(view)).0;
        assert_eq!([of(0, 0), of(0, 1), of(5, 2), of(0, 9)], [0, 3, 3, 3]);
    }
}
