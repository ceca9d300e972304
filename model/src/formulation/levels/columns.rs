//! The columns.

use crate::{
    draft::{AboutReplicas, Draft},
    error::Error,
    expr::Expr,
    ground::{Act, Ground, Need, Own, Record, Setting, Value, Values},
    program::{Col, FamilyId, Row, Tag},
};
use milp_schema::{
    Instance,
    instance::{FaultKind, Goal, Who},
    protocol::{KindId, Scope},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a column stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Replica i is faulty in that way; one that crashes does so after all that it does.
    Faulty(FaultKind, u32),
    /// Replica i does act number a.
    Did(usize, u32),
    /// Replica i does act number a, in whatever view it is, before it enters view v.
    Before(usize, u32, u32),
    /// Replica i enters view v ≥ 1.
    Entered(u32, u32),
    /// Replica i does so in way number w.
    Way(usize, u32),
    /// Quorum number m is there.
    Complete(usize),
    /// Replica j sends a record that counts in quorum number m.
    Sends(usize, u32),
    /// By its last act in view v replica i took what meets the need of that number.
    Knows(usize, u32, u32),
    /// Some honest replica has that record of Byzantine replica j, where the goal asks.
    Held(Record, u32),
    /// One that counts in quorum number m.
    Forged(usize, u32),
    /// In the end enough have sent what counts in quorum number m.
    Enough(usize),
    /// In the end all have the proposal.
    Shown(Record),
    /// A column of the goal, by name and numbers.
    Goal(&'static str, [u32; 2]),
    /// A column of the goal about replica i, by name and number.
    OfReplica(&'static str, u32, u32),
}

impl AboutReplicas for Key {
    fn replicas(&mut self) -> Vec<&mut u32> {
        match self {
            Self::Faulty(_, i)
            | Self::Did(_, i)
            | Self::Before(_, i, _)
            | Self::Entered(i, _)
            | Self::Way(_, i)
            | Self::Sends(_, i)
            | Self::Held(_, i)
            | Self::Forged(_, i)
            | Self::Knows(_, i, _)
            | Self::OfReplica(_, i, _) => vec![i],
            Self::Complete(_) | Self::Enough(_) | Self::Shown(_) | Self::Goal(..) => vec![],
        }
    }
}

/// The name of the rows by which `knows` columns are defined.
pub(super) const KNOWS: &str = "knows_what_it_took";

/// A program under construction.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) instance: Instance,
    pub(super) ground: Ground,
    pub(super) n: u32,
    pub(super) views: u32,
    /// No more voting power is Byzantine.
    pub(super) most_byzantine: u32,
    /// The acts that make a record.
    pub(super) makers: BTreeMap<Record, Vec<usize>>,
    /// The acts that make one of a kind and view.
    pub(super) groups: BTreeMap<Group, Vec<usize>>,
    /// The acts that decide.
    pub(super) finals: Vec<usize>,
    /// The acts of any view whose records others read as own ones.
    pub(super) of_any_view: BTreeSet<usize>,
    /// Whether the program is one of lemmas, or has some.
    pub(super) by_lemmas: bool,
    /// Whether replicas may go on to views that are not modelled.
    pub(super) goes_on: bool,
    pub(super) draft: Draft<Key>,
    /// The family of rows that cut off what replicas do not follow.
    not_followed: FamilyId,
}

/// A kind and a view: an honest replica makes at most one record of them.
pub(super) type Group = (KindId, u32);

/// The kind and view of a record.
pub(super) fn group(record: &Record) -> Group {
    (record.kind, record.view)
}

impl Levels {
    pub(super) fn new(instance: Instance, ground: Ground) -> Self {
        let mut makers: BTreeMap<Record, Vec<usize>> = BTreeMap::new();
        let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
        let mut finals = Vec::new();
        for (number, act) in ground.acts.iter().enumerate() {
            let record = made(act);
            makers.entry(record).or_default().push(number);
            groups.entry(group(&record)).or_default().push(number);
            finals.extend(ground.is_final(record.kind).then_some(number));
        }
        let mut draft = Draft::new();
        let purpose = (Tag::Budget, crate::group::Group::ORDER);
        let not_followed = draft.family("not_followed", "E55", &[], purpose);
        let mut levels = Self {
            not_followed,
            n: ground.setting.replicas(),
            views: ground.setting.views,
            most_byzantine: most_byzantine(&instance, &ground),
            makers,
            groups,
            finals,
            of_any_view: of_any_view(&ground),
            by_lemmas: false,
            goes_on: false,
            draft,
            instance,
            ground,
        };
        levels.add_columns();
        levels
    }

    /// The protocol as replicas follow it, values by their names.
    pub(super) fn followed(&self) -> Result<Ground, Error> {
        let per_view = self.instance.blocks_per_proposal;
        let setting = Setting {
            values: Values::Named { per_view },
            follows: true,
            ..self.ground.setting.clone()
        };
        Ground::new(setting, "levels")
    }

    /// The columns of every rule, by its number in the file and view.
    pub(super) fn columns_of_rules(&self) -> BTreeMap<(usize, u32), Vec<Col>> {
        let mut columns: BTreeMap<(usize, u32), Vec<Col>> = BTreeMap::new();
        for (key, col) in self.draft.keys() {
            let act = match *key {
                Key::Did(act, _) => &self.ground.acts[act],
                Key::Way(way, _) => &self.ground.entries[way],
                Key::Entered(i, v) => match self.ways(i, v)[..] {
                    [way] => &self.ground.entries[way],
                    _ => continue,
                },
                _ => continue,
            };
            let at = (act.rule, act.letters.v);
            columns.entry(at).or_default().push(col);
        }
        columns
    }

    fn add_columns(&mut self) {
        for i in 0..self.n {
            if self.instance.may_be(FaultKind::Byzantine, i) {
                let name = format!("byzantine_i{i}");
                self.draft
                    .add(Key::Faulty(FaultKind::Byzantine, i), name, 1);
            }
        }
        let stall = self.instance.goal == Goal::Stall;
        for i in (0..self.n).filter(|_| stall) {
            if self.instance.may_be(FaultKind::Crash, i) {
                let key = Key::Faulty(FaultKind::Crash, i);
                self.draft.add(key, format!("crashed_i{i}"), 1);
            }
        }
        for i in 0..self.n {
            for v in 1..self.views {
                self.draft
                    .add(Key::Entered(i, v), format!("entered_i{i}_v{v}"), 1);
                let ways = self.ways(i, v);
                for &way in ways.iter().filter(|_| ways.len() > 1) {
                    let name = format!("way_i{i}_v{v}_w{way}");
                    self.draft.add(Key::Way(way, i), name, 1);
                }
            }
        }
        for number in 0..self.ground.acts.len() {
            let act = &self.ground.acts[number];
            let actors: Vec<u32> = self.ground.actors(act).collect();
            for i in actors {
                let act = &self.ground.acts[number];
                let name = format!("did_{}_a{number}", self.words(&made(act), i));
                self.draft.add(Key::Did(number, i), name, 1);
            }
        }
        for number in self.of_any_view.clone() {
            let act = self.ground.acts[number].clone();
            for i in self.ground.actors(&act) {
                for v in 1..self.views {
                    let name = format!("before_v{v}_{}_a{number}", self.words(&made(&act), i));
                    self.draft.add(Key::Before(number, i, v), name, 1);
                }
            }
        }
        for number in self.asked() {
            let quorum = &self.ground.quorums[number];
            let kinds: BTreeSet<KindId> = quorum.records.iter().map(|it| it.kind).collect();
            let kinds = kinds.into_iter().map(|kind| self.kind(kind));
            let kinds = kinds.collect::<Vec<_>>().join("_");
            let name = format!("complete_{}_{kinds}_m{number}", quorum.at_least);
            self.draft.add(Key::Complete(number), name, 1);
        }
    }

    /// The quorums that some act or entry asks for.
    fn asked(&self) -> BTreeSet<usize> {
        let acts = self.ground.all();
        let needs = acts.flat_map(Act::asks);
        needs
            .filter_map(|need| match need {
                Need::Quorum(number) => Some(*number),
                _ => None,
            })
            .collect()
    }

    fn kind(&self, kind: KindId) -> String {
        self.ground.setting.rules.kind(kind).name.replace('-', "_")
    }

    /// A record of a replica, for the name of a column.
    pub(super) fn words(&self, record: &Record, i: u32) -> String {
        let value = match record.value {
            Value::None => String::new(),
            Value::Nil => "_nil".to_owned(),
            Value::Bad => "_bad".to_owned(),
            Value::Of(x) => format!("_x{x}"),
        };
        let justified = record
            .justification
            .map_or(String::new(), |c| format!("_c{c}"));
        let kind = self.kind(record.kind);
        format!("{kind}_i{i}_v{}{value}{justified}", record.view)
    }

    // Expressions.

    /// Whether replica i is faulty in that way.
    pub(super) fn faulty(&self, kind: FaultKind, i: u32) -> Expr {
        self.draft.get(&Key::Faulty(kind, i))
    }

    pub(super) fn byzantine(&self, i: u32) -> Expr {
        self.faulty(FaultKind::Byzantine, i)
    }

    /// Whether all have the proposal in the end.
    pub(super) fn shown(&self, proposal: &Record) -> Expr {
        self.draft.get(&Key::Shown(*proposal))
    }

    /// Whether replica i does the act.
    pub(super) fn did(&self, act: usize, i: u32) -> Expr {
        self.draft.get(&Key::Did(act, i))
    }

    /// Whether honest replica i is in view v at some time.
    pub(super) fn here(&self, i: u32, v: u32) -> Expr {
        match v {
            0 => 1 - self.byzantine(i),
            _ => self.draft.get(&Key::Entered(i, v)),
        }
    }

    /// How many of these records honest replica i makes.
    pub(super) fn makes<'a>(&self, i: u32, records: impl IntoIterator<Item = &'a Record>) -> Expr {
        let acts = records.into_iter().filter_map(|it| self.makers.get(it));
        acts.flatten().map(|&act| self.did(act, i)).sum()
    }

    /// How many of these records honest replica i makes before it enters a view; all where there is
    /// no such view. Those that it makes in their own view alone it makes then, or never.
    pub(super) fn makes_before<'a>(
        &self,
        (i, view): (u32, u32),
        records: impl IntoIterator<Item = &'a Record>,
    ) -> Expr {
        let acts = records.into_iter().filter_map(|it| self.makers.get(it));
        let before = |&act: &usize| {
            if view < self.views && self.of_any_view.contains(&act) {
                self.draft.get(&Key::Before(act, i, view))
            } else {
                self.did(act, i)
            }
        };
        acts.flatten().map(before).sum()
    }

    /// Whether a quorum is there.
    pub(super) fn complete(&self, quorum: usize) -> Expr {
        self.draft.get(&Key::Complete(quorum))
    }

    /// Whether honest replica j sends a record of a quorum; at most 1 where a replica sends one of
    /// a kind in a view.
    pub(super) fn sends(&self, quorum: usize, j: u32) -> Expr {
        match self.draft.col(&Key::Sends(quorum, j)) {
            Some(col) => col.into(),
            None => self.makes(j, &self.ground.quorums[quorum].records),
        }
    }

    /// Whether Byzantine replica j sends a record of a quorum: it may, or somebody has one where the
    /// goal asks what is held.
    pub(super) fn forges(&self, quorum: usize, j: u32) -> Expr {
        match self.instance.goal {
            Goal::Blame => self.draft.get(&Key::Forged(quorum, j)),
            _ => self.byzantine(j),
        }
    }

    /// Whether the Byzantine replica j proposes one of these.
    pub(super) fn forges_one(&self, records: &[&Record], j: u32) -> Expr {
        let held = |it: &&Record| self.draft.get(&Key::Held(**it, j));
        match self.instance.goal {
            Goal::Blame => records.iter().map(held).sum(),
            _ => self.byzantine(j),
        }
    }

    /// The power of replica i.
    pub(super) fn power(&self, i: u32) -> i64 {
        i64::from(self.ground.setting.power[i as usize])
    }

    /// The ways of replica i into view v.
    pub(super) fn ways(&self, i: u32, v: u32) -> Vec<usize> {
        let entries = self.ground.entries.iter().enumerate();
        let fits = |(_, act): &(usize, &Act)| {
            act.letters.v == v && self.ground.actors(act).any(|it| it == i)
        };
        entries.filter(fits).map(|(way, _)| way).collect()
    }

    /// Whether replica i enters a view in that way.
    pub(super) fn way(&self, way: usize, i: u32) -> Expr {
        match self.draft.col(&Key::Way(way, i)) {
            Some(col) => col.into(),
            None => self.here(i, self.ground.entries[way].letters.v),
        }
    }

    pub(super) fn goal_column(&mut self, name: &'static str, at: [u32; 2]) -> Expr {
        let text = format!("{name}_{}_{}", at[0], at[1]);
        self.draft.add(Key::Goal(name, at), text, 1).into()
    }

    pub(super) fn at_most(&mut self, family: FamilyId, indices: &str, left: Expr, right: Expr) {
        self.draft.at_most(family, indices, left, right);
    }

    /// A row beside the program, of points that replicas do not follow.
    pub(super) fn not_followed(&self, name: &str, columns: BTreeSet<(Col, i64)>, most: i64) -> Row {
        Row {
            name: name.into(),
            family: self.not_followed,
            upper: Some(most),
            lower: None,
            terms: columns.into_iter().collect(),
        }
    }
}

