//! Termination: every correct replica decides every height, judged by how the heal phase ended.

use milp_schema::verdict::Liveness;

/// A note where the heal phase did not end in decisions: what it says of a state called stuck, or of
/// views that repeat.
pub(crate) fn termination(liveness: Liveness, says: Option<String>) -> Option<String> {
    match liveness {
        Liveness::Decided => None,
        Liveness::Stuck => says,
        Liveness::Open => Some(match says {
            Some(repeats) => format!("termination open: {repeats}"),
            None => "termination open: the step limit of the heal phase came first".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_end_without_decisions_gets_a_note() {
        assert_eq!(termination(Liveness::Decided, None), None);
        let stuck = Some("stuck: all".to_owned());
        assert_eq!(termination(Liveness::Stuck, stuck.clone()), stuck);
        assert!(termination(Liveness::Open, None).is_some());
        assert_eq!(
            termination(Liveness::Open, stuck),
            Some("termination open: stuck: all".to_owned())
        );
    }
}
