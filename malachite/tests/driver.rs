//! The interpreter of the file and malachite's driver do the same, act by act; a driver with a mistake
//! in it does not.

mod duel;

use duel::{
    Act, Counts, Difference, Look, Make, Pair, SWITCHES, Setting, duel, except, first, sound,
    without,
};
use milp_malachite::{Defect, engine, weakened};
use milp_replay::engine::Effect;
use milp_schema::{Height, Instance, Message, Protocol, ReplicaId, Value, View};

fn look(seed: u64, steps: u64) -> Look {
    Look {
        seed,
        steps,
        protocol: first(),
        twice: true,
        except: except("malachite-driver"),
        knows: true,
    }
}

fn found(look: &Look, make: Make) -> Option<Difference> {
    duel(look, make, &mut Counts::new())
}

#[test]
fn random_schedules_do_not_tell_the_file_and_the_driver_apart() {
    let mut counts = Counts::new();
    if let Some(found) = duel(&look(1, 100_000), &sound, &mut counts) {
        panic!("{counts:#?}\n{found}");
    }
    for what in [
        "Byzantine message for an invalid value",
        "crash",
        "decision above view 0",
        "message for a value of an earlier view sent",
        "view above 2 entered",
        "vote for nil sent",
    ] {
        let count = counts.get(what).copied().unwrap_or_default();
        assert!(count >= 50, "{what}: {count} times in {counts:#?}");
    }
}

#[test]
fn nor_the_file_and_malachite_but_for_what_it_drops_and_forgets() {
    let make = || engine("malachite").expect("it is there");
    let look = Look {
        except: except("malachite"),
        knows: false,
        ..look(1, 100_000)
    };
    let mut counts = Counts::new();
    if let Some(found) = duel(&look, &make, &mut counts) {
        panic!("{counts:#?}\n{found}");
    }
    for what in ["decision above view 0", "view above 2 entered"] {
        let count = counts.get(what).copied().unwrap_or_default();
        assert!(count >= 50, "{what}: {count} times in {counts:#?}");
    }
}

/// What malachite's engine does otherwise than the driver, each with the shortest schedule known.
#[test]
fn each_thing_that_malachite_drops_or_forgets_makes_a_difference() {
    let [propose, prevote, precommit] = ["propose", "prevote", "precommit"];
    let make = || engine("malachite").expect("it is there");
    let [first, again, nil] = [block(0), block(1), Value::Nil];
    let differs = |byzantine: &[u32], acts: &[Told]| {
        let byzantine: Vec<ReplicaId> = byzantine.iter().map(|id| ReplicaId(*id)).collect();
        script(self::first(), &make, (&byzantine, false), acts)
    };
    let says = |differs: Option<String>, what: &str| {
        assert!(
            differs.as_ref().is_some_and(|it| it.contains(what)),
            "{what}: {differs:?}"
        );
    };
    // It looks at two proposals of a view, of one value at one; these wait for prevotes that never come.
    let early = Some(View(0));
    let further = |proposals: &[(Value, Option<View>)]| {
        let votes = [1, 3].map(|by| ((2, by, prevote), View(1), nil, None));
        let proposals = proposals.iter();
        let proposals = proposals.map(|(value, of)| ((2, 1, propose), View(1), *value, *of));
        let acts: Vec<Told> = votes.into_iter().chain(proposals).collect();
        differs(&[1, 3], &acts)
    };
    let third = further(&[(first, early), (again, early), (again, None)]);
    says(third, "2 sends prevote h0 v1 b0");
    let same = further(&[(again, early), (again, None)]);
    says(same, "2 sends prevote h0 v1 b0");
    assert_eq!(further(&[(first, early), (again, None)]), None);
    // It drops what is more than ten views ahead.
    let ahead = |view| [0, 1].map(|by| ((2, by, prevote), View(view), nil, None));
    says(differs(&[0, 1], &ahead(11)), "2 enters v11");
    assert_eq!(differs(&[0, 1], &ahead(10)), None);
    // It forgets votes of view 0 with its precommit for a value in view 1.
    let forgotten = [
        ((0, 1, prevote), View(0), first, None),
        ((0, 2, prevote), View(0), first, None),
        ((0, 1, precommit), View(0), first, None),
        ((0, 1, precommit), View(1), nil, None),
        ((0, 2, precommit), View(1), nil, None),
        ((0, 1, propose), View(1), first, Some(View(0))),
        ((0, 1, prevote), View(1), first, None),
        ((0, 2, prevote), View(1), first, None),
        ((0, 3, precommit), View(0), first, None),
    ];
    says(differs(&[1, 2, 3], &forgotten), "0 decides h0v0b0");
}

