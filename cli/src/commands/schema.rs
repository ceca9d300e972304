//! `milp schema`: JSON Schemas, for editors and for programs that read what `--json` prints.

use super::{
    ask, bench, check, completions, cubes, doctor, engine, explain, export, fuzz, import, man,
    minimize, new, pareto, promote, protocol, regress, replay, report, resilience, sweep, verify,
};
use crate::{
    document::{self, Document},
    exit, found, print,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Of what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `instance` for instance files, `sweep-file` for sweep files, `protocol-file` for
    /// protocol files, the name of a command for what it prints with --json, or `error` for command
    /// lines that name none
    #[arg(long, value_name = "KIND", default_value = INSTANCE, value_parser = kinds())]
    of: String,
}

/// The kind of instance files.
const INSTANCE: &str = "instance";
/// The kind of sweep files.
const SWEEP_FILE: &str = "sweep-file";
/// The kind of protocol files.
const PROTOCOL_FILE: &str = "protocol-file";

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
    let files = [INSTANCE, SWEEP_FILE, PROTOCOL_FILE];
    files.into_iter().chain(commands).collect()
}

/// A schema.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// What it is of.
    of: String,
    /// The schema.
    schema: Value,
}

pub(crate) fn run(args: &Args) -> u8 {
    let made = COMMANDS.iter().find(|(name, _)| *name == args.of);
    let schema = match made {
        Some((name, make)) => make(name),
        None if args.of == SWEEP_FILE => milp_schema::json_schema::sweep(),
        None if args.of == PROTOCOL_FILE => milp_schema::protocol::json_schema(),
        None => milp_schema::json_schema::instance(),
    };
    print::text(&format!("{schema:#}"));
    document::result(&Found {
        of: args.of.clone(),
        schema,
    });
    exit::DONE
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
