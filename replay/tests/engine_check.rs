//! The checks of an adapter pass the one that is shipped and say what others lack.

use milp_replay::engine::{ANSWER_LIMIT, CommandLine, check, find};

/// Every finding, as it is printed; whether nothing is missing.
fn findings(command: &CommandLine) -> (Vec<String>, bool) {
    let mut lines = Vec::new();
    let passed = check::check(command, ANSWER_LIMIT, |finding| {
        lines.push(finding.to_string());
    });
    (lines, passed)
}

fn shipped() -> CommandLine {
    find("nspcc-dbft").expect("the adapter is built before its tests")
}

#[test]
fn the_shipped_adapter_lacks_nothing() {
    let (lines, passed) = findings(&shipped());
    assert!(passed, "{lines:#?}");
    assert!(lines.len() > 25, "{lines:#?}");
    let not_tried = lines.iter().filter(|line| line.contains("not tried"));
    assert_eq!(not_tried.count(), 0, "{lines:#?}");
}

/// The shipped adapter with its requests or answers edited on their way.
fn edited(requests: &str, answers: &str) -> CommandLine {
    // An unbuffered sed takes seconds for a line of 16 MiB: none where there is nothing to do.
    let sed = |edit: &str| match edit {
        "" => None,
        edit => Some(format!("sed -u '{edit}'")),
    };
    let stages = [sed(requests), Some(shipped().to_string()), sed(answers)];
    let script = stages.into_iter().flatten().collect::<Vec<_>>().join(" | ");
    CommandLine {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
    }
}

/// Edits of requests and of answers, and what is said to be missing: the name of a check and words
/// of the reason.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "s/-32003/-32602/",
        "an unknown message is refused (-32003): ",
        "gives error -32602, not -32003",
    ),
    (
        "",
        r#"s/"carried":\[[^]]*\]/"carried":[]/g"#,
        "recovery `ideal`: ",
        "none carries both",
    ),
    (
        "",
        r#"s/"bonds":\[[^]]*\]/"bonds":[]/g"#,
        "a vote that binds its sender is a vote and a bond of it: ",
        "among its votes and as its bonds; got height 0",
    ),
    (
        "",
        r#"s/"timers":\[{"name":"view"/"timers":[{"name":"tea"/g"#,
        "",
        "no timer is called `tea`",
    ),
    (
        r#"s/"recovery":"neo-go"/"recovery":"ideal"/"#,
        "",
        "recovery `neo-go`: ",
        "carries Commit h0 v0 b0 by replica",
    ),
    (
        "",
        r#"s/"version":"[^"]*"/"version":"'$$'"/"#,
        "two runs with the same requests give the same bytes",
        "in one run is",
    ),
    (
        r#"s/"method":"restart"/"method":"reboot"/"#,
        "",
        "a crash loses everything but the ledger: ",
        "answered `restart` with error -32601",
    ),
    (
        "",
        r#"s/"effect":"enter_view"/"effect":"view"/g"#,
        "a view change leads to another primary and a decision: ",
        "unknown variant `view`",
    ),
    (
        "",
        r#"s/"id":"seven"/"id":7/"#,
        "a response has the id of its request: ",
        "its id is 7, not \"seven\"",
    ),
];

#[test]
fn a_broken_adapter_is_told_what_is_missing_and_where_it_is_written() {
    for (requests, answers, name, words) in BROKEN {
        let (lines, passed) = findings(&edited(requests, answers));
        assert!(!passed, "{requests} {answers}: {lines:#?}");
        let start = format!("MISSING  {name}");
        let told = lines.iter().find(|line| line.starts_with(&start));
        let told = told.unwrap_or_else(|| panic!("{requests} {answers}: {lines:#?}"));
        assert!(told.contains(words), "{requests} {answers}: {told}");
        assert!(told.contains("[docs/ENGINE-PROTOCOL.md, "), "{told}");
        // One thing is wrong, and not everything is called wrong because of it.
        let fine = lines.iter().filter(|line| line.starts_with("ok"));
        assert!(fine.count() > 10, "{requests} {answers}: {lines:#?}");
    }
}

#[test]
fn what_is_no_adapter_fails_every_check_soon() {
    let command = CommandLine::parse("false").expect("one word");
    let (lines, passed) = findings(&command);
    assert!(!passed);
    for line in lines {
        assert!(line.starts_with("MISSING  "), "{line}");
        assert!(line.contains("ended with exit code 1"), "{line}");
    }
}
