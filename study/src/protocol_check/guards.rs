//! Which guard carries what: the optimum without each rule, and without each single guard.

use super::{
    optima::{outcome, proved},
    setting::{Until, fewest, setting},
};
use crate::Error;
use milp_schema::{
    Instance, Outcome, Protocol,
    instance::{Goal, Network},
    outcome::Termination,
    protocol::{Definition, Lines, Rule, Rules, weakened},
};
use std::sync::atomic::AtomicBool;

/// What rules and guards carry.
#[derive(Debug, Clone)]
pub struct Carried {
    /// Every rule and every guard, in the order of the file.
    pub all: Vec<Without>,
    /// Why liveness was not asked, if it was not.
    pub not_asked: Option<String>,
}

/// What is taken away, and what becomes of the optima then.
#[derive(Debug, Clone)]
pub struct Without {
    /// The lines of the page that the rule states.
    pub lines: Lines,
    /// The rule in one spelling.
    pub rule: String,
    /// The guard; nothing if the whole rule is gone.
    pub guard: Option<String>,
    /// What becomes of the most blocks of one height, by views.
    pub agreement: Effect,
    /// What becomes of the most good views without a decision, by good views after a bad one; nothing
    /// if it was not asked.
    pub liveness: Option<Effect>,
}

/// What an optimum becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Rules without it make no sense, and why.
    Senseless(String),
    /// It is the same in up to so many views, proved; one block where the protocol decides none counts
    /// as the same.
    Same {
        /// The views.
        views: u32,
    },
    /// From so many views on it is another.
    Changes {
        /// The fewest views.
        views: u32,
        /// The optimum of the protocol there.
        protocol: i64,
        /// The one without.
        without: i64,
    },
    /// Nothing can happen at all.
    Nothing,
    /// Nothing was proved in more than so many views.
    Open {
        /// The views, 0 if in none.
        views: u32,
        /// Why no program can be built; nothing if a limit came.
        why: Option<String>,
    },
}

/// Optima that are asked again, each for a number that grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    /// The most blocks of a height, in so many views.
    Agreement,
    /// The most of so many good views that pass without a decision, after a bad one, with gossip.
    Liveness,
}

impl Property {
    /// The question for so many views.
    fn asked(self, protocol: Protocol, rules: &Rules, views: u32) -> Instance {
        let blocks = if self == Self::Agreement && views <= 2 {
            2
        } else {
            1
        };
        let mut instance = setting(protocol, fewest(rules), views, blocks);
        if self == Self::Liveness {
            // Of the views behind the first at most every n-th, and one more, has no honest primary.
            let n = instance.replicas;
            let enough = |behind: &u32| behind - behind.div_ceil(n) >= views;
            let behind = (views..=3 * views).find(enough).unwrap_or(views);
            instance.views = 1 + behind;
            instance.slots = 4 + 5 * instance.views;
            instance.network = Network::Eventual;
            instance.gossip = true;
            instance.goal = Goal::Wasted {
                bad: 1,
                up_to: views,
            };
        }
        instance
    }

    /// The protocol's optima up to so many views, each if it was proved, or why not.
    fn plain(
        self,
        protocol: Protocol,
        rules: &Rules,
        most: u32,
        until: &Until<'_>,
    ) -> Result<Vec<Plain>, Error> {
        let of = |views| {
            let found = known(&self.asked(protocol, rules, views), &until.part(0.5))?;
            let value = found.and_then(|it| it.primal.filter(|_| proved(&it)).ok_or(None));
            Ok((views, value))
        };
        (1..=most).map(of).collect()
    }
}

/// A number of views, and the protocol's optimum there.
type Plain = (u32, Result<i64, Option<String>>);

/// What every rule and every guard of a protocol carries, one by one in the order of the file: of
/// agreement within so many views, of liveness within as many, a bad one and good ones; `most`
/// seconds for everything.
///
/// # Errors
/// A protocol whose file has no rules; a solver that breaks down.
pub fn guards(
    protocol: Protocol,
    views: u32,
    most: f64,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(f64, &str),
) -> Result<Carried, Error> {
    let until = Until::within(most, interrupt);
    let without = || Error::Refused(format!("protocol `{protocol}` is a file without rules"));
    let definition = protocol.definition().ok_or_else(without)?;
    let rules = &definition.rules;
    progress(until.clock.spent(), &format!("{protocol} as it is"));
    let optima = |property: Property, most| property.plain(protocol, rules, most, &until.part(0.1));
    let agreement = optima(Property::Agreement, views)?;
    let liveness = optima(Property::Liveness, views - 1)?;
    let not_asked = match liveness.first() {
        None => Some("one view leaves none that is good after a bad one".to_owned()),
        Some((_, Err(Some(why)))) => Some(why.clone()),
        Some(_) => None,
    };
    let asks_both = not_asked.is_none();
    let mut asker = Asker {
        definition,
        until: until.part(if asks_both { 0.5 } else { 1.0 }),
        progress,
    };
    let agreement = asker.effects(Property::Agreement, &agreement)?;
    asker.until = until;
    let liveness = if asks_both {
        let effects = asker.effects(Property::Liveness, &liveness)?;
        effects.into_iter().map(Some).collect()
    } else {
        vec![None; agreement.len()]
    };
    let effects = agreement.into_iter().zip(liveness);
    let all = places(rules).into_iter().zip(effects);
    let all = all.map(|((rule, guard), (agreement, liveness))| {
        let it = &rules.rules[rule];
        Without {
            lines: it.lines.clone(),
            rule: rules.text(it),
            guard: text(rules, rule, guard),
            agreement,
            liveness,
        }
    });
    Ok(Carried {
        all: all.collect(),
        not_asked,
    })
}

