//! What `--json` prints: one document, whatever a command has to say.

use milp_schema::read::Problem;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Mutex;

/// The version of every document.
const VERSION: &str = "2.0";

/// What a run has to say, in place of the text it prints otherwise.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Document {
    /// `milp-<command>/2.0`, `milp-protocols/2.0` of `milp protocol`, whose own name protocol files
    /// have, or `milp-error/2.0` for a command line that names no command.
    pub(crate) format: String,
    /// The exit code.
    pub(crate) exit: u8,
    /// What was found, in the command's own fields; `null` when the run failed.
    pub(crate) result: Option<Value>,
    /// Tables of names and values; numbers are numbers, all else is text.
    pub(crate) facts: Vec<Map<String, Value>>,
    /// Tables with a header, one object for each row; numbers are numbers, all else is text.
    pub(crate) tables: Vec<Vec<Map<String, Value>>>,
    /// Sentences.
    pub(crate) lines: Vec<String>,
    /// Remarks that go to standard error otherwise.
    pub(crate) notes: Vec<String>,
    /// Why the run failed, if it did.
    pub(crate) error: Option<Failure>,
}

/// Why a run failed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Failure {
    /// Everything, as standard error has it without `--json`, but for quoted lines of files.
    pub(crate) message: String,
    /// What is wrong with a file, problem by problem; empty for other failures.
    pub(crate) problems: Vec<Place>,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Place {
    /// The file as it was named.
    pub(crate) file: String,
    /// The line, from 1; 0 when the file as a whole is meant.
    pub(crate) line: usize,
    /// The character in the line, from 1; 0 when the file as a whole is meant.
    pub(crate) column: usize,
    /// What is wrong and what was expected.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) hint: String,
}

impl From<&Problem> for Place {
    fn from(problem: &Problem) -> Self {
        Self {
            file: problem.file.clone(),
            line: problem.line,
            column: problem.column,
            what: problem.what.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// The format of the documents of a command.
fn format(command: &str) -> String {
    let plural = if command == "protocol" { "s" } else { "" };
    format!("milp-{command}{plural}/{VERSION}")
}

impl Document {
    /// Nothing said yet.
    pub(crate) fn new(command: &str) -> Self {
        Self {
            format: format(command),
            exit: 0,
            result: None,
            facts: Vec::new(),
            tables: Vec::new(),
            lines: Vec::new(),
            notes: Vec::new(),
            error: None,
        }
    }

    /// The schema of the documents of a command whose result is an `R`.
    pub(crate) fn schema<R: JsonSchema>(command: &str) -> Value {
        let mut schema = schemars::schema_for!(Self).to_value();
        let mut result = schemars::schema_for!(R).to_value();
        let definitions = result.as_object_mut().and_then(|it| it.remove("$defs"));
        if let Some(Value::Object(more)) = definitions {
            let known = schema["$defs"].as_object_mut();
            known.expect("a document has definitions").extend(more);
        }
        if let Some(result) = result.as_object_mut() {
            result.remove("$schema");
        }
        schema["title"] = format!("What `milp {command} --json` prints").into();
        schema["properties"]["format"]["const"] = format(command).into();
        schema["properties"]["result"] = serde_json::json!({"anyOf": [result, {"type": "null"}]});
        schema
    }
}

/// The document of this run, if it is to end with one.
static CURRENT: Mutex<Option<Document>> = Mutex::new(None);

/// From now on what is said goes into a document.
pub(crate) fn begin(command: &str) {
    with(|current| *current = Some(Document::new(command)));
}

/// Lets `add` add to the document; `false` if there is none.
pub(crate) fn add(add: impl FnOnce(&mut Document)) -> bool {
    with(|current| current.as_mut().map(add).is_some())
}

/// The document, which then is none any more.
pub(crate) fn take() -> Option<Document> {
    with(Option::take)
}

/// What was found, in fields of the command's own.
pub(crate) fn result<R: Serialize + JsonSchema>(result: &R) {
    add(|document| {
        let value = serde_json::to_value(result);
        document.result = Some(value.expect("results are plain data"));
    });
}

fn with<T>(f: impl FnOnce(&mut Option<Document>) -> T) -> T {
    let mut current = CURRENT
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    f(&mut current)
}
