//! What adapters answer, read strictly: what the page does not say is refused.

use super::{
    raw::{
        RawBegun, RawBond, RawCarried, RawDown, RawEffect, RawEffects, RawInjected, RawLabel,
        RawStopped, RawTimer, RawVote, RawWorking,
    },
    text::{is_name, shown},
};
use crate::engine::{Bond, Effect, MessageId, Recovery, Start, State, Timer, Vote, Working};
use crate::signature::Signatures;
use milp_schema::{
    BlockId, Height, Kind, Message, Protocol, ReplicaId, Value, View,
    vocabulary::{Names, Role},
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeSet, fmt};

/// The version of the page that is spoken here.
pub(crate) const PROTOCOL: &str = "milp-engine/2.0";

/// Views and block numbers stay below this.
const NUMBERS: u32 = 1 << 16;
/// So many copies of messages are enough for any run; a few effects are allowed in any case.
const COPIES: usize = 400_000;
const EFFECTS: usize = 20_000;
/// What a recovery message may carry of each replica.
const CARRIED: usize = 8;

/// What the caller knows of a run, and holds answers against.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    protocol: Protocol,
    replicas: u32,
    heights: u32,
    byzantine: BTreeSet<ReplicaId>,
    ids: BTreeSet<u64>,
    /// How many effects there were.
    effects: usize,
}

/// Answer to `initialise`.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    pub(crate) engine: String,
    pub(crate) version: String,
    pub(crate) effects: Vec<Effect>,
}

/// Params of `initialise`.
pub(crate) fn start_params(start: &Start) -> Json {
    json!({
        "protocol": PROTOCOL,
        "replicas": start.replicas,
        "heights": start.heights,
        "byzantine": start.byzantine,
        "block_time": start.block_time,
        "seed": start.seed,
        "signatures": match start.signatures {
            Signatures::P256 => "p256",
            Signatures::Symbolic => "symbolic",
        },
        "recovery": match start.recovery {
            Recovery::Ideal => "ideal",
            Recovery::NeoGo => "neo-go",
        },
    })
}

/// A label as the page has it.
pub(crate) fn label(message: &Message) -> Json {
    json!({
        "kind": message.kind.name(),
        "height": message.height,
        "view": message.view,
        "value": message.value,
        "justification": message.justification,
    })
}

impl Known {
    /// Nothing but what the run begins with.
    pub(crate) fn of(start: &Start) -> Self {
        Self {
            protocol: start.protocol,
            replicas: start.replicas,
            heights: start.heights,
            byzantine: start.byzantine.iter().copied().collect(),
            ids: BTreeSet::new(),
            effects: 0,
        }
    }

    /// Reads the answer to `initialise`.
    pub(crate) fn begun(&mut self, result: Json) -> Result<Begun, String> {
        let raw: RawBegun = parse(result)?;
        let minor = raw.protocol.strip_prefix("milp-engine/2.");
        if minor.is_none_or(|minor| minor.parse::<u32>().is_err()) {
            let spoken = shown(&raw.protocol);
            return Err(format!("it speaks {spoken}, not {PROTOCOL}"));
        }
        for (what, text) in [("engine", &raw.engine), ("version", &raw.version)] {
            if !is_name(text) {
                return Err(format!(
                    "`{what}` is `{}`, and a name has 1 to 64 letters, digits, `.`, `_`, `+` and \
                     `-`, a letter or digit first",
                    shown(text)
                ));
            }
        }
        Ok(Begun {
            engine: raw.engine,
            version: raw.version,
            effects: self.all(raw.effects)?,
        })
    }

    /// Reads an answer that has effects only.
    pub(crate) fn effects(&mut self, result: Json) -> Result<Vec<Effect>, String> {
        let raw: RawEffects = parse(result)?;
        self.all(raw.effects)
    }

    /// Reads the answer to `inject`.
    pub(crate) fn injected(&mut self, result: Json) -> Result<MessageId, String> {
        let raw: RawInjected = parse(result)?;
        if !raw.effects.is_empty() {
            return Err("an injection has effects".to_owned());
        }
        self.fresh(raw.message)
    }

    /// Reads the answer to `state` of a replica.
    pub(crate) fn state(&self, result: Json) -> Result<State, String> {
        let flag = |name: &str| result.get(name).and_then(Json::as_bool);
        match (flag("up"), flag("stopped")) {
            (None, _) => Err("`up` is missing or neither true nor false".to_owned()),
            (Some(false), _) => {
                parse(result).and_then(|raw: RawDown| Ok(State::Down(self.reached(raw.height)?)))
            }
            (Some(true), Some(true)) => parse(result)
                .and_then(|raw: RawStopped| Ok(State::Stopped(self.reached(raw.height)?))),
            (Some(true), _) => {
                parse(result).and_then(|raw| Ok(State::Working(Box::new(self.working(raw)?))))
            }
        }
    }

