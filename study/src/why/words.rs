//! The answers in sentences.

use super::{Necessity, Optimum, Present, WhyNot};
use crate::sentence;
use milp_schema::{Instance, outcome::Termination};

/// The answer to "why not", one sentence or list entry per line.
pub fn why_not_words(instance: &Instance, answer: &WhyNot) -> Vec<String> {
    let what = match answer.value {
        Some(value) => format!("the adversary reach {}", sentence::value(instance, value)),
        None => "there be an execution".to_owned(),
    };
    if answer.possible {
        return vec![match answer.value {
            Some(value) => format!(
                "It can: a schedule reaches {} or worse.",
                sentence::value(instance, value)
            ),
            None => "There is an execution: the instance is feasible.".to_owned(),
        }];
    }
    if answer.needed.is_empty() && answer.idle.is_empty() {
        return vec!["Not known: the limit came before an answer.".to_owned()];
    }
    let strength = match (answer.proved, answer.undecided.is_empty()) {
        (true, true) => "proved, and none of them can go",
        (false, true) => "infeasible, says the solver, and none of them can go",
        (true, false) => "proved; a limit came before it was known of each whether it can go",
        (false, false) => {
            "infeasible, says the solver; a limit came before it was known of each whether it can go"
        }
    };
    let mut lines = vec![format!(
        "Why can {what} not? Because of these rules together ({strength}):"
    )];
    lines.extend(answer.needed.iter().map(entry));
    let open = |rule| format!("{} [not known whether it can go]", entry(rule));
    lines.extend(answer.undecided.iter().map(open));
    if answer.needed.is_empty() && answer.undecided.is_empty() {
        lines.push("- none: what the goal means is impossible by itself".to_owned());
    }
    let idle = answer.idle.iter().map(|rule| rule.group.name);
    let idle = idle.collect::<Vec<_>>().join(", ");
    if !idle.is_empty() {
        lines.push(format!("Not needed beside them: {idle}."));
    }
    lines
}

fn entry(rule: &Present) -> String {
    format!(
        "- {} ({}): {}",
        rule.group.name,
        rule.lines.join("; "),
        rule.group.purpose
    )
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
            rule.lines.join("; "),
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
            let strength = if found.proved { "" } else { ", unproved" };
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
