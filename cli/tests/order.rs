//! Which file may use which: inside a crate the files that use each other lie in an order, so that
//! one can be read, moved and tested without those above it.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The crates whose files lie in an order.
const IN_ORDER: [&str; 2] = ["model", "study"];

/// A module by its names from the root of the crate, which has none.
type Module = Vec<String>;

/// What one file says.
#[derive(Debug, Default)]
struct File {
    /// What `use` brings in, by the name it has here, with its whole path from the root.
    brings: BTreeMap<String, Module>,
    /// Those of them that are only handed on.
    hands_on: BTreeSet<String>,
    /// Other paths, from the root.
    paths: BTreeSet<Module>,
}

/// The code without comments, texts and what is for tests only, as words and single marks.
fn words(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '/' if rest.peek() == Some(&'/') => while rest.next().is_some_and(|it| it != '\n') {},
            '"' => {
                while let Some(it) = rest.next().filter(|&it| it != '"') {
                    if it == '\\' {
                        rest.next();
                    }
                }
            }
            '\'' if rest.clone().nth(1) == Some('\'') => drop(rest.nth(1)),
            ':' if rest.peek() == Some(&':') => {
                rest.next();
                words.push("::".to_owned());
            }
            _ if letter.is_alphanumeric() || letter == '_' => {
                let mut word = String::from(letter);
                while let Some(it) = rest.next_if(|it| it.is_alphanumeric() || *it == '_') {
                    word.push(it);
                }
                words.push(word);
            }
            _ if letter.is_whitespace() => {}
            _ => words.push(letter.to_string()),
        }
    }
    words
}

/// The paths of a `use` from the word after it, each with the name it has here.
fn used(words: &[String], at: &mut usize, before: &Module) -> Vec<(String, Module)> {
    let mut path = before.clone();
    loop {
        match words[*at].as_str() {
            "{" => {
                let mut all = Vec::new();
                while words[*at] != "}" {
                    *at += 1;
                    if words[*at] != "}" {
                        all.extend(used(words, at, &path));
                    }
                }
                *at += 1;
                return all;
            }
            "::" => *at += 1,
            "as" => {
                *at += 2;
                return vec![(words[*at - 1].clone(), path)];
            }
            "," | "}" | ";" => {
                path.pop_if(|last| last == "self");
                return vec![(path.last().unwrap().clone(), path)];
            }
            word => {
                path.push(word.to_owned());
                *at += 1;
            }
        }
    }
}

/// A path as written in `module`, from the root; `None` where it leaves the crate.
fn from_root(
    written: &[String],
    module: &Module,
    brings: &BTreeMap<String, Module>,
    modules: &BTreeMap<Module, PathBuf>,
) -> Option<Module> {
    let (first, rest) = written.split_first()?;
    let mut start = match first.as_str() {
        "crate" => Vec::new(),
        "self" => module.clone(),
        "super" => module[..module.len() - 1].to_vec(),
        name => {
            let child: Module = module.iter().chain([first]).cloned().collect();
            let known = modules.contains_key(&child).then_some(child);
            known.or_else(|| brings.get(name).cloned())?
        }
    };
    for name in rest {
        match name.as_str() {
            "super" => drop(start.pop()),
            _ => start.push(name.clone()),
        }
    }
    Some(start)
}

fn read(path: &Path, module: &Module, modules: &BTreeMap<Module, PathBuf>) -> File {
    let words = words(&std::fs::read_to_string(path).unwrap());
    let mut file = File::default();
    let (mut body, mut public, mut at) = (Vec::new(), false, 0);
    while at < words.len() {
        if words[at] != "use" {
            // The mark before `use`: `pub`, or `pub(…)` with what is inside.
            public = words[at] == "pub" || public && !matches!(words[at].as_str(), ";" | "}" | "{");
            body.push(words[at].clone());
            at += 1;
            continue;
        }
        at += 1;
        for (name, path) in used(&words, &mut at, &Vec::new()) {
            if let Some(path) = from_root(&path, module, &BTreeMap::new(), modules) {
                if public {
                    file.hands_on.insert(name.clone());
                }
                file.brings.insert(name, path);
            }
        }
        public = false;
    }
    let mut at = 0;
    while at < body.len() {
        let mut path = vec![body[at].clone()];
        while body.get(at + 1).is_some_and(|word| word == "::") && at + 2 < body.len() {
            path.push(body[at + 2].clone());
            at += 2;
        }
        at += 1;
        file.hands_on.remove(&path[0]);
        if path.len() > 1 {
            file.paths
                .extend(from_root(&path, module, &file.brings, modules));
        }
    }
    file
}

