//! The answers in sentences.

use super::{
    necessity::{Necessity, Optimum},
    smallest::WhyNot,
};
use crate::sentence;
use milp_model::group::Group;
use milp_schema::{Instance, outcome::Termination};
use std::collections::{BTreeMap, BTreeSet};

/// The answer to "why not", one sentence or list entry per line, in the words of the protocol.
pub fn why_not_words(instance: &Instance, answer: &WhyNot) -> Vec<String> {
    let own = |text: &str| milp_show::words::own(instance.protocol, text);
    let scope = own(&sentence::scope(instance, answer.formulation.knows_slots()));
    let reach = answer
        .value
        .map(|value| own(&format!("reach {}", sentence::value(instance, value))));
    let question = match (&reach, answer.possible) {
        (Some(reach), Some(true)) => return vec![format!("The adversary can {reach}, {scope}.")],
        (None, Some(true)) => return vec![format!("There is an execution {scope}.")],
        (_, None) => return vec!["Not known: the limit came before an answer.".to_owned()],
        (Some(reach), Some(false)) => format!("Why can the adversary not {reach}, {scope}?"),
        (None, Some(false)) => format!("Why is there no execution {scope}?"),
    };
    if answer.needed.is_empty() {
        return vec![
            question,
            "What the goal means is impossible by itself, whatever the rules.".to_owned(),
        ];
    }
    let number = answer.needed.len() as i64;
    let mut lines = vec![question, format!("{}:", because(number))];
    lines.extend(answer.needed.iter().map(|needed| {
        let rule = &needed.rule;
        let alone = if needed.always { " [necessary]" } else { "" };
        let of_pages = rule.lines.iter().filter(|it| it.contains(' ')).cloned();
        let lines = places(&of_pages.collect::<Vec<_>>());
        // What is true of every execution stands on no page of a protocol.
        let lines = match lines.as_str() {
            "" => lines,
            some => format!(" ({some})"),
        };
        format!(
            "- {}{alone}{lines}: {}",
            rule.group.name, rule.group.purpose
        )
    }));
    let idle = answer.idle.iter().map(|rule| rule.group.name);
    let idle = idle.collect::<Vec<_>>().join(", ");
    if !idle.is_empty() {
        lines.push(format!("Not needed beside them: {idle}."));
    }
    lines.extend(strength(answer));
    lines
}

fn because(number: i64) -> String {
    match number {
        1 => "Because of this rule".to_owned(),
        _ => format!("Because of these {number} rules together"),
    }
}

/// What the answer rests on, claim by claim.
fn strength(answer: &WhyNot) -> Vec<String> {
    let what = match answer.value {
        Some(_) => "reaches it",
        None => "satisfies the rest",
    };
    let forbid = if answer.proved {
        "That they forbid it: proved by two searches on different paths, in floating-point arithmetic."
    } else {
        "That they forbid it: says the solver, nothing confirms it."
    };
    let fewest = match (answer.smallest, answer.irreducible) {
        (true, _) => {
            "That no fewer rules do: every smaller set misses all rules that some point breaks, \
             each point checked in exact integers."
        }
        (false, true) => {
            "None of them can go, each with a point checked in exact integers; whether a set with \
             fewer other rules forbids it is not known, a limit came first."
        }
        (false, false) => "Whether all of them are needed is not known: a limit came first.",
    };
    let mut lines = vec![forbid.to_owned(), fewest.to_owned()];
    if answer.needed.iter().any(|needed| needed.always) {
        lines.push(format!(
            "Necessary: without this one rule and with all others there is a point that {what}."
        ));
    }
    let (solves, nodes) = answer.effort;
    lines.push(format!(
        "Rests on {} with {}.",
        milp_show::words::count(solves as i64, "solve"),
        milp_show::words::count(nodes, "node")
    ));
    lines
}

