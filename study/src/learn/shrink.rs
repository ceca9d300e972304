//! Which facts of a situation matter, found out by telling other replicas of the engine other ones.
//!
//! A fact is left out of a cut only after runs in which it was the other way round, alone and
//! together with others left out, and the replica did the same.

use super::{
    combinations::{Random, all, drawn, nearby, subsets},
    divergence::by_timer,
    history::{Fact, Local, Reaction, Situation},
};
use crate::{clock::Halt, folder::Driven};
use milp_replay::Replayed;
use milp_schema::{Instance, ReplicaId, vocabulary::Role};
use std::collections::{BTreeMap, BTreeSet};

/// With at most so many facts left out, every combination of them is tried.
const EXHAUSTIVE: usize = 8;

/// With at most so many of them of the view or a later one, every combination of these is.
const EXHAUSTIVE_OF_VIEW: usize = 10;

/// How many of all these are tried where a run takes long.
const FEW: usize = 256;

/// In so many other orders the situation itself is told, in [`FEW_ORDERS`] where a run takes long.
const ORDERS: u64 = 48;
const FEW_ORDERS: u64 = 12;

/// In every so-manieth combination the order is another one, too, and replicas have other names.
const RETOLD: u64 = 3;

/// Drives fresh replicas of an engine with a schedule, unless it is time to stop.
pub(crate) type Drive<'a> = dyn FnMut(&Driven) -> Result<Replayed, Halt> + 'a;

/// How many of the combinations of the facts left out were tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// All of them.
    Every,
    /// All of those of the view or later ones, with the earlier ones as they were, and some drawn
    /// with seed 0.
    EveryOfView,
    /// Each fact alone and some combinations drawn with seed 0.
    Drawn,
}

/// How far a cut was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tests {
    /// Local runs in which the cut applied and the engine did as it says.
    pub histories: u32,
    /// Combinations of the facts left out that these runs cover.
    pub combinations: u32,
    /// Facts left out.
    pub left_out: u32,
    /// Which combinations were tried. One in which the replica does not get to the point, say
    /// because it leaves the view, counts as tried.
    pub reach: Reach,
}

impl Tests {
    /// The situation itself, told once; nothing is left out.
    pub(crate) const ONE: Self = Self {
        histories: 1,
        combinations: 1,
        left_out: 0,
        reach: Reach::Every,
    };
}

/// What shrinking found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shrunk {
    /// Only these facts matter, by their places in the universe.
    To(BTreeSet<usize>, Tests),
    /// With the facts in another order the replica does otherwise.
    OrderMatters,
    /// A replica that is told the same, alone, does not do the same.
    NotReproduced,
}

/// What a run says about the claim that the replica acts, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The claim does not speak about it.
    Vacuous,
    Agrees,
    Refutes,
}

/// How facts are ordered and replicas named in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// As it happened; further facts at drawn places.
    AsItWas,
    /// In an order, and with replicas of equal role renamed, drawn with this seed.
    Drawn(u64),
    /// Further facts first, and the replica's own request to leave the view after so many of those
    /// there were: what comes after it may count otherwise.
    Leaving(u32),
}

/// How much is tried in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Everything.
    Full,
    /// [`FEW`] of it, where a run takes long.
    Few,
}

/// A situation on the bench.
pub(crate) struct Bench<'a, 'b> {
    pub(crate) instance: &'a Instance,
    pub(crate) situation: &'a Situation,
    /// Replicas of equal role, which a cut does not tell apart.
    pub(crate) equal: &'a [ReplicaId],
    pub(crate) drive: &'a mut Drive<'b>,
    pub(crate) effort: Effort,
    /// What was asked before.
    known: BTreeMap<(Vec<bool>, Telling), Answer>,
}

/// The outcome of a round of tests.
enum Round {
    Holds(Tests),
    /// These facts, told like this, refute the claim.
    Refuted(Vec<bool>, Telling),
    /// The claim was never tested with this fact the other way round.
    Untested(usize),
}

impl<'a, 'b> Bench<'a, 'b> {
    pub(crate) fn new(
        instance: &'a Instance,
        situation: &'a Situation,
        equal: &'a [ReplicaId],
        drive: &'a mut Drive<'b>,
        effort: Effort,
    ) -> Self {
        Self {
            instance,
            situation,
            equal,
            drive,
            effort,
            known: BTreeMap::new(),
        }
    }

