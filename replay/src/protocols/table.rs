//! The replicas of one run behind [`Engine`]: their timers, their signatures and the numbers of
//! what they say.

use super::{Family, Name, Output, Replica, Rules, dbft2};
use crate::{
    engine::{
        Bond, Effect, Engine, EngineError, Habits, MessageId, Nanos, Start, State, Timer, Vote,
        Working,
    },
    signature::{Keys, Signature, Signatures},
};
use milp_schema::{Height, Message, ReplicaId, Value, View};

/// A signed message; who receives it looks at its signature once, since bytes stay the same.
#[derive(Debug, Clone)]
struct Letter {
    author: ReplicaId,
    message: Message,
    carried: Vec<(ReplicaId, Message)>,
    signature: Signature,
    genuine: Option<bool>,
}

/// One place at the table.
#[derive(Debug, Clone)]
struct Seat {
    /// The honest replica; meaningless if Byzantine.
    state: Replica,
    /// Whether it follows the protocol and is not crashed.
    live: bool,
    timer: Option<Timer>,
}

/// All replicas of one run.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    rules: Rules,
    seats: Vec<Seat>,
    /// Message number i + 1 at position i.
    letters: Vec<Letter>,
    keys: Keys,
    /// The name of the one timer.
    timer: &'static str,
    block_time: Nanos,
    now: Nanos,
    habits: Habits,
}

impl Table {
    /// Replicas of these rules, not started.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            seats: Vec::new(),
            letters: Vec::new(),
            keys: Keys::new(Signatures::Symbolic, rules.replicas),
            timer: "",
            block_time: 0,
            now: 0,
            habits: Habits::PAGE,
        }
    }

    /// The same without recovery, the stage offering everything again, as it does for replicas
    /// made from a file.
    #[cfg(test)]
    pub(crate) fn quiet(rules: Rules) -> Self {
        Self {
            habits: Habits {
                offers_again: true,
                ..Habits::PAGE
            },
            ..Self::new(Rules {
                recovery: false,
                ..rules
            })
        }
    }

    fn post(
        &mut self,
        author: ReplicaId,
        message: Message,
        carried: Vec<(ReplicaId, Message)>,
    ) -> MessageId {
        let signature = self.keys.sign(author, &message, &carried);
        self.letters.push(Letter {
            author,
            message,
            carried,
            signature,
            genuine: None,
        });
        MessageId(self.letters.len() as u64)
    }

    /// The handlers of a replica run on a genuine message.
    fn receive(
        &mut self,
        to: ReplicaId,
        id: MessageId,
        carried: bool,
    ) -> Result<Vec<Effect>, EngineError> {
        let place = usize::try_from(id.0).ok().and_then(|id| id.checked_sub(1));
        let letter = place.and_then(|place| self.letters.get_mut(place));
        let Some(letter) = letter else {
            return Err(EngineError::Refused {
                act: "a delivery".to_owned(),
                why: format!("there is no message {}", id.0),
            });
        };
        let keys = &self.keys;
        let genuine = *letter.genuine.get_or_insert_with(|| {
            keys.verify(
                letter.author,
                &letter.message,
                &letter.carried,
                &letter.signature,
            )
        });
        let (author, message) = (letter.author, letter.message.clone());
        Ok(if genuine {
            self.act(to, |replica, rules, out| {
                replica.on_receive(rules, author, &message, carried, out);
            })
        } else {
            Vec::new()
        })
    }

    /// Something happens at a replica; entering a view or a height arms its timer.
    fn act(
        &mut self,
        id: ReplicaId,
        act: impl FnOnce(&mut Replica, &Rules, &mut Vec<Output>),
    ) -> Vec<Effect> {
        let (rules, mut out) = (self.rules, Vec::new());
        let replica = &mut self.seats[id.index()].state;
        let height = replica.height;
        act(replica, &rules, &mut out);
        let moved = |output: &Output| matches!(output, Output::EnterView(_) | Output::Decide(_));
        let moves = out.iter().any(moved);
        let mut effects: Vec<Effect> = out
            .into_iter()
            .map(|output| self.effect(id, height, output))
            .collect();
        if moves {
            effects.push(self.arm(id));
        }
        effects
    }

    /// `height` is the one the replica was at.
    fn effect(&mut self, replica: ReplicaId, height: Height, output: Output) -> Effect {
        let (message, carried, recovery) = match output {
            Output::EnterView(view) => {
                return Effect::EnterView {
                    replica,
                    height,
                    view,
                };
            }
            Output::Decide(block) => return Effect::Decide { replica, block },
            Output::Send(message) => (message, Vec::new(), false),
            Output::Recover { message, carried } => (message, carried, true),
        };
        let id = self.post(replica, message.clone(), carried.clone());
        Effect::Send {
            replica,
            id,
            message,
            carried,
            recovery,
        }
    }

    /// Arms the timer for the view a replica is in.
    fn arm(&mut self, id: ReplicaId) -> Effect {
        let state = &self.seats[id.index()].state;
        let first = state.is_primary(&self.rules) && !state.request_sent(&self.rules);
        let duration = Rules::duration(self.block_time, state.view, first);
        self.set(id, self.now.saturating_add(duration))
    }

    /// Arms the timer after a firing: never the primary's first one again, and after that one for
    /// what is left of the duration that counts from the entry into the view.
    fn rearm(&mut self, id: ReplicaId) -> Effect {
        let Seat { state, timer, .. } = &self.seats[id.index()];
        let first = state.is_primary(&self.rules) && !state.request_sent(&self.rules);
        let whole = Rules::duration(self.block_time, state.view, false);
        let began = match timer.filter(|_| first) {
            None => self.now,
            Some(timer) => {
                let first = Rules::duration(self.block_time, state.view, true);
                timer.deadline.saturating_sub(first)
            }
        };
        self.set(id, began.saturating_add(whole))
    }

    /// A replica that is down or has decided every height has no timer.
    fn set(&mut self, replica: ReplicaId, deadline: Nanos) -> Effect {
        let Seat { state, live, timer } = &mut self.seats[replica.index()];
        let runs = *live && !state.stopped(&self.rules);
        *timer = runs.then_some(Timer {
            name: self.timer,
            height: state.height,
            view: state.view,
            deadline,
        });
        Effect::Timer {
            replica,
            timers: timer.iter().copied().collect(),
        }
    }

    fn everybody(&self) -> impl Iterator<Item = ReplicaId> + use<> {
        ReplicaId::all(self.rules.replicas)
    }

    fn working(&self, id: ReplicaId) -> Working {
        let Seat { state, timer, .. } = &self.seats[id.index()];
        let vote = |author, kind, view, index: Option<u32>| Vote {
            author,
            kind: self.rules.kind(kind),
            view,
            value: index.map(|index| Value::Block { view, index }),
        };
        let requests = state.requests.iter().map(|&(view, block)| {
            let primary = self.rules.primary(state.height, view);
            vote(primary, Name::PrepareRequest, view, Some(block))
        });
        let of = |kind: Name| {
            move |&(view, block, author): &(View, u32, ReplicaId)| {
                vote(author, kind, view, Some(block))
            }
        };
        let responses = state.responses.iter().map(of(Name::PrepareResponse));
        let commits = state.commits.iter().map(of(Name::Commit));
        let leaving = state
            .change_views
            .iter()
            .map(|&(target, author)| vote(author, Name::ChangeView, View(target.0 - 1), None));
        let votes = requests.chain(responses).chain(commits.clone());
        let mut votes: Vec<Vote> = votes.chain(leaving).collect();
        votes.sort_unstable();
        let locks = self.rules.family == Family::Dbft2 && dbft2::locked(state, &self.rules);
        let own = commits.filter(|vote| locks && vote.author == id);
        Working {
            height: state.height,
            view: state.view,
            votes,
            entry: Vec::new(),
            bonds: own.map(Bond::from).collect(),
            seen: Vec::new(),
            timers: timer.iter().copied().collect(),
        }
    }
}