    fn all(&mut self, raw: Vec<Json>) -> Result<Vec<Effect>, String> {
        let most = (COPIES / self.replicas as usize).max(EFFECTS);
        self.effects += raw.len();
        if self.effects > most {
            return Err(format!("there are more than {most} effects in one run"));
        }
        let mut effects = Vec::with_capacity(raw.len());
        let mut timed = BTreeSet::new();
        for (place, value) in raw.into_iter().enumerate() {
            let at = |why| format!("effects[{place}]: {why}");
            let effect = parse(value).and_then(|raw| self.effect(raw)).map_err(at)?;
            match &effect {
                Effect::Timer { replica, .. } if !timed.insert(*replica) => {
                    return Err(at(format!("the timers of replica {replica} a second time")));
                }
                Effect::Timer { .. } => {}
                _ if !timed.is_empty() => return Err(at("it comes after a timer".to_owned())),
                _ => {}
            }
            Self::follows(effects.last(), &effect).map_err(at)?;
            effects.push(effect);
        }
        match effects.last() {
            Some(Effect::Decide { .. }) => Err("a decision is not published".to_owned()),
            _ => Ok(effects),
        }
    }

    fn effect(&mut self, raw: RawEffect) -> Result<Effect, String> {
        Ok(match raw {
            RawEffect::Send {
                replica,
                message,
                label,
                carried,
            } => {
                let message = (self.fresh(message)?, self.message(&label)?);
                self.send(replica, message, carried)?
            }
            RawEffect::EnterView {
                replica,
                height,
                view,
            } => Effect::EnterView {
                replica: self.honest(replica)?,
                height: self.height(height)?,
                view: match view {
                    0 => return Err("view 0 is not entered".to_owned()),
                    view => bounded_view(view)?,
                },
            },
            RawEffect::Decide { replica, label } => {
                let message = self.message(&label)?;
                let block = message
                    .block_id()
                    .filter(|_| message.kind.is(Role::Decision));
                Effect::Decide {
                    replica: self.honest(replica)?,
                    block: block.ok_or_else(|| {
                        format!("a {} is no kind that passes on a decision", message.kind)
                    })?,
                }
            }
            RawEffect::Timer { replica, timers } => Effect::Timer {
                replica: self.honest(replica)?,
                timers: self.timers(timers)?,
            },
            RawEffect::Fault { replica, text } => Effect::Fault {
                replica: self.honest(replica)?,
                text: shown(&text),
            },
        })
    }

    fn send(
        &self,
        replica: u32,
        (id, message): (MessageId, Message),
        carried: Option<Vec<RawCarried>>,
    ) -> Result<Effect, String> {
        let repeats = message.kind.is(Role::Answer);
        if carried.is_some() != repeats {
            return Err(format!(
                "`carried` belongs to what repeats others and to nothing else, this is a {}",
                message.kind
            ));
        }
        let carried = carried.unwrap_or_default();
        if carried.len() > CARRIED * self.replicas as usize {
            return Err(format!("a message carries {} others", carried.len()));
        }
        let carried = carried.into_iter().map(|raw| {
            let message = self.message(&raw.label)?;
            match message.kind.does().role {
                Role::Proposal | Role::Vote | Role::Leave => {
                    Ok((self.replica(raw.author)?, message))
                }
                _ => Err(format!("a {} is not carried", message.kind)),
            }
        });
        Ok(Effect::Send {
            replica: self.honest(replica)?,
            id,
            recovery: repeats,
            message,
            carried: carried.collect::<Result<_, String>>()?,
        })
    }

    fn kind(&self, name: &str) -> Result<Kind, String> {
        let kind = self.protocol.kind(name);
        kind.ok_or_else(|| format!("no kind of message is called `{}`", shown(name)))
    }

    /// What a message of that kind may name, or nothing.
    fn value(kind: Kind, value: Option<Value>) -> Result<Option<Value>, String> {
        match value {
            None => Ok(None),
            Some(Value::Block { view, index }) if kind.does().names == Names::Value => {
                bounded_view(view.0)?;
                if index >= NUMBERS {
                    return Err(format!("index {index} is {NUMBERS} or more"));
                }
                Ok(value)
            }
            Some(other) => Err(format!("no {kind} names {other}")),
        }
    }

    fn message(&self, raw: &RawLabel) -> Result<Message, String> {
        let kind = self.kind(&raw.kind)?;
        if raw.justification.is_some() {
            return Err(format!("the label of a {kind} has a justification"));
        }
        let value = Self::value(kind, raw.value)?;
        if value.is_none() && kind.does().names == Names::Value {
            return Err(format!("the label of a {kind} names nothing"));
        }
        Ok(Message {
            kind,
            height: self.height(raw.height)?,
            view: bounded_view(raw.view)?,
            value,
            justification: None,
        })
    }

