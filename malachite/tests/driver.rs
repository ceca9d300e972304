//! The interpreter of the file and malachite's driver do the same, act by act; a driver with a mistake
//! in it does not.

mod duel;

use duel::{Counts, Difference, EXCEPT, Except, Look, Make, duel, first, sound};
use milp_malachite::{Defect, engine};
use milp_replay::engine::Engine;
use milp_schema::Protocol;

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
fn what_the_driver_does_otherwise_than_the_paper_is_found() {
    let paper = Look {
        protocol: Protocol::shipped("tendermint"),
        ..look(1, 100_000)
    };
    let found_it = found(&paper, &sound).expect("votes count otherwise");
    assert!(found_it.acts.len() <= 12, "{found_it}");
    for except in EXCEPT {
        let others: Vec<Except> = EXCEPT.iter().copied().filter(|it| it != except).collect();
        let look = Look {
            except: others.leak(),
            ..look(1, 1_000_000)
        };
        assert!(
            found(&look, &sound).is_some(),
            "{except:?} is no difference"
        );
    }
}

#[test]
fn a_driver_with_a_mistake_is_caught() {
    for defect in [Defect::SmallQuorum, Defect::ForgetsLock] {
        let weak = || -> Box<dyn Engine> {
            let sound = engine("malachite-driver").expect("it is linked");
            Box::new(sound.with_defect(defect))
        };
        let found = found(&look(1, 100_000), &weak);
        let found = found.unwrap_or_else(|| panic!("{defect:?} is not noticed"));
        println!("{defect:?}: {found}");
    }
}
