//! The columns; what is said with them is in `look_up`.

use crate::{
    draft::{AboutReplicas, Draft},
    error::Error,
    expr::Expr,
    ground::{Act, Ground, Need, Own, Record, Value, Values},
    limits,
    program::Col,
};
use milp_schema::{
    Instance,
    instance::FaultKind,
    protocol::{Goes, Head, Mode, TimerId},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// What a column stands for; `h` is a height, `i` and `j` are replicas, `t` is a slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the indices are the module's")]
pub enum Key {
    /// Replica i is faulty in that way.
    Faulty(FaultKind, u32),
    /// Replica i has crashed.
    Crashed { i: u32, t: u32 },
    /// Replica i did deed number `deed` of the height.
    Did { h: u32, deed: usize, i: u32, t: u32 },
    /// A copy of record number `record` of the height from j was delivered to i.
    Got {
        h: u32,
        record: usize,
        i: u32,
        j: u32,
        t: u32,
    },
    /// One of them counts in a quorum.
    Counted {
        h: u32,
        quorum: usize,
        i: u32,
        j: u32,
        t: u32,
    },
    /// A quorum is complete.
    Complete {
        h: u32,
        quorum: usize,
        i: u32,
        t: u32,
    },
    /// The latest own record is one that guard number `own` reads.
    Last { h: u32, own: usize, i: u32, t: u32 },
    /// A column of the goal or of a budget, by name and numbers.
    Goal(&'static str, [u32; 3]),
    /// An honest replica got the record of Byzantine j before it left good view v.
    Shared { record: usize, j: u32, v: u32 },
    /// By the end of good view v honest replicas sent, and i made, a quorum.
    Enough { quorum: usize, i: u32, v: u32 },
    /// J made a record of that quorum.
    Sends {
        quorum: usize,
        i: u32,
        j: u32,
        v: u32,
    },
}

impl AboutReplicas for Key {
    fn replicas(&mut self) -> Vec<&mut u32> {
        match self {
            Self::Faulty(_, i)
            | Self::Crashed { i, .. }
            | Self::Did { i, .. }
            | Self::Complete { i, .. }
            | Self::Last { i, .. }
            | Self::Enough { i, .. } => vec![i],
            Self::Got { i, j, .. } | Self::Counted { i, j, .. } | Self::Sends { i, j, .. } => {
                vec![i, j]
            }
            Self::Shared { j, .. } => vec![j],
            Self::Goal(..) => vec![],
        }
    }
}

/// The kinds of fault and the names of their columns.
pub(super) const FAULTS: [(FaultKind, &str); 3] = [
    (FaultKind::Byzantine, "byzantine"),
    (FaultKind::Crash, "crashing"),
    (FaultKind::Network, "disconnected"),
];

/// What a deed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// It makes a record.
    Makes(Record),
    /// It enters its view from the one before.
    Enters,
    /// It skips to its view from any earlier one.
    Skips,
    /// It starts a timer.
    Starts(TimerId),
}

/// An act of Ground and what it is.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) act: Act,
    pub(super) what: What,
    /// `_v1_x0_c0_r6`: its letters and its rule.
    pub(super) label: String,
    /// Whether it skips to a view on what leads into it from the view before as well: then that is
    /// how it is entered.
    pub(super) doubled: bool,
}

impl Deed {
    fn new(ground: &Ground, act: &Act) -> Self {
        let what = match (act.makes, &ground.setting.rules.rules[act.rule].head) {
            (Some(record), _) => What::Makes(record),
            (None, Head::Arm { timer, .. }) => What::Starts(*timer),
            (None, Head::Skip) => What::Skips,
            (None, _) => What::Enters,
        };
        let letters = &act.letters;
        let mut label = format!("_v{}", letters.v);
        for (name, letter) in [('x', letters.x), ('c', letters.c), ('d', letters.d)] {
            if let Some(number) = letter {
                write!(label, "_{name}{number}").expect("writing to a string cannot fail");
            }
        }
        write!(label, "_r{}", act.rule).expect("writing to a string cannot fail");
        let same = |it: &&Act| {
            let skips = matches!(ground.setting.rules.rules[it.rule].head, Head::Skip);
            !skips
                && it.mode == Mode::Must
                && it.letters.v == act.letters.v
                && (&it.needs, &it.bars, &it.who) == (&act.needs, &act.bars, &act.who)
        };
        let doubled = what == What::Skips && ground.entries.iter().any(|it| same(&it));
        let mut deed = Self {
            act: act.clone(),
            what,
            label,
            doubled,
        };
        deed.read_earlier_views();
        deed
    }

