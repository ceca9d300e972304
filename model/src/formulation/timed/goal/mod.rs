//! What the adversary optimises; one file per goal.

mod counted;
mod finality;
mod fork;
mod idle;
mod rest;
mod slow;
mod stall;
mod views;
mod weighted;

use super::Timed;
use crate::error::Error;
use milp_schema::instance::Goal;

/// States the goal of the instance: its columns, its rows and the objective.
pub(crate) fn state(timed: &mut Timed) -> Result<(), Error> {
    timed.draft.objective = match timed.instance.goal {
        Goal::Fork => fork::objective(timed),
        Goal::Finality => finality::objective(timed),
        Goal::Stall => stall::objective(timed)?,
        Goal::Slow => slow::objective(timed),
        Goal::Views => views::objective(timed),
        Goal::Blame | Goal::Wasted { .. } => unreachable!("refused before anything is built"),
        Goal::Weighted {
            sense,
            blocks,
            views,
            messages,
        } => weighted::objective(timed, sense, [blocks, views, messages]),
    };
    Ok(())
}
