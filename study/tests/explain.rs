//! Stories of the shipped results: what they say is in the trace, and three of them word by word.

use milp_schema::{
    Message, ReplicaId, Slot,
    instance::FaultKind,
    trace::{Phase, What},
    verdict::Liveness,
    vocabulary::Role,
};
use milp_show::explain::{Crossing, Ending, Fact, Missed, Quorum, Story, Tally, Too};
use milp_study::{confirm::Engine, folder::Driven, show::story};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Folders of kept results below this one, ascending.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(kept(&path));
        } else if path.ends_with("expected.yaml") {
            found.push(folder.to_owned());
        }
    }
    found.sort();
    found
}

fn told(place: &Path) -> Story {
    let driven = Driven::read(place, None).expect("a kept result");
    story(&driven, &Engine::Own).expect("it replays")
}

/// The first slot in which the replica did that, or another one made it a message.
fn first(story: &Story, by: ReplicaId, wanted: &dyn Fn(&Message) -> bool) -> Option<Slot> {
    let mut events = story.trace.iter();
    events
        .find(|event| {
            event.replica == by
                && matches!(event.what, What::Send | What::Inject)
                && event.message.as_ref().is_some_and(wanted)
        })
        .map(|event| event.slot)
}

/// Everybody named sent such a message before, and one of another replica arrived or stands in
/// the pool.
fn check_quorum(story: &Story, quorum: &Quorum) {
    let instance = &story.instance;
    let votes: u32 = quorum.from.iter().map(|id| instance.power_of(*id)).sum();
    // A timer alone may lead on.
    let by_timer = matches!(quorum.of, Tally::Entered(..)) && quorum.from.is_empty();
    assert!(by_timer || votes >= instance.threshold(), "{quorum:?}");
    let pool = instance.protocol.pools();
    let wanted = |message: &Message| {
        let does = message.kind.does();
        let votes = matches!(does.role, Role::Vote | Role::Proposal);
        match quorum.of {
            Tally::Prepared(block) => message.block_id() == Some(block) && votes,
            Tally::Decided(block) => message.block_id() == Some(block) && votes && does.is_final,
            Tally::Entered(height, view) => {
                let asks = does.role == Role::Leave;
                asks && message.height == height && message.view.next() >= view
            }
        }
    };
    for sender in &quorum.from {
        let sent = first(story, *sender, &wanted);
        assert!(
            sent.is_some_and(|sent| sent <= quorum.slot),
            "{sender} in {quorum:?}"
        );
        let arrived = story.trace.iter().any(|event| {
            event.replica == quorum.at
                && event.peer == Some(*sender)
                && matches!(event.what, What::Deliver | What::HandOver)
                && event.slot <= quorum.slot
                && event.message.as_ref().is_some_and(wanted)
        });
        assert!(
            arrived || pool || *sender == quorum.at,
            "{sender} in {quorum:?}"
        );
    }
}

/// It came after what made it useless, and was sent early enough to have come before.
fn check_missed(story: &Story, missed: &Missed) {
    let soonest = missed.sent.0 + story.instance.delays().0;
    assert!(soonest <= missed.too.slot().0, "{missed:?}");
    let did = story.trace.iter().any(|event| {
        event.replica == missed.by
            && event.slot == missed.too.slot()
            && match missed.too {
                Too::Left(_) => event.what == What::EnterView,
                Too::Decided(_) => event.what == What::Decide,
                Too::Asked(_) => event
                    .sent()
                    .is_some_and(|message| message.kind.is(Role::Leave)),
            }
    });
    assert!(did, "{missed:?}");
    let came = story.trace.iter().find(|event| {
        event.replica == missed.by
            && event.peer == Some(missed.from)
            && event.message.as_ref() == Some(&missed.message)
            && matches!(event.what, What::Deliver | What::Ignore)
    });
    let came = came.expect("the copy reaches its receiver at last");
    assert!(came.slot >= missed.too.slot(), "{missed:?}");
    assert_eq!(
        missed.arrived,
        (came.phase == Phase::Schedule).then_some(came.slot),
        "{missed:?}"
    );
}

/// The trace has the request, then the commit, and no step out of the view in between or after.
fn check_crossing(story: &Story, crossing: &Crossing) {
    let view = crossing.block.view;
    let own = || {
        let trace = story.trace.iter();
        trace.filter(|event| event.replica == crossing.who)
    };
    let sent = |kind: &str, slot| {
        own().any(|event| {
            event.slot == slot
                && event
                    .sent()
                    .is_some_and(|message| message.kind.name() == kind && message.view == view)
        })
    };
    assert!(sent("ChangeView", crossing.asked), "{crossing:?}");
    assert!(sent("Commit", crossing.committed), "{crossing:?}");
    assert!(crossing.asked < crossing.committed, "{crossing:?}");
    let left = own().any(|event| event.what == What::EnterView && event.slot >= crossing.asked);
    assert!(!left, "{crossing:?}");
}

