//! "Sometimes some replica decides": a run in which nobody does proves nothing about safety.

use milp_schema::trace::{Phase, TraceEvent};

/// One sentence on the first decision, or that there is none.
pub(crate) fn sometimes(trace: &[TraceEvent]) -> String {
    let first = trace
        .iter()
        .find_map(|event| event.decided().map(|block| (event, block)));
    match first {
        None => "no replica decides".to_owned(),
        Some((event, block)) => {
            let phase = match event.phase {
                Phase::Schedule => "",
                Phase::Heal => " of the heal phase",
            };
            let (replica, slot) = (event.replica, event.slot);
            format!("some replica decides: replica {replica} decides {block} in slot {slot}{phase}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entered, event};
    use super::*;
    use milp_schema::trace::What;

    #[test]
    fn the_note_names_the_first_decision_or_says_there_is_none() {
        let trace = [entered(1, 1), event(What::Decide, 2, "Block v1 b0")];
        assert_eq!(sometimes(&trace[..1]), "no replica decides");
        assert_eq!(
            sometimes(&trace),
            "some replica decides: replica 2 decides h0v1b0 in slot 1"
        );
    }
}
