//! What replicas know at every moment of a trace, on traces written by hand.

use milp_schema::{
    BlockId, Height, Instance, Kind, Message, Protocol, ReplicaId, Slot, TraceEvent, View,
    instance::Goal,
    trace::{Phase, What},
    vocabulary::Sent,
};
use milp_show::{
    known::{self, Known},
    words::{self, COMMITS, Does, KINDS, PREPARATIONS},
};
use std::collections::BTreeSet;

fn instance(protocol: &str) -> Instance {
    let asked = Instance::builder(protocol).slots(8);
    asked.goal(Goal::Stall).build()
}

fn said(does: Does, view: u32) -> Message {
    let asks = does == Does::Leaves;
    let kind = words::kind_that(does);
    Message::new(kind, Height(0), View(view), (!asks).then_some(0))
}

fn at(slot: u32, replica: u32, what: What) -> TraceEvent {
    TraceEvent::at(Slot(slot), ReplicaId(replica), what)
}

fn sends(slot: u32, replica: u32, does: Does) -> TraceEvent {
    TraceEvent {
        message: Some(said(does, 0)),
        ..at(slot, replica, What::Send)
    }
}

fn takes(slot: u32, replica: u32, from: u32, does: Does) -> TraceEvent {
    TraceEvent {
        message: Some(said(does, 0)),
        peer: Some(ReplicaId(from)),
        ..at(slot, replica, What::Deliver)
    }
}

fn enters(slot: u32, replica: u32, view: u32) -> TraceEvent {
    TraceEvent {
        place: Some((Height(0), View(view))),
        ..at(slot, replica, What::EnterView)
    }
}

const BLOCK: BlockId = BlockId {
    height: Height(0),
    view: View(0),
    index: 0,
};

fn who(replicas: &[u32]) -> BTreeSet<ReplicaId> {
    replicas.iter().copied().map(ReplicaId).collect()
}

#[test]
fn votes_are_had_from_their_senders_and_from_oneself() {
    let instance = instance("dbft2");
    let trace = [
        takes(2, 1, 0, Does::Proposes),
        sends(2, 1, Does::Answers),
        takes(3, 1, 2, Does::Answers),
        sends(3, 1, Does::Binds),
    ];
    let known = Known::after(&instance, &trace);
    let replica = known.of(ReplicaId(1));
    assert_eq!(replica.senders(PREPARATIONS, BLOCK, 0), who(&[0, 1, 2]));
    assert_eq!(replica.senders(COMMITS, BLOCK, 0), who(&[1]));
    assert_eq!(replica.bound[&Height(0)], BLOCK);
    let nothing = known.of(ReplicaId(2)).senders(PREPARATIONS, BLOCK, 0);
    assert_eq!(nothing, who(&[]), "a sending tells its receivers nothing");
}

#[test]
fn an_answer_after_the_own_request_to_leave_counts_only_where_others_do_not_suffice() {
    let instance = instance("dbft2");
    let trace = [
        takes(2, 1, 0, Does::Proposes),
        sends(3, 1, Does::Leaves),
        takes(4, 1, 2, Does::Answers),
    ];
    let known = Known::after(&instance, &trace);
    let replica = known.of(ReplicaId(1));
    assert_eq!(replica.senders(PREPARATIONS, BLOCK, 1), who(&[0]));
    assert_eq!(replica.senders(PREPARATIONS, BLOCK, 2), who(&[0, 2]));
    assert_eq!(replica.asked[&(Height(0), View(0))], Slot(3));
    assert_eq!(replica.wants, Some(View(1)));
}

#[test]
fn in_a_pool_all_have_from_the_next_slot_on_what_anybody_sent() {
    let instance = instance("dbft2-tla");
    let mut known = Known::new(&instance);
    known.event(&sends(2, 0, Does::Proposes));
    let has = |known: &Known| known.of(ReplicaId(3)).senders(PREPARATIONS, BLOCK, 0);
    known.begin(Slot(2));
    assert_eq!(has(&known), who(&[]));
    known.begin(Slot(3));
    assert_eq!(has(&known), who(&[0]));
}

#[test]
fn requests_to_leave_outlast_a_view_unless_the_rule_set_forgets_them() {
    for (protocol, left) in [("dbft2", &[0, 2][..]), ("dbft2-nspcc", &[])] {
        let instance = instance(protocol);
        let trace = [
            takes(2, 1, 0, Does::Leaves),
            takes(2, 1, 2, Does::Leaves),
            enters(2, 1, 1),
        ];
        let known = Known::after(&instance, &trace);
        let replica = known.of(ReplicaId(1));
        assert_eq!(replica.asking(Height(0), View(1)), who(left), "{protocol}");
        assert_eq!(replica.place, (Height(0), View(1)));
        assert_eq!(replica.view(Height(0)), View(1));
    }
}

#[test]
fn a_decision_leads_to_the_next_height_where_nothing_of_the_last_one_counts() {
    let instance = instance("dbft2");
    let decides = TraceEvent {
        message: Some(said(Does::Publishes, 0)),
        ..at(5, 1, What::Decide)
    };
    let trace = [
        takes(2, 1, 0, Does::Proposes),
        enters(3, 1, 1),
        at(4, 1, What::Crash),
        at(4, 1, What::Restart),
        decides,
    ];
    let known = Known::after(&instance, &trace);
    let replica = known.of(ReplicaId(1));
    assert_eq!(replica.place, (Height(1), View(0)));
    assert_eq!(replica.decided_at(Height(0)), Some((BLOCK, Slot(5))));
    assert_eq!(replica.held().count(), 0);
    assert!(replica.stopped && !replica.down);
}

#[test]
fn what_was_done_is_of_the_schedule_only() {
    let healed = TraceEvent {
        phase: Phase::Heal,
        ..sends(9, 2, Does::Binds)
    };
    let trace = [
        takes(2, 1, 0, Does::Proposes),
        sends(2, 1, Does::Answers),
        healed,
    ];
    let done = known::done(&trace).collect::<Vec<_>>();
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].replica, ReplicaId(1));
}

#[test]
fn every_kind_has_a_word_and_every_class_a_style() {
    let style = include_str!("../src/report/diagram.css");
    let classes = KINDS.map(|word| word.class).into_iter();
    let classes = classes.collect::<BTreeSet<_>>();
    assert_eq!(classes.len(), KINDS.len(), "classes tell kinds apart");
    for class in classes.into_iter().chain(["k-other"]) {
        assert!(style.contains(&format!(".milp .{class} ")), "{class}");
    }
    for protocol in Protocol::all() {
        for kind in protocol.kinds() {
            let (said, word) = (protocol.of(kind).unwrap(), words::word(&kind));
            assert_eq!(said.mark.letters, word.letters, "{protocol}, {kind}");
            let votes = word.votes.map(words::Votes::name);
            assert_eq!(said.does.tally.as_deref(), votes, "{protocol}, {kind}");
            let timed = said.does.sent == Sent::Timer;
            assert_eq!(timed, word.does.by_timer(), "{protocol}, {kind}");
        }
    }
    for kind in Kind::NAMED {
        assert_eq!(words::word(&kind).kind(), kind);
        assert_ne!(words::word(&kind).class, "k-other");
    }
    let text = include_str!("../../protocols/dbft2.yaml");
    let text = text.replace("kind: Commit\n", "kind: NewView\n");
    let protocol = Protocol::of_text(&text).expect("a vocabulary");
    let unknown = protocol.kind("NewView").expect("it has the kind");
    assert_eq!(words::word(&unknown).letters, "NewView");
}
