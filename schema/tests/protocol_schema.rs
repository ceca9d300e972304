//! The JSON Schema of protocol files says what the reader does, as far as JSON Schema can.

use milp_schema::protocol;
use serde_json::Value;

/// Whether `value` satisfies `schema`, patterns aside, for the keywords that it uses; any other
/// keyword is a failure of the test.
fn valid(schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else {
        return schema.as_bool().expect("an object or a boolean");
    };
    let object = value.as_object();
    let array = value.as_array();
    let size = |given: &Value| given.as_u64().expect("a number") as usize;
    schema
        .iter()
        .all(|(keyword, given)| match keyword.as_str() {
            "type" => match given {
                Value::Array(all) => all.iter().any(|given| is(given, value)),
                given => is(given, value),
            },
            "const" => given == value,
            "enum" => given.as_array().is_some_and(|all| all.contains(value)),
            "required" => object.is_none_or(|object| {
                let mut keys = given.as_array().into_iter().flatten();
                keys.all(|key| object.contains_key(key.as_str().expect("a key")))
            }),
            "properties" => object.is_none_or(|object| {
                let mut keys = object.iter();
                keys.all(|(key, value)| given.get(key).is_none_or(|given| valid(given, value)))
            }),
            "additionalProperties" => object.is_none_or(|object| {
                let named = schema.get("properties").and_then(Value::as_object);
                let other = |key: &String| named.is_none_or(|named| !named.contains_key(key));
                let mut others = object.iter().filter(|(key, _)| other(key));
                others.all(|(_, value)| valid(given, value))
            }),
            "items" => array.is_none_or(|items| items.iter().all(|item| valid(given, item))),
            "maxItems" => array.is_none_or(|items| items.len() <= size(given)),
            "minProperties" => object.is_none_or(|object| object.len() >= size(given)),
            "maxProperties" => object.is_none_or(|object| object.len() <= size(given)),
            "maxLength" => value
                .as_str()
                .is_none_or(|it| it.chars().count() <= size(given)),
            "minimum" => value.as_i64().is_none_or(|it| it >= size(given) as i64),
            "pattern" | "propertyNames" | "$schema" | "title" | "description" => true,
            other => panic!("unknown keyword {other}"),
        })
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().expect("one type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("unknown type {other}"),
    }
}

fn schema_accepts(text: &str) -> bool {
    let value: serde_yaml::Value = serde_yaml::from_str(text).expect("plain YAML");
    let value = serde_json::to_value(value).expect("what JSON can say");
    valid(&protocol::json_schema(), &value)
}

#[test]
fn shipped_files_satisfy_their_schema() {
    for definition in protocol::shipped() {
        assert!(schema_accepts(&definition.text), "{}", definition.words);
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses_too() {
    let good = &protocol::named("tendermint").expect("it is shipped").text;
    for (part, by) in [
        ("name: tendermint\n", ""),
        ("page: docs/protocols/tendermint.md\n", ""),
        ("quorum: n - f\n", ""),
        ("timers: [propose, prevote, precommit]\n", ""),
        ("format: milp-protocol/2.0", "format: milp-protocol/1.0"),
        ("messages: copies", "messages: letters"),
        ("messages: copies", "messages: copies\nchain: maybe"),
        ("messages: copies", "messages: copies\nrounds: 3"),
        (
            "ahead: take, passed: take, sent: rule, tally: prevotes",
            "sent: rule",
        ),
        ("names: any_value, justified: true", "names: anything"),
        ("justified: true, by: primary", "justified: 3, by: primary"),
        ("shape: circle", "shape: star"),
        ("dash: [10, 4]", "dash: [-1]"),
        ("final: true}\n#", "final: perhaps}\n#"),
        (
            "- 65-67: \"enter(v) <- timer precommit\"",
            "- 65-67: {enter: 1}",
        ),
        (
            "- 65-67: \"enter(v) <- timer precommit\"",
            "- 65-67: a\n  68: b",
        ),
        ("    says: \"nobody looks at its lock\"\n", ""),
        ("drop: [\"own valid(<v, *)\"]", "drop: \"own valid(<v, *)\""),
    ] {
        assert_eq!(good.matches(part).count(), 1, "{part}");
        let text = good.replace(part, by);
        assert!(
            !schema_accepts(&text),
            "the schema takes `{by}` for `{part}`"
        );
        assert!(
            protocol::read_text("file", &text).is_err(),
            "`{by}` is read for `{part}`"
        );
    }
}
