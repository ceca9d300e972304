//! Formulas: whole numbers times named quantities. Those of a protocol file are kept as formulas.

use crate::{Height, ReplicaId, View};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{fmt, str::FromStr};

/// How many replicas: a·n + b·f + c, or the next whole number above a fraction of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// What n counts.
    pub n: i64,
    /// What f counts.
    pub f: i64,
    /// What is added.
    pub constant: i64,
    /// What the sum is divided by, at least 1.
    pub divisor: i64,
}

impl Count {
    /// The same for every n.
    pub fn exactly(number: u32) -> Self {
        Self {
            n: 0,
            f: 0,
            constant: i64::from(number),
            divisor: 1,
        }
    }

    /// The number for n replicas of which f may be faulty; 0 where the formula is below.
    pub fn of(self, replicas: u32, faulty: u32) -> u32 {
        let sum = self.n * i64::from(replicas) + self.f * i64::from(faulty) + self.constant;
        let number = -(-sum).div_euclid(self.divisor);
        u32::try_from(number.max(0)).unwrap_or(u32::MAX)
    }
}

/// How long a timer runs in view v: (a + b·v + c·2^v) block times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Duration {
    /// Block times in every view.
    pub constant: i64,
    /// Block times more in each further view.
    pub per_view: i64,
    /// Block times that double with each view.
    pub doubling: i64,
}

impl Duration {
    /// The number of block times in view v; 0 where the formula is below.
    pub fn of(self, view: View) -> u64 {
        let doubled = self.doubling.saturating_mul(1 << view.0.min(62));
        let number = (self.constant + self.per_view * i64::from(view.0)).saturating_add(doubled);
        number.max(0).unsigned_abs()
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

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = text.trim().strip_prefix("ceil(");
        let fraction = inner.and_then(|rest| rest.strip_suffix(')')?.rsplit_once('/'));
        let (sum, divisor) = fraction.unwrap_or((text, "1"));
        let divisor = divisor.trim().parse::<u16>().ok().filter(|it| *it > 0);
        let [n, f, constant] = linear(sum, ['n', 'f'])?;
        Ok(Self {
            n,
            f,
            constant,
            divisor: i64::from(divisor.ok_or("a divisor is a whole number above 0")?),
        })
    }
}

impl FromStr for Duration {
    type Err = ();

    /// A sum of products of numbers, `v`, `2^v` and one `T`; a product of numbers is 0.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut sum = Self::default();
        let spaced = text.replace('-', "+-1*").replace(' ', "");
        for term in spaced.strip_prefix('+').unwrap_or(&spaced).split('+') {
            let (mut number, mut names) = (1_i64, Vec::new());
            for factor in term.split('*') {
                match factor.parse::<i16>() {
                    Ok(factor) => number = number.saturating_mul(i64::from(factor)),
                    Err(_) => names.push(factor),
                }
            }
            names.sort_unstable();
            let place = match names.as_slice() {
                ["T"] => &mut sum.constant,
                ["T", "v"] => &mut sum.per_view,
                ["2^v", "T"] => &mut sum.doubling,
                [] if number == 0 => continue,
                _ => return Err(()),
            };
            // Far from where sums over all views could overflow.
            *place += number.clamp(-1_000_000, 1_000_000);
        }
        Ok(sum)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
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
        let sum = [("n", self.n), ("f", self.f), ("", self.constant)];
        if self.divisor == 1 {
            return terms(&sum, out);
        }
        out.write_str("ceil(")?;
        terms(&sum, out)?;
        write!(out, "/{})", self.divisor)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            ("T", self.constant),
            ("v*T", self.per_view),
            ("2^v*T", self.doubling),
        ];
        products(&units, "*", out)
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
    products(terms, "", out)
}

/// A sum of numbers times names, with a sign of `times` between the two.
fn products(terms: &[(&str, i64)], times: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            (number, true) => write!(out, "{sign}{number}")?,
            (number, false) => write!(out, "{sign}{number}{times}{name}")?,
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
            ("ceil(2n/3)", "ceil(2n/3)", 5),
            ("ceil(n + f + 1 / 2)", "ceil(n + f + 1/2)", 5),
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
            "ceil(/2)",
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
    fn a_duration_is_read_and_shown() {
        for (text, shown, lasts) in [
            ("T", "T", 1),
            ("0", "0", 0),
            ("2*2^v*T-T", "-T + 2*2^v*T", 15),
            ("T + 2*v*T + T", "2*T + 2*v*T", 8),
            ("- v*T", "-v*T", 0),
        ] {
            let duration: Duration = text.parse().expect(text);
            assert_eq!(
                (duration.to_string().as_str(), duration.of(View(3))),
                (shown, lasts)
            );
            assert_eq!(shown.parse(), Ok(duration));
        }
        for text in ["", "T*T", "3", "T +", "w*T", "2^v", "T + 99999*T"] {
            assert_eq!(text.parse::<Duration>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_rotation_never_leaves_the_replicas() {
        let back: Rotation = serde_yaml::from_str("h - v").expect("a rotation");
        let of = |height, view| back.of(4, Height(height), View(view)).0;
        assert_eq!([of(0, 0), of(0, 1), of(5, 2), of(0, 9)], [0, 3, 3, 3]);
    }
}
