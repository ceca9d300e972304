use super::of;
use crate::rule::{Event, Modality, Protocol, Threshold};
use milp_schema::protocol::{Definition, named, read_text};

fn list(file: &Definition) -> Result<Protocol, String> {
    of("counting", file.words, &file.rules).map_err(|error| error.to_string())
}

/// The shipped file with one text in place of another.
fn edited(name: &str, from: &str, to: &str) -> Definition {
    let text = &named(name).expect("it is shipped").text;
    assert!(text.contains(from), "{from}");
    let file = read_text("mine.yaml", &text.replacen(from, to, 1));
    file.unwrap_or_else(|error| panic!("{to}: {error}"))
}

/// The number of the first line with that text.
fn line(file: &Definition, text: &str) -> usize {
    let mut lines = file.text.lines();
    1 + lines.position(|line| line.contains(text)).expect(text)
}

#[test]
fn a_shipped_file_that_says_more_is_refused_with_the_kind_and_its_line() {
    for (name, kind) in [("ibft1", "sealed"), ("tendermint", "propose")] {
        let file = named(name).expect("it is shipped");
        let at = line(file, &format!("- kind: {kind}"));
        let expected = format!(
            "formulation `counting` does not support `{kind}: names: any_value` (line {at} of the \
             file of `{name}`): use `formulation: levels`"
        );
        assert_eq!(list(file), Err(expected));
    }
}

#[test]
fn one_change_that_no_list_has_is_refused_with_the_rule_and_its_line() {
    let answer = "PrepareResponse(v, x) <- ";
    let answers = "PrepareResponse(v, x) <- primary PrepareRequest(v, x)";
    let silent = "(v, x) unless own ChangeView(v)\"";
    let lock = "own ChangeView(v), own Commit(<v, *)";
    let first = "timer view for T <- primary, v = 0";
    let next = "timer view for 2*2^v*T <- v > 0, own";
    let (propose, leave) = (
        "PrepareRequest(v, x) <- timer view",
        "ChangeView(v) <- primary",
    );
    for (from, to, rule) in [
        (answer, "PrepareResponse(v, x) <- may, ", answer),
        (answer, "PrepareResponse(v, x) <- v > 0, ", answer),
        (
            answers,
            "PrepareResponse(v, x) <- 1 PrepareRequest(v, x)",
            answer,
        ),
        (
            answers,
            "PrepareResponse(v, x) <- primary PrepareRequest(v, x), own Commit(<v, x)",
            answer,
        ),
        (silent, "(v, x) unless own Commit(<v, !x)\"", answer),
        (silent, "(v, x) unless last own Commit(<v, *)\"", answer),
        (lock, "own ChangeView(<v)", "Commit(v, x) <- "),
        ("q Commit(v, x)", "3 Commit(v, x)", "Block(v, x) <- primary"),
        (
            "q Commit(v, x)",
            "q Commit(<=v, x)",
            "Block(v, x) <- primary",
        ),
        ("\"skip(v) <- q", "\"skip(v) <- 3", "enter(v) <- "),
        ("enter(v) <- ", "enter(v) <- may, ", "enter(v) <- "),
        (
            "<- backup, timer view",
            "<- backup, may",
            "ChangeView(v) <- backup",
        ),
        (first, "timer view for T <- primary, v = 1", propose),
        (first, "timer view <- primary, v = 0", propose),
        (
            first,
            "timer view for T <- primary, v = 0, q ChangeView(v)",
            propose,
        ),
        (next, "stop view <- v > 0, own", leave),
        (
            "timer view for 2*2^v*T <- backup",
            "timer view for 3*2^v*T <- backup",
            leave,
        ),
    ] {
        let file = edited("dbft2", from, to);
        let said = list(&file).expect_err(to);
        assert!(said.contains(&format!("`{rule}")), "{to}: {said}");
        assert!(
            said.contains(&format!("` (line {} of", line(&file, rule))),
            "{to}: {said}"
        );
    }
}

#[test]
fn kinds_of_which_copies_fare_otherwise_are_refused() {
    let request = "role: proposal, ahead: hold, passed: ignore";
    let block = "role: decision, ahead: take, passed: take";
    for (from, to, key) in [
        (
            request,
            "role: proposal, ahead: take, passed: ignore",
            "PrepareRequest: ahead",
        ),
        (
            request,
            "role: proposal, ahead: hold, passed: ignore, counts: first",
            "PrepareRequest: counts: first",
        ),
        (
            request,
            "role: proposal, ahead: lose, passed: ignore",
            "PrepareRequest: ahead",
        ),
        (
            block,
            "role: decision, ahead: take, passed: ignore",
            "Block: ahead",
        ),
        (
            "role: leave, ahead: take",
            "role: leave, ahead: hold",
            "ChangeView: ahead",
        ),
    ] {
        let said = list(&edited("dbft2", from, to)).expect_err(to);
        assert!(said.contains(&format!("`{key}` (line ")), "{said}");
    }
}

fn after(protocol: &Protocol, name: &str, view: u32) -> Option<u32> {
    let mut events = protocol.events().filter(|event| event.name == name);
    match events.next()? {
        Event {
            modality: Modality::Timer { after },
            ..
        } => after.in_view(view),
        _ => None,
    }
}

#[test]
fn durations_and_counts_are_those_of_the_file() {
    let plain = list(named("dbft2").expect("it is shipped")).expect("a list");
    let times = |protocol: &Protocol| [0, 1, 2].map(|view| after(protocol, "change_view", view));
    assert_eq!(times(&plain), [Some(2), Some(4), Some(8)]);
    assert_eq!(
        [0, 1].map(|view| after(&plain, "prepare_request", view)),
        [Some(1), Some(0)]
    );
    let few = list(&edited("dbft2", "\nquorum: n - f\n", "\nquorum: f + 1\n")).expect("a list");
    let enters = few.enter().map(|enter| enter.at_least);
    assert_eq!(enters, Some(Threshold::MoreThanF));
}
