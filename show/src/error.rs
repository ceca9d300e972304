//! Why something could not be shown.

/// Why something could not be shown, or read back from what was shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that is not what it should be, with every problem found in it.
    #[error(transparent)]
    Read(#[from] milp_schema::read::ReadError),
    /// A request that makes no sense, with what to do instead.
    #[error("{0}")]
    Refused(String),
    /// Something that cannot be expressed in its format.
    #[error("failed to write {what}: {why}")]
    Write {
        /// Which artefact.
        what: &'static str,
        /// What the writer says.
        why: String,
    },
}
