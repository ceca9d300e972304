//! Rules that make no sense: what can never be, what nobody reads, what changes nothing.
//!
//! A guard that can never hold is found from names, fields and counts alone; whether a rule fires
//! in some execution is for others to find.

use super::{
    Condition, Earlier, Guard, Head, Justified, Justifies, KindId, Made, Mode, Number, Position,
    Reads, Rule, Rules, Scope, ValueField, Values, Views, whole,
};
use crate::{
    limits,
    read::{
        fields::Fields,
        problem::{Place, Problems},
    },
    vocabulary::By,
};

/// Something that makes no sense.
pub(super) struct Finding {
    pub(super) at: Place,
    pub(super) what: String,
    pub(super) hint: &'static str,
}

pub(super) fn finding(at: Position, what: impl Into<String>, hint: &'static str) -> Finding {
    let Position { line, column } = at;
    Finding {
        at: Place { line, column },
        what: what.into(),
        hint,
    }
}

/// Whether the rules and their mutants make sense; what does not is reported.
pub(super) fn rules(rules: &Rules, fields: &Fields, problems: &mut Problems) -> bool {
    let mut found = whole::kinds(rules, fields);
    found.extend(single(rules));
    if found.is_empty() {
        found = whole::mutants(rules, fields);
    }
    let sound = found.is_empty();
    for Finding { at, what, hint } in found {
        problems.at(at, what, hint);
    }
    sound
}

/// What makes no sense in single rules.
pub(super) fn single(rules: &Rules) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, rule) in rules.rules.iter().enumerate() {
        let same = |other: &Rule| other.head == rule.head && rules.text(other) == rules.text(rule);
        if rules.rules[..place].iter().any(same) {
            found.push(finding(rule.at, "this rule is there twice", "remove one"));
        }
        if rule.scope == Scope::Height && !matches!(rule.head, Head::Make { .. }) {
            let what = "views and timers are of one view, not of the height";
            found.push(finding(rule.at, what, "remove `height`"));
        }
        letters(rule, &mut found);
        views(rule, &mut found);
        timers(rules, rule, &mut found);
        let all = rule.when.iter().map(|guard| (guard, true));
        for (guard, needed) in all.chain(rule.unless.iter().map(|guard| (guard, false))) {
            reading(rules, rule, guard, &mut found);
            if needed {
                holds(rules, rule, guard, &mut found);
            } else if guard.proof || !matches!(guard.reads, Reads::Own | Reads::LastOwn) {
                let what = "what others sent can be withheld, so it can exclude nothing";
                let hint = "behind `unless` write `own …` or `last own …`";
                found.push(finding(guard.at, what, hint));
            }
        }
        for (place, guard) in rule.when.iter().enumerate() {
            if rule.unless.contains(guard) {
                let what = "this must hold and must not, so the rule can never be done";
                found.push(finding(guard.at, what, "remove one of the two"));
            }
            if rule.when[..place].contains(guard) {
                found.push(finding(guard.at, "this is said twice", "remove one"));
            }
        }
    }
    found
}

/// Every letter is bound by something that must hold, or is a new value of a primary.
fn letters(rule: &Rule, found: &mut Vec<Finding>) {
    let guards = || rule.when.iter().chain(&rule.unless);
    let made = |wanted| matches!(rule.head, Head::Make { value, .. } if value == wanted);
    let is_x = |guard: &&Guard| guard.pattern.value == Values::X;
    let reads_x = |guard: &&Guard| matches!(guard.pattern.value, Values::X | Values::Other);
    if !rule.when.iter().any(|guard| is_x(&guard)) {
        if let Some(guard) = guards().find(reads_x) {
            let what = "nothing says which value `x` is";
            let hint = "read a record with `x` in a guard that must hold";
            found.push(finding(guard.at, what, hint));
        } else if made(Made::X) && rule.who != By::Primary {
            let what = "the value is new, and only a primary makes a new one";
            let hint = "bind `x` in a guard, or let the rule be the primary's";
            found.push(finding(rule.at, what, hint));
        }
    }
    let head_c = matches!(
        rule.head,
        Head::Make {
            justification: Justifies::C,
            ..
        }
    );
    for (letter, exact) in [(Earlier::C, Justified::C), (Earlier::D, Justified::D)] {
        let is_c = letter == Earlier::C;
        let binds = |guard: &&Guard| {
            guard.pattern.justification == exact || is_c && guard.pattern.view == Views::C
        };
        if rule.when.iter().any(|guard| binds(&guard)) {
            continue;
        }
        let uses = |guard: &&Guard| binds(guard) || is_c && reads_c(guard);
        let between = |it: &Condition| matches!(it, Condition::Below(of, _) if *of == letter);
        let used = guards().find(uses).map(|guard| guard.at);
        let used = used.or_else(|| {
            let elsewhere = is_c && head_c || rule.conditions.iter().any(between);
            elsewhere.then_some(rule.at)
        });
        if let Some(at) = used {
            let what = format!(
                "nothing says which view `{}` is",
                ["d", "c"][usize::from(is_c)]
            );
            let hint = "read a record of view `c`, or justified by it, in a guard that must hold";
            found.push(finding(at, what, hint));
        }
    }
}