    /// What the replica does in the situation, alone.
    pub(crate) fn reaction(&mut self) -> Result<Reaction, Halt> {
        let held = self.situation.held();
        self.run(&held, Telling::AsItWas)
    }

    /// Keeps the facts of `start` and those that a test shows to matter, and leaves out the others;
    /// then, one by one, those that mattered only until others were kept.
    pub(crate) fn shrink(&mut self, start: BTreeSet<usize>) -> Result<Shrunk, Halt> {
        let base = self.situation.held();
        if self.ask(&base, Telling::AsItWas)? != Answer::Agrees {
            return Ok(Shrunk::NotReproduced);
        }
        let mut kept = start;
        let mut tests = loop {
            match self.round(&kept)? {
                Round::Holds(tests) => break tests,
                Round::Untested(fact) => {
                    kept.insert(fact);
                }
                Round::Refuted(held, telling) => match self.cause(&base, &held, telling)? {
                    Some(fact) => {
                        kept.insert(fact);
                    }
                    None => return Ok(Shrunk::OrderMatters),
                },
            }
        };
        // To leave out what was found to matter takes every test there is.
        let again = match self.effort {
            Effort::Full => kept.clone(),
            Effort::Few => BTreeSet::new(),
        };
        for fact in again {
            let mut fewer = kept.clone();
            fewer.remove(&fact);
            if let Round::Holds(fewer_tests) = self.round(&fewer)? {
                (kept, tests) = (fewer, fewer_tests);
            }
        }
        Ok(Shrunk::To(kept, tests))
    }

    /// What a replica alone is told and does, step by step, when it is told the fewest facts of the
    /// situation, in their order, with which it acts and the `own` replicas of the rules do not. Of
    /// all smaller sets as many are tried as of other tests where a run takes long; no single fact
    /// of what is returned can be left out.
    pub(crate) fn shortest(&mut self, own: &mut Drive<'_>) -> Result<Vec<String>, Halt> {
        let mut fewest = self.situation.held();
        let there: Vec<usize> = (0..fewest.len()).filter(|&at| fewest[at]).collect();
        for &at in &there {
            let mut fewer = fewest.clone();
            fewer[at] = false;
            if self.shows(&fewer, own)? {
                fewest = fewer;
            }
        }
        let nothing = vec![false; fewest.len()];
        let most = fewest.iter().filter(|&&held| held).count();
        for held in (0..most)
            .flat_map(|size| subsets(&nothing, &there, size))
            .take(FEW)
        {
            if self.shows(&held, own)? {
                fewest = held;
                break;
            }
        }
        let local = self.local(&fewest, Telling::AsItWas);
        let replayed = (self.drive)(&local.driven(self.instance))?;
        Ok(local.steps(&replayed.trace))
    }

    /// Whether it acts, told these facts, and the replicas of the rules do not.
    fn shows(&mut self, held: &[bool], own: &mut Drive<'_>) -> Result<bool, Halt> {
        let reaction = self.run(held, Telling::AsItWas)?;
        if !(reaction.acted && reaction.told) {
            return Ok(false);
        }
        let local = self.local(held, Telling::AsItWas);
        let replayed = own(&local.driven(self.instance))?;
        Ok(!local.reaction(&replayed.trace).acted)
    }

    /// Tests the claim with these facts as they are and the others in many ways.
    fn round(&mut self, kept: &BTreeSet<usize>) -> Result<Round, Halt> {
        let base = self.situation.held();
        let free: Vec<usize> = (0..base.len()).filter(|at| !kept.contains(at)).collect();
        let (ways, reach) = self.ways(&base, &free);
        let mut flipped = BTreeSet::new();
        let (mut histories, mut combinations) = (0, 0);
        for (seed, held) in (1..).zip(&ways) {
            let mut covered = false;
            for telling in self.tellings(held == &base, seed) {
                match self.ask(held, telling)? {
                    Answer::Refutes => return Ok(Round::Refuted(held.clone(), telling)),
                    Answer::Vacuous => {}
                    Answer::Agrees => {
                        covered = true;
                        histories += 1;
                        flipped.extend((0..base.len()).filter(|&at| held[at] != base[at]));
                    }
                }
            }
            combinations += u32::from(covered);
        }
        for (held, telling) in self.leavings(&base, kept, &free) {
            match self.ask(&held, telling)? {
                Answer::Refutes => return Ok(Round::Refuted(held, telling)),
                Answer::Vacuous => {}
                Answer::Agrees => histories += 1,
            }
        }
        if let Some(&fact) = free.iter().find(|fact| !flipped.contains(fact)) {
            return Ok(Round::Untested(fact));
        }
        Ok(Round::Holds(Tests {
            histories,
            combinations,
            left_out: free.len() as u32,
            reach,
        }))
    }

