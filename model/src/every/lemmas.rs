//! Lemmas: that a quorum for a value in a view and one for another value in a later view are not there
//! together, proved as a program of its own and then a row.
//!
//! What is done in views after the later one changes nothing of the two, so that the program has the
//! views up to that one, and what it proves holds for just these views of any larger number.

use super::{
    affine::{Affine, one},
    build::{of, part_of},
    program::{Kind, Parametric},
    question::{Beside, Lemma, NAME, Region, numbers, rules_of, setting, unsupported},
    rows::Builder,
};
use crate::{
    error::Error,
    ground::{Act, Ground, Need, Value},
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
    let decides = |act: &&Act| act.makes.is_some_and(|it| ground.is_final(it.kind));
    let asked = ground.acts.iter().filter(decides).flat_map(Act::asks);
    let asked: Vec<&Need> = asked.collect();
    let decide = |first: &usize| asked.contains(&&Need::Quorum(*first));
    let mut all = Vec::new();
    for (first, one) in ground.quorums.iter().enumerate().filter(|it| decide(&it.0)) {
        for (then, other) in ground.quorums.iter().enumerate() {
            let of = |it: &crate::ground::Quorum| {
                let [record] = it.records[..] else {
                    return None;
                };
                matches!(record.value, Value::Of(_)).then_some((record.view, record.value))
            };
            if let (Some((v, x)), Some((w, y))) = (of(one), of(other))
                && v < w
                && x != y
            {
                all.push(((w, v), [first, then]));
            }
        }
    }
    all.sort_unstable();
    Ok(all.into_iter().map(|it| it.1).collect())
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
    let view = last_view(&whole, pair);
    let mut setting = setting(&every.instance, rules, None);
    setting.views = view + 1;
    setting.primaries.truncate(view as usize + 2);
    let ground = Ground::new(setting, NAME)?;
    let here = |lemma: &Lemma| -> Option<Lemma> {
        let [first, then] = lemma.map(|it| {
            let quorum = &whole.quorums[it];
            let mut all = ground.quorums.iter();
            all.position(|it| it.count == quorum.count && it.records == quorum.records)
        });
        Some([first?, then?])
    };
    let earlier = earlier.iter().filter(|it| last_view(&whole, **it) <= view);
    let earlier: Vec<Lemma> = earlier.filter_map(here).collect();
    let pair = here(&pair)
        .ok_or_else(|| unsupported("quorums that later views change", "ask for fewer views"))?;
    let beside = Beside {
        lemmas: &earlier,
        pair: Some(pair),
        ..Beside::default()
    };
    part_of(&every.instance, region, &ground, None, beside)
}

/// The later view of the two.
fn last_view(ground: &Ground, lemma: Lemma) -> u32 {
    let records = lemma.into_iter().flat_map(|it| &ground.quorums[it].records);
    records.map(|it| it.view).max().unwrap_or(0)
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
    let beside = Beside {
        lemmas,
        ..Beside::default()
    };
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
