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

/// What ends a phase before it is done.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The limit of time.
    Limit,
    /// Someone asked to stop.
    Interrupt,
    /// Something broke down.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The limit of time and the interrupt, from the moment this is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    began: Instant,
    limit: f64,
    /// Set from elsewhere.
    pub(crate) interrupt: &'a AtomicBool,
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

    /// Whether there is any reason to stop, and which.
    pub(crate) fn check(&self) -> Result<(), Halt> {
        self.check_interrupt()?;
        if self.left() > 0.0 {
            Ok(())
        } else {
            Err(Halt::Limit)
        }
    }

    /// Whether someone asked to stop, however much time is left.
    pub(crate) fn check_interrupt(&self) -> Result<(), Halt> {
        if self.interrupted() {
            Err(Halt::Interrupt)
        } else {
            Ok(())
        }
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

    fn limited(seconds: f64) -> Settings {
        Settings {
            time_limit_seconds: seconds,
            ..crate::testing::settings()
        }
    }

    #[test]
    fn the_limit_and_the_interrupt_stop_and_nothing_else_does() {
        let interrupt = AtomicBool::new(false);
        assert!(Clock::start(&limited(60.0), &interrupt).check().is_ok());
        let over = Clock::start(&limited(0.0), &interrupt);
        assert!(matches!(over.check(), Err(Halt::Limit)));
        assert!(over.check_interrupt().is_ok());
        interrupt.store(true, Ordering::SeqCst);
        assert!(matches!(over.check(), Err(Halt::Interrupt)));
        let left = Clock::start(&limited(60.0), &interrupt);
        assert!(matches!(left.check(), Err(Halt::Interrupt)));
    }

    #[test]
    fn what_takes_longer_than_the_limit_to_build_is_stopped() {
        let settings = limited(0.0);
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
