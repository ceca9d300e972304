//! Two engines under the same acts, and whether they can be told apart; or one engine alone, and
//! whether it decides two blocks of a height.

use super::{
    Against,
    difference::{Difference, compare},
    script::{Act, Named},
};
use crate::engine::{Effect, Engine, EngineError, MessageId, Nanos, Start, State, Timer};
use milp_schema::{BlockId, Height, Message, ReplicaId, View, vocabulary::Role};
use std::collections::{BTreeMap, BTreeSet};

/// What everybody can see of an honest replica from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Seat {
    pub(super) byzantine: bool,
    pub(super) up: bool,
    pub(super) stopped: bool,
    pub(super) height: Height,
    pub(super) view: View,
    pub(super) timers: Vec<Timer>,
}

impl Seat {
    pub(super) fn works(&self) -> bool {
        !self.byzantine && self.up && !self.stopped
    }

    /// Whether the network holds the message back until the replica gets there (E4, E20).
    pub(super) fn is_behind(&self, message: &Message) -> bool {
        match message.kind.does().role {
            Role::Question | Role::Answer => false,
            Role::Decision | Role::Leave => message.height > self.height,
            Role::Proposal | Role::Vote => {
                (message.height, message.view) > (self.height, self.view)
            }
        }
    }
}

/// A message as both engines know it.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) named: Named,
    /// One for each engine.
    ids: Vec<MessageId>,
}

/// What became of an act.
pub(super) enum Step {
    /// It was not possible here: nobody sent the message, or its receiver must not have it yet.
    Skipped,
    /// Both refused it.
    Refused,
    /// Both engines answered the same.
    Same(Vec<Effect>),
    /// They did not.
    Differ(Difference),
}

/// Engines that were started the same way: two, or one that is held against the properties.
pub(super) struct Pair {
    engines: Vec<Box<dyn Engine>>,
    pub(super) start: Start,
    pub(super) seats: Vec<Seat>,
    pub(super) sent: Vec<Sent>,
    /// Positions in `sent` by author and label.
    by_label: BTreeMap<(ReplicaId, Message), Vec<usize>>,
    pub(super) now: Nanos,
    /// Why an adapter gave no answer; nothing can be asked after that.
    pub(super) failure: Option<EngineError>,
    /// What an engine alone is held against.
    against: Option<Against>,
    /// What was decided at each height first, and by whom.
    decided: BTreeMap<Height, (ReplicaId, BlockId)>,
}

impl Pair {
    /// Starts all.
    pub(super) fn new(
        engines: Vec<Box<dyn Engine>>,
        start: &Start,
        against: Option<Against>,
    ) -> (Self, Step) {
        let seat = |id| Seat {
            byzantine: start.byzantine.contains(&id),
            up: true,
            ..Seat::default()
        };
        let mut pair = Self {
            engines,
            start: start.clone(),
            seats: ReplicaId::all(start.replicas).map(seat).collect(),
            sent: Vec::new(),
            by_label: BTreeMap::new(),
            now: 0,
            failure: None,
            against,
            decided: BTreeMap::new(),
        };
        let mut answers = Vec::new();
        for engine in &mut pair.engines {
            answers.push(answer(engine.start(start), &mut pair.failure));
        }
        let step = pair.weigh(None, answers);
        (pair, step)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.engines.iter().map(|engine| engine.name()).collect()
    }

    /// Does `act` to both and compares the answers and the states of the replica concerned.
    pub(super) fn step(&mut self, act: &Act) -> Step {
        let Some(who) = self.concerned(act) else {
            return Step::Skipped;
        };
        if let Act::Inject { by, message } = act {
            return self.inject(*by, message);
        }
        let mut answers = Vec::new();
        for side in 0..self.engines.len() {
            let applied = self.apply(side, act);
            answers.push(answer(applied, &mut self.failure));
        }
        let step = self.weigh(Some(act), answers);
        match (&step, act) {
            (Step::Differ(_), _) | (_, Act::Advance(_)) => step,
            _ => self.look(who).map_or(step, Step::Differ),
        }
    }

    /// The replica that an act is about; `None` if the act is not possible here.
    fn concerned(&self, act: &Act) -> Option<ReplicaId> {
        match act {
            Act::Deliver { to, named } => {
                let there = self.find(named).is_some();
                let seat = &self.seats[to.index()];
                (there && !seat.is_behind(&named.message)).then_some(*to)
            }
            Act::Timeout { at: who, .. }
            | Act::Inject { by: who, .. }
            | Act::Crash(who)
            | Act::Restart(who) => Some(*who),
            Act::Advance(_) => Some(ReplicaId(0)),
        }
    }

