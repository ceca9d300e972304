//! Adapters that misbehave: each gives an error that says what it did, soon, and leaves no process
//! behind.
#![cfg(unix)]

use milp_replay::{
    Signatures,
    engine::{CommandLine, Engine, EngineError, MessageId, Recovery, Sidecar, Start, State, nspcc},
};
use milp_schema::{Height, Message, ReplicaId, Value, View};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_millis(300);
/// Plenty for anything that is not stuck, on a busy machine.
const SOON: Duration = Duration::from_secs(8);

const BEGUN: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"protocol":"milp-engine/2.0","engine":"toy","version":"1","effects":[]}}"#;

fn shell(script: &str) -> CommandLine {
    CommandLine {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
    }
}

fn start() -> Start {
    Start {
        protocol: nspcc::protocol(),
        replicas: 4,
        power: vec![1; 4],
        heights: 1,
        byzantine: vec![ReplicaId(3)],
        block_time: 1,
        seed: 7,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long an error takes is what is tested"
)]
fn soon<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = act();
    assert!(began.elapsed() < SOON, "{what}: {:?}", began.elapsed());
    result
}

/// What the adapter of a script is said to have done, when the run begins or at the first delivery.
fn said(script: &str) -> String {
    said_within(script, LIMIT)
}

fn said_within(script: &str, limit: Duration) -> String {
    let error = soon(script, || {
        let mut sidecar = Sidecar::open(&shell(script), limit).expect("sh is there");
        let begun = sidecar.start(&start());
        begun.and_then(|_| sidecar.deliver(ReplicaId(0), MessageId(1)))
    });
    match error {
        Err(EngineError::Adapter { what, .. }) => what,
        other => panic!("{script}: {other:?}"),
    }
}

/// An adapter that begins a run, answers the next request with `answer` and waits.
fn answering(answer: &str) -> String {
    format!("read request; echo '{BEGUN}'; read request; printf '%s\\n' '{answer}'; cat >/dev/null")
}

#[test]
fn an_adapter_that_ends_is_said_to_have_ended_with_its_last_words() {
    for (script, words) in [
        (
            "exit 0",
            "ended with exit code 0 and said nothing on standard error",
        ),
        ("read request; exit 7", "ended with exit code 7"),
        (
            "read request; for i in 1 2 3 4 5 6; do echo reason $i >&2; done; exit 3",
            "ended with exit code 3; the end of its standard error:\n  reason 2\n  reason 3\n  \
             reason 4\n  reason 5\n  reason 6",
        ),
        (
            &format!(
                "read request; echo '{BEGUN}'; read request; printf '{{\"jsonrpc\"'; kill -9 $$"
            ),
            "ended: signal: 9",
        ),
        ("exec >&-; cat >/dev/null", "closed its standard output"),
    ] {
        let said = said(script);
        assert!(said.starts_with(words), "{script}: {said}");
    }
}

#[test]
fn an_adapter_that_cannot_be_started_is_named() {
    let command = CommandLine::parse("/nowhere/adapter --fast").unwrap();
    let error = Sidecar::open(&command, LIMIT).unwrap_err().to_string();
    assert!(
        error.starts_with("the adapter `/nowhere/adapter --fast` cannot be started: "),
        "{error}"
    );
}

#[test]
fn an_adapter_that_hangs_or_floods_is_cut_off() {
    for (script, words) in [
        ("cat >/dev/null", "did not answer within 300 ms"),
        ("sleep 1000", "did not answer within 300 ms"),
        (
            "exec cat /dev/zero",
            "wrote a line of more than 16777216 bytes",
        ),
        ("yes", "answered `y`: it is not JSON"),
        (r"printf '\377\n'", "wrote a line that is not UTF-8"),
    ] {
        let said = said(script);
        assert!(said.starts_with(words), "{script}: {said}");
    }
}

