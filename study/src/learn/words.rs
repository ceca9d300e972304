//! A cut in words.

use super::{
    divergence::{by_timer, view},
    history::{Fact, Situation},
    phrase::{does_instead, short},
    shrink::{Reach, Tests},
};
use milp_model::formulation::timed::Built;
use milp_schema::{Height, Message, ReplicaId, View, schedule::Event};
use std::collections::BTreeMap;

/// What is said of a cut.
pub(crate) struct Said<'a> {
    pub(crate) built: &'a Built,
    pub(crate) situation: &'a Situation,
    /// The facts that matter, each with whether it is there.
    pub(crate) literals: &'a [(Fact, bool)],
    /// What the replica does last in the situation.
    pub(crate) last: &'a [Event],
    pub(crate) number: usize,
    pub(crate) tests: Tests,
    /// Whether the facts count only in their order and slots.
    pub(crate) exactly: bool,
}

impl Said<'_> {
    /// The sentence.
    pub(crate) fn sentence(&self) -> String {
        let subject = self.role();
        let conditions = self.conditions();
        let conditions = if conditions.is_empty() {
            String::new()
        } else {
            format!(" that {}", conditions.join(" and "))
        };
        let exactly = if self.exactly {
            ", in the order and the slots in which it happened,"
        } else {
            ""
        };
        let does = self.does();
        let Tests {
            histories,
            combinations,
            left_out,
            reach,
        } = self.tests;
        let some = || format!("{combinations} of 2^{left_out} combinations of the facts left out");
        let tried = match reach {
            _ if self.exactly => "order matters, so only as it happened".to_owned(),
            Reach::Every => format!("every combination of the {left_out} facts left out was tried"),
            Reach::EveryOfView => format!(
                "{}, all of those of view {} or later among them, others drawn with seed 0",
                some(),
                self.situation.view
            ),
            Reach::Drawn => format!("{}, each alone and others drawn with seed 0", some()),
        };
        format!(
            "{subject}{conditions}{exactly} {does} ({} {}, learned from slot {}, tested on \
             {histories} local histories: {tried})",
            if self.situation.does { "act" } else { "cut" },
            self.number,
            self.situation.slot
        )
    }

    /// `the primary of view 0`, `a backup of view 1 that was primary of view 0`.
    fn role(&self) -> String {
        let Situation { replica, view, .. } = self.situation;
        let primary = |view: View| self.built.primary(Height(0), view) == *replica;
        if primary(*view) {
            return format!("the primary of view {view}");
        }
        let before = View::all(view.0).find(|&view| primary(view));
        let before = before.map_or_else(String::new, |view| format!(" (primary of view {view})"));
        format!("a backup of view {view}{before}")
    }

    /// One phrase for each kind of knowledge, senders with the same taken together.
    fn conditions(&self) -> Vec<String> {
        let mut by_author: BTreeMap<ReplicaId, (Vec<&Message>, Vec<&Message>)> = BTreeMap::new();
        for (fact, has) in self.literals {
            let (held, absent) = by_author.entry(fact.author).or_default();
            if *has { held } else { absent }.push(&fact.message);
        }
        let mut phrases: BTreeMap<(String, &str), Vec<ReplicaId>> = BTreeMap::new();
        for (author, (held, absent)) in by_author {
            if author == self.situation.replica {
                phrases.extend(own(&held, &absent).map(|phrase| ((phrase, ""), Vec::new())));
                continue;
            }
            if !held.is_empty() {
                let phrase = format!("has {} from", list(&held, "and"));
                phrases.entry((phrase, "and")).or_default().push(author);
            }
            if !absent.is_empty() {
                let phrase = self.absence(author, &absent);
                phrases.entry((phrase, "or")).or_default().push(author);
            }
        }
        let mut phrases: Vec<String> = phrases
            .into_iter()
            .map(|((phrase, word), authors)| {
                if authors.is_empty() {
                    phrase
                } else {
                    format!("{phrase} {}", self.names(&authors, word))
                }
            })
            .collect();
        phrases.sort();
        phrases
    }

    /// What the replica has not from an author.
    fn absence(&self, author: ReplicaId, absent: &[&Message]) -> String {
        let view = self.situation.view;
        let all = |since: View| {
            let universe = self.situation.universe.iter();
            let mut asked = universe
                .filter(|fact| fact.author == author && fact.message.view >= since)
                .map(|fact| &fact.message)
                .peekable();
            asked.peek().is_some() && asked.all(|message| absent.contains(&message))
        };
        if all(View(0)) {
            return "has heard nothing from".to_owned();
        }
        if all(view) && absent.iter().all(|message| message.view >= view) {
            return format!("has heard nothing of view {view} or later from");
        }
        format!("has no {} from", list(absent, "or"))
    }

    /// Other replicas by their roles, letters for those a cut does not tell apart.
    fn names(&self, ids: &[ReplicaId], word: &str) -> String {
        let primary = |id: ReplicaId| {
            let mut views = View::all(self.situation.view.0 + 1);
            views.find(|&view| self.built.primary(Height(0), view) == id)
        };
        let mut letters: Vec<ReplicaId> = self
            .literals
            .iter()
            .map(|(fact, _)| fact.author)
            .filter(|&id| id != self.situation.replica && primary(id).is_none())
            .collect();
        letters.sort_unstable();
        letters.dedup();
        let name = |id: &ReplicaId| {
            if let Some(view) = primary(*id) {
                return format!("the primary of view {view}");
            }
            let place = letters.iter().position(|other| other == id);
            letter(place.unwrap_or(0))
        };
        let names: Vec<String> = ids.iter().map(name).collect();
        join(&names, word)
    }

    /// What it does or does not.
    fn does(&self) -> String {
        let Situation { act, does, .. } = self.situation;
        let act_in_words = |verb: &str| match act {
            Event::Send(said) => format!("{verb}send{} {}", third(*does), short(said)),
            Event::EnterView { view, .. } => format!("{verb}enter{} view {view}", third(*does)),
            Event::Decide(block) => format!(
                "{verb}decide{} v{} b{}",
                third(*does),
                block.view,
                block.index
            ),
        };
        if *does {
            return act_in_words("");
        }
        let plain = act_in_words("does not ");
        if !by_timer(act) {
            return plain;
        }
        let instead: Vec<String> = self.last.iter().map(does_instead).collect();
        let instead = if instead.is_empty() {
            "it does nothing".to_owned()
        } else {
            format!("it {}", join(&instead, "and"))
        };
        format!(
            "{plain} when its timer of view {} fires, {instead}",
            view(act)
        )
    }
}

/// `A` to `Z`, `A1` to `Z1`, and so on.
fn letter(place: usize) -> String {
    let (round, letter) = (place / 26, (b'A'..=b'Z').nth(place % 26).map(char::from));
    let round = if round == 0 {
        String::new()
    } else {
        round.to_string()
    };
    format!("{}{round}", letter.unwrap_or('?'))
}

fn third(does: bool) -> &'static str {
    if does { "s" } else { "" }
}

/// What the replica's own timer made it send, or not yet.
fn own(held: &[&Message], absent: &[&Message]) -> impl Iterator<Item = String> {
    let has = (!held.is_empty()).then(|| format!("has sent {}", list(held, "and")));
    let not = (!absent.is_empty()).then(|| format!("has not sent {}", list(absent, "or")));
    has.into_iter().chain(not)
}

fn list(messages: &[&Message], word: &str) -> String {
    let names: Vec<String> = messages.iter().map(|message| short(message)).collect();
    join(&names, word)
}

/// `a, b and c`.
fn join(parts: &[String], word: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} {word} {last}", start.join(", ")),
    }
}