/// The acts of any view, decisions aside, whose records some act or entry needs or is barred by as own.
fn of_any_view(ground: &Ground) -> BTreeSet<usize> {
    let all = || ground.all();
    let needed = all().flat_map(Act::asks).filter_map(|need| match need {
        Need::Own(own) => Some(own),
        Need::Primary(_) | Need::Quorum(_) => None,
    });
    let bars = all().flat_map(|act| &act.bars);
    let read: BTreeSet<&Record> = needed.chain(bars).flat_map(Own::read).collect();
    let counts = |act: &Act| {
        let record = made(act);
        act.scope == Scope::Height && read.contains(&record) && !ground.is_final(record.kind)
    };
    let acts = ground.acts.iter().enumerate();
    acts.filter(|(_, act)| counts(act))
        .map(|(number, _)| number)
        .collect()
}

/// The record that an act makes.
pub(super) fn made(act: &Act) -> Record {
    act.makes.expect("acts make records, entries do not")
}

/// The most power that can be Byzantine: by count the most powerful ones.
pub(super) fn most_byzantine(instance: &Instance, ground: &Ground) -> u32 {
    let powers = &ground.setting.power;
    let byzantine = instance.faults.iter();
    let byzantine = byzantine.filter(|fault| fault.kind == FaultKind::Byzantine);
    let most = byzantine.map(|fault| match &fault.who {
        Who::Any(count) => {
            let mut powers = powers.clone();
            powers.sort_unstable_by(|a, b| b.cmp(a));
            powers.iter().take(*count as usize).sum::<u32>()
        }
        Who::These(replicas) => replicas.iter().map(|it| powers[it.index()]).sum(),
        Who::Power(power) => *power,
    });
    most.sum()
}
