//! The answers in sentences.

use super::{Necessity, Optimum, WhyNot};
use crate::sentence;
use milp_schema::{Instance, outcome::Termination};
use std::collections::{BTreeMap, BTreeSet};

/// The answer to "why not", one sentence or list entry per line.
pub fn why_not_words(instance: &Instance, answer: &WhyNot) -> Vec<String> {
    let scope = sentence::scope(instance, true);
    let reach = answer
        .value
        .map(|value| format!("reach {}", sentence::value(instance, value)));
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
        let (name, lines) = (rule.group.name, places(&rule.lines));
        format!("- {name}{alone} ({lines}): {}", rule.group.purpose)
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
        "That they forbid it: proved by search (infeasible, solved again permuted)."
    } else {
        "That they forbid it: infeasible, says the solver."
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
        sentence::count(solves as i64, "solve"),
        sentence::count(nodes, "node")
    ));
    lines
}

/// The table as rows of rule, lines, optimum without it, whether it is necessary, and purpose.
pub fn necessity_words(instance: &Instance, table: &Necessity) -> Vec<[String; 5]> {
    let mut rows = vec![[
        "all rules".to_owned(),
        String::new(),
        optimum(instance, &table.whole),
        String::new(),
        String::new(),
    ]];
    rows.extend(table.rules.iter().map(|(rule, without)| {
        [
            format!("without {}", rule.group.name),
            places(&rule.lines),
            optimum(instance, without),
            necessary(table, without).to_owned(),
            rule.group.purpose.to_owned(),
        ]
    }));
    rows.extend(table.mutants.iter().map(|(name, found)| {
        [
            format!("mutant {name}"),
            String::new(),
            optimum(instance, found),
            necessary(table, found).to_owned(),
            "a rule weakened, not taken away".to_owned(),
        ]
    }));
    rows
}

fn necessary(table: &Necessity, without: &Optimum) -> &'static str {
    match table.better(without) {
        Some(true) => "necessary",
        Some(false) => "no",
        None => "not known",
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
            let bound = found.dual.map_or_else(
                || "none".to_owned(),
                |bound| sentence::bound(instance, bound),
            );
            format!("{}, bound {bound}", sentence::value(instance, value))
        }
        (_, None) => "not known".to_owned(),
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
