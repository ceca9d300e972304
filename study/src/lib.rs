//! What needs both the optimiser and the replay: solve and say, confirm, keep, check again.
//!
//! Most need two functions: [`solve()`] goes from an instance to an outcome with a schedule, and
//! [`replay()`] drives replicas with it.
//!
//! ```
//! let file = std::path::Path::new("../instances/dbft2/n4-stall-crash.yaml");
//! let instance = milp_schema::read::instance(file)?;
//! let solution = milp_study::solve(&instance)?;
//! let said = solution.said();
//! assert_eq!(said.answer, "no block of height 0 can be decided any more");
//! assert!(solution.outcome.proved);
//! let verdict = milp_study::replay(&solution)?;
//! assert_eq!(verdict.divergences, Some(0));
//! assert_eq!(verdict.termination, milp_schema::verdict::Liveness::Stuck);
//! # Ok::<(), milp_study::Error>(())
//! ```
//!
//! What else there is, a module each: [`mod@solve`] with limits, progress and an interrupt,
//! [`confirm`] on other replicas and engines, [`verify`] derives again what a result claims,
//! [`promote`] keeps a confirmed result and [`regress`] checks what was kept.
//! [`show`] hands over what there is to show of a result, [`minimize`] finds one with fewer acts, [`best`] gives the worst that differ,
//! [`mod@pareto`] says how much damage how much effort does, [`mod@sweep`] solves many instances.
//! [`learn`] solves until an engine confirms the schedule. [`folder`] knows the files of a result, [`sentence`] the words of one.

pub mod ask;
pub mod attack;
pub mod bench;
mod beside;
pub mod best;
mod clock;
pub mod confirm;
pub mod cubes;
mod deepen;
mod error;
pub mod every;
mod evidence;
pub mod expected;
pub mod folder;
mod front;
pub mod import;
pub mod junit;
pub mod learn;
mod lemmas;
pub mod minimize;
pub mod pareto;
pub mod promote;
pub mod protocol_check;
pub mod reading;
pub mod regress;
pub mod resilience;
pub mod sentence;
pub mod show;
pub mod size;
pub mod solve;
mod start;
pub mod sweep;
pub mod template;
#[cfg(test)]
mod testing;
pub mod verify;
pub mod what_if;
pub mod why;

pub use error::Error;
pub use front::{replay, solve};
pub use milp_replay::Recovery;
