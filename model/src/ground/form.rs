//! What a protocol with its indices filled in is made of.

use milp_schema::{
    formula::Count,
    protocol::{Counts, KindId, Mode, Rules, Scope, TimerId, ValueField},
    vocabulary::By,
};

/// The most acts that are made, over all replicas.
pub const MOST_ACTS: u64 = 2_000_000;

/// What the indices of a protocol range over.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The rules, the mutant's changes made.
    pub rules: Rules,
    /// The voting power of each replica.
    pub power: Vec<u32>,
    /// The faulty power that the protocol is made for.
    pub f: u32,
    /// How many views there are.
    pub views: u32,
    /// The primary of each view, and of the one after the last.
    pub primaries: Vec<u32>,
    /// What records name.
    pub values: Values,
    /// Whether executions are followed: then what skips views, takes over decisions and starts timers
    /// is there as well, and guards that read later views do.
    pub follows: bool,
}

/// The valid values that records name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Number u·k + j is proposal j of view u, of k in each view; honest primaries propose j = 0.
    Named {
        /// k.
        per_view: u32,
    },
    /// So many; who proposes a new one takes any. Guards only compare values, so that renaming
    /// them makes no difference.
    Abstract {
        /// How many.
        count: u32,
        /// Whether the last is a class, of all values that have no number of their own: two records
        /// that name it may name different values, a guard that needs the same or another one is
        /// met, and none that bars them bars.
        others: bool,
    },
}

/// What a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    None,
    /// No value.
    Nil,
    /// An invalid value, which no honest replica names.
    Bad,
    /// A valid value, by its number.
    Of(u32),
}

/// What a replica makes: a message, a mark or a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Its view.
    pub view: u32,
    /// What it is.
    pub kind: KindId,
    /// What it names.
    pub value: Value,
    /// The earlier view that justifies it.
    pub justification: Option<u32>,
}

/// What the letters of a rule stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Letters {
    /// Its view.
    pub v: u32,
    /// Its value.
    pub x: Option<u32>,
    /// An earlier view.
    pub c: Option<u32>,
    /// Another one.
    pub d: Option<u32>,
}

/// A rule with its letters filled in: it makes a record, or leads into its view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its number among the rules of the file.
    pub rule: usize,
    /// What its letters stand for.
    pub letters: Letters,
    /// What it makes; nothing where a view is entered.
    pub makes: Option<Record>,
    /// Who can: each pair is a role and the view in which one has it.
    pub who: Vec<(By, u32)>,
    /// When it is done.
    pub mode: Mode,
    /// Where its replica is.
    pub scope: Scope,
    /// What must hold, of a timer's act what started the timer included.
    pub needs: Vec<Need>,
    /// What must have travelled with a message that it needs.
    pub proofs: Vec<Proof>,
    /// What must not.
    pub bars: Vec<Own>,
}

/// What an act needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Own records.
    Own(Own),
    /// One of these, made by the primary of its view.
    Primary(Vec<Record>),
    /// The quorum of that number.
    Quorum(usize),
}

/// What a message carries: the records that existed when it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// What they meet, whether or not the receiver took them.
    pub of: Need,
    /// What the message meets, a need of the same act.
    pub with: Need,
}

/// What a guard reads of the own past.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Own {
    /// One of these.
    One(Vec<Record>),
    /// The latest of them all is one of the first, not of the second.
    Last(Vec<Record>, Vec<Record>),
}

/// So many senders of one of these records; all acts that ask for the same share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The formula of the file.
    pub count: Count,
    /// What it is here, of voting power.
    pub at_least: u32,
    /// The records, ascending.
    pub records: Vec<Record>,
}

/// A protocol with its indices filled in.
#[derive(Debug, Clone)]
pub struct Ground {
    /// What they range over.
    pub setting: Setting,
    /// The place of each kind among those of a view: all guards of the same view read kinds of
    /// lower places, and who forbids another comes behind it.
    pub ranks: Vec<usize>,
    /// What can be done, by view, place of the kind and rule.
    pub acts: Vec<Act>,
    /// The ways into views, that after the last included.
    pub entries: Vec<Act>,
    /// What starts timers, where executions are followed.
    pub starts: Vec<Act>,
    /// The quorums that they need.
    pub quorums: Vec<Quorum>,
}

impl Setting {
    /// How many replicas there are.
    pub fn replicas(&self) -> u32 {
        self.power.len() as u32
    }

    /// All voting power.
    pub fn total(&self) -> u32 {
        self.power.iter().sum()
    }

    /// How many valid values there are.
    pub fn valid(&self) -> u32 {
        match self.values {
            Values::Named { per_view } => self.views * per_view,
            Values::Abstract { count, .. } => count,
        }
    }

