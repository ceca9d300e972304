//! What adapters say, made fit to be shown.

/// How much of a text is shown, in characters.
const SHOWN: usize = 200;
/// How much of several lines is shown.
const SHOWN_LINES: usize = 4_000;

/// A text on one line: what would move a cursor, break the line or turn the direction of writing is
/// escaped, and what is long is cut.
pub(crate) fn shown(text: &str) -> String {
    cut(text, SHOWN, |_| false)
}

/// The same with its lines.
pub(crate) fn shown_lines(text: &str) -> String {
    cut(text, SHOWN_LINES, |c| c == '\n')
}

fn cut(text: &str, most: usize, keeps: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for (place, c) in text.chars().enumerate() {
        if place == most {
            out.push('…');
            break;
        }
        if is_plain(c) || keeps(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// Whether a terminal shows the character and does nothing else.
fn is_plain(c: char) -> bool {
    let unseen = matches!(
        c,
        '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !unseen
}

/// Whether a text can be part of a file's name and of a line: letters, digits, `.`, `_`, `+` and
/// `-`, the first one a letter or a digit, 64 at most.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_what_is_long_is_cut() {
        for (text, safe) in [
            ("plain, ü and 数", "plain, ü and 数"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\nb\rc\td", "a\\u{a}b\\u{d}c\\u{9}d"),
            ("\u{9b}1m", "\\u{9b}1m"),
            ("\u{202e}txt", "\\u{202e}txt"),
        ] {
            assert_eq!(shown(text), safe);
        }
        assert_eq!(shown_lines("a\nb\u{7}"), "a\nb\\u{7}");
        let long = shown(&"x".repeat(1_000));
        assert_eq!(long, format!("{}…", "x".repeat(SHOWN)));
    }

    #[test]
    fn a_name_leads_nowhere_and_breaks_no_line() {
        for name in ["nspcc-dbft", "dbft2-paper+no-commit-lock", "v0.4.0"] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(65);
        for text in [
            "",
            ".",
            "../x",
            "a/b",
            "a b",
            "a\n",
            "\u{1b}[1m",
            "ü",
            &long,
        ] {
            assert!(!is_name(text), "{text}");
        }
    }
}
