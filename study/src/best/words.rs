//! What a projection sees, in words that a cell of a table takes.

use milp_model::formulation::projection::{Happens, Place, Subject};
use milp_schema::schedule::Value;
use std::collections::BTreeMap;

/// What is said together: where, whether it is a decision, what, and whose message it is about.
type Group<'a> = (Option<Place>, bool, &'a Happens, Option<u32>);

/// What is seen, say `Commit in view 0: 0 1 2; decided in view 0: 1`; copies that arrive are left
/// out.
pub(super) fn of<'a>(subjects: impl Iterator<Item = &'a Subject>) -> String {
    let mut groups: BTreeMap<Group, Vec<String>> = BTreeMap::new();
    for subject in subjects.filter(|subject| !matches!(subject.what, Happens::Got(_))) {
        // With two replicas the first is the one that counts.
        let (first, last) = match subject.replicas.as_slice() {
            [one] => (None, one),
            [first, .., last] => (Some(first.0), last),
            [] => continue,
        };
        // Votes come before decisions.
        let what = &subject.what;
        let key = (subject.place, *what == Happens::Decided, what, first);
        groups.entry(key).or_default().push(last.0.to_string());
    }
    let words = groups
        .into_iter()
        .map(|((place, _, what, first), replicas)| {
            let of = first.map_or(String::new(), |first| format!(" of {first}"));
            let place = place.map_or(String::new(), place_words);
            let what = match what {
                Happens::Counts(act, kinds) => {
                    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                    format!("{act}{of}{place} counts {}", kinds.join(" or "))
                }
                Happens::Injected(kind) => format!("injected {}{of}{place}", kind.name()),
                Happens::Sent(kind) | Happens::Got(kind) => format!("{}{of}{place}", kind.name()),
                Happens::Did(name) | Happens::Fault(name) => {
                    format!("{}{of}{place}", name.replace('_', " "))
                }
                Happens::Fired(timer, what) => format!("timer {timer} fires for {what}{of}{place}"),
                Happens::Entered => format!("entered{of}{place}"),
                Happens::Decided => format!("decided{of}{place}"),
            };
            format!("{what}: {}", replicas.join(" "))
        });
    words.collect::<Vec<_>>().join("; ")
}

fn place_words(place: Place) -> String {
    let height = match place.height.0 {
        0 => String::new(),
        height => format!(" at height {height}"),
    };
    let value = match place.value {
        None | Some(Value::Block { index: 0, .. }) if own(place) => String::new(),
        Some(Value::Block { index, .. }) if own(place) => format!(" block {index}"),
        Some(Value::Block { view, index: 0 }) => format!(" block of view {view}"),
        Some(Value::Block { view, index }) => format!(" block {index} of view {view}"),
        Some(value) => format!(" {value}"),
        None => String::new(),
    };
    let justified = place.justification;
    let justified = justified.map(|view| format!(" justified by view {view}"));
    let justified = justified.unwrap_or_default();
    format!("{height} in view {}{value}{justified}", place.view.0)
}

/// Whether a value is of the view in which it is named, or none is.
fn own(place: Place) -> bool {
    match place.value {
        Some(Value::Block { view, .. }) => view == place.view,
        _ => place.value.is_none(),
    }
}
