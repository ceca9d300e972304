//! An engine that does what a test tells it: a script of sayings per replica, one for each firing
//! of its timer. It reacts to nothing that is delivered but a block.

use crate::{
    Signatures,
    engine::{
        Effect, Engine, EngineError, MessageId, Nanos, Recovery, Start, State, Timer, Working,
        nspcc::protocol,
    },
    protocols::testing::nspcc as at,
};
use milp_schema::{BlockId, Height, Message, ReplicaId, View, vocabulary::Role};
use std::collections::{BTreeMap, VecDeque};

/// How a run of it begins.
pub(super) const HOW: (Signatures, Recovery) = (Signatures::Symbolic, Recovery::Ideal);

#[derive(Default)]
pub(super) struct Toy {
    now: Nanos,
    places: Vec<(Height, View)>,
    up: Vec<bool>,
    heights: u32,
    messages: BTreeMap<MessageId, Message>,
    script: BTreeMap<ReplicaId, VecDeque<&'static str>>,
    /// Slots from one firing to the next.
    pub(super) period: u64,
    /// What a replica says once its script is used up.
    pub(super) refrain: Option<&'static str>,
}

impl Toy {
    /// Sayings are separated by `;`: `enter v1`, `decide v0 b0`, `break down`, or a message; they
    /// are of the replica's height.
    pub(super) fn saying(script: &[(u32, &'static str)]) -> Self {
        let mut toy = Self {
            period: 3,
            ..Self::default()
        };
        for &(replica, words) in script {
            let queue = toy.script.entry(ReplicaId(replica)).or_default();
            queue.push_back(words);
        }
        toy
    }

    fn send(&mut self, replica: ReplicaId, message: Message) -> Effect {
        let id = MessageId(self.messages.len() as u64 + 1);
        self.messages.insert(id, message.clone());
        Effect::Send {
            replica,
            id,
            recovery: message.kind.is(Role::Answer),
            message,
            carried: Vec::new(),
        }
    }

    fn decide(&mut self, replica: ReplicaId, block: BlockId) -> Vec<Effect> {
        self.places[replica.index()] = (block.height.next(), View(0));
        let message = Message::about(protocol().decision(), block);
        let send = self.send(replica, message);
        vec![Effect::Decide { replica, block }, send]
    }

    fn say(&mut self, replica: ReplicaId, words: &str) -> Vec<Effect> {
        let height = self.places[replica.index()].0;
        let message = |text: &str| at(height.0, text);
        match words.split_once(' ') {
            Some(("enter", view)) => {
                let view = View(view[1..].parse().expect("a view"));
                self.places[replica.index()].1 = view;
                vec![Effect::EnterView {
                    replica,
                    height,
                    view,
                }]
            }
            Some(("decide", block)) => {
                let block = message(&format!("Block {block}")).block_id();
                self.decide(replica, block.expect("a block"))
            }
            Some(("break", _)) => {
                self.up[replica.index()] = false;
                let text = "index out of range".to_owned();
                vec![Effect::Fault { replica, text }]
            }
            _ => vec![self.send(replica, message(words))],
        }
    }

    fn timer(&self, replica: ReplicaId) -> Effect {
        let (height, view) = self.places[replica.index()];
        let deadline = self.now + self.period * crate::engine::slot(3);
        let runs = height.0 < self.heights;
        let timer = runs.then_some(Timer {
            name: "timer",
            height,
            view,
            deadline,
        });
        Effect::Timer {
            replica,
            timers: timer.into_iter().collect(),
        }
    }
}

impl Engine for Toy {
    fn name(&self) -> String {
        "toy".to_owned()
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        self.places = vec![(Height(0), View(0)); start.replicas as usize];
        self.up = vec![true; start.replicas as usize];
        self.heights = start.heights;
        let honest = |id: &ReplicaId| !start.byzantine.contains(id);
        let honest = ReplicaId::all(start.replicas).filter(honest);
        Ok(honest.map(|id| self.timer(id)).collect())
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        let message = &self.messages[&id];
        let (height, _) = self.places[to.index()];
        match message.block_id() {
            Some(block) if message.kind.is(Role::Decision) && block.height == height => {
                let mut effects = self.decide(to, block);
                effects.push(self.timer(to));
                Ok(effects)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        _timer: &str,
        _place: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        let queue = self.script.entry(at).or_default();
        let words = queue.pop_front().or(self.refrain).unwrap_or_default();
        let mut effects = Vec::new();
        for saying in words.split("; ").filter(|saying| !saying.is_empty()) {
            effects.extend(self.say(at, saying));
        }
        if self.up[at.index()] {
            effects.push(self.timer(at));
        }
        Ok(effects)
    }

    fn inject(&mut self, _by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        let id = MessageId(self.messages.len() as u64 + 1);
        self.messages.insert(id, message.clone());
        Ok(id)
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        self.up[who.index()] = false;
        Ok(Vec::new())
    }

    fn restart(&mut self, who: ReplicaId, _backup: bool) -> Result<Vec<Effect>, EngineError> {
        self.up[who.index()] = true;
        self.places[who.index()].1 = View(0);
        Ok(vec![self.timer(who)])
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        self.now = now;
        Ok(Vec::new())
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let (height, view) = self.places[who.index()];
        Ok(if !self.up[who.index()] {
            State::Down(height)
        } else if height.0 >= self.heights {
            State::Stopped(height)
        } else {
            State::Working(Box::new(Working {
                height,
                view,
                votes: Vec::new(),
                entry: Vec::new(),
                bonds: Vec::new(),
                seen: Vec::new(),
                timers: Vec::new(),
            }))
        })
    }
}
