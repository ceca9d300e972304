//! `--set KEY=VALUE`: values in place of those of an instance file.

use milp_schema::{Every, Instance, read};
use std::path::Path;

/// Values put into the instance.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Set {
    /// A value in place of the file's own, by its key, say replicas=7, faults.0.count=2 or
    /// goal=stall; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
}

impl Set {
    /// The instance of a file with these values.
    pub(crate) fn read(&self, file: &Path) -> Result<Instance, read::ReadError> {
        read::instance_with(file, &self.values)
    }

    /// The question of every number of replicas, if the file asks that and no value is put into it.
    pub(crate) fn every(&self, file: &Path) -> Result<Option<Every>, read::ReadError> {
        if self.values.is_empty() {
            read::every(file)
        } else {
            Ok(None)
        }
    }

    /// The instance of a text, whose protocol file is named from here.
    pub(crate) fn read_text(&self, file: &str, text: &str) -> Result<Instance, read::ReadError> {
        let here = read::Near::Folder(Path::new(""));
        read::instance_near_with(file, text, here, &self.values)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').unzip();
    match (key.filter(|key| !key.is_empty()), value) {
        (Some(key), Some(value)) => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, say replicas=7".to_owned()),
    }
}
