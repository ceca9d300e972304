//! What quorums have in common: two of them share an honest sender, and what one cannot do, both
//! cannot be.
//!
//! Let q₁ + q₂ > n + B. Then some honest replica sent a record of each quorum. If one of the two
//! bars the other, or a later record that lifts the bar needs a third quorum, then of the two quorums
//! one is missing or a third is there: `there₁ + there₂ ≤ 1 + Σ there₃`.

use super::{Ground, Need, Own, Record};
use milp_schema::protocol::KindId;
use std::collections::{BTreeMap, BTreeSet};

/// How many own records lead from a record to what it needs of others.
const DEPTH: u32 = 3;

/// Quorums, one of which is there.
type Some3 = Option<BTreeSet<usize>>;

/// The quorums of a protocol whose honest senders are compared.
#[derive(Debug)]
pub struct Meet<'a> {
    ground: &'a Ground,
    /// No more voting power is Byzantine.
    most_byzantine: u32,
    /// The acts that make a record.
    makers: BTreeMap<Record, Vec<usize>>,
    /// The quorums of one value or none in one view that somebody asks for.
    plain: Vec<usize>,
    /// Whether roles are looked at: who makes what primaries make does not make what backups do.
    roles: bool,
    /// Quorums that are not there.
    excluded: BTreeSet<usize>,
}

/// The kind and view of a record: an honest replica makes at most one record of them.
fn group(record: &Record) -> (KindId, u32) {
    (record.kind, record.view)
}

impl<'a> Meet<'a> {
    /// The quorums that are `asked` for.
    pub fn new(ground: &'a Ground, most_byzantine: u32, asked: impl Fn(usize) -> bool) -> Self {
        let mut makers: BTreeMap<Record, Vec<usize>> = BTreeMap::new();
        for (number, act) in ground.acts.iter().enumerate() {
            if let Some(record) = act.makes {
                makers.entry(record).or_default().push(number);
            }
        }
        let one = |number: &usize| {
            let records = &ground.quorums[*number].records;
            let same = |it: &Record| (it.view, it.value) == (records[0].view, records[0].value);
            asked(*number) && records.iter().all(same)
        };
        Self {
            plain: (0..ground.quorums.len()).filter(one).collect(),
            roles: false,
            excluded: BTreeSet::new(),
            ground,
            most_byzantine,
            makers,
        }
    }

    /// Whether two quorums share an honest sender.
    fn share(&self, first: usize, second: usize) -> bool {
        let at_least = |number: usize| self.ground.quorums[number].at_least;
        let most = self.ground.setting.total() + self.most_byzantine;
        at_least(first) + at_least(second) > most
    }

    /// Of each kind and view quorums that share no record, of which one at most is there: one value
    /// has one, and of a value one justification.
    pub fn one_value(&self) -> BTreeMap<(KindId, u32), Vec<usize>> {
        let mut same: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for &number in &self.plain {
            let quorum = &self.ground.quorums[number];
            let groups: BTreeSet<_> = quorum.records.iter().map(group).collect();
            let first = groups.first().copied().filter(|_| groups.len() == 1);
            if let (Some(place), true) = (first, self.share(number, number)) {
                let apart = |it: &Record| !quorum.records.contains(it);
                let others = same.entry(place).or_default();
                let mut records = others.iter().map(|&it| &self.ground.quorums[it].records);
                if records.all(|it| it.iter().all(apart)) {
                    others.push(number);
                }
            }
        }
        same
    }

    /// A quorum each, and those of which one is there if it is, because behind the quorum is an honest
    /// sender, who needed one: of chains a block with a certificate extends one that has one.
    pub fn parents(&self) -> Vec<(usize, BTreeSet<usize>)> {
        let plain = self.plain.iter();
        plain
            .filter_map(|it| Some((*it, self.behind(*it)?)))
            .collect()
    }

    /// Whether two quorums are never there together, whatever else is.
    pub fn apart(&self, first: usize, second: usize) -> bool {
        self.beside(first, second).is_some_and(|it| it.is_empty())
    }

    /// The same by roles as well.
    #[must_use]
    pub fn by_roles(self, roles: bool) -> Self {
        Self { roles, ..self }
    }

    /// The same with quorums that are not there, where there is a choice of what is shown.
    #[must_use]
    pub fn without(self, excluded: BTreeSet<usize>) -> Self {
        Self { excluded, ..self }
    }

    /// Quorums of which one is there if this one is, whose honest sender needed one.
    pub fn behind(&self, number: usize) -> Option<BTreeSet<usize>> {
        let quorum = &self.ground.quorums[number];
        let shown = union(quorum.records.iter().map(|it| shows(self, it, DEPTH)));
        shown.filter(|it| quorum.at_least > self.most_byzantine && !it.contains(&number))
    }

    /// Quorums of which one is there if these two are, which share an honest sender.
    pub fn beside(&self, first: usize, second: usize) -> Option<BTreeSet<usize>> {
        let share = self.share(first, second);
        let thirds = share.then(|| both(self, first, second)).flatten();
        thirds.filter(|it| !it.contains(&first) && !it.contains(&second))
    }