fn reads_c(guard: &Guard) -> bool {
    let pattern = &guard.pattern;
    matches!(pattern.view, Views::C | Views::AfterC | Views::FromC)
        || matches!(
            pattern.justification,
            Justified::C | Justified::UpToC | Justified::AfterC | Justified::FromC
        )
}

/// The rule has a view in which it can be done.
fn views(rule: &Rule, found: &mut Vec<Finding>) {
    let enters = matches!(rule.head, Head::Enter | Head::Skip);
    let first = u32::from(enters);
    let at = rule.conditions.iter().find_map(|it| match it {
        Condition::At(view) => Some(*view),
        _ => None,
    });
    let back = rule.when.iter().map(|guard| match guard.pattern.view {
        Views::Back(back) => back + first.saturating_sub(1),
        Views::Before if !enters => 1,
        _ if reads_c(guard) => 1,
        _ => 0,
    });
    let needed = back.max().unwrap_or(0).max(first);
    let after = rule.conditions.iter().filter_map(|it| match it {
        Condition::After(view) => Some(view + 1),
        _ => None,
    });
    let least = after.max().unwrap_or(0).max(needed);
    if at.is_some_and(|view| view < least) {
        let what = format!("the rule needs view {least} or a later one, so it can never be done");
        found.push(finding(rule.at, what, "remove `v = …`"));
    }
}

/// The timer a rule waits for can run for who waits.
fn timers(rules: &Rules, rule: &Rule, found: &mut Vec<Finding>) {
    let Mode::Timer(waits) = rule.mode else {
        return;
    };
    let makes = matches!(rule.head, Head::Make { .. });
    let meets = |who: By| !makes || who == rule.who || [who, rule.who].contains(&By::Any);
    let armed = rules
        .rules
        .iter()
        .any(|it| matches!(it.head, Head::Arm { timer, .. } if timer == waits) && meets(it.who));
    if !armed {
        let name = &rules.timers[waits.0];
        let what = format!("nobody starts the timer `{name}` for this rule, so it is never done");
        let hint = "add a rule `timer name` with what starts it";
        found.push(finding(rule.at, what, hint));
    }
}

/// What a guard reads is there to be read.
fn reading(rules: &Rules, rule: &Rule, guard: &Guard, found: &mut Vec<Finding>) {
    let mut report = |what: &str, hint| found.push(finding(guard.at, what, hint));
    let pattern = &guard.pattern;
    let kinds = || pattern.kinds.iter().map(|kind| rules.kind(*kind));
    let others = matches!(guard.reads, Reads::Primary | Reads::Senders(_));
    let one = guard.reads == Reads::Senders(Number::Exactly(1));
    let decides = matches!(rule.head, Head::Make { kind, .. } if rules.kind(kind).is_final);
    let adopts = decides && one && kinds().all(|kind| kind.is_final && !kind.kept);
    let enters = matches!(rule.head, Head::Enter | Head::Skip);
    if kinds().any(|kind| kind.is_final) && !adopts {
        let hint = "only adoption reads it: `Block(v, x) <- 1 Block(*, x)`";
        report(
            "a decision is read, and its maker has left the height",
            hint,
        );
    }
    if others && kinds().any(|kind| kind.kept) {
        let hint = "read it with `own …`, or move the kind to `kinds`";
        report(
            "a kept record is never sent, so nobody else can read it",
            hint,
        );
    }
    if matches!(pattern.view, Views::Any | Views::From(_)) && !enters && !adopts {
        let hint = "name views up to `v`; later ones are read by `enter`, `skip` and adoption";
        report("records of later views are read", hint);
    }
    let single = matches!(pattern.view, Views::Own | Views::Back(_) | Views::C);
    if guard.reads == Reads::Primary && !single {
        let hint = "name one view: `v`, `v-1` or `c`";
        report("several views have several primaries", hint);
    }
    if guard.each && !matches!(pattern.view, Views::Before | Views::AfterC | Views::FromC) {
        let hint = "write `<v`, `>c` or `>=c`, or remove `each`";
        report("`each` needs a range of views before `v`", hint);
    }
    let read = |it: &Guard| !it.proof && matches!(it.reads, Reads::Primary | Reads::Senders(_));
    if guard.proof && (!others || !rule.when.iter().any(read)) {
        let hint = "read a message beside it, or remove `proof`";
        report(
            "a proof travels with a message, and the rule reads none",
            hint,
        );
    }
    let valued = kinds().all(|kind| kind.value != ValueField::None);
    if guard.reads == Reads::LastOwn && !(valued && pattern.kinds.len() == 1) {
        let hint = "name one kind that has a value";
        report(
            "`last own` asks for the value of the last record of one kind",
            hint,
        );
    }
    let loose = matches!(pattern.value, Values::Any | Values::Other);
    let counted = matches!(guard.reads, Reads::Senders(_)) && !one;
    if counted && pattern.view == Views::C && valued && loose {
        let hint = "name the value: `q vote(c, x)`";
        report("votes for different values add up to a certificate", hint);
    }
}

