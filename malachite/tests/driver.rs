//! The interpreter of the file and malachite's driver do the same, act by act; a driver with a mistake
//! in it does not.

mod duel;

use duel::{
    Act, Counts, Difference, EXCEPT, Look, Make, Pair, SWITCHES, Setting, duel, first, sound,
    without,
};
use milp_malachite::{Defect, weakened};
use milp_schema::{Height, Instance, Message, Protocol, ReplicaId, Value, View};

fn look(seed: u64, steps: u64) -> Look {
    Look {
        seed,
        steps,
        protocol: first(),
        twice: true,
        except: EXCEPT,
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
    let value = Value::Block {
        view: View(0),
        index: 0,
    };
    let acts = acts.iter().map(|it| (*it, View(0), value));
    let acts: Vec<_> = acts.collect();
    let differs = script(without(&SWITCHES[3..]), &[], &acts);
    assert!(differs.is_some_and(|it| it.contains("3 sends prevote")));
    assert_eq!(script(first(), &[], &acts), None);
    // And whoever is given a bad proposal of a later view, then a good one, then enters it.
    let good = Value::Block {
        view: View(1),
        index: 0,
    };
    let acts = [
        ((2, 1, propose), View(1), Value::Bad),
        ((2, 1, propose), View(1), good),
        ((2, 1, prevote), View(1), Value::Nil),
        ((2, 3, prevote), View(1), Value::Nil),
    ];
    let differs = script(first(), &[ReplicaId(1), ReplicaId(3)], &acts);
    assert!(differs.is_some_and(|it| it.contains("prevote h0 v1 b0")));
}

/// What differs of four replicas, told one after another: receiver, author and kind, view, value.
fn script(
    protocol: Protocol,
    byzantine: &[ReplicaId],
    acts: &[((u32, u32, &str), View, Value)],
) -> Option<String> {
    let setting = Setting {
        instance: Instance {
            protocol,
            ..Instance::builder("tendermint").build()
        },
        byzantine: byzantine.to_vec(),
        knows: true,
    };
    let mut pair = Pair::new(&setting, &sound, &[]).expect("they begin alike");
    let mut acts = acts.iter();
    acts.find_map(|&((to, by, kind), view, value)| {
        let message = Message {
            kind: protocol.the(kind),
            height: Height(0),
            view,
            value: Some(value),
            justification: None,
        };
        let act = Act::Deliver(ReplicaId(to), ReplicaId(by), message);
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
