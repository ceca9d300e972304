//! Acceptance guards.

use super::super::columns::Causal;

pub(in super::super) fn guards(_causal: &mut Causal) {}
