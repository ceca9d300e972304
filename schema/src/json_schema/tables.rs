//! The JSON Schemas of rows of tables: an object with what the row fills in.

use crate::write::{CHOICE_COLUMNS, PREDICTION_COLUMNS};
use serde_json::{Map, Value, json};

/// A row of `schedule.csv`: one act of the adversary. Numbers are whole and not negative.
pub fn choices() -> Value {
    let acts = [
        ("deliver", "The network hands a copy to its receiver."),
        ("drop", "A copy is lost for ever."),
        ("timeout", "A timer of a replica fires."),
        (
            "inject",
            "A Byzantine replica makes a copy for one receiver.",
        ),
        (
            "crash",
            "A replica stops, before anything else of that slot.",
        ),
        ("restart", "A crashed replica returns."),
    ];
    let means = [
        "When; rows ascend by it, and those of one slot are handled in their order.",
        "Which act.",
        "Who: the receiver of a copy, the sender of one that is injected, or whose timer, crash or \
         restart it is.",
        "The other end of a copy: its sender, or the receiver of one that is injected.",
        "The kind of the message, as the protocol's file names it.",
        "The height of the message, or the one the timer was armed for.",
        "The view of the message, or the one the timer was armed for.",
        "What the message names, if it names anything.",
        "The view of the votes that justify the message.",
        "Which of the timers of the protocol fires.",
        "The slot in which the copy was sent; an injected copy is sent in the slot of its row.",
        "`slot` less `sent`.",
        "Tells equal copies apart that are sent in one slot to one receiver: 0 for the first.",
        "`yes` if the replica comes back with its local backup, `no` if it forgot what it did.",
    ];
    let says = "A row of `schedule.csv`: one act of the adversary. What a row does not need is \
                empty there, and not here.";
    row(("milp schedule", says), &CHOICE_COLUMNS, means, &acts)
}

/// A row of `predictions.csv`: one thing that the program says an honest replica does.
pub fn predictions() -> Value {
    let events = [
        (
            "send",
            "Broadcasts a message; one row, whatever the number of receivers.",
        ),
        ("enter_view", "Enters a view above 0."),
        ("decide", "Regards a block as final."),
    ];
    let means = [
        "When; rows ascend by it.",
        "What.",
        "Who.",
        "The kind of the message.",
        "The height of the message, the view or the block.",
        "The view of the message, or the one entered; the value of a block has its own.",
        "What the message names, or the block decided.",
        "The view of the votes that justify the message.",
    ];
    let says = "A row of `predictions.csv`: one thing that the program says an honest replica does. \
                What a row does not need is empty there, and not here.";
    row(
        ("milp predictions", says),
        &PREDICTION_COLUMNS,
        means,
        &events,
    )
}

fn row<const N: usize>(
    (title, says): (&str, &str),
    columns: &[&str; N],
    means: [&str; N],
    words: &[(&str, &str)],
) -> Value {
    let number = || json!({"type": "integer", "minimum": 0});
    let mut keys = Map::new();
    for (column, means) in columns.iter().zip(means) {
        let mut key = match *column {
            "choice" | "event" => {
                let one = |(word, says): &(&str, &str)| json!({"const": word, "description": says});
                json!({"oneOf": words.iter().map(one).collect::<Vec<_>>()})
            }
            "kind" | "timer" => json!({"type": "string"}),
            "value" => json!({"type": "string", "pattern": "^(v[0-9]+b[0-9]+|nil|bad)$"}),
            "backup" => json!({"enum": ["yes", "no"]}),
            "delay" => json!({"type": "integer", "minimum": 1}),
            _ => number(),
        };
        key["description"] = json!(means);
        keys.insert((*column).to_owned(), key);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": says,
        "type": "object",
        "additionalProperties": false,
        "required": columns[..3],
        "properties": keys,
    })
}