/// A rule, and a guard of it if not the whole rule is meant: its place among `when`, then `unless`.
type At = (usize, Option<usize>);

/// Every rule and every guard of it.
fn places(rules: &Rules) -> Vec<At> {
    let of = |(number, rule): (usize, &Rule)| {
        let guards = (0..rule.guards().count()).map(Some);
        [None]
            .into_iter()
            .chain(guards)
            .map(move |guard| (number, guard))
    };
    rules.rules.iter().enumerate().flat_map(of).collect()
}

/// The guard of a place.
fn text(rules: &Rules, rule: usize, guard: Option<usize>) -> Option<String> {
    let guard = rules.rules[rule].guards().nth(guard?)?;
    Some(rules.guard_text(guard))
}

/// Asks about one after the other.
struct Asker<'a> {
    definition: &'a Definition,
    until: Until<'a>,
    progress: &'a mut dyn FnMut(f64, &str),
}

impl Asker<'_> {
    /// What becomes of an optimum without each rule and without each guard; what stays open is asked
    /// again with the time that the others leave.
    fn effects(&mut self, property: Property, plain: &[Plain]) -> Result<Vec<Effect>, Error> {
        let all = places(&self.definition.rules);
        let mut effects = vec![OPEN; all.len()];
        for _ in 0..2 {
            let open = (0..all.len()).filter(|&it| is_open(&effects[it]));
            let open: Vec<usize> = open.collect();
            for (done, &number) in open.iter().enumerate() {
                let part = self.until.part(1.0 / (open.len() - done) as f64);
                let known = std::mem::replace(&mut effects[number], OPEN);
                effects[number] = self.asked_again(property, plain, all[number], known, &part)?;
            }
        }
        Ok(effects)
    }

    /// What becomes of an optimum without one rule or guard, in more views than is known of it.
    fn asked_again(
        &mut self,
        property: Property,
        plain: &[Plain],
        (rule, guard): At,
        known_before: Effect,
        part: &Until<'_>,
    ) -> Result<Effect, Error> {
        let rules = &self.definition.rules;
        let what = text(rules, rule, guard).unwrap_or_else(|| "the rule".to_owned());
        let said = format!("{} without {what}", rules.rules[rule].lines);
        (self.progress)(self.until.clock.spent(), &said);
        let Effect::Open { views, .. } = known_before else {
            return Ok(known_before);
        };
        match weakened(self.definition, rule, guard) {
            Err(error) => Ok(Effect::Senseless(error.problems[0].what.clone())),
            Ok(weaker) => effect(property, plain, views, |views| {
                known(&property.asked(weaker, rules, views), part)
            }),
        }
    }
}

/// What is not asked yet.
const OPEN: Effect = Effect::Open {
    views: 0,
    why: None,
};

/// Whether more time may help.
fn is_open(effect: &Effect) -> bool {
    matches!(effect, Effect::Open { why: None, .. })
}

/// What is known of an optimum, or why nothing is, if that is not a limit.
type Known = Result<Outcome, Option<String>>;

fn known(instance: &Instance, until: &Until<'_>) -> Result<Known, Error> {
    let mut wrong = Vec::new();
    match outcome(instance, until, &mut wrong) {
        Ok(outcome) => Ok(outcome.ok_or_else(|| wrong.pop().map(|it| it.what))),
        Err(Error::Model(why)) => Ok(Err(Some(why.to_string()))),
        Err(error) => Err(error),
    }
}

/// The fewest views, of more than `same`, in which the optimum is another than the protocol's. More
/// blocks rest on a schedule, fewer and as many on a proof. One block where the protocol decides none
/// is no other agreement.
fn effect(
    property: Property,
    plain: &[Plain],
    mut same: u32,
    mut without: impl FnMut(u32) -> Result<Known, Error>,
) -> Result<Effect, Error> {
    let enough = match property {
        Property::Agreement => 1,
        Property::Liveness => 0,
    };
    let behind = same;
    for (views, protocol) in plain.iter().filter(|(views, _)| *views > behind) {
        let open = |why| Ok(Effect::Open { views: same, why });
        let (views, protocol) = match protocol {
            Ok(protocol) => (*views, *protocol),
            Err(why) => return open(why.clone()),
        };
        let found = match without(views)? {
            Ok(found) => found,
            Err(why) => return open(why),
        };
        let is_proved = proved(&found);
        match found.primal {
            Some(without)
                if without > protocol.max(enough) || (without < protocol && is_proved) =>
            {
                return Ok(Effect::Changes {
                    views,
                    protocol,
                    without,
                });
            }
            Some(_) if is_proved => same = views,
            None if found.termination == Termination::Infeasible => return Ok(Effect::Nothing),
            _ => return open(None),
        }
    }
    Ok(Effect::Same { views: same })
}
