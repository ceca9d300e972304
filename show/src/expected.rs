//! A schedule as the program sees it: its choices and its predictions as a trace.

use milp_schema::{
    Choice, Message, Protocol, Schedule, TraceEvent,
    schedule::{Copy, Event, Prediction},
    trace::What,
};

/// Choices and predictions in the canonical order of a slot: crashes, deliveries, timers, what
/// follows from them, injections.
pub(crate) fn trace(protocol: Protocol, schedule: &Schedule) -> Vec<TraceEvent> {
    let choices = schedule.choices.iter().map(|choice| {
        let order = match choice {
            Choice::Crash { .. } | Choice::Restart { .. } => 0,
            Choice::Deliver { .. } | Choice::Drop { .. } => 1,
            Choice::Timeout { .. } => 2,
            Choice::Inject { .. } => 4,
        };
        (order, chosen(choice))
    });
    let predictions = schedule
        .predictions
        .iter()
        .map(|it| (3, expected(protocol, it)));
    let mut events = choices.chain(predictions).collect::<Vec<_>>();
    // Stable: rows of one slot and kind stay in their order.
    events.sort_by_key(|(order, event)| (event.slot, event.replica, *order));
    events.into_iter().map(|(_, event)| event).collect()
}

fn chosen(choice: &Choice) -> TraceEvent {
    let of_copy = |what, peer, copy: &Copy| TraceEvent {
        peer: Some(peer),
        copy: Some((copy.sent, copy.copy)),
        message: Some(copy.message.clone()),
        ..TraceEvent::at(choice.slot(), choice.replica(), what)
    };
    let plain = |what| TraceEvent::at(choice.slot(), choice.replica(), what);
    match choice {
        Choice::Deliver { copy, .. } => of_copy(What::Deliver, copy.sender, copy),
        Choice::Drop { copy, .. } => of_copy(What::Drop, copy.sender, copy),
        Choice::Inject { copy } => of_copy(What::Inject, copy.receiver, copy),
        Choice::Timeout {
            timer,
            height,
            view,
            ..
        } => TraceEvent {
            timer: Some(timer),
            place: Some((*height, *view)),
            ..plain(What::Timeout)
        },
        Choice::Crash { .. } => plain(What::Crash),
        Choice::Restart { backup, .. } => TraceEvent {
            backup: Some(*backup),
            ..plain(What::Restart)
        },
    }
}

fn expected(protocol: Protocol, prediction: &Prediction) -> TraceEvent {
    let plain = |what| TraceEvent::at(prediction.slot, prediction.replica, what);
    match &prediction.event {
        Event::Send(message) => TraceEvent {
            message: Some(message.clone()),
            ..plain(What::Send)
        },
        Event::EnterView { height, view } => TraceEvent {
            place: Some((*height, *view)),
            ..plain(What::EnterView)
        },
        Event::Decide(block) => TraceEvent {
            message: Some(Message::about(protocol.decision(), *block)),
            ..plain(What::Decide)
        },
    }
}
