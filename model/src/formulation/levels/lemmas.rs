//! Lemmas: that a quorum for a value in a view and one for another value in a later view are not there
//! together, proved as a program of its own and then a row (`docs/MODEL.md`).

use super::{
    Built, VALUES,
    columns::{Key, Levels, most_byzantine},
    goal, of_ground, refuse, setting, valid,
};
use crate::{
    error::Error,
    expr::Expr,
    ground::{Act, Beside, Ground, Lemma, Meet, Need, Record, Setting, Value, adopts},
    limits::{self, Grows},
    program::Tag,
};
use milp_schema::{
    Instance,
    instance::{Goal, Sense},
    protocol::{Guard, Rule, Rules, Scope, Views},
};
use std::collections::{BTreeMap, BTreeSet};

/// A question whose program may have lemmas.
#[derive(Debug)]
pub struct Question {
    instance: Instance,
    whole: Ground,
}

impl Question {
    /// The question, with as many values as [`super::of`] gives it; none where what is done in a view may
    /// depend on later ones, so that a lemma might not hold.
    ///
    /// # Errors
    /// As for [`super::of`].
    pub fn of(instance: &Instance) -> Result<Option<Self>, Error> {
        let Some(rules) = instance.rules() else {
            return Ok(None);
        };
        refuse::refuse(instance, &rules)?;
        if instance.goal != Goal::Fork || !is_told_by_views(&rules) {
            return Ok(None);
        }
        let whole = Ground::new(setting(instance, rules, VALUES), "levels")?;
        Ok(Some(Self {
            instance: instance.clone(),
            whole,
        }))
    }

    /// The pairs that may be lemmas, in the order in which they are tried: but those whose later quorum
    /// Byzantine replicas are by themselves, or that needs another one for its value in its view.
    pub fn pairs(&self) -> Vec<Lemma> {
        let most = self.byzantine();
        let meet = Meet::new(&self.whole, most, |_| true);
        let behind: BTreeMap<usize, BTreeSet<usize>> = meet.parents().into_iter().collect();
        let says = |it: usize| self.whole.says(it);
        let follows = |it: usize| {
            let same = |behind: &BTreeSet<usize>| behind.iter().all(|of| says(*of) == says(it));
            behind.get(&it).is_some_and(same)
        };
        let some = |it: &Lemma| self.whole.quorums[it[1]].at_least > most && !follows(it[1]);
        self.whole.pairs().into_iter().filter(some).collect()
    }

    /// The program of the views up to the later one of a pair whose goal is the two quorums, with
    /// earlier lemmas as rows; none where its acts are not those of the question.
    ///
    /// # Errors
    /// As for [`super::of_with`].
    pub fn lemma(&self, earlier: &[Lemma], pair: Lemma) -> Result<Option<Built>, Error> {
        let view = self.whole.last_view(pair);
        let setting = Setting {
            views: view + 1,
            primaries: self.whole.setting.primaries[..view as usize + 2].to_vec(),
            ..self.whole.setting.clone()
        };
        let ground = Ground::new(setting, "levels")?;
        let Some(pair) = self.whole.pair_in(&ground, pair) else {
            return Ok(None);
        };
        if !self.is_part(&ground) {
            return Ok(None);
        }
        let here = |it: &Lemma| self.whole.pair_in(&ground, *it);
        let earlier: Vec<Lemma> = earlier.iter().filter_map(here).collect();
        let instance = Instance {
            views: view + 1,
            ..self.instance.clone()
        };
        limits::within(&instance, Grows::WithoutSlots, || {
            let beside = Beside {
                lemmas: &earlier,
                pair: Some(pair),
            };
            of_ground(&instance, ground, beside).map(Some)
        })
    }

    /// The most voting power that is Byzantine.
    pub fn byzantine(&self) -> u32 {
        most_byzantine(&self.instance, &self.whole)
    }

    /// How many views the program of a lemma has.
    pub fn views(&self, pair: Lemma) -> u32 {
        self.whole.last_view(pair) + 1
    }

