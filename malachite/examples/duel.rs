//! The interpreter of the file against an engine for as many acts as one likes:
//! `cargo run --example duel -p milp-malachite -- STEPS SEED ENGINE`.

#[path = "../tests/duel/mod.rs"]
mod duel;

use duel::{Counts, Look, duel, except, first, sound};
use milp_malachite::engine;

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
    let name = std::env::args().nth(3);
    let name = name.unwrap_or_else(|| "malachite-driver".to_owned());
    let look = Look {
        seed,
        steps,
        protocol: first(),
        twice: true,
        except: except(&name),
        // The production engine forgets what it does not need any more.
        knows: name == "malachite-driver",
    };
    let Some(_) = engine(&name) else {
        println!("there is no engine {name}");
        return;
    };
    let make = || engine(&name).unwrap_or_else(sound);
    let mut counts = Counts::new();
    let found = duel(&look, &make, &mut counts);
    println!("{steps} acts, seed {seed}: {counts:#?}");
    match found {
        None => println!("no difference"),
        Some(found) => println!("{found}"),
    }
}
