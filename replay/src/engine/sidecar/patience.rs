//! How long an adapter may keep its caller waiting: for one answer, and in all.
//!
//! One answer may take as long as the limit. All together may take so long, in a check twice, and a
//! little for each answer, so that a run of any length gets its time and an adapter that is just not
//! too slow each time does not go on for ever.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What an answer is granted beside the limit.
const ANSWER: Duration = Duration::from_millis(10);
/// What the first answer of a process is granted: programs take time to start.
const FIRST_ANSWER: Duration = Duration::from_secs(1);
/// All waiting of a run ends after so many limits, whatever was granted.
const RUN: u32 = 12;
/// All waiting of a check: its runs are short.
const CHECK: u32 = 3;

/// The patience with one adapter, in as many processes as share it.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    limit: Duration,
    most: Duration,
    budget: Arc<Mutex<Budget>>,
}

#[derive(Debug)]
struct Budget {
    /// What may still be waited before something is granted again.
    left: Duration,
    /// What may still be waited at all.
    last: Duration,
}

impl Patience {
    /// Each answer may take as long as `limit`, and so may all of them.
    pub(crate) fn with_a_run(limit: Duration) -> Self {
        Self::new(limit, limit, limit.saturating_mul(RUN))
    }

    /// One that goes on after a single answer that never came.
    pub(crate) fn with_a_check(limit: Duration) -> Self {
        Self::new(limit, limit.saturating_mul(2), limit.saturating_mul(CHECK))
    }

    fn new(limit: Duration, most: Duration, last: Duration) -> Self {
        let left = most;
        Self {
            limit,
            most,
            budget: Arc::new(Mutex::new(Budget { left, last })),
        }
    }

    /// How long one answer may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// How long may be waited now.
    pub(crate) fn left(&self) -> Duration {
        self.change(|budget| budget.left.min(budget.last))
    }

    /// Does something that waits, for as long as is left and `most` at most.
    pub(crate) fn wait<T>(&self, most: Duration, wait: impl FnOnce(Duration) -> T) -> T {
        let most = most.min(self.left());
        #[expect(
            clippy::disallowed_methods,
            reason = "a limit on another process; no artefact depends on it"
        )]
        let began = Instant::now();
        let result = wait(most);
        let spent = began.elapsed();
        self.change(|budget| {
            budget.left = budget.left.saturating_sub(spent);
            budget.last = budget.last.saturating_sub(spent);
        });
        result
    }

    /// An answer came, to a request of so many bytes.
    pub(crate) fn grant(&self, first: bool, asked: usize) {
        let grant = if first { FIRST_ANSWER } else { ANSWER };
        // A request of 16 MiB takes seconds where it goes through slow hands.
        let grant = grant + Duration::from_micros(asked as u64 / 3);
        self.change(|budget| budget.left = (budget.left + grant).min(self.most));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Budget) -> T) -> T {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_used_up_and_answers_grant_a_little_but_not_for_ever() {
        let patience = Patience::with_a_run(Duration::from_millis(60));
        let slow = |_| std::thread::sleep(Duration::from_millis(40));
        patience.wait(Duration::MAX, slow);
        let left = patience.left();
        assert!(left <= Duration::from_millis(20), "{left:?}");
        patience.grant(false, 0);
        assert_eq!(patience.left(), left + ANSWER);
        patience.grant(true, 0);
        assert_eq!(patience.left(), patience.limit(), "never more than that");
        let mut times = 0;
        while patience.left() > Duration::ZERO {
            patience.wait(Duration::MAX, slow);
            patience.grant(true, 0);
            times += 1;
        }
        assert!((2..=18).contains(&times), "{times}: 12 limits are 720 ms");
    }
}
