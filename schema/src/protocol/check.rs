//! Rules that make no sense: what can never be, what nobody reads, what changes nothing.
//!
//! A guard that can never hold is found from names, fields and counts alone; whether a rule fires
//! in some execution is for others to find.

use super::{
    Condition, Earlier, Goes, Guard, Head, Justified, Justifies, KindId, Made, Mode, Number,
    Pattern, Position, Reads, Rule, Rules, Scope, ValueField, Values, Views, notation::JUSTIFIED,
};
use crate::{formula::Count, limits, vocabulary::By};

/// Something that makes no sense: where, what, and what to do.
pub(super) type Finding = (Position, String, &'static str);

/// What makes no sense in single rules.
pub(super) fn single(rules: &Rules) -> Vec<Finding> {
    let mut found = Vec::new();
    for (place, rule) in rules.rules.iter().enumerate() {
        let same = |other: &Rule| other.head == rule.head && rules.text(other) == rules.text(rule);
        let mut report = |at, what: &str, hint| found.push((at, what.to_owned(), hint));
        if rules.rules[..place].iter().any(same) {
            report(rule.at, "this rule is there twice", "remove one");
        }
        if rule.scope == Scope::Height && rule.makes().is_none() {
            let what = "views and timers are of one view, not of the height";
            report(rule.at, what, "remove `height`");
        }
        let leads = matches!(rule.head, Head::Enter | Head::Skip) && rule.mode == Mode::Must;
        if leads && rule.guards().next().is_none() {
            let what = "every view is left as soon as it is entered";
            report(rule.at, what, "say what is waited for, a quorum or a timer");
        }
        for (place, guard) in rule.when.iter().enumerate() {
            if rule.unless.contains(guard) {
                let what = "this must hold and must not, so the rule can never be done";
                report(guard.at, what, "remove one of the two");
            }
            if rule.when[..place].contains(guard) {
                report(guard.at, "this is said twice", "remove one");
            }
        }
        for guard in &rule.unless {
            if guard.proof || !matches!(guard.reads, Reads::Own | Reads::LastOwn) {
                let what = "what others sent can be withheld, so it can exclude nothing";
                let hint = "behind `unless` write `own …` or `last own …`";
                report(guard.at, what, hint);
            }
        }
        value(rule, &mut found);
        earlier(rule, &mut found);
        views(rule, &mut found);
        timer(rules, rule, &mut found);
        for guard in rule.guards() {
            reading(rules, rule, guard, &mut found);
        }
        for guard in &rule.when {
            holds(rules, rule, guard, &mut found);
        }
    }
    found
}

/// `x` is bound by something that must hold, or is a new value of a primary.
fn value(rule: &Rule, found: &mut Vec<Finding>) {
    let binds = |guard: &Guard| guard.pattern.value == Values::X;
    if rule.when.iter().any(binds) {
        return;
    }
    let compares = |guard: &&Guard| matches!(guard.pattern.value, Values::X | Values::Other);
    if let Some(guard) = rule.guards().find(compares) {
        let what = "nothing says which value `x` is".to_owned();
        let hint = "read a record with `x` in a guard that must hold";
        found.push((guard.at, what, hint));
    } else if matches!(rule.head, Head::Make { value: Made::X, .. }) && rule.who != By::Primary {
        let what = "the value is new, and only a primary makes a new one".to_owned();
        let hint = "bind `x` in a guard, or let the rule be the primary's";
        found.push((rule.at, what, hint));
    }
}

/// Whether a guard reads `c` in some way.
fn reads_c(guard: &Guard) -> bool {
    let Pattern {
        view,
        justification,
        ..
    } = &guard.pattern;
    matches!(view, Views::C | Views::AfterC | Views::FromC)
        || JUSTIFIED
            .iter()
            .any(|(name, it)| it == justification && name.ends_with('c'))
}

/// `c` and `d` are bound by something that must hold.
fn earlier(rule: &Rule, found: &mut Vec<Finding>) {
    for (letter, exact, made) in [
        (Earlier::C, Justified::C, Justifies::C),
        (Earlier::D, Justified::D, Justifies::D),
    ] {
        let is_c = letter == Earlier::C;
        let binds = |guard: &Guard| {
            guard.pattern.justification == exact || is_c && guard.pattern.view == Views::C
        };
        let between = |it: &Condition| matches!(it, Condition::Below(of, _) if *of == letter);
        let uses = |guard: &&Guard| binds(guard) || is_c && reads_c(guard);
        let used = rule.guards().find(uses).map(|guard| guard.at);
        let made = matches!(rule.head, Head::Make { justification, .. } if justification == made);
        let elsewhere = made || rule.conditions.iter().any(between);
        let used = used.or(elsewhere.then_some(rule.at));
        if let (Some(at), false) = (used, rule.when.iter().any(binds)) {
            let letter = ["d", "c"][usize::from(is_c)];
            let what = format!("nothing says which view `{letter}` is");
            let hint = "read a record of view `c`, or justified by it, in a guard that must hold";
            found.push((at, what, hint));
        }
    }
}

/// The rule has a view in which it can be done.
fn views(rule: &Rule, found: &mut Vec<Finding>) {
    let first = u32::from(matches!(rule.head, Head::Enter | Head::Skip));
    let guards = rule.when.iter().map(|guard| match guard.pattern.view {
        Views::Back(back) => back,
        Views::Before => 1,
        _ => u32::from(reads_c(guard)),
    });
    let after = rule.conditions.iter().map(|it| match it {
        Condition::After(view) => view + 1,
        _ => 0,
    });
    let least = guards.chain(after).max().unwrap_or(0).max(first);
    let at = |it: &Condition| matches!(it, Condition::At(view) if *view < least);
    if rule.conditions.iter().any(at) {
        let what = format!("the rule needs view {least} or a later one, so it can never be done");
        found.push((rule.at, what, "remove `v = …`"));
    }
}

/// The timer a rule waits for can run for who waits.
fn timer(rules: &Rules, rule: &Rule, found: &mut Vec<Finding>) {
    let Mode::Timer(waits) = rule.mode else {
        return;
    };
    // Who enters a view waited in the one before, with another primary.
    let meets =
        |who: By| rule.makes().is_none() || who == rule.who || [who, rule.who].contains(&By::Any);
    let starts =
        |it: &Rule| meets(it.who) && matches!(it.head, Head::Arm { timer, .. } if timer == waits);
    if !rules.rules.iter().any(starts) {
        let name = &rules.timers[waits.0];
        let what = format!("nobody starts the timer `{name}` for this rule, so it is never done");
        let hint = "add a rule `timer name` with what starts it";
        found.push((rule.at, what, hint));
    }
}

/// What a guard reads is there to be read.
fn reading(rules: &Rules, rule: &Rule, guard: &Guard, found: &mut Vec<Finding>) {
    let pattern = &guard.pattern;
    let kinds = || pattern.kinds.iter().map(|kind| rules.kind(*kind));
    let sent = |it: &Guard| matches!(it.reads, Reads::Primary | Reads::Senders(_));
    let one = guard.reads == Reads::Senders(Number::Exactly(1));
    let decides = rule.makes().is_some_and(|kind| rules.kind(kind).is_final);
    let adopts = decides && one && kinds().all(|kind| kind.is_final && kind.goes == Goes::Sent);
    let enters = matches!(rule.head, Head::Enter | Head::Skip);
    let single = matches!(pattern.view, Views::Own | Views::Back(_) | Views::C);
    let range = matches!(pattern.view, Views::Before | Views::AfterC | Views::FromC);
    let later = matches!(pattern.view, Views::Any | Views::From(_));
    let valued = kinds().all(|kind| kind.value != ValueField::None);
    let chained = rules.chain && kinds().all(|kind| kind.justified);
    let loose = valued && matches!(pattern.value, Values::Any | Values::Other)
        || chained && pattern.justification == Justified::Any;
    let travels = rule.when.iter().any(|it| !it.proof && sent(it));
    let mut refuse = |wrong: bool, what: &str, hint| {
        found.extend(wrong.then(|| (guard.at, what.to_owned(), hint)));
    };
    refuse(
        kinds().any(|kind| kind.is_final) && !adopts,
        "a decision is read, and who made it has left the height",
        "only adoption reads it: `Block(v, x) <- height, 1 Block(v, x)`",
    );
    refuse(
        sent(guard) && kinds().any(|kind| kind.goes == Goes::Kept),
        "a kept record is never sent, so nobody else can read it",
        "read it with `own …`, or move the kind to `kinds`",
    );
    refuse(
        later && !enters && !adopts,
        "records of later views are read",
        "name views up to `v`; later ones are read by `enter`, `skip` and adoption",
    );
    refuse(
        guard.reads == Reads::Primary && !single,
        "several views have several primaries",
        "name one view: `v`, `v-1` or `c`",
    );
    refuse(
        guard.each && !range,
        "`each` needs a range of views before `v`",
        "write `<v`, `>c` or `>=c`, or remove `each`",
    );
    refuse(
        guard.proof && !(sent(guard) && travels),
        "a proof travels with a message, and the rule reads none",
        "read a message beside it, or remove `proof`",
    );
    refuse(
        guard.reads == Reads::LastOwn && !(valued && pattern.kinds.len() == 1),
        "`last own` asks for the value of the last record of one kind",
        "name one kind that has a value",
    );
    refuse(
        sent(guard) && !one && pattern.view == Views::C && loose,
        "votes for different values or blocks add up to a certificate",
        "name all fields: `q vote(c, x)`, in chains `q vote(c, x, d)`",
    );
}

/// Some execution can make the guard hold.
fn holds(rules: &Rules, rule: &Rule, guard: &Guard, found: &mut Vec<Finding>) {
    let pattern = &guard.pattern;
    let mut report = |what: &str, hint| found.push((guard.at, what.to_owned(), hint));
    let own = matches!(guard.reads, Reads::Own | Reads::LastOwn);
    let enters = matches!(rule.head, Head::Enter | Head::Skip);
    let bad = pattern.value == Values::Bad;
    let reader = own.then_some(rule);
    let backups = |kind: &KindId| rules.kind(*kind).by == By::Backup;
    if own && enters && pattern.view == Views::Own {
        let what = "nobody has a record of a view before entering it";
        report(what, "read `v-1` or `<v`");
    } else if own && bad {
        let what = "nobody who follows the rules makes a record of an invalid value";
        report(what, "read what the primary sent: `primary kind(v, bad)`");
    } else if !bad && !rules.rules.iter().any(|it| made(reader, pattern, it)) {
        let what = "nobody who follows the rules makes such a record";
        report(what, "compare with the rules that make the kind");
    } else if guard.reads == Reads::Primary && pattern.kinds.iter().all(backups) {
        let what = "a primary makes no such record, so this never holds";
        report(what, "change `by` of the kind");
    }
    if let Reads::Senders(number) = &guard.reads {
        found.extend(counted(rules, guard, rules.count(number)));
    }
}

/// There are as many senders as are asked for, whatever the number of replicas.
fn counted(rules: &Rules, guard: &Guard, count: Count) -> Option<Finding> {
    let pattern = &guard.pattern;
    let all = |by: By| pattern.kinds.iter().all(|kind| rules.kind(*kind).by == by);
    let single = matches!(pattern.view, Views::Own | Views::Back(_) | Views::C);
    let (alone, others) = (single && all(By::Primary), single && all(By::Backup));
    let most = |n: u32| if alone { 1 } else { n - u32::from(others) };
    let mut sizes = (4..=*limits::REPLICAS.end()).map(|n| (n, count.of(n, (n - 1) / 3)));
    let (why, hint) = if sizes.clone().all(|(n, needs)| needs > most(n)) {
        let hint = "lower the count, or change `by` of the kind";
        ("fewer can send that", hint)
    } else if sizes.all(|(_, needs)| needs == 0) {
        ("this always holds", "raise the count, or remove the guard")
    } else {
        return None;
    };
    let what = format!("{count} senders are needed, and {why}");
    Some((guard.at, what, hint))
}

/// Whether a rule makes a record of a pattern; for an own guard of its reader.
fn made(reader: Option<&Rule>, pattern: &Pattern, rule: &Rule) -> bool {
    let Head::Make {
        kind,
        value,
        justification,
    } = rule.head
    else {
        return false;
    };
    let meets = |it: &Rule| rule.who == it.who || [rule.who, it.who].contains(&By::Any);
    let meets = pattern.view != Views::Own || reader.is_none_or(meets);
    let value = match pattern.value {
        Values::X | Values::Other => value == Made::X,
        Values::Nil => value == Made::Nil,
        Values::None => value == Made::None,
        Values::Bad | Values::Any => true,
    };
    let justification = match pattern.justification {
        Justified::Any | Justified::UpToC => true,
        Justified::None => justification == Justifies::None,
        _ => justification != Justifies::None,
    };
    pattern.kinds.contains(&kind) && value && justification && meets
}
