//! The interpreter of the file and malachite's driver do the same, act by act; a driver with a mistake
//! in it does not.

mod duel;

use duel::{Counts, Look, duel};
use milp_malachite::{Defect, engine};
use milp_replay::engine::Engine;
use milp_schema::{Protocol, protocol::embedded};

fn driver() -> Box<dyn Engine> {
    Box::new(engine("malachite-driver").expect("it is linked"))
}

/// The file that comes with the program, where the first vote of a sender counts.
fn first() -> Protocol {
    let text = include_str!("../../protocols/tendermint.yaml");
    let text = text.replace("name: tendermint\n", "name: tendermint-first\n");
    let text = text.replace("sent: rule, tally", "sent: rule, counts: first, tally");
    embedded(&text).expect("a sound file")
}

#[test]
fn random_schedules_do_not_tell_the_file_and_the_driver_apart() {
    let look = Look {
        seed: 1,
        steps: 100_000,
        protocol: first(),
        twice: true,
    };
    let mut counts = Counts::new();
    if let Some(found) = duel(&look, &driver, &mut counts) {
        panic!("{counts:#?}\n{found}");
    }
    println!("{counts:#?}");
}
