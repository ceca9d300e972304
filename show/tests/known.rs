//! What replicas know at every moment of a trace, on traces written by hand.

use milp_schema::{
    BlockId, Height, Instance, Message, Protocol, ReplicaId, Slot, TraceEvent, View,
    instance::Goal,
    trace::{Phase, What},
};
use milp_show::{
    known::{self, Knowledge, Known},
    words::{self, Does, Votes},
};
use std::collections::BTreeSet;

fn instance(protocol: &str) -> Instance {
    let asked = Instance::builder(protocol).slots(8);
    asked.goal(Goal::Stall).build()
}

fn said(does: Does, view: u32) -> Message {
    let asks = does == Does::Leaves;
    let kind = words::kind_that(Protocol::shipped("dbft2"), does);
    Message::new(kind, Height(0), View(view), (!asks).then_some(0))
}

fn preparations() -> Votes {
    words::leading(Protocol::shipped("dbft2")).expect("it has such votes")
}

fn senders(
    replica: &Knowledge,
    votes: Votes,
    block: BlockId,
    enough: usize,
) -> BTreeSet<ReplicaId> {
    let (view, who) = replica.senders(votes, block, &|who| who.len() >= enough);
    assert_eq!(view, block.view);
    who
}

fn commits() -> Votes {
    words::decisive(Protocol::shipped("dbft2")).expect("it has such votes")
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
    assert_eq!(senders(replica, preparations(), BLOCK, 0), who(&[0, 1, 2]));
    assert_eq!(senders(replica, commits(), BLOCK, 0), who(&[1]));
    assert_eq!(replica.bound[&Height(0)], BLOCK);
    let nothing = senders(known.of(ReplicaId(2)), preparations(), BLOCK, 0);
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
    assert_eq!(senders(replica, preparations(), BLOCK, 1), who(&[0]));
    assert_eq!(senders(replica, preparations(), BLOCK, 2), who(&[0, 2]));
    assert_eq!(replica.asked[&(Height(0), View(0))], Slot(3));
    assert_eq!(replica.wants, Some(View(1)));
}

#[test]
fn in_a_pool_all_have_from_the_next_slot_on_what_anybody_sent() {
    let instance = instance("dbft2-tla");
    let mut known = Known::new(&instance);
    known.event(&sends(2, 0, Does::Proposes));
    let has = |known: &Known| senders(known.of(ReplicaId(3)), preparations(), BLOCK, 0);
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
fn every_kind_is_drawn_in_its_own_way_and_counted_as_its_file_says() {
    for protocol in Protocol::all() {
        let kinds = protocol.kinds().collect::<Vec<_>>();
        let styles = kinds.iter().map(|kind| words::style([*kind]));
        let styles = styles.collect::<BTreeSet<_>>();
        assert_eq!(styles.len(), kinds.len(), "{protocol}");
        for kind in kinds {
            let class = format!(".milp .{} ", words::class(kind));
            assert!(words::style([kind]).contains(&class), "{protocol}, {kind}");
            let votes = words::votes(kind).map(words::Votes::name);
            let does = kind.does();
            assert_eq!(does.tally.as_deref(), votes, "{protocol}, {kind}");
        }
    }
}
