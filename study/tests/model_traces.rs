//! Traces of the TLA+ model become schedules: those written here come back as they were, those of
//! model checkers step by step.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use milp_schema::{Instance, Verdict, read};
use milp_study::{
    Recovery,
    confirm::{Engine, How},
    folder::{Driven, Folder},
    import::{self, Imported, Kind},
};
use serde_json::Value;
use std::path::Path;

const RESULTS: [&str; 7] = [
    "dbft2/tla/n4-fork",
    "dbft2/tla/n4-stall",
    "dbft2/tla/n4-stall-crash",
    "dbft2/tla/n4-stall-per-view",
    "dbft2/tla/n7-stall-crash",
    "dbft2/tla/n7-stall-per-view",
    "twins/dbft2/tla/n4-stall",
];

fn kept(name: &str) -> Driven {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    Driven::from(&Folder::read(&dir.join(name)).unwrap())
}

fn verdict(driven: &Driven) -> Verdict {
    let how = How {
        symbolic: true,
        recovery: Recovery::Ideal,
        compare: true,
    };
    driven.replay(&Engine::Own, how).unwrap().verdict
}

/// What was imported, as a later command reads it from its folder.
fn driven(imported: &Imported) -> Driven {
    let dir = tempfile::tempdir().unwrap();
    milp_study::folder::write(dir.path(), &imported.files).unwrap();
    let instance = dir.path().join("instance.yaml");
    Driven::read(&dir.path().join("schedule.csv"), Some(&instance)).unwrap()
}

/// The same trace as a model checker leaves it: nothing but the states.
fn foreign(text: &str) -> String {
    let mut document: Value = serde_json::from_str(text).unwrap();
    document.as_object_mut().unwrap().remove("#meta");
    for state in document["states"].as_array_mut().unwrap() {
        state.as_object_mut().unwrap().remove("#meta");
    }
    document.to_string()
}

#[test]
fn what_was_exported_comes_back_as_it_was() {
    for name in RESULTS {
        let result = kept(name);
        let text = result.itf().unwrap();
        assert_eq!(Kind::of(&text), Some(Kind::Model), "{name}");
        let imported = import::model("it.itf.json", &text, None).unwrap();
        assert_eq!(imported.lost, Vec::<String>::new());
        let text = |file: &str| String::from_utf8(imported.files[file].clone()).unwrap();
        let instance = read::instance_text("instance.yaml", &text("instance.yaml")).unwrap();
        assert_eq!(instance, result.instance, "{name}");
        for file in ["schedule.csv", "predictions.csv"] {
            let kept = std::fs::read_to_string(result.dir.join(file)).unwrap();
            assert_eq!(text(file), kept, "{name}: {file}");
        }
    }
}

#[test]
fn states_that_are_not_those_of_the_schedule_carried_are_refused() {
    let text = kept("dbft2/tla/n4-stall-crash").itf().unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["states"].as_array_mut().unwrap().pop();
    let error = import::model("it.itf.json", &document.to_string(), None).unwrap_err();
    assert!(error.to_string().contains("other ones"), "{error}");
}

#[test]
fn the_bare_states_become_a_schedule_with_the_same_end() {
    for name in RESULTS {
        let result = kept(name);
        let text = foreign(&result.itf().unwrap());
        assert_eq!(Kind::of(&text), Some(Kind::Model), "{name}");
        let expected = verdict(&result);
        let imported = import::model("it.itf.json", &text, Some(&result.instance)).unwrap();
        assert_eq!(imported.lost, Vec::<String>::new());
        let found = verdict(&driven(&imported));
        let same = |it: &Verdict| (it.agreement, it.lock, it.termination, it.divergences);
        assert_eq!(same(&found), same(&expected), "{name}: {found:?}");
        // Without an instance what is missing is taken from the trace, and said.
        let imported = import::model("it.itf.json", &text, None).unwrap();
        assert!(imported.lost[0].contains("MaxView"), "{:?}", imported.lost);
        assert!(verdict(&driven(&imported)).confirms(), "{name}");
    }
}

/// As TLC prints it: the primary proposes, replica 1 responds, replica 2 dies.
const TLC: &str = r#"Error: The behavior up to this point is:
State 1: <Initial predicate>
/\ msgs = {}
/\ rmState = ( 0 :> [type |-> "initialized", view |-> 0] @@
  1 :> [type |-> "initialized", view |-> 0] @@
  2 :> [type |-> "initialized", view |-> 0] @@
  3 :> [type |-> "initialized", view |-> 0] )

State 2: <RMSendPrepareRequest line 204, col 3 to line 209, col 31 of module dbft>
/\ msgs = {[rm |-> 0, type |-> "PrepareRequest", view |-> 0]}
/\ rmState = ( 0 :> [type |-> "prepareSent", view |-> 0] @@
  1 :> [type |-> "initialized", view |-> 0] @@
  2 :> [type |-> "initialized", view |-> 0] @@
  3 :> [type |-> "initialized", view |-> 0] )