    /// The message of that name, or the last one that says the same: a script with acts taken out
    /// has fewer of them.
    fn find(&self, named: &Named) -> Option<&Sent> {
        let key = (named.author, named.message.clone());
        let positions = self.by_label.get(&key)?;
        let position = positions.get(named.nth).or(positions.last())?;
        Some(&self.sent[*position])
    }

    /// Whether that author said that before.
    pub(super) fn knows(&self, author: ReplicaId, message: &Message) -> bool {
        self.by_label.contains_key(&(author, message.clone()))
    }

    /// The act as it is carried out here, with the message it gets.
    pub(super) fn exactly(&self, act: &Act) -> Act {
        match act {
            Act::Deliver { to, named } => Act::Deliver {
                to: *to,
                named: self.find(named).map_or(named, |sent| &sent.named).clone(),
            },
            _ => act.clone(),
        }
    }

    fn apply(&mut self, side: usize, act: &Act) -> Result<Vec<Effect>, EngineError> {
        let id = match act {
            Act::Deliver { named, .. } => self.find(named).map(|sent| sent.ids[side]),
            _ => None,
        };
        let (engine, timer) = (&mut self.engines[side], self.start.protocol.timer());
        match (act, id) {
            (Act::Deliver { to, .. }, Some(id)) => engine.deliver(*to, id),
            (Act::Timeout { at, height, view }, _) => engine.timeout(*at, timer, (*height, *view)),
            (Act::Crash(who), _) => engine.crash(*who),
            (Act::Restart(who), _) => engine.restart(*who, false),
            (Act::Advance(by), _) => engine.advance(self.now.saturating_add(*by)),
            (Act::Deliver { .. }, None) | (Act::Inject { .. }, _) => Ok(Vec::new()),
        }
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Step {
        let mut ids = Vec::new();
        for engine in &mut self.engines {
            ids.push(answer(engine.inject(by, message), &mut self.failure));
        }
        let made: Vec<MessageId> = ids.iter().filter_map(|id| id.clone().ok()).collect();
        if made.len() == self.engines.len() {
            self.note(by, message.clone(), made);
            return Step::Same(Vec::new());
        }
        if made.is_empty() && self.failure.is_none() {
            return Step::Refused;
        }
        let word = |id: Option<&Result<MessageId, String>>| match id {
            Some(Err(why)) => why.clone(),
            _ => "made".to_owned(),
        };
        Step::Differ(Difference::one(
            "the injection",
            word(ids.first()),
            word(ids.last()),
        ))
    }

    /// Remembers a message of both.
    fn note(&mut self, author: ReplicaId, message: Message, ids: Vec<MessageId>) {
        let positions = self.by_label.entry((author, message.clone())).or_default();
        let named = Named {
            author,
            message,
            nth: positions.len(),
        };
        positions.push(self.sent.len());
        self.sent.push(Sent { named, ids });
    }

    /// Compares the answers, ids aside, and takes note of what happened.
    fn weigh(&mut self, act: Option<&Act>, answers: Vec<Result<Vec<Effect>, String>>) -> Step {
        let [a, others @ ..] = answers.as_slice() else {
            return Step::Skipped;
        };
        let differs = others.iter().find_map(|b| compare::answers(a, b));
        if let Some(difference) = differs.or_else(|| self.broken()) {
            return Step::Differ(difference);
        }
        let answers: Result<Vec<Vec<Effect>>, String> = answers.into_iter().collect();
        let Ok(mut answers) = answers else {
            return Step::Refused;
        };
        self.follow_act(act);
        for place in 0..answers[0].len() {
            let twins: Vec<&Effect> = answers.iter().map(|effects| &effects[place]).collect();
            self.follow(&twins);
        }
        let effects = answers.swap_remove(0);
        let violated = self.against.and_then(|against| match against {
            Against::Fork => self.forks(&effects),
            Against::Breakdown => breaks_down(&effects),
        });
        violated.map_or(Step::Same(effects), Step::Differ)
    }

    /// Two blocks that honest replicas decided at one height, or one that a quorum never bound
    /// itself to.
    fn forks(&mut self, effects: &[Effect]) -> Option<Difference> {
        let says = |who: ReplicaId, block: BlockId| format!("replica {who} decides {block}");
        effects.iter().find_map(|effect| {
            let Effect::Decide { replica, block } = effect else {
                return None;
            };
            let first = self.decided.entry(block.height);
            let first = *first.or_insert((*replica, *block));
            let now = says(*replica, *block);
            if first.1 != *block {
                return Some(Difference::one("agreement", says(first.0, first.1), now));
            }
            let bound = self.sent.iter().map(|sent| &sent.named);
            let bound = bound.filter(|it| it.message.kind.does().binds);
            let bound = bound.filter(|it| it.message.block_id() == Some(*block));
            let bound: BTreeSet<ReplicaId> = bound.map(|it| it.author).collect();
            let quorum = self.seats.len() - (self.seats.len() - 1) / 3;
            let few = format!("{} of {quorum} votes that bind are for it", bound.len());
            (bound.len() < quorum).then(|| Difference::one("finality", now, few))
        })
    }

    /// An adapter that gave no answer where the other side refused to give one.
    fn broken(&self) -> Option<Difference> {
        let failure = self.failure.as_ref()?;
        let refused = "refused".to_owned();
        Some(Difference::one("the answer", refused, failure.to_string()))
    }

    /// Takes note of an effect, as each engine numbers it.
    fn follow(&mut self, twins: &[&Effect]) {
        match twins[0] {
            Effect::Send {
                replica, message, ..
            } => {
                let id = |effect: &&Effect| match effect {
                    Effect::Send { id, .. } => Some(*id),
                    _ => None,
                };
                let ids = twins.iter().filter_map(id).collect();
                self.note(*replica, message.clone(), ids);
            }
            Effect::EnterView { replica, view, .. } => self.seats[replica.index()].view = *view,
            Effect::Decide { replica, .. } => {
                let last = self.start.heights;
                let seat = &mut self.seats[replica.index()];
                seat.height = seat.height.next();
                seat.view = View(0);
                seat.stopped = seat.height.0 == last;
            }
            Effect::Timer { replica, timers } => {
                self.seats[replica.index()].timers.clone_from(timers);
            }
            Effect::Fault { replica, .. } => self.seats[replica.index()].up = false,
        }
    }

    /// Takes note of what no effect says.
    fn follow_act(&mut self, act: Option<&Act>) {
        match act {
            Some(Act::Crash(who)) => self.seats[who.index()].up = false,
            Some(Act::Advance(by)) => self.now = self.now.saturating_add(*by),
            Some(Act::Restart(who)) => {
                let seat = &mut self.seats[who.index()];
                seat.up = true;
                seat.view = View(0);
            }
            _ => {}
        }
    }

    /// Compares the states of a replica.
    pub(super) fn look(&mut self, who: ReplicaId) -> Option<Difference> {
        let mut states: Vec<Result<State, String>> = Vec::new();
        for engine in &mut self.engines {
            states.push(answer(engine.state(who), &mut self.failure));
        }
        let (one, others) = states.split_first()?;
        let differs = others
            .iter()
            .find_map(|other| compare::states(who, one, other));
        differs.or_else(|| self.broken())
    }

    /// Compares the states of everybody.
    pub(super) fn look_around(&mut self) -> Option<Difference> {
        let mut everybody = ReplicaId::all(self.start.replicas);
        everybody.find_map(|who| {
            let honest = !self.seats[who.index()].byzantine;
            honest.then(|| self.look(who)).flatten()
        })
    }
}

/// A replica that breaks down.
fn breaks_down(effects: &[Effect]) -> Option<Difference> {
    effects.iter().find_map(|effect| match effect {
        Effect::Fault { replica, text } => {
            let goes_on = format!("replica {replica} goes on");
            Some(Difference::one("breakdown", goes_on, text.clone()))
        }
        _ => None,
    })
}

/// What a side answered. A refusal is an answer; an adapter that fails is not, but it tells the
/// sides apart: the error is kept beside.
fn answer<T>(
    answer: Result<T, EngineError>,
    failure: &mut Option<EngineError>,
) -> Result<T, String> {
    answer.map_err(|error| match error {
        EngineError::Refused { act, why } => format!("refused {act}: {why}"),
        EngineError::Adapter { .. } => failure.insert(error).to_string(),
    })
}
