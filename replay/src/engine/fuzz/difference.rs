//! What differs between two observations, field by field.

use std::fmt;

/// One field in which the engines differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What the first engine says.
    pub a: String,
    /// What the second one says.
    pub b: String,
}

/// Where two engines differ; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(pub Vec<Field>);

impl Difference {
    pub(super) fn one(name: &str, a: String, b: String) -> Self {
        let name = name.to_owned();
        Self(vec![Field { name, a, b }])
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Field { name, a, b } in &self.0 {
            writeln!(out, "{name}\n  a: {a}\n  b: {b}")?;
        }
        Ok(())
    }
}

pub(super) mod compare {
    //! Effects and states side by side.

    use super::{Difference, Field};
    use crate::engine::{Effect, MessageId, State, Working, said};
    use milp_schema::ReplicaId;

    /// The first effect that differs, numbers of messages and words of faults aside.
    pub(in super::super) fn answers(
        a: &Result<Vec<Effect>, String>,
        b: &Result<Vec<Effect>, String>,
    ) -> Option<Difference> {
        let (a, b) = match (a, b) {
            (Ok(a), Ok(b)) => (a, b),
            // The engines word their refusals as they like.
            (Err(_), Err(_)) => return None,
            _ => {
                let text = |side: &Result<Vec<Effect>, String>| match side {
                    Ok(effects) => format!("{} effects", effects.len()),
                    Err(why) => why.clone(),
                };
                return Some(Difference::one("the answer", text(a), text(b)));
            }
        };
        let place = (0..a.len().max(b.len()))
            .find(|&place| a.get(place).map(bare) != b.get(place).map(bare))?;
        let text = |side: &[Effect]| {
            side.get(place)
                .map_or("nothing more".to_owned(), Effect::to_string)
        };
        let name = format!("effect {}", place + 1);
        Some(Difference::one(&name, text(a), text(b)))
    }

    /// The effect without what may differ.
    fn bare(effect: &Effect) -> Effect {
        let mut effect = effect.clone();
        match &mut effect {
            Effect::Send { id, .. } => *id = MessageId(0),
            Effect::Fault { text, .. } => text.clear(),
            Effect::EnterView { .. } | Effect::Decide { .. } | Effect::Timer { .. } => {}
        }
        effect
    }

    /// Every field of a state that differs.
    pub(in super::super) fn states(
        who: ReplicaId,
        a: &Result<State, String>,
        b: &Result<State, String>,
    ) -> Option<Difference> {
        let mut fields = Vec::new();
        match (a, b) {
            (Ok(State::Working(a)), Ok(State::Working(b))) => working(a, b, &mut fields),
            (Err(_), Err(_)) => {}
            _ => field("where it is", a, b, shown, &mut fields),
        }
        for field in &mut fields {
            field.name = format!("state of {who}: {}", field.name);
        }
        (!fields.is_empty()).then_some(Difference(fields))
    }

    fn working(a: &Working, b: &Working, out: &mut Vec<Field>) {
        field("height", &a.height, &b.height, ToString::to_string, out);
        field("view", &a.view, &b.view, ToString::to_string, out);
        field("votes", &a.votes, &b.votes, |it| said::all(it), out);
        field("entry", &a.entry, &b.entry, |it| said::all(it), out);
        field("bonds", &a.bonds, &b.bonds, |it| said::all(it), out);
        field("seen", &a.seen, &b.seen, |seen| said::seen(seen), out);
        field("timers", &a.timers, &b.timers, |it| said::all(it), out);
    }

    /// A state, or why there is none.
    fn shown(state: &Result<State, String>) -> String {
        state.as_ref().map_or_else(String::clone, State::to_string)
    }

    fn field<T: PartialEq>(
        name: &str,
        a: &T,
        b: &T,
        said: impl Fn(&T) -> String,
        out: &mut Vec<Field>,
    ) {
        if a != b {
            out.push(Field {
                name: name.to_owned(),
                a: said(a),
                b: said(b),
            });
        }
    }
}
