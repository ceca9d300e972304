//! A schedule in the words of the replicas that it drives, and their trace in the words of others.

use milp_schema::{
    Message, Protocol, Schedule, TraceEvent,
    schedule::{Choice, Event},
};

/// A message in the words of a protocol; of a kind that it has not, as it was.
fn put(protocol: Protocol, message: &mut Message) {
    message.kind = protocol.own(message.kind);
}

/// The schedule in the words of `protocol`.
pub(crate) fn schedule(protocol: Protocol, schedule: &Schedule) -> Schedule {
    let mut schedule = schedule.clone();
    for choice in &mut schedule.choices {
        match choice {
            Choice::Deliver { copy, .. } | Choice::Drop { copy, .. } | Choice::Inject { copy } => {
                put(protocol, &mut copy.message);
            }
            Choice::Timeout { .. } | Choice::Crash { .. } | Choice::Restart { .. } => {}
        }
    }
    for prediction in &mut schedule.predictions {
        if let Event::Send(message) = &mut prediction.event {
            put(protocol, message);
        }
    }
    schedule
}

/// Puts a trace in the words of `protocol`.
pub(crate) fn trace(protocol: Protocol, trace: &mut [TraceEvent]) {
    let messages = trace.iter_mut().filter_map(|event| event.message.as_mut());
    messages.for_each(|message| put(protocol, message));
}