    /// The situation, and the situation with one more or one fewer fact, told with the own request
    /// to leave the view at every place: few drawn orders have it where it matters, and the replica
    /// heard enough to make one. Nothing where a timer acts, or the cut is about that request.
    fn leavings(
        &self,
        base: &[bool],
        kept: &BTreeSet<usize>,
        free: &[usize],
    ) -> Vec<(Vec<bool>, Telling)> {
        let universe = &self.situation.universe;
        let own = universe.iter().position(|fact| self.leaves(fact));
        let Some(own) = own.filter(|own| base[*own] || !kept.contains(own)) else {
            return Vec::new();
        };
        if by_timer(&self.situation.act) {
            return Vec::new();
        }
        let mut left = base.to_vec();
        left[own] = true;
        let mut ways = vec![left.clone()];
        for &at in free.iter().filter(|&&at| at != own) {
            let mut way = left.clone();
            way[at] = !way[at];
            ways.push(way);
        }
        let places = 0..=self.situation.facts.len() as u32;
        let all = ways.into_iter().flat_map(|way| {
            let tellings = places.clone().map(Telling::Leaving);
            tellings.map(move |telling| (way.clone(), telling))
        });
        match self.effort {
            Effort::Full => all.collect(),
            Effort::Few => all.take(FEW).collect(),
        }
    }

    /// Whether a fact is the replica's own request to leave the view it acts in.
    fn leaves(&self, fact: &Fact) -> bool {
        fact.author == self.situation.replica
            && fact.message.kind.is(Role::Leave)
            && fact.message.view == self.situation.view
    }

    /// How a combination is told: as it was, and perhaps in other orders; the situation itself in
    /// many.
    fn tellings(&self, situation: bool, seed: u64) -> Vec<Telling> {
        let orders = match (situation, self.effort) {
            (true, Effort::Full) => ORDERS,
            (true, Effort::Few) => FEW_ORDERS,
            (false, _) => u64::from(seed.is_multiple_of(RETOLD)),
        };
        // Seeds of the situation lie apart from those of the combinations.
        let seeds = (0..orders).map(|order| (order << 32) + seed);
        let others = seeds.map(Telling::Drawn);
        [Telling::AsItWas].into_iter().chain(others).collect()
    }

    /// What is told in a round.
    fn ways(&self, base: &[bool], free: &[usize]) -> (Vec<Vec<bool>>, Reach) {
        if free.len() <= EXHAUSTIVE {
            return (all(base, free), Reach::Every);
        }
        let universe = &self.situation.universe;
        let of_view = |at: &usize| universe[*at].message.view >= self.situation.view;
        let of_view: Vec<usize> = free.iter().copied().filter(of_view).collect();
        let mut ways = nearby(base, free);
        let alone = 1 + free.len();
        let reach = if of_view.len() <= EXHAUSTIVE_OF_VIEW {
            ways.extend(all(base, &of_view));
            Reach::EveryOfView
        } else {
            ways.extend(drawn(base, &of_view));
            Reach::Drawn
        };
        ways.extend(drawn(base, free));
        let mut seen = BTreeSet::new();
        ways.retain(|held| seen.insert(held.clone()));
        if self.effort == Effort::Full || ways.len() <= FEW {
            return (ways, reach);
        }
        let others = ways.split_off(alone);
        let step = others.len().div_ceil(FEW);
        ways.extend(others.into_iter().step_by(step));
        (ways, Reach::Drawn)
    }

    /// A fact that, between the situation and what refutes the claim, makes the difference; `None`
    /// if the situation itself, told like that, refutes it.
    fn cause(
        &mut self,
        base: &[bool],
        refuter: &[bool],
        telling: Telling,
    ) -> Result<Option<usize>, Halt> {
        let differ: Vec<usize> = (0..base.len())
            .filter(|&at| base[at] != refuter[at])
            .collect();
        let mix = |count: usize| {
            let mut mixed = base.to_vec();
            for &at in &differ[..count] {
                mixed[at] = refuter[at];
            }
            mixed
        };
        if self.ask(&mix(0), telling)? == Answer::Refutes {
            return Ok(None);
        }
        // Between `fine` flips, which do not refute, and `wrong` ones, which do.
        let (mut fine, mut wrong) = (0, differ.len());
        while fine + 1 < wrong {
            let middle = usize::midpoint(fine, wrong);
            if self.ask(&mix(middle), telling)? == Answer::Refutes {
                wrong = middle;
            } else {
                fine = middle;
            }
        }
        Ok(Some(differ[wrong - 1]))
    }

