//! Rows taken away, loosened and tightened, and what of it can be seen.

use super::search::{representatives, settings, short};
use milp_model::program::{Col, Family, Program, Row, Tag};
use milp_schema::{instance::Sense, outcome::Termination};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};

/// Nodes of a search for a point that meets a row.
const NODES: u32 = 1_000;

/// A program in which families are looked at.
pub(crate) struct Looked {
    /// The protocol, or what else decides which families there are and why.
    pub(crate) protocol: &'static str,
    pub(crate) name: &'static str,
    pub(crate) program: Program,
}

/// That a family cannot be weakened: protocol, family, program, what is asked for (a row of the
/// family, as much as may be of what it bounds; nothing for the instance's own goal), and the
/// optima of the relaxation in hundredths: as it is, without the family, and with the family's
/// right sides one larger.
pub(crate) type Weaker<'a> = (&'a str, &'a str, &'a str, &'a str, [i64; 3]);

/// The families of valid inequalities that have rows.
pub(crate) fn valid(program: &Program) -> Vec<&Family> {
    let families = program.families.iter().zip(0..);
    let used: BTreeSet<u32> = program.rows.iter().map(|row| row.family.0).collect();
    families
        .filter(|(family, number)| family.tag == Tag::Valid && used.contains(number))
        .map(|(family, _)| family)
        .collect()
}

/// The rows of valid inequalities.
pub(crate) fn valid_rows(program: &Program) -> impl Iterator<Item = &Row> {
    let rows = program.rows.iter();
    rows.filter(|row| program.family(row).tag == Tag::Valid)
}

fn of<'a>(program: &'a Program, family: &'a str) -> Vec<&'a Row> {
    let rows = program.rows.iter();
    rows.filter(|row| program.family(row).name == family)
        .collect()
}

/// The program without the families of which that holds.
fn without(program: &Program, gone: &dyn Fn(&Family) -> bool) -> Program {
    let mut changed = program.clone();
    changed.rows.retain(|row| !gone(program.family(row)));
    changed
}

/// The program with the right sides of a family one larger.
fn looser(program: &Program, family: &str) -> Program {
    let mut changed = program.clone();
    for row in &mut changed.rows {
        if program.family(row).name == family {
            row.upper = row.upper.map(|upper| upper + 1);
            row.lower = row.lower.map(|lower| lower - 1);
        }
    }
    changed
}

/// The program asked for as much as may be of what a row bounds.
fn along(program: &Program, row: &Row) -> Program {
    let mut changed = program.clone();
    changed.objective.clone_from(&row.terms);
    (changed.sense, changed.constant) = (Sense::Maximize, 0);
    changed
}

/// The optimum of the relaxation in hundredths.
fn root(program: &Program) -> i64 {
    let stop = AtomicBool::new(false);
    let bound = milp_solver::relaxed(program, &settings(3_600.0, false), &stop);
    let bound = bound.expect("the solver runs").expect("it has an optimum");
    (bound * 100.0).round() as i64
}

fn roots(program: &Program, family: &str) -> [i64; 3] {
    let bare = without(program, &|other| other.name == family);
    [program, &bare, &looser(program, family)].map(root)
}

/// Nothing can be weakened without the relaxation showing it, as the table says.
#[track_caller]
#[expect(clippy::print_stdout, reason = "a failed test shows it")]
pub(crate) fn check_weaker(looked: &[Looked], table: &[Weaker]) {
    let mut here: BTreeSet<(&str, &str)> = BTreeSet::new();
    for one in looked {
        here.extend(
            valid(&one.program)
                .iter()
                .map(|family| (one.protocol, family.name.as_str())),
        );
    }
    let listed: BTreeSet<(&str, &str)> = table.iter().map(|entry| (entry.0, entry.1)).collect();
    let mut wrong = here != listed;
    for &(protocol, family, name, row, expected) in table {
        let mut found = looked.iter();
        let one = found.find(|one| one.protocol == protocol && one.name == name);
        let program = &one.expect("the program is looked at").program;
        let rows = of(program, family);
        let row = rows.into_iter().find(|other| other.name == row);
        let asked = row.map_or_else(|| program.clone(), |row| along(program, row));
        let [all, bare, loose] = roots(&asked, family);
        // That a weaker family is as good is never what a table may say.
        wrong |= [all, bare, loose] != expected || bare == all || loose == all;
    }
    if wrong {
        for entry in search(looked) {
            println!("    {entry:?},");
        }
    }
    assert!(
        !wrong,
        "the table differs; what it would be is printed above"
    );
}

