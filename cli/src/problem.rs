//! Errors on standard error, with the line of the file where a place is known.

use crate::{
    document::{self, Failure, Place},
    stop, terminal,
};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use milp_schema::read::{Problem, Quote};
use milp_study::Error;
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    panic::PanicHookInfo,
};

/// A line that no terminal has, so that nothing wraps in a pipe.
const UNWRAPPED: usize = 100_000;

/// Says why a run failed: on standard error, and in the document of `--json`.
pub(crate) fn report(error: &Error) {
    let (problems, more) = match error {
        Error::Read(error) => (error.problems.as_slice(), error.and_more()),
        _ => (&[][..], None),
    };
    if problems.is_empty() {
        stop::say(&error.to_string());
    } else {
        let style = Style::of_stderr();
        for problem in problems {
            // That nobody can read it is no failure.
            let _ = write!(io::stderr(), "{}", Quoted::of(problem).render(&style));
        }
        if let Some(more) = more {
            let _ = writeln!(io::stderr(), "{more}");
        }
    }
    failed(
        &error.to_string(),
        problems.iter().map(Place::from).collect(),
    );
}

/// Says that the program itself is wrong, and where.
pub(crate) fn defect(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let words = text.or(payload.downcast_ref::<&str>().copied());
    let words = words.unwrap_or("no words");
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    let text = format!("a defect of milp, please report it: {words} ({place})");
    stop::say(&text);
    failed(&text, Vec::new());
}

fn failed(message: &str, problems: Vec<Place>) {
    document::add(|document| {
        document.error = Some(Failure {
            message: message.to_owned(),
            problems,
        });
    });
}

/// How to draw.
struct Style {
    theme: GraphicalTheme,
    width: usize,
}

impl Style {
    /// Colours on a terminal unless `NO_COLOR` says no; plain characters and no wrapping elsewhere.
    fn of_stderr() -> Self {
        let stderr = std::io::stderr();
        Self::of(stderr.is_terminal(), terminal::coloured(&stderr))
    }

    fn of(terminal: bool, colours: bool) -> Self {
        let theme = GraphicalTheme {
            characters: if terminal {
                ThemeCharacters::unicode()
            } else {
                ThemeCharacters::ascii()
            },
            styles: if terminal && colours {
                ThemeStyles::ansi()
            } else {
                ThemeStyles::none()
            },
        };
        let width = terminal.then(terminal_size::terminal_size).flatten();
        Self {
            theme,
            width: width.map_or(UNWRAPPED, |(width, _)| usize::from(width.0).max(20)),
        }
    }
}

/// A problem with what stands at its place.
#[derive(Debug)]
struct Quoted<'a> {
    problem: &'a Problem,
    /// The lines around the place and where in them, as bytes; nothing when there is no place.
    source: Option<(Lines<'a>, usize, usize)>,
}

impl<'a> Quoted<'a> {
    fn of(problem: &'a Problem) -> Self {
        let source = problem.quote.as_ref().and_then(|quote| {
            let line = problem.line - quote.first + 1;
            let (start, length) = span(&quote.text, line, quote.column)?;
            Some((Lines { problem, quote }, start, length))
        });
        Self { problem, source }
    }

    fn render(&self, style: &Style) -> String {
        if self.source.is_none() {
            return format!("{}\n", self.problem);
        }
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(style.theme.clone())
            .with_links(false)
            .with_width(style.width)
            .with_context_lines(1)
            .with_primary_span_start()
            .with_footer(format!("hint: {}", self.problem.hint));
        match handler.render_report(&mut text, self) {
            Ok(()) => text,
            Err(fmt::Error) => format!("{}\n", self.problem),
        }
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.problem.what)
    }
}

impl std::error::Error for Quoted<'_> {}

impl Diagnostic for Quoted<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        let (source, ..) = self.source.as_ref()?;
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, start, length) = self.source.as_ref()?;
        let span = LabeledSpan::new_primary_with_span(None, (*start, *length));
        Some(Box::new(std::iter::once(span)))
    }
}

/// The lines of a file that are quoted, under their own numbers.
#[derive(Debug)]
struct Lines<'a> {
    problem: &'a Problem,
    quote: &'a Quote,
}

impl SourceCode for Lines<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.quote.text.read_span(span, before, after)?;
        // Without lines around it, it is the place that is asked for; the quote may be cut.
        let column = match (before, after) {
            (0, 0) => self.problem.column.saturating_sub(1),
            _ => read.column(),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.problem.file.clone(),
            read.data(),
            *read.span(),
            self.quote.first - 1 + read.line(),
            column,
            read.line_count(),
        )))
    }
}