#[test]
fn every_shipped_result_has_a_story_whose_facts_are_in_the_trace() {
    let places = kept(&root().join("results"));
    assert!(places.len() >= 25, "{}", places.len());
    let (mut quorums, mut missed, mut forks, mut stuck, mut crossed) = (0, 0, 0, 0, 0);
    let mut counted = 0;
    for place in places {
        let story = told(&place);
        for fact in &story.facts {
            match fact {
                Fact::Quorum(quorum) => {
                    check_quorum(&story, quorum);
                    quorums += 1;
                }
                Fact::Missed(late) => {
                    check_missed(&story, late);
                    missed += 1;
                }
                _ => {}
            }
        }
        match &story.ending {
            Ending::Fork { blocks, both } => {
                forks += 1;
                assert!(blocks.len() >= 2, "{}", place.display());
                for block in &blocks[..2] {
                    let quorum = block.quorum.as_ref();
                    assert!(quorum.is_none_or(|quorum| both.is_subset(&quorum.from)));
                }
            }
            Ending::Stuck {
                too_few,
                crossings,
                silent,
                ..
            } => {
                stuck += 1;
                crossed += crossings.len();
                for crossing in crossings {
                    check_crossing(&story, crossing);
                }
                assert_eq!(story.verdict.termination, Liveness::Stuck);
                // Requests that a Byzantine replica left behind count: that the others ask for
                // recovery only is no matter of counting.
                let left = story.instance.fault_count(FaultKind::Byzantine) > 0;
                assert!(
                    *too_few || left && !silent.is_empty(),
                    "{}: {:?}",
                    place.display(),
                    story.ending
                );
                counted += u32::from(*too_few);
            }
            Ending::Other { .. } => assert_ne!(story.verdict.termination, Liveness::Stuck),
        }
        assert_eq!(story.lines(), told(&place).lines(), "{}", place.display());
    }
    assert!(
        quorums > 100 && missed > 20 && forks >= 3 && counted >= 5 && crossed >= 2,
        "{quorums} quorums, {missed} missed, {forks} forks, {stuck} stuck, {crossed} crossed"
    );
}

#[test]
fn the_stories_of_three_results_word_by_word() {
    for (place, golden) in [
        ("dbft1/n4-delays-fork", "dbft1-n4-delays-fork.txt"),
        ("dbft2/n4-stall-nspcc", "dbft2-n4-stall-nspcc.txt"),
        ("dbft2/n7-stall-nspcc", "dbft2-n7-stall-nspcc.txt"),
    ] {
        let story = told(&root().join("results").join(place));
        let text = story.lines().join("\n") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(golden);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            std::fs::write(&path, &text).expect("it can be written");
        }
        let expected = std::fs::read_to_string(&path).expect("UPDATE=1 writes it");
        assert_eq!(text, expected, "{}: UPDATE=1", path.display());
    }
}

#[test]
fn of_a_file_it_says_what_replicas_hold_and_what_binds_them() {
    let lines = told(&root().join("results/tendermint/n4-wasted-gossip")).lines();
    let of = |replica: &str| {
        let starts = format!("  replica {replica}, in round 2");
        let mut held = lines.iter().filter_map(|line| line.strip_prefix(&starts));
        held.next().expect("a line of what it holds").to_owned()
    };
    // Who is locked, whatever nil it voted for later; who is not.
    assert!(
        of("3").starts_with(", bound by precommit h0 v0 b0: "),
        "{}",
        of("3")
    );
    assert!(of("1").starts_with(": "), "{}", of("1"));
    assert!(
        of("1").contains("; prevote h0 v1 b0 from 1 and 2; "),
        "{}",
        of("1")
    );
}

/// Where somebody has decided, not the height is stuck but who is left.
#[test]
fn who_is_stuck_where_another_decided_is_named() {
    let place = root().join("results/tendermint/n4-no-lock-fork");
    let driven = Driven::read(&place, None).expect("a kept result");
    let engine = Engine::Adapter("malachite".to_owned());
    let told = story(&driven, &engine).expect("it replays");
    assert_eq!(
        told.answer(),
        "Liveness is broken: replicas 2 and 3 can decide no block of height 0 any more, though \
         replica 0 decides h0v0b0, and that stays so after every message has arrived."
    );
}
