//! Ctrl-C and SIGTERM, which mean the same, and the end of the process.
//!
//! A command that keeps what it has found listens: the first signal asks it to stop, the second not
//! to wait for the solver any longer, the third ends the process whatever it does. Any other command
//! ends at the first.

use crate::exit;
use milp_study::{Error, sweep::STOP_WITH_STDIN};
use signal_hook::{
    consts::{SIGABRT, SIGINT, SIGTERM},
    flag, low_level,
};
use std::{
    io::{self, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How often the signals are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How long after the second signal the process may take to write what was found.
const WRITING: Duration = Duration::from_secs(5);

/// The interrupt of a command that listens.
static LISTENS: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Takes the signals, for whatever command it will be. Where memory runs out, in our part or in the
/// solver's, the language says so in words and aborts; that is a failure like any other.
pub(crate) fn watch() -> Result<(), Error> {
    listen().map_err(|source| Error::Io {
        doing: "listen for",
        path: "Ctrl-C and SIGTERM".into(),
        source,
    })
}

fn listen() -> io::Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    flag::register_conditional_shutdown(SIGABRT, exit::FAILURE.into(), always)?;
    let seen = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&seen))?;
    }
    let mut before = 0;
    thread::Builder::new().spawn(move || {
        loop {
            if seen.swap(false, Ordering::SeqCst) {
                before += 1;
                signalled(before);
            }
            thread::sleep(LOOK);
        }
    })?;
    Ok(())
}

/// What the signal of that number does.
fn signalled(number: u32) {
    match (LISTENS.get(), number) {
        (Some(interrupt), 1) => {
            interrupt.store(true, Ordering::SeqCst);
            say("stopping: what was found is kept; Ctrl-C again does not wait for the solver");
        }
        (Some(_), 2) => {
            milp_solver::hurry();
            thread::spawn(|| {
                thread::sleep(WRITING);
                end(exit::INTERRUPTED);
            });
        }
        _ => end(exit::INTERRUPTED),
    }
}

/// What a command hears of the signals that asks for it. Under a sweep the end of standard input is
/// an interrupt too.
pub(crate) fn interrupt() -> Arc<AtomicBool> {
    let interrupt = LISTENS.get_or_init(|| Arc::new(AtomicBool::new(false)));
    if std::env::var_os(STOP_WITH_STDIN).is_some() {
        let closed = Arc::clone(interrupt);
        thread::spawn(move || {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            closed.store(true, Ordering::SeqCst);
        });
    }
    Arc::clone(interrupt)
}

/// A line on standard error; that nobody can read it is no failure.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "milp: {text}");
}

/// Ends the process here and now. A thread of the solver may be at work on what an end in good order
/// takes away, so there is none; everything that was printed has left by the line.
pub(crate) fn end(code: u8) -> ! {
    low_level::exit(code.into())
}
