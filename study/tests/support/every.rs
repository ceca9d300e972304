//! Questions about every number of replicas.

use super::settings;
use milp_schema::{
    Every,
    read::{self, Near},
};
use milp_study::{
    every::{Answer, solve},
    solve::Request,
};
use std::sync::atomic::AtomicBool;

/// The question of a text.
pub(crate) fn every(text: &str) -> Every {
    let every = read::every_near("question", text, Near::Nothing);
    every.expect("a question").expect("for every n")
}

/// What is answered within a minute.
pub(crate) fn answered(every: &Every) -> Answer {
    let settings = settings(60.0, true);
    let request = Request {
        instance: &every.instance,
        settings: &settings,
        warm_start: None,
        adequacy: false,
        command: "milp solve",
    };
    let stop = AtomicBool::new(false);
    solve(every, &request, &stop, &mut |_| {}).expect("an answer")
}
