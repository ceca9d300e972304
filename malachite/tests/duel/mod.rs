//! The interpreter of a protocol file against the driver: random legal schedules on both, and a
//! comparison after every act. A difference is made into the shortest script that still shows one.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on, and an example uses a part"
)]

mod draw;
mod except;
pub(crate) mod shrink;
mod tally;

pub(crate) use except::{Except, except};
use milp_malachite::engine;
use milp_replay::{
    Recovery, Signatures,
    engine::{Effect, Engine, MessageId, Nanos, Start, State, Timer, Working},
    interpreter,
    random::Random,
};
use milp_schema::{
    Height, Instance, Message, Protocol, ReplicaId, Value, View, protocol::embedded,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// One act on both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Advance(Nanos),
    /// Of a Byzantine author it is made now; of an honest one it must have been sent.
    Deliver(ReplicaId, ReplicaId, Message),
    Fire(ReplicaId, &'static str),
    Crash(ReplicaId),
    Restart(ReplicaId),
}

impl fmt::Display for Act {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advance(now) => write!(out, "the clock is at {now}"),
            Self::Deliver(to, by, message) => write!(out, "{to} gets {message} of {by}"),
            Self::Fire(at, timer) => write!(out, "{at}: timer {timer} fires"),
            Self::Crash(who) => write!(out, "{who} crashes"),
            Self::Restart(who) => write!(out, "{who} restarts"),
        }
    }
}

/// How a run begins.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) instance: Instance,
    pub(crate) byzantine: Vec<ReplicaId>,
    /// Whether what replicas know is compared, not only what others see of them.
    pub(crate) knows: bool,
}

impl Setting {
    fn start(&self) -> Start {
        let Instance {
            protocol,
            replicas,
            heights,
            ..
        } = self.instance;
        Start {
            protocol,
            replicas,
            power: ReplicaId::all(replicas)
                .map(|id| self.instance.power_of(id))
                .collect(),
            heights,
            byzantine: self.byzantine.clone(),
            block_time: 1000,
            seed: 1,
            signatures: Signatures::Symbolic,
            recovery: Recovery::Ideal,
        }
    }
}

/// The file that says what the driver does.
pub(crate) fn first() -> Protocol {
    Protocol::shipped("tendermint-malachite")
}

/// What the file says otherwise than the paper's, each by its name and as the paper has it.
pub(crate) const SWITCHES: [(&str, &str, &str); 4] = [
    (
        "the first vote counts",
        "sent: rule, counts: first,",
        "sent: rule,",
    ),
    (
        "votes lead on",
        "some prevote|precommit(v, *)",
        "some *(v, *)",
    ),
    (
        "more than a third",
        "{some: ceil(n + 1/3)}",
        "{some: f + 1}",
    ),
    ("a decision comes first", DECIDE, ""),
];

/// The rule that comes first in the file, and last among those of its kind in the paper's.
const DECIDE: &str =
    "- 49-51: \"decide(v, x) <- height, primary propose(v, x, *), q precommit(v, x)\"\n";

/// The file with these switches as the paper has them.
pub(crate) fn without(switches: &[(&str, &str, &str)]) -> Protocol {
    let mut text = include_str!("../../../protocols/tendermint-malachite.yaml").to_owned();
    text = text.replace("name: tendermint-malachite", "name: tendermint-without");
    for &(name, driver, paper) in switches {
        assert!(text.contains(driver), "{name}");
        text = text.replace(driver, paper);
        if driver == DECIDE {
            let skip = "- 55-56:";
            text = text.replace(skip, &format!("{DECIDE}{skip}"));
        }
    }
    embedded(&text).unwrap()
}

/// The driver as it is.
pub(crate) fn sound() -> Box<dyn Engine> {
    engine("malachite-driver").unwrap()
}

/// What everybody sees of a replica.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seat {
    pub(crate) byzantine: bool,
    pub(crate) up: bool,
    pub(crate) stopped: bool,
    pub(crate) height: Height,
    pub(crate) view: View,
    /// Of its last precommit for a value, at its height.
    bound: Option<View>,
    /// Those of either side.
    pub(crate) timers: BTreeSet<&'static str>,
    /// What it was given at its height.
    given: BTreeSet<(ReplicaId, Message)>,
}

impl Seat {
    fn says(&mut self, message: &Message) {
        let for_a_value = matches!(message.value, Some(Value::Block { .. }));
        if message.kind.does().binds && for_a_value {
            self.bound = Some(message.view);
        }
    }

    fn forget(&mut self) {
        self.given.clear();
        self.bound = None;
    }
}

/// Both engines.
pub(crate) struct Pair {
    sides: [Box<dyn Engine>; 2],
    pub(crate) setting: Setting,
    pub(crate) seats: Vec<Seat>,
    /// By author and what it says.
    pub(crate) sent: BTreeMap<(ReplicaId, Message), [MessageId; 2]>,
    /// What was sent, in order.
    pub(crate) said: Vec<(ReplicaId, Message)>,
    pub(crate) now: Nanos,
    except: &'static [Except],
    /// Whether what replicas know is compared, not only what others see of them.
    knows: bool,
}