    fn ask(&mut self, held: &[bool], telling: Telling) -> Result<Answer, Halt> {
        let key = (held.to_vec(), telling);
        if let Some(answer) = self.known.get(&key) {
            return Ok(*answer);
        }
        let reaction = self.run(held, telling)?;
        let answer = match (reaction.acted == self.situation.does, reaction.arrived) {
            (true, true) => Answer::Agrees,
            // It acts, wherever it went afterwards.
            (true, false) if reaction.acted => Answer::Agrees,
            (false, _) if reaction.acted => Answer::Refutes,
            (false, true) => Answer::Refutes,
            (_, false) => Answer::Vacuous,
        };
        self.known.insert(key, answer);
        Ok(answer)
    }

    fn run(&mut self, held: &[bool], telling: Telling) -> Result<Reaction, Halt> {
        let local = self.local(held, telling);
        let replayed = (self.drive)(&local.driven(self.instance))?;
        Ok(local.reaction(&replayed.trace))
    }

    /// The run that tells a replica these facts.
    fn local(&self, held: &[bool], telling: Telling) -> Local {
        let seed = match telling {
            Telling::AsItWas | Telling::Leaving(_) => 0,
            Telling::Drawn(seed) => seed,
        };
        let mut random = Random(seed);
        let count = self.situation.facts.len() as u32;
        // Every fact of the universe gets its place whether it is told or not, so that leaving one
        // out does not move the others.
        let mut places: Vec<(u32, u32, usize)> = Vec::new();
        for (at, fact) in self.situation.universe.iter().enumerate() {
            let (place, tie) = (random.below(2 * count + 1), random.below(1 << 16));
            let was = self
                .situation
                .facts
                .iter()
                .position(|(other, _)| other == fact);
            let place = match (telling, was) {
                (Telling::Drawn(_), _) => place,
                // Even places are between those of the situation.
                (Telling::Leaving(after), _) if self.leaves(fact) => 2 * after,
                (_, Some(was)) => 2 * was as u32 + 1,
                (Telling::Leaving(_), None) => 0,
                (Telling::AsItWas, None) => place & !1,
            };
            // The request to leave comes after what else is told at its place.
            let tie = tie + u32::from(self.leaves(fact)) * (1 << 16);
            places.push((place, tie, at));
        }
        places.sort_unstable();
        let names = match telling {
            Telling::Drawn(_) => random.renaming(self.equal),
            Telling::AsItWas | Telling::Leaving(_) => BTreeMap::new(),
        };
        let told = places.iter().filter(|(.., at)| held[*at]);
        let facts = told.map(|(.., at)| {
            let fact = &self.situation.universe[*at];
            Fact {
                author: name(&names, fact.author),
                message: fact.message.clone(),
            }
        });
        Local {
            replica: name(&names, self.situation.replica),
            view: self.situation.view,
            act: self.situation.act.clone(),
            facts: facts.collect(),
        }
    }
}

fn name(names: &BTreeMap<ReplicaId, ReplicaId>, id: ReplicaId) -> ReplicaId {
    names.get(&id).copied().unwrap_or(id)
}

