//! A cut: what an engine's replica does in a situation, as rows of the program and as text.

use super::{
    divergence::by_timer,
    history::{Fact, Situation, lag},
    shrink::Tests,
};
use milp_model::{
    expr::Expr,
    formulation::timed::{Built, Permit},
    program::{Family, Tag},
};
use milp_schema::{
    BlockId, Height, Message, Protocol, ReplicaId, Slot, View,
    instance::Instance,
    schedule::Event,
    vocabulary::{Names, Role},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One thing that the engine does otherwise than the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The cut in words.
    pub sentence: String,
    /// The replica it was learned from.
    pub replica: ReplicaId,
    /// The view it was in.
    pub view: View,
    /// The act in question.
    pub act: Act,
    /// Whether the engine does it, which the rules forbid: then it is allowed where the literals
    /// hold, and happens there if they have slots. Otherwise the engine does not do it.
    pub does: bool,
    /// When it applies: all of these hold.
    pub literals: Vec<Literal>,
    /// The slot it was learned in. A cut speaks about every slot, unless its literals have slots of
    /// their own; then about every shift of them.
    pub slot: Slot,
    /// How it was tested.
    pub tests: Tests,
    /// Of what the engine does, the shortest history that shows it, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<String>,
}

/// An act, in the words of predictions.csv, at height 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// `send`, `enter_view` or `decide`.
    pub event: String,
    /// Kind of the message sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// View of the message or block, or the view entered.
    pub view: View,
    /// Number of the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u32>,
}

/// A message that the replica has, or has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Literal {
    /// Whether it has it.
    pub has: bool,
    /// Who says it; the replica itself for what its timer made it send.
    pub from: ReplicaId,
    /// Its kind.
    pub kind: String,
    /// Its view.
    pub view: View,
    /// Number of its block, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u32>,
    /// When exactly it came, where order matters; otherwise at any time before the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
}

impl Act {
    pub(crate) fn of(event: &Event) -> Self {
        let (word, kind, view, block) = match event {
            Event::Send(said) => (
                "send",
                Some(said.kind.name().to_owned()),
                said.view,
                said.index(),
            ),
            Event::EnterView { view, .. } => ("enter_view", None, *view, None),
            Event::Decide(block) => ("decide", None, block.view, Some(block.index)),
        };
        Self {
            event: word.to_owned(),
            kind,
            view,
            block,
        }
    }

    /// The event in a protocol; `None` if the words make none there.
    pub(crate) fn event(&self, of: Protocol) -> Option<Event> {
        let height = Height(0);
        match (self.event.as_str(), &self.kind, self.block) {
            ("send", Some(kind), block) => message(of, kind, self.view, block).map(Event::Send),
            ("enter_view", None, None) => Some(Event::EnterView {
                height,
                view: self.view,
            }),
            ("decide", None, Some(index)) => Some(Event::Decide(BlockId {
                height,
                view: self.view,
                index,
            })),
            _ => None,
        }
    }
}

impl Literal {
    pub(crate) fn of(fact: &Fact, has: bool, slot: Option<Slot>) -> Self {
        Self {
            has,
            from: fact.author,
            kind: fact.message.kind.name().to_owned(),
            view: fact.message.view,
            block: fact.message.index(),
            slot,
        }
    }

    pub(crate) fn fact(&self, of: Protocol) -> Option<Fact> {
        let message = message(of, &self.kind, self.view, self.block)?;
        Some(Fact {
            author: self.from,
            message,
        })
    }
}

/// The message of these words at height 0; `None` for words that make none.
fn message(of: Protocol, kind: &str, view: View, block: Option<u32>) -> Option<Message> {
    let kind = of.kind(kind)?;
    let names_block = kind.does().names != Names::Nothing;
    (names_block == block.is_some()).then(|| Message::new(kind, Height(0), view, block))
}

/// A literal whose message was understood.
struct Term {
    has: bool,
    fact: Fact,
    slot: Option<Slot>,
}

impl Cut {
    pub(super) fn check(&self) -> Result<(), String> {
        let mut protocols = Protocol::all();
        if !protocols.any(|of| self.act.event(of).is_some()) {
            return Err(format!("has an act that means nothing: {:?}", self.act));
        }
        match self
            .literals
            .iter()
            .find(|literal| !Protocol::all().any(|of| literal.fact(of).is_some()))
        {
            Some(literal) => Err(format!("has a literal that means nothing: {literal:?}")),
            None => Ok(()),
        }
    }

    /// Whether it takes anything out of the program: what the engine does not do, and that the
    /// engine does not act in a history told with its slots.
    pub(super) fn excludes(&self) -> bool {
        let exact = self.literals.iter().any(|literal| literal.slot.is_some());
        let mut meanings = Protocol::all().filter_map(|of| self.act.event(of));
        let timer = meanings.next().is_some_and(|act| by_timer(&act));
        !self.does || exact && !timer
    }

