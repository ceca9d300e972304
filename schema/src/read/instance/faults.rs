//! Who may be faulty, and how.

use crate::{
    formula,
    ids::ReplicaId,
    instance::{Fault, FaultKind, Who},
    limits,
    read::{
        fields::{self, Fields},
        problem::{Place, Problems, Reported, quoted},
        tree::{Entry, Node, Value},
    },
};
use std::collections::BTreeMap;

pub(crate) const FAULT_KINDS: [(&str, FaultKind); 3] = [
    ("network", FaultKind::Network),
    ("crash", FaultKind::Crash),
    ("byzantine", FaultKind::Byzantine),
];

/// The faults, checked against the number of replicas and against f.
pub(super) fn faults(
    fields: &Fields,
    (replicas, power): (Option<u32>, Option<&[u32]>),
    beyond_budget: Option<bool>,
    problems: &mut Problems,
) -> Option<Vec<Fault>> {
    let Some(node) = fields.get("faults") else {
        return Some(Vec::new());
    };
    let votes = power.map_or(replicas, |power| Some(power.iter().sum()));
    let mut reader = Faults {
        replicas,
        votes,
        kinds: BTreeMap::new(),
        members: BTreeMap::new(),
        problems,
    };
    let entries: Vec<Result<Option<Fault>, Reported>> = match &node.value {
        Value::List(nodes) => nodes.iter().map(|node| reader.fault(node)).collect(),
        _ => vec![reader.fault(node)],
    };
    let faults: Vec<Fault> = entries
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .ok()?
        .into_iter()
        .flatten()
        .collect();
    let (n, votes) = (replicas?, votes?);
    let f = (votes - 1) / 3;
    let total: u32 = faults.iter().map(Fault::count).sum();
    let faulty: u32 = faults.iter().map(|fault| most_votes(fault, power)).sum();
    if power.is_none() && total > n {
        let what = format!("{total} replicas are faulty, but there are only {n}");
        problems.at(node.place, what, format!("lower the counts to {n} in all"));
    } else if faulty > f && beyond_budget == Some(false) {
        let (many, tolerate) = match power {
            None => (
                format!("{total} replicas"),
                format!("{n} replicas tolerate"),
            ),
            Some(_) => (
                format!("replicas of power {faulty}"),
                format!("{votes} votes tolerate"),
            ),
        };
        let what = format!("{many} may be faulty, but {tolerate} f = {f} (at most {f} expected)");
        let hint = "lower the number, or add `beyond_budget: true` if this is meant";
        problems.at(node.place, what, hint);
    }
    Some(faults)
}

/// The most votes that replicas with that fault have together.
fn most_votes(fault: &Fault, power: Option<&[u32]>) -> u32 {
    let Some(power) = power else {
        return fault.count();
    };
    match &fault.who {
        Who::Power(number) => *number,
        Who::These(replicas) => replicas
            .iter()
            .filter_map(|replica| power.get(replica.index()))
            .sum(),
        Who::Any(count) => {
            let mut strongest = power.to_vec();
            strongest.sort_unstable();
            strongest.iter().rev().take(*count as usize).sum()
        }
    }
}

struct Faults<'problems> {
    /// n, if it is known.
    replicas: Option<u32>,
    /// The votes of all together, if they are known.
    votes: Option<u32>,
    kinds: BTreeMap<FaultKind, Place>,
    members: BTreeMap<u32, Place>,
    problems: &'problems mut Problems,
}

