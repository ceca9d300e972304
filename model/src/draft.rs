//! A program under construction: its columns by what they mean, its families and its rows.

use crate::{
    expr::Expr,
    group::Group,
    left_out::LeftOut,
    limits::Tally,
    program::{Col, Column, Family, FamilyId, Program, Row, Tag},
};
use milp_schema::{instance::Sense, protocol::Rule};
use std::collections::{BTreeMap, BTreeSet};

/// What a family of rows is for, as it is said where the family is defined.
#[derive(Debug, Clone, Copy)]
pub struct Purpose {
    tag: Tag,
    group: Option<Group>,
    rests_on: Option<&'static [Group]>,
}

/// Rows that are part of no rule: they say what the goal means or help the solver.
impl From<Tag> for Purpose {
    fn from(tag: Tag) -> Self {
        Self {
            tag,
            group: None,
            rests_on: None,
        }
    }
}

/// Rows that state the rule, or the question's limits.
impl From<Group> for Purpose {
    fn from(group: Group) -> Self {
        let tag = if group == Group::BUDGET {
            Tag::Budget
        } else {
            Tag::Legal
        };
        (tag, group).into()
    }
}

impl From<(Tag, Group)> for Purpose {
    fn from((tag, group): (Tag, Group)) -> Self {
        Self {
            tag,
            group: Some(group),
            rests_on: None,
        }
    }
}

/// Valid rows whose proof rests on these rules, beside those that every proof rests on.
impl From<&'static [Group]> for Purpose {
    fn from(rules: &'static [Group]) -> Self {
        Self {
            tag: Tag::Valid,
            group: None,
            rests_on: Some(rules),
        }
    }
}

/// What a column stands for, where replicas have names.
pub(crate) trait AboutReplicas: Clone {
    /// The replicas that it is about.
    fn replicas(&mut self) -> Vec<&mut u32>;

    /// The same with two replicas in each other's place.
    fn exchanged(&self, first: u32, second: u32) -> Self {
        let mut image = self.clone();
        for replica in image.replicas() {
            match *replica {
                i if i == first => *replica = second,
                i if i == second => *replica = first,
                _ => {}
            }
        }
        image
    }
}

/// Columns that stand for a `K` each, and what is said of them so far.
#[derive(Debug)]
pub struct Draft<K> {
    columns: Vec<Column>,
    /// What each column stands for.
    keys: Vec<K>,
    at: BTreeMap<K, Col>,
    families: Vec<Family>,
    family_at: BTreeMap<String, FamilyId>,
    /// The page whose lines families state, and which.
    cited: BTreeMap<FamilyId, (String, BTreeSet<(u32, u32)>)>,
    rows: Vec<Row>,
    tally: Tally,
    /// The objective: direction and expression.
    pub objective: (Sense, Expr),
}

impl<K: Clone + Ord> Default for Draft<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Clone + Ord> Draft<K> {
    /// A program without columns and rows.
    pub fn new() -> Self {
        Self {
            columns: Vec::new(),
            keys: Vec::new(),
            at: BTreeMap::new(),
            families: Vec::new(),
            family_at: BTreeMap::new(),
            cited: BTreeMap::new(),
            rows: Vec::new(),
            tally: Tally::default(),
            objective: (Sense::Maximize, Expr::default()),
        }
    }

    /// Adds a column from 0 to `upper`.
    ///
    /// # Panics
    ///
    /// When there is a column for `key` already: a defect of the formulation.
    pub fn add(&mut self, key: K, name: String, upper: i64) -> Col {
        self.tally.column();
        let col = Col(self.columns.len() as u32);
        self.columns.push(Column {
            name,
            lower: 0,
            upper,
        });
        let previous = self.at.insert(key.clone(), col);
        assert!(previous.is_none(), "every key has one column");
        self.keys.push(key);
        col
    }

    /// The column, if there is one.
    pub fn col(&self, key: &K) -> Option<Col> {
        self.at.get(key).copied()
    }

    /// The column, or 0 where there is none.
    pub(crate) fn get(&self, key: &K) -> Expr {
        self.col(key).map(Expr::from).unwrap_or_default()
    }

    /// What a column stands for.
    pub(crate) fn key(&self, col: Col) -> &K {
        &self.keys[col.index()]
    }

    /// What the columns stand for, one after the other.
    pub fn in_order(&self) -> &[K] {
        &self.keys
    }

