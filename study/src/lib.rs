//! What needs both the optimiser and the replay: solve and say, confirm, keep, check again.
//!
//! [`solve`] goes from an instance to an outcome and a schedule, [`confirm`] drives replicas with
//! a schedule, [`promote`] keeps a confirmed result and [`regress`] checks what was kept.
//! [`learn`] solves until an engine confirms the schedule. [`folder`] knows the files of a result, [`sentence`] the words of one.

pub mod confirm;
mod error;
pub mod expected;
pub mod export;
pub mod folder;
pub mod import;
mod junit;
pub mod learn;
pub mod promote;
pub mod regress;
pub mod sentence;
pub mod size;
pub mod solve;
mod start;
pub mod template;

pub use error::Error;
pub use milp_replay::Recovery;