    /// Of the latest own record it reads earlier views: one of its own view comes after it
    /// (`refuse::readings`).
    fn read_earlier_views(&mut self) {
        let view = self.view();
        let needs = self.act.needs.iter_mut().filter_map(|need| match need {
            Need::Own(own) => Some(own),
            _ => None,
        });
        for own in needs.chain(&mut self.act.bars) {
            if let Own::Last(matching, rest) = own {
                matching.retain(|it| it.view < view);
                rest.retain(|it| it.view < view);
            }
        }
    }

    /// The view in which its replica is when it does it.
    pub(super) fn view(&self) -> u32 {
        match self.what {
            What::Enters | What::Skips => self.act.letters.v - 1,
            What::Makes(_) | What::Starts(_) => self.act.letters.v,
        }
    }

    pub(super) fn is_entry(&self) -> bool {
        matches!(self.what, What::Enters | What::Skips)
    }

    pub(super) fn makes(&self) -> Option<Record> {
        match self.what {
            What::Makes(record) => Some(record),
            _ => None,
        }
    }

    pub(super) fn is_must(&self) -> bool {
        self.act.mode == Mode::Must
    }

    /// Whether it is a start that asks for nothing but to be in the view.
    pub(super) fn is_plain_start(&self) -> bool {
        matches!(self.what, What::Starts(_))
            && self.act.needs.is_empty()
            && self.act.bars.is_empty()
    }
}

/// What happens at one height.
#[derive(Debug)]
pub(super) struct At {
    pub(super) ground: Ground,
    /// What replicas do: records by view and kind, entries, starts of timers.
    pub(super) deeds: Vec<Deed>,
    /// The deeds that make a record.
    pub(super) makers: BTreeMap<Record, Vec<usize>>,
    /// The records that travel.
    pub(super) records: Vec<Record>,
    /// Guards that read the latest own record of several views.
    pub(super) lasts: Vec<Own>,
    /// Of each quorum, the view behind which own records do not count: they come after what is asked.
    pub(super) own_below: Vec<u32>,
    /// The first slot in which each replica can do each deed.
    pub(super) first: Vec<Vec<u32>>,
}

/// A program under construction.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) instance: Instance,
    pub(super) n: u32,
    pub(super) heights: u32,
    pub(super) views: u32,
    pub(super) horizon: u32,
    pub(super) delay_min: u32,
    pub(super) at: Vec<At>,
    pub(super) draft: Draft<Key>,
}