/// Some execution can make the guard hold.
fn holds(rules: &Rules, rule: &Rule, guard: &Guard, found: &mut Vec<Finding>) {
    let mut report = |what: String, hint| found.push(finding(guard.at, what, hint));
    let pattern = &guard.pattern;
    let here = pattern.view == Views::Own;
    let by = |kind: &KindId| rules.kind(*kind).by;
    match &guard.reads {
        Reads::Own | Reads::LastOwn => {
            let makes = |it: &Rule| made(rules, rule, guard, it);
            if !rules.rules.iter().any(makes) {
                let what = "nobody who follows the rules makes such a record of its own";
                let hint = "compare with the rules that make the kind";
                report(what.to_owned(), hint);
            }
        }
        Reads::Primary => {
            if pattern.kinds.iter().all(|kind| by(kind) == By::Backup) {
                let what = "a primary makes no such record, so this never holds";
                report(what.to_owned(), "change `by` of the kind");
            }
        }
        Reads::Senders(number) => {
            let count = rules.count(number);
            let single = here || matches!(pattern.view, Views::Back(_) | Views::C);
            let alone = single && pattern.kinds.iter().all(|kind| by(kind) == By::Primary);
            let others = single && pattern.kinds.iter().all(|kind| by(kind) == By::Backup);
            let sizes = 4..=*limits::REPLICAS.end();
            let needs = |n: u32| count.of(n, (n - 1) / 3);
            let most = |n: u32| if alone { 1 } else { n - u32::from(others) };
            if sizes.clone().all(|n| needs(n) > most(n)) {
                let who = if alone { "the primary only" } else { "fewer" };
                let what = format!("{count} senders are needed, and {who} can send that");
                report(what, "lower the count, or change `by` of the kind");
            }
            if sizes.clone().all(|n| needs(n) == 0) {
                let what = format!("{count} senders are needed, so this always holds");
                report(what, "raise the count, or remove the guard");
            }
        }
    }
}

/// Whether a rule makes a record for the own guard of a reader.
fn made(rules: &Rules, reader: &Rule, guard: &Guard, rule: &Rule) -> bool {
    let Head::Make {
        kind,
        value,
        justification,
    } = rule.head
    else {
        return false;
    };
    let pattern = &guard.pattern;
    let same_view = pattern.view == Views::Own && !matches!(reader.head, Head::Enter | Head::Skip);
    let meets = rule.who == reader.who || [rule.who, reader.who].contains(&By::Any);
    let valued = rules.kind(kind).value != ValueField::None;
    let value = match pattern.value {
        Values::X | Values::Other => value == Made::X,
        Values::Nil => value == Made::Nil,
        Values::Bad => false,
        Values::None => value == Made::None && valued,
        Values::Any => true,
    };
    let justification = match pattern.justification {
        Justified::Any | Justified::UpToC => true,
        Justified::None => justification == Justifies::None,
        _ => justification != Justifies::None,
    };
    pattern.kinds.contains(&kind) && value && justification && (meets || !same_view)
}
