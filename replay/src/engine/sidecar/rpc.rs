//! JSON-RPC 2.0 over a [`Pipe`].

use super::{patience::Patience, pipe::Pipe, text::shown};
use crate::engine::{CommandLine, EngineError};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// A caller that numbers its requests.
#[derive(Debug)]
pub(crate) struct Caller {
    pipe: Pipe,
    asked: u64,
    /// Every answer, if it is kept.
    answers: Option<Vec<String>>,
    /// What went wrong: nothing is asked after that.
    broken: Option<EngineError>,
}

/// An answer that is as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// A result.
    Result(Value),
    /// An error.
    Error(Refusal),
}

/// A JSON-RPC error object.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    /// What kind.
    pub(crate) code: i64,
    /// In words.
    #[serde(deserialize_with = "shown_text")]
    pub(crate) message: String,
    /// Anything.
    #[serde(default, rename = "data")]
    _data: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    jsonrpc: String,
    id: Value,
    result: Option<Value>,
    error: Option<Refusal>,
}

impl Caller {
    /// Starts the adapter.
    pub(crate) fn open(command: &CommandLine, patience: Patience) -> Result<Self, EngineError> {
        Ok(Self {
            pipe: Pipe::open(command, patience)?,
            asked: 0,
            answers: None,
            broken: None,
        })
    }

    /// Makes a request.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Result<Answer, EngineError> {
        self.asked += 1;
        let id = json!(self.asked);
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let (answer, _) = self.send(&line.to_string(), &id)?;
        Ok(answer)
    }

    /// Sends a line as it is; the answer must have that id. Gives the answer as written, too.
    pub(crate) fn send(&mut self, line: &str, id: &Value) -> Result<(Answer, String), EngineError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let text = self.pipe.ask(line).map_err(|error| self.broke(error))?;
        if let Some(answers) = &mut self.answers {
            answers.push(text.clone());
        }
        match read(&text, id) {
            Ok(answer) => Ok((answer, text)),
            Err(why) => Err(self.fault(format!("answered `{}`: {why}", shown(&text)))),
        }
    }

    /// Keeps every answer from now on.
    pub(crate) fn keep_answers(&mut self) {
        self.answers = Some(Vec::new());
    }

    /// The answers kept.
    pub(crate) fn answers(&self) -> &[String] {
        self.answers.as_deref().unwrap_or_default()
    }

    /// The adapter is at fault; nothing is asked from now on.
    pub(crate) fn fault(&mut self, what: String) -> EngineError {
        let error = self.pipe.fault(what);
        self.broke(error)
    }

    /// Closes standard input and gives the exit code.
    pub(crate) fn close(&mut self) -> Result<Option<i32>, EngineError> {
        let status = self.pipe.close().map_err(|error| self.broke(error))?;
        Ok(status.code())
    }

    /// Whoever is at fault is ended at once.
    fn broke(&mut self, error: EngineError) -> EngineError {
        let mut error = error;
        if let (Some(left), EngineError::Adapter { what, .. }) = (self.pipe.end(), &mut error)
            && !what.ends_with(left)
        {
            *what += left;
        }
        self.broken = Some(error.clone());
        error
    }
}

/// Text of an adapter, fit to be shown.
fn shown_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from).map(|text| shown(&text))
}

/// Reads a response to the request with that id.
fn read(text: &str, id: &Value) -> Result<Answer, String> {
    let value: Value = serde_json::from_str(text).map_err(|_| "it is not JSON".to_owned())?;
    let response: Response = serde_json::from_value(value)
        .map_err(|error| format!("it is no response: {}", shown(&error.to_string())))?;
    if response.jsonrpc != "2.0" {
        return Err("its `jsonrpc` is not \"2.0\"".to_owned());
    }
    if response.id != *id {
        let found = shown(&response.id.to_string());
        return Err(format!("its id is {found}, not {id}"));
    }
    match (response.result, response.error) {
        (Some(result), None) => Ok(Answer::Result(result)),
        (None, Some(error)) => Ok(Answer::Error(error)),
        _ => Err("it has not one of `result` and `error`".to_owned()),
    }
}