State 3: <RMSendPrepareResponse line 216, col 3 to line 226, col 31 of module dbft>
/\ msgs = { [rm |-> 0, type |-> "PrepareRequest", view |-> 0],
  [rm |-> 1, type |-> "PrepareResponse", view |-> 0] }
/\ rmState = ( 0 :> [type |-> "prepareSent", view |-> 0] @@
  1 :> [type |-> "prepareSent", view |-> 0] @@
  2 :> [type |-> "initialized", view |-> 0] @@
  3 :> [type |-> "initialized", view |-> 0] )

State 4: <RMDie line 274, col 3 to line 277, col 19 of module dbft>
/\ msgs = { [rm |-> 0, type |-> "PrepareRequest", view |-> 0],
  [rm |-> 1, type |-> "PrepareResponse", view |-> 0] }
/\ rmState = ( 0 :> [type |-> "prepareSent", view |-> 0] @@
  1 :> [type |-> "prepareSent", view |-> 0] @@
  2 :> [type |-> "dead", view |-> 0] @@
  3 :> [type |-> "initialized", view |-> 0] )

State 5: Stuttering
"#;

/// The same as TLC dumps it in JSON, whose pairs are a set.
fn dumped() -> String {
    let seats = |kinds: [&str; 4]| {
        let seats = kinds.iter().enumerate();
        let seats = seats.map(|(id, kind)| {
            let seat = serde_json::json!({"type": kind, "view": 0});
            (id.to_string(), seat)
        });
        Value::Object(seats.collect())
    };
    let request = serde_json::json!({"rm": 0, "type": "PrepareRequest", "view": 0});
    let response = serde_json::json!({"rm": 1, "type": "PrepareResponse", "view": 0});
    let [new, sent, dead] = ["initialized", "prepareSent", "dead"];
    let states = serde_json::json!([
        [4, {"rmState": seats([sent, sent, dead, new]), "msgs": [request, response]}],
        [1, {"rmState": seats([new, new, new, new]), "msgs": []}],
        [2, {"rmState": seats([sent, new, new, new]), "msgs": [request]}],
        [3, {"rmState": seats([sent, sent, new, new]), "msgs": [request, response]}],
    ]);
    serde_json::json!({"action": [], "state": states}).to_string()
}

#[test]
fn what_tlc_prints_and_dumps_becomes_a_schedule() {
    let choices = "slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup\n\
                   3,crash,2,,,,,,,,,,,\n";
    let predictions = "slot,event,replica,kind,height,view,value,justification\n\
                       1,send,0,PrepareRequest,0,0,v0b0,\n\
                       2,send,1,PrepareResponse,0,0,v0b0,\n";
    for text in [TLC.to_owned(), dumped()] {
        assert_eq!(Kind::of(&text), Some(Kind::Model), "{text}");
        let imported = import::model("trace", &text, None).unwrap();
        let file = |name: &str| String::from_utf8(imported.files[name].clone()).unwrap();
        assert_eq!(file("schedule.csv"), choices);
        assert_eq!(file("predictions.csv"), predictions);
        let instance = read::instance_text("it", &file("instance.yaml")).unwrap();
        assert_eq!(
            (instance.replicas, instance.views, instance.slots),
            (4, 1, 3)
        );
        assert!(verdict(&driven(&imported)).confirms());
    }
}

#[test]
fn what_is_no_behaviour_of_the_model_is_refused_with_its_state() {
    let instance = |name: &str| -> Instance { kept(name).instance };
    let refused = |text: &str, given: Option<&Instance>, words: &str| {
        let error = import::model("trace", text, given).unwrap_err().to_string();
        assert!(
            error.starts_with("trace: ") && error.contains(words),
            "{words}: {error}"
        );
    };
    // A response without a request.
    let broken = TLC.replace("[rm |-> 0, type |-> \"PrepareRequest\", view |-> 0],\n", "");
    refused(&broken, None, "leads to state 3");
    refused(
        &TLC.replace("\"PrepareResponse\"", "\"Prepare\""),
        None,
        "type `Prepare`",
    );
    refused(
        &TLC.replace("view |-> 0] )", "view |-> 7] )"),
        None,
        "state 1: view 7",
    );
    refused(
        &TLC.replace("0 :>", "9 :>"),
        None,
        "rmState is of 4 replicas",
    );
    refused(
        &TLC.replace(" @@\n", "\n"),
        None,
        "the state in line 2: expected `@@`",
    );
    refused(
        TLC,
        Some(&instance("dbft2/tla/n7-stall-crash")),
        "of 4 replicas, the instance of 7",
    );
    refused(
        TLC,
        Some(&instance("dbft2/n4-stall")),
        "no text of the model called `dbft2`",
    );
    // The lock of the first text is none of the second one, and the other way round.
    let text = foreign(&kept("dbft2/tla/n4-stall-per-view").itf().unwrap());
    let other = instance("dbft2/tla/n4-stall");
    let end = import::model("trace", &text, Some(&other)).map(|it| verdict(&driven(&it)));
    let stuck = verdict(&kept("dbft2/tla/n4-stall-per-view")).termination;
    assert!(end.is_err() || end.unwrap().termination != stuck);
}
