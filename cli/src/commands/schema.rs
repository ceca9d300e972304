//! `milp schema`: JSON Schemas, for editors and for programs that read what `--json` prints.

use super::{
    ask, bench, check, completions, cubes, doctor, engine, explain, export, fuzz, import, man,
    minimize, new, pareto, promote, protocol, regress, replay, report, resilience, sweep, verify,
};
use crate::{
    document::{self, Document},
    exit, found, print,
};
use milp_schema::{json_schema, reference};
use milp_study::Error;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Of what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `instance`, `sweep-file`, `protocol-file`, `outcome-file`, `schedule-file` or
    /// `predictions-file` for files, the name of a command for what it prints with --json, or `error`
    /// for command lines that name none
    #[arg(long, value_name = "KIND", default_value = "instance", value_parser = kinds())]
    of: String,
    /// Print a page of reference of a file, as in docs/reference
    #[arg(long)]
    markdown: bool,
}

/// The files, what they are called, and their schemas; of the two tables, those of a row.
const FILES: [(&str, &str, fn() -> Value); 6] = [
    ("instance", "instance", json_schema::instance),
    ("outcome-file", "outcome.yaml", json_schema::outcome),
    (
        "predictions-file",
        "predictions.csv",
        json_schema::predictions,
    ),
    (
        "protocol-file",
        "protocol",
        milp_schema::protocol::json_schema,
    ),
    ("schedule-file", "schedule.csv", json_schema::choices),
    ("sweep-file", "sweep", json_schema::sweep),
];

/// What the schemas of results are made by.
type Maker = fn(&str) -> Value;

/// The commands, and the schema of what each prints with `--json`.
const COMMANDS: [(&str, Maker); 26] = [
    ("ask", Document::schema::<ask::Found>),
    ("bench", Document::schema::<bench::Found>),
    ("check", Document::schema::<check::Found>),
    ("completions", Document::schema::<completions::Found>),
    ("cubes", Document::schema::<cubes::Found>),
    ("doctor", Document::schema::<doctor::Found>),
    ("engine", Document::schema::<engine::Found>),
    ("error", Document::schema::<()>),
    ("explain", Document::schema::<explain::Found>),
    ("export", Document::schema::<export::Found>),
    ("fuzz", Document::schema::<fuzz::Found>),
    ("import", Document::schema::<import::Found>),
    ("man", Document::schema::<man::Found>),
    ("minimize", Document::schema::<minimize::Found>),
    ("new", Document::schema::<new::Found>),
    ("pareto", Document::schema::<pareto::Found>),
    ("promote", Document::schema::<promote::Found>),
    ("protocol", Document::schema::<protocol::Found>),
    ("regress", Document::schema::<regress::Found>),
    ("replay", Document::schema::<replay::Found>),
    ("report", Document::schema::<report::Found>),
    ("resilience", Document::schema::<resilience::Found>),
    ("schema", Document::schema::<Found>),
    ("solve", Document::schema::<found::Found>),
    ("sweep", Document::schema::<sweep::Found>),
    ("verify", Document::schema::<verify::Found>),
];

fn kinds() -> Vec<&'static str> {
    let commands = COMMANDS.iter().map(|(name, _)| *name);
    let files = FILES.iter().map(|(name, ..)| *name);
    files.chain(commands).collect()
}

/// A schema.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// What it is of.
    of: String,
    /// The schema.
    schema: Value,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let file = FILES.iter().find(|(name, ..)| *name == args.of);
    let made = COMMANDS.iter().find(|(name, _)| *name == args.of);
    let schema = match (file, made) {
        (Some((.., make)), _) => make(),
        (None, Some((name, make))) => make(name),
        (None, None) => unreachable!("{} is one of the kinds", args.of),
    };
    match (args.markdown, file) {
        (true, Some((_, file, _))) => print::text(reference::markdown(file, &schema).trim_end()),
        (true, None) => {
            let why = "--markdown is for files: give --of instance or another one";
            return Err(Error::Refused(why.to_owned()));
        }
        (false, _) => print::text(&format!("{schema:#}")),
    }
    document::result(&Found {
        of: args.of.clone(),
        schema,
    });
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Milp;
    use clap::CommandFactory;

    #[test]
    fn every_command_has_a_schema() {
        let milp = Milp::command();
        let commands = milp.get_subcommands().map(clap::Command::get_name);
        let mut commands = commands.filter(|name| *name != "help").collect::<Vec<_>>();
        commands.push("error");
        commands.sort_unstable();
        assert_eq!(COMMANDS.map(|(name, _)| name).to_vec(), commands);
    }
}
