use super::super::Model;
pub(super) fn all(_model: &mut Model) {}
