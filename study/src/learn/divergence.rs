//! The first place where an engine and the program part.

use milp_schema::{
    Prediction, ReplicaId, Slot, View, schedule::Event, trace::TraceEvent, vocabulary::Sent,
};
use milp_show::{
    known,
    words::{Does, does},
};

/// What one replica did otherwise than predicted, having been told the same up to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Divergence {
    pub(crate) slot: Slot,
    pub(crate) replica: ReplicaId,
    /// The first act, in the order of handling, that only one side knows.
    pub(crate) act: Event,
    /// Whether the engine does it; otherwise the program does.
    pub(crate) does: bool,
}

/// What the first slot with a difference shows, for each replica that parts there: its first act,
/// in the order of handling, that only one side knows, and, where that is one that only the program
/// knows, the first that only the engine does.
///
/// Nothing that was sent in earlier slots differs, so whatever a replica was told by then is what
/// the program says it was told; copies sent in the slot itself arrive later.
pub(crate) fn first(predicted: &[Prediction], trace: &[TraceEvent]) -> Vec<Divergence> {
    let observed = known::done(trace).collect::<Vec<_>>();
    // What is left of each side after the other is taken away, as multisets.
    let (mut missing, mut extra) = (predicted.to_vec(), observed.clone());
    take_away(&mut missing, &observed);
    take_away(&mut extra, predicted);
    let Some(slot) = missing.iter().chain(&extra).map(|entry| entry.slot).min() else {
        return Vec::new();
    };
    let missing = missing.into_iter().map(|entry| (entry, false));
    // What a timer makes an engine do in place of something else shows as something missing.
    let by_delivery = extra
        .into_iter()
        .filter(|entry| !by_timer(&entry.event))
        .map(|entry| (entry, true));
    let mut parting: Vec<_> = missing
        .chain(by_delivery)
        .filter(|(entry, _)| entry.slot == slot)
        .collect();
    parting.sort_by_key(|(entry, does)| (entry.replica, stage(&entry.event), *does));
    let mut kept: Vec<Divergence> = Vec::new();
    for (entry, does) in parting {
        let mut before = kept.iter().filter(|other| other.replica == entry.replica);
        // What the engine does in place of an act is no less forbidden for that.
        let first = match before.next() {
            None => true,
            Some(other) => does && !other.does && before.next().is_none(),
        };
        if first {
            kept.push(Divergence {
                slot,
                replica: entry.replica,
                act: entry.event,
                does,
            });
        }
    }
    kept
}

/// What timers made the engine do in the first slot with a difference, and the program does not
/// know: in place of something else, or at another time.
pub(crate) fn fired(predicted: &[Prediction], trace: &[TraceEvent]) -> Vec<Divergence> {
    let observed = known::done(trace).collect::<Vec<_>>();
    let (mut missing, mut extra) = (predicted.to_vec(), observed.clone());
    take_away(&mut missing, &observed);
    take_away(&mut extra, predicted);
    let slot = missing.iter().chain(&extra).map(|entry| entry.slot).min();
    let fired = extra
        .into_iter()
        .filter(|entry| Some(entry.slot) == slot && by_timer(&entry.event));
    fired
        .map(|entry| Divergence {
            slot: entry.slot,
            replica: entry.replica,
            act: entry.event,
            does: true,
        })
        .collect()
}

fn take_away(from: &mut Vec<Prediction>, what: &[Prediction]) {
    for entry in what {
        if let Some(at) = from.iter().position(|other| other == entry) {
            from.remove(at);
        }
    }
}

/// Whether only a timer makes a replica do it.
pub(crate) fn by_timer(act: &Event) -> bool {
    matches!(act, Event::Send(said) if said.kind.does().sent == Sent::Timer)
}