/// Makes the engine that the interpreter is compared with.
pub(crate) type Make<'a> = &'a dyn Fn() -> Box<dyn Engine>;

/// What is compared of an answer: what others see, whatever the order, but for certificates, which
/// nobody predicts.
fn seen(effects: &[Effect]) -> Vec<String> {
    let mut seen: Vec<String> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send {
                replica,
                message,
                recovery: false,
                ..
            } => Some(format!("{replica} sends {message}")),
            Effect::EnterView { replica, view, .. } => Some(format!("{replica} enters v{view}")),
            Effect::Decide { replica, block } => Some(format!("{replica} decides {block}")),
            Effect::Send { .. } | Effect::Timer { .. } => None,
            Effect::Fault { text, .. } => Some(format!("fault: {text}")),
        })
        .collect();
    seen.sort();
    seen
}

impl Pair {
    pub(crate) fn new(
        setting: &Setting,
        make: Make,
        except: &'static [Except],
    ) -> Result<Self, String> {
        let file = interpreter(&setting.instance).unwrap();
        let seat = |id| Seat {
            byzantine: setting.byzantine.contains(&id),
            up: true,
            ..Seat::default()
        };
        let mut pair = Self {
            sides: [Box::new(file), make()],
            setting: setting.clone(),
            seats: ReplicaId::all(setting.instance.replicas)
                .map(seat)
                .collect(),
            sent: BTreeMap::new(),
            said: Vec::new(),
            now: 0,
            except,
            knows: setting.knows,
        };
        let start = setting.start();
        pair.both(|engine, _| engine.start(&start).unwrap())?;
        pair.both(|engine, _| engine.open().unwrap())?;
        for who in ReplicaId::all(setting.instance.replicas) {
            if !setting.byzantine.contains(&who) {
                pair.look(who)?;
            }
        }
        Ok(pair)
    }

    /// Does something to both; what differs in the answers.
    fn both(
        &mut self,
        act: impl Fn(&mut dyn Engine, usize) -> Vec<Effect>,
    ) -> Result<Vec<Effect>, String> {
        let [file, driver] = [0, 1].map(|side| act(self.sides[side].as_mut(), side));
        let [a, b] = [seen(&file), seen(&driver)];
        if a != b {
            return Err(format!("the file: {a:?}\nthe driver: {b:?}"));
        }
        for effect in &file {
            match effect {
                Effect::Send {
                    replica,
                    id,
                    message,
                    ..
                } => {
                    self.seats[replica.index()].says(message);
                    let same = |it: &&Effect| {
                        matches!(it, Effect::Send { replica: by, message: what, .. }
                            if by == replica && what == message)
                    };
                    let twin = driver.iter().find(same);
                    if let Some(Effect::Send { id: twin, .. }) = twin {
                        let said = (*replica, message.clone());
                        self.sent.entry(said.clone()).or_insert([*id, *twin]);
                        self.said.push(said);
                    }
                }
                Effect::EnterView { replica, view, .. } => self.seats[replica.index()].view = *view,
                Effect::Decide { replica, .. } => {
                    let seat = &mut self.seats[replica.index()];
                    (seat.height, seat.view) = (seat.height.next(), View(0));
                    seat.forget();
                    seat.stopped = seat.height.0 == self.setting.instance.heights;
                }
                Effect::Timer { .. } | Effect::Fault { .. } => {}
            }
        }
        Ok(file)
    }

    /// Carries an act out; `None` if it cannot be here, otherwise what was seen.
    pub(crate) fn step(&mut self, act: &Act) -> Result<Option<Vec<Effect>>, String> {
        let (effects, who) = match act {
            Act::Advance(now) => {
                self.now = *now;
                (self.both(|engine, _| engine.advance(*now).unwrap())?, None)
            }
            Act::Deliver(to, by, message) => {
                let seat = &self.seats[to.index()];
                if seat.byzantine || !seat.up || seat.stopped || message.height != seat.height {
                    return Ok(None);
                }
                let except = self.except;
                if except.iter().any(|it| it.bars(seat, *by, message)) {
                    return Ok(None);
                }
                let said = (*by, message.clone());
                self.seats[to.index()].given.insert(said.clone());
                if self.seats[by.index()].byzantine && !self.sent.contains_key(&said) {
                    let made = |engine: &mut Box<dyn Engine>| engine.inject(*by, message).unwrap();
                    let [a, b] = &mut self.sides;
                    let made = [made(a), made(b)];
                    self.sent.insert(said.clone(), made);
                }
                let Some(ids) = self.sent.get(&said).copied() else {
                    return Ok(None);
                };
                let to = *to;
                (
                    self.both(|engine, side| engine.deliver(to, ids[side]).unwrap())?,
                    Some(to),
                )
            }
            Act::Fire(at, timer) => {
                let seat = &self.seats[at.index()];
                if seat.byzantine || !seat.up || seat.stopped {
                    return Ok(None);
                }
                let place = (seat.height, seat.view);
                (
                    self.both(|engine, _| engine.timeout(*at, timer, place).unwrap())?,
                    Some(*at),
                )
            }
            Act::Crash(who) => {
                let seat = &mut self.seats[who.index()];
                if seat.byzantine || !seat.up {
                    return Ok(None);
                }
                seat.up = false;
                (self.both(|engine, _| engine.crash(*who).unwrap())?, None)
            }
            Act::Restart(who) => {
                let seat = &mut self.seats[who.index()];
                if seat.byzantine || seat.up {
                    return Ok(None);
                }
                (seat.up, seat.view) = (true, View(0));
                seat.forget();
                (
                    self.both(|engine, _| engine.restart(*who, false).unwrap())?,
                    Some(*who),
                )
            }
        };
        if let Some(who) = who {
            self.look(who)?;
        }
        Ok(Some(effects))
    }

