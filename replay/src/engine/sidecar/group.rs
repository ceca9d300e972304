//! The processes of an adapter, ended together.
//!
//! A wrapper around an adapter has children of its own, so a group of processes is ended as a
//! whole. Its first member is a guard, which waits for the end of a pipe that only this process
//! holds: whatever ends this process, a kill included, ends the pipe, and the guard the group.

use std::{io, process::Command};

#[cfg(unix)]
mod unix {
    use super::{Command, io};
    use rustix::process::{Pid, Signal, kill_process_group};
    use std::{
        io::Write as _,
        os::unix::process::CommandExt as _,
        process::{Child, Stdio},
    };

    /// What the guard does. Lines name further processes to end: one may leave the group.
    const WATCH: &str = "trap '' HUP INT QUIT TERM; others=; \
                         while read -r other; do others=\"$others $other\"; done; \
                         for other in $others; do kill -KILL \"$other\"; done; kill -KILL 0";

    /// See the module.
    #[derive(Debug)]
    pub(crate) struct Group {
        guard: Child,
        ended: bool,
    }

    impl Group {
        /// A group with a guard and nobody else.
        pub(crate) fn open() -> io::Result<Self> {
            let guard = Command::new("/bin/sh")
                .args(["-c", WATCH])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()?;
            Ok(Self {
                guard,
                ended: false,
            })
        }

        /// Starts a process in the group.
        pub(crate) fn start(&mut self, builder: &mut Command) -> io::Result<Child> {
            let child = builder.process_group(self.guard.id() as i32).spawn()?;
            if let Some(leash) = &mut self.guard.stdin {
                // A guard that is gone was ended by the child, which is ended by its group then.
                let _ = writeln!(leash, "{}", child.id());
            }
            Ok(child)
        }

        /// Ends everybody who is left in the group. Its number is not given away again before the
        /// guard was waited for.
        pub(crate) fn end(&mut self) {
            if self.ended {
                return;
            }
            self.ended = true;
            if let Some(group) = Pid::from_raw(self.guard.id() as i32) {
                // Nobody left to end is what is hoped for.
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.guard.wait();
        }
    }
}

#[cfg(not(unix))]
mod other {
    use super::{Command, io};
    use std::process::Child;

    /// No groups here: the process alone is ended.
    #[derive(Debug)]
    pub(crate) struct Group;

    impl Group {
        pub(crate) fn open() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn start(&mut self, builder: &mut Command) -> io::Result<Child> {
            builder.spawn()
        }

        pub(crate) fn end(&mut self) {}
    }
}

#[cfg(not(unix))]
pub(crate) use other::Group;
#[cfg(unix)]
pub(crate) use unix::Group;