    /// Whether the value is the class of those without a number of their own.
    pub fn is_others(&self, value: u32) -> bool {
        matches!(self.values, Values::Abstract { count, others: true } if value + 1 == count)
    }

    /// Whether values have no names of their own, so that renaming them makes no difference.
    pub fn renames(&self) -> bool {
        matches!(self.values, Values::Abstract { .. })
    }

    /// Whether replica i has a role in a view.
    pub fn has_role(&self, role: By, view: u32, i: u32) -> bool {
        match role {
            By::Any => true,
            By::Primary => self.primaries[view as usize] == i,
            By::Backup => self.primaries[view as usize] != i,
        }
    }

    /// Whether replica i may make the record, as far as its kind says.
    pub fn may_make(&self, record: &Record, i: u32) -> bool {
        self.has_role(self.rules.kind(record.kind).by, record.view, i)
    }

    /// Whether every kind that names values names blocks of its own view: then a value has its name
    /// from the start.
    pub fn names_blocks_only(rules: &Rules) -> bool {
        rules.kinds.iter().all(|kind| kind.value != ValueField::Any)
    }
}

impl Act {
    /// The timer whose firing it is.
    pub fn timer(&self) -> Option<TimerId> {
        match self.mode {
            Mode::Timer(timer) => Some(timer),
            Mode::Must | Mode::May => None,
        }
    }

    /// What must be there, whether it is taken or travels with a message.
    pub fn asks(&self) -> impl Iterator<Item = &Need> {
        self.needs.iter().chain(self.proofs.iter().map(|it| &it.of))
    }
}

impl Need {
    /// The records of others, or of anybody, that it reads.
    pub fn taken<'a>(&'a self, ground: &'a Ground) -> &'a [Record] {
        match self {
            Self::Own(_) => &[],
            Self::Primary(records) => records,
            Self::Quorum(number) => &ground.quorums[*number].records,
        }
    }

    /// Whether what others sent meets the other need as well if it meets this one.
    pub fn covers(&self, other: &Self, ground: &Ground) -> bool {
        let within =
            |few: &[Record], many: &[Record]| few.iter().all(|it| many.binary_search(it).is_ok());
        match (self, other) {
            (Self::Primary(few), Self::Primary(many)) => within(few, many),
            (Self::Quorum(own), Self::Quorum(other)) => {
                let (own, other) = (&ground.quorums[*own], &ground.quorums[*other]);
                own.at_least >= other.at_least && within(&own.records, &other.records)
            }
            _ => false,
        }
    }
}

impl Own {
    /// The records that make it hold.
    pub fn matching(&self) -> &[Record] {
        match self {
            Self::One(records) | Self::Last(records, _) => records,
        }
    }

    /// The records that it looks at.
    pub fn read(&self) -> impl Iterator<Item = &Record> {
        let rest: &[Record] = match self {
            Self::One(_) => &[],
            Self::Last(_, rest) => rest,
        };
        self.matching().iter().chain(rest)
    }
}

impl Ground {
    /// Every act, entries last.
    pub fn all(&self) -> impl Iterator<Item = &Act> {
        self.acts.iter().chain(&self.entries)
    }

    /// The replicas that can do an act.
    pub fn actors<'a>(&'a self, act: &'a Act) -> impl Iterator<Item = u32> + 'a {
        let fits = |i: &u32| {
            let mut roles = act.who.iter();
            roles.all(|&(role, view)| self.setting.has_role(role, view, *i))
        };
        (0..self.setting.replicas()).filter(fits)
    }

    /// Whether the kind is final.
    pub fn is_final(&self, kind: KindId) -> bool {
        self.setting.rules.kind(kind).is_final
    }

    /// Where a record stands: its view, and the place in it.
    pub fn place(&self, record: &Record) -> (u32, usize) {
        (record.view, 1 + 2 * self.ranks[record.kind.0])
    }

    /// Where an act stands; an entry comes first, or right behind the last of what it reads of the
    /// view entered.
    pub fn level(&self, act: &Act) -> (u32, usize) {
        if let Some(record) = &act.makes {
            return self.place(record);
        }
        let v = act.letters.v;
        let read = act.needs.iter().flat_map(|need| need.taken(self));
        let here = read.filter(|it| it.view == v);
        (v, here.map(|it| self.place(it).1 + 1).max().unwrap_or(0))
    }

    /// Whether a receiver counts only the first record of a kind and view that a sender sent it.
    pub fn counts_first(&self, kind: KindId) -> bool {
        self.setting.rules.kind(kind).counts == Counts::First
    }
}