/// The tables of some instances of one protocol side by side, the header first: rule, lines, the
/// optimum of each instance without the rule and whether it is necessary there, and purpose.
pub fn necessity_words(tables: &[(&Instance, &Necessity)]) -> Vec<Vec<String>> {
    let goals = tables.iter().map(|(instance, table)| {
        let (goal, views) = (instance.goal.name(), instance.views.into());
        let views = milp_show::words::count(views, "view");
        let slots = milp_show::words::count(instance.slots.into(), "slot");
        let slots = if table.within_slots {
            format!(", {slots}")
        } else {
            String::new()
        };
        format!("goal {goal}, {views}{slots}")
    });
    let mut rows = vec![row("rules", "lines", goals, "what the rule is for")];
    let whole = tables
        .iter()
        .map(|(instance, table)| optimum(instance, &table.whole));
    rows.push(row("all rules", "", whole, ""));
    for group in Group::ALL {
        let found = tables.iter().map(|(_, table)| table.rule(group));
        let found = found.collect::<Vec<_>>();
        let lines = found
            .iter()
            .flatten()
            .flat_map(|(rule, _)| rule.lines.clone());
        let lines = places(&lines.collect::<Vec<_>>());
        if found.iter().all(Option::is_none) {
            continue;
        }
        let cells = tables
            .iter()
            .zip(&found)
            .map(|((instance, table), found)| match found {
                Some((_, without)) => cell(instance, table, without),
                None => "not there".to_owned(),
            });
        rows.push(row(
            &format!("without {}", group.name),
            &lines,
            cells,
            group.purpose,
        ));
    }
    let mutants = tables.iter().flat_map(|(_, table)| &table.mutants);
    let mutants = mutants.map(|(name, _)| name).collect::<BTreeSet<_>>();
    for name in mutants {
        let cells = tables.iter().map(|(instance, table)| {
            let found = table.mutants.iter().find(|(mutant, _)| mutant == name);
            found.map_or_else(
                || "not there".to_owned(),
                |(_, found)| cell(instance, table, found),
            )
        });
        let purpose = "a rule weakened, not taken away";
        rows.push(row(&format!("mutant {name}"), "", cells, purpose));
    }
    rows
}

fn row(name: &str, lines: &str, cells: impl Iterator<Item = String>, purpose: &str) -> Vec<String> {
    let mut row = vec![name.to_owned(), lines.to_owned()];
    row.extend(cells);
    row.push(purpose.to_owned());
    row
}

/// The optimum without a rule, and what that says of it.
fn cell(instance: &Instance, table: &Necessity, without: &Optimum) -> String {
    let optimum = optimum(instance, without);
    match table.better(without) {
        Some(true) => format!("{optimum}: necessary"),
        Some(false) => format!("{optimum}: not necessary"),
        None => format!("{optimum}: not known whether it is necessary"),
    }
}

fn optimum(instance: &Instance, found: &Optimum) -> String {
    match (found.termination, found.primal) {
        (Termination::Infeasible, _) => "infeasible".to_owned(),
        (Termination::Optimal, Some(value)) => {
            let strength = if found.proved {
                ""
            } else {
                ", says the solver"
            };
            format!("{}{strength}", sentence::value(instance, value))
        }
        (_, Some(value)) => {
            let words = sentence::value(instance, value);
            let dual = found.dual.unwrap_or(f64::INFINITY);
            match sentence::bound(instance, Some(value), dual) {
                Some(bound) => format!("{words}, bound {bound}"),
                None => words,
            }
        }
        (_, None) => "no schedule found".to_owned(),
    }
}

/// Lines as "dbft2 4-5, 8-9 and E4, E8": the page once, its lines ascending.
fn places(lines: &[String]) -> String {
    let mut pages: BTreeMap<&str, BTreeMap<u32, BTreeSet<&str>>> = BTreeMap::new();
    for line in lines {
        let (page, numbers) = line.rsplit_once(' ').unwrap_or(("", line));
        for number in numbers.split(',') {
            let digits = number.trim_start_matches(|c: char| !c.is_ascii_digit());
            let first = digits.split(|c: char| !c.is_ascii_digit()).next();
            let first = first.and_then(|first| first.parse().ok()).unwrap_or(0);
            let of_page = pages.entry(page).or_default();
            of_page.entry(first).or_default().insert(number);
        }
    }
    let page = |(page, numbers): (&&str, &BTreeMap<u32, BTreeSet<&str>>)| {
        let numbers = numbers.values().flatten().copied().collect::<Vec<_>>();
        format!("{page} {}", numbers.join(", ")).trim().to_owned()
    };
    let (paged, executed): (Vec<_>, Vec<_>) = pages.iter().partition(|(name, _)| !name.is_empty());
    let all = paged.into_iter().chain(executed).map(page);
    all.collect::<Vec<_>>().join(" and ")
}
