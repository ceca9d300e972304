//! `milp schema`: the JSON Schema of instance files, for editors.

use crate::{exit, print};

pub(crate) fn run() -> u8 {
    print::line(&format!("{:#}", milp_schema::json_schema::instance()));
    exit::DONE
}
