//! `milp schema`: the JSON Schema of instance files, for editors.

use crate::{exit, print};
use milp_study::Error;

pub(crate) fn run() -> Result<u8, Error> {
    print::line(&format!("{:#}", milp_schema::json_schema::instance()));
    Ok(exit::DONE)
}
