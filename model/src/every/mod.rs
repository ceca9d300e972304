//! A program for every number of replicas at once: n, f and b are columns of it.
//!
//! Over the ground form (`ground`) it counts how many replicas take which step. Its coefficients are
//! affine in n, f and b, and all that are no numbers stand at binaries, so that a certificate is a
//! tree over binaries whose leaves are closed by integer combinations of rows, for all n at once
//! (`docs/CERTIFICATES.md`). Built symbolically: n is never a number here but where fewer replicas
//! than views are asked for, since then one leads several of them.

mod affine;
mod build;
mod decode;
mod encode;
mod family;
mod lemmas;
mod merged;
mod one;
mod program;
mod question;
mod rest;
mod rows;
mod walk;

pub use crate::ground::Lemma;
pub use affine::Affine;
pub use build::of;
pub use decode::decode;
pub use family::{Family, Point};
pub use lemmas::{candidates, lemma, with_lemmas};
pub use one::{Built, of_one, of_one_with};
pub use program::{Kind, Line, Parametric, Unknown};
pub use question::{Region, at_least};
