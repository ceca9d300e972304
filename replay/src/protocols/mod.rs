//! The protocols' own replicas, written from `docs/protocols/*.md` and nothing else.
//!
//! [`context`] is what a replica knows, [`dbft1`] and [`dbft2`] are the rules of the two pages,
//! [`recovery`] the lines both share (17–23), [`table`] holds the replicas of a run. A replica is a state machine without a clock, a
//! network or a key: state and input give a new state and outputs. Line numbers in comments are
//! those of the protocol pages; names mirror nspcc-dev/dbft (`on_prepare_request`,
//! `check_prepare`, `send_commit`), so the two can be read side by side.

mod context;
mod dbft1;
mod dbft2;
mod name;
mod recovery;
mod table;

pub(crate) use context::{Output, Position, Replica};
pub(crate) use name::Name;
pub(crate) use table::Table;

use crate::{Error, engine::Nanos};
use milp_schema::{
    Height, Instance, Kind, Protocol, ReplicaId, View,
    instance::Primary,
    vocabulary::{Mutant, Safeguard},
};

/// Which page the rules are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// `docs/protocols/dbft1.md`: no commit phase.
    Dbft1,
    /// `docs/protocols/dbft2.md`: commit phase and commit lock.
    Dbft2,
}

/// The protocols that have replicas here.
pub(crate) const NAMES: [&str; 2] = ["dbft1", "dbft2"];

/// What a mutant switches off or weakens; the protocol as written has none set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Switches {
    /// Mutant `no-commit-lock`: a commit binds its view only.
    pub(crate) no_commit_lock: bool,
    /// Mutant `small-quorum`: n − f − 1 instead of n − f.
    pub(crate) small_quorum: bool,
}

/// Everything a replica of the group is told before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whose rules.
    pub(crate) family: Family,
    /// How they are weakened.
    pub(crate) switches: Switches,
    /// n.
    pub(crate) replicas: u32,
    /// How many heights there are; a replica stops after the last.
    pub(crate) heights: u32,
    /// Whether lines 17–20 say anything. They never change the sender's own state, so who only
    /// wants the slots of the schedule may switch them off.
    pub(crate) recovery: bool,
}

/// What the mutant of an instance weakens.
///
/// # Errors
/// A mutant that its protocol does not have.
pub(crate) fn weakening(instance: &Instance) -> Result<Option<&'static Mutant>, Error> {
    match (&instance.mutant, instance.weakening()) {
        (Some(mutant), None) => Err(Error::UnknownMutant {
            mutant: mutant.clone(),
            protocol: instance.protocol.to_string(),
        }),
        (_, known) => Ok(known),
    }
}

impl Rules {
    /// The rules the instance names, mutant included.
    ///
    /// # Errors
    /// A protocol, mutant or choice of primary these replicas do not know.
    pub(crate) fn of(instance: &Instance) -> Result<Self, Error> {
        let mut rules = Self::named(instance, &instance.protocol.name)?;
        let weakening = weakening(instance)?;
        let takes = weakening.and_then(|mutant| mutant.takes);
        rules.switches = Switches {
            no_commit_lock: takes == Some(Safeguard::Lock),
            small_quorum: weakening.is_some_and(|mutant| mutant.quorum.is_some()),
        };
        Ok(rules)
    }

    /// The rules of `protocol` as written, for the instance's replicas and heights.
    ///
    /// # Errors
    /// A protocol or choice of primary these replicas do not know.
    pub(crate) fn named(instance: &Instance, protocol: &str) -> Result<Self, Error> {
        let family = match protocol {
            "dbft1" => Family::Dbft1,
            "dbft2" => Family::Dbft2,
            _ => {
                return Err(Error::UnknownProtocol {
                    protocol: protocol.to_owned(),
                });
            }
        };
        if instance.primary == Primary::Free {
            return Err(Error::FreePrimary);
        }
        Ok(Self {
            family,
            switches: Switches::default(),
            replicas: instance.replicas,
            heights: instance.heights,
            recovery: true,
        })
    }

    /// The protocol of the page.
    pub(crate) fn protocol(&self) -> Protocol {
        Protocol::shipped(match self.family {
            Family::Dbft1 => "dbft1",
            Family::Dbft2 => "dbft2",
        })
    }

    /// The kind of that name; one of the other page only is that page's.
    pub(crate) fn kind(&self, name: Name) -> Kind {
        let own = self.protocol().kind(name.text());
        own.unwrap_or_else(|| name.kind(Protocol::shipped("dbft2")))
    }

