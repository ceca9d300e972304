//! How long all of it may take: solving, replaying, testing what was seen, proving.

use crate::Error;
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

/// The limit of time and the interrupt, which every phase looks at before it goes on.
pub(crate) struct Clock<'a> {
    began: Instant,
    seconds: f64,
    pub(crate) interrupt: &'a AtomicBool,
}

impl<'a> Clock<'a> {
    #[expect(clippy::disallowed_methods, reason = "the time limit is by the clock")]
    pub(crate) fn new(seconds: f64, interrupt: &'a AtomicBool) -> Self {
        Self {
            began: Instant::now(),
            seconds,
            interrupt,
        }
    }

    pub(crate) fn spent(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub(crate) fn left(&self) -> f64 {
        (self.seconds - self.spent()).max(0.0)
    }

    /// Whether there is any reason to stop.
    pub(crate) fn check(&self) -> Result<(), Halt> {
        self.interrupted()?;
        if self.left() > 0.0 {
            Ok(())
        } else {
            Err(Halt::Limit)
        }
    }

    /// Whether someone asked to stop, however much time is left.
    pub(crate) fn interrupted(&self) -> Result<(), Halt> {
        if self.interrupt.load(Ordering::SeqCst) {
            Err(Halt::Interrupt)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_and_the_interrupt_stop_and_nothing_else_does() {
        let interrupt = AtomicBool::new(false);
        assert!(Clock::new(60.0, &interrupt).check().is_ok());
        let over = Clock::new(0.0, &interrupt);
        assert!(matches!(over.check(), Err(Halt::Limit)));
        assert!(over.interrupted().is_ok());
        interrupt.store(true, Ordering::SeqCst);
        assert!(matches!(over.check(), Err(Halt::Interrupt)));
        assert!(matches!(
            Clock::new(60.0, &interrupt).check(),
            Err(Halt::Interrupt)
        ));
    }
}
