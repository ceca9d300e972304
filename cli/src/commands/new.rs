//! `milp new`: an instance file to start from.

use crate::{document, exit, print};
use milp_study::{Error, template};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where it goes and what it asks.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// File to write; one that is there already is left alone
    file: PathBuf,
    /// Protocol that comes with the program, or ./ and a file of one's own beside FILE
    #[arg(long, value_name = "NAME", default_value = "dbft2")]
    protocol: String,
    /// Number of replicas
    #[arg(long, value_name = "N", default_value_t = 4)]
    replicas: u32,
    /// How many of them may be Byzantine [default: the most the protocol is made for]
    #[arg(long, value_name = "F")]
    byzantine: Option<u32>,
    /// What the adversary wants: fork, finality, stall, slow or views
    #[arg(long, value_name = "GOAL", default_value = "fork")]
    goal: String,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The file.
    file: String,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let text = template::instance(&template::Request {
        protocol: &args.protocol,
        folder: args.file.parent().unwrap_or(Path::new("")),
        replicas: args.replicas,
        byzantine: args.byzantine,
        goal: &args.goal,
    })?;
    template::create(&args.file, &text)?;
    let schema = milp_schema::json_schema::instance();
    template::create_schema(&args.file, "instance.schema.json", &schema)?;
    let file = args.file.display().to_string();
    print::line(&format!(
        "written: {file}; now: milp check {file}, milp solve {file}"
    ));
    document::result(&Found { file });
    Ok(exit::DONE)
}
