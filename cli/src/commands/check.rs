//! `milp check`: validates an instance and counts its program.

use crate::{exit, print};
use milp_schema::read;
use milp_study::{
    Error,
    size::{Size, tag_name},
};
use std::path::PathBuf;

/// The instance.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let instance = read::instance(&args.file)?;
    let built = milp_model::build(&instance)?;
    let size = Size::of(built.program());
    print::rows(
        ["rows of", "rows", "nonzeros", "tag", "equations", "line"],
        size.families.iter().map(|family| {
            let equations = family
                .equations
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>();
            [
                family.name.clone(),
                family.rows.to_string(),
                family.nonzeros.to_string(),
                tag_name(family.tag).to_owned(),
                equations.join(", "),
                family.line.clone(),
            ]
        }),
        &[1, 2],
    );
    print::line(&format!(
        "{} is valid: {} columns ({} of them fixed), {} rows, {} nonzeros, formulation {}",
        args.file.display(),
        size.columns,
        size.fixed,
        size.rows,
        size.nonzeros,
        built.formulation()
    ));
    Ok(exit::DONE)
}
