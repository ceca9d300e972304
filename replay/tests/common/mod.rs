//! What the tests of this folder share: instances and rows in a few words.
#![allow(dead_code, reason = "each test file uses its part")]

use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures, replay};
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, Schedule, Slot, View,
    instance::{Fault, FaultKind, Network, Who},
    schedule::{Choice, Copy},
};

pub(crate) const OWN: Options = Options {
    protocol: Protocol::Own,
    compare: true,
    foreign: false,
    signatures: Signatures::Symbolic,
    recovery: Recovery::Ideal,
};

/// n replicas, one height, no faults, asynchronous, free timers.
pub(crate) fn instance(protocol: &str, replicas: u32, views: u32, slots: u32) -> Instance {
    Instance::builder(protocol)
        .replicas(replicas)
        .views(views)
        .slots(slots)
        .network(Network::Asynchronous)
        .build()
}

pub(crate) fn any(kind: FaultKind, count: u32) -> Fault {
    Fault {
        kind,
        who: Who::Any(count),
    }
}

/// A kind of dBFT, or `Gossip`, which no shipped protocol has.
fn kind(name: &str) -> Kind {
    let words = include_str!("../../../protocols/dbft2.yaml");
    let gossip = || {
        let words = words.replace("kind: RecoveryRequest", "kind: Gossip");
        let protocol = milp_schema::Protocol::of_text(&words).expect("a sound vocabulary");
        protocol.kind(name)
    };
    let known = milp_schema::Protocol::shipped("dbft2").kind(name);
    known.or_else(gossip).expect("a known kind")
}

/// `PrepareRequest v0 b0` or `ChangeView v0`, at height 0.
pub(crate) fn message(text: &str) -> Message {
    let mut words = text.split(' ');
    let kind = kind(words.next().expect("a kind"));
    let number = |word: &str| word[1..].parse::<u32>().expect("a letter and a number");
    let view = words.next().map(number).expect("a view");
    let block = words.next().map(number);
    Message::new(kind, Height(0), View(view), block)
}

pub(crate) fn copy(sent: u32, sender: u32, receiver: u32, text: &str) -> Copy {
    let (sender, receiver) = (ReplicaId(sender), ReplicaId(receiver));
    Copy {
        sender,
        receiver,
        message: message(text),
        sent: Slot(sent),
        copy: 0,
    }
}

pub(crate) fn deliver(slot: u32, sent: u32, sender: u32, receiver: u32, text: &str) -> Choice {
    Choice::Deliver {
        slot: Slot(slot),
        copy: copy(sent, sender, receiver, text),
    }
}

pub(crate) fn drop_copy(slot: u32, sent: u32, sender: u32, receiver: u32, text: &str) -> Choice {
    Choice::Drop {
        slot: Slot(slot),
        copy: copy(sent, sender, receiver, text),
    }
}

pub(crate) fn inject(slot: u32, sender: u32, receiver: u32, text: &str) -> Choice {
    Choice::Inject {
        copy: copy(slot, sender, receiver, text),
    }
}

pub(crate) fn timeout(slot: u32, replica: u32, view: u32) -> Choice {
    let (replica, view) = (ReplicaId(replica), View(view));
    Choice::Timeout {
        slot: Slot(slot),
        replica,
        timer: "view",
        height: Height(0),
        view,
    }
}

pub(crate) fn crash(slot: u32, replica: u32) -> Choice {
    Choice::Crash {
        slot: Slot(slot),
        replica: ReplicaId(replica),
    }
}

pub(crate) fn restart(slot: u32, replica: u32, backup: bool) -> Choice {
    Choice::Restart {
        slot: Slot(slot),
        replica: ReplicaId(replica),
        backup,
    }
}

/// Replays choices for which nothing is predicted, so that only the choices can diverge.
pub(crate) fn play(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    choices: Vec<Choice>,
    options: &Options,
) -> Replayed {
    let schedule = Schedule {
        choices,
        predictions: Vec::new(),
    };
    replay(instance, faulty, &schedule, options).expect("good input")
}