/// The module in which the last name of a path is written down; `None` for a module as a whole.
fn home(path: &Module, files: &BTreeMap<Module, File>) -> Option<Module> {
    let depth = (0..=path.len()).rev();
    let depth = depth
        .into_iter()
        .find(|&end| files.contains_key(&path[..end]))?;
    let (module, rest) = path.split_at(depth);
    let item = rest.first()?;
    match files[module].brings.get(item) {
        Some(other) if other != path => home(&[other, &rest[1..]].concat(), files),
        _ => Some(module.to_vec()),
    }
}

/// The modules of a crate with their files; those for tests only are left out.
fn modules(source: &Path) -> BTreeMap<Module, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(source).unwrap().with_extension("");
            let mut module: Module = below
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            let source = path.extension().is_some_and(|it| it == "rs");
            if source && module.last().is_none_or(|last| last != "tests") {
                found.insert(module, path);
            }
        }
    }
    found
}

/// Every module with those it uses.
fn arrows(modules: &BTreeMap<Module, PathBuf>) -> BTreeMap<Module, BTreeSet<Module>> {
    let read = |(module, path): (&Module, &PathBuf)| (module.clone(), read(path, module, modules));
    let files: BTreeMap<Module, File> = modules.iter().map(read).collect();
    let uses = |(module, file): (&Module, &File)| {
        let brings = file.brings.iter();
        let own = brings.filter(|(name, _)| !file.hands_on.contains(*name));
        let paths = own.map(|(_, path)| path).chain(&file.paths);
        let homes = paths.filter_map(|path| home(path, &files));
        (module.clone(), homes.filter(|it| it != module).collect())
    };
    files.iter().map(uses).collect()
}

/// Everything that can be reached from a module.
fn reached(from: &Module, arrows: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for to in &arrows[module] {
            if reached.insert(to.clone()) {
                next.push(to);
            }
        }
    }
    reached
}

/// The arrows of a crate that lie on a circle.
fn circles(modules: &BTreeMap<Module, PathBuf>) -> Vec<String> {
    let arrows = arrows(modules);
    let mut found = Vec::new();
    for (from, targets) in &arrows {
        let back = targets
            .iter()
            .filter(|to| reached(to, &arrows).contains(from));
        found.extend(back.map(|to| format!("{} -> {}", from.join("::"), to.join("::"))));
    }
    found
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for name in IN_ORDER {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(name)
            .join("src");
        let found = circles(&modules(&source));
        assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
    }
}

/// What the reading of files rests on: arrows through names that are handed on, through modules
/// brought in, through paths inside of code; none for what is only handed on or stands in a text.
#[test]
fn arrows_are_those_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("lib.rs", "mod a; mod b; pub mod c; pub use a::First;"),
        (
            "a.rs",
            "// crate::b::Not\npub struct First; const T: &str = \"crate::b::Not\";",
        ),
        (
            "b.rs",
            "use crate::{First, c}; fn f(_: First) { c::d::g(c::Second) }",
        ),
        ("c/mod.rs", "pub mod d;\npub(crate) use d::Second;"),
        (
            "c/d.rs",
            "pub struct Second; pub fn g(_: Second) { crate::b::f() }",
        ),
    ];
    std::fs::create_dir(folder.path().join("c")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let modules = modules(folder.path());
    let arrows = arrows(&modules);
    let of = |name: &[&str]| -> Vec<String> {
        let module: Module = name.iter().map(|&part| part.to_owned()).collect();
        arrows[&module].iter().map(|to| to.join("::")).collect()
    };
    assert!(of(&[]).is_empty() && of(&["a"]).is_empty() && of(&["c"]).is_empty());
    assert_eq!(of(&["b"]), ["a", "c::d"]);
    assert_eq!(of(&["c", "d"]), ["b"]);
    assert_eq!(circles(&modules), ["b -> c::d", "c::d -> b"]);
}
