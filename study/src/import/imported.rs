//! What an import gives: the files of a result, as far as the original has them.

use crate::folder::{PREDICTIONS, SCHEDULE};
use milp_schema::{Choice, Instance, protocol::WRITTEN, write};
use milp_show::export::Carried;
use std::{collections::BTreeMap, path::PathBuf};

/// The instance of a schedule, where there is no outcome to have it.
pub const INSTANCE: &str = "instance.yaml";

/// The files of a result, and what of the original is not in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Files by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// One sentence each.
    pub lost: Vec<String>,
    /// What is known now, in one sentence.
    pub sentence: String,
    /// Where below `out/` it belongs, if the file says so.
    pub place: Option<PathBuf>,
}

/// A schedule with its instance.
pub(super) fn carried_files(carried: &Carried) -> Imported {
    let mut files = skeleton(&carried.instance, &carried.schedule.choices);
    if carried.predicted {
        let predictions = write::predictions_csv(&carried.schedule.predictions);
        files.insert(PREDICTIONS.to_owned(), predictions.into_bytes());
    }
    Imported {
        files,
        lost: Vec::new(),
        sentence: "the schedule that was exported; what was proved of it is not in the file"
            .to_owned(),
        place: None,
    }
}

/// An instance and choices, without predictions.
pub(super) fn skeleton(instance: &Instance, choices: &[Choice]) -> BTreeMap<String, Vec<u8>> {
    let given = instance.protocol.given();
    let protocol = given.map(|text| (WRITTEN.to_owned(), text.as_bytes().to_vec()));
    let files = [
        (
            INSTANCE.to_owned(),
            write::instance_yaml(instance).into_bytes(),
        ),
        (
            SCHEDULE.to_owned(),
            write::choices_csv(choices).into_bytes(),
        ),
    ];
    files.into_iter().chain(protocol).collect()
}
