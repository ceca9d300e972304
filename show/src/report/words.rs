//! Names, labels and sentences of a report.

use super::{
    run::Run,
    scene::{Arrow, Fate, Mark, Part, Scene},
};
use crate::{
    acts::Deed,
    words::{Does, does},
};
use milp_schema::{
    Message, ReplicaId,
    trace::{Phase, What},
};

/// The letters beside the mark of a sending.
pub(crate) fn label(mark: &Mark) -> String {
    let Some(message) = &mark.event.message else {
        return String::new();
    };
    let letters = &message.kind.mark().letters;
    let mut label = match does(&message.kind) {
        Does::Leaves => format!("{letters}→v{}", message.view.next()),
        _ => format!("{letters} v{}", message.view),
    };
    let plain = message.index() == Some(0) && own_block(message) && !mark.equivocates;
    if let Some(value) = value(message).filter(|_| !plain) {
        label = format!("{label} {value}");
    }
    if mark.equivocates {
        label = format!("≠ {label}");
    }
    label
}

/// A message in full.
pub(crate) fn full(message: &Message) -> String {
    let Message {
        kind, height, view, ..
    } = message;
    match value(message) {
        _ if does(kind) == Does::Leaves => {
            format!("{kind} to view {} of h{height} v{view}", view.next())
        }
        Some(value) => format!("{kind} of h{height} v{view} {value}"),
        None => format!("{kind} of h{height} v{view}"),
    }
}

/// Whether the message names a block of its own view.
fn own_block(message: &Message) -> bool {
    message.block_id().is_some_and(|it| it.view == message.view)
}

/// The value that a message names; the view of a block only if it is another one than its own.
pub(crate) fn value(message: &Message) -> Option<String> {
    let value = message.value?;
    Some(match message.index().filter(|_| own_block(message)) {
        Some(index) => format!("b{index}"),
        None => value.to_string(),
    })
}

/// Replicas in a row.
pub(crate) fn list<'a>(replicas: impl IntoIterator<Item = &'a ReplicaId>) -> String {
    let names = replicas.into_iter().map(ToString::to_string);
    names.collect::<Vec<_>>().join(", ")
}

/// What happened at a mark, in one sentence.
pub(crate) fn sentence(scene: &Scene, at: usize) -> String {
    let mark = &scene.marks[at];
    let event = &mark.event;
    let message = event.message.as_ref().map(full).unwrap_or_default();
    let peer = event.peer.map_or_else(String::new, |peer| peer.to_string());
    let (height, view) = mark.place;
    let from = || format!("{message} from replica {peer}");
    let doing = match event.what {
        What::Deliver => format!("receives {}", from()),
        What::HoldBack => format!("is not there yet: the network holds back {}", from()),
        What::HandOver => format!("is handed {}", from()),
        What::Ignore if event.message.is_none() => "has a timer that fires without effect".into(),
        What::Ignore => format!("ignores {}", from()),
        What::Send => format!("broadcasts {message}"),
        What::Recover => format!("broadcasts {message} to help others catch up"),
        What::Timeout => format!("has its timer of h{height} v{view} fire"),
        What::EnterView => format!("enters view {view} of height {height}"),
        What::Decide => event.decided().map_or_else(
            || "decides".to_owned(),
            |block| {
                format!(
                    "decides block h{} v{} b{}",
                    block.height, block.view, block.index
                )
            },
        ),
        What::Crash => "crashes".into(),
        What::Restart if event.backup == Some(true) => "restarts with its local backup".into(),
        What::Restart => "restarts without its local backup".into(),
        What::Inject => {
            let to = scene.arrows.iter().filter(|arrow| arrow.from == at);
            let to = list(to.map(|arrow| &arrow.to));
            format!("makes {message} for replica {to}")
        }
        What::Drop => format!("never gets {}, which is lost", from()),
        What::Fault => format!(
            "breaks down: {}",
            event.text.as_deref().unwrap_or("no words")
        ),
    };
    let mut sentence = format!("Slot {}: replica {} {doing}", event.slot, event.replica);
    if mark.equivocates {
        sentence += ", an equivocation: it also names another block";
    }
    if mark.differs {
        sentence += " (not so in the other run)";
    }
    sentence
}

