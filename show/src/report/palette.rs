//! Every colour of a report, once: what it is called, and what it is on light and on dark ground.

use crate::words::{Dye, dyes};
use milp_schema::Kind;
use std::collections::BTreeMap;

/// Name, on light ground, on dark ground.
const COLOURS: [(&str, &str, &str); 32] = [
    // The page and what is written on it.
    ("page", "#ffffff", "#0d1117"),
    ("ground", "#f6f8fa", "#161b22"),
    ("ink", "#1f2328", "#e6edf3"),
    ("muted", "#3d4650", "#b3bdc7"),
    ("line", "#d0d7de", "#3a424c"),
    ("edge", "#57606a", "#8b949e"),
    ("bad", "#b00020", "#ff9aa2"),
    ("good", "#14522a", "#8fe0a6"),
    ("good-ground", "#e8f3ea", "#12301d"),
    ("plain-ground", "#f0f2f4", "#21262d"),
    ("warn", "#8a6500", "#e3b341"),
    ("warn-ground", "#fff4d6", "#2e2510"),
    ("link", "#0b57d0", "#8ab8ff"),
    ("focus", "#0b57d0", "#8ab8ff"),
    // What a selection has before it and after it.
    ("past", "#0b57d0", "#8ab8ff"),
    ("future", "#9a4a00", "#ffb26b"),
    ("chosen", "#b0008a", "#ff86dc"),
    // The picture.
    ("slot", "#dde1e6", "#2a313a"),
    ("lane", "#9aa4ae", "#6b7682"),
    ("cursor", "#ffe9a8", "#4d3f0c"),
    ("tint0", "#eef1f4", "#1a2027"),
    ("tint1", "#dcebfb", "#10263f"),
    ("tint2", "#fdebd3", "#33260f"),
    ("tint3", "#ece2f6", "#2a2040"),
    ("for-ever", "#5b3fa0", "#c3aef7"),
    ("for-ever-ground", "#f4f0fb", "#1d1830"),
    ("hatch", "#c98a84", "#8a4f4a"),
    ("hatch-ground", "#fdecea", "#2c1517"),
    ("bar", "#a67c00", "#d9a520"),
    ("padlock", "#e0a800", "#e0b030"),
    ("padlock-edge", "#4a3800", "#fff0bf"),
    ("differs", "#b0008a", "#ff86dc"),
];

/// What text stands on.
const GROUNDS: [&str; 5] = ["page", "tint0", "tint1", "tint2", "tint3"];

/// The least contrast of text (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;

/// Each colour that the pictures of these kinds use, by its name: on light ground, on dark ground.
fn colours(kinds: impl IntoIterator<Item = Kind>) -> BTreeMap<String, (String, String)> {
    let fixed = COLOURS.iter();
    let fixed = fixed.map(|(name, light, dark)| {
        let both = ((*light).to_owned(), (*dark).to_owned());
        ((*name).to_owned(), both)
    });
    let of_kinds = kinds.into_iter().flat_map(dyes);
    let of_kinds = of_kinds.map(|Dye { name, colour }| (name, (colour.clone(), on_dark(&colour))));
    fixed.chain(of_kinds).collect()
}

/// The variables of a page: light unless the reader's system is dark and it is a screen.
pub(crate) fn variables(kinds: impl IntoIterator<Item = Kind>) -> String {
    let colours = colours(kinds);
    let rules = |dark: bool| {
        let each = colours.iter().map(|(name, (light, night))| {
            format!("--{name}: {};", [light, night][usize::from(dark)])
        });
        each.collect::<Vec<_>>().join(" ")
    };
    format!(
        ":root {{ color-scheme: light; {} }}\n@media screen and (prefers-color-scheme: dark) {{\n\
         :root {{ color-scheme: dark; {} }}\n}}\n",
        rules(false),
        rules(true)
    )
}

