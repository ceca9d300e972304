//! Words that all that is shown has in common.

/// So many of something, in words.
pub fn count(number: i64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
