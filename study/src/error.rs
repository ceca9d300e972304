//! One error for the whole crate.

use std::path::PathBuf;

/// What is done to a folder that is read.
pub(crate) const LIST: &str = "list";
/// What is done to something in it.
pub(crate) const LOOK: &str = "look at";

/// Why a study could not be carried out.
///
/// Limits, infeasible programs, violated properties and differences from what was expected are
/// results, not errors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that is not what it should be, with every problem found in it.
    #[error(transparent)]
    Read(#[from] milp_schema::read::ReadError),
    /// An instance that no formulation can build.
    #[error("this instance cannot be built: {0}")]
    Model(#[from] milp_model::Error),
    /// The solver broke down or contradicted itself.
    #[error("failed to solve: {0}")]
    Solver(#[from] milp_solver::Error),
    /// A schedule that is impossible on paper, or an engine that gave no answer.
    #[error("failed to replay: {0}")]
    Replay(#[from] milp_replay::Error),
    /// An adapter that failed, or refused what no engine refuses.
    #[error(transparent)]
    Engine(#[from] milp_replay::engine::EngineError),
    /// The limit of time or an interrupt came while a program was built, before anything was found.
    #[error(
        "{} while the program was built, nothing was found: {}lower `slots`, `views`, `heights` or \
         `replicas`",
        if *interrupted { "stopped" } else { "the limit of time came" },
        if *interrupted { "" } else { "give a longer --time-limit, or " }
    )]
    Stopped {
        /// Whether it was an interrupt.
        interrupted: bool,
    },
    /// A request that makes no sense, with what to do instead.
    #[error("{0}")]
    Refused(String),
    /// The operating system refused something.
    #[error("failed to {doing} {}: {source}", path.display())]
    Io {
        /// A verb phrase.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something that was just written cannot be expressed in its format.
    #[error("failed to write {what}: {why}")]
    Write {
        /// Which artefact.
        what: &'static str,
        /// What the writer says.
        why: String,
    },
}

impl From<milp_show::Error> for Error {
    fn from(error: milp_show::Error) -> Self {
        match error {
            milp_show::Error::Read(error) => Self::Read(error),
            milp_show::Error::Refused(why) => Self::Refused(why),
            milp_show::Error::Write { what, why } => Self::Write { what, why },
        }
    }
}

impl Error {
    /// Whether the input or the request is at fault rather than the program or the machine.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Read(_)
            | Self::Model(_)
            | Self::Refused(_)
            | Self::Solver(milp_solver::Error::NoSolver { .. }) => true,
            Self::Replay(error) => error.is_input(),
            // What cannot be looked at is as good as missing; what cannot be written is not.
            Self::Io { doing, .. } if [LIST, LOOK].contains(doing) => true,
            Self::Solver(_)
            | Self::Engine(_)
            | Self::Stopped { .. }
            | Self::Io { .. }
            | Self::Write { .. } => false,
        }
    }

    /// Whether an engine or its adapter gave no answer, which says nothing about any result.
    pub fn is_engine(&self) -> bool {
        match self {
            Self::Engine(_) => true,
            Self::Replay(error) => !error.is_input(),
            _ => false,
        }
    }

    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