    /// A pair in words: how many senders of which records, and of which others.
    pub fn words(&self, pair: Lemma) -> String {
        let rules = &self.whole.setting.rules;
        let record = |it: &Record| {
            let value = match it.value {
                Value::Of(x) => format!(", {x}"),
                _ => String::new(),
            };
            let justified = it.justification.map_or(String::new(), |c| format!(", {c}"));
            format!(
                "{}({}{value}{justified})",
                rules.kind(it.kind).name,
                it.view
            )
        };
        let quorum = |number: usize| {
            let quorum = &self.whole.quorums[number];
            let records: Vec<String> = quorum.records.iter().map(record).collect();
            format!("{} {}", quorum.at_least, records.join("|"))
        };
        let [first, then] = pair.map(quorum);
        format!("{first} and {then}")
    }

    /// Whether all that can be done in the views of a part is what the question has there.
    fn is_part(&self, part: &Ground) -> bool {
        let need = |need: &Need| match need {
            Need::Quorum(number) => {
                let [number, _] = self.whole.pair_in(part, [*number; 2])?;
                Some(Need::Quorum(number))
            }
            other => Some(other.clone()),
        };
        let here = |act: &Act| {
            let mut here = act.clone();
            for it in &mut here.needs {
                *it = need(it)?;
            }
            for proof in &mut here.proofs {
                (proof.of, proof.with) = (need(&proof.of)?, need(&proof.with)?);
            }
            Some(here)
        };
        let views = part.setting.views;
        let within = |acts: &[Act], of_part: &[Act], views: u32| {
            let acts = acts.iter().filter(|act| act.letters.v < views);
            acts.map(here).eq(of_part.iter().cloned().map(Some))
        };
        within(&self.whole.acts, &part.acts, views)
            && within(&self.whole.entries, &part.entries, views + 1)
    }

    /// The program of the question with lemmas as rows.
    ///
    /// # Errors
    /// As for [`super::of_with`].
    pub fn with(&self, lemmas: &[Lemma]) -> Result<Built, Error> {
        let ground = self.whole.clone();
        limits::within(&self.instance, Grows::WithoutSlots, || {
            let beside = Beside { lemmas, pair: None };
            of_ground(&self.instance, ground, beside)
        })
    }
}

/// Whether what is done in a view cannot depend on later ones: only decisions are made by who may be
/// in a later view, of votes of their own view, and values are unrelated.
fn is_told_by_views(rules: &Rules) -> bool {
    let own_view = |guard: &Guard| guard.pattern.view == Views::Own;
    let decides = |rule: &Rule| {
        let adopts = adopts(rules, rule);
        rule.makes() == Some(rules.final_kind()) && (adopts || rule.guards().all(own_view))
    };
    let of_any_view = |rule: &&Rule| rule.scope == Scope::Height;
    !rules.chain && rules.rules.iter().filter(of_any_view).all(decides)
}

/// How far what is behind quorums is followed.
const FAR: usize = 4;

/// What is known of quorums that are not there together.
struct Apart<'a> {
    meet: Meet<'a>,
    lemmas: &'a [Lemma],
    /// A quorum each, and those of which one is there if it is.
    behind: BTreeMap<usize, BTreeSet<usize>>,
}

impl<'a> Apart<'a> {
    fn of(levels: &'a Levels, lemmas: &'a [Lemma]) -> Self {
        let meet = valid::meet(levels);
        let behind = meet.parents().into_iter().collect();
        Self {
            meet,
            lemmas,
            behind,
        }
    }