#[test]
fn an_answer_that_is_no_response_is_refused() {
    for (answer, words) in [
        ("hello", "it is not JSON"),
        ("[]", "it is no response"),
        (
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            "its id is 1, not 2",
        ),
        (
            r#"{"jsonrpc":"2.0","id":"2","result":{}}"#,
            "its id is \"2\", not 2",
        ),
        (
            r#"{"jsonrpc":"1.0","id":2,"result":{}}"#,
            "its `jsonrpc` is not",
        ),
        (
            r#"{"jsonrpc":"2.0","id":2}"#,
            "not one of `result` and `error`",
        ),
        (
            r#"{"jsonrpc":"2.0","id":2,"result":{},"error":{"code":-32602,"message":""}}"#,
            "not one of `result` and `error`",
        ),
        (
            r#"{"jsonrpc":"2.0","id":2,"result":{},"extra":1}"#,
            "unknown field `extra`",
        ),
        (
            r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no such method"}}"#,
            "error -32601, which has no place there: no such method",
        ),
        (
            r#"{"jsonrpc":"2.0","id":2,"error":{"code":5,"message":"five"}}"#,
            "error 5, which has no place there",
        ),
    ] {
        let said = said(&answering(answer));
        assert!(said.contains(words), "{answer}: {said}");
    }
}

/// Effects that break the page, and what is said of them. `S` stands for a send by replica 0,
/// `T` for a timer of replica 0.
const EFFECTS: &[(&str, &str)] = &[
    (
        r#"{"effect":"dance","replica":0}"#,
        "effects[0]: unknown variant `dance`",
    ),
    (r#"{"replica":0}"#, "missing field `effect`"),
    (
        r#"{"effect":"fault","replica":0,"text":"x","why":1}"#,
        "unknown field `why`",
    ),
    (
        r#"{"effect":"fault","replica":4,"text":"x"}"#,
        "there is no replica 4",
    ),
    (
        r#"{"effect":"fault","replica":3,"text":"x"}"#,
        "replica 3 is Byzantine",
    ),
    (
        r#"{"effect":"fault","replica":"0","text":"x"}"#,
        "invalid type: string",
    ),
    (
        r#"{"effect":"timer","replica":0}"#,
        "missing field `timers`",
    ),
    (
        r#"{"effect":"timer","replica":0,"timers":[{"name":"view","height":0,"view":0,"deadline":-1}]}"#,
        "invalid value",
    ),
    (
        r#"{"effect":"timer","replica":0,"timers":[{"name":"view","height":1,"view":0,"deadline":1}]}"#,
        "there is no height 1",
    ),
    ("T,T", "effects[1]: the timers of replica 0 a second time"),
    ("T,S", "effects[1]: it comes after a timer"),
    ("S,S", "effects[1]: message 5 is an id used before"),
    (
        r#"{"effect":"timer","replica":0,"timers":[{"name":"\u001b","height":0,"view":0,"deadline":1}]}"#,
        "no timer is called `\\u{1b}`",
    ),
    (
        r#"{"effect":"timer","replica":0,"timers":[{"name":"view","height":0,"view":0,"deadline":1},{"name":"view","height":0,"view":0,"deadline":2}]}"#,
        "a timer runs twice",
    ),
    (
        r#"{"effect":"enter_view","replica":0,"height":0,"view":0}"#,
        "view 0 is not entered",
    ),
    (
        r#"{"effect":"send","replica":0,"message":0,"label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "ids are positive",
    ),
    (
        r#"{"effect":"send","replica":0,"message":"a","label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "invalid type: string",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Vote","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "no kind of message is called `Vote`",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Commit","height":0,"view":0,"value":null,"justification":null}}"#,
        "the label of a Commit names nothing",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Commit","height":0,"view":0,"value":"nil","justification":null}}"#,
        "no Commit names nil",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"ChangeView","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "no ChangeView names v0b0",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Commit","height":0,"view":0,"value":"good","justification":null}}"#,
        "did not match any variant of untagged enum",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":0}}"#,
        "the label of a Commit has a justification",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0}}}"#,
        "missing field `justification`",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"RecoveryMessage","height":0,"view":0,"value":null,"justification":null}}"#,
        "`carried` belongs to what repeats others",
    ),
    (
        r#"{"effect":"send","replica":0,"message":1,"label":{"kind":"Block","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "a Block is sent right after its decision only",
    ),
    (
        r#"{"effect":"decide","replica":0,"label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "a Commit is no kind that passes on a decision",
    ),
    (
        r#"{"effect":"decide","replica":0,"label":{"kind":"Block","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}},S"#,
        "effects[1]: a decision is not published right after it",
    ),
    (
        r#"{"effect":"decide","replica":0,"label":{"kind":"Block","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#,
        "a decision is not published",
    ),
];

