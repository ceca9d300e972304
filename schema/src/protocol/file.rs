//! Protocol files: read, judged whole, and safe to read when a stranger wrote them.

use super::{Rules, load};
use crate::{
    Protocol,
    read::{
        Quote, ReadError,
        problem::{Place, Problems, quoted, text_of},
        tree,
    },
    vocabulary::SHIPPED,
    write::sha256_hex,
};
use std::{
    path::{Component, Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

/// The name of a protocol file that is written beside a result or an instance.
pub const WRITTEN: &str = "protocol.yaml";

/// A protocol file is no larger.
pub(super) const MOST_BYTES: u64 = 1_000_000;

/// Hardly any is longer than that.
const LONG: usize = 100_000;

/// What a protocol file says.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its words and marks for people.
    pub words: Protocol,
    /// Its rules.
    pub rules: Rules,
    /// The file.
    pub text: String,
}

impl Definition {
    /// The SHA-256 of the file, in hexadecimal digits.
    pub fn digest(&self) -> String {
        sha256_hex(self.text.as_bytes())
    }

    /// Whether the file comes with the program, byte for byte.
    pub fn is_shipped(&self) -> bool {
        SHIPPED.contains(&self.text.as_str())
    }
}

impl Protocol {
    /// What its file says, if that has its rules.
    pub fn definition(self) -> Option<&'static Definition> {
        let known = shipped().iter().find(|it| it.words == self);
        known.or_else(|| {
            let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
            given.iter().copied().find(|it| it.words == self)
        })
    }

    /// The text of its file, if that does not come with the program.
    pub fn given(self) -> Option<&'static str> {
        let definition = self.definition()?;
        (!definition.is_shipped()).then_some(&definition.text)
    }

    /// What an instance that is written calls it: its name, or the file of its text that is written
    /// beside.
    pub fn reference(self) -> String {
        match self.given() {
            None => self.name.clone(),
            Some(_) => format!("./{WRITTEN}"),
        }
    }
}

static TABLE: LazyLock<Vec<Definition>> = LazyLock::new(|| {
    let with_rules = Protocol::all()
        .zip(SHIPPED)
        .filter(|(it, _)| it.has_rules());
    let read = |(_, text): (_, &str)| read_text("a shipped protocol file", text);
    let sound = |read: Result<_, ReadError>| read.unwrap_or_else(|error| panic!("{error}"));
    with_rules.map(read).map(sound).collect()
});

/// What instances gave, kept for as long as the program runs, each text once.
static GIVEN: Mutex<Vec<&'static Definition>> = Mutex::new(Vec::new());

/// Every protocol with rules that comes with the program.
pub fn shipped() -> &'static [Definition] {
    &TABLE
}

/// The protocol with rules of that name that comes with the program.
pub fn named(name: &str) -> Option<&'static Definition> {
    shipped().iter().find(|it| it.words.name == name)
}

/// Reads a protocol file.
///
/// # Errors
/// Everything that is wrong with the file.
pub fn read(path: &Path) -> Result<Definition, ReadError> {
    let file = path.display().to_string();
    let length = std::fs::metadata(path).map_or(0, |found| found.len());
    if length > MOST_BYTES {
        let what = format!("the file has {length} bytes; at most {MOST_BYTES} were expected");
        return refused(&file, what, "no protocol needs that many");
    }
    let (file, text) = text_of(path, MOST_BYTES)?;
    read_text(&file, &text)
}

/// Reads the text of a protocol file; `file` is the name that problems are reported under.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn read_text(file: &str, text: &str) -> Result<Definition, ReadError> {
    let mut problems = Problems::new(file);
    let definition = tree::parse(text, &mut problems)
        .filter(|_| problems.is_clear(None))
        .and_then(|tree| {
            let rules = load::convert(&tree, text, &mut problems);
            // A long file with problems is not read once more for those of its words.
            let again = rules.is_some() || text.len() < LONG;
            let words = again.then(|| words(text, &mut problems));
            Some(Definition {
                words: words??,
                rules: rules?,
                text: text.to_owned(),
            })
        });
    problems.finish(definition, &|line, column| Quote::of(text, line, column))
}

