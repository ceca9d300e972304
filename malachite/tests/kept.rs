//! Kept schedules of Tendermint on the engines: what they do otherwise than the file predicts comes of
//! named switches, and no mutant's fork happens.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod duel;

use duel::{Act, Difference, Pair, SWITCHES, Setting, first, shrink, sound, without};
use milp_malachite::engine;
use milp_replay::{Options, Recovery, Signatures, replay_on};
use milp_schema::{
    Choice, Message, Outcome, Protocol, ReplicaId, Schedule, Slot, Verdict,
    instance::{FaultKind, Goal},
    protocol::embedded,
    read,
    verdict::{Holds, Liveness},
};
use std::path::PathBuf;

const FIRST: &str = "the first vote counts";

/// A kept result.
struct Kept {
    name: String,
    outcome: Outcome,
    schedule: Schedule,
}

/// Those of the paper's file, mutants included.
fn all() -> Vec<Kept> {
    let results = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results");
    let mut all = Vec::new();
    for folder in ["tendermint", "twins/tendermint"] {
        let mut names: Vec<_> = std::fs::read_dir(results.join(folder)).unwrap().collect();
        names.sort_by_key(|it| it.as_ref().unwrap().file_name());
        for entry in names {
            let path = entry.unwrap().path();
            let outcome = read::outcome(&path.join("outcome.yaml")).unwrap();
            if outcome.instance.protocol != Protocol::shipped("tendermint") {
                continue;
            }
            let schedule = read::schedule(outcome.instance.protocol, &path).unwrap();
            all.push(Kept {
                name: format!("{folder}/{}", entry_name(&path)),
                outcome,
                schedule,
            });
        }
    }
    all
}

fn entry_name(path: &std::path::Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

impl Kept {
    fn byzantine(&self) -> Vec<ReplicaId> {
        let faulty = self.outcome.faulty.iter();
        let byzantine = faulty.filter(|it| it.1 == FaultKind::Byzantine);
        byzantine.map(|it| it.0).collect()
    }

    /// On the replicas of a file, and the driver.
    fn on(&self, protocol: Protocol) -> Setting {
        let mut instance = self.outcome.instance.clone();
        instance.protocol = protocol;
        Setting {
            instance,
            byzantine: self.byzantine(),
            knows: false,
        }
    }

    /// Its rows, for the replicas of a file with the same messages.
    fn acts(&self, protocol: Protocol) -> Vec<Act> {
        let here = |message: &Message| Message {
            kind: protocol.the(message.kind.name()),
            ..message.clone()
        };
        let act = |choice: &Choice| match choice {
            Choice::Deliver { copy, .. } => {
                let message = here(&copy.message);
                Some(Act::Deliver(copy.receiver, copy.sender, message))
            }
            Choice::Timeout { replica, timer, .. } => Some(Act::Fire(*replica, timer)),
            Choice::Crash { replica, .. } => Some(Act::Crash(*replica)),
            Choice::Restart { replica, .. } => Some(Act::Restart(*replica)),
            Choice::Drop { .. } | Choice::Inject { .. } => None,
        };
        self.schedule.choices.iter().filter_map(act).collect()
    }

    /// What the driver does otherwise than the file, for others to see, with the shortest script.
    fn difference(&self, protocol: Protocol) -> Option<Difference> {
        let setting = self.on(protocol);
        let mut pair = Pair::new(&setting, &sound, &[]).unwrap();
        let acts = self.acts(protocol);
        let found = acts.iter().enumerate();
        let mut found = found.filter_map(|(place, act)| Some((place, pair.step(act).err()?)));
        let (place, what) = found.next()?;
        let acts = acts[..=place].to_vec();
        let after = acts.len() as u64;
        Some(shrink::shorter(
            Difference {
                setting,
                acts,
                what,
                except: &[],
                after,
            },
            &sound,
        ))
    }

    /// The fewest switches with which the paper's file does what the driver does.
    fn switches(&self) -> Vec<&'static str> {
        let all = 0..1_usize << SWITCHES.len();
        let has = |set: usize, it: usize| set >> it & 1 == 1;
        let mut sets: Vec<usize> = all.collect();
        sets.sort_by_key(|set| set.count_ones());
        let enough = |set: &usize| {
            let others = (0..SWITCHES.len()).filter(|it| !has(*set, *it));
            let others: Vec<_> = others.map(|it| SWITCHES[it]).collect();
            self.difference(without(&others)).is_none()
        };
        let set = sets.into_iter().find(enough).unwrap();
        let named = (0..SWITCHES.len()).filter(|it| has(set, *it));
        named.map(|it| SWITCHES[it].0).collect()
    }

    fn verdict(&self, name: &str) -> Verdict {
        let faulty = &self.outcome.faulty;
        let mut engine = engine(name).unwrap();
        let instance = &self.outcome.instance;
        let options = Options {
            protocol: milp_replay::Protocol::Own,
            compare: false,
            foreign: true,
            signatures: Signatures::Symbolic,
            recovery: Recovery::Ideal,
        };
        let replayed = replay_on(engine.as_mut(), instance, faulty, &self.schedule, &options);
        replayed.unwrap().verdict
    }
}