#[test]
fn an_effect_that_the_page_does_not_allow_is_refused_by_its_place() {
    let send = r#"{"effect":"send","replica":0,"message":5,"label":{"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":null}}"#;
    let timer = r#"{"effect":"timer","replica":0,"timers":[]}"#;
    for (effects, words) in EFFECTS {
        let expanded = effects.split(',').map(|part| match part {
            "S" => send,
            "T" => timer,
            part => part,
        });
        let effects = expanded.collect::<Vec<_>>().join(",");
        let answer = format!(r#"{{"jsonrpc":"2.0","id":2,"result":{{"effects":[{effects}]}}}}"#);
        let said = said(&answering(&answer));
        assert!(
            said.starts_with("answered `deliver` against the protocol: "),
            "{said}"
        );
        assert!(said.contains(words), "{effects}: {said}");
    }
}

/// A state at work, and what is said of it when a part of it is put in place of another.
#[test]
fn a_state_is_read_as_the_page_has_it_or_refused() {
    let state = r#"{"up":true,"stopped":false,"height":0,"view":1,"votes":[{"author":0,"kind":"Commit","view":0,"value":null},{"author":2,"kind":"Commit","view":1,"value":{"view":0,"index":3}}],"entry":[{"author":1,"kind":"ChangeView","view":0,"value":null}],"bonds":[],"seen":[null,1,1,null],"timers":[{"name":"view","height":0,"view":1,"deadline":5}]}"#;
    let read = |text: &str| {
        let answer = format!(r#"{{"jsonrpc":"2.0","id":2,"result":{text}}}"#);
        let mut sidecar = Sidecar::open(&shell(&answering(&answer)), LIMIT).expect("sh is there");
        sidecar.start(&start()).expect("it begins");
        sidecar.state(ReplicaId(0))
    };
    let Ok(State::Working(known)) = read(state) else {
        panic!("{state} is a state");
    };
    let (view, index) = (View(0), 3);
    assert_eq!(known.votes[1].value, Some(Value::Block { view, index }));
    assert_eq!((known.entry.len(), known.timers[0].deadline), (1, 5));
    for (part, other, words) in [
        (r#""author":0"#, r#""author":4"#, "there is no replica 4"),
        (r#""author":0"#, r#""author":3"#, "`votes` does not ascend"),
        (
            r#""kind":"Commit","view":0"#,
            r#""kind":"Vote","view":0"#,
            "is called `Vote`",
        ),
        (
            r#""index":3"#,
            r#""index":65536"#,
            "index 65536 is 65536 or more",
        ),
        (r#""seen":[null,"#, r#""seen":["#, "`seen` has 3 entries"),
        (
            r#""name":"view""#,
            r#""name":"tea""#,
            "no timer is called `tea`",
        ),
        (
            r#""bonds":[]"#,
            r#""bonds":[],"sent":[]"#,
            "unknown field `sent`",
        ),
        (r#""entry":["#, r#""entries":["#, "unknown field `entries`"),
    ] {
        let said = read(&state.replacen(part, other, 1))
            .unwrap_err()
            .to_string();
        assert!(said.contains(words), "{other}: {said}");
    }
}

#[test]
fn a_line_nobody_asked_for_is_noticed_at_the_next_request() {
    let begun = format!("read request; echo '{BEGUN}'; echo '{BEGUN}'; cat >/dev/null");
    let said = said(&begun);
    // Whether it arrives before the request or in place of its answer is a matter of luck.
    let asked = said.starts_with("wrote `{") && said.ends_with("without being asked");
    assert!(asked || said.contains("its id is 1, not 2"), "{said}");
}

#[test]
fn a_protocol_of_another_version_is_refused() {
    let begun = BEGUN.replace("milp-engine/2.0", "milp-engine/1.0");
    let said = said(&format!("read request; echo '{begun}'; cat >/dev/null"));
    assert!(
        said.contains("it speaks milp-engine/1.0, not milp-engine/2.0"),
        "{said}"
    );
}

#[test]
fn an_error_of_the_page_is_a_refusal_and_the_run_goes_on() {
    let refusal = r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32003,"message":"no message 1"}}"#;
    let fine = r#"{"jsonrpc":"2.0","id":3,"result":{"effects":[],"message":4}}"#;
    let script = format!(
        "read request; echo '{BEGUN}'; read request; echo '{refusal}'; read request; echo '{fine}'; \
         cat >/dev/null"
    );
    let mut sidecar = Sidecar::open(&shell(&script), LIMIT).unwrap();
    let early = sidecar.deliver(ReplicaId(0), MessageId(1)).unwrap_err();
    assert!(matches!(early, EngineError::Refused { .. }), "{early}");
    sidecar.start(&start()).unwrap();
    assert_eq!(
        (sidecar.name().as_str(), sidecar.version()),
        ("toy", Some("1"))
    );
    let again = sidecar.start(&start()).unwrap_err().to_string();
    assert!(again.contains("the run has begun before"), "{again}");
    let refused = sidecar.deliver(ReplicaId(0), MessageId(1)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        r#"the engine refused deliver {"message":1,"replica":0}: no message 1 (-32003)"#
    );
    let wish = Message::new(
        nspcc::protocol().the("ChangeView"),
        Height(0),
        View(0),
        None,
    );
    assert_eq!(sidecar.inject(ReplicaId(3), &wish), Ok(MessageId(4)));
}

#[test]
fn after_a_fault_the_adapter_is_not_asked_again() {
    let mut sidecar = Sidecar::open(&shell("exit 4"), LIMIT).unwrap();
    let first = sidecar.start(&start()).unwrap_err();
    assert_eq!(sidecar.start(&start()), Err(first));
}

#[test]
fn numbers_names_and_texts_of_an_adapter_are_bounded() {
    let label = |view: &str, index: &str| {
        format!(
            r#"{{"kind":"Commit","height":0,"view":{view},"value":{{"view":{view},"index":{index}}},"justification":null}}"#
        )
    };
    let send =
        |label: &str| format!(r#"{{"effect":"send","replica":0,"message":5,"label":{label}}}"#);
    let many = vec![r#"{"effect":"fault","replica":0,"text":"x"}"#; 100_001].join(",");
    for (effects, words) in [
        (
            r#"{"effect":"enter_view","replica":0,"height":0,"view":4294967295}"#.to_owned(),
            "view 4294967295 is 65536 or more",
        ),
        (send(&label("65536", "0")), "view 65536 is 65536 or more"),
        (
            send(&label("0", "4294967295")),
            "index 4294967295 is 65536 or more",
        ),
        (
            r#"{"effect":"timer","replica":0,"timers":[{"name":"view","height":0,"view":65536,"deadline":1}]}"#
                .to_owned(),
            "view 65536 is 65536 or more",
        ),
        (many, "there are more than 100000 effects in one run"),
    ] {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join(format!("answer-{}", std::process::id()));
        let answer = format!(r#"{{"jsonrpc":"2.0","id":2,"result":{{"effects":[{effects}]}}}}"#);
        std::fs::write(&file, answer + "\n").unwrap();
        let script = format!(
            "read request; echo '{BEGUN}'; read request; cat '{}'; cat >/dev/null",
            file.display()
        );
        let said = said_within(&script, Duration::from_secs(6));
        assert!(said.contains(words), "{words}: {said}");
        std::fs::remove_file(&file).unwrap();
    }
    for (field, text) in [
        ("engine", "../../up"),
        ("engine", ""),
        ("engine", r"a\u001b[2J"),
        ("engine", r"two\nlines"),
        ("version", r"1\u202e"),
    ] {
        let plain = if field == "engine" { "toy" } else { "1" };
        let begun = BEGUN.replace(
            &format!(r#""{field}":"{plain}""#),
            &format!(r#""{field}":"{text}""#),
        );
        assert_ne!(begun, BEGUN);
        let said = said(&format!(
            "read request; printf '%s\\n' '{begun}'; cat >/dev/null"
        ));
        assert!(
            said.contains("a name has 1 to 64 letters"),
            "{text}: {said}"
        );
        assert!(!said.contains(['\u{1b}', '\n', '\u{202e}']), "{said:?}");
    }
}

#[test]
fn nothing_that_an_adapter_says_moves_the_cursor() {
    for script in [
        r"printf '\033[2J\r\233\n' >&2; exit 3".to_owned(),
        r"printf '\033[2J\n'".to_owned(),
        answering(r#"{"jsonrpc":"2.0","id":2,"error":{"code":5,"message":"\u001b]0;x\u0007\n"}}"#),
        answering(r#"{"jsonrpc":"2.0","id":"\u009b2J","result":{}}"#),
        answering(r#"{"jsonrpc":"2.0","id":2,"result":{"effects":[],"\u009b":1}}"#),
    ] {
        let said = said(&script);
        let lines = said.replace("\n  ", "");
        assert!(!lines.contains(char::is_control), "{script}: {said:?}");
        assert!(said.contains(r"\u{"), "{script}: {said:?}");
    }
}

/// Each answer comes in time, and the run would go on for ever.
#[test]
fn an_adapter_that_is_always_just_not_too_slow_is_cut_off() {
    let script = format!(
        "read request; echo '{BEGUN}'; n=2; while read request; do sleep 0.25; \
         echo '{{\"jsonrpc\":\"2.0\",\"id\":'$n',\"result\":{{\"effects\":[]}}}}'; n=$((n+1)); done"
    );
    let mut sidecar = Sidecar::open(&shell(&script), LIMIT).expect("sh is there");
    sidecar.start(&start()).expect("it begins");
    let error = soon("slow", || {
        (1..1_000).find_map(|now| sidecar.advance(now).err())
    });
    let error = error.expect("not for ever").to_string();
    let words = "is too slow: it kept its caller waiting for more than 300 ms in all";
    assert!(error.ends_with(words), "{error}");
}

#[test]
fn what_left_its_group_and_could_not_be_ended_is_said() {
    // `setsid` is a command of its own on Linux only.
    if !cfg!(target_os = "linux") {
        return;
    }
    let said = said("setsid sleep 3 & read request; exit 4");
    let words = "; something that it started holds its output and could not be ended";
    assert!(said.ends_with(words), "{said}");
}

/// Whether a process is there. A zombie is, unless it is another's to wait for.
#[cfg(target_os = "linux")]
fn is_there(pid: &str, ours: bool) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && (ours || !state.starts_with('Z'))
}

/// The system takes a moment to end what was killed.
#[cfg(target_os = "linux")]
fn goes(pid: &str) -> bool {
    (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        !is_there(pid, false)
    })
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_left_of_an_adapter_and_what_it_started() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, end) in [
        ("hangs", "wait"),
        ("ends", "exit 3"),
        ("ignores", "trap '' TERM HUP; wait"),
    ] {
        let pids = &folder.join(format!("pids-{}-{name}", std::process::id()));
        let script = format!(
            "sleep 1000 & echo $$ $! >{0}.new; mv {0}.new {0}; {end}",
            pids.display()
        );
        let mut sidecar = Sidecar::open(&shell(&script), LIMIT).unwrap();
        let error = soon(name, || sidecar.start(&start()));
        assert!(
            matches!(error, Err(EngineError::Adapter { .. })),
            "{name}: {error:?}"
        );
        let text = std::fs::read_to_string(pids).unwrap();
        let (child, grandchild) = text.trim().split_once(' ').unwrap();
        // Who is at fault is ended at once, and the file shows that they were there.
        assert!(!is_there(child, true), "{name}: {child} is left");
        assert!(goes(grandchild), "{name}: {grandchild} is left");
        drop(sidecar);
        std::fs::remove_file(pids).unwrap();
    }
}
