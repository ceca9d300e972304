//! Schedules as a projection sees them, and what a renaming of interchangeable replicas makes of
//! that.

use super::symmetry;
use crate::Error;
use milp_model::{
    Built,
    expr::Expr,
    formulation::{
        in_slots, projected,
        projection::{Line, Projection, Subject},
    },
};
use milp_schema::{Instance, ReplicaId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// More renamings than these of one schedule are not written down as rows.
pub const MOST_IMAGES: usize = 5_040;

/// What a projection sees of a schedule: the lines that have a value, by number, and the value;
/// ascending.
pub type Seen = Vec<(u32, u32)>;

/// A projection of the schedules of an instance.
#[derive(Debug)]
pub struct Look {
    /// The program, with the columns that the projection asks for.
    pub built: Built,
    lines: Vec<Line>,
    names: BTreeMap<String, (u32, u32)>,
    /// The classes of interchangeable replicas.
    pub classes: Vec<Vec<ReplicaId>>,
    /// For two neighbours of a class the number of every line with the two exchanged.
    exchanges: Vec<Vec<u32>>,
}

impl Look {
    /// How schedules of the instance look.
    ///
    /// # Errors
    ///
    /// When formulation `timed` cannot build the instance.
    pub fn of(instance: &Instance, projection: Projection) -> Result<Self, Error> {
        let (built, lines) = projected(instance, projection)?;
        // The columns of a projection are no part of the question of who is alike.
        let classes = symmetry::classes(instance, &in_slots(instance)?);
        let by_subject: BTreeMap<&Subject, u32> =
            lines.iter().map(|line| &line.subject).zip(0..).collect();
        let neighbours = classes.iter().flat_map(|class| class.windows(2));
        let exchanges = neighbours
            .map(|pair| exchanged(&lines, &by_subject, (pair[0], pair[1])))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let why = "interchangeable replicas are not seen in the same way: a defect here";
                Error::Refused(why.to_owned())
            })?;
        let mut names = BTreeMap::new();
        for (number, line) in (0..).zip(&lines) {
            for value in 0..line.values() {
                names.insert(name(line, value), (number, value));
            }
        }
        Ok(Self {
            built,
            lines,
            names,
            classes,
            exchanges,
        })
    }

    /// What is seen of a point, which may lack the columns of the projection.
    pub fn seen(&self, point: &[i64]) -> Seen {
        let lines = (0..).zip(&self.lines);
        lines
            .filter_map(|(number, line)| Some((number, line.value(point)?)))
            .collect()
    }

    /// What is seen, in names.
    pub fn names(&self, seen: &Seen) -> Vec<String> {
        let names = seen
            .iter()
            .map(|&(number, value)| name(&self.lines[number as usize], value));
        names.collect()
    }

    /// What names say was seen.
    ///
    /// # Errors
    ///
    /// The first name that is none.
    pub fn named(&self, names: &[String]) -> Result<Seen, String> {
        let seen = names
            .iter()
            .map(|name| self.names.get(name).copied().ok_or_else(|| name.clone()));
        let mut seen: Seen = seen.collect::<Result<_, _>>()?;
        seen.sort_unstable();
        Ok(seen)
    }

    /// The subjects of what is seen.
    pub fn subjects<'a>(&'a self, seen: &'a Seen) -> impl Iterator<Item = &'a Subject> {
        seen.iter()
            .map(|&(number, _)| &self.lines[number as usize].subject)
    }

    /// Everything that a renaming of interchangeable replicas makes of what is seen, itself
    /// included; the smallest stands for all of them. `None` if they are too many.
    pub fn orbit(&self, seen: &Seen) -> Option<BTreeSet<Seen>> {
        let mut orbit = BTreeSet::from([seen.clone()]);
        let mut open = VecDeque::from([seen.clone()]);
        while let Some(next) = open.pop_front() {
            for exchange in &self.exchanges {
                let renamed = next
                    .iter()
                    .map(|&(number, value)| (exchange[number as usize], value));
                let mut renamed: Seen = renamed.collect();
                renamed.sort_unstable();
                if orbit.insert(renamed.clone()) {
                    open.push_back(renamed);
                }
            }
            if orbit.len() > MOST_IMAGES {
                return None;
            }
        }
        Some(orbit)
    }

    /// 0 iff this is what is seen; otherwise 1 or more: the sum over all lines.
    pub fn differs_from(&self, seen: &Seen) -> Expr {
        let values: BTreeMap<u32, u32> = seen.iter().copied().collect();
        let lines = (0..).zip(&self.lines);
        lines
            .map(|(number, line)| line.differs_from(values.get(&number).copied()))
            .sum()
    }

    /// How many renamings there are, in words.
    pub fn group(&self) -> String {
        let classes = self.classes.iter().map(|class| {
            let class: Vec<String> = class.iter().map(|id| id.0.to_string()).collect();
            class.join(" ")
        });
        let classes: Vec<String> = classes.collect();
        match classes.as_slice() {
            [] => "no two replicas are interchangeable".to_owned(),
            classes => format!("interchangeable: replicas {}", classes.join("; replicas ")),
        }
    }
}

/// The name of a value: that of its line, and the slot where there are several.
fn name(line: &Line, value: u32) -> String {
    let name = line.subject.name();
    match line.values() {
        1 => name,
        _ => format!("{name}_t{}", value + 1),
    }
}

/// The number of every line with two replicas exchanged.
fn exchanged(
    lines: &[Line],
    by_subject: &BTreeMap<&Subject, u32>,
    (first, second): (ReplicaId, ReplicaId),
) -> Option<Vec<u32>> {
    let image = |id: &ReplicaId| match *id {
        id if id == first => second,
        id if id == second => first,
        id => id,
    };
    let images = lines.iter().map(|line| {
        let subject = Subject {
            replicas: line.subject.replicas.iter().map(image).collect(),
            ..line.subject.clone()
        };
        by_subject.get(&subject).copied()
    });
    images.collect()
}