    /// Two quorums each, and those of which one is there if both are.
    pub fn pairs(&self) -> Vec<(usize, usize, BTreeSet<usize>)> {
        let mut pairs = Vec::new();
        for (at, &first) in self.plain.iter().enumerate() {
            for &second in &self.plain[at + 1..] {
                let thirds = self.beside(first, second);
                pairs.extend(thirds.map(|thirds| (first, second, thirds)));
            }
        }
        pairs
    }
}

/// What an honest replica that sent a record of each quorum shows.
fn both(meet: &Meet<'_>, first: usize, second: usize) -> Some3 {
    let records = |number: usize| meet.ground.quorums[number].records.iter();
    let mut thirds = BTreeSet::new();
    for one in records(first) {
        for other in records(second) {
            if one == other && meet.makers.contains_key(one) {
                return None;
            }
            thirds.extend(made_both(meet, one, other, DEPTH)?);
        }
    }
    Some(thirds)
}

/// What a replica that made both records shows.
fn made_both(meet: &Meet<'_>, one: &Record, other: &Record, depth: u32) -> Some3 {
    let place = |record: &Record| meet.ground.place(record);
    let (one, other) = if place(one) <= place(other) {
        (one, other)
    } else {
        (other, one)
    };
    let setting = &meet.ground.setting;
    let may = |i: u32| setting.may_make(one, i) && setting.may_make(other, i);
    let nobody = meet.roles && !(0..setting.replicas()).any(may);
    if nobody || !meet.makers.contains_key(one) {
        return Some(BTreeSet::new());
    }
    let makers = meet.makers.get(other).into_iter().flatten();
    union(makers.map(|&act| did_after(meet, one, act, depth)))
}

fn union(all: impl Iterator<Item = Some3>) -> Some3 {
    let mut union = BTreeSet::new();
    for one in all {
        union.extend(one?);
    }
    Some(union)
}

/// What a replica that made a record and did an act of a higher level shows: nothing is possible,
/// or one of these quorums is there.
fn did_after(meet: &Meet<'_>, record: &Record, number: usize, depth: u32) -> Some3 {
    let act = &meet.ground.acts[number];
    if act.makes == Some(*record) {
        return None;
    }
    if act.makes.is_some_and(|it| group(&it) == group(record)) {
        return Some(BTreeSet::new());
    }
    let mut ways: Vec<BTreeSet<usize>> = Vec::new();
    for bar in &act.bars {
        match bar {
            Own::One(records) if records.contains(record) => return Some(BTreeSet::new()),
            Own::Last(matching, rest) if matching.contains(record) => {
                let lifts = rest
                    .iter()
                    .filter(|it| it.view > record.view && it.view < act.letters.v);
                let shown = union(lifts.map(|it| shows(meet, it, DEPTH)));
                ways.extend(shown);
            }
            _ => {}
        }
    }
    if depth > 0 {
        let own = |need: &Need| match need {
            Need::Own(Own::One(records)) => Some(records.clone()),
            _ => None,
        };
        // What the act needs of the own past is barred, or what the record needed bars the act.
        let needed = act.needs.iter().filter_map(own);
        ways.extend(needed.filter_map(|records| {
            union(
                records
                    .iter()
                    .map(|it| made_both(meet, record, it, depth - 1)),
            )
        }));
        let makers = meet.makers[record].iter();
        ways.extend(union(makers.map(|&maker| {
            let mut needed = meet.ground.acts[maker].needs.iter().filter_map(own);
            needed.find_map(|records| {
                let before = records.iter().filter(|it| meet.makers.contains_key(it));
                union(before.map(|it| did_after(meet, it, number, depth - 1)))
            })
        })));
    }
    let open = |it: &BTreeSet<usize>| (it.difference(&meet.excluded).count(), it.len());
    let least = ways.into_iter().min_by_key(open);
    least.or_else(|| act_shows(meet, number, depth))
}

/// Quorums of which one is there if a record is made.
fn shows(meet: &Meet<'_>, record: &Record, depth: u32) -> Some3 {
    let makers = meet.makers.get(record).into_iter().flatten();
    union(makers.map(|&act| act_shows(meet, act, depth)))
}

fn act_shows(meet: &Meet<'_>, number: usize, depth: u32) -> Some3 {
    let act = &meet.ground.acts[number];
    let needs = &act.needs;
    let quorums = act.asks().filter_map(|need| match need {
        Need::Quorum(number) => Some(*number),
        _ => None,
    });
    let quorum = quorums.min_by_key(|it| !meet.excluded.contains(it));
    let quorum = quorum.map(|it| BTreeSet::from([it]));
    quorum.or_else(|| {
        let below = depth.checked_sub(1)?;
        needs.iter().find_map(|need| match need {
            Need::Own(Own::One(records)) => union(records.iter().map(|it| shows(meet, it, below))),
            _ => None,
        })
    })
}