    /// Whether two quorums are never there together: by a lemma or an honest sender of both, of the two or
    /// of those behind them.
    fn holds(&self, one: usize, other: usize) -> bool {
        let behind = |set: &BTreeSet<usize>| -> Option<BTreeSet<usize>> {
            let sets = set.iter().map(|it| self.behind.get(it));
            let sets: Vec<&BTreeSet<usize>> = sets.collect::<Option<_>>()?;
            Some(sets.into_iter().flatten().copied().collect())
        };
        let sets = |it: usize| {
            let first = Some(BTreeSet::from([it]));
            std::iter::successors(first, behind).take(FAR)
        };
        let known = |one: usize, other: usize| {
            let pairs = [[one, other], [other, one]];
            pairs.iter().any(|it| self.lemmas.contains(it)) || self.meet.apart(one, other)
        };
        sets(one).any(|ones| {
            sets(other).any(|others| {
                let mut pairs = ones
                    .iter()
                    .flat_map(|one| others.iter().map(move |it| (*one, *it)));
                pairs.all(|(one, other)| known(one, other))
            })
        })
    }
}

/// `complete + complete ≤ 1` of each lemma, and what follows from them.
pub(super) fn state(levels: &mut Levels, Beside { lemmas, pair }: Beside<'_>) {
    for pair in lemmas {
        let family = levels.draft.family("lemma", "E6", &[], Tag::Lemma);
        let [first, then] = pair;
        let both = both(levels, *pair);
        levels.at_most(family, &format!("_{first}_{then}"), both, 1.into());
    }
    match pair {
        Some(pair) => ask(levels, lemmas, pair),
        None if !lemmas.is_empty() => decisions(levels, lemmas),
        None => {}
    }
}

/// The goal is that both are there. Behind the later one is an honest sender, and one of both, who needed other
/// quorums: if possible such as are not there beside the earlier one.
fn ask(levels: &mut Levels, lemmas: &[Lemma], pair: Lemma) {
    levels.draft.objective = (Sense::Maximize, both(levels, pair));
    let [first, then] = pair;
    let apart = Apart::of(levels, lemmas);
    let asked = |it: &usize| levels.draft.col(&Key::Complete(*it)).is_some();
    let others = (0..levels.ground.quorums.len()).filter(|it| ![first, then].contains(it));
    let excluded = others.filter(|it| asked(it) && apart.holds(first, *it));
    let excluded: BTreeSet<usize> = excluded.collect();
    let meet = valid::meet(levels).without(excluded.clone());
    let (behind, thirds) = (meet.behind(then), meet.beside(first, then));
    let shown = [
        ("lemma_requires_quorum", levels.complete(then), 0, behind),
        ("lemma_requires_sender", both(levels, pair), 1, thirds),
    ];
    for (name, left, known, quorums) in shown {
        let Some(quorums) = quorums else { continue };
        let family = levels.draft.family(name, "E6", &[], Tag::Lemma);
        let any: Expr = quorums.iter().map(|it| levels.complete(*it)).sum();
        levels.at_most(family, "", left, any + known);
    }
    let name = "lemma_excludes_quorum";
    let family = levels.draft.family(name, "E6", &[], Tag::Lemma);
    for it in excluded {
        let two = both(levels, [first, it]);
        levels.at_most(family, &format!("_m{first}_m{it}"), two, 1.into());
    }
}

/// Of a decided value and a quorum by which another one is decided: `block_x + complete ≤ 1`, where that quorum
/// is not there beside any by which the value is.
fn decisions(levels: &mut Levels, lemmas: &[Lemma]) {
    let apart = Apart::of(levels, lemmas);
    let votes = goal::votes(levels);
    let mut excluded = Vec::new();
    for (x, block, own) in &votes {
        for (y, _, others) in votes.iter().filter(|(y, ..)| y != x) {
            let never = |it: &&usize| own.iter().all(|own| apart.holds(*own, **it));
            let never = others.iter().filter(never);
            excluded.extend(never.map(|it| (format!("_x{x}_x{y}_m{it}"), block, *it)));
        }
    }
    goal::votes_decide(levels);
    let family = levels
        .draft
        .family("block_excludes_quorum", "E6", &[], Tag::Lemma);
    for (label, block, quorum) in excluded {
        let two = block.clone() + levels.complete(quorum);
        levels.at_most(family, &label, two, 1.into());
    }
}

fn both(levels: &Levels, pair: Lemma) -> Expr {
    pair.into_iter().map(|it| levels.complete(it)).sum()
}