    fn terms(&self, of: Protocol) -> Vec<Term> {
        let literals = self.literals.iter();
        let terms = literals.filter_map(|literal| {
            Some(Term {
                has: literal.has,
                fact: literal.fact(of)?,
                slot: literal.slot,
            })
        });
        terms.collect()
    }

    /// What a program must permit for it: the act, to every replica of the role.
    pub(super) fn permits(&self, built: &Built, instance: &Instance) -> Vec<Permit> {
        let Some(act) = self.act.event(instance.protocol).filter(|_| self.does) else {
            return Vec::new();
        };
        let images = self.images(instance.protocol, &equal(built, instance, self.view));
        let permits = images.into_iter().map(|(replica, _)| Permit {
            replica,
            act: act.clone(),
        });
        permits.collect()
    }

    /// Adds the rows of the cut, for every replica of the role and every slot t:
    /// `Δact^t ≤ misses^t` if the engine does not do it, where `misses` counts the literals that do
    /// not hold.
    ///
    /// If it does, the act may rest on its permit where they hold, `k · Δpermitted^t + misses^t ≤ k`
    /// with k literals. In a history told with its slots it happens, too,
    /// `1 − misses^t − elsewhere^t ≤ act^t`, where `elsewhere` is not 0 if the replica follows no
    /// rules, is not in the view or has left the height. In others this row would hide what the
    /// engine can do wherever no test saw that it does not act; what a timer triggers happens when
    /// the timer fires; and without a column for the act the row alone would forbid the history.
    ///
    /// `permit` is the number of its first permit; the number after its last is returned.
    pub(super) fn add_to(
        &self,
        built: &mut Built,
        instance: &Instance,
        number: usize,
        permit: u32,
    ) -> u32 {
        let Some(act) = self.act.event(instance.protocol) else {
            return permit;
        };
        let family = built.program.add_family(Family::new(
            &format!("learned_{number}"),
            "cuts.yaml",
            Tag::Legal,
        ));
        let images = self.images(instance.protocol, &equal(built, instance, self.view));
        for (image, (replica, terms)) in images.iter().enumerate() {
            let permit = permit + image as u32;
            let cut = Image {
                cut: self,
                act: &act,
                replica: *replica,
                terms,
            };
            if self.does && !built.permits(*replica, &act) {
                continue;
            }
            for slot in (1..=instance.slots).map(Slot) {
                let label = format!("_r{image}_t{}", slot.0);
                if self.does {
                    let (left, right) = cut.permitted(built, permit, slot, instance.slots);
                    built
                        .program
                        .add_at_most(family, &format!("{label}_permit"), left, right);
                }
                if !self.excludes() {
                    continue;
                }
                if let Some((left, right)) = cut.row(built, slot, instance.slots) {
                    built.program.add_at_most(family, &label, left, right);
                }
            }
        }
        permit + if self.does { images.len() as u32 } else { 0 }
    }

    /// Whether it says the same as another one.
    pub(super) fn says(&self, other: &Self) -> bool {
        (self.replica, self.view, &self.act, self.does, self.slot)
            == (
                other.replica,
                other.view,
                &other.act,
                other.does,
                other.slot,
            )
            && self.literals == other.literals
    }

    /// Whether it says what happens in a situation, its replica renamed among the equal ones.
    pub(crate) fn covers(&self, of: Protocol, situation: &Situation, equal: &[ReplicaId]) -> bool {
        let same = self.act.event(of).as_ref() == Some(&situation.act)
            && (self.does, self.view) == (situation.does, situation.view);
        let has = |fact: &Fact| situation.facts.iter().any(|(other, _)| other == fact);
        same && self.images(of, equal).iter().any(|(replica, terms)| {
            let mut terms = terms.iter();
            *replica == situation.replica
                && terms.all(|term| term.slot.is_none() && term.has == has(&term.fact))
        })
    }

    /// The cut under every renaming of equal replicas, each once.
    fn images(&self, of: Protocol, equal: &[ReplicaId]) -> Vec<(ReplicaId, Vec<Term>)> {
        let terms = self.terms(of);
        let named = terms.iter().map(|term| term.fact.author);
        let named: BTreeSet<ReplicaId> = named.chain([self.replica]).collect();
        let named: Vec<ReplicaId> = named.into_iter().filter(|id| equal.contains(id)).collect();
        let mut seen = BTreeSet::new();
        let mut images = Vec::new();
        for names in arrangements(equal, named.len()) {
            let name = |id: ReplicaId| {
                let at = named.iter().position(|other| *other == id);
                at.map_or(id, |at| names[at])
            };
            let replica = name(self.replica);
            let image: Vec<Term> = terms
                .iter()
                .map(|term| Term {
                    fact: Fact {
                        author: name(term.fact.author),
                        message: term.fact.message.clone(),
                    },
                    ..*term
                })
                .collect();
            let words = image
                .iter()
                .map(|term| (term.fact.clone(), term.has, term.slot));
            if seen.insert((replica, words.collect::<BTreeSet<_>>())) {
                images.push((replica, image));
            }
        }
        images
    }
}

