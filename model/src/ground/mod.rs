//! A protocol with its indices filled in, for one height: acts, what each needs and what bars it.
//!
//! What a pattern matches is said here, once; formulations see sets of records. Acts do not depend
//! on the replica but for its role in the view, so that the size does not depend on n.

mod form;
mod guilt;
mod lemmas;
mod lower;
mod meet;
mod order;
mod pattern;
pub mod run;

pub use form::{
    Act, Ground, Letters, MOST_ACTS, Need, Own, Proof, Quorum, Record, Setting, Value, Values,
};
pub use guilt::Guilt;
pub(crate) use lemmas::Beside;
pub use lemmas::Lemma;
pub use meet::Meet;
pub(crate) use order::adopts;
