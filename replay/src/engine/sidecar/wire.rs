//! What adapters answer, read strictly: what the page does not say is refused.

use super::{
    raw::{
        RawBegun, RawCarried, RawCommit, RawDown, RawEffect, RawEffects, RawInjected, RawLabel,
        RawPreparation, RawStopped, RawTimer, RawWish, RawWorking,
    },
    text::{is_name, shown},
};
use crate::engine::{Bond, Effect, MessageId, Recovery, Start, State, TIMER, Timer, Vote, Working};
use crate::signature::Signatures;
use crate::{engine::nspcc::protocol, protocols::Name};
use milp_schema::{
    BlockId, Height, Message, ReplicaId, View,
    vocabulary::{Names, Role},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The version of the page that is spoken here.
pub(crate) const PROTOCOL: &str = "milp-engine/1.0";

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
pub(crate) fn start_params(start: &Start) -> Value {
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
pub(crate) fn label(message: &Message) -> Value {
    json!({
        "kind": message.kind.name(),
        "height": message.height,
        "view": message.view,
        "block": message.index(),
        "target": (message.kind == Name::ChangeView).then(|| message.view.next()),
    })
}

impl Known {
    /// Nothing but what the run begins with.
    pub(crate) fn of(start: &Start) -> Self {
        Self {
            replicas: start.replicas,
            heights: start.heights,
            byzantine: start.byzantine.iter().copied().collect(),
            ids: BTreeSet::new(),
            effects: 0,
        }
    }

    /// Reads the answer to `initialise`.
    pub(crate) fn begun(&mut self, result: Value) -> Result<Begun, String> {
        let raw: RawBegun = parse(result)?;
        let minor = raw.protocol.strip_prefix("milp-engine/1.");
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
    pub(crate) fn effects(&mut self, result: Value) -> Result<Vec<Effect>, String> {
        let raw: RawEffects = parse(result)?;
        self.all(raw.effects)
    }

    /// Reads the answer to `inject`.
    pub(crate) fn injected(&mut self, result: Value) -> Result<MessageId, String> {
        let raw: RawInjected = parse(result)?;
        if !raw.effects.is_empty() {
            return Err("an injection has effects".to_owned());
        }
        self.fresh(raw.message)
    }

    /// Reads the answer to `state` of a replica.
    pub(crate) fn state(&self, who: ReplicaId, result: Value) -> Result<State, String> {
        let flag = |name: &str| result.get(name).and_then(Value::as_bool);
        match (flag("up"), flag("stopped")) {
            (None, _) => Err("`up` is missing or neither true nor false".to_owned()),
            (Some(false), _) => {
                parse(result).and_then(|raw: RawDown| Ok(State::Down(self.reached(raw.height)?)))
            }
            (Some(true), Some(true)) => parse(result)
                .and_then(|raw: RawStopped| Ok(State::Stopped(self.reached(raw.height)?))),
            (Some(true), _) => {
                parse(result).and_then(|raw| Ok(State::Working(Box::new(self.working(who, raw)?))))
            }
        }
    }

    fn all(&mut self, raw: Vec<Value>) -> Result<Vec<Effect>, String> {
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
                    return Err(at(format!("a second timer of replica {replica}")));
                }
                Effect::Timer { .. } => {}
                _ if !timed.is_empty() => return Err(at("it comes after a timer".to_owned())),
                _ => {}
            }
            follows(effects.last(), &effect).map_err(at)?;
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
                let block = message.block_id().filter(|_| message.kind == Name::Block);
                Effect::Decide {
                    replica: self.honest(replica)?,
                    block: block.ok_or("a decision's label is of kind Block")?,
                }
            }
            RawEffect::Timer { replica, timer } => Effect::Timer {
                replica: self.honest(replica)?,
                timer: self.timer(timer)?,
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
        if carried.is_some() != (message.kind == Name::RecoveryMessage) {
            return Err(format!(
                "`carried` belongs to a RecoveryMessage and to nothing else, this is a {}",
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
            recovery: message.kind == Name::RecoveryMessage,
            message,
            carried: carried.collect::<Result<_, String>>()?,
        })
    }

    fn message(&self, raw: &RawLabel) -> Result<Message, String> {
        let kind = protocol()
            .kind(&raw.kind)
            .ok_or_else(|| format!("no kind of message is called `{}`", shown(&raw.kind)))?;
        let names_block = kind.does().names != Names::Nothing;
        if raw.block.is_some() != names_block || raw.target.is_some() != (kind == Name::ChangeView)
        {
            return Err(format!(
                "the label of a {kind} has block {:?} and target {:?}",
                raw.block, raw.target
            ));
        }
        let (height, view) = (self.height(raw.height)?, bounded_view(raw.view)?);
        Ok(Message::new(kind, height, view, bounded_block(raw.block)?))
    }

    /// The page's fields as votes, bonds, timers and the rest.
    fn working(&self, who: ReplicaId, raw: RawWorking) -> Result<Working, String> {
        if raw.seen.len() != self.replicas as usize {
            return Err(format!("`seen` has {} entries", raw.seen.len()));
        }
        let view = bounded_view(raw.view)?;
        let preparations = self.preparations(raw.preparations, view)?;
        let commits = self.commits(raw.commits)?;
        let asked = self.wishes("change_views", raw.change_views)?;
        let led = self.wishes("last_change_views", raw.last_change_views)?;
        let seen = raw.seen.into_iter();
        let seen = seen.map(|view| view.map(bounded_view).transpose());
        let seen: Vec<Option<View>> = seen.collect::<Result<_, String>>()?;
        let request = bounded_block(raw.request)?;
        let own = commits.iter().find(|vote| vote.author == who).cloned();
        let asked = asked.into_iter().map(|(author, target)| {
            let left = target.0.checked_sub(1);
            let view = left.map(View).ok_or("nobody asks for view 0")?;
            let kind = Name::ChangeView.kind(protocol());
            Ok(Vote {
                author,
                kind,
                view,
                value: None,
            })
        });
        let asked: Vec<Vote> = asked.collect::<Result<_, String>>()?;
        let mut votes = [preparations, commits, asked].concat();
        votes.sort_unstable();
        let timer = self.timer(raw.timer)?;
        Ok(Working {
            height: self.height(raw.height)?,
            view,
            votes,
            bonds: own.map(Bond::from).into_iter().collect(),
            timers: timer.map(|timer| (TIMER, timer)).into_iter().collect(),
            rest: vec![
                ("block_sent", raw.block_sent.to_string()),
                ("change_view_sent", raw.change_view_sent.to_string()),
                ("commit_sent", raw.commit_sent.to_string()),
                ("last_change_views", format!("{led:?}")),
                ("request", format!("{request:?}")),
                ("response_sent", raw.response_sent.to_string()),
                ("seen", format!("{seen:?}")),
            ],
        })
    }

    fn preparations(&self, raw: Vec<RawPreparation>, view: View) -> Result<Vec<Vote>, String> {
        let vote = |raw: RawPreparation| match protocol().kind(&raw.kind) {
            Some(kind) if kind == Name::PrepareRequest || kind == Name::PrepareResponse => {
                Ok(Vote {
                    author: self.replica(raw.author)?,
                    kind,
                    view,
                    value: bounded_block(raw.block)?,
                })
            }
            _ => Err(format!("a {} is no preparation", shown(&raw.kind))),
        };
        let votes: Vec<Vote> = raw.into_iter().map(vote).collect::<Result<_, String>>()?;
        ascending("preparations", votes.iter().map(|vote| vote.author))?;
        Ok(votes)
    }

    fn commits(&self, raw: Vec<RawCommit>) -> Result<Vec<Vote>, String> {
        let vote = |raw: RawCommit| {
            Ok(Vote {
                author: self.replica(raw.author)?,
                kind: Name::Commit.kind(protocol()),
                view: bounded_view(raw.view)?,
                value: bounded_block(raw.block)?,
            })
        };
        let votes: Vec<Vote> = raw.into_iter().map(vote).collect::<Result<_, String>>()?;
        ascending("commits", votes.iter().map(|vote| vote.author))?;
        Ok(votes)
    }

    /// Author and target of each.
    fn wishes(&self, list: &str, raw: Vec<RawWish>) -> Result<Vec<(ReplicaId, View)>, String> {
        let wish = |raw: RawWish| Ok((self.replica(raw.author)?, bounded_view(raw.target)?));
        let wishes: Vec<_> = raw.into_iter().map(wish).collect::<Result<_, String>>()?;
        ascending(list, wishes.iter().map(|wish| wish.0))?;
        Ok(wishes)
    }

    fn timer(&self, raw: Option<RawTimer>) -> Result<Option<Timer>, String> {
        raw.map(|raw| {
            Ok(Timer {
                height: self.height(raw.height)?,
                view: bounded_view(raw.view)?,
                deadline: raw.deadline,
            })
        })
        .transpose()
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

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| shown(&error.to_string()))
}

fn bounded_view(view: u32) -> Result<View, String> {
    if view < NUMBERS {
        Ok(View(view))
    } else {
        Err(format!("view {view} is {NUMBERS} or more"))
    }
}

fn bounded_block(block: Option<u32>) -> Result<Option<u32>, String> {
    match block {
        Some(block) if block >= NUMBERS => Err(format!("block {block} is {NUMBERS} or more")),
        block => Ok(block),
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
        } if message.kind == Name::Block => {
            let block = message.block_id();
            if !block.is_some_and(|block| decided(*replica, block)) {
                return Err("a Block is sent right after its decision only".to_owned());
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

fn ascending(list: &str, authors: impl Iterator<Item = ReplicaId> + Clone) -> Result<(), String> {
    let mut pairs = authors.clone().zip(authors.skip(1));
    match pairs.find(|(one, next)| one >= next) {
        Some((_, next)) => Err(format!("`{list}` does not ascend at author {next}")),
        None => Ok(()),
    }
}
