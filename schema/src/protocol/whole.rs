//! What makes no sense in the rules together, and in their mutants.

use super::{
    Goes, Guard, Head, KindId, Mode, Mutant, Position, RecordKind, Rule, Rules, ValueField, Views,
    check::{Finding, single},
};
use crate::read::problem::Problems;

/// Whether the rules and their mutants make sense; what does not is reported. `timers` is where
/// the timers are named.
pub(super) fn rules(rules: &Rules, timers: Position, problems: &mut Problems) -> bool {
    let mut found = kinds(rules, timers);
    found.extend(single(rules));
    if found.is_empty() {
        found = mutants(rules);
    }
    let sound = found.is_empty();
    for (at, what, hint) in found {
        problems.at(at.into(), what, hint);
    }
    sound
}

/// Every kind and every timer has a use, one kind is final, and no kinds wait for one another.
fn kinds(rules: &Rules, timers: Position) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, kind) in rules.kinds.iter().enumerate() {
        let ruled = kind.goes != Goes::Recovery;
        let mut report = |what: String, hint| found.push((kind.at, what, hint));
        let makes = |rule: &Rule| rule.makes() == Some(KindId(place));
        let reads = |guard: &Guard| guard.pattern.kinds.contains(&KindId(place));
        let reads = |rule: &Rule| rule.guards().any(reads);
        // Style sheets and file systems tell no capital letters.
        let same = |it: &RecordKind| it.name.eq_ignore_ascii_case(&kind.name);
        if rules.kinds[..place].iter().any(same) {
            let what = format!("there are two kinds `{}`, capital letters aside", kind.name);
            report(what, "take another name, or remove one");
        }
        if ruled && !rules.rules.iter().any(makes) {
            let what = format!("nobody makes a `{}`", kind.name);
            report(what, "add a rule that makes it, or remove the kind");
        }
        if ruled && !kind.is_final && !rules.rules.iter().any(reads) {
            let what = format!("nobody reads a `{}`", kind.name);
            report(what, "add a guard that reads it, or remove the kind");
        }
        if kind.is_final && kind.value == ValueField::None {
            let what = format!("a `{}` is a decision without a value", kind.name);
            report(what, "write `names: value`");
        }
    }
    let decisions: Vec<_> = rules.kinds.iter().filter(|kind| kind.is_final).collect();
    if decisions.len() != 1 {
        let second = decisions.get(1).copied().or(rules.kinds.first());
        let at = second.map_or(timers, |kind| kind.at);
        let hint = "give one kind `role: decision`, or a kept one `final: true`";
        let what = format!("{} kinds are decisions, not one", decisions.len());
        found.push((at, what, hint));
    }
    for (place, name) in rules.timers.iter().enumerate() {
        let waits = |rule: &Rule| matches!(rule.mode, Mode::Timer(timer) if timer.0 == place);
        if !rules.rules.iter().any(waits) {
            let what = format!("no rule waits for the timer `{name}`");
            let hint = "add a rule with `timer name`, or remove the timer";
            found.push((timers, what, hint));
        }
    }
    found.extend(circle(rules));
    let enters = |head: &Head| rules.rules.iter().find(|rule| rule.head == *head);
    if let (Some(skip), None) = (enters(&Head::Skip), enters(&Head::Enter)) {
        let what = "views are skipped, and no rule enters the next one".to_owned();
        found.push((skip.at, what, "add a rule `enter(v)`"));
    }
    found
}

/// Kinds of one view that wait for one another: then no order of kinds is one of acts.
fn circle(rules: &Rules) -> Option<Finding> {
    // Which kind needs which of the same view, and where.
    let mut needs: Vec<(KindId, KindId, Position)> = Vec::new();
    for rule in &rules.rules {
        let here = |guard: &&Guard| matches!(guard.pattern.view, Views::Own | Views::UpTo);
        let Some(kind) = rule.makes() else {
            continue;
        };
        for guard in rule.when.iter().filter(here) {
            let kinds = guard.pattern.kinds.iter();
            // Who adopts a decision waits for another replica's.
            let kinds = kinds.filter(|needed| !rules.kind(**needed).is_final);
            needs.extend(kinds.map(|needed| (kind, *needed, guard.at)));
        }
    }
    // What needs nothing is taken away until only circles, and what they need, are left.
    loop {
        let left = needs.clone();
        needs.retain(|(_, needed, _)| left.iter().any(|(kind, ..)| kind == needed));
        if needs.len() == left.len() {
            break;
        }
    }
    let mut path = vec![*needs.first()?];
    loop {
        let (_, needed, _) = path[path.len() - 1];
        if let Some(start) = path.iter().position(|(kind, ..)| *kind == needed) {
            let kinds = path[start..].iter().map(|(kind, ..)| kind).chain([&needed]);
            let names = kinds.map(|kind| format!("`{}`", rules.kind(*kind).name));
            let names = names.collect::<Vec<_>>().join(" waits for ");
            let hint = "let one of them read earlier views, or be a kind of its own";
            return Some((path[start].2, format!("in one view, {names}"), hint));
        }
        path.push(*needs.iter().find(|(kind, ..)| *kind == needed)?);
    }
}

/// Every mutant changes something, and what it makes of the rules makes sense.
fn mutants(rules: &Rules) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, mutant) in &rules.mutants {
        let without_use = useless(rules, mutant);
        let changed = rules.with(name).expect("it is one of the rules'");
        let same = changed.rules == rules.rules && changed.counts == rules.counts;
        if same && without_use.is_empty() {
            let what = format!("mutant `{name}` changes nothing");
            let hint = "give it `drop`, `replace`, `without`, `counts` or `quorum`";
            found.push((mutant.at, what, hint));
        }
        found.extend(without_use);
        for (inside, what, _) in single(&changed) {
            let what = format!(
                "mutant `{name}` makes line {} senseless: {what}",
                inside.line
            );
            let hint = "take that rule away as well: `without: […]`";
            found.push((mutant.at, what, hint));
        }
    }
    found
}

/// Edits that reach no rule or say the same.
fn useless(rules: &Rules, mutant: &Mutant) -> Vec<Finding> {
    let mut found = Vec::new();
    for edit in &mutant.edits {
        let reached = rules.rules.iter().filter(|rule| mutant.reaches(rule));
        if !reached.flat_map(Rule::guards).any(|it| *it == edit.guard) {
            let what = format!("no rule has the guard `{}`", rules.guard_text(&edit.guard));
            found.push((edit.guard.at, what, "write it as a rule has it"));
        }
        if edit.by.as_ref() == Some(&edit.guard) {
            let what = "a guard is replaced by itself".to_owned();
            found.push((edit.guard.at, what, "write another guard"));
        }
    }
    for lines in mutant.without.iter().chain(&mutant.only) {
        if !rules.rules.iter().any(|rule| rule.lines == *lines) {
            let what = format!("no rule is for the lines `{lines}`");
            found.push((lines.at, what, "write them as a rule has them"));
        }
    }
    found
}
