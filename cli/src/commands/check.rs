//! `milp check`: validates an instance and counts its program.

use crate::{document, exit, print};
use milp_schema::read;
use milp_study::{
    Error,
    size::{FamilySize, Size, tag_name},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// The instance.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Instance file
    file: PathBuf,
}

/// The size of the program.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The instance file.
    file: String,
    /// Name of the formulation.
    formulation: String,
    /// Columns.
    columns: usize,
    /// Columns that their bounds leave no choice.
    fixed: usize,
    /// Rows.
    rows: usize,
    /// Coefficients of the rows that are not zero.
    nonzeros: usize,
    /// The rows, family by family.
    families: Vec<Family>,
}

/// The rows of one family.
#[derive(Debug, Serialize, JsonSchema)]
struct Family {
    /// Name.
    name: String,
    /// Rows.
    rows: usize,
    /// Their coefficients that are not zero.
    nonzeros: usize,
    /// What they are for: legal, valid, symmetry, budget or goal.
    tag: String,
    /// The paper's equations that they are the corrected form of.
    equations: Vec<u32>,
    /// The line of the protocol's page, or of docs/EXECUTION.md.
    line: String,
}

impl Found {
    fn of(file: String, formulation: &str, size: &Size) -> Self {
        let family = |family: &FamilySize| Family {
            name: family.name.clone(),
            rows: family.rows,
            nonzeros: family.nonzeros,
            tag: tag_name(family.tag).to_owned(),
            equations: family.equations.clone(),
            line: family.line.clone(),
        };
        Self {
            file,
            formulation: formulation.to_owned(),
            columns: size.columns,
            fixed: size.fixed,
            rows: size.rows,
            nonzeros: size.nonzeros,
            families: size.families.iter().map(family).collect(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    if let Some(every) = read::every(&args.file)? {
        let size = milp_study::every::size(&every)?;
        print::line(&format!("{} is valid: {size}", args.file.display()));
        return Ok(exit::DONE);
    }
    let instance = read::instance(&args.file)?;
    let built = milp_model::build(&instance)?;
    let size = Size::of(built.program());
    let file = args.file.display().to_string();
    document::result(&Found::of(file, built.formulation().name(), &size));
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
        built.formulation().name()
    ));
    Ok(exit::DONE)
}
