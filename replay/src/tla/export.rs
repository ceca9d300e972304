//! A behaviour for other tools: Apalache's ITF, and a module with which TLC confirms it.

use super::{
    behaviour::{self, Behaviour},
    end::End,
    state::State,
};
use crate::Error;
use milp_schema::{Instance, ReplicaId, Schedule, instance::FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The behaviour that a schedule says.
fn whole(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
) -> Result<Behaviour, Error> {
    let behaviour = behaviour::follow(instance, faulty, schedule)?;
    match behaviour.refused {
        Some(why) => Err(Error::NoBehaviour { why }),
        None => Ok(behaviour),
    }
}

/// The states of a behaviour in the Informal Trace Format: variables `rmState` and `msgs`; the
/// `#meta` of a state names the action that led to it.
///
/// # Errors
/// A schedule that is no behaviour of the instance's model.
pub fn itf(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
) -> Result<Value, Error> {
    let behaviour = whole(instance, faulty, schedule)?;
    let actions = behaviour
        .steps
        .iter()
        .map(|step| format!("{}({})", step.action, step.replica));
    let actions = ["Init".to_owned()].into_iter().chain(actions);
    let states = actions.zip(&behaviour.states).enumerate();
    let states: Vec<Value> = states
        .map(|(index, (action, state))| itf_state(index, &action, state))
        .collect();
    Ok(json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "source": "dbft.tla",
            "description": instance.protocol.to_string(),
            "varTypes": {
                "rmState": "Int -> { type: Str, view: Int }",
                "msgs": "Set({ rm: Int, type: Str, view: Int })",
            },
        },
        "vars": ["rmState", "msgs"],
        "states": states,
    }))
}

fn itf_state(index: usize, action: &str, state: &State) -> Value {
    let int = |number: u32| json!({"#bigint": number.to_string()});
    let seats = ReplicaId::all(state.seats.len() as u32).map(|id| {
        let seat = state.seat(id);
        json!([int(id.0), {"type": seat.kind.name(), "view": int(seat.view.0)}])
    });
    let messages = state
        .pool
        .messages()
        .map(|(kind, id, view)| json!({"type": kind.text(), "rm": int(id.0), "view": int(view.0)}));
    json!({
        "#meta": {"index": index, "action": action},
        "rmState": {"#map": seats.collect::<Vec<_>>()},
        "msgs": {"#set": messages.collect::<Vec<_>>()},
    })
}

/// A module `Trace` that extends the published `dbft` and allows nothing but the behaviour, action
/// by action; `docs/protocols/Trace.cfg` is its configuration. TLC finds a deadlock where an action
/// is not enabled, and a violated invariant where the last state is not the one found here, or is
/// stuck on one side only.
///
/// # Errors
/// A schedule that is no behaviour of the instance's model.
pub fn module(
    instance: &Instance,
    faulty: &[(ReplicaId, FaultKind)],
    schedule: &Schedule,
) -> Result<String, Error> {
    let behaviour = whole(instance, faulty, schedule)?;
    let spec = &behaviour.spec;
    let set = |ids: &BTreeSet<ReplicaId>| braced(ids.iter().map(ReplicaId::to_string));
    let end = behaviour.steps.len() + 1;
    let next = steps(&behaviour);
    let last = behaviour.last();
    let (seats, messages) = state(last);
    let stuck = match spec.end(last) {
        End::Stuck => "Stuck",
        End::Decided | End::Open(..) | End::OutOfViews(_) => "~Stuck",
    };
    Ok(format!(
        r#"---- MODULE Trace ----
\* A behaviour of module dbft, for protocol {protocol}.
EXTENDS dbft

TraceRM == {all}
TraceRMFault == {fault}
TraceRMDead == {dead}
TraceMaxView == {max_view}

VARIABLE position

End == {end}

TraceInit == Init /\ position = 1

TraceNext ==
{next}  \/ position = End /\ UNCHANGED <<vars, position>>

EndState == position = End =>
{seats}  /\ msgs = {messages}

\* Some honest replica can take an action of the protocol that changes something.
CanAct(r) ==
  /\ rmState[r].type \notin {{"bad", "dead"}}
  /\ ENABLED <<RMSendPrepareRequest(r) \/ RMSendPrepareResponse(r) \/ RMSendCommit(r)
       \/ RMAcceptBlock(r) \/ RMSendChangeView(r) \/ RMReceiveChangeView(r)>>_vars

Stuck ==
  /\ Cardinality({{r \in RM : rmState[r].type = "blockAccepted"}}) < M
  /\ \A r \in RM : ~CanAct(r)

EndIsStuckOrNot == position = End => {stuck}
====
"#,
        all = braced(spec.replicas().map(|id| id.to_string())),
        fault = set(&spec.fault),
        dead = set(&spec.dead),
        max_view = spec.max_view,
        protocol = instance.protocol,
    ))
}

/// The disjuncts of `TraceNext`, one for each step.
fn steps(behaviour: &Behaviour) -> String {
    let steps = behaviour.steps.iter().zip(1..);
    let steps = steps.map(|(step, position)| {
        let (action, replica, after) = (step.action, step.replica, position + 1);
        format!("  \\/ position = {position} /\\ position' = {after} /\\ {action}({replica})\n")
    });
    steps.collect()
}

/// The conjuncts about `rmState` of a state, and its `msgs`.
fn state(state: &State) -> (String, String) {
    let seats = state.seats.iter().enumerate().map(|(id, seat)| {
        let (kind, view) = (seat.kind, seat.view);
        format!("  /\\ rmState[{id}] = [type |-> \"{kind}\", view |-> {view}]\n")
    });
    let messages = state.pool.messages().map(|(kind, id, view)| {
        format!("\n       [type |-> \"{kind}\", rm |-> {id}, view |-> {view}]")
    });
    let messages = messages.collect::<Vec<_>>().join(",");
    (seats.collect(), format!("{{{messages}}}"))
}

/// `{a, b, c}`.
fn braced(members: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}
