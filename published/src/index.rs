//! The published indices: one-based, in the published order.

use std::fmt;

/// Which primary of a view a message is about: none said in dBFT 1.0 and 2.0, 1 or 2 in dBFT 3.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Priority(pub(crate) Option<u32>);

/// What has no priority, a request to leave a view say.
pub(crate) const PLAIN: Priority = Priority(None);

impl Priority {
    /// The indices of a column or row that starts with the priority, if there is one.
    pub(crate) fn then<const N: usize>(self, rest: [u32; N]) -> Index {
        Index(self.0.into_iter().chain(rest).collect())
    }
}

/// The indices of a column or of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Index(pub(crate) Vec<u32>);

impl<const N: usize> From<[u32; N]> for Index {
    fn from(indices: [u32; N]) -> Self {
        Self(indices.to_vec())
    }
}

impl fmt::Display for Index {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let all: Vec<String> = self.0.iter().map(u32::to_string).collect();
        write!(out, "({})", all.join(","))
    }
}
