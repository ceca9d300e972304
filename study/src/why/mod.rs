//! Why no schedule is worse: which rules stand in the way, and what each of them is for.
//!
//! A *rule* is a group of families ([`Group`](milp_model::group::Group)). Taking it away is dropping its rows, and with
//! them the valid rows whose proof needs it. What the goal means stays. With fewer rows more
//! schedules are allowed, so both questions here are about programs that get weaker:
//!
//! - [`why_not`]: the smallest set of rules that together make a value impossible;
//! - [`necessity`]: the optimum without each single rule.

mod necessity;
mod smallest;
mod weaker;
mod words;

pub use necessity::{Necessity, Optimum, necessity};
pub use smallest::{Needed, WhyNot, why_not};
pub use weaker::{How, Present, present, stays, without};
pub use words::{necessity_words, why_not_words};
