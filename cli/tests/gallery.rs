//! The gallery: questions, each with its instance, its one command, its answer and a picture of the
//! schedule that shows it. `UPDATE=1` makes the page and the pictures again.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by failing that it cannot go on"
)]

mod support;

use std::fmt::Write as _;
use support::{Scratch, root};

/// What is asked, and the instance that asks it.
const QUESTIONS: [(&str, &str); 10] = [
    (
        "Can delays alone make two blocks final?",
        "dbft1/n4-delays-fork",
    ),
    (
        "Can it stop for ever though nobody is faulty?",
        "dbft2/n4-stall",
    ),
    (
        "Can the production engine stop for ever?",
        "dbft2/n4-stall-nspcc",
    ),
    (
        "Why does who has committed not leave its view?",
        "mutants/n4-no-commit-lock-fork",
    ),
    (
        "What if a quorum is one replica smaller?",
        "mutants/n4-small-quorum-fork",
    ),
    (
        "What if more are Byzantine than it is made for?",
        "dbft2/n4-beyond-budget-fork",
    ),
    (
        "What is Tendermint's lock for?",
        "tendermint/n4-no-lock-fork",
    ),
    (
        "Why does a new view have to be justified?",
        "pbft/n4-no-justification-fork",
    ),
    ("Is one Byzantine replica of four safe?", "simplex/n4-fork"),
    ("Do good views decide?", "qbft/n4-trusting-leader-wasted"),
];

const START: &str = "# Gallery\n\nQuestions with their answers: the instance, the command that asks \
    it, what that says, and the schedule.\nWhere something bad was found the picture is of its \
    schedule without the acts that replicas can do without ([ASK.md](ASK.md)); \
    [REPORT.md](REPORT.md) says what is drawn.\n`UPDATE=1 cargo test -p milp-cli --test gallery` \
    makes this page and its pictures.\n";

#[test]
fn the_gallery_is_what_the_command_says_and_draws() {
    let scratch = Scratch::new();
    let mut page = START.to_owned();
    for (question, place) in QUESTIONS {
        let file = format!("instances/{place}.yaml");
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        scratch.put(&file, &text);
        let ran = scratch.run(&format!("ask {file} --quiet"));
        assert!(ran.code.is_some_and(|code| code != 2), "{ran:?}");
        let first = ran.stdout.lines().next().unwrap();
        let mut lines = ran.stdout.lines();
        let needs = lines.find_map(|line| line.strip_prefix(" the adversary needs"));
        let result = format!("out/ask/{place}");
        let fewer = format!("{result}-fewer");
        let shown = if scratch.path(&fewer).is_dir() {
            &fewer
        } else {
            &result
        };
        let picture = format!("gallery/{}.svg", place.replace('/', "-"));
        let drawn = scratch.run(&format!("report {shown} --svg --out picture.svg"));
        assert_eq!(drawn.code, Some(0), "{drawn:?}");
        kept(&format!("docs/{picture}"), &scratch.text("picture.svg"));
        let instance = text.lines().filter(|line| !line.starts_with('#'));
        let instance: Vec<&str> = instance.collect();
        let _ = write!(
            page,
            "\n## {question}\n\n```yaml\n{}\n```\n\n```text\nmilp ask {file}\n{first}\n```\n\n",
            instance.join("\n")
        );
        if let Some(needs) = needs {
            let needs = needs.split(" (").next().unwrap().trim();
            let _ = writeln!(page, "The adversary needs {needs}.\n");
        }
        let _ = writeln!(page, "![{first}]({picture})");
    }
    kept("docs/GALLERY.md", &page);
}

/// The file is kept as it was made.
fn kept(path: &str, made: &str) {
    let path = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{}: UPDATE=1", path.display());
}
