//! What makes no sense in the rules together, and in their mutants.

use super::{
    Guard, Head, KindId, Mode, Mutant, Position, Rule, Rules, ValueField, Views,
    check::{Finding, finding, single},
};
use crate::read::{
    fields::Fields,
    problem::Place,
    tree::{Node, Value},
};

/// The places of the entries of a list, and what they say.
fn entries<'a>(fields: &Fields<'a>, key: &str) -> &'a [Node] {
    match fields.get(key).map(|node| &node.value) {
        Some(Value::List(nodes)) => nodes,
        _ => &[],
    }
}

/// Whether a kind is of the recovery that no rule states.
fn recovers(node: &Node) -> bool {
    let inside = |node: &Node, key: &str| match &node.value {
        Value::Map(entries) => entries
            .iter()
            .find(|it| it.key == key)
            .map(|it| it.value.clone()),
        _ => None,
    };
    let role = inside(node, "does").and_then(|does| inside(&does, "role"));
    role.is_some_and(|role| {
        matches!(&role.value, Value::Scalar { text, .. } if text == "question" || text == "answer")
    })
}

/// Every kind and every timer has a use, one kind is final, and no kinds wait for one another.
pub(super) fn kinds(rules: &Rules, fields: &Fields) -> Vec<Finding> {
    let mut found = Vec::new();
    let nodes = entries(fields, "kinds")
        .iter()
        .chain(entries(fields, "kept"));
    for ((place, kind), node) in rules.kinds.iter().enumerate().zip(nodes) {
        let mut report = |what: String, hint| {
            let at = node.place;
            found.push(Finding { at, what, hint });
        };
        let id = KindId(place);
        let makes = |rule: &Rule| matches!(rule.head, Head::Make { kind, .. } if kind == id);
        let reads = |guard: &Guard| guard.pattern.kinds.contains(&id);
        let reads = |rule: &Rule| rule.when.iter().chain(&rule.unless).any(reads);
        if recovers(node) {
            continue;
        }
        if !rules.rules.iter().any(makes) {
            let hint = "add a rule that makes it, or remove the kind";
            report(format!("nobody makes a `{}`", kind.name), hint);
        }
        if !kind.is_final && !rules.rules.iter().any(reads) {
            let hint = "add a guard that reads it, or remove the kind";
            report(format!("nobody reads a `{}`", kind.name), hint);
        }
        if kind.is_final && kind.value == ValueField::None {
            let what = format!("a `{}` is a decision without a value", kind.name);
            report(what, "write `names: value`");
        }
    }
    let place = fields.place("kinds");
    if rules.kinds.iter().filter(|kind| kind.is_final).count() != 1 {
        found.push(Finding {
            at: place,
            what: "exactly one kind is a decision".to_owned(),
            hint: "give one kind `role: decision`, or a kept one `final: true`",
        });
    }
    timers(rules, fields, &mut found);
    circle(rules, &mut found);
    let enters = |head: &Head| rules.rules.iter().find(|rule| rule.head == *head);
    if let (Some(skip), None) = (enters(&Head::Skip), enters(&Head::Enter)) {
        let what = "views are skipped, and no rule enters the next one";
        found.push(finding(skip.at, what, "add a rule `enter(v)`"));
    }
    found
}

fn timers(rules: &Rules, fields: &Fields, found: &mut Vec<Finding>) {
    for (place, node) in entries(fields, "timers").iter().enumerate() {
        let waits = |rule: &Rule| matches!(rule.mode, Mode::Timer(timer) if timer.0 == place);
        if !rules.rules.iter().any(waits) {
            let name = &rules.timers[place];
            found.push(Finding {
                at: node.place,
                what: format!("no rule waits for the timer `{name}`"),
                hint: "add a rule with `timer name`, or remove the timer",
            });
        }
    }
}

