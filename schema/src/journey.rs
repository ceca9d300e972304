//! What no row of a schedule can say, whatever the protocol and whoever is faulty: rows out of
//! order, copies to oneself, deliveries before sends, copies with two fates.
//!
//! One judge for those who read files and for those who replay rows.

use crate::{
    ids::Slot,
    schedule::{Choice, Copy},
};
use std::collections::BTreeMap;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The column of `schedule.csv` that shows it.
    pub column: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: &'static str,
}

fn flaw(column: &'static str, what: impl Into<String>, hint: &'static str) -> Flaw {
    let what = what.into();
    Flaw { column, what, hint }
}

/// What the rows before say of slots and copies.
#[derive(Debug, Clone)]
pub struct Journeys {
    /// What a row is called: `line` of a file or `row`.
    word: &'static str,
    last: Slot,
    made: BTreeMap<Copy, usize>,
    settled: BTreeMap<Copy, usize>,
}

impl Journeys {
    /// Before the first row; `word` is what rows are called in words, say `line`.
    pub fn new(word: &'static str) -> Self {
        Self {
            word,
            last: Slot(0),
            made: BTreeMap::new(),
            settled: BTreeMap::new(),
        }
    }

    /// Whether an earlier row injects the copy.
    pub fn is_made(&self, copy: &Copy) -> bool {
        self.made.contains_key(copy)
    }

    /// Takes the next row, of that number, and says what is wrong with it.
    pub fn row(&mut self, number: usize, choice: &Choice) -> Vec<Flaw> {
        let mut flaws = self.slot(choice.slot());
        let word = self.word;
        match choice {
            Choice::Inject { copy } => {
                flaws.extend(to_oneself(copy));
                flaws.extend(self.made.insert(copy.clone(), number).map(|earlier| {
                    let what = format!("the same copy is made in {word} {earlier} already");
                    flaw("copy", what, "number the copies in column `copy`: 0, 1, …")
                }));
            }
            Choice::Deliver { slot, copy } | Choice::Drop { slot, copy } => {
                flaws.extend(to_oneself(copy));
                flaws.extend(transit(
                    *slot,
                    copy.sent,
                    matches!(choice, Choice::Deliver { .. }),
                ));
                flaws.extend(self.settled.insert(copy.clone(), number).map(|earlier| {
                    let what = format!("{word} {earlier} delivers or drops the same copy already");
                    let hint = "a copy has one fate; column `copy` tells equal copies apart";
                    flaw("copy", what, hint)
                }));
            }
            Choice::Timeout { .. } | Choice::Crash { .. } | Choice::Restart { .. } => {}
        }
        flaws
    }

    /// Slots count from 1 and ascend, among predictions too.
    pub fn slot(&mut self, slot: Slot) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if slot == Slot(0) {
            let what = "nothing happens in slot 0";
            flaws.push(flaw("slot", what, "slots count from 1"));
        }
        if slot < self.last {
            let last = self.last;
            let what = format!("slot {slot} comes after slot {last}; rows are ascending by slot");
            let hint = "sort the rows by slot, ties in handling order";
            flaws.push(flaw("slot", what, hint));
        }
        self.last = slot.max(self.last);
        flaws
    }
}

fn to_oneself(copy: &Copy) -> Option<Flaw> {
    (copy.sender == copy.receiver).then(|| {
        let what = format!("replica {} gets a copy from itself", copy.sender);
        let hint = "a replica holds its own messages at once; remove the row";
        flaw("peer", what, hint)
    })
}

fn transit(slot: Slot, sent: Slot, delivered: bool) -> Option<Flaw> {
    let (what, hint) = if sent == Slot(0) {
        ("nothing is sent in slot 0".to_owned(), "slots count from 1")
    } else if delivered && sent >= slot {
        (
            format!("delivered in slot {slot}, but sent in slot {sent}"),
            "a copy arrives at least one slot after it is sent",
        )
    } else if sent > slot {
        (
            format!("dropped in slot {slot}, but sent in slot {sent}"),
            "a copy can be lost from the slot it is sent in on",
        )
    } else {
        return None;
    };
    Some(flaw("sent", what, hint))
}