    /// Compares what a replica knows, and which timers would do something and when.
    pub(crate) fn look(&mut self, who: ReplicaId) -> Result<(), String> {
        let [a, b] = &mut self.sides;
        let [file, driver] = [known(a.as_mut(), who), known(b.as_mut(), who)];
        let seat = &mut self.seats[who.index()];
        seat.timers.clear();
        for (_, all) in [&file, &driver] {
            seat.timers.extend(all.iter().map(|it| it.name));
        }
        let (file, driver) = (file.0, driver.0);
        if self.knows && file != driver {
            return Err(format!(
                "the file knows {file:#?}\nthe driver knows {driver:#?}"
            ));
        }
        Ok(())
    }
}

/// The state with the timers that matter only and without repetitions, and all timers.
fn known(engine: &mut dyn Engine, who: ReplicaId) -> (State, Vec<Timer>) {
    let State::Working(working) = engine.state(who).unwrap() else {
        return (engine.state(who).unwrap(), Vec::new());
    };
    let Working {
        mut votes, timers, ..
    } = *working.clone();
    votes.dedup();
    let mut matter = timers.clone();
    matter.retain(|it| engine.matters(who, it.name).unwrap());
    matter.sort();
    let state = Working {
        votes,
        timers: matter,
        ..*working
    };
    (State::Working(Box::new(state)), timers)
}

/// How long to look, and at what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) protocol: Protocol,
    /// Whether Byzantine replicas tell one receiver more than one vote of a kind and view, or more
    /// than one proposal of a view.
    pub(crate) twice: bool,
    /// What schedules do not contain.
    pub(crate) except: &'static [Except],
    /// As [`Setting::knows`].
    pub(crate) knows: bool,
}

/// What happened how often.
pub(crate) type Counts = BTreeMap<&'static str, u64>;

/// A difference, with the shortest script found.
pub(crate) struct Difference {
    pub(crate) setting: Setting,
    pub(crate) acts: Vec<Act>,
    pub(crate) what: String,
    pub(crate) except: &'static [Except],
    /// After how many acts it was found.
    pub(crate) after: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting {
            instance,
            byzantine,
            ..
        } = &self.setting;
        writeln!(
            out,
            "{} replicas, power {:?}, Byzantine {byzantine:?}, {} heights; found after {} acts",
            instance.replicas, instance.power, instance.heights, self.after
        )?;
        for act in &self.acts {
            writeln!(out, "  {act}")?;
        }
        writeln!(out, "{}", self.what)
    }
}

/// Compares on random schedules until there is a difference or the steps are done.
pub(crate) fn duel(look: &Look, make: Make, counts: &mut Counts) -> Option<Difference> {
    let mut seeds = Random(look.seed);
    let mut steps = 0;
    while steps < look.steps {
        let mut random = Random(seeds.next());
        let setting = Setting {
            knows: look.knows,
            ..draw::setting(&mut random, look.protocol)
        };
        let length = 50 + random.below(400);
        let mut acts = Vec::new();
        let mut run = || -> Result<(), String> {
            let mut pair = Pair::new(&setting, make, look.except)?;
            let mut adversary = draw::Adversary::new(random.clone(), &setting, look.twice);
            for _ in 0..length {
                let Some(act) = adversary.next(&pair) else {
                    break;
                };
                acts.push(act);
                steps += 1;
                if let Some(effects) = pair.step(&acts[acts.len() - 1])? {
                    tally::count(counts, &acts[acts.len() - 1], &effects, &pair);
                }
            }
            Ok(())
        };
        if let Err(what) = run() {
            let found = Difference {
                setting,
                acts,
                what,
                except: look.except,
                after: steps,
            };
            return Some(shrink::shorter(found, make));
        }
        *counts.entry("runs").or_default() += 1;
    }
    None
}
