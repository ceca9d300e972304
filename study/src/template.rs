//! Instance files to start from, with a comment on every key.

use crate::Error;
use milp_schema::{Protocol, protocol, read};
use std::{fmt::Write as _, io::Write as _, path::Path};

/// What the instance is to ask.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Name of the protocol, or `./` and its file.
    pub protocol: &'a str,
    /// Where the instance is to lie.
    pub folder: &'a Path,
    /// Number of replicas.
    pub replicas: u32,
    /// How many may be Byzantine; f where nothing is said.
    pub byzantine: Option<u32>,
    /// Name of the goal.
    pub goal: &'a str,
}

/// The text of an instance file with every key and what may stand there.
///
/// # Errors
///
/// What is wrong with the request, as a reader of the file would say it.
pub fn instance(request: &Request<'_>) -> Result<String, Error> {
    let Request {
        protocol, replicas, ..
    } = request;
    let most = replicas.saturating_sub(1) / 3;
    let faults = match request.byzantine.unwrap_or(most) {
        0 => "{kind: none}".to_owned(),
        count => format!("{{kind: byzantine, count: {count}}}"),
    };
    let names: Vec<&str> = Protocol::all().map(|it| it.name.as_str()).collect();
    let mut text = format!(
        include_str!("template.yaml"),
        protocols = names.join(", "),
        protocol = protocol,
        replicas = replicas,
        faults = faults,
        goal = request.goal,
    );
    let near = read::Near::Folder(request.folder);
    let read = read::instance_near("the new instance", &text, near)?;
    for name in read.protocol.mutants.keys() {
        let _ = writeln!(text, "# mutant: {name}");
    }
    Ok(text)
}

/// The text of a protocol file to start from, under that name if a protocol can have it.
pub fn protocol(name: &str) -> String {
    let text = |name: &str| include_str!("protocol.yaml").replace("NAME", name);
    let named = text(name);
    let taken = Protocol::named(name).is_some();
    let sound = !taken && protocol::read_text(name, &named).is_ok();
    if sound { named } else { text("mine") }
}

/// The page that such a file names, with the lines that its rules cite.
pub fn page(name: &str) -> String {
    include_str!("protocol.md").replace("NAME", name)
}

/// Writes a file that is not there yet.
///
/// # Errors
///
/// When there is one, and when it cannot be written.
pub fn create(path: &Path, text: &str) -> Result<(), Error> {
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = opened.map_err(|source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            return Error::Refused(format!(
                "{} is there already and is left alone: name another file",
                path.display()
            ));
        }
        Error::io("write", path)(source)
    })?;
    file.write_all(text.as_bytes())
        .map_err(Error::io("write", path))
}

/// Puts the schema of a file that was created beside it, under the name that its first lines give to
/// editors; one that is there is left alone.
///
/// # Errors
///
/// When it cannot be written.
pub fn create_schema(beside: &Path, name: &str, schema: &serde_json::Value) -> Result<(), Error> {
    match create(&beside.with_file_name(name), &format!("{schema:#}\n")) {
        Err(Error::Refused(_)) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_and_goal_gives_a_valid_file() {
        for protocol in Protocol::all() {
            for goal in ["fork", "finality", "stall", "slow", "views"] {
                let request = Request {
                    protocol: &protocol.name,
                    folder: Path::new(""),
                    replicas: 7,
                    byzantine: None,
                    goal,
                };
                let text = instance(&request).unwrap();
                let read = read::instance_text("test", &text).unwrap();
                assert_eq!(read.replicas, 7);
                assert_eq!(read.protocol, protocol);
                // Every key has its comment above it.
                let keys = text.lines().filter(|line| line.contains(": "));
                let keys = keys.filter(|line| !line.starts_with('#')).count();
                assert_eq!(keys, 13);
            }
        }
    }

    #[test]
    fn a_new_protocol_is_sound_whatever_its_file_is_called() {
        for (stem, name) in [
            ("own-2", "own-2"),
            ("dbft2", "mine"),
            ("", "mine"),
            ("A: b", "mine"),
        ] {
            let read = protocol::read_text("new", &protocol(stem));
            let read = read.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.words.name, name);
            assert!(read.rules.with("no-lock").is_some());
        }
    }

    #[test]
    fn a_request_that_makes_no_sense_is_refused_by_the_reader() {
        let request = Request {
            protocol: "paxos",
            folder: Path::new(""),
            replicas: 4,
            byzantine: Some(2),
            goal: "win",
        };
        let error = instance(&request).unwrap_err().to_string();
        for words in ["paxos", "win"] {
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mine.yaml");
        create(&path, "first\n").unwrap();
        assert!(matches!(create(&path, "second\n"), Err(Error::Refused(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\n");
    }
}
