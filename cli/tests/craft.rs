//! What every command has: one JSON document that fits its schema, help, completions, manual
//! pages; and errors that quote the line.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use serde_json::Value;
use std::process::Command;
use support::{SMALL, Scratch};

/// Whether a value fits a schema, for the keywords that the schemas of documents use.
fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return (schema == &Value::Bool(true))
            .then_some(())
            .ok_or("false".into());
    };
    for (keyword, given) in schema {
        let fine = match keyword.as_str() {
            "$ref" => {
                let pointer = given.as_str().unwrap().trim_start_matches('#');
                fits(root, root.pointer(pointer).unwrap(), value)?;
                true
            }
            "anyOf" => {
                let mut all = given.as_array().unwrap().iter();
                all.any(|one| fits(root, one, value).is_ok())
            }
            "properties" => {
                for (key, schema) in given.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        fits(root, schema, value).map_err(|why| format!("{key}: {why}"))?;
                    }
                }
                true
            }
            "required" => given.as_array().unwrap().iter().all(|key| {
                value
                    .as_object()
                    .is_none_or(|object| object.contains_key(key.as_str().unwrap()))
            }),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    fits(root, given, item)?;
                }
                true
            }
            "type" => match given {
                Value::Array(types) => types.iter().any(|name| is(name, value)),
                name => is(name, value),
            },
            "const" => given == value,
            "minimum" | "maximum" => {
                let (limit, number) = (given.as_f64(), value.as_f64());
                number.is_none() || (number >= limit) == (keyword == "minimum") || number == limit
            }
            "minItems" | "maxItems" => {
                let (limit, array) = (given.as_u64(), value.as_array());
                let length = array.map(|array| array.len() as u64);
                length.is_none() || (length >= limit) == (keyword == "minItems") || length == limit
            }
            "additionalProperties" if given.is_object() => {
                let named = |key: &str| schema.get("properties").and_then(|it| it.get(key));
                for (key, value) in value.as_object().into_iter().flatten() {
                    if named(key).is_none() {
                        fits(root, given, value).map_err(|why| format!("{key}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => given == &Value::Bool(true),
            "$schema" | "$defs" | "title" | "description" | "format" => true,
            _ => panic!("the test does not know {keyword}"),
        };
        if !fine {
            return Err(format!("{value} does not fit {keyword}: {given}"));
        }
    }
    Ok(())
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the test does not know {other}"),
    }
}

/// Runs with `--json`: the document must be all there is, and fit.
fn document(scratch: &Scratch, arguments: &str) -> Value {
    let command = arguments.split(' ').next().unwrap();
    // What follows is all an adapter's own behind its program.
    let ran = scratch.run(&format!("--json {arguments}"));
    let document: Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{arguments}: {error}: {ran:?}"));
    assert_eq!(document["exit"], ran.code.unwrap(), "{arguments}");
    let schema = scratch.run(&format!("schema --of {command}")).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    if let Err(why) = fits(&schema, &schema, &document) {
        panic!("{arguments}: {why}");
    }
    document
}

#[test]
fn every_command_prints_one_document_that_fits_its_schema() {
    let scratch = Scratch::new();
    scratch.put("instances/small.yaml", SMALL);
    scratch.put(
        "sweep.yaml",
        "format: milp-sweep/2.0\nbase: instances/small.yaml\nover:\n  views: [1, 2]\n",
    );
    let every = SMALL.replace("replicas: 4", "replicas: any");
    scratch.put("every.yaml", &every);
    let protocol = milp_schema::protocol::named("tendermint").unwrap();
    scratch.put("mine/protocol.yaml", &protocol.text);
    let runs = [
        ("check instances/small.yaml", 0),
        ("solve instances/small.yaml --quiet", 0),
        ("solve every.yaml --quiet --out out/every", 0),
        ("verify out/every", 0),
        ("resilience every.yaml", 0),
        ("ask instances/small.yaml --quiet", 0),
        ("replay out/small", 0),
        ("verify out/small", 0),
        ("cubes instances/small.yaml --quiet --out out/cubes", 0),
        ("bench instances/small.yaml", 0),
        ("explain out/small", 0),
        ("minimize out/small --quiet", 0),
        ("report out/small", 0),
        ("pareto instances/small.yaml --effort timeouts --quiet", 0),
        ("sweep sweep.yaml --quiet --out out/swept", 0),
        ("promote out/small", 0),
        ("regress", 0),
        ("export instances/small.yaml --lp", 0),
        ("export instances/small.yaml --mps --out small.mps", 0),
        ("export out/small --itf --out small.json", 0),
        ("import small.json --out back", 0),
        ("schema", 0),
        ("new mine.yaml", 0),
        ("completions zsh", 0),
        ("man pages", 0),
        ("engine check false", 1),
        ("protocol list", 0),
        (
            "protocol check mine/protocol.yaml --quiet --executions 3 --corners 1 --seconds 20 --states 1000",
            0,
        ),
        ("fuzz --engine nspcc-dbft --steps 50", 0),
    ];
    let mut seen = vec!["doctor".to_owned()];
    for (arguments, code) in runs {
        let document = document(&scratch, arguments);
        assert_eq!(document["exit"], code, "{arguments}: {document:#}");
        assert!(document["result"].is_object(), "{arguments}: {document:#}");
        assert!(document["error"].is_null(), "{arguments}: {document:#}");
        seen.push(arguments.split(' ').next().unwrap().to_owned());
    }
    // Whatever this machine lacks.
    assert!(document(&scratch, "doctor")["result"]["findings"].is_array());
    let help = scratch.run("--help").stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in commands.take_while(|line| !line.is_empty()) {
        // A long description goes on in a line of its own.
        if line.starts_with("   ") {
            continue;
        }
        let command = line.split_whitespace().next().unwrap().to_owned();
        let known = seen.contains(&command) || command == "help";
        assert!(known, "{command} is not run here");
    }
}

#[test]
fn what_is_found_is_in_fields_of_their_own() {
    let scratch = Scratch::new();
    scratch.put("small.yaml", SMALL);
    let solved = document(&scratch, "solve small.yaml --quiet");
    assert_eq!(solved["result"]["primal"], 1);
    assert_eq!(solved["result"]["proved"], true);
    assert_eq!(solved["result"]["goal"], "fork");
    assert!(solved["facts"][0]["seconds"].is_f64(), "{solved}");
    let replayed = document(&scratch, "replay out/small");
    assert_eq!(replayed["result"]["verdicts"][0]["agreement"], "holds");
    assert_eq!(
        replayed["result"]["verdicts"][0]["divergences"], 0,
        "{replayed}"
    );
}

#[test]
fn failures_are_documents_too() {
    let scratch = Scratch::new();
    scratch.put(
        "broken.yaml",
        &SMALL.replace("replicas: 4", "replicas: four"),
    );
    let broken = document(&scratch, "check broken.yaml");
    assert_eq!(broken["exit"], 2);
    assert!(broken["result"].is_null());
    let problem = &broken["error"]["problems"][0];
    assert_eq!(
        (&problem["line"], &problem["column"]),
        (&3.into(), &11.into())
    );
    let ran = scratch.run("frobnicate --json");
    assert_eq!(ran.code, Some(2));
    let wrong: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(wrong["format"], "milp-error/2.0");
    let schema: Value = serde_json::from_str(&scratch.run("schema --of error").stdout).unwrap();
    fits(&schema, &schema, &wrong).unwrap();
}

#[test]
fn a_broken_line_is_quoted_without_colours_in_a_pipe() {
    let scratch = Scratch::new();
    scratch.put(
        "broken.yaml",
        &SMALL.replace("replicas: 4", "replicas: four"),
    );
    let ran = scratch.run("check broken.yaml");
    assert!(ran.stderr.contains("[broken.yaml:3:11]"), "{ran:?}");
    assert!(ran.stderr.contains("3 | replicas: four"), "{ran:?}");
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn a_new_instance_is_valid_and_replaces_nothing() {
    let scratch = Scratch::new();
    assert_eq!(scratch.run("new mine.yaml --goal stall").code, Some(0));
    let first = scratch.text("mine.yaml");
    let again = scratch.run("new mine.yaml");
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("is there already"), "{again:?}");
    assert_eq!(scratch.text("mine.yaml"), first);
    // An editor finds the schema that the file names.
    let named = first
        .lines()
        .find_map(|line| line.strip_prefix("# yaml-language-server: $schema="));
    let schema = scratch.text(named.expect("the line for editors"));
    assert_eq!(schema, scratch.run("schema").stdout);
    assert_eq!(scratch.run("check mine.yaml").code, Some(0));
    let wrong = scratch.run("new other.yaml --goal win");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("`goal` must be"), "{wrong:?}");
    assert!(!scratch.path("other.yaml").exists());
}

#[test]
fn bash_takes_the_completions_and_they_complete() {
    let scratch = Scratch::new();
    let script = scratch.run("completions bash").stdout;
    let path = scratch.put("milp.bash", &script);
    let complete = "source \"$1\"; COMP_WORDS=(milp rep); COMP_CWORD=1; _milp milp rep milp; \
                    echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash")
        .args(["-c", complete, "bash"])
        .arg(path)
        .output()
        .unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(
        words.split_whitespace().any(|word| word == "replay"),
        "{words}"
    );
    for (shell, words) in [("zsh", "#compdef milp"), ("fish", "complete -c milp")] {
        let script = scratch.run(&format!("completions {shell}")).stdout;
        assert!(script.contains(words), "{shell}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let scratch = Scratch::new();
    assert_eq!(scratch.run("man pages").code, Some(0));
    let names = scratch.names("pages");
    for name in ["milp.1", "milp-solve.1", "milp-replay.1", "milp-man.1"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let page = scratch.text("pages/milp-solve.1");
    for part in ["EXIT STATUS", "EXAMPLES", "NO_COLOR"] {
        assert!(page.contains(part), "{page}");
    }
}