/// Where the word at a line and a character begins, in bytes, and how long it is; nothing when the
/// text has no such line.
fn span(text: &str, line: usize, column: usize) -> Option<(usize, usize)> {
    let mut start = 0;
    let whole = text
        .split_inclusive('\n')
        .nth(line.checked_sub(1)?)
        .or_else(|| (text.is_empty() || text.ends_with('\n')).then_some(""))?;
    start += text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum::<usize>();
    let content = whole.trim_end_matches(['\n', '\r']);
    let before = content
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(content.len(), |(at, _)| at);
    let word = content[before..]
        .find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']'))
        .unwrap_or(content.len() - before);
    // A single sign is a word, too.
    let sign = content[before..].chars().next().map_or(0, char::len_utf8);
    Some((start + before, word.max(sign)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, line: usize, column: usize) -> Problem {
        Problem {
            quote: Quote::of(text, line, column),
            file: "broken.yaml".into(),
            line,
            column,
            what: "expected a whole number, found `four`".into(),
            hint: "write 4".into(),
        }
    }

    #[test]
    fn words_are_found_by_line_and_character() {
        let text = "a: 1\nä: {b: zwölf, c: 2}\n\nlast";
        let word = |line, column| {
            let (start, length) = span(text, line, column).unwrap();
            &text[start..start + length]
        };
        assert_eq!(word(1, 4), "1");
        assert_eq!(word(2, 8), "zwölf");
        assert_eq!(word(2, 13), ",");
        assert_eq!(word(3, 1), "");
        assert_eq!(word(4, 1), "last");
        assert_eq!(word(4, 99), "");
        assert_eq!(span(text, 5, 1), None);
        assert_eq!(span("", 1, 1), Some((0, 0)));
        assert_eq!(span("a\n", 2, 1), Some((2, 0)));
    }

    #[test]
    fn the_line_is_quoted_and_colours_are_for_terminals_only() {
        let text = "format: x\nreplicas: four\ngoal: fork\n";
        let problem = problem(text, 2, 11);
        let quoted = Quoted::of(&problem);
        let plain = quoted.render(&Style::of(false, true));
        for words in [
            "expected a whole number",
            "[broken.yaml:2:11]",
            "replicas: four",
            "hint: write 4",
        ] {
            assert!(plain.contains(words), "{words}: {plain}");
        }
        assert!(plain.is_ascii(), "{plain}");
        assert!(!plain.contains('\u{1b}'), "{plain}");
        let coloured = quoted.render(&Style::of(true, true));
        assert!(coloured.contains('\u{1b}'), "{coloured}");
        assert!(!quoted.render(&Style::of(true, false)).contains('\u{1b}'));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_the_place_is_the_true_one() {
        let long = format!("{}four,{}", "a,".repeat(5000), "b,".repeat(5000));
        let text = format!("1\n2\n3\n{long}\n5\n6\n");
        let problem = problem(&text, 4, 10_001);
        let rendered = Quoted::of(&problem).render(&Style::of(false, true));
        assert!(rendered.contains("[broken.yaml:4:10001]"), "{rendered}");
        for words in [" 3 |", " 4 | …", "a,four,b", "…", " 5 |"] {
            assert!(rendered.contains(words), "{words}: {rendered}");
        }
        assert!(rendered.len() < 2000, "{}", rendered.len());
        let lines = rendered.lines().collect::<Vec<_>>();
        let at = lines
            .iter()
            .position(|line| line.contains("four,b"))
            .unwrap();
        let column = |line: &str, words: &str| {
            let at = line.find(words).unwrap();
            line[..at].chars().count()
        };
        assert_eq!(
            column(lines[at], "four"),
            column(lines[at + 1], "^"),
            "{rendered}"
        );
    }

    #[test]
    fn on_a_narrow_terminal_the_message_wraps() {
        let problem = problem("a\nreplicas: four\n", 2, 11);
        let quoted = Quoted::of(&problem);
        let style = Style {
            width: 30,
            ..Style::of(false, false)
        };
        let text = quoted.render(&style);
        let long = text.lines().filter(|line| line.len() > 30).count();
        assert_eq!(long, 0, "{text}");
    }

    #[test]
    fn without_lines_to_quote_the_place_is_said() {
        let problem = Problem {
            quote: None,
            ..problem("", 2, 11)
        };
        let text = Quoted::of(&problem).render(&Style::of(false, false));
        assert!(text.starts_with("broken.yaml:2:11: expected"), "{text}");
    }
}