impl At {
    fn new(ground: Ground, views: u32) -> Self {
        let n = ground.setting.power.len();
        let acts = ground
            .acts
            .iter()
            .chain(&ground.entries)
            .chain(&ground.starts);
        let deeds: Vec<Deed> = acts.map(|act| Deed::new(&ground, act)).collect();
        let mut makers: BTreeMap<Record, Vec<usize>> = BTreeMap::new();
        for (number, deed) in deeds.iter().enumerate() {
            if let Some(record) = deed.makes() {
                makers.entry(record).or_default().push(number);
            }
        }
        let rules = &ground.setting.rules;
        let Values::Named { per_view } = ground.setting.values else {
            unreachable!("values have names here");
        };
        let proposed = |it: &&Record| match it.value {
            Value::Of(x) => x / per_view <= it.view,
            _ => true,
        };
        let taken = deeds.iter().flat_map(|deed| &deed.act.needs);
        let taken = taken.flat_map(|need| need.taken(&ground));
        let sent = |it: &&Record| rules.kind(it.kind).goes == Goes::Sent;
        let records: BTreeSet<Record> = taken
            .chain(makers.keys())
            .filter(sent)
            .filter(proposed)
            .copied()
            .collect();
        let mut lasts: Vec<Own> = Vec::new();
        let mut own_below = vec![views; ground.quorums.len()];
        for deed in &deeds {
            let owns = deed.act.needs.iter().filter_map(|need| match need {
                Need::Own(own) => Some(own),
                _ => None,
            });
            for own in owns.chain(&deed.act.bars) {
                if matches!(own, Own::Last(..)) && !lasts.contains(own) {
                    lasts.push(own.clone());
                }
            }
            for need in deed.act.needs.iter().filter(|_| deed.is_entry()) {
                if let Need::Quorum(quorum) = need {
                    let below = &mut own_below[*quorum];
                    *below = deed.act.letters.v.min(*below);
                }
            }
        }
        let records = records.into_iter().collect();
        let first = vec![vec![0; n]; deeds.len()];
        Self {
            ground,
            deeds,
            makers,
            records,
            lasts,
            own_below,
            first,
        }
    }
}

impl Slots {
    pub(super) fn new(instance: Instance, grounds: Vec<Ground>) -> Result<Self, Error> {
        let views = instance.views;
        let mut slots = Self {
            n: instance.replicas,
            heights: instance.heights,
            views,
            horizon: instance.slots,
            delay_min: instance.delays().0,
            at: grounds
                .into_iter()
                .map(|ground| At::new(ground, views))
                .collect(),
            draft: Draft::new(),
            instance,
        };
        limits::refuse(&slots.instance, slots.copies())?;
        slots.find_first();
        slots.add_faults();
        for h in 0..slots.heights {
            slots.add_deeds(h);
            slots.add_copies(h);
            slots.add_lasts(h);
            slots.add_quorums(h);
        }
        Ok(slots)
    }

    fn copies(&self) -> u64 {
        let slots = u64::from(self.horizon.saturating_sub(self.delay_min));
        let mut copies = 0;
        for h in 0..self.heights {
            for record in &self.at[h as usize].records {
                let senders = (0..self.n).filter(|&j| self.may_send(h, record, j)).count();
                copies += senders as u64 * u64::from(self.n - 1);
            }
        }
        copies * slots
    }

    fn add_faults(&mut self) {
        for i in 0..self.n {
            for (kind, name) in FAULTS {
                if self.may_be(kind, i) {
                    self.binary(Key::Faulty(kind, i), format!("{name}_i{i}"));
                }
            }
            if self.may_crash(i) {
                for t in self.slots() {
                    self.binary(Key::Crashed { i, t }, format!("crashed_i{i}_t{t}"));
                }
            }
        }
    }

    fn add_deeds(&mut self, h: u32) {
        for deed in 0..self.at[h as usize].deeds.len() {
            let at = &self.at[h as usize];
            let it = &at.deeds[deed];
            if it.is_plain_start() || it.doubled || it.act.letters.v >= self.views {
                continue;
            }
            let name = match it.what {
                What::Makes(record) => format!("did_{}", self.kind(h, &record)),
                What::Enters => "entered".to_owned(),
                What::Skips => "skipped".to_owned(),
                What::Starts(timer) => {
                    format!("started_{}", at.ground.setting.rules.timers[timer.0])
                }
            };
            let label = it.label.clone();
            let actors: Vec<u32> = at.ground.actors(&it.act).collect();
            for i in actors {
                for t in self.at[h as usize].first[deed][i as usize]..=self.horizon {
                    let key = Key::Did { h, deed, i, t };
                    self.binary(key, format!("{name}_i{i}_h{h}{label}_t{t}"));
                }
            }
        }
    }

