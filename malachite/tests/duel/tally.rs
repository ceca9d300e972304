//! What happened how often.

use super::{Act, Counts, Pair};
use milp_replay::engine::Effect;
use milp_schema::Value;

pub(super) fn count(counts: &mut Counts, act: &Act, effects: &[Effect], pair: &Pair) {
    let mut add = |what| *counts.entry(what).or_default() += 1;
    match act {
        Act::Advance(_) => add("clock advanced"),
        Act::Deliver(_, by, message) if pair.seats[by.index()].byzantine => {
            add(match message.value {
                Some(Value::Bad) => "Byzantine message for an invalid value",
                Some(Value::Nil) => "Byzantine message for nil",
                _ => "Byzantine message for a value",
            });
        }
        Act::Deliver(..) => add("honest message delivered"),
        Act::Fire(..) => add("timer fired"),
        Act::Crash(_) => add("crash"),
        Act::Restart(_) => add("restart"),
    }
    for effect in effects {
        match effect {
            Effect::Send { message, .. } => add(match message.value {
                Some(Value::Block { view, .. }) if view < message.view => {
                    "message for a value of an earlier view sent"
                }
                Some(Value::Nil) => "vote for nil sent",
                _ => "message for a value of its view sent",
            }),
            Effect::EnterView { view, .. } if view.0 > 2 => add("view above 2 entered"),
            Effect::EnterView { .. } => add("view 1 or 2 entered"),
            Effect::Decide { block, .. } if block.view.0 > 0 => add("decision above view 0"),
            Effect::Decide { .. } => add("decision in view 0"),
            Effect::Timer { .. } | Effect::Fault { .. } => {}
        }
    }
}
