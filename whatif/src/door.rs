//! The door between a page and the module: one room of memory, in which the page writes a question
//! and the module an answer.

#![expect(
    unsafe_code,
    reason = "an exported name is unsafe: another one of that name would take its place"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

static ROOM: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn room() -> MutexGuard<'static, Vec<u8>> {
    ROOM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for a question of that many bytes and says where it begins.
#[unsafe(no_mangle)]
pub extern "C" fn question(bytes: usize) -> *const u8 {
    let mut room = room();
    room.clear();
    room.resize(bytes, 0);
    room.as_ptr()
}

/// Replays what the question asks and says how many bytes the answer has, which stands where
/// [`place`] says.
#[unsafe(no_mangle)]
pub extern "C" fn replay() -> usize {
    let mut room = room();
    *room = crate::answer(&String::from_utf8_lossy(&room)).into_bytes();
    room.len()
}

/// Where the answer begins.
#[unsafe(no_mangle)]
pub extern "C" fn place() -> *const u8 {
    room().as_ptr()
}
