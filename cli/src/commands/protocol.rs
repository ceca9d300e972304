//! `milp protocol`: which protocols there are, and whether a file of one is sound.

mod compared;

use crate::{document, exit, print};
use milp_schema::{
    Protocol,
    protocol::{self, Definition, Goes, RecordKind, Rule, ValueField},
    vocabulary::By,
};
use milp_study::{Error, template};
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to do with protocols.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Args {
    /// List the protocols that come with the program
    List,
    /// Write a small protocol of two phases to start from, with comments
    New {
        /// File to write; one that is there already is left alone
        file: PathBuf,
    },
    /// Judge a protocol file, say what is in it, and compare what the optimiser and the interpreter
    /// make of it on small settings
    Check(compared::Args),
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Every protocol, or that of the file.
    protocols: Vec<Listed>,
    /// What is in the file; `null` for a list and a new file.
    says: Option<Said>,
    /// How the optimiser's reading of the file compares with the interpreter's; `null` unless asked.
    compared: Option<compared::Compared>,
}

/// A protocol.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// Its name in an instance.
    name: String,
    /// What people call it.
    title: String,
    /// The page with its numbered pseudo-code.
    page: String,
    /// Whether the file comes with the program, byte for byte.
    shipped: bool,
}

/// What is in a file.
#[derive(Debug, Serialize, JsonSchema)]
struct Said {
    /// The kinds of records: name, what its value may be, who makes it, what it is.
    kinds: Vec<[String; 4]>,
    /// The counts: name and formula.
    counts: Vec<[String; 2]>,
    /// The rules: lines of the page, and the rule in one spelling.
    rules: Vec<[String; 2]>,
    /// The timers.
    timers: Vec<String>,
    /// The mutants: name and what it changes.
    mutants: Vec<[String; 2]>,
}

impl From<Protocol> for Listed {
    fn from(words: Protocol) -> Self {
        Self {
            name: words.name.clone(),
            title: words.title.clone(),
            page: words.page.clone(),
            shipped: Protocol::all().any(|it| it == words),
        }
    }
}

impl Said {
    fn of(Definition { words, rules, .. }: &Definition) -> Self {
        let pair = |name: &str, says: String| [name.to_owned(), says];
        let counts = rules.counts.iter();
        let counts = counts.map(|(name, it)| pair(name, it.to_string()));
        let mutants = words.mutants.iter();
        let mutants = mutants.map(|(name, it)| pair(name, it.says.clone()));
        let spelled = |rule: &Rule| pair(&rule.lines.to_string(), rules.text(rule));
        Self {
            kinds: rules.kinds.iter().map(kind).collect(),
            counts: counts.collect(),
            rules: rules.rules.iter().map(spelled).collect(),
            timers: rules.timers.clone(),
            mutants: mutants.collect(),
        }
    }
}

fn kind(kind: &RecordKind) -> [String; 4] {
    let value = match kind.value {
        ValueField::None => "none",
        ValueField::Block => "of its view",
        ValueField::Any => "any",
    };
    let by = match kind.by {
        By::Any => "any",
        By::Primary => "primary",
        By::Backup => "backup",
    };
    let is = match kind.goes {
        _ if kind.is_final => "decision",
        Goes::Sent => "message",
        Goes::Kept => "kept",
        Goes::Recovery => "recovery",
    };
    [&kind.name, value, by, is].map(str::to_owned)
}

pub(crate) fn run(args: &Args) -> Result<u8, Error> {
    let found = match args {
        Args::List => list(),
        Args::New { file } => new(file)?,
        Args::Check(args) => return check(args),
    };
    document::result(&found);
    Ok(exit::DONE)
}

fn list() -> Found {
    let protocols: Vec<_> = Protocol::all().map(Listed::from).collect();
    let rows = protocols.iter();
    let rows = rows.map(|it| [&it.name, &it.title, &it.page].map(String::clone));
    print::rows(["protocol", "title", "page"], rows, &[]);
    Found {
        protocols,
        says: None,
        compared: None,
    }
}

/// Writes a file, and says of it what is said of any.
fn new(file: &Path) -> Result<Found, Error> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let text = template::protocol(stem.unwrap_or_default());
    let definition = protocol::read_text(&file.display().to_string(), &text)?;
    template::create(file, &text)?;
    let schema = protocol::json_schema();
    template::create_schema(file, "protocol-file.schema.json", &schema)?;
    let (name, page) = (&definition.words.name, &definition.words.page);
    let page = file.with_file_name(page);
    if !page.exists() {
        template::create(&page, &template::page(name))?;
    }
    let (file, page) = (file.display(), page.display());
    print::line(&format!(
        "written: {file} and its page {page}; now: milp protocol check {file}, and `protocol: ./…` in an instance beside it"
    ));
    Ok(Found {
        protocols: vec![Listed::from(definition.words)],
        says: None,
        compared: None,
    })
}

fn check(args: &compared::Args) -> Result<u8, Error> {
    let definition = protocol::read(&args.file)?;
    protocol::cited(&args.file, &definition)?;
    let listed = Listed::from(definition.words);
    let says = Said::of(&definition);
    print::rows(["kind", "value", "by", "is"], says.kinds.clone(), &[]);
    print::rows(["count", "senders"], says.counts.clone(), &[]);
    print::rows(["lines", "rule"], says.rules.clone(), &[]);
    print::rows(["timer"], says.timers.iter().map(|it| [it.clone()]), &[]);
    print::rows(["mutant", "changes"], says.mutants.clone(), &[]);
    print::line(&format!("{} ({}) is sound.", listed.title, listed.page));
    print::line(if definition.is_shipped() {
        "It comes with the program, and instances may name it."
    } else {
        "Instances beside it or above it name its path: `protocol: ./file.yaml`."
    });
    let (exit, compared) = compared::run(args, &definition.text)?;
    document::result(&Found {
        protocols: vec![listed],
        says: Some(says),
        compared,
    });
    Ok(exit)
}
