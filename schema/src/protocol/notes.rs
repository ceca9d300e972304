//! What a protocol file may say and hardly means: worth a look, refused nowhere.

use super::{Position, Reads, Rule, Rules, Views};
use crate::{formula::Count, limits};

/// Something worth a look: where it stands, what it is, and what may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it stands; nowhere if it is about a count.
    pub at: Option<Position>,
    /// What it is.
    pub what: String,
    /// What may be meant.
    pub hint: String,
}

impl Rules {
    /// Everything worth a look.
    pub fn notes(&self) -> Vec<Note> {
        let counts = self.counts.iter();
        let counts = counts.flat_map(|(name, count)| quorum(self, name, *count));
        let guards = self.rules.iter().flat_map(|rule| order(self, rule));
        counts.chain(guards).collect()
    }
}

/// A count of which two meet in more than f replicas for some n is meant to be a quorum, and then
/// is one for every n from 4 on and can be reached without f.
fn quorum(rules: &Rules, name: &str, count: Count) -> Vec<Note> {
    let of = |n: u32| (n, (n - 1) / 3, count.of(n, (n - 1) / 3));
    let sizes = || (4..=*limits::REPLICAS.end()).map(of);
    let meets = |&(n, f, q): &(u32, u32, u32)| 2 * q > n + f;
    let list = |sizes: Vec<u32>| {
        let shown = sizes.iter().take(4).map(u32::to_string).collect::<Vec<_>>();
        let more = if sizes.len() > 4 { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    let note = |what: String, hint: &str| Note {
        at: None,
        what,
        hint: hint.to_owned(),
    };
    let mut notes = Vec::new();
    let (strong, weak): (Vec<_>, Vec<_>) = sizes().partition(meets);
    if !strong.is_empty() && !weak.is_empty() {
        let weak = list(weak.into_iter().map(|(n, ..)| n).collect());
        let what = format!(
            "two times `{name}` = {count} may meet in faulty replicas only, for n = {weak}"
        );
        notes.push(note(
            what,
            "`ceil(2n/3)` and `n - f` meet in an honest one for every n",
        ));
    }
    let unreached = sizes().filter(|(n, f, q)| *q > n - f).map(|(n, ..)| n);
    let unreached: Vec<u32> = unreached.collect();
    if !unreached.is_empty() && read_by_count(rules, name) {
        let unreached = list(unreached);
        let what = format!(
            "`{name}` = {count} is not reached while f replicas are silent, for n = {unreached}"
        );
        notes.push(note(what, "`n - f` is reached for every n"));
    }
    notes
}

fn read_by_count(rules: &Rules, name: &str) -> bool {
    let reads = |rule: &Rule| {
        let named =
            |reads: &Reads| matches!(reads, Reads::Senders(super::Number::Named(it)) if it == name);
        rule.guards().any(|guard| named(&guard.reads))
    };
    rules.rules.iter().any(reads)
}

/// `unless own k(v)` in a rule whose record every rule that makes a `k` needs: then it says an order
/// of acts, which it has anyhow, and in a final state it is an excuse.
fn order(rules: &Rules, rule: &Rule) -> Vec<Note> {
    let Some(made) = rule.makes() else {
        return Vec::new();
    };
    let own_view = |views: Views| matches!(views, Views::Own | Views::UpTo);
    let needs = |other: &Rule| {
        let mut guards = other.when.iter();
        guards.any(|guard| own_view(guard.pattern.view) && guard.pattern.kinds.contains(&made))
    };
    let excludes = rule
        .unless
        .iter()
        .filter(|guard| guard.reads == Reads::Own && own_view(guard.pattern.view));
    let later = excludes.filter(|guard| {
        let mut kinds = guard.pattern.kinds.iter();
        kinds.all(|kind| {
            let mut makers = rules.rules.iter().filter(|it| it.makes() == Some(*kind));
            makers.all(needs)
        })
    });
    let note = |guard: &super::Guard| Note {
        at: Some(guard.at),
        what: format!(
            "`{}` excludes what comes later anyhow, since that needs a `{}`",
            rules.guard_text(guard),
            rules.kind(made).name
        ),
        hint: "an order needs no `unless`; here it is an excuse for not acting".to_owned(),
    };
    later.map(note).collect()
}

#[cfg(test)]
mod tests {
    use crate::protocol;

    #[test]
    fn a_count_that_is_no_quorum_for_some_n_is_worth_a_look() {
        let notes = |name: &str| {
            let rules = &protocol::named(name).expect("it is shipped").rules;
            let notes = rules.notes().into_iter();
            notes.map(|note| note.what).collect::<Vec<_>>()
        };
        assert_eq!(
            notes("ibft1"),
            ["two times `q` = 2f + 1 may meet in faulty replicas only, for n = 5, 6, 8, 9, …"]
        );
        for name in ["dbft1", "dbft2", "tendermint"] {
            assert_eq!(notes(name), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn an_order_that_is_said_as_an_exclusion_is_worth_a_look() {
        let text = &protocol::named("tendermint").expect("it is shipped").text;
        let text = text.replace(
            "unless last own precommit(<v, !x)\"",
            "unless last own precommit(<v, !x), own valid(v, *)\"",
        );
        let text = text.replace("tendermint\ntitle", "other\ntitle");
        let mine = protocol::read_text("mine.yaml", &text).unwrap_or_else(|it| panic!("{it}"));
        let notes = mine.rules.notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].what.contains("needs a `prevote`"), "{notes:?}");
    }
}
