//! The engine's timer and its estimate of the round trip, in the engine's integers.
//!
//! Durations are signed nanoseconds as in Go, where a shift may overflow into a negative one.

use super::super::{Nanos, Timer};
use milp_schema::{Height, View};

/// A signed duration in nanoseconds.
pub(super) type Duration = i64;

/// How many samples the round trip is a mean of (rtt.go: `rttLength`).
const SAMPLES: usize = 70;

/// T · 2^by as Go shifts: bits that leave are gone, and a shift by 64 or more leaves nothing.
pub(super) fn doubled(duration: Duration, by: u32) -> Duration {
    ((duration as u64).checked_shl(by).unwrap_or(0)) as Duration
}

/// The time from `start` to `now`.
pub(super) fn since(start: Nanos, now: Nanos) -> Duration {
    now as Duration - start as Duration
}

/// An armed timer (timer/timer.go).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Armed {
    height: Height,
    view: View,
    start: Nanos,
    duration: Duration,
    due: Nanos,
}

impl Armed {
    /// L52.
    pub(super) fn new(height: Height, view: View, start: Nanos, duration: Duration) -> Self {
        Self {
            height,
            view,
            start,
            duration,
            due: start.saturating_add_signed(duration.max(0)),
        }
    }

    /// L53: it runs longer from its start, whether it is due already or not. If that would have
    /// been over by now, it stays as it is.
    pub(super) fn extend(&mut self, by: Duration, now: Nanos) {
        self.duration = self.duration.wrapping_add(by);
        if self.duration > since(self.start, now) {
            self.due = self.start.saturating_add_signed(self.duration);
        }
    }

    /// As the caller sees it.
    pub(super) fn seen(&self, name: &'static str) -> Timer {
        Timer {
            name,
            height: self.height,
            view: self.view,
            deadline: self.due,
        }
    }
}

/// The mean time between a proposal and a response to it (rtt.go).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoundTrip {
    samples: [Duration; SAMPLES],
    next: usize,
    mean: Duration,
}

impl RoundTrip {
    pub(super) fn new() -> Self {
        Self {
            samples: [0; SAMPLES],
            next: 0,
            mean: 0,
        }
    }

    pub(super) fn mean(&self) -> Duration {
        self.mean
    }

    /// Takes a sample in the place of the oldest one, of which it counts at most twice as much.
    pub(super) fn add(&mut self, sample: Duration) {
        let old = self.samples[self.next];
        let sample = if old == 0 {
            sample
        } else {
            sample.min(2 * old)
        };
        self.mean = (self.mean + (sample - old) / SAMPLES as Duration).max(0);
        self.samples[self.next] = sample;
        self.next = (self.next + 1) % SAMPLES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_overflow_as_in_go() {
        assert_eq!(doubled(15_000_000_000, 2), 60_000_000_000);
        // 15e9 << 30 is 16106127360000000000 and has the sign bit set.
        assert_eq!(doubled(15_000_000_000, 30), -2_340_616_713_709_551_616);
        assert_eq!(doubled(1, 64), 0);
    }

    #[test]
    fn an_extension_counts_from_the_start_even_when_the_timer_is_due() {
        let mut timer = Armed::new(Height(2), View(1), 100, 50);
        assert_eq!(timer.seen("view").deadline, 150);
        timer.extend(7, 200);
        assert_eq!(timer.seen("view").deadline, 150, "157 is over at 200");
        timer.extend(44, 200);
        assert_eq!(timer.seen("view").deadline, 201);
        let overflown = Armed::new(Height(2), View(1), 100, -300);
        assert_eq!(overflown.seen("view").deadline, 100, "at once");
    }

    #[test]
    fn the_mean_divides_towards_zero_and_a_sample_counts_at_most_twice_the_one_it_replaces() {
        let mut trip = RoundTrip::new();
        trip.add(139);
        assert_eq!(trip.mean(), 1, "139 / 70");
        for _ in 1..SAMPLES {
            trip.add(700);
        }
        assert_eq!(trip.mean(), 691);
        trip.add(1_000_000);
        assert_eq!(trip.mean(), 692, "278 - 139 = 139 more");
        trip.add(0);
        assert_eq!(trip.mean(), 682, "700 less");
    }
}
