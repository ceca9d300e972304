//! Work that takes no interrupt, on a thread that is left behind when its time is over.
//!
//! `HiGHS` looks at the clock and for an interrupt at some places only, its presolve hardly ever; a
//! large program takes its time to be built. The caller waits for such work no longer than [`GRACE`]
//! after the limit or the interrupt, and goes on with what the work has said until then.
//!
//! A thread and not a process: it shares the program's memory, so nothing has to be written for it
//! to be read again, and tests run what the command runs. A thread cannot be killed. One that is
//! left behind keeps a core busy until it looks up or the process ends, which is soon: with the
//! limit that was hit most commands are at their end. Those that go on to another solve share the
//! core with it for a while. [`left`] says that there is one, so that the process ends without
//! taking the ground from under it.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// How long after its limit or an interrupt work may still come to its end in good order.
pub const GRACE: Duration = Duration::from_secs(2);

/// How often the interrupt and the clock are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Whether any thread was left behind in this process.
static LEFT: AtomicBool = AtomicBool::new(false);

/// Whether nobody waits any longer.
static HURRIED: AtomicBool = AtomicBool::new(false);

/// From now on nothing that was interrupted is waited for, in the whole process.
pub fn hurry() {
    HURRIED.store(true, Ordering::SeqCst);
}

/// Whether a thread was left behind. It may be at work still, on memory that the end of a process
/// in good order frees.
pub fn left() -> bool {
    LEFT.load(Ordering::SeqCst)
}

/// What ends the wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// May be set from anywhere at any time.
    pub interrupt: &'a AtomicBool,
    /// Seconds from now.
    pub seconds: f64,
}

/// How work speaks, and hears that it is to stop.
pub struct Voice<S> {
    stop: Arc<AtomicBool>,
    speak: Box<dyn Fn(S) + Send>,
}

impl<S> Voice<S> {
    /// Says something to whoever waits.
    pub fn say(&self, words: S) {
        (self.speak)(words);
    }

    /// Whether the interrupt came, or nobody waits any more.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What comes from the thread.
enum Heard<S, T> {
    Words(S),
    End(thread::Result<T>),
}

/// Does `work` on a thread and passes on what it says, on the calling thread; `None` if it was left
/// behind. A panic of the work goes on here.
///
/// # Errors
///
/// When the system gives no thread.
pub fn aside<S: Send + 'static, T: Send + 'static>(
    limits: Limits<'_>,
    work: impl FnOnce(&Voice<S>) -> T + Send + 'static,
    hear: &mut dyn FnMut(S),
) -> io::Result<Option<T>> {
    #[expect(clippy::disallowed_methods, reason = "the time limit is by the clock")]
    let began = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let voice = voice(&stop, sender.clone());
    thread::Builder::new().spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| work(&voice)));
        // Nobody may be there to hear it.
        let _ = sender.send(Heard::End(ended));
    })?;
    let mut over: Option<f64> = None;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(Heard::Words(words)) => hear(words),
            Ok(Heard::End(Ok(done))) => return Ok(Some(done)),
            Ok(Heard::End(Err(panic))) => resume_unwind(panic),
            // The thread's last act is to send.
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = began.elapsed().as_secs_f64();
        let interrupted = limits.interrupt.load(Ordering::Relaxed);
        if interrupted {
            stop.store(true, Ordering::Relaxed);
        }
        if interrupted || now >= limits.seconds {
            let since = *over.get_or_insert(now);
            let hurried = interrupted && HURRIED.load(Ordering::Relaxed);
            if hurried || now - since >= GRACE.as_secs_f64() {
                stop.store(true, Ordering::Relaxed);
                LEFT.store(true, Ordering::SeqCst);
                return Ok(None);
            }
        }
    }
}

fn voice<S: Send + 'static, T: Send + 'static>(
    stop: &Arc<AtomicBool>,
    sender: Sender<Heard<S, T>>,
) -> Voice<S> {
    Voice {
        stop: Arc::clone(stop),
        speak: Box::new(move |words| {
            let _ = sender.send(Heard::Words(words));
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(interrupt: &AtomicBool, seconds: f64) -> Limits<'_> {
        Limits { interrupt, seconds }
    }

    #[test]
    fn work_that_ends_is_heard_to_its_end() {
        let never = AtomicBool::new(false);
        let mut heard = Vec::new();
        let done = aside(
            limits(&never, f64::MAX),
            |voice: &Voice<i32>| {
                (0..3).for_each(|words| voice.say(words));
                "done"
            },
            &mut |words| heard.push(words),
        );
        assert_eq!(done.unwrap(), Some("done"));
        assert_eq!(heard, [0, 1, 2]);
    }

    #[test]
    fn work_that_hears_nothing_is_left_behind_with_what_it_said() {
        for (interrupted, seconds) in [(true, f64::MAX), (false, 0.1)] {
            let interrupt = AtomicBool::new(interrupted);
            let (held, hold) = mpsc::channel::<()>();
            let mut heard = Vec::new();
            let done = aside(
                limits(&interrupt, seconds),
                move |voice: &Voice<i32>| {
                    voice.say(7);
                    let _ = hold.recv();
                },
                &mut |words| heard.push(words),
            );
            drop(held);
            assert_eq!((done.unwrap(), heard), (None, vec![7]));
            assert!(left());
        }
    }

    #[test]
    fn an_interrupt_is_passed_on() {
        let interrupt = AtomicBool::new(true);
        let done = aside(
            limits(&interrupt, f64::MAX),
            |voice: &Voice<()>| {
                while !voice.stopped() {
                    thread::yield_now();
                }
                1
            },
            &mut |()| (),
        );
        assert_eq!(done.unwrap(), Some(1));
    }

    #[test]
    fn a_panic_of_the_work_is_one_of_the_caller() {
        let never = AtomicBool::new(false);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let work = |_: &Voice<()>| panic!("of the work");
            aside(limits(&never, f64::MAX), work, &mut |()| ())
        }));
        let panic = caught.expect_err("it goes on");
        assert_eq!(panic.downcast_ref(), Some(&"of the work"));
    }
}