/// What shows that families cannot be weakened; families of which nothing does are left out.
fn search(looked: &[Looked]) -> Vec<Weaker<'_>> {
    let mut found: BTreeMap<(&str, &str), Weaker> = BTreeMap::new();
    for one in looked {
        for family in valid(&one.program) {
            let key = (one.protocol, family.name.as_str());
            let [all, bare, loose] = roots(&one.program, &family.name);
            if !found.contains_key(&key) && bare != all && loose != all {
                found.insert(key, (key.0, key.1, one.name, "", [all, bare, loose]));
            }
        }
    }
    for one in looked {
        for family in valid(&one.program) {
            let key = (one.protocol, family.name.as_str());
            for row in representatives(of(&one.program, &family.name)) {
                if found.contains_key(&key) {
                    break;
                }
                let [all, bare, loose] = roots(&along(&one.program, row), &family.name);
                if bare != all && loose != all {
                    let entry = (
                        key.0,
                        key.1,
                        one.name,
                        row.name.as_str(),
                        [all, bare, loose],
                    );
                    found.insert(key, entry);
                }
            }
        }
    }
    found.into_values().collect()
}

/// The values of all columns: those of an execution, and of the goal's as large as its rows let
/// them be, one after another.
pub(crate) fn completed(program: &Program, point: &[Option<i64>]) -> Vec<i64> {
    let mut values: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
    for col in (0..point.len()).filter(|&col| point[col].is_none()) {
        values[col] = 1;
        let about = |term: &(Col, i64)| term.0.index() == col;
        let holds = program
            .rows
            .iter()
            .filter(|row| row.terms.iter().any(about))
            .filter(|row| program.family(row).tag != Tag::Valid)
            .all(|row| row.holds(&values));
        values[col] = i64::from(holds);
    }
    values
}

/// Whether the point meets a row's bound, and not because nothing of what it bounds happens: with
/// one unit less on the right, or one more asked of what happens, the row would forbid the point.
/// A right side below 0 bounds nothing but asks that something happens, which then does.
pub(crate) fn is_tight(row: &Row, point: &[i64]) -> bool {
    let happens = |&(col, weight): &(Col, i64)| weight > 0 && point[col.index()] > 0;
    let asks = row.upper.is_some_and(|upper| upper < 0);
    row.upper == Some(row.activity(point)) && (asks || row.terms.iter().any(happens))
}

/// Which valid inequalities a point need not satisfy to show how strong one of them may be.
#[derive(Clone, Copy)]
pub(crate) enum LeftOut {
    /// None of them.
    All,
    /// Those of its own family; for programs whose relaxation says too little without the rest.
    Own,
}

/// A point of the program without the valid inequalities that are `left_out` that has as much as may be of what a row
/// bounds, and of such points one in which most of it happens; and whether the search got so far
/// that this is certain.
fn strongest(program: &Program, row: &Row, left_out: LeftOut) -> Option<(Vec<i64>, bool)> {
    let mut program = along(
        &without(program, &|family| match left_out {
            LeftOut::All => family.tag == Tag::Valid,
            LeftOut::Own => family.name == program.family(row).name,
        }),
        row,
    );
    let happens = row.terms.iter().filter(|(_, weight)| *weight > 0);
    let much: i64 = happens
        .map(|(col, _)| program.columns[col.index()].upper)
        .sum();
    for (_, weight) in &mut program.objective {
        *weight = *weight * (much + 1) + i64::from(*weight > 0);
    }
    let stop = AtomicBool::new(false);
    let solved = milp_solver::solve(&program, &short(NODES), &stop, &mut |_| {});
    let solved = solved.expect("the solver runs");
    let sure = solved.termination == Termination::Optimal;
    solved.point.map(|point| (point, sure))
}

/// Each valid family is as strong as points of the program allow: none of the rows looked at is
/// broken by a point of the other rows, and one is met by such a point. Of those listed in
/// `idle` rows are met only where nothing happens.
/// Rows known to be met are looked at `first`. `executed` looks whether the point is an execution. Returns how many rows were looked at.
#[track_caller]
pub(crate) fn check_stronger(
    looked: &[Looked],
    left_out: LeftOut,
    idle: &[(&str, &str)],
    first: &[&str],
    executed: &mut dyn FnMut(&Looked, &[i64]),
) -> usize {
    let mut tight: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    let mut seen = 0;
    for one in looked {
        for family in valid(&one.program) {
            let key = (one.protocol, family.name.as_str());
            let met = tight.entry(key).or_default();
            let rows = of(&one.program, &family.name);
            let known = |row: &&Row| first.contains(&row.name.as_str());
            let (known, others) = rows.into_iter().partition(known);
            let (known, others): (Vec<&Row>, Vec<&Row>) = (known, representatives(others));
            for row in known.into_iter().chain(others) {
                if *met {
                    break;
                }
                let Some((point, sure)) = strongest(&one.program, row, left_out) else {
                    continue;
                };
                seen += 1;
                assert!(row.holds(&point), "{}: {} is broken", one.name, row.name);
                if is_tight(row, &point) {
                    executed(one, &point);
                    *met = true;
                } else if sure && idle.contains(&key) {
                    assert_eq!(row.upper, Some(row.activity(&point)), "{}", row.name);
                }
            }
        }
    }
    let loose = tight.iter().filter(|(_, met)| !**met);
    let loose: Vec<(&str, &str)> = loose.map(|(key, _)| *key).collect();
    assert_eq!(loose, idle, "one unit tighter cuts nothing");
    seen
}