/// The facts kept, each with whether it is there.
pub(crate) fn literals(situation: &Situation, kept: &BTreeSet<usize>) -> Vec<(Fact, bool)> {
    let held = situation.held();
    kept.iter()
        .map(|&at| (situation.universe[at].clone(), held[at]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::{
        Choice, Height, Message, Protocol, Slot, Verdict, View,
        schedule::Event,
        trace::{TraceEvent, What},
        verdict::{Holds, Liveness},
    };

    fn leave() -> Message {
        Message::new(
            Protocol::shipped("dbft2").the("ChangeView"),
            Height(0),
            View(0),
            None,
        )
    }

    fn asks(author: u32) -> Fact {
        Fact {
            author: ReplicaId(author),
            message: leave(),
        }
    }

    /// Replica 0 may hear 1, 2 and 3 ask to leave; it heard those in `facts`, and its timer made it
    /// not ask.
    fn silent(facts: &[u32]) -> Situation {
        let facts = (1..).zip(facts);
        Situation {
            replica: ReplicaId(0),
            view: View(0),
            act: Event::Send(leave()),
            does: false,
            slot: Slot(9),
            universe: vec![asks(1), asks(2), asks(3)],
            facts: facts.map(|(slot, id)| (asks(*id), Slot(slot))).collect(),
        }
    }

    /// An engine whose timer asks to leave if `leaves` says so of those heard, in order.
    fn engine(leaves: impl Fn(&[u32]) -> bool) -> impl Fn(&Driven) -> Result<Replayed, Halt> {
        move |driven| {
            let (mut heard, mut trace) = (Vec::new(), Vec::new());
            for choice in &driven.schedule.choices {
                match choice {
                    Choice::Deliver { copy, .. } => heard.push(copy.sender.0),
                    Choice::Timeout { slot, replica, .. } if leaves(&heard) => {
                        trace.push(TraceEvent {
                            message: Some(leave()),
                            ..TraceEvent::at(*slot, *replica, What::Send)
                        });
                    }
                    _ => {}
                }
            }
            let holds = Holds::Holds;
            let verdict = Verdict {
                format: milp_schema::verdict::FORMAT.into(),
                engine: "a toy".into(),
                agreement: holds,
                finality: holds,
                validity: holds,
                integrity: holds,
                lock: holds,
                termination: Liveness::Open,
                wasted: None,
                guilty: None,
                divergences: None,
                impossible: 0,
                unapplied: 0,
                faults: 0,
                notes: vec![],
            };
            Ok(Replayed { trace, verdict })
        }
    }

    fn shrunk(situation: &Situation, leaves: impl Fn(&[u32]) -> bool) -> Shrunk {
        let instance = Instance::builder("dbft2").slots(9).build();
        let mut drive = engine(leaves);
        let mut bench = Bench::new(&instance, situation, &[], &mut drive, Effort::Full);
        bench.shrink(BTreeSet::new()).unwrap()
    }

    #[test]
    fn what_matters_is_kept_and_nothing_else() {
        // Two must be missing for fewer than two to be heard, whichever.
        let Shrunk::To(kept, tests) = shrunk(&silent(&[]), |heard| heard.len() >= 2) else {
            panic!("order does not matter");
        };
        assert_eq!(kept.len(), 2);
        assert_eq!((tests.left_out, tests.combinations), (1, 2));
        assert_eq!(tests.reach, Reach::Every);
        // Hearing 2 alone matters.
        let found = shrunk(&silent(&[2, 3]), |heard| !heard.contains(&2));
        let Shrunk::To(kept, _) = found else {
            panic!("order does not matter");
        };
        assert_eq!(kept, BTreeSet::from([1]));
        // Nothing does.
        let Shrunk::To(kept, tests) = shrunk(&silent(&[1]), |_| false) else {
            panic!("order does not matter");
        };
        assert!(kept.is_empty());
        assert_eq!(tests.combinations, 8);
    }

    #[test]
    fn the_shortest_history_is_the_fewest_facts_with_which_it_acts() {
        let situation = Situation {
            does: true,
            ..silent(&[1, 2, 3])
        };
        let instance = Instance::builder("dbft2").slots(9).build();
        // 1 alone, or 2 and 3: leaving out one fact after the other, 1 first, ends with two.
        let mut drive = engine(|heard| heard.contains(&1) || heard.len() > 1);
        let mut bench = Bench::new(&instance, &situation, &[], &mut drive, Effort::Full);
        let mut never = engine(|_| false);
        let steps = bench.shortest(&mut never).unwrap();
        assert_eq!(steps, ["sends ChangeView v0 when its timer fires"]);
        let only_1 = [true, false, false];
        assert!(bench.shows(&only_1, &mut never).unwrap());
        // Where the rules make it act, too, nothing is shown.
        let mut rules = engine(|heard| heard.len() == 1);
        assert!(!bench.shows(&only_1, &mut rules).unwrap());
        assert!(bench.shows(&[true, true, false], &mut rules).unwrap());
    }

    #[test]
    fn an_order_that_matters_and_a_replica_that_does_otherwise_are_noticed() {
        let first_is_2 = |heard: &[u32]| heard.first() == Some(&2);
        let found = shrunk(&silent(&[1, 2, 3]), first_is_2);
        assert!(!matches!(found, Shrunk::NotReproduced), "{found:?}");
        // Whatever is kept, the same three in another order refute it.
        assert_eq!(found, Shrunk::OrderMatters);
        assert_eq!(shrunk(&silent(&[1]), |_| true), Shrunk::NotReproduced);
    }
}