/// The colours on light ground, for pictures that stand alone.
pub(crate) fn light(kinds: impl IntoIterator<Item = Kind>) -> BTreeMap<String, String> {
    let colours = colours(kinds).into_iter();
    colours.map(|(name, (light, _))| (name, light)).collect()
}

/// Rules without variables: programs that draw pictures know none.
pub(crate) fn plain(rules: &str, kinds: impl IntoIterator<Item = Kind>) -> String {
    let colours = light(kinds).into_iter();
    colours.fold(rules.to_owned(), |rules, (name, colour)| {
        rules.replace(&format!("var(--{name})"), &colour)
    })
}

/// A colour lightened until text of it can be read on every dark ground.
fn on_dark(colour: &str) -> String {
    let readable = |colour: &str| {
        let dark = |name: &&str| COLOURS.iter().find(|it| it.0 == *name).map(|it| it.2);
        let mut grounds = GROUNDS.iter().filter_map(dark);
        grounds.all(|ground| contrast(colour, ground) >= CONTRAST)
    };
    let parts = parts(colour);
    let lighter = (0..=20).map(|step| {
        let [r, g, b] = parts.map(|part| part + (255 - part) * step / 20);
        format!("#{r:02x}{g:02x}{b:02x}")
    });
    let mut lighter = lighter.skip_while(|it| !readable(it));
    lighter.next().unwrap_or_else(|| "#ffffff".to_owned())
}

/// Red, green and blue of `#rrggbb`.
fn parts(colour: &str) -> [u32; 3] {
    [1, 3, 5].map(|at| {
        let digits = colour.get(at..at + 2).unwrap_or_default();
        u32::from_str_radix(digits, 16).unwrap_or_default()
    })
}

/// How well one colour is told from the other, from 1 to 21 (WCAG 2.2, relative luminance).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let [r, g, b] = parts(colour).map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::Protocol;

    #[test]
    fn what_is_written_is_read_on_light_and_on_dark_ground() {
        assert!((contrast("#ffffff", "#000000") - 21.0).abs() < 1e-9);
        let kinds = Protocol::all().flat_map(|it| it.kinds());
        let colours = colours(kinds);
        let texts = [
            "ink", "muted", "bad", "past", "future", "chosen", "for-ever",
        ];
        let on_grounds = texts
            .iter()
            .flat_map(|text| GROUNDS.map(|ground| (*text, ground)));
        let others = [
            ("ink", "ground"),
            ("ink", "warn-ground"),
            ("ink", "plain-ground"),
            ("ink", "cursor"),
            ("ink", "for-ever-ground"),
            ("ink", "hatch-ground"),
            ("muted", "for-ever-ground"),
            ("muted", "ground"),
            ("link", "page"),
            ("good", "good-ground"),
            ("page", "bad"),
            ("page", "ink"),
        ];
        // The number of slots late stands in the colour of the page on that of its kind.
        let tags = colours.keys().filter(|name| name.ends_with("-text"));
        let tags = tags.map(|name| ("page", name.as_str()));
        for (text, ground) in on_grounds.chain(others).chain(tags) {
            let (one, other) = (&colours[text], &colours[ground]);
            for (one, other) in [(&one.0, &other.0), (&one.1, &other.1)] {
                let found = contrast(one, other);
                assert!(
                    found >= CONTRAST,
                    "{text} {one} on {ground} {other}: {found:.2}"
                );
            }
        }
    }

    #[test]
    fn every_colour_of_the_rules_has_a_name_that_is_known() {
        let kinds: Vec<Kind> = Protocol::all().flat_map(|it| it.kinds()).collect();
        let known = colours(kinds.clone());
        let rules = [
            include_str!("report.css"),
            include_str!("diagram.css"),
            &crate::words::style(kinds.clone()),
        ];
        for rules in rules {
            assert!(!rules.contains(": #"), "a colour without a name");
            for used in rules.split("var(--").skip(1) {
                let name = used.split(')').next().unwrap_or_default();
                assert!(known.contains_key(name), "{name}");
            }
            assert!(!plain(rules, kinds.clone()).contains("var("));
        }
    }
}