/// Where an act stands among those of one replica in one slot (`docs/EXECUTION.md`, E7): by view,
/// then deliveries, timers, and the step into the next view.
fn stage(act: &Event) -> (u32, usize) {
    /// What a replica that follows its rules sends in a view, in order.
    const ORDER: [Does; 6] = [
        Does::Answers,
        Does::Binds,
        Does::Publishes,
        Does::Proposes,
        Does::Asks,
        Does::Leaves,
    ];
    match act {
        Event::Send(said) => {
            let place = ORDER.iter().position(|it| *it == does(&said.kind));
            (said.view.0, 2 * place.unwrap_or(ORDER.len()))
        }
        // A decision comes between the commit that completes it and the block that publishes it.
        Event::Decide(block) => (block.view.0, 3),
        Event::EnterView { view, .. } => (view.0.saturating_sub(1), 2 * ORDER.len() + 1),
    }
}

/// The view in which a replica does it.
pub(crate) fn view(act: &Event) -> View {
    match act {
        Event::Send(said) => said.view,
        Event::Decide(block) => block.view,
        Event::EnterView { view, .. } => View(view.0.saturating_sub(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::{Height, Message, Protocol, trace::What, vocabulary::Names};

    fn said(kind: &str, view: u32) -> Message {
        let kind = Protocol::shipped("dbft2").the(kind);
        let names_block = kind.does().names == Names::Value;
        Message::new(kind, Height(0), View(view), names_block.then_some(0))
    }

    fn sends(slot: u32, replica: u32, kind: &str, view: u32) -> Prediction {
        Prediction {
            slot: Slot(slot),
            replica: ReplicaId(replica),
            event: Event::Send(said(kind, view)),
        }
    }

    fn sent(prediction: &Prediction) -> TraceEvent {
        let Event::Send(message) = &prediction.event else {
            panic!("only sends here")
        };
        TraceEvent {
            message: Some(message.clone()),
            ..TraceEvent::at(prediction.slot, prediction.replica, What::Send)
        }
    }

    #[test]
    fn the_first_slot_and_in_it_the_first_act_of_each_replica_counts() {
        let agreed = sends(2, 1, "PrepareRequest", 0);
        let predicted = [
            agreed.clone(),
            sends(4, 2, "ChangeView", 0),
            sends(4, 2, "PrepareResponse", 1),
            sends(4, 3, "Commit", 0),
            sends(5, 0, "Commit", 0),
        ];
        let trace = [
            sent(&agreed),
            sent(&sends(4, 2, "RecoveryRequest", 0)),
            sent(&sends(4, 3, "PrepareResponse", 0)),
        ];
        let found = first(&predicted, &trace);
        let found: Vec<_> = found
            .iter()
            .map(|parting| {
                (
                    parting.slot.0,
                    parting.replica.0,
                    &parting.act,
                    parting.does,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (4, 2, &Event::Send(said("ChangeView", 0)), false),
                (4, 3, &Event::Send(said("PrepareResponse", 0)), true),
            ]
        );
    }

    #[test]
    fn what_the_engine_does_beside_what_it_does_not_is_seen_too() {
        let predicted = [sends(4, 2, "PrepareResponse", 0), sends(4, 2, "Commit", 1)];
        let trace = [
            sent(&sends(4, 2, "Commit", 0)),
            sent(&sends(4, 2, "Block", 0)),
        ];
        let found: Vec<_> = first(&predicted, &trace)
            .into_iter()
            .map(|parting| (parting.act, parting.does))
            .collect();
        assert_eq!(
            found,
            [
                (Event::Send(said("PrepareResponse", 0)), false),
                (Event::Send(said("Commit", 0)), true),
            ]
        );
        // After an act of its own the engine's replica is another one, and does not do other things.
        let predicted = [sends(4, 2, "ChangeView", 0)];
        let found = first(&predicted, &[sent(&sends(4, 2, "Commit", 0))]);
        assert_eq!(found.len(), 1);
        assert!(found[0].does);
    }

    #[test]
    fn equal_multisets_part_nowhere_and_multiplicity_counts() {
        let once = sends(4, 2, "Commit", 0);
        assert_eq!(first(std::slice::from_ref(&once), &[sent(&once)]), []);
        let twice = first(std::slice::from_ref(&once), &[sent(&once), sent(&once)]);
        assert_eq!(twice.len(), 1);
        assert!(twice[0].does);
    }
}
