//! Searches all states of the replicas of an instance whose protocol file has rules.
//!
//! `cargo run -p milp-replay --example search_file -- INSTANCE [STATES]`, at most 10⁷ states unless
//! another number is given.

#![expect(clippy::print_stdout, reason = "what it is for")]

use milp_replay::search::{Searched, file};
use std::{error::Error, path::Path};

const USAGE: &str = "usage: search_file INSTANCE [STATES]";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, limit) = match &arguments[..] {
        [path] => (path, 10_000_000),
        [path, limit] => (path, limit.parse()?),
        _ => return Err(USAGE.into()),
    };
    let instance = milp_schema::read::instance(Path::new(path))?;
    let Searched {
        value,
        states,
        replicas,
        complete,
        ..
    } = file(&instance, limit)?;
    println!("best value         {value:?}");
    println!("states             {states}");
    println!("of single replicas {replicas}");
    println!("all of them        {complete}");
    Ok(())
}
