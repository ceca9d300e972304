//! `milp man`: manual pages, one for the command as a whole and one for each of its commands.

use crate::{args::Milp, document, exit, print};
use clap::CommandFactory;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use milp_schema::write;
use milp_study::Error;
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Where the pages go.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write them into
    dir: PathBuf,
}

/// What was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The pages.
    pages: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let mut pages = Vec::new();
    for (name, page) in pages_of(&Milp::command()) {
        let path = args.dir.join(format!("{name}.1"));
        let page = page.map_err(failed(&path))?;
        std::fs::create_dir_all(&args.dir).map_err(failed(&args.dir))?;
        write::file(&path, &page).map_err(failed(&path))?;
        pages.push(path.display().to_string());
    }
    for page in &pages {
        print::line(&format!("written: {page}"));
    }
    document::result(&Found { pages });
    Ok(exit::DONE)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        doing: "write",
        path,
        source,
    }
}

/// A page for the command and one for each of its subcommands, by name.
fn pages_of(milp: &clap::Command) -> Vec<(String, io::Result<Vec<u8>>)> {
    let subcommands = milp.get_subcommands();
    let subcommands = subcommands
        .filter(|command| command.get_name() != "help")
        .map(|command| format!("milp-{}", command.get_name()))
        .collect::<Vec<_>>();
    let mut pages = vec![("milp".to_owned(), page(milp.clone(), "milp", &subcommands))];
    for command in milp.get_subcommands() {
        if command.get_name() == "help" {
            continue;
        }
        let name = format!("milp-{}", command.get_name());
        let usage = format!("milp {}", command.get_name());
        let command = command.clone().bin_name(usage);
        let page = page(command, &name, &["milp".to_owned()]);
        pages.push((name, page));
    }
    pages
}

/// The sections in the order that readers of manual pages expect.
fn page(command: clap::Command, name: &str, see: &[String]) -> io::Result<Vec<u8>> {
    let examples = command.get_after_help().map(ToString::to_string);
    let command = command
        .display_name(name)
        // What stands below the help has sections of its own here.
        .after_help(None::<&str>)
        .version(env!("CARGO_PKG_VERSION"));
    let has_subcommands = command.has_subcommands();
    let man = Man::new(command)
        .title(name.to_uppercase())
        .section("1")
        .source(concat!("milp ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if has_subcommands {
        man.render_subcommands_section(&mut out)?;
    }
    let mut roff = Roff::default();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, words) in exit::CODES {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(words)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    for line in examples.unwrap_or_default().lines() {
        if let Some(line) = line.strip_prefix("  milp ") {
            roff.control("PP", []);
            roff.text([roman(format!("milp {}", line.trim_end()))]);
        }
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.control("TP", []);
    roff.text([bold("NO_COLOR")]);
    roff.text([roman("If set and not empty, nothing is coloured.")]);
    roff.control("SH", ["SEE ALSO"]);
    let see = see.iter().map(|name| format!("{name}(1)"));
    roff.text([roman(see.collect::<Vec<_>>().join(", "))]);
    roff.to_writer(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_the_exit_codes_and_the_examples() {
        let pages = pages_of(&Milp::command());
        assert!(pages.len() > 10, "{}", pages.len());
        for (name, page) in pages {
            let page = String::from_utf8(page.unwrap()).unwrap();
            for part in [".TH", ".SH NAME", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
                assert!(page.contains(part), "{name}: no {part} in {page}");
            }
            for (code, _) in exit::CODES {
                assert!(page.contains(&format!("\\fB{code}\\fR")), "{name}: {code}");
            }
            assert!(page.contains("\nmilp "), "{name} has no example: {page}");
        }
    }
}
