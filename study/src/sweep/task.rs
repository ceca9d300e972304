//! One combination alone, for whoever hands out work to many machines.
//!
//! A task may run anywhere that sees the folder of the sweep, any number of times, beside any other
//! task and beside itself: two of one row take turns, and the second finds the row done.

use super::{
    child::{Child, LOOK},
    place::replaceable,
    request::Request,
    row::{self, Row, State},
    stamp::{self, Stamp},
};
use crate::Error;
use milp_schema::{read, write};
use std::{
    fs::File,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

/// The rows that no task has ended yet, in the order of the file; every row with
/// [`Request::fresh`]. What is no valid instance needs no task.
pub fn left(request: &Request<'_>) -> Vec<String> {
    let rows = row::all(request.sweep).into_iter();
    let rows = rows.filter(|row| row.state == State::Missing);
    let ended = |row: &Row| matches!(known(request, row), Some(state) if state.stays());
    let rows = rows.filter(|row| request.fresh || !ended(row));
    rows.map(|row| row.name).collect()
}

/// Solves the combination of that name, unless it was solved before, and keeps what became of it.
///
/// # Errors
///
/// When there is none of that name, or something cannot be written or started. What becomes of the
/// solve is the row's state.
pub fn task(request: &Request<'_>, name: &str, interrupt: &AtomicBool) -> Result<State, Error> {
    replaceable(request.out)?;
    let mut rows = row::all(request.sweep).into_iter();
    let Some(row) = rows.find(|row| row.name == name) else {
        let sweep = request.name;
        return Err(Error::Refused(format!(
            "{sweep} has no combination `{name}`: see `milp sweep {sweep} --tasks`"
        )));
    };
    if row.state != State::Missing {
        return Ok(row.state);
    }
    write_files(request.out, &row)?;
    let _turn = turn(&request.out.join(row.instance_file()));
    match known(request, &row) {
        Some(state) if state.stays() && !request.fresh => return Ok(state),
        _ => stamp::forget(request.out, name)?,
    }
    let mut child = Child::start(request, 0, &row)?;
    let state = loop {
        if interrupt.load(Ordering::SeqCst) {
            child.stop();
        }
        match child.ended(request.out)? {
            Some(state) => break state,
            None => std::thread::sleep(LOOK),
        }
    };
    keep(request, &row, &state)?;
    Ok(state)
}

/// What an earlier solve of the same question under the same limits left.
pub(crate) fn known(request: &Request<'_>, row: &Row) -> Option<State> {
    Stamp::of(&row.question(), request.settings).still_holds(request.out, &row.name)
}

/// Says what became of a row, unless it has not ended.
pub(crate) fn keep(request: &Request<'_>, row: &Row, state: &State) -> Result<(), Error> {
    let stamp = Stamp::of(&row.question(), request.settings);
    match state {
        State::Solved(_) => stamp.write(request.out, &row.name),
        State::Invalid(why) => stamp.write_without(request.out, &row.name, "invalid", why),
        State::Failed(why) => stamp.write_without(request.out, &row.name, "failed", why),
        State::Missing | State::Interrupted(_) => Ok(()),
    }
}

/// The instance file of a row and its protocol file, if they are not there.
pub(crate) fn write_files(out: &Path, row: &Row) -> Result<(), Error> {
    let files = [
        (row.instance_file(), Some(row.text.as_str())),
        (row.protocol_file(), row.protocol),
    ];
    for (name, text) in files {
        let Some(text) = text.map(str::as_bytes) else {
            continue;
        };
        let path = out.join(name);
        if read::bytes(&path).is_ok_and(|known| known == text) {
            continue;
        }
        write::file(&path, text).map_err(Error::io("write", &path))?;
    }
    Ok(())
}

/// Waits for another task of the same row. A file system without locks lets both run, and the later
/// one wins entirely.
fn turn(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    file.lock().ok()?;
    Some(file)
}
