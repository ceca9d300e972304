//! What people look at: a schedule and its trace in words, pictures and the formats of other tools.
//!
//! Whoever drives replicas hands in what they did as plain data: the trace, the verdict, the
//! outcome. [`report`] makes a page or a picture of it, [`explain`] tells it in words, [`export`] writes
//! the schedule in the formats of other tools, [`plot`] draws curves of many results. [`acts`] says
//! what the adversary does, [`known`] what replicas know at every moment of a trace. No model, no
//! solver and no replica is needed here.

pub mod acts;
mod error;
mod expected;
pub mod explain;
pub mod export;
pub mod known;
pub mod plot;
pub mod report;
pub mod words;

pub use error::Error;
