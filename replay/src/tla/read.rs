//! A behaviour that a model checker wrote, state by state, as a schedule.

use super::{
    action::{REVISIONS, Spec},
    behaviour::Step,
    search::{StuckBehaviour, as_schedule, successors},
    state::{KINDS, MAX_VIEW, Pool, Seat, State, Type},
};
use crate::Error;
use milp_schema::{ReplicaId, View};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A behaviour that was read, one action per slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Which text of the model it is of: a protocol.
    pub protocol: &'static str,
    /// Whether it is one of the other text as well.
    pub of_both: bool,
    /// N.
    pub replicas: u32,
    /// The highest view that a replica reaches.
    pub last_view: View,
    /// The behaviour.
    pub behaviour: StuckBehaviour,
}

/// The schedule of a behaviour. States are objects of `rmState` and `msgs` as the Informal Trace
/// Format has them, or as the plain JSON of other tools; a state that repeats the one before is
/// left out. Who turns bad or dies is faulty. Of `protocol`, if given, else of the first text of the
/// model that has every step.
///
/// # Errors
/// [`Error::NoTrace`] with the first state that is none, or that no action leads to.
pub fn read(states: &[Value], protocol: Option<&str>) -> Result<Read, Error> {
    let no_trace = |why: String| Error::NoTrace { why };
    let numbered = states.iter().enumerate();
    let states = numbered.map(|(index, value)| {
        let state = state(value);
        state.map_err(|why| no_trace(format!("state {}: {why}", index + 1)))
    });
    let states = states.collect::<Result<Vec<_>, _>>()?;
    let first = states.first();
    let first = first.ok_or_else(|| no_trace("it has no states".to_owned()))?;
    let replicas = first.seats.len() as u32;
    if *first != State::initial(replicas) {
        return Err(no_trace(
            "state 1 is not the initial state of the model".to_owned(),
        ));
    }
    let ever = |kind: Type| {
        let seats = states.iter().flat_map(|state| state.seats.iter().zip(0..));
        let them = seats.filter(|(seat, _)| seat.kind == kind);
        them.map(|(_, id)| ReplicaId(id)).collect::<BTreeSet<_>>()
    };
    let seats = states.iter().flat_map(|state| &state.seats);
    let last_view = seats.map(|seat| seat.view).max().unwrap_or_default();
    let of = |revision| {
        let spec = Spec {
            revision,
            replicas,
            max_view: last_view,
            fault: ever(Type::Bad),
            dead: ever(Type::Dead),
        };
        way(&spec, &states).map(|way| as_schedule(&spec, &way))
    };
    let wanted = REVISIONS
        .iter()
        .filter(|(name, _)| protocol.is_none_or(|protocol| protocol == *name));
    let found = wanted.map(|(name, revision)| (*name, of(*revision)));
    let mut found = found.collect::<Vec<_>>();
    let of_both = found.iter().filter(|(_, found)| found.is_ok()).count() > 1;
    let at = found.iter().position(|(_, found)| found.is_ok());
    if found.is_empty() {
        return Err(no_trace(format!(
            "there is no text of the model called `{}`",
            protocol.unwrap_or_default()
        )));
    }
    let (protocol, behaviour) = found.swap_remove(at.unwrap_or(0));
    Ok(Read {
        protocol,
        of_both,
        replicas,
        last_view,
        behaviour: behaviour.map_err(no_trace)?,
    })
}

/// The steps between the states, each with the state before it.
fn way(spec: &Spec, states: &[State]) -> Result<Vec<(State, Step)>, String> {
    let pairs = states.iter().zip(&states[1..]).zip(2..);
    let moves = pairs.filter(|((before, after), _)| before != after);
    let steps = moves.map(|((before, after), number)| {
        let mut steps = successors(spec, before).into_iter();
        let step = steps.find(|(_, next)| next == after);
        let (step, _) = step.ok_or_else(|| {
            format!("no action of the model leads to state {number} from the one before it")
        })?;
        Ok((before.clone(), step))
    });
    steps.collect()
}

fn state(value: &Value) -> Result<State, String> {
    let variable = |name: &str| value.get(name).ok_or_else(|| format!("there is no {name}"));
    let mut seats = BTreeMap::new();
    for (id, value) in function(variable("rmState")?)? {
        let seat = Seat {
            kind: kind(field(value, "type")?)?,
            view: view(field(value, "view")?)?,
        };
        seats.insert(id, seat);
    }
    let replicas = seats.len() as u32;
    if seats.keys().copied().ne(0..replicas) || !(4..=u64::BITS).contains(&replicas) {
        return Err(format!(
            "rmState is of {replicas} replicas, and not of 4 to 64 that are numbered from 0"
        ));
    }
    let mut pool = Pool::default();
    for message in set(variable("msgs")?)? {
        let name = field(message, "type")?.as_str().unwrap_or_default();
        let kind = KINDS.into_iter().find(|kind| kind.text() == name);
        let kind = kind.ok_or_else(|| format!("the model has no message of type `{name}`"))?;
        let sender = number(field(message, "rm")?)?;
        if sender >= replicas {
            return Err(format!("a message is from replica {sender}"));
        }
        pool.insert(kind, ReplicaId(sender), view(field(message, "view")?)?);
    }
    Ok(State {
        seats: seats.into_values().collect(),
        pool,
    })
}

fn field<'a>(record: &'a Value, name: &str) -> Result<&'a Value, String> {
    let field = record.get(name);
    field.ok_or_else(|| format!("a record has no `{name}`: {record}"))
}

fn kind(value: &Value) -> Result<Type, String> {
    let mut all = Type::ALL.into_iter();
    let found = all.find(|kind| value.as_str() == Some(kind.name()));
    found.ok_or_else(|| format!("a replica cannot be {value}"))
}

fn view(value: &Value) -> Result<View, String> {
    match number(value)? {
        view if view <= MAX_VIEW => Ok(View(view)),
        view => Err(format!(
            "view {view} is beyond {MAX_VIEW}, the last one of the model"
        )),
    }
}

/// An integer: plain, as a `#bigint`, or as the name of a key.
fn number(value: &Value) -> Result<u32, String> {
    let text = value.get("#bigint").unwrap_or(value);
    let number = match text {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    number.ok_or_else(|| format!("{value} is no number of a replica or a view"))
}

/// A function of replicas: pairs in a `#map`, or an object.
fn function(value: &Value) -> Result<Vec<(u32, &Value)>, String> {
    if let Some(pairs) = value.get("#map").and_then(Value::as_array) {
        let pairs = pairs
            .iter()
            .map(|pair| match pair.as_array().map(Vec::as_slice) {
                Some([key, value]) => Ok((number(key)?, value)),
                _ => Err(format!("{pair} is no pair of a map")),
            });
        return pairs.collect();
    }
    let object = value.as_object();
    let object = object.ok_or_else(|| format!("{value} is no function of replicas"))?;
    let pairs = object.iter();
    pairs
        .map(|(key, value)| Ok((number(&Value::String(key.clone()))?, value)))
        .collect()
}

/// A set: a `#set`, or an array.
fn set(value: &Value) -> Result<&Vec<Value>, String> {
    let elements = value.get("#set").unwrap_or(value);
    let elements = elements.as_array();
    elements.ok_or_else(|| format!("{value} is no set"))
}
