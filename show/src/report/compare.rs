//! Where two runs differ.

use super::{scene::Scene, words};
use milp_schema::{Height, Message, ReplicaId, Slot, View, trace::What};
use std::collections::BTreeMap;

/// What is compared of an event: when, who, what, and the other end.
type Key = (
    Slot,
    ReplicaId,
    What,
    Option<ReplicaId>,
    Option<Message>,
    Option<(Height, View)>,
);

/// Marks every event that the other scene has not, and says each in a sentence: first those that
/// only `left` has. With `predicted` only what predictions speak of counts: sendings, views
/// entered and decisions.
pub(crate) fn differences(
    left: &mut Scene,
    right: &mut Scene,
    predicted: bool,
) -> [Vec<String>; 2] {
    let only_left = only(left, right, predicted);
    let only_right = only(right, left, predicted);
    [(left, only_left), (right, only_right)].map(|(scene, marks)| {
        let sentences = marks.iter().map(|at| words::sentence(scene, *at)).collect();
        for at in marks {
            scene.marks[at].differs = true;
        }
        sentences
    })
}

/// The marks of `one` without a counterpart in `other`.
fn only(one: &Scene, other: &Scene, predicted: bool) -> Vec<usize> {
    let mut known: BTreeMap<Key, u32> = BTreeMap::new();
    for at in 0..other.marks.len() {
        if let Some(key) = key(other, at, predicted) {
            *known.entry(key).or_default() += 1;
        }
    }
    let mut marks = Vec::new();
    for at in 0..one.marks.len() {
        let Some(key) = key(one, at, predicted) else {
            continue;
        };
        match known.get_mut(&key) {
            Some(count) if *count > 0 => *count -= 1,
            _ => marks.push(at),
        }
    }
    marks
}

fn key(scene: &Scene, at: usize, predicted: bool) -> Option<Key> {
    let event = &scene.marks[at].event;
    let compared = match event.what {
        What::Send | What::EnterView | What::Decide => true,
        // What is handed over arrived before; when is a matter of the receiver's view.
        What::HandOver => false,
        _ => !predicted,
    };
    let what = match event.what {
        What::HoldBack | What::Ignore if event.message.is_some() => What::Deliver,
        what => what,
    };
    // The other end of what is made for several receivers is the first of them.
    let peer = event.peer.filter(|_| event.what != What::Inject);
    compared.then(|| {
        (
            event.slot,
            event.replica,
            what,
            peer,
            event.message.clone(),
            event.place,
        )
    })
}
