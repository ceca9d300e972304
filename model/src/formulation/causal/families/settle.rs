//! Final states where acceptance is guarded.

use super::super::columns::Causal;

pub(super) fn final_states(_causal: &mut Causal, _stall: bool) {}
