//! A protocol that exists only in tests: rules are data, so `timed` solves it as it is.

#[path = "support/toy.rs"]
mod toy;

use milp_model::rule::Threshold;
use milp_schema::{read, schedule::Event, write};
use toy::{WORDS, echo_broadcast, question};

fn worst(threshold: Threshold) -> (i64, usize) {
    let (value, decoded) = toy::worst(&echo_broadcast(threshold));
    let choices = write::choices_csv(&decoded.schedule.choices);
    let choices = read::choices_text(*WORDS, "schedule.csv", &choices);
    assert_eq!(choices.as_ref(), Ok(&decoded.schedule.choices));
    let predictions = write::predictions_csv(&decoded.schedule.predictions);
    let predictions = read::predictions_text(*WORDS, "predictions.csv", &predictions);
    assert_eq!(predictions.as_ref(), Ok(&decoded.schedule.predictions));
    read::check_schedule(&question(), &decoded.schedule, "toy").expect("it fits");
    let predictions = decoded.schedule.predictions.iter();
    let decisions = predictions.filter(|it| matches!(it.event, Event::Decide(_)));
    (value, decisions.count())
}

#[test]
fn a_quorum_of_echoes_delivers_one_value_whatever_the_offerer_does() {
    let (blocks, decisions) = worst(Threshold::Quorum);
    assert_eq!(blocks, 1);
    assert!(decisions >= 1, "the schedule predicts who delivers");
}

#[test]
fn with_fewer_echoes_an_equivocating_offerer_makes_two() {
    let (blocks, decisions) = worst(Threshold::QuorumLessOne);
    assert_eq!(blocks, 2);
    assert!(decisions >= 2);
}
