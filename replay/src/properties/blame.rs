//! Who is proved guilty by what honest replicas have in a trace.

use crate::{Error, interpreter::guilt::Guilt};
use milp_schema::{
    Instance, Message, ReplicaId,
    trace::{Phase, TraceEvent, What},
};
use std::collections::{BTreeMap, BTreeSet};

/// A replica and the two messages of it that prove it guilty.
pub(crate) type Guilty = (ReplicaId, [Message; 2]);

/// The guilty of a trace; `None` where no file has rules. Silence proves nothing.
///
/// # Errors
/// Rules that cannot be followed.
pub(crate) fn guilty(
    instance: &Instance,
    byzantine: &BTreeSet<ReplicaId>,
    trace: &[TraceEvent],
) -> Result<Option<Vec<Guilty>>, Error> {
    let Some(guilt) = Guilt::of(instance)? else {
        return Ok(None);
    };
    let proof = |(author, messages): (ReplicaId, BTreeSet<Message>)| {
        let messages: Vec<Message> = messages.into_iter().collect();
        let mut pairs = messages.iter().enumerate().flat_map(|(at, first)| {
            let rest = messages[at + 1..].iter();
            rest.map(move |second| [first, second])
        });
        let two = pairs.find(|[first, second]| guilt.convicts(author, first, second))?;
        Some((author, two.map(Clone::clone)))
    };
    let held = held(byzantine, trace);
    Ok(Some(held.into_iter().filter_map(proof).collect()))
}

/// What honest replicas got or sent, by author.
fn held(
    byzantine: &BTreeSet<ReplicaId>,
    trace: &[TraceEvent],
) -> BTreeMap<ReplicaId, BTreeSet<Message>> {
    let mut held: BTreeMap<ReplicaId, BTreeSet<Message>> = BTreeMap::new();
    let honest = |it: &&TraceEvent| it.phase == Phase::Schedule && !byzantine.contains(&it.replica);
    for event in trace.iter().filter(honest) {
        let author = match event.what {
            What::Send => Some(event.replica),
            What::Deliver | What::HoldBack | What::HandOver | What::Ignore => event.peer,
            _ => None,
        };
        if let (Some(author), Some(message)) = (author, &event.message) {
            held.entry(author).or_default().insert(message.clone());
        }
    }
    held
}

/// One sentence for a guilty replica.
pub(crate) fn sentence((author, [first, second]): &Guilty) -> String {
    format!("replica {author} is guilty: it made {first} and {second}")
}
