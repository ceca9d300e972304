//! An engine in another process, behind an adapter that speaks `docs/ENGINE-PROTOCOL.md`.
//!
//! Nothing it answers is taken on trust: an answer that the page does not allow is an error that
//! names what is wrong with it, and from then on the adapter is not asked again.

mod group;
pub(crate) mod patience;
mod pipe;
mod raw;
pub(crate) mod rpc;
pub(crate) mod text;
pub(crate) mod wire;

use super::{CommandLine, Effect, Engine, EngineError, MessageId, Nanos, Start, State};
use milp_schema::{Height, Message, ReplicaId, View};
use patience::Patience;
use rpc::{Answer, Caller};
use serde_json::{Value, json};
use std::time::Duration;
use wire::Known;

/// How long an answer may take unless something else is said.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// An adapter at work. Its process ends with this value.
#[derive(Debug)]
pub struct Sidecar {
    caller: Caller,
    command: String,
    /// From `start` on.
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    known: Known,
    engine: String,
    version: String,
}

impl Sidecar {
    /// Starts the process; each of its answers may take as long as `limit`, and all of them that
    /// long and a little for each. It ends with this value, and with this process.
    ///
    /// # Errors
    /// [`EngineError::Adapter`] if it cannot be started.
    pub fn open(command: &CommandLine, limit: Duration) -> Result<Self, EngineError> {
        Self::open_with(command, Patience::with_a_run(limit))
    }

    pub(crate) fn open_with(
        command: &CommandLine,
        patience: Patience,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            caller: Caller::open(command, patience)?,
            command: command.to_string(),
            run: None,
        })
    }

    /// The version of the engine, once the run has begun.
    pub fn version(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.version.as_str())
    }

    /// The requests and answers in bytes.
    pub(crate) fn caller(&mut self) -> &mut Caller {
        &mut self.caller
    }

    /// Ends the run in good order.
    ///
    /// # Errors
    /// [`EngineError::Adapter`] if the adapter does not end with exit code 0.
    pub fn shutdown(mut self) -> Result<(), EngineError> {
        let result = self.ask("shutdown", &json!({}))?;
        if result != json!({}) {
            return Err(self.nonsense("shutdown", "the result is not {}"));
        }
        match self.caller.close()? {
            Some(0) => Ok(()),
            Some(code) => Err(self.fault(format!("ended with exit code {code} after `shutdown`"))),
            None => Err(self.fault("was ended by a signal after `shutdown`".to_owned())),
        }
    }

    /// Makes a request and gives its result.
    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, EngineError> {
        match self.caller.call(method, params)? {
            Answer::Result(result) => Ok(result),
            Answer::Error(refusal) => match refusal.code {
                -32602 | -32005..=-32001 => Err(EngineError::Refused {
                    act: format!("{method} {params}"),
                    why: format!("{} ({})", refusal.message, refusal.code),
                }),
                code => Err(self.fault(format!(
                    "answered `{method}` with error {code}, which has no place there: {}",
                    refusal.message
                ))),
            },
        }
    }

    /// Makes a request and reads its result.
    fn read<T>(
        &mut self,
        method: &str,
        params: &Value,
        read: impl FnOnce(&mut Known, Value) -> Result<T, String>,
    ) -> Result<T, EngineError> {
        if self.run.is_none() {
            return Err(not_begun(method, params));
        }
        let result = self.ask(method, params)?;
        let Some(run) = &mut self.run else {
            return Err(not_begun(method, params));
        };
        read(&mut run.known, result).map_err(|why| self.nonsense(method, &why))
    }

    fn effects(&mut self, method: &str, params: &Value) -> Result<Vec<Effect>, EngineError> {
        self.read(method, params, Known::effects)
    }

    fn nonsense(&mut self, method: &str, why: &str) -> EngineError {
        self.fault(format!("answered `{method}` against the protocol: {why}"))
    }

    fn fault(&mut self, what: String) -> EngineError {
        self.caller.fault(what)
    }
}

fn not_begun(method: &str, params: &Value) -> EngineError {
    EngineError::Refused {
        act: format!("{method} {params}"),
        why: "the run has not begun".to_owned(),
    }
}

impl Engine for Sidecar {
    fn shutdown(self: Box<Self>) -> Result<(), EngineError> {
        Self::shutdown(*self)
    }

    fn name(&self) -> String {
        match &self.run {
            Some(run) => run.engine.clone(),
            None => self.command.clone(),
        }
    }

    fn start(&mut self, start: &Start) -> Result<Vec<Effect>, EngineError> {
        let params = wire::start_params(start);
        if self.run.is_some() {
            return Err(EngineError::Refused {
                act: format!("initialise {params}"),
                why: "the run has begun before: one process is one run".to_owned(),
            });
        }
        let result = self.ask("initialise", &params)?;
        let mut known = Known::of(start);
        let begun = known
            .begun(result)
            .map_err(|why| self.nonsense("initialise", &why))?;
        self.run = Some(Run {
            known,
            engine: begun.engine,
            version: begun.version,
        });
        Ok(begun.effects)
    }

    fn deliver(&mut self, to: ReplicaId, id: MessageId) -> Result<Vec<Effect>, EngineError> {
        self.effects("deliver", &json!({"replica": to, "message": id.0}))
    }

    fn timeout(
        &mut self,
        at: ReplicaId,
        timer: &str,
        (height, view): (Height, View),
    ) -> Result<Vec<Effect>, EngineError> {
        let params = json!({"replica": at, "timer": timer, "height": height, "view": view});
        self.effects("timeout", &params)
    }

    fn inject(&mut self, by: ReplicaId, message: &Message) -> Result<MessageId, EngineError> {
        let params = json!({"replica": by, "label": wire::label(message)});
        self.read("inject", &params, Known::injected)
    }

    fn crash(&mut self, who: ReplicaId) -> Result<Vec<Effect>, EngineError> {
        self.effects("crash", &json!({"replica": who}))
    }

    fn restart(&mut self, who: ReplicaId, _backup: bool) -> Result<Vec<Effect>, EngineError> {
        self.effects("restart", &json!({"replica": who}))
    }

    fn advance(&mut self, now: Nanos) -> Result<Vec<Effect>, EngineError> {
        self.effects("advance", &json!({"now": now}))
    }

    fn state(&mut self, who: ReplicaId) -> Result<State, EngineError> {
        let read = |known: &mut Known, result| known.state(result);
        self.read("state", &json!({"replica": who}), read)
    }
}