/// A copy on its way, in one sentence.
pub(crate) fn way(scene: &Scene, arrow: &Arrow) -> String {
    let mark = &scene.marks[arrow.from];
    let event = &mark.event;
    let message = event.message.as_ref().map(full).unwrap_or_default();
    let start = format!(
        "{message} from replica {} to replica {}, sent in slot {}",
        event.replica, arrow.to, event.slot
    );
    format!("{start}: {}", end(scene, arrow))
}

/// What became of a copy.
pub(crate) fn end(scene: &Scene, arrow: &Arrow) -> String {
    match arrow.fate {
        Fate::Arrives { mark, late } => {
            let slot = scene.marks[mark].event.slot;
            match late {
                0 => format!("arrives in slot {slot}, on time"),
                1 => format!("arrives in slot {slot}, 1 slot late"),
                late => format!("arrives in slot {slot}, {late} slots late"),
            }
        }
        Fate::Lost { slot } => format!("lost in slot {slot}"),
        Fate::Open { withheld, later } => {
            let held = if withheld {
                "withheld until the slots drawn are over"
            } else {
                "still on its way when the slots drawn are over"
            };
            match later {
                Some(slot) => format!("{held}, arrives in slot {slot}"),
                None => held.to_owned(),
            }
        }
    }
}

/// Whether the adversary made a mark's event happen.
pub(crate) fn is_act(scene: &Scene, mark: &Mark) -> bool {
    match mark.event.what {
        What::Timeout => scene.acts.iter().any(|deed| {
            matches!(deed, Deed::Timeout(slot, replica)
                if (*slot, *replica) == (mark.event.slot, mark.event.replica))
        }),
        What::Crash | What::Restart | What::Inject | What::Drop => true,
        _ => false,
    }
}

/// What a picture of `part` leaves out; `slots` are drawn.
pub(crate) fn left_out(run: &Run, part: Part, slots: (u32, u32)) -> Vec<String> {
    let mut sentences = Vec::new();
    let count = |wanted: &dyn Fn(u32, Phase) -> bool| {
        let events = run.trace.iter();
        events.filter(|it| wanted(it.slot.0, it.phase)).count()
    };
    let here = |phase| part.heal || phase == Phase::Schedule;
    let before = count(&|slot, phase| here(phase) && slot < slots.0);
    let behind = count(&|slot, phase| here(phase) && slot > slots.1);
    if before + behind > 0 {
        let asked = part.to.is_some_and(|to| to <= slots.1);
        let why = if asked || behind == 0 {
            "as asked".to_owned()
        } else {
            format!("a picture has at most {} marks", super::scene::MARKS)
        };
        sentences.push(format!(
            "Only slots {} to {} are drawn ({why}): {before} events before and {behind} behind \
             them are not. --from and --to draw others.",
            slots.0, slots.1
        ));
    }
    let healing = count(&|_, phase| phase == Phase::Heal);
    if healing > 0 && !part.heal {
        sentences.push(format!(
            "The heal phase that follows the last slot ({healing} events, network synchronous) \
             is not drawn; --heal draws it."
        ));
    }
    if run.earlier > 0 {
        sentences.push(format!(
            "Nothing happens in the first {} of schedule.csv: here slot 1 is its slot {}. The \
             schedule was driven from either slot on, and the replicas do the same.",
            crate::words::count(i64::from(run.earlier), "slot"),
            run.earlier + 1
        ));
    }
    if run.instance.protocol.pools() {
        sentences.push(format!(
            "Protocol {} has no network but one pool: what is sent in a slot is seen by all from \
             the next slot on, so there are no arrows.",
            run.instance.protocol
        ));
    }
    sentences
}

/// The class of a mark.
pub(crate) fn class(what: What) -> &'static str {
    match what {
        What::Deliver => "deliver",
        What::HoldBack => "hold-back",
        What::HandOver => "hand-over",
        What::Ignore => "ignore",
        What::Send => "sends",
        What::Recover => "recover",
        What::Timeout => "timeout",
        What::EnterView => "enter-view",
        What::Decide => "decides",
        What::Crash => "crash",
        What::Restart => "restart",
        What::Inject => "inject",
        What::Drop => "drop",
        What::Fault => "fault",
    }
}

/// What a fault is called beside a lane.
pub(crate) fn fault(kind: milp_schema::instance::FaultKind) -> &'static str {
    use milp_schema::instance::FaultKind;
    match kind {
        FaultKind::Network => "network-faulty",
        FaultKind::Crash => "crash-faulty",
        FaultKind::Byzantine => "Byzantine",
    }
}
