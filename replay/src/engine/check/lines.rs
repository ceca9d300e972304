//! Transport and errors: requests as text.

use super::{Bench, Check, Checked, Missing, demand, start};
use crate::engine::{
    Start, nspcc,
    sidecar::{
        rpc::{Answer, Caller},
        wire::start_params,
    },
};
use milp_schema::{ReplicaId, vocabulary::Role};
use serde_json::{Value, json};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "a response has the id of its request",
        page: "Transport",
        run: ids_come_back,
    },
    Check {
        name: "the end of input ends the adapter",
        page: "Transport",
        run: end_of_input,
    },
    Check {
        name: "a line of more than 16 MiB is an error, the next one is read",
        page: "Transport",
        run: long_line,
    },
    Check {
        name: "`shutdown` ends with {} and exit code 0",
        page: "Methods",
        run: shutdown,
    },
    Check {
        name: "params it does not know are ignored, milp-engine/2.x is spoken",
        page: "Versions",
        run: later_minor,
    },
    Check {
        name: "what is no request is answered with the codes of JSON-RPC",
        page: "Errors",
        run: no_request,
    },
    Check {
        name: "`initialise` comes first, once, in a known version (-32001)",
        page: "Errors",
        run: initialise_errors,
    },
    Check {
        name: "bad params are refused (-32602)",
        page: "Errors",
        run: bad_params,
    },
    Check {
        name: "replicas that cannot are refused (-32002)",
        page: "Errors",
        run: wrong_replicas,
    },
    Check {
        name: "an unknown message is refused (-32003)",
        page: "Errors",
        run: unknown_message,
    },
    Check {
        name: "a label nobody could send is refused (-32004)",
        page: "Errors",
        run: impossible_labels,
    },
    Check {
        name: "a clock that runs backwards is refused (-32005)",
        page: "Errors",
        run: backwards,
    },
    Check {
        name: "a refused request changes nothing",
        page: "Errors",
        run: refused_changes_nothing,
    },
];

/// What the protocol calls its messages of that role, the first of them.
fn named(role: Role) -> &'static str {
    let words = nspcc::protocol().kinds.iter();
    let mut names = words.filter(|words| words.does.role == role);
    names.next().map_or("", |words| words.kind.as_str())
}

fn timer() -> &'static str {
    nspcc::protocol().timer()
}

/// Four replicas of which the last is Byzantine, two heights.
fn group() -> Start {
    Start {
        power: vec![1; 4],
        byzantine: vec![ReplicaId(3)],
        ..start(4, 2)
    }
}

fn caller(bench: &Bench) -> Result<Caller, Missing> {
    Ok(Caller::open(&bench.command, bench.patience.clone())?)
}

/// A caller whose run has begun.
fn begun(bench: &Bench) -> Result<Caller, Missing> {
    let mut caller = caller(bench)?;
    result(&mut caller, "initialise", &start_params(&group()))?;
    Ok(caller)
}

fn result(caller: &mut Caller, method: &str, params: &Value) -> Result<Value, Missing> {
    match caller.call(method, params)? {
        Answer::Result(result) => Ok(result),
        Answer::Error(error) => Err(Missing(format!(
            "`{method}` with {params} was refused: {} ({})",
            error.message, error.code
        ))),
    }
}

/// The request is refused with that code.
fn refused(caller: &mut Caller, method: &str, params: &Value, code: i64) -> Result<(), Missing> {
    let answer = caller.call(method, params)?;
    expect(&format!("`{method}` with {params}"), answer, code)
}

fn expect(what: &str, answer: Answer, code: i64) -> Result<(), Missing> {
    match answer {
        Answer::Error(error) if error.code == code => Ok(()),
        Answer::Error(error) => Err(Missing(format!(
            "{what} gives error {}, not {code}: {}",
            error.code, error.message
        ))),
        Answer::Result(result) => Err(Missing(format!(
            "{what} gives a result, not error {code}: {result}"
        ))),
    }
}

fn ids_come_back(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    for id in [json!("seven"), json!(u64::from(u32::MAX)), json!(0)] {
        let line = json!({"jsonrpc": "2.0", "id": id, "method": "state", "params": {"replica": 0}});
        caller.send(&line.to_string(), &id)?;
    }
    Ok(None)
}

fn end_of_input(bench: &Bench) -> Checked {
    begun(bench)?.close()?;
    Ok(None)
}