    fn add_copies(&mut self, h: u32) {
        for record in 0..self.at[h as usize].records.len() {
            let it = self.at[h as usize].records[record];
            let name = format!("got_{}", self.kind(h, &it));
            let label = record_label(&it);
            for (i, j) in self.pairs() {
                if !self.may_send(h, &it, j) {
                    continue;
                }
                for t in self.first_got(h, &it, i, j)..=self.horizon {
                    let key = Key::Got { h, record, i, j, t };
                    self.binary(key, format!("{name}_i{i}_j{j}_h{h}{label}_t{t}"));
                }
            }
        }
    }

    fn add_lasts(&mut self, h: u32) {
        for own in 0..self.at[h as usize].lasts.len() {
            if sole_view(&self.at[h as usize].lasts[own]) {
                continue;
            }
            for i in 0..self.n {
                for t in self.slots() {
                    let key = Key::Last { h, own, i, t };
                    self.binary(key, format!("last_{own}_i{i}_h{h}_t{t}"));
                }
            }
        }
    }

    /// Quorums are counted by those who need them.
    fn add_quorums(&mut self, h: u32) {
        let at = &self.at[h as usize];
        let mut asked: BTreeSet<(usize, u32)> = BTreeSet::new();
        for deed in &at.deeds {
            for need in &deed.act.needs {
                if let Need::Quorum(quorum) = need {
                    asked.extend(at.ground.actors(&deed.act).map(|i| (*quorum, i)));
                }
            }
        }
        for (quorum, i) in asked {
            for j in 0..self.n {
                if self.several(h, quorum, i, j) {
                    let records = self.of_quorum(h, quorum, i, j);
                    let firsts = records.iter().map(|it| self.first_got(h, it, i, j));
                    for t in firsts.min().unwrap_or(1)..=self.horizon {
                        let key = Key::Counted { h, quorum, i, j, t };
                        self.binary(key, format!("counted_{quorum}_i{i}_j{j}_h{h}_t{t}"));
                    }
                }
            }
            if self.is_open(h, quorum, i) {
                for t in self.first_complete(h, quorum, i)..=self.horizon {
                    let key = Key::Complete { h, quorum, i, t };
                    self.binary(key, format!("complete_{quorum}_i{i}_h{h}_t{t}"));
                }
            }
        }
    }

    fn binary(&mut self, key: Key, name: String) -> Col {
        self.draft.add(key, name, 1)
    }

    /// A column that may be there already.
    pub(super) fn about(&mut self, key: Key, name: impl FnOnce() -> String) -> Expr {
        match self.draft.col(&key) {
            Some(col) => col.into(),
            None => self.binary(key, name()).into(),
        }
    }

    /// The column of a goal or a budget.
    pub(super) fn goal_column(&mut self, name: &'static str, at: [u32; 3]) -> Expr {
        let [x, y, z] = at;
        let key = Key::Goal(name, at);
        match self.draft.col(&key) {
            Some(col) => col.into(),
            None => self.binary(key, format!("{name}_{x}_{y}_{z}")).into(),
        }
    }
}

/// `_v1_x0_c0`: what a record says.
pub(super) fn record_label(record: &Record) -> String {
    let mut label = format!("_v{}", record.view);
    match record.value {
        Value::None => {}
        Value::Nil => label.push_str("_nil"),
        Value::Bad => label.push_str("_bad"),
        Value::Of(x) => write!(label, "_x{x}").expect("writing to a string cannot fail"),
    }
    if let Some(c) = record.justification {
        write!(label, "_c{c}").expect("writing to a string cannot fail");
    }
    label
}

/// Whether a guard on the latest own record asks for no more than that there is one of a view.
pub(super) fn sole_view(own: &Own) -> bool {
    let Own::Last(matching, rest) = own else {
        return true;
    };
    let Some(view) = matching.first().map(|it| it.view) else {
        return true;
    };
    matching.iter().all(|it| it.view == view) && rest.iter().all(|it| it.view <= view)
}
