//! `--watch`: the answer again whenever a file is saved.

use crate::{exit, print, problem, stop};
use milp_schema::read;
use milp_study::Error;
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Whether to go on.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Watch {
    /// Answer again whenever the instance or its protocol file is saved, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

impl Watch {
    /// Answers once, or again and again; what is wrong with a file is said and waited out then.
    pub(crate) fn run(
        self,
        files: &[PathBuf],
        interrupt: &AtomicBool,
        mut answer: impl FnMut() -> Result<u8, Error>,
    ) -> Result<u8, Error> {
        if !self.watch {
            return answer();
        }
        if files.is_empty() {
            let why = "--watch has no file to look at: give an instance, or ./ and a protocol file";
            return Err(Error::Refused(why.to_owned()));
        }
        loop {
            let before = seen(files);
            if let Err(error) = answer() {
                problem::report(&error);
            }
            let names: Vec<String> = files
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            stop::say(&format!("watching {}", names.join(" and ")));
            while seen(files) == before {
                if interrupt.load(Ordering::SeqCst) {
                    return Ok(exit::DONE);
                }
                thread::sleep(LOOK);
            }
            print::line("");
        }
    }
}

/// What the files hold now; of one that is being written, nothing.
fn seen(files: &[PathBuf]) -> Vec<Option<Vec<u8>>> {
    files.iter().map(|file| read::bytes(file).ok()).collect()
}

/// An instance file, and the protocol file that it names.
pub(crate) fn of(file: &Path) -> Vec<PathBuf> {
    let text = read::text(file).unwrap_or_default();
    let named = text.lines().find_map(|line| line.strip_prefix("protocol:"));
    let named = named.map(str::trim).filter(|name| name.starts_with('.'));
    let folder = file.parent().unwrap_or(Path::new(""));
    let protocol = named.map(|name| folder.join(name));
    [file.to_owned()].into_iter().chain(protocol).collect()
}