    fn working(&self, raw: RawWorking) -> Result<Working, String> {
        if !raw.seen.is_empty() && raw.seen.len() != self.replicas as usize {
            return Err(format!("`seen` has {} entries", raw.seen.len()));
        }
        let seen = raw.seen.into_iter();
        let seen = seen.map(|view| view.map(bounded_view).transpose());
        let bonds = raw.bonds.iter().map(|bond| self.bond(bond));
        Ok(Working {
            height: self.height(raw.height)?,
            view: bounded_view(raw.view)?,
            votes: self.votes("votes", raw.votes)?,
            entry: self.votes("entry", raw.entry)?,
            bonds: ascending("bonds", bonds.collect::<Result<_, String>>()?)?,
            seen: seen.collect::<Result<_, String>>()?,
            timers: self.timers(raw.timers)?,
        })
    }

    fn bond(&self, raw: &RawBond) -> Result<Bond, String> {
        let kind = self.kind(&raw.kind)?;
        Ok(Bond {
            kind,
            view: bounded_view(raw.view)?,
            value: Self::value(kind, raw.value)?,
        })
    }

    fn votes(&self, list: &str, raw: Vec<RawVote>) -> Result<Vec<Vote>, String> {
        let vote = |raw: RawVote| {
            let kind = self.kind(&raw.kind)?;
            Ok(Vote {
                author: self.replica(raw.author)?,
                kind,
                view: bounded_view(raw.view)?,
                value: Self::value(kind, raw.value)?,
            })
        };
        let votes = raw.into_iter().map(vote);
        ascending(list, votes.collect::<Result<_, String>>()?)
    }

    fn timers(&self, raw: Vec<RawTimer>) -> Result<Vec<Timer>, String> {
        let timer = |raw: RawTimer| {
            let known = self.protocol.timers.iter().find(|name| **name == raw.name);
            let unknown = || format!("no timer is called `{}`", shown(&raw.name));
            Ok(Timer {
                name: known.ok_or_else(unknown)?,
                height: self.height(raw.height)?,
                view: bounded_view(raw.view)?,
                deadline: raw.deadline,
            })
        };
        let timers: Vec<Timer> = raw.into_iter().map(timer).collect::<Result<_, String>>()?;
        let names = timers.iter().map(|timer| timer.name);
        if names.collect::<BTreeSet<_>>().len() < timers.len() {
            return Err("a timer runs twice".to_owned());
        }
        Ok(timers)
    }

    fn replica(&self, id: u32) -> Result<ReplicaId, String> {
        if id < self.replicas {
            Ok(ReplicaId(id))
        } else {
            Err(format!("there is no replica {id}"))
        }
    }

    fn honest(&self, id: u32) -> Result<ReplicaId, String> {
        match self.replica(id)? {
            replica if self.byzantine.contains(&replica) => Err(format!(
                "replica {id} is Byzantine and does nothing by itself"
            )),
            replica => Ok(replica),
        }
    }

    fn height(&self, height: u32) -> Result<Height, String> {
        if height < self.heights {
            Ok(Height(height))
        } else {
            Err(format!("there is no height {height}"))
        }
    }

    /// A height of a ledger: the one after the last stands for all of them.
    fn reached(&self, height: u32) -> Result<Height, String> {
        if height <= self.heights {
            Ok(Height(height))
        } else {
            Err(format!("there is no height {height}"))
        }
    }

    /// Right after a decision the block is published, and at no other time.
    fn follows(before: Option<&Effect>, effect: &Effect) -> Result<(), String> {
        let decided = |replica: ReplicaId, block: BlockId| match before {
            Some(Effect::Decide {
                replica: by,
                block: what,
            }) => (*by, *what) == (replica, block),
            _ => false,
        };
        let publishes = match effect {
            Effect::Send {
                replica, message, ..
            } if message.kind.is(Role::Decision) => {
                let block = message.block_id();
                if !block.is_some_and(|block| decided(*replica, block)) {
                    return Err(format!(
                        "a {} is sent right after its decision only",
                        message.kind
                    ));
                }
                true
            }
            _ => false,
        };
        if matches!(before, Some(Effect::Decide { .. })) && !publishes {
            return Err("a decision is not published right after it".to_owned());
        }
        Ok(())
    }

    fn fresh(&mut self, id: u64) -> Result<MessageId, String> {
        if id == 0 {
            return Err("message 0: ids are positive".to_owned());
        }
        if self.ids.insert(id) {
            Ok(MessageId(id))
        } else {
            Err(format!("message {id} is an id used before"))
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Json) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| shown(&error.to_string()))
}

fn bounded_view(view: u32) -> Result<View, String> {
    if view < NUMBERS {
        Ok(View(view))
    } else {
        Err(format!("view {view} is {NUMBERS} or more"))
    }
}

/// A list that ascends, none twice.
fn ascending<T: Ord + fmt::Debug>(list: &str, members: Vec<T>) -> Result<Vec<T>, String> {
    let mut pairs = members.iter().zip(members.iter().skip(1));
    match pairs.find(|(one, next)| one >= next) {
        Some((_, next)) => Err(format!("`{list}` does not ascend at {next:?}")),
        None => Ok(members),
    }
}