impl Engine for Table {
    fn name(&self) -> String {
        self.rules.engine()
    }

    fn habits(&self) -> Habits {
        self.habits
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        let seat = |id| Seat {
            state: Replica::new(id),
            live: !start.byzantine.contains(&id),
            timer: None,
        };
        self.seats = self.everybody().map(seat).collect();
        self.keys = Keys::new(start.signatures, start.replicas);
        self.timer = start.protocol.timer();
        self.block_time = start.block_time;
        self.arm_anew()
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        self.receive(to, id, false)
    }

    fn hand_over(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        self.receive(to, id, true)
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        _: &str,
        _: (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        let timer = self.rearm(at);
        let mut effects = self.act(at, Replica::on_timeout);
        if !matches!(effects.last(), Some(Effect::Timer { .. })) {
            effects.push(timer);
        }
        Ok(effects)
    }

    fn pass(&mut self, at: ReplicaId, _: &str) -> Result<Vec<Effect>, EngineError> {
        Ok(vec![self.rearm(at)])
    }

    fn arm_anew(&mut self) -> Result<Vec<Effect>, EngineError> {
        Ok(self.everybody().map(|id| self.arm(id)).collect())
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        Ok(self.post(by, message.clone(), Vec::new()))
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        self.seats[who.index()].live = false;
        Ok(vec![self.set(who, self.now)])
    }

    fn restart(&mut self, who: ReplicaId, backup: bool) -> Result<Vec<Effect>, EngineError> {
        self.seats[who.index()].live = true;
        let mut effects = self.act(who, |replica, rules, out| {
            replica.restart(rules, backup, out);
        });
        effects.push(self.arm(who));
        Ok(effects)
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        self.now = now;
        Ok(Vec::new())
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let Seat { state, live, .. } = &self.seats[who.index()];
        Ok(if !live {
            State::Down(state.height)
        } else if state.stopped(&self.rules) {
            State::Stopped(state.height)
        } else {
            State::Working(Box::new(self.working(who)))
        })
    }
}