/// Replicas that no view up to this one has as primary: a cut does not tell them apart.
pub(crate) fn equal(built: &Built, instance: &Instance, view: View) -> Vec<ReplicaId> {
    let primaries: BTreeSet<ReplicaId> = View::all(view.0 + 1)
        .map(|view| built.primary(Height(0), view))
        .collect();
    let all = ReplicaId::all(instance.replicas);
    all.filter(|id| !primaries.contains(id)).collect()
}

/// Every sequence of so many different members of a set.
fn arrangements(of: &[ReplicaId], length: usize) -> Vec<Vec<ReplicaId>> {
    let mut all = vec![Vec::new()];
    for _ in 0..length {
        let longer = |start: &Vec<ReplicaId>| {
            let start = start.clone();
            let next = of.iter().filter(|id| !start.contains(id)).copied();
            let next: Vec<ReplicaId> = next.collect();
            next.into_iter().map(move |id| {
                let mut sequence = start.clone();
                sequence.push(id);
                sequence
            })
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// A cut for one replica of the role.
struct Image<'a> {
    cut: &'a Cut,
    act: &'a Event,
    replica: ReplicaId,
    terms: &'a [Term],
}

impl Image<'_> {
    /// The number of literals that do not hold; `None` where a literal's slot is shifted off the
    /// horizon.
    fn misses(&self, built: &Built, slot: Slot, horizon: u32) -> Option<Expr> {
        let mut misses = Expr::default();
        for term in self.terms {
            let held = self.literal(built, term, slot, horizon)?;
            misses += if term.has { 1 - held } else { held };
        }
        Some(misses)
    }

    /// The two sides of the row of a slot, if there is one.
    fn row(&self, built: &Built, slot: Slot, horizon: u32) -> Option<(Expr, Expr)> {
        let misses = self.misses(built, slot, horizon)?;
        let acted = built.done(self.replica, self.act, slot);
        if !self.cut.does {
            let before = built.done(self.replica, self.act, Slot(slot.0 - 1));
            return Some((acted - before, misses));
        }
        Some((1 - misses - self.elsewhere(built, slot), acted))
    }

    /// The two sides of the row that says when the act may rest on its permit.
    fn permitted(&self, built: &Built, permit: u32, slot: Slot, horizon: u32) -> (Expr, Expr) {
        let by = |slot: Slot| built.permitted(permit, slot);
        let now = by(slot) - by(Slot(slot.0 - 1));
        match self.misses(built, slot, horizon) {
            Some(misses) => {
                let most = self.terms.len() as i64;
                (now * most + misses, most.into())
            }
            None => (now, 0.into()),
        }
    }

    /// 1 iff the replica has the message by the slot, or exactly when the literal says.
    fn literal(&self, built: &Built, term: &Term, slot: Slot, horizon: u32) -> Option<Expr> {
        let Fact { author, message } = &term.fact;
        let by = |slot: Slot| {
            if *author == self.replica {
                built.done(self.replica, &Event::Send(message.clone()), slot)
            } else if self.cut.does && term.has {
                // What was refused cannot be what an act rests on.
                built.taken(self.replica, *author, message, slot)
            } else {
                built.received(self.replica, *author, message, slot)
            }
        };
        match term.slot {
            None => {
                let lag = lag(self.replica, self.cut.view, self.act, &term.fact);
                Some(by(Slot(slot.0 - lag)))
            }
            Some(exactly) => {
                let shifted = (exactly.0 + slot.0).checked_sub(self.cut.slot.0);
                let then = shifted.filter(|then| (1..=horizon).contains(then))?;
                Some(by(Slot(then)) - by(Slot(then - 1)))
            }
        }
    }

    /// Not 0 if the replica follows no rules, is not in the view, or decided something else.
    fn elsewhere(&self, built: &Built, slot: Slot) -> Expr {
        let (height, view) = (Height(0), self.cut.view);
        let (here, next) = (
            Event::EnterView { height, view },
            Event::EnterView {
                height,
                view: view.next(),
            },
        );
        let decided = built.decided(self.replica, height, slot);
        let decided = match self.act {
            Event::Decide(_) => decided - built.done(self.replica, self.act, slot),
            _ => decided,
        };
        let left = match self.act {
            Event::EnterView { .. } => Expr::default(),
            _ => built.done(self.replica, &next, self.leaves(slot)),
        };
        let reached = built.done(self.replica, &here, slot);
        1 - reached + left + decided + built.lawless(self.replica, slot)
    }

    /// By which slot the replica must not have left the view: what else a slot brings comes before
    /// the requests that make it leave (E7), but a request that the cut needs may come after those.
    fn leaves(&self, slot: Slot) -> Slot {
        let mut needed = self.terms.iter().filter(|term| term.has);
        let needs_request = needed.any(|term| term.fact.message.kind.is(Role::Leave));
        Slot(slot.0 - u32::from(!needs_request))
    }
}