impl Faults<'_> {
    /// The largest n that may be meant.
    fn most(&self) -> u32 {
        self.replicas.unwrap_or(*limits::REPLICAS.end())
    }

    /// One entry; `None` is `kind: none`.
    fn fault(&mut self, node: &Node) -> Result<Option<Fault>, Reported> {
        let keys = ["kind", "count", "replicas", "power"];
        let fields = Fields::of(node, "a fault", &keys, self.problems).ok_or(Reported)?;
        let kinds: Vec<(&str, Option<FaultKind>)> = std::iter::once(("none", None))
            .chain(FAULT_KINDS.map(|(name, kind)| (name, Some(kind))))
            .collect();
        let kind = fields.choice("kind", &kinds, None, self.problems);
        if kind == Some(None) {
            return self.nobody(&fields).map(|()| None);
        }
        let who = self.who(&fields);
        let kind = kind.flatten().ok_or(Reported)?;
        if let Some(earlier) = self.kinds.insert(kind, fields.place("kind")) {
            let what = "this kind of fault is already given".to_owned();
            let hint = format!(
                "merge the two entries into the one in line {}",
                earlier.line
            );
            self.problems.at(fields.place("kind"), what, hint);
            return Err(Reported);
        }
        who.map(|who| Some(Fault { kind, who })).ok_or(Reported)
    }

    fn nobody(&mut self, fields: &Fields) -> Result<(), Reported> {
        let superfluous = ["count", "replicas", "power"].map(|key| fields.entry(key));
        let Some(entry) = superfluous.into_iter().flatten().next() else {
            return Ok(());
        };
        let what = format!(
            "`kind: none` makes nobody faulty, but `{}` is given",
            entry.key
        );
        self.problems.at(
            entry.place,
            what,
            format!("remove `{}` or change the kind", entry.key),
        );
        Err(Reported)
    }

    fn who(&mut self, fields: &Fields) -> Option<Who> {
        if let Some(entry) = fields.entry("power") {
            return self.power(fields, entry);
        }
        match (fields.entry("count"), fields.entry("replicas")) {
            (Some(entry), None) => self.count(&entry.value).map(Who::Any),
            (None, Some(entry)) => self.members(&entry.value).map(Who::These),
            (Some(_), Some(entry)) => {
                let what = "both `count` and `replicas` say who is faulty; one is expected";
                self.problems.at(entry.place, what, "remove one of the two");
                None
            }
            (None, None) => {
                let what = "a fault needs `count` or `replicas`";
                let hint = "add `count: 1`, or `replicas: [3]` to fix who";
                self.problems.at(fields.place("kind"), what, hint);
                None
            }
        }
    }

    /// So much voting power.
    fn power(&mut self, fields: &Fields, entry: &Entry) -> Option<Who> {
        if let Some(other) = fields.entry("count").or_else(|| fields.entry("replicas")) {
            let what = format!(
                "both `power` and `{}` say who is faulty; one is expected",
                other.key
            );
            self.problems.at(other.place, what, "remove one of the two");
            return None;
        }
        let most = i64::from(self.votes.unwrap_or(u32::MAX));
        let number = fields::number(&entry.value, "power", 0..=most, self.problems)?;
        u32::try_from(number).ok().map(Who::Power)
    }

    /// A number, or a formula a·f + c, which is evaluated here.
    fn count(&mut self, node: &Node) -> Option<u32> {
        let text = match &node.value {
            Value::Scalar { text, .. } if text.contains('f') => text,
            _ => {
                let number =
                    fields::number(node, "count", 0..=i64::from(self.most()), self.problems)?;
                return u32::try_from(number).ok();
            }
        };
        let f = (self.votes.unwrap_or_else(|| self.most()) - 1) / 3;
        let Some(number) = formula::of_faulty(text, f) else {
            let what = format!(
                "`count` must be a number or a formula a·f + c, not {}",
                quoted(text)
            );
            let hint = "write a whole number, `f`, or a sum like `f + 1`";
            self.problems.at(node.place, what, hint);
            return None;
        };
        let n = self.replicas?;
        let count = u32::try_from(number).ok().filter(|count| *count <= n);
        if count.is_none() {
            let what = format!(
                "`count` must be from 0 to {n}, and {} is {number} where f = {f}",
                quoted(text)
            );
            let hint = "write a number, or another formula";
            self.problems.at(node.place, what, hint);
        }
        count
    }

    fn members(&mut self, node: &Node) -> Option<Vec<ReplicaId>> {
        let Value::List(nodes) = &node.value else {
            let what = format!("`replicas` must be a list of ids, not {}", node.described());
            self.problems
                .at(node.place, what, "write `replicas: [3]`, or `count: 1`");
            return None;
        };
        if nodes.is_empty() {
            let what = "`replicas` names nobody; at least one id is expected";
            self.problems.at(
                node.place,
                what,
                "name a replica, or write `faults: {kind: none}`",
            );
            return None;
        }
        let last = i64::from(self.most()) - 1;
        let mut members = Vec::new();
        let mut good = true;
        for node in nodes {
            let Some(id) = fields::number(node, "replica id", 0..=last, self.problems) else {
                good = false;
                continue;
            };
            let id = id as u32;
            if let Some(earlier) = self.members.insert(id, node.place) {
                let what = format!("replica {id} is faulty twice");
                let hint = format!(
                    "a replica has one kind of fault; it is already named at {}:{}",
                    earlier.line, earlier.column
                );
                self.problems.at(node.place, what, hint);
                good = false;
            }
            members.push(ReplicaId(id));
        }
        members.sort_unstable();
        good.then_some(members)
    }
}

/// The voting power of each replica, if it is given.
pub(super) fn powers(
    fields: &Fields,
    replicas: Option<u32>,
    problems: &mut Problems,
) -> Result<Option<Vec<u32>>, Reported> {
    let Some(node) = fields.get("power") else {
        return Ok(None);
    };
    let Value::List(nodes) = &node.value else {
        let what = format!(
            "`power` must be a list of numbers, not {}",
            node.described()
        );
        let hint = "write one number for each replica, say `power: [40, 30, 20, 10]`";
        problems.at(node.place, what, hint);
        return Err(Reported);
    };
    let range = i64::from(*limits::POWER.start())..=i64::from(*limits::POWER.end());
    let numbers = nodes.iter();
    let numbers = numbers.map(|node| fields::number(node, "power", range.clone(), problems));
    let powers: Vec<Option<i64>> = numbers.collect();
    let powers: Vec<u32> = powers
        .into_iter()
        .map(|power| power.and_then(|power| u32::try_from(power).ok()))
        .collect::<Option<_>>()
        .ok_or(Reported)?;
    let n = replicas.ok_or(Reported)?;
    if powers.len() != n as usize {
        let what = format!("`power` has {} numbers for {n} replicas", powers.len());
        problems.at(
            node.place,
            what,
            format!("write {n} numbers, one for each replica"),
        );
        return Err(Reported);
    }
    Ok(Some(powers))
}
