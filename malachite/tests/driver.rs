//! The interpreter of the file and malachite's driver do the same, act by act; a driver with a mistake
//! in it does not.

mod duel;

use duel::{Counts, Difference, EXCEPT, Except, Look, Make, SWITCHES, duel, first, sound, without};
use milp_malachite::{Defect, weakened};

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
    for switch in SWITCHES {
        let look = Look {
            protocol: without(switch),
            ..look(1, 300_000)
        };
        let found = found(&look, &sound);
        let found = found.unwrap_or_else(|| panic!("{} is no difference", switch.0));
        println!("{}: {found}", switch.0);
    }
    for except in EXCEPT {
        let others: Vec<Except> = EXCEPT.iter().copied().filter(|it| it != except).collect();
        let look = Look {
            except: others.leak(),
            ..look(1, 1_000_000)
        };
        let found = found(&look, &sound);
        let found = found.unwrap_or_else(|| panic!("{except:?} is no difference"));
        println!("{except:?}: {found}");
    }
}

#[test]
fn a_driver_with_a_mistake_is_caught() {
    for defect in [Defect::SmallQuorum, Defect::ForgetsLock] {
        let found = found(&look(1, 100_000), &|| weakened(defect));
        let found = found.unwrap_or_else(|| panic!("{defect:?} is not noticed"));
        println!("{defect:?}: {found}");
    }
}