/// The words of a file; of what does not fit them, the first problem is reported.
fn words(text: &str, problems: &mut Problems) -> Option<Protocol> {
    let error = match Protocol::of_text(text) {
        // What is listed for users is the same protocol, not one that says the same.
        Ok(words) if SHIPPED.contains(&text) => {
            return Some(Protocol::named(&words.name).unwrap_or(words));
        }
        Ok(words) => return Some(words),
        Err(error) => error,
    };
    let place = error.location().map_or(Place::START, |at| Place {
        line: at.line(),
        column: at.column(),
    });
    if problems.is_clear(Some(place.line)) {
        // The message repeats the place in words.
        let message = error.to_string();
        let what = message.split(" at line ").next().unwrap_or(&message);
        let hint = "compare with a file that comes with the program";
        problems.at(place, what, hint);
    }
    None
}

/// The protocol of the file that an instance in `folder` names: `./mine.yaml`, or one in a folder
/// below. Nothing outside of the folder is read, whatever the name or links say.
///
/// # Errors
/// As for [`read`], and when the file does not lie below the folder or has the name of a protocol
/// that comes with the program without being its file.
pub fn beside(folder: &Path, name: &str) -> Result<Protocol, ReadError> {
    kept(name, read(&below(folder, name)?)?)
}

/// The protocol of a file whose text stands within another one.
///
/// # Errors
/// As for [`beside`].
pub fn embedded(text: &str) -> Result<Protocol, ReadError> {
    kept(WRITTEN, read_text(WRITTEN, text)?)
}

/// The protocol of a definition, which is kept if it does not come with the program.
fn kept(file: &str, definition: Definition) -> Result<Protocol, ReadError> {
    let words = definition.words;
    if definition.is_shipped() {
        return Ok(words);
    }
    if Protocol::named(&words.name).is_some() {
        let what = format!("`{words}` is the name of a protocol that comes with the program");
        return refused(file, what, "give yours another `name`");
    }
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = given.iter().find(|it| it.text == definition.text);
    if let Some(known) = known {
        return Ok(known.words);
    }
    given.push(Box::leak(Box::new(definition)));
    Ok(words)
}

/// The protocol without one of its rules, or without one guard of it: the place among `when`, then
/// `unless`. It has no mutants.
///
/// # Errors
/// What is wrong with rules without it, say that nothing binds a letter any more.
pub fn weakened(
    definition: &Definition,
    rule: usize,
    guard: Option<usize>,
) -> Result<Protocol, ReadError> {
    let mut rules = definition.rules.clone();
    match guard {
        None => {
            rules.rules.remove(rule);
        }
        Some(place) => {
            let rule = &mut rules.rules[rule];
            match place.checked_sub(rule.when.len()) {
                None => rule.when.remove(place),
                Some(place) => rule.unless.remove(place),
            };
        }
    }
    let unread = |error: serde_yaml::Error| {
        refused("a weakened file", error.to_string(), "write it by hand")
    };
    let mut file: serde_yaml::Mapping = match serde_yaml::from_str(&definition.text) {
        Ok(file) => file,
        Err(error) => return unread(error),
    };
    let mut name = format!("weaker-{}", definition.words.name);
    name.truncate(32);
    let lines = rules.rules.iter().map(|rule| {
        let mut line = serde_yaml::Mapping::new();
        line.insert(rule.lines.to_string().into(), rules.text(rule).into());
        serde_yaml::Value::from(line)
    });
    file.insert("rules".into(), lines.collect::<Vec<_>>().into());
    file.insert("mutants".into(), serde_yaml::Mapping::new().into());
    file.insert("name".into(), name.into());
    match serde_yaml::to_string(&file) {
        Ok(text) => embedded(&text),
        Err(error) => unread(error),
    }
}

/// The path of a file that an instance in `folder` names.
fn below(folder: &Path, name: &str) -> Result<PathBuf, ReadError> {
    let hint = "write `./name.yaml` and put the file beside the instance or in a folder below";
    let path = Path::new(name);
    let below = |part| matches!(part, Component::CurDir | Component::Normal(_));
    let named = quoted(name);
    if !name.starts_with("./") || name.contains(['\\', '\0']) || !path.components().all(below) {
        let what = format!("{named} is no path below the folder of the instance");
        return refused(name, what, hint);
    }
    let whole = folder.join(path);
    let start = Path::new(".").join(folder);
    if let (Ok(start), Ok(real)) = (start.canonicalize(), whole.canonicalize())
        && !real.starts_with(&start)
    {
        let what = format!("{named} is a link out of the folder of the instance");
        return refused(name, what, hint);
    }
    Ok(whole)
}

fn refused<T>(file: &str, what: String, hint: &str) -> Result<T, ReadError> {
    let mut problems = Problems::new(file);
    problems.at(Place::WHOLE_FILE, what, hint);
    problems.finish(None, &|_, _| None)
}