    /// Every column, in the order of the keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&K, Col)> {
        self.at.iter().map(|(key, &col)| (key, col))
    }

    /// The renaming of the columns in which two replicas change places, if every column has its
    /// counterpart.
    pub(crate) fn exchange(&self, first: u32, second: u32) -> Option<Vec<Col>>
    where
        K: AboutReplicas,
    {
        let image = |key: &K| self.col(&key.exchanged(first, second));
        self.keys.iter().map(image).collect()
    }

    /// The family of that name, registered at its first use.
    pub fn family(
        &mut self,
        name: &str,
        line: &str,
        equations: &[u32],
        purpose: impl Into<Purpose>,
    ) -> FamilyId {
        if let Some(&id) = self.family_at.get(name) {
            return id;
        }
        let id = FamilyId(self.families.len() as u32);
        let Purpose {
            tag,
            group,
            rests_on,
        } = purpose.into();
        self.families.push(Family {
            equations: equations.to_vec(),
            group,
            rests_on,
            ..Family::new(name, line, tag)
        });
        self.family_at.insert(name.into(), id);
        id
    }

    /// A family states the lines of a rule, beside those of others.
    pub(crate) fn cite(&mut self, family: FamilyId, page: &str, rule: &Rule) {
        let cited = self.cited.entry(family);
        let (_, ranges) = cited.or_insert_with(|| (page.to_owned(), BTreeSet::new()));
        ranges.extend(&rule.lines.ranges);
    }

    /// The family of that name, which leaves a pattern of executions out.
    pub(crate) fn leaves_out(&mut self, name: &str, pattern: LeftOut) -> FamilyId {
        let id = self.family(name, pattern.line(), &[], (Tag::Budget, Group::ORDER));
        self.families[id.0 as usize].left_out = Some(pattern);
        id
    }

    /// Adds `left ≤ right`, unless the columns' bounds imply it.
    pub(crate) fn at_most(&mut self, family: FamilyId, indices: &str, left: Expr, right: Expr) {
        let name = format!("{}{indices}", self.families[family.0 as usize].name);
        let row = Row::at_most(name, family, &self.columns, left, right);
        if let Some(row) = row {
            self.push(row);
        }
    }

    /// Adds a row as it is.
    pub fn push(&mut self, row: Row) {
        self.tally.row(row.terms.len());
        self.rows.push(row);
    }

    /// The program; nothing of it is left here but what the columns stand for.
    pub fn finish(&mut self) -> Program {
        for (family, (page, ranges)) in std::mem::take(&mut self.cited) {
            let range = |(from, to): (u32, u32)| {
                if from == to {
                    from.to_string()
                } else {
                    format!("{from}-{to}")
                }
            };
            let ranges: Vec<String> = ranges.into_iter().map(range).collect();
            self.families[family.0 as usize].line = format!("{page} {}", ranges.join(","));
        }
        let (sense, objective) =
            std::mem::replace(&mut self.objective, (Sense::Maximize, Expr::default()));
        Program {
            columns: std::mem::take(&mut self.columns),
            families: std::mem::take(&mut self.families),
            rows: std::mem::take(&mut self.rows),
            sense,
            objective: objective.terms().collect(),
            constant: objective.constant(),
        }
    }
}

impl Program {
    /// A further family of rows.
    pub fn add_family(&mut self, family: Family) -> FamilyId {
        self.families.push(family);
        FamilyId(self.families.len() as u32 - 1)
    }

    /// A further row `left ≤ right` of a family, named by it and by `indices`, unless the columns'
    /// bounds imply it.
    ///
    /// # Panics
    /// If the family is none of the program.
    pub fn add_at_most(&mut self, family: FamilyId, indices: &str, left: Expr, right: Expr) {
        let name = format!("{}{indices}", self.families[family.0 as usize].name);
        let row = Row::at_most(name, family, &self.columns, left, right);
        self.rows.extend(row);
    }
}

impl Row {
    /// `left ≤ right`; `None` if the bounds of `columns` imply it.
    pub(crate) fn at_most(
        name: String,
        family: FamilyId,
        columns: &[Column],
        left: Expr,
        right: Expr,
    ) -> Option<Self> {
        let difference = left - right;
        let most: i64 = difference
            .terms()
            .map(|(col, k)| k.max(0) * columns[col.index()].upper)
            .sum::<i64>()
            + difference.constant();
        (most > 0).then(|| Self {
            name,
            family,
            terms: difference.terms().collect(),
            lower: None,
            upper: Some(-difference.constant()),
        })
    }
}
