//! Lemmas: that a quorum for a value in a view and one for another value in a later view are not there
//! together, proved as a program of its own and then a row.
//!
//! What is done in views after the later one changes nothing of the two, so that the program has the
//! views up to that one, and what it proves holds for just these views of any larger number.

use super::{
    affine::{Affine, one},
    build::{of, part_of},
    program::{Kind, Parametric},
    question::{NAME, Region, numbers, rules_of, setting, unsupported},
    rows::Builder,
};
use crate::{
    error::Error,
    ground::{Beside, Ground, Lemma},
};
use milp_schema::Every;

/// The pairs that may be lemmas: the votes that somebody decides by, and any of another value in a
/// later view; those of earlier views first.
///
/// # Errors
/// As for [`super::of`].
pub fn candidates(every: &Every) -> Result<Vec<Lemma>, Error> {
    let rules = rules_of(&every.instance)?;
    let ground = numbers(&every.instance, &rules)?;
    let single = |pair: &Lemma| pair.iter().all(|it| ground.quorums[*it].records.len() == 1);
    Ok(ground.pairs().into_iter().filter(single).collect())
}

/// The program that asks whether the two quorums of a lemma are there together, with earlier lemmas as
/// rows.
///
/// # Errors
/// As for [`super::of`].
pub fn lemma(
    every: &Every,
    region: &Region,
    earlier: &[Lemma],
    pair: Lemma,
) -> Result<Parametric, Error> {
    let rules = rules_of(&every.instance)?;
    let whole = numbers(&every.instance, &rules)?;
    let view = whole.last_view(pair);
    let mut setting = setting(&every.instance, rules, None);
    setting.views = view + 1;
    setting.primaries.truncate(view as usize + 2);
    let ground = Ground::new(setting, NAME)?;
    let here = |pair: &Lemma| whole.pair_in(&ground, *pair);
    let earlier = earlier.iter().filter(|it| whole.last_view(**it) <= view);
    let earlier: Vec<Lemma> = earlier.filter_map(here).collect();
    let pair = here(&pair)
        .ok_or_else(|| unsupported("quorums that later views change", "ask for fewer views"))?;
    let beside = Beside {
        lemmas: &earlier,
        pair: Some(pair),
    };
    part_of(&every.instance, region, &ground, None, beside)
}

/// The programs of a question with lemmas: those of the lemmas, each with those before it as rows, then
/// as without, the last one with all of them.
///
/// # Errors
/// As for [`super::of`], and where there is no such pair.
pub fn with_lemmas(
    every: &Every,
    region: &Region,
    lemmas: &[Lemma],
) -> Result<Vec<Parametric>, Error> {
    if lemmas.is_empty() {
        return of(every, region);
    }
    let known = candidates(every)?;
    if !lemmas.iter().all(|it| known.contains(it)) {
        return Err(unsupported("a lemma of other quorums", "solve again"));
    }
    let mut programs = Vec::new();
    for (at, pair) in lemmas.iter().enumerate() {
        programs.push(lemma(every, region, &lemmas[..at], *pair)?);
    }
    let mut all = of(every, region)?;
    let rules = rules_of(&every.instance)?;
    let ground = numbers(&every.instance, &rules)?;
    let beside = Beside { lemmas, pair: None };
    all.pop();
    programs.extend(all);
    programs.push(part_of(&every.instance, region, &ground, None, beside)?);
    Ok(programs)
}

impl Builder<'_> {
    /// `open + open ≤ 1`.
    pub(super) fn lemmas(&mut self, lemmas: &[Lemma]) {
        for [first, then] in lemmas {
            let terms = [one(self.open(*first)), one(self.open(*then))];
            let name = format!("lemma_{first}_{then}");
            self.program.at_most(name, terms, Affine::ONE);
        }
    }

    /// The goal is that both are there.
    pub(super) fn pair(&mut self, pair: Lemma) {
        for quorum in pair {
            let open = self.open(quorum);
            debug_assert_eq!(self.program.columns[open].kind, Kind::Binary);
            self.program.goal.push(open);
        }
    }
}
