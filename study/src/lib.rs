//! What needs both the optimiser and the replay: solve and say, confirm, keep, check again.
//!
//! [`solve`] goes from an instance to an outcome and a schedule, [`confirm`] drives replicas with
//! a schedule, [`verify`] derives again what a result claims, [`promote`] keeps a confirmed result and [`regress`] checks what was kept.
//! [`show`] hands over what there is to show of a result, [`minimize`] finds one with fewer acts, [`best`] gives the worst that differ,
//! [`mod@pareto`] says how much damage how much effort does, [`mod@sweep`] solves many instances.
//! [`learn`] solves until an engine confirms the schedule. [`folder`] knows the files of a result, [`sentence`] the words of one.

pub mod ask;
pub mod attack;
pub mod bench;
pub mod beside;
pub mod best;
mod clock;
pub mod confirm;
pub mod cubes;
mod deepen;
mod error;
pub mod every;
pub mod evidence;
pub mod expected;
pub mod folder;
pub mod import;
pub mod junit;
pub mod learn;
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
pub use milp_replay::Recovery;
