//! In which slot each thing that happens is said to happen first.

use super::columns::{Indices, Key, Timed};
use milp_schema::Kind;
use std::collections::BTreeMap;

/// What happens, by its key at slot 0, and in which slot for the first time.
#[derive(Debug)]
pub(super) struct First<'a> {
    timed: &'a Timed,
    slots: BTreeMap<Key, u32>,
}

impl<'a> First<'a> {
    pub(super) fn new(timed: &'a Timed) -> Self {
        let slots = BTreeMap::new();
        Self { timed, slots }
    }

    /// It happens in slot t.
    pub(super) fn add(&mut self, key: &Key, t: u32) -> Result<(), String> {
        let last = with_slot(key, self.timed.horizon);
        if self.timed.draft.col(&last).is_none() {
            return Err(format!("no column for {key:?}"));
        }
        let slot = self.slots.entry(with_slot(key, 0)).or_insert(t);
        *slot = t.min(*slot);
        Ok(())
    }

    /// Whether it has happened by slot t.
    pub(super) fn by(&self, key: &Key, t: u32) -> bool {
        let slot = self.slots.get(&with_slot(key, 0));
        slot.is_some_and(|&slot| slot <= t)
    }
}

/// The number of the channel of a kind.
pub(super) fn channel_of(timed: &Timed, kind: &Kind) -> Result<usize, String> {
    let position = timed
        .protocol
        .channels
        .iter()
        .position(|channel| channel.kind == *kind);
    position.ok_or_else(|| format!("the protocol has no messages of kind {kind}"))
}

/// The same key at another slot.
pub(super) fn with_slot(key: &Key, t: u32) -> Key {
    match *key {
        Key::Crashed(i, _) => Key::Crashed(i, t),
        Key::Did(e, i, at) => Key::Did(e, i, Indices { t, ..at }),
        Key::Got(c, i, j, at) => Key::Got(c, i, j, Indices { t, ..at }),
        Key::Entered(i, at) => Key::Entered(i, Indices { t, ..at }),
        Key::Asked(i, j, at) => Key::Asked(i, j, Indices { t, ..at }),
        Key::Injected(c, j, at) => Key::Injected(c, j, Indices { t, ..at }),
        ref other => other.clone(),
    }
}
