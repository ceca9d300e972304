//! What is left of the time for an instance.
//!
//! A limit is for everything that is done with one instance: its program, every solve, proof and
//! replay. Where there are several solves each has what the others left.

use crate::Error;
use milp_solver::{Limits, Settings, Voice, aside};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// The limit of time and the interrupt, from the moment this is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    began: Instant,
    limit: f64,
    interrupt: &'a AtomicBool,
}

impl<'a> Clock<'a> {
    pub(crate) fn start(settings: &Settings, interrupt: &'a AtomicBool) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the time limit is by the clock")]
        let began = Instant::now();
        Self {
            began,
            limit: settings.time_limit_seconds,
            interrupt,
        }
    }

    /// Seconds since the start.
    pub(crate) fn spent(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Seconds left; never below zero.
    pub(crate) fn left(&self) -> f64 {
        (self.limit - self.spent()).max(0.0)
    }

    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.load(Ordering::SeqCst)
    }

    /// Whether nothing more is to be begun.
    pub(crate) fn over(&self) -> bool {
        self.interrupted() || self.left() <= 0.0
    }

    /// The settings with the time that is left.
    pub(crate) fn settings(&self, of: &Settings) -> Settings {
        Settings {
            time_limit_seconds: self.left(),
            ..of.clone()
        }
    }

    /// What `build` builds, if the limit or an interrupt does not come first. A small program is
    /// built even if it did.
    ///
    /// # Errors
    ///
    /// [`Error::Stopped`] if it came first, and whatever `build` says.
    pub(crate) fn build<T, E>(
        &self,
        build: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        E: Into<Error> + Send + 'static,
    {
        let limits = Limits {
            interrupt: self.interrupt,
            seconds: self.left(),
        };
        let built = aside(limits, |_: &Voice<()>| build(), &mut |()| ());
        match built.map_err(Error::io("start", "a thread"))? {
            Some(built) => built.map_err(Into::into),
            None => Err(Error::Stopped {
                interrupted: self.interrupted(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Duration};

    #[test]
    fn what_takes_longer_than_the_limit_to_build_is_stopped() {
        let settings = Settings {
            time_limit_seconds: 0.0,
            ..crate::testing::settings()
        };
        for interrupted in [false, true] {
            let interrupt = AtomicBool::new(interrupted);
            let clock = Clock::start(&settings, &interrupt);
            assert_eq!(clock.build(|| Ok::<_, Error>(7)).unwrap(), 7);
            let built = clock.build(|| {
                thread::sleep(Duration::from_secs(60));
                Ok::<_, Error>(7)
            });
            match built {
                Err(Error::Stopped { interrupted: found }) => assert_eq!(found, interrupted),
                other => panic!("{other:?}"),
            }
        }
    }
}