#[test]
fn each_thing_that_the_driver_does_otherwise_than_the_paper_is_needed() {
    for switch in &SWITCHES[..3] {
        let look = Look {
            protocol: without(&[*switch]),
            ..look(1, 20_000)
        };
        let found = found(&look, &sound);
        assert!(found.is_some(), "{} is no difference", switch.0);
    }
    // Rare at random: who holds a quorum of precommits gets the proposal.
    let [propose, prevote, precommit] = ["propose", "prevote", "precommit"];
    let mut acts = vec![(1, 0, propose), (2, 0, propose)];
    let pairs = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];
    acts.extend(pairs.map(|(to, by)| (to, by, prevote)));
    acts.extend([0, 1, 2].map(|by| (3, by, precommit)));
    acts.push((3, 0, propose));
    let acts = acts.iter().map(|it| (*it, View(0), block(0), None));
    let acts: Vec<Told> = acts.collect();
    let nobody: (&[ReplicaId], bool) = (&[], true);
    let differs = script(without(&SWITCHES[3..]), &sound, nobody, &acts);
    assert!(differs.is_some_and(|it| it.contains("3 sends prevote")));
    assert_eq!(script(first(), &sound, nobody, &acts), None);
    // And whoever is given a bad proposal of a later view, then a good one, then enters it.
    let acts = [
        ((2, 1, propose), View(1), Value::Bad, None),
        ((2, 1, propose), View(1), block(1), None),
        ((2, 1, prevote), View(1), Value::Nil, None),
        ((2, 3, prevote), View(1), Value::Nil, None),
    ];
    let two: [ReplicaId; 2] = [ReplicaId(1), ReplicaId(3)];
    let differs = script(first(), &sound, (&two, true), &acts);
    assert!(differs.is_some_and(|it| it.contains("prevote h0 v1 b0")));
}

/// It may have lost what it sent, so it sends it again.
#[test]
fn who_starts_again_proposes_again() {
    let others = [0, 1, 3].map(ReplicaId);
    let make = || engine("malachite").expect("it is there");
    let setting = setting(first(), &others, false);
    let mut pair = Pair::new(&setting, &make, except("malachite")).expect("they begin alike");
    let [propose, prevote] = ["propose", "prevote"];
    let life = [
        ((2, 1, propose), View(1), block(1), None),
        ((2, 0, prevote), View(1), block(1), None),
        ((2, 1, prevote), View(1), block(1), None),
        ((2, 0, prevote), View(2), block(1), None),
        ((2, 1, prevote), View(2), block(1), None),
    ];
    for _ in 0..2 {
        let mut proposals = 0;
        for told in life {
            let seen = pair
                .step(&deliver(first(), told))
                .expect("they do the same");
            proposals += seen
                .expect("it can be")
                .iter()
                .filter(|it| proposes(it))
                .count();
        }
        assert_eq!(proposals, 1);
        for act in [Act::Crash(ReplicaId(2)), Act::Restart(ReplicaId(2))] {
            pair.step(&act).expect("they do the same");
        }
    }
}

fn proposes(effect: &Effect) -> bool {
    matches!(effect, Effect::Send { message, .. } if message.kind.name() == "propose")
}

/// Receiver, author and kind, view, value, and the earlier view that a proposal names.
type Told = ((u32, u32, &'static str), View, Value, Option<View>);

/// The first value of a view.
fn block(view: u32) -> Value {
    Value::Block {
        view: View(view),
        index: 0,
    }
}

fn deliver(protocol: Protocol, ((to, by, kind), view, value, justification): Told) -> Act {
    let message = Message {
        kind: protocol.the(kind),
        height: Height(0),
        view,
        value: Some(value),
        justification,
    };
    Act::Deliver(ReplicaId(to), ReplicaId(by), message)
}

/// Four replicas.
fn setting(protocol: Protocol, byzantine: &[ReplicaId], knows: bool) -> Setting {
    Setting {
        instance: Instance {
            protocol,
            ..Instance::builder("tendermint").build()
        },
        byzantine: byzantine.to_vec(),
        knows,
    }
}

/// What differs of four replicas, told one after another; also of what they know, if that is asked.
fn script(
    protocol: Protocol,
    make: Make,
    (byzantine, knows): (&[ReplicaId], bool),
    acts: &[Told],
) -> Option<String> {
    let setting = setting(protocol, byzantine, knows);
    let mut pair = Pair::new(&setting, make, &[]).expect("they begin alike");
    acts.iter().find_map(|told| {
        let act = deliver(protocol, *told);
        let step = pair.step(&act);
        assert_ne!(step, Ok(None), "{act} cannot be");
        step.err()
    })
}

#[test]
fn a_driver_with_a_mistake_is_caught() {
    for defect in [Defect::SmallQuorum, Defect::ForgetsLock] {
        let found = found(&look(1, 100_000), &|| weakened(defect));
        assert!(found.is_some(), "{defect:?} is not noticed");
    }
}