/// Kinds of one view that wait for one another: then no order of kinds is one of acts.
fn circle(rules: &Rules, found: &mut Vec<Finding>) {
    // needs[k]: the kinds of the same view that some rule for k reads, and where.
    let mut needs: Vec<Vec<(KindId, Position)>> = vec![Vec::new(); rules.kinds.len()];
    for rule in &rules.rules {
        let Head::Make { kind, .. } = rule.head else {
            continue;
        };
        let here = |guard: &&Guard| matches!(guard.pattern.view, Views::Own | Views::UpTo);
        for guard in rule.when.iter().filter(here) {
            let kinds = guard.pattern.kinds.iter();
            needs[kind.0].extend(kinds.map(|needed| (*needed, guard.at)));
        }
    }
    // Kinds whose needs are placed already are placed, until only circles are left.
    let mut left: Vec<usize> = (0..needs.len()).collect();
    loop {
        let waits = |kind: &usize| {
            needs[*kind]
                .iter()
                .any(|(needed, _)| left.contains(&needed.0))
        };
        let rest: Vec<usize> = left.iter().copied().filter(waits).collect();
        if rest.len() == left.len() {
            break;
        }
        left = rest;
    }
    let Some(start) = left.first() else {
        return;
    };
    // Whoever is left needs somebody who is left: going on, somebody comes twice.
    let (mut path, mut places) = (vec![*start], Vec::new());
    loop {
        let last = path[path.len() - 1];
        let next = needs[last]
            .iter()
            .find(|(needed, _)| left.contains(&needed.0));
        let (next, at) = next.expect("whoever is left needs somebody who is left");
        places.push(*at);
        if let Some(first) = path.iter().position(|kind| *kind == next.0) {
            path.push(next.0);
            let names = path[first..]
                .iter()
                .map(|kind| format!("`{}`", rules.kinds[*kind].name));
            let names: Vec<String> = names.collect();
            let what = format!("in one view, {}", names.join(" waits for "));
            let hint = "let one of them read earlier views, or be a kind of its own";
            found.push(finding(places[first], what, hint));
            return;
        }
        path.push(next.0);
    }
}

/// Every mutant changes something, and what it makes of the rules makes sense.
pub(super) fn mutants(rules: &Rules, fields: &Fields) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, mutant) in &rules.mutants {
        let entry = match fields.get("mutants").map(|node| &node.value) {
            Some(Value::Map(entries)) => entries.iter().find(|entry| entry.key == *name),
            _ => None,
        };
        let at = entry.map_or(Place::START, |entry| entry.place);
        let edits = useless(rules, mutant);
        let any = !edits.is_empty();
        found.extend(edits);
        let changed = rules.with(name).expect("it is one of the rules'");
        if !any && changed.rules == rules.rules && changed.counts == rules.counts {
            found.push(Finding {
                at,
                what: format!("mutant `{name}` changes nothing"),
                hint: "give it `drop`, `replace`, `without`, `counts` or `quorum`",
            });
        }
        for Finding {
            at: inside, what, ..
        } in single(&changed)
        {
            let what = format!(
                "mutant `{name}` makes line {} senseless: {what}",
                inside.line
            );
            let hint = "take that rule away as well: `without: […]`";
            found.push(Finding { at, what, hint });
        }
    }
    found
}

/// Edits that reach no rule or say the same.
fn useless(rules: &Rules, mutant: &Mutant) -> Vec<Finding> {
    let mut found = Vec::new();
    let reached = || rules.rules.iter().filter(|rule| mutant.reaches(rule));
    for edit in &mutant.edits {
        let has = |rule: &Rule| {
            rule.when
                .iter()
                .chain(&rule.unless)
                .any(|it| *it == edit.guard)
        };
        if !reached().any(has) {
            let what = format!("no rule has the guard `{}`", rules.guard_text(&edit.guard));
            let hint = "write it as a rule has it";
            found.push(finding(edit.guard.at, what, hint));
        }
        if edit.by.as_ref() == Some(&edit.guard) {
            let what = "a guard is replaced by itself";
            found.push(finding(edit.guard.at, what, "write another guard"));
        }
    }
    for lines in mutant.without.iter().chain(&mutant.only) {
        if !rules.rules.iter().any(|rule| rule.lines == *lines) {
            let what = format!("no rule is for the lines `{lines}`");
            found.push(finding(lines.at, what, "write them as a rule has them"));
        }
    }
    found
}
