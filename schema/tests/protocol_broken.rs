//! Broken protocol files: each problem with its exact place, what was expected and a hint; whole
//! families of them made from the files that are shipped; and files that mean harm.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use milp_schema::{
    protocol::{self, Definition},
    read::ReadError,
};

fn shipped(name: &str) -> &'static Definition {
    protocol::named(name).unwrap()
}

fn read(text: &str) -> Result<Definition, ReadError> {
    protocol::read_text("mine.yaml", text)
}

/// The line, from 1, that has the last `part`, and the character at which it begins.
fn place(text: &str, part: &str) -> (usize, usize) {
    let at = text.rfind(part).unwrap_or_else(|| panic!("no `{part}`"));
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[start..].chars().count() + 1)
}

/// A shipped file with one text replaced, where the problem is, and what is said of it.
struct Case {
    file: &'static str,
    replace: &'static str,
    by: &'static str,
    /// What stands at the place of the problem.
    at: &'static str,
    what: &'static str,
    hint: &'static str,
}

const fn case(
    file: &'static str,
    [replace, by, at]: [&'static str; 3],
    what: &'static str,
    hint: &'static str,
) -> Case {
    Case {
        file,
        replace,
        by,
        at,
        what,
        hint,
    }
}

const CASES: &[Case] = &[
    case(
        "ibft1",
        ["enter(v) <- q round_change(v-1)", "enter(v)", "enter(v)"],
        "every view is left as soon as it is entered",
        "say what is waited for",
    ),
    case(
        "ibft1",
        [
            "{names: nothing, by: any, role: leave",
            "{names: any_value, by: any, role: leave",
            "any_value, by: any, role: leave",
        ],
        "a kind of `role: leave` names nothing",
        "say `names: nothing`, or `role: vote` of one that names a value",
    ),
    case(
        "ibft1",
        [
            "round_change(v) <- timer round",
            "round_change(v) <- may, timer round",
            "timer round\"\n- 24",
        ],
        "it is told twice when the rule is done",
        "keep one of",
    ),
    case(
        "ibft1",
        [
            "enter(v) <- q round_change(v-1)",
            "enter(v) <- q round_change(v-1), own round_change(v)",
            "own round_change(v)\"\n- 24-25: \"skip",
        ],
        "nobody has a record of a view before entering it",
        "read `v-1` or `<v`",
    ),
    case(
        "ibft1",
        [
            "own prepare(v, x), q prepare|recommit(v, x)",
            "own prepare(v, x), q prepare|recommit(v, nil), 1 prepare|recommit(v, x)",
            "q prepare|recommit(v, nil)",
        ],
        "nobody who follows the rules makes such a record",
        "compare with the rules that make the kind",
    ),
    case(
        "dbft1",
        [
            "q PrepareRequest|PrepareResponse(v, x)",
            "q PrepareRequest|PrepareResponse(v, nil)",
            "nil)",
        ],
        "what is read here never has that value",
        "nil and bad need `names: any_value`",
    ),
    case(
        "dbft1",
        [
            "q PrepareRequest|PrepareResponse(v, x)",
            "q PrepareRequest|ChangeView(v, nil)",
            "nil)",
        ],
        "some of these kinds have no value",
        "write `!x`, for another value or for none",
    ),
    case(
        "dbft1",
        [
            "format: milp-protocol/2.0",
            "format: milp-protocol/1.0",
            "milp-protocol/1.0",
        ],
        "this program reads 2.0 only",
        "`milp-protocol/2.0`",
    ),
    case(
        "tendermint",
        [
            "propose(v, x, -) unless own valid(<v, *)",
            "propose(v, x, -) unless own prevotes(<v, *)",
            "prevotes(<v",
        ],
        "there is no kind `prevotes`",
        "did you mean `prevote`?",
    ),
    case(
        "tendermint",
        ["some *(v, *)", "more *(v, *)", "more *"],
        "there is no count `more`",
        "did you mean `some`?",
    ),
    case(
        "tendermint",
        [
            "prevote(v, nil) <- timer propose\"",
            "prevote(v, nil) <- timer proposal\"",
            "proposal\"",
        ],
        "there is no timer `proposal`",
        "did you mean `propose`?",
    ),
    case(
        "tendermint",
        [
            "primary propose(v, x, c), q prevote(c, x) unless",
            "primary propose(v, x, c), q prevote(c, x, c) unless",
            ", c) unless",
        ],
        "`)` was expected, not `,`",
        "its fields are view and value",
    ),
    case(
        "tendermint",
        ["q prevote(v, x), own", "q prevote(w, x), own", "w, x)"],
        "a view was expected, not `w`",
        "write `v`, `c`, `<v`",
    ),
    case(
        "tendermint",
        [
            "own prevote(v, *), q prevote(v, nil)",
            "own prevote(v, *), q prevote(v, nill)",
            "nill",
        ],
        "a value was expected, not `nill`",
        "`x`, `!x`, `nil`",
    ),
    case(
        "tendermint",
        [
            "propose(v, x, c) <- own valid(c, x)",
            "propose(v, x, e) <- own valid(c, x)",
            "e) <- own valid",
        ],
        "a justification was expected, not `e`",
        "`c`, `d`, `<=c`",
    ),
    case(
        "tendermint",
        [
            "own valid(c, x) unless own valid(>c, *)",
            "own valid(<v, x) unless own valid(>c, *)",
            "own valid(>c, *)\"",
        ],
        "nothing says which view `c` is",
        "read a record of view `c`",
    ),
    case(
        "tendermint",
        [
            "precommit(v, x) <- own valid(v, x)",
            "precommit(v, x) <- own valid(v, *)",
            "precommit(v, x) <-",
        ],
        "only a primary makes a new one",
        "bind `x` in a guard",
    ),
    case(
        "tendermint",
        [
            "valid(v, x) <- primary propose(v, x, *), q prevote(v, x)",
            "valid(v, x) <- primary propose(v, !x, *), q prevote(v, !x)",
            "primary propose(v, !x, *)",
        ],
        "nothing says which value `x` is",
        "read a record with `x`",
    ),
    case(
        "tendermint",
        [
            "q prevote(c, x) unless",
            "q prevote(c, *) unless",
            "q prevote(c, *)",
        ],
        "votes for different values or blocks add up",
        "name all fields: `q vote(c, x)`",
    ),
    case(
        "tendermint",
        [
            "precommit(v, x) <- own valid(v, x)",
            "precommit(v, x) <- q valid(v, x)",
            "q valid(v, x)",
        ],
        "a kept record is never sent",
        "read it with `own …`",
    ),
    case(
        "tendermint",
        [
            "q prevote(v, nil)\"",
            "q prevote(v, nil), own decide(v, *)\"",
            "own decide(v",
        ],
        "a decision is read",
        "only adoption reads it",
    ),
    case(
        "tendermint",
        [
            "own prevote(v, *), q prevote(v, nil)",
            "own prevote(*, *), q prevote(v, nil)",
            "own prevote(*",
        ],
        "records of later views are read",
        "name views up to `v`",
    ),
    case(
        "tendermint",
        [
            "own valid(c, x) unless own valid(>c, *)",
            "own valid(c, x) unless q valid(>c, *)",
            "q valid(>c",
        ],
        "what others sent can be withheld",
        "write `own …` or `last own …`",
    ),
    case(
        "tendermint",
        [
            "prevote(v, nil) <- timer propose",
            "prevote(v, nil) <- primary, timer propose",
            "prevote(v, nil) <- primary, timer",
        ],
        "nobody starts the timer `propose` for this rule",
        "add a rule `timer name`",
    ),
    case(
        "tendermint",
        [
            "drop: [\"q prevote(c, x)\"]",
            "drop: [\"q prevote(v-1, x)\"]",
            "q prevote(v-1",
        ],
        "no rule has the guard `q prevote(v-1, x)`",
        "write it as a rule has it",
    ),
    case(
        "tendermint",
        ["drop: [\"own valid(<v, *)\"]", "drop: []", "no-valid:"],
        "mutant `no-valid` changes nothing",
        "give it `drop`",
    ),
    case(
        "tendermint",
        [
            "without: [\"22-23,25-27\", \"28-29,31-33\"]",
            "without: [\"22-23,25-27\", \"28-29\"]",
            "\"28-29\"",
        ],
        "no rule is for the lines `28-29`",
        "write them as a rule has them",
    ),
    case(
        "tendermint",
        [
            "drop: [\"q prevote(c, x)\"]",
            "drop: [\"own valid(v, x)\"]",
            "no-pol:",
        ],
        "mutant `no-pol` makes line",
        "take that rule away as well",
    ),
    case(
        "tendermint",
        [
            "letters: Pv, shape: circle",
            "letters: Pv, shape: star",
            "star",
        ],
        "unknown variant `star`",
        "compare with a file that comes with the program",
    ),
    case(
        "tendermint",
        ["'#1b7f3b'", "'#1b7f3b;}'", "'#1b7f3b;}'"],
        "a colour was expected",
        "write `'#rrggbb'`",
    ),
    case(
        "tendermint",
        [
            "docs/protocols/tendermint.md",
            "docs/../../etc/passwd",
            "docs/../../etc",
        ],
        "`page` must be a path below the folder",
        "write `page: docs/protocols/name.md`",
    ),
    case(
        "tendermint",
        [
            "name: tendermint",
            "name: <script>alert(1)</script>",
            "<script>",
        ],
        "`<script>alert(1)</script>` is no name",
        "a name is a small letter",
    ),
    case(
        "tendermint",
        [
            "\nkept:\n",
            "\nkept:\n- {kind: Prevote, says: a copy, names: nothing}\n",
            "{kind: Prevote",
        ],
        "there are two kinds `Prevote`, capital letters aside",
        "take another name",
    ),
    case(
        "tendermint",
        ["{some: f + 1}", "{height: f + 1}", "height: f"],
        "`height` means something in rules and is no name",
        "take another name",
    ),
    case(
        "tendermint",
        ["{some: f + 1}", "{some: f * 2}", "f * 2"],
        "expected a sum of n, f and numbers",
        "write `n - f`, `2f + 1` or `ceil(2n/3)`",
    ),
    case(
        "tendermint",
        ["for T + v*T <- backup", "for T + 3 <- backup", "T + 3"],
        "a duration was expected, not `T+3`",
        "write a sum like",
    ),
    case(
        "tendermint",
        ["rules:\n- 14,17-19:", "rules:\n- 14,19-17:", "14,19-17"],
        "`14,19-17` does not name lines of the page",
        "write them like `22-24,27`",
    ),
    case(
        "ibft1",
        [
            "recommit(v, x) <- primary preprepare(v, x), own commit(<v, x)",
            "recommit(v, x) <- primary commit(<v, x), own commit(<v, x)",
            "primary commit(<v",
        ],
        "several views have several primaries",
        "name one view",
    ),
    case(
        "ibft1",
        [
            "own prepare(v, x), q prepare|recommit(v, x)",
            "own sealed(v, x), q prepare|recommit(v, x)",
            "own sealed(v",
        ],
        "a decision is read",
        "only adoption reads it",
    ),
    case(
        "ibft1",
        [
            "commit(v, x) <- own prepare(v, x)",
            "commit(v, x) <- own commit(v, x)",
            "own commit(v, x), q",
        ],
        "in one view, `commit` waits for `commit`",
        "let one of them read earlier views",
    ),
    case(
        "ibft1",
        [
            "prepare(v, x) <- primary preprepare(v, x) unless",
            "prepare(v, x) <- primary preprepare(v, x), q commit(v, x) unless",
            "q commit(v, x) unless",
        ],
        "in one view, `prepare` waits for `commit` waits for `prepare`",
        "let one of them read earlier views",
    ),
    case(
        "ibft1",
        [
            "q recommit|commit(v, x)",
            "q preprepare(v, x)",
            "q preprepare",
        ],
        "2f + 1 senders are needed, and fewer can send that",
        "lower the count",
    ),
    case(
        "ibft1",
        [
            "q recommit|commit(v, x)",
            "0 recommit|commit(v, x)",
            "0 recommit",
        ],
        "0 senders are needed, and this always holds",
        "raise the count",
    ),
    case(
        "ibft1",
        [
            "enter(v) <- q round_change(v-1)",
            "skip(v) <- q round_change(<v)",
            "skip(v) <- q round_change(<v)",
        ],
        "views are skipped, and no rule enters the next one",
        "add a rule `enter(v)`",
    ),
    case(
        "ibft1",
        [
            "preprepare(v, x) <- own commit(<v, x)",
            "preprepare(v, x) <- v = 0, own commit(<v, x)",
            "preprepare(v, x) <- v = 0",
        ],
        "the rule needs view 1 or a later one",
        "remove `v = …`",
    ),
    case(
        "ibft1",
        [
            "drop: [\"own commit(<v, *)\"]",
            "drop: [\"own commit(<v, *)\", \"q recommit(v, x)\"]",
            "q recommit(v, x)\"]",
        ],
        "no rule has the guard",
        "write it as a rule has it",
    ),
    case(
        "ibft1",
        [
            "round_change(v) <- primary preprepare(v, bad)",
            "round_change(v) <- own preprepare(v, bad)",
            "own preprepare(v, bad)",
        ],
        "nobody who follows the rules makes a record of an invalid value",
        "read what the primary sent",
    ),
    case(
        "dbft1",
        [
            "unless own ChangeView(v)\"",
            "unless own ChangeView(v), q ChangeView(v)\"",
            "q ChangeView(v)\"",
        ],
        "what others sent can be withheld",
        "write `own …` or `last own …`",
    ),
    case(
        "dbft1",
        [
            "ChangeView(v) <- backup, timer view",
            "PrepareResponse(v, x) <- primary, timer view",
            "primary, timer view\"",
        ],
        "the kind is never made by them",
        "change `by` of the kind",
    ),
    case(
        "dbft1",
        [
            "2: \"timer view for T <- primary, v = 0\"",
            "2: \"timer view for T <- primary, height\"",
            "timer view for T <- primary, height",
        ],
        "views and timers are of one view",
        "remove `height`",
    ),
    case(
        "dbft1",
        [
            "timer view for 2*2^v*T <- backup",
            "timer view for 0 <- primary, v > 0",
            "timer view for 0 <- primary, v > 0\"",
        ],
        "this rule is there twice",
        "remove one",
    ),
    case(
        "dbft1",
        ["quorum: n - f - 1}", "quorum: n - f}", "small-quorum:"],
        "mutant `small-quorum` changes nothing",
        "give it `drop`",
    ),
    case(
        "dbft1",
        ["timers: [view]", "timers: [view, spare]", "[view, spare]"],
        "no rule waits for the timer `spare`",
        "add a rule with `timer name`",
    ),
    case(
        "dbft1",
        ["role: decision", "role: vote", "kind: Block"],
        "0 kinds are decisions, not one",
        "give one kind `role: decision`",
    ),
];

/// Whether some problem of a text is at that place and says and hints that; else what is.
fn refused(text: &str, at: &str, what: &str, hint: &str) -> Result<(), String> {
    let (line, column) = place(text, at);
    let Err(error) = read(text) else {
        return Err(format!(
            "nothing is wrong; {line}:{column}: {what} was expected"
        ));
    };
    let found = error.problems.iter().any(|problem| {
        (problem.line, problem.column) == (line, column)
            && problem.what.contains(what)
            && problem.hint.contains(hint)
            && problem.file == "mine.yaml"
            && problem.quote.is_some()
    });
    let differs = || format!("{line}:{column}: {what} ({hint}) was expected\n{error}\n");
    found.then_some(()).ok_or_else(differs)
}

#[test]
fn every_broken_file_is_refused_at_its_place_with_a_hint() {
    let mut differ = Vec::new();
    for case in CASES {
        let good = &shipped(case.file).text;
        assert_eq!(good.matches(case.replace).count(), 1, "{}", case.replace);
        let text = good.replace(case.replace, case.by);
        differ.extend(refused(&text, case.at, case.what, case.hint).err());
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The rules of a file: the number of the line, the character at which the text begins, the text.
fn rules(text: &str) -> Vec<(usize, usize, &str)> {
    let start = text.find("\nrules:\n").unwrap();
    let first = text[..=start].matches('\n').count();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().skip(first + 1) {
        let Some((label, rule)) = line.split_once(": \"") else {
            continue;
        };
        if !label.starts_with("- ") {
            break;
        }
        let column = label.chars().count() + 4;
        found.push((number + 1, column, rule.strip_suffix('"').unwrap()));
    }
    found
}

/// A change of a rule that breaks it: the rule, the character of the problem from 0, what is said.
type Broken = (String, usize, String);

/// `by` in place of each `part` of a rule that stands before one of the `next`.
fn each(rule: &str, part: &str, next: &[char], by: &str, say: &str) -> Vec<Broken> {
    let found = rule.match_indices(part);
    let whole = found.filter(|(at, _)| {
        let before = rule[..*at].chars().next_back();
        let alone = before.is_none_or(|it| !it.is_alphanumeric() && it != '_');
        alone && rule[at + part.len()..].starts_with(next)
    });
    whole
        .map(|(at, _)| {
            let text = format!("{}{by}{}", &rule[..at], &rule[at + part.len()..]);
            (text, at, say.to_owned())
        })
        .collect()
}

fn broken(definition: &Definition, rule: &str) -> Vec<Broken> {
    let mut all = Vec::new();
    for kind in &definition.rules.kinds {
        let other = format!("{}zz", kind.name);
        let say = format!("there is no kind `{other}`");
        all.extend(each(rule, &kind.name, &['(', '|'], &other, &say));
    }
    for timer in &definition.rules.timers {
        let other = format!("{timer}-zz");
        let say = format!("there is no timer `{other}`");
        let found = each(
            rule,
            &format!("timer {timer}"),
            &[',', ' '],
            &format!("timer {other}"),
            &say,
        );
        all.extend(found.into_iter().map(|(text, at, say)| (text, at + 6, say)));
    }
    for count in definition.rules.counts.keys() {
        let other = format!("{count}zz");
        let say = format!("there is no count `{other}`");
        all.extend(each(rule, count, &[' '], &other, &say));
    }
    for (at, _) in rule.match_indices(' ') {
        let text = format!("{}%{}", &rule[..at], &rule[at..]);
        all.push((text, at, "`%` means nothing in a rule".to_owned()));
    }
    for (sign, other) in [("unless", "unles"), ("<-", "<=")] {
        let say = format!("the end was expected, not `{other}`");
        all.extend(each(rule, sign, &[' '], other, &say));
    }
    if let Some(cut) = rule.strip_suffix(')') {
        let say = "`)` was expected, not the end".to_owned();
        all.push((cut.to_owned(), cut.chars().count(), say));
    }
    all
}

#[test]
fn every_rule_of_every_shipped_file_broken_in_every_place_is_refused_there() {
    let (mut number, mut differ) = (0, Vec::new());
    for definition in protocol::shipped() {
        for (line, column, rule) in rules(&definition.text) {
            for (text, at, say) in broken(definition, rule) {
                number += 1;
                let whole: Vec<String> = definition
                    .text
                    .lines()
                    .enumerate()
                    .map(|(place, it)| {
                        let by = if place + 1 == line { &text } else { rule };
                        it.replace(rule, by)
                    })
                    .collect();
                let Err(error) = read(&whole.join("\n")) else {
                    differ.push(format!("`{text}` is read"));
                    continue;
                };
                let first = &error.problems[0];
                let good = (first.line, first.column) == (line, column + at)
                    && first.what.contains(&say)
                    && !first.hint.is_empty()
                    && (error.problems.len(), error.more) == (1, 0);
                if !good {
                    differ.push(format!("`{text}`: {line}:{}: {say}\n{error}", column + at));
                }
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(number > 300, "{number} files");
}

/// That the problems of a text are at these parts of it, in this order.
fn refused_at(text: &str, parts: &[&str]) {
    let error = read(text).unwrap_err();
    let found = error.problems.iter();
    let found: Vec<_> = found
        .map(|problem| (problem.line, problem.column))
        .collect();
    let expected: Vec<_> = parts.iter().map(|part| place(text, part)).collect();
    assert_eq!(found, expected, "{error}");
}

#[test]
fn all_problems_are_reported_in_one_go_and_in_the_order_of_the_file() {
    let text = shipped("tendermint").text.replace("name: t", "name: T");
    let text = text.replace("f + 1}", "f * 1}").replace("circle", "star");
    let text = text.replace(
        "ahead: take, passed: take, sent: rule, tally: precommits",
        "ahead: wait, passed: take, sent: rule, tally: precommits",
    );
    refused_at(&text, &["Tendermint\ntitle", "f * 1", "star", "wait"]);

    let text = shipped("ibft1")
        .text
        .replace("own prepare(v, x), q", "own prepared(v, x), k");
    let text = text.replace("timer round for T <- v = 0", "timer rounds for T <- v == 0");
    let text = text.replace("skip(v) <- q", "skip(w) <- q");
    refused_at(
        &text,
        &[
            "rounds for",
            "v == 0",
            "prepared(v, x), k",
            "k prepare",
            "w) <- q",
        ],
    );
}

/// Files that mean harm: a text, and what stands there instead.
fn hostile() -> Vec<(String, String)> {
    let good = &shipped("tendermint").text;
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let million = "a".repeat(990_000);
    let name = "name: tendermint";
    let title = "title: Tendermint";
    let rule = "propose(v, x, -) unless own valid(<v, *)";
    let list = |key: &str, entry: &str| format!("{key}{}", entry.repeat(20_000));
    let mutants = (0..20_000).map(|it| format!("  m{it}: {{drop: [\"own valid(<v, *)\"]}}\n"));
    let edits = [
        (name, deep("[", "]")),
        (name, format!("name: {}", deep("{a: ", "}"))),
        (name, deep("- ", "")),
        (name, format!("name: {million}")),
        (name, "name: ../tendermint".to_owned()),
        (name, "name: &name tendermint".to_owned()),
        (name, "name: !!python/object tendermint".to_owned()),
        (
            name,
            "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]".to_owned(),
        ),
        (name, format!("{name}\n---\n{name}")),
        (title, format!("title: {}", "a".repeat(201))),
        (title, "title: \"Tender\\0mint\"".to_owned()),
        (title, "title: \"Tender\\nmint\"".to_owned()),
        (title, "title: \"\\e[31mTendermint\"".to_owned()),
        ("kind: prevote\n", "kind: \"<script>\"\n".to_owned()),
        ("kind: prevote\n", "kind: \"it's\"\n".to_owned()),
        ("'#1b7f3b'", "'\"/><script>'".to_owned()),
        ("f + 1", "99999999999999999999f + 1".to_owned()),
        ("- 14,17-19:", "- 14,17-99999999999999999999:".to_owned()),
        (rule, deep("propose(", ")")),
        (
            rule,
            format!("{rule}{}", ", own valid(<v, *)".repeat(55_000)),
        ),
        (rule, million),
        (rule, "%".repeat(990_000)),
        (
            rule,
            "propose(v, x, -) <- v = 99999999999999999999".to_owned(),
        ),
        (
            rule,
            "propose(v, x, -) <- 99999999999 prevote(v, *)".to_owned(),
        ),
        (rule, "timer propose for 99999999*T*99999*v".to_owned()),
        (
            "\nrules:\n",
            list("\nrules:\n", "- 1: \"propose(v, x, -)\"\n"),
        ),
        ("\nrules:\n", list("\nrules:\n", "- 1: \"propose(v, x\"\n")),
        ("\nkept:\n", list("\nkept:\n", "- {kind: a}\n- {kind: b}\n")),
        (
            "\nmutants:\n",
            format!("\nmutants:\n{}", mutants.collect::<String>()),
        ),
    ];
    let made = |(part, by): (&str, String)| (format!("{by:.60}"), good.replace(part, &by));
    let mut all: Vec<(String, String)> = edits.into_iter().map(made).collect();
    all.push(("nothing".to_owned(), String::new()));
    all
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test is about how long it takes"
)]
fn files_that_mean_harm_are_refused_within_two_seconds() {
    for (name, text) in hostile() {
        let start = std::time::Instant::now();
        let error = read(&text).map(|_| ()).expect_err(&name);
        let words = error.to_string();
        let seconds = start.elapsed().as_secs_f64();
        assert!(seconds < 2.0, "{name}: {seconds} s");
        assert!(error.problems[0].line > 0, "{name}: {words}");
        assert!(
            words.len() < 40_000 && !words.contains(['\0', '\u{1b}']),
            "{name}"
        );
    }
}

#[test]
fn what_looks_like_markup_in_a_sentence_is_a_text_like_any_other() {
    let text = shipped("tendermint").text.replace(
        "says: a decision",
        "says: \"<script>alert('1')</script> & \\\"quotes\\\"\"",
    );
    assert!(read(&text).is_ok());
}

#[test]
fn whatever_is_done_to_a_file_it_is_read_or_refused_with_a_problem() {
    let mut seed = 1_u64;
    let mut below = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % most
    };
    for definition in protocol::shipped() {
        let good: Vec<char> = definition.text.chars().collect();
        for _ in 0..100 {
            let mut text = good.clone();
            for _ in 0..=below(3) {
                let at = below(text.len());
                let end = (at + below(6)).min(text.len());
                let from = below(good.len() - 8);
                let by = [vec![], good[from..from + below(8)].to_vec(), vec!['é', '"']];
                text.splice(at..end, by[below(3)].clone());
            }
            let text: String = text.into_iter().collect();
            if let Err(error) = read(&text) {
                assert!(error.problems.iter().all(|it| !it.hint.is_empty()));
            }
        }
    }
}
