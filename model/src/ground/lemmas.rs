//! Pairs of quorums that may be lemmas: the votes that somebody decides by in a view, and a quorum for
//! another value in a later one.

use super::{Act, Ground, Need, Quorum, Value};
use std::collections::BTreeSet;

/// The numbers of two quorums of a ground form; of them the second is of the later view.
pub type Lemma = [usize; 2];

/// What a program asks beside the goal of its question.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a> {
    /// Quorums that are not there together.
    pub(crate) lemmas: &'a [Lemma],
    /// In place of the goal: whether these two are.
    pub(crate) pair: Option<Lemma>,
}

impl Ground {
    /// The pairs that may be lemmas; those of earlier views first, and of two views those of kinds that
    /// come first in a view.
    pub fn pairs(&self) -> Vec<Lemma> {
        let decides = |act: &&Act| act.makes.is_some_and(|it| self.is_final(it.kind));
        let asked = |act: &Act| -> BTreeSet<usize> { act.asks().filter_map(number).collect() };
        let all = self.all();
        let of_decisions: BTreeSet<usize> =
            self.acts.iter().filter(decides).flat_map(asked).collect();
        let of_all: BTreeSet<usize> = all.flat_map(asked).collect();
        let mut pairs = Vec::new();
        for first in of_decisions {
            for &then in &of_all {
                if let (Some((v, x)), Some((w, y))) = (self.says(first), self.says(then))
                    && v < w
                    && x != y
                {
                    let place = self.place(&self.quorums[then].records[0]);
                    pairs.push(((w, v, place), [first, then]));
                }
            }
        }
        pairs.sort_unstable();
        pairs.into_iter().map(|it| it.1).collect()
    }

    /// The view and the value that all records of a quorum name.
    pub(crate) fn says(&self, number: usize) -> Option<(u32, Value)> {
        let records = &self.quorums[number].records;
        let of = |it: &super::Record| (it.view, it.value);
        let said = of(records.first()?);
        let same = records.iter().all(|it| of(it) == said);
        (same && matches!(said.1, Value::Of(_))).then_some(said)
    }

    /// The later view of a pair.
    pub fn last_view(&self, pair: Lemma) -> u32 {
        let records = pair.into_iter().flat_map(|it| &self.quorums[it].records);
        records.map(|it| it.view).max().unwrap_or(0)
    }

    /// The numbers that the quorums of a pair have in another ground form, if it has them.
    pub fn pair_in(&self, other: &Self, pair: Lemma) -> Option<Lemma> {
        let [first, then] = pair.map(|it| {
            let quorum = &self.quorums[it];
            let same = |it: &Quorum| it.count == quorum.count && it.records == quorum.records;
            other.quorums.iter().position(same)
        });
        Some([first?, then?])
    }
}

fn number(need: &Need) -> Option<usize> {
    match need {
        Need::Quorum(number) => Some(*number),
        Need::Own(_) | Need::Primary(_) => None,
    }
}
