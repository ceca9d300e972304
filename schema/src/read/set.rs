//! Values put into an instance from outside of its file, key by key.

use super::{
    problem::{Place, Problems, quoted},
    tree::{self, Entry, Node, Value},
};

/// Puts the value that `text` writes where `key` leads, say `faults.0.count`: names of keys, and
/// numbers of entries of lists. Where one mapping stands for a list of one, its number may be left
/// out or be there.
pub(super) fn put(tree: &mut Node, (key, text): &(String, String), problems: &mut Problems) {
    let mut inner = Problems::new(key);
    let Some(value) = tree::parse(text, &mut inner) else {
        let what = format!("{} is no value for {}", quoted(text), quoted(key));
        problems.at(
            tree.place,
            what,
            "write a number, a word, a `{mapping}` or a `[list]`",
        );
        return;
    };
    let path: Vec<&str> = key.split('.').collect();
    if let Err((place, what)) = at(tree, &path, value) {
        let what = format!("--set {}: {what}", quoted(key));
        problems.at(
            place,
            what,
            "name a key of the instance, say `faults.0.count`",
        );
    }
}

fn at(node: &mut Node, path: &[&str], value: Node) -> Result<(), (Place, String)> {
    let [key, below @ ..] = path else {
        *node = value;
        return Ok(());
    };
    let place = node.place;
    let number = key.parse::<usize>().ok();
    match (&mut node.value, number) {
        _ if key.is_empty() => Err((place, "a part of the key is empty".to_owned())),
        (Value::List(entries), Some(number)) => {
            let many = entries.len();
            let entry = entries.get_mut(number).ok_or_else(|| {
                (
                    place,
                    format!("there is no entry {number}: the list has {many}, from 0"),
                )
            })?;
            at(entry, below, value)
        }
        (Value::List(_), None) => Err((
            place,
            format!("{} is no number of an entry of a list", quoted(key)),
        )),
        (Value::Map(_), Some(0)) => at(node, below, value),
        (Value::Map(entries), _) => {
            if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) {
                return at(&mut entry.value, below, value);
            }
            let (key, mut new) = ((*key).to_owned(), value.clone());
            if !below.is_empty() {
                new.value = Value::Map(Vec::new());
                at(&mut new, below, value)?;
            }
            entries.push(Entry {
                key,
                place,
                value: new,
            });
            Ok(())
        }
        // `network: eventual` gives way to a mapping.
        _ => {
            node.value = Value::Map(Vec::new());
            at(node, path, value)
        }
    }
}