fn long_line(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    let spaces = " ".repeat(16 << 20);
    let line =
        format!(r#"{{"jsonrpc":"2.0","id":1,{spaces}"method":"state","params":{{"replica":0}}}}"#);
    match caller.send(&line, &Value::Null)?.0 {
        Answer::Error(_) => {}
        Answer::Result(_) => return Err(Missing("it was answered with a result".to_owned())),
    }
    result(&mut caller, "state", &json!({"replica": 0}))?;
    Ok(None)
}

fn shutdown(bench: &Bench) -> Checked {
    let mut sidecar = bench.open()?;
    crate::engine::Engine::start(&mut sidecar, &group())?;
    sidecar.shutdown()?;
    Ok(None)
}

fn later_minor(bench: &Bench) -> Checked {
    let mut params = start_params(&group());
    params["protocol"] = json!("milp-engine/2.9");
    params["from_the_future"] = json!({"x": 1});
    let mut caller = caller(bench)?;
    result(&mut caller, "initialise", &params)?;
    let params =
        json!({"replica": 0, "timer": timer(), "height": 0, "view": 0, "from_the_future": 1});
    result(&mut caller, "timeout", &params)?;
    Ok(None)
}

fn no_request(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    for (line, id, code) in [
        ("{\"jsonrpc\":", Value::Null, -32700),
        ("7", Value::Null, -32600),
        ("[]", Value::Null, -32600),
        (
            r#"{"jsonrpc":"2.0","method":"state","params":{"replica":0}}"#,
            Value::Null,
            -32600,
        ),
        (r#"{"jsonrpc":"2.0","id":5}"#, json!(5), -32600),
        (
            r#"{"jsonrpc":"2.0","id":6,"method":"dance","params":{}}"#,
            json!(6),
            -32601,
        ),
    ] {
        let (answer, _) = caller.send(line, &id)?;
        expect(line, answer, code)?;
    }
    Ok(None)
}

fn initialise_errors(bench: &Bench) -> Checked {
    let mut caller = caller(bench)?;
    let params = start_params(&group());
    for (method, params) in [
        ("deliver", json!({"replica": 0, "message": 1})),
        (
            "timeout",
            json!({"replica": 0, "timer": timer(), "height": 0, "view": 0}),
        ),
        ("crash", json!({"replica": 0})),
        ("restart", json!({"replica": 0})),
        ("advance", json!({"now": 1})),
        ("state", json!({"replica": 0})),
    ] {
        refused(&mut caller, method, &params, -32001)?;
    }
    let mut other = params.clone();
    other["protocol"] = json!("milp-engine/1.0");
    refused(&mut caller, "initialise", &other, -32001)?;
    result(&mut caller, "initialise", &params)?;
    refused(&mut caller, "initialise", &params, -32001)?;
    Ok(None)
}

fn bad_params(bench: &Bench) -> Checked {
    let mut caller = caller(bench)?;
    let params = start_params(&group());
    for (field, value) in [
        ("replicas", json!(0)),
        ("heights", json!(-1)),
        ("byzantine", json!([4])),
        ("block_time", json!("soon")),
        ("seed", json!(1.5)),
        ("signatures", json!("rsa")),
        ("recovery", Value::Null),
    ] {
        let mut bad = params.clone();
        bad[field] = value;
        refused(&mut caller, "initialise", &bad, -32602)?;
    }
    result(&mut caller, "initialise", &params)?;
    for (method, params) in [
        ("deliver", json!({"replica": 0})),
        ("deliver", json!([0, 1])),
        (
            "timeout",
            json!({"replica": 0, "timer": timer(), "height": -1, "view": 0}),
        ),
        (
            "timeout",
            json!({"replica": 0, "timer": "tea", "height": 0, "view": 0}),
        ),
        (
            "inject",
            json!({"replica": 3, "label": {"kind": "Vote", "height": 0, "view": 0}}),
        ),
        ("advance", json!({"now": "later"})),
    ] {
        refused(&mut caller, method, &params, -32602)?;
    }
    Ok(None)
}

fn wrong_replicas(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    let wish = json!({"kind": named(Role::Leave), "height": 0, "view": 0, "value": null,
        "justification": null});
    let with = |who: u32| {
        [
            ("deliver", json!({"replica": who, "message": 1})),
            (
                "timeout",
                json!({"replica": who, "timer": timer(), "height": 0, "view": 0}),
            ),
            ("crash", json!({"replica": who})),
        ]
    };
    let up = result(&mut caller, "inject", &json!({"replica": 3, "label": wish}))?;
    demand(up["message"] == json!(up["message"].as_u64()), || {
        format!("`inject` gives no id: {up}")
    })?;
    result(&mut caller, "crash", &json!({"replica": 1}))?;
    // No replica, a Byzantine one, one that is down.
    for who in [4, 3, 1] {
        for (method, mut params) in with(who) {
            if method == "deliver" {
                params["message"] = up["message"].clone();
            }
            refused(&mut caller, method, &params, -32002)?;
        }
    }
    for who in [4, 3, 0] {
        refused(&mut caller, "restart", &json!({"replica": who}), -32002)?;
    }
    for who in [4, 3] {
        refused(&mut caller, "state", &json!({"replica": who}), -32002)?;
    }
    for who in [4, 0] {
        let params = json!({"replica": who, "label": wish});
        refused(&mut caller, "inject", &params, -32002)?;
    }
    Ok(None)
}

fn unknown_message(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    let params = json!({"replica": 0, "message": 1_000_000});
    refused(&mut caller, "deliver", &params, -32003)?;
    Ok(None)
}

fn impossible_labels(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    let label = |kind: &str, height: u32, value: &Value| {
        json!({"replica": 3, "label":
            {"kind": kind, "height": height, "view": 0, "value": value, "justification": null}})
    };
    let value = |view: u32| json!({"view": view, "index": 0});
    let vote = named(Role::Vote);
    let mut justified = label(vote, 0, &value(0));
    justified["label"]["justification"] = json!(0);
    for params in [
        label(named(Role::Decision), 0, &value(0)),
        label(named(Role::Question), 0, &Value::Null),
        label(named(Role::Answer), 0, &Value::Null),
        label(vote, 2, &value(0)),
        label(vote, 0, &value(1)),
        label(vote, 0, &json!("nil")),
        label(named(Role::Leave), 7, &Value::Null),
        label(named(Role::Leave), 0, &value(0)),
        justified,
    ] {
        refused(&mut caller, "inject", &params, -32004)?;
    }
    // One of four views has another primary than replica 3, whatever the rotation.
    let mut answers = Vec::new();
    for view in 0..4 {
        let mut params = label(named(Role::Proposal), 0, &value(view));
        params["label"]["view"] = json!(view);
        answers.push(caller.call("inject", &params)?);
    }
    let refusals = answers
        .iter()
        .filter(|answer| matches!(answer, Answer::Error(error) if error.code == -32004));
    let count = refusals.count();
    demand(count > 0, || {
        "a proposal by replica 3 is made in each of views 0 to 3, whoever is the primary".to_owned()
    })?;
    Ok(Some(format!(
        "of views 0 to 3 replica 3 is the primary of {}",
        4 - count
    )))
}

fn backwards(bench: &Bench) -> Checked {
    let mut caller = begun(bench)?;
    result(&mut caller, "advance", &json!({"now": 5}))?;
    refused(&mut caller, "advance", &json!({"now": 4}), -32005)?;
    result(&mut caller, "advance", &json!({"now": 5}))?;
    Ok(None)
}

fn refused_changes_nothing(bench: &Bench) -> Checked {
    let mut texts = Vec::new();
    for disturb in [false, true] {
        let mut caller = begun(bench)?;
        if disturb {
            let past = json!({"replica": 0, "message": 1_000_000});
            refused(&mut caller, "deliver", &past, -32003)?;
            let block = json!({"replica": 3, "label":
                {"kind": named(Role::Decision), "height": 0, "view": 0, "value": {"view": 0, "index": 0}, "justification": null}});
            refused(&mut caller, "inject", &block, -32004)?;
            refused(&mut caller, "crash", &json!({"replica": 3}), -32002)?;
        }
        let mut text = String::new();
        for who in 0..3 {
            let fire = json!({"replica": who, "timer": timer(), "height": 0, "view": 0});
            text += &result(&mut caller, "timeout", &fire)?.to_string();
            text += &result(&mut caller, "state", &json!({"replica": who}))?.to_string();
        }
        texts.push(text);
    }
    demand(texts[0] == texts[1], || {
        format!(
            "after refusals it answers\n{}\nand otherwise\n{}",
            texts[1], texts[0]
        )
    })?;
    Ok(None)
}