#[test]
fn what_the_driver_does_otherwise_on_kept_schedules_comes_of_named_switches() {
    let paper = Protocol::shipped("tendermint");
    let all = all();
    let kept = all.iter().filter(|it| it.outcome.instance.mutant.is_none());
    let differs = |kept: &Kept| {
        assert!(kept.difference(first()).is_none(), "{}", kept.name);
        let found = kept.difference(paper)?;
        Some((
            kept.name.clone(),
            kept.switches().join(", "),
            found.acts.len(),
        ))
    };
    let found: Vec<_> = kept.filter_map(differs).collect();
    let found = found
        .iter()
        .map(|(name, switches, acts)| (&**name, &**switches, *acts));
    let expected = [
        ("tendermint/n10-fork", "votes lead on", 153),
        ("tendermint/n4-back-to-the-past-blame", "votes lead on", 2),
        ("tendermint/n4-wasted", FIRST, 5),
        ("tendermint/n4-wasted-gossip-between", FIRST, 4),
        (
            "tendermint/n5-powers-fork",
            "the first vote counts, votes lead on",
            12,
        ),
        ("twins/tendermint/n4-fork", FIRST, 8),
        ("twins/tendermint/n4-powers-fork", FIRST, 11),
        (
            "twins/tendermint/n4-slow",
            "the first vote counts, votes lead on",
            5,
        ),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn no_fork_of_a_mutant_happens_on_the_engines() {
    let all = all();
    let forks = all.iter().filter(|it| {
        it.outcome.instance.mutant.is_some() && it.outcome.instance.goal == Goal::Fork
    });
    let mut names = Vec::new();
    for kept in forks {
        assert!(kept.outcome.primal >= Some(2), "{}", kept.name);
        for name in ["malachite-driver", "malachite"] {
            let verdict = kept.verdict(name);
            assert_eq!(verdict.agreement, Holds::Holds, "{} on {name}", kept.name);
            assert_eq!(verdict.finality, Holds::Holds, "{} on {name}", kept.name);
        }
        names.push(kept.name.as_str());
    }
    assert_eq!(
        names,
        [
            "tendermint/n10-no-lock-fork",
            "tendermint/n4-no-lock-fork",
            "tendermint/n4-no-pol-fork"
        ]
    );
}

/// A file of one's own rotates as the engine does, so nobody is renamed: its hidden lock is the engine's.
/// At one height it makes no difference whether the file counts heights.
#[test]
fn a_hidden_lock_of_another_file_is_one_on_the_driver_for_ever() {
    let results = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results");
    let name = "tendermint/n4-polka-wasted-gossip";
    let folder = results.join(name);
    let outcome = read::outcome(&folder.join("outcome.yaml")).unwrap();
    let schedule = read::schedule(outcome.instance.protocol, &folder).unwrap();
    let text = std::fs::read_to_string(folder.join("protocol.yaml")).unwrap();
    assert!(text.contains("primary: h + v "));
    let other = text.replace("primary: h + v ", "primary: v ");
    let other = other.replace("name: tendermint-polka", "name: tendermint-views");
    for protocol in [outcome.instance.protocol, embedded(&other).unwrap()] {
        let mut kept = Kept {
            name: name.to_owned(),
            outcome: outcome.clone(),
            schedule: schedule.clone(),
        };
        kept.outcome.instance.protocol = protocol;
        let verdict = kept.verdict("malachite-driver");
        assert_eq!(verdict.unapplied, 0, "{protocol}");
        assert_eq!(verdict.termination, Liveness::Open, "{protocol}");
        assert!(verdict.notes.iter().any(|it| it.contains("come again")));
    }
}

/// A schedule that an engine does not follow leaves its timers due, and the heal phase fires them.
#[test]
fn a_timer_that_no_row_fires_is_no_reason_to_be_stuck() {
    let mut all = all().into_iter();
    let mut kept = all.find(|it| it.name == "tendermint/n4-slow").unwrap();
    // In slot 5 the timers are due that end the prevotes of round 0.
    kept.schedule.choices.retain(|it| it.slot() < Slot(5));
    for name in ["malachite-driver", "malachite"] {
        let verdict = kept.verdict(name);
        assert!(verdict.unapplied > 0, "{name}");
        assert_eq!(verdict.termination, Liveness::Decided, "{name}");
    }
}
