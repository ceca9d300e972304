//! `milp resilience`: under which conditions on n, f and b no two blocks are decided.

use crate::{document, exit, limits::Limits, print, stop};
use milp_schema::read;
use milp_study::{Error, resilience::resilience};
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// The question.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file with `replicas: any`
    file: PathBuf,
    #[command(flatten)]
    limits: Limits,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// a, c and k of each condition n ≥ a·f + c·b + k that was proved.
    conditions: Vec<[i64; 3]>,
    /// Pairs of n and b, with f = ⌊(n − 1)/3⌋, that were solved by themselves.
    pairs: usize,
    /// Those that the conditions do not tell from the others.
    untold: Vec<[u32; 2]>,
    /// All of it in words.
    sentence: String,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let every = read::every(&args.file)?.ok_or_else(|| {
        let file = args.file.display();
        Error::Refused(format!(
            "{file} asks for one number of replicas: write `replicas: any`"
        ))
    })?;
    let interrupt = stop::interrupt();
    let found = resilience(&every, &args.limits.settings(), &interrupt)?;
    let mut of_n: BTreeMap<u32, Vec<(u32, Option<bool>)>> = BTreeMap::new();
    for ([n, b], forks) in &found.pairs {
        of_n.entry(*n).or_default().push((*b, *forks));
    }
    let numbers = |all: &[(u32, Option<bool>)], forks: Option<bool>| {
        let those = all.iter().filter(|it| it.1 == forks);
        let those = those.map(|it| it.0.to_string());
        those.collect::<Vec<_>>().join(" ")
    };
    print::rows(
        ["n", "1 block at most with b =", "2 blocks with b =", "open"],
        of_n.iter().map(|(n, all)| {
            [
                n.to_string(),
                numbers(all, Some(false)),
                numbers(all, Some(true)),
                numbers(all, None),
            ]
        }),
        &[0],
    );
    print::line(&found.sentence);
    let untold: Vec<[u32; 2]> = found.untold().collect();
    let exact = untold.is_empty() && !found.conditions.is_empty();
    document::result(&Found {
        conditions: found.conditions.iter().map(|it| it.0).collect(),
        pairs: found.pairs.len(),
        untold,
        sentence: found.sentence,
    });
    Ok(if exact { exit::DONE } else { exit::UNPROVED })
}
