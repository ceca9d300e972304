//! From numbers to places, and which numbers stand at an axis.

use super::Ticks;

/// A linear scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// The scale that takes the ends of `from` to those of `to`.
    pub(crate) fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        // A single value stands in the middle.
        let from = if from.1 > from.0 {
            from
        } else {
            (from.0 - 1.0, from.0 + 1.0)
        };
        Self { from, to }
    }

    /// The place of a number.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let part = (value - self.from.0) / (self.from.1 - self.from.0);
        self.to.0 + part * (self.to.1 - self.to.0)
    }
}

/// Whole numbers from `from` to `to` with at most `most` gaps between them: multiples of 1, 2 or 5
/// times a power of ten.
pub(crate) fn whole(from: i64, to: i64, most: i64) -> Vec<i64> {
    let mut step = 1_i64;
    let mut factors = [2, 5, 10].into_iter().cycle();
    let mut power = 1;
    while (to - from) / step > most.max(1) {
        let factor = factors.next().unwrap_or(10);
        step = power * factor;
        if factor == 10 {
            power *= 10;
        }
    }
    let first = from.div_euclid(step) * step;
    let first = if first < from { first + step } else { first };
    (first..=to).step_by(step as usize).collect()
}

/// The ends of an axis and what stands at it, with room for `most` texts.
pub(crate) fn axis(ticks: &Ticks, most: i64) -> ((f64, f64), Vec<(f64, String)>) {
    match ticks {
        Ticks::Range(from, to) => {
            let texts = whole(*from, *to, most).into_iter();
            let texts = texts.map(|tick| (tick as f64, tick.to_string()));
            ((*from as f64, *to as f64), texts.collect())
        }
        Ticks::Numbers(numbers) => {
            let ends = (
                numbers.first().copied().unwrap_or(0),
                numbers.last().copied().unwrap_or(0),
            );
            let shown = if numbers.len() as i64 <= most {
                numbers.clone()
            } else {
                whole(ends.0, ends.1, most)
            };
            let texts = shown
                .into_iter()
                .map(|tick| (tick as f64, tick.to_string()));
            ((ends.0 as f64, ends.1 as f64), texts.collect())
        }
        Ticks::Names(names) => {
            let texts = names.iter().enumerate();
            let texts = texts.map(|(at, name)| (at as f64, name.clone()));
            ((0.0, names.len() as f64 - 1.0), texts.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_round_and_within_the_range() {
        assert_eq!(whole(0, 3, 8), [0, 1, 2, 3]);
        assert_eq!(whole(0, 40, 8), [0, 5, 10, 15, 20, 25, 30, 35, 40]);
        assert_eq!(whole(-7, 7, 5), [-5, 0, 5]);
        assert_eq!(whole(0, 1_700, 5), [0, 500, 1_000, 1_500]);
        assert_eq!(whole(4, 4, 8), [4]);
    }

    #[test]
    fn a_scale_goes_from_end_to_end_and_a_single_value_stands_in_the_middle() {
        let scale = Scale::new((0.0, 4.0), (100.0, 20.0));
        assert!((scale.at(0.0) - 100.0).abs() < 1e-9);
        assert!((scale.at(1.0) - 80.0).abs() < 1e-9);
        assert!((scale.at(4.0) - 20.0).abs() < 1e-9);
        assert!((Scale::new((3.0, 3.0), (0.0, 10.0)).at(3.0) - 5.0).abs() < 1e-9);
    }
}