    /// The replicas' name in a verdict, say `dbft2-paper`.
    pub(crate) fn engine(&self) -> String {
        let family = match self.family {
            Family::Dbft1 => "dbft1-paper",
            Family::Dbft2 => "dbft2-paper",
        };
        let mut name = family.to_owned();
        if self.switches.no_commit_lock {
            name += "+no-commit-lock";
        }
        if self.switches.small_quorum {
            name += "+small-quorum";
        }
        name
    }

    /// q = n − f with f = ⌊(n − 1) / 3⌋, one less for the mutant `small-quorum`.
    pub(crate) fn quorum(&self) -> usize {
        let q = self.replicas - (self.replicas - 1) / 3;
        (if self.switches.small_quorum { q - 1 } else { q }) as usize
    }

    /// The primary of view v at height h: (h + v) mod n.
    pub(crate) fn primary(&self, height: Height, view: View) -> ReplicaId {
        ReplicaId((height.0 + view.0) % self.replicas)
    }

    /// How long a timer of a replica in `view` runs: the first of a primary T in view 0 and 0
    /// above, every other T · 2^(v+1).
    pub(crate) fn duration(block_time: Nanos, view: View, first_of_primary: bool) -> Nanos {
        match (first_of_primary, view.0) {
            (true, 0) => block_time,
            (true, _) => 0,
            (false, v) => {
                let doubled = 1_u64.checked_shl(v.saturating_add(1)).unwrap_or(u64::MAX);
                block_time.saturating_mul(doubled)
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Short names for step tables.

    use super::{Family, Output, Replica, Rules, Switches};
    use milp_schema::{Height, Message, Protocol, ReplicaId, View};

    pub(crate) fn rules(family: Family, heights: u32) -> Rules {
        Rules {
            family,
            switches: Switches::default(),
            replicas: 4,
            heights,
            recovery: true,
        }
    }

    /// A message of dBFT 2.0 at a height, written as in a verdict: `PrepareRequest v0 b0`,
    /// `ChangeView v0`.
    pub(crate) fn at(height: u32, text: &str) -> Message {
        said(Protocol::shipped("dbft2"), height, text)
    }

    /// The same of the production engine's protocol.
    pub(crate) fn nspcc(height: u32, text: &str) -> Message {
        said(crate::engine::nspcc::protocol(), height, text)
    }

    fn said(protocol: Protocol, height: u32, text: &str) -> Message {
        let mut words = text.split(' ');
        let kind = protocol.the(words.next().expect("a kind"));
        let number =
            |word: Option<&str>| word.map(|word| word[1..].parse::<u32>().expect("number"));
        let view = number(words.next()).expect("a view");
        let block = number(words.next());
        Message::new(kind, Height(height), View(view), block)
    }

    pub(crate) fn say(outputs: &[Output]) -> Vec<String> {
        outputs
            .iter()
            .map(|output| match output {
                Output::Send(message) => format!("send {message}"),
                Output::Recover { message, carried } if carried.is_empty() => {
                    format!("recover {message}")
                }
                Output::Recover { message, carried } => {
                    format!("recover {message} carrying {}", carried.len())
                }
                Output::EnterView(view) => format!("enter v{view}"),
                Output::Decide(block) => format!("decide {block}"),
            })
            .collect()
    }

    /// One row of a step table: inputs (`timeout` or `<author> <message>`) and the outputs of the
    /// last one.
    pub(crate) struct Case {
        pub(crate) says: &'static str,
        pub(crate) me: u32,
        pub(crate) given: &'static [&'static str],
        pub(crate) input: &'static str,
        pub(crate) outputs: &'static [&'static str],
        pub(crate) then: (u32, u32),
    }

    pub(crate) fn step(replica: &mut Replica, rules: &Rules, input: &str) -> Vec<Output> {
        let mut out = Vec::new();
        match input.split_once(' ') {
            None => replica.on_timeout(rules, &mut out),
            Some((author, text)) => {
                let author = ReplicaId(author.parse().expect("an author"));
                replica.on_receive(rules, author, &at(0, text), false, &mut out);
            }
        }
        out
    }

    pub(crate) fn check(rules: &Rules, cases: &[Case]) {
        for case in cases {
            let mut replica = Replica::new(ReplicaId(case.me));
            for input in case.given {
                step(&mut replica, rules, input);
            }
            let outputs = step(&mut replica, rules, case.input);
            assert_eq!(say(&outputs), case.outputs, "{}", case.says);
            assert_eq!(
                (replica.height.0, replica.view.0),
                case.then,
                "{}",
                case.says
            );
        }
    }
}
