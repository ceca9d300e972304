//! The interpreter of the file against malachite's driver for as many acts as one likes:
//! `cargo run --example duel -p milp-malachite -- STEPS SEED`.

#[path = "../tests/duel/mod.rs"]
mod duel;

use duel::{Counts, EXCEPT, Look, duel, first, sound};

#[expect(clippy::print_stdout, reason = "it prints its counts")]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        let given = arguments.next();
        given.map_or(Ok(default), |it| it.parse::<u64>())
    };
    let (Ok(steps), Ok(seed)) = (number(10_000_000), number(1)) else {
        println!("two numbers: how many acts, and the seed");
        return;
    };
    let look = Look {
        seed,
        steps,
        protocol: first(),
        twice: true,
        except: EXCEPT,
    };
    let mut counts = Counts::new();
    let found = duel(&look, &sound, &mut counts);
    println!("{steps} acts, seed {seed}: {counts:#?}");
    match found {
        None => println!("no difference"),
        Some(found) => println!("{found}"),
    }
}
