//! A page around plots and tables: one self-contained HTML file, without a script.

use super::Plot;
use crate::report::esc;

/// As a report looks.
const STYLE: &str = include_str!("../report/report.css");
/// What only these pages have.
const MORE: &str = "\
table { border-collapse: collapse; font-size: 13px; margin: 6px 0; }
caption { text-align: left; font-weight: bold; padding: 4px; }
th, td { border: 1px solid #d0d7de; padding: 2px 8px; text-align: left; vertical-align: top; }
td.number { text-align: right; }
td { white-space: nowrap; }
td.words { white-space: normal; min-width: 44ch; }
.scroll { margin: 8px 0; }
code { font-size: 13px; }
";
/// No connection to anywhere: what the page needs is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    out: String,
}

impl Page {
    /// The head, and a first paragraph.
    pub fn new(title: &str, sentence: &str) -> Self {
        let title = esc(title);
        let sentence = esc(sentence);
        Self {
            out: format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                 <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
                 <title>{title}</title>\n<style>\n{STYLE}{MORE}</style>\n</head>\n<body>\n<header>\n\
                 <h1>{title}</h1>\n<p>{sentence}</p>\n</header>\n<main>\n"
            ),
        }
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.out += &format!("<p>{}</p>\n", esc(text));
    }

    /// A plot.
    pub fn plot(&mut self, plot: &Plot) {
        self.out += &format!(
            "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n\
             {}</div>\n</figure>\n",
            esc(&plot.title),
            plot.svg()
        );
    }

    /// A table; `numbers` are the columns that stand to the right.
    pub fn table(
        &mut self,
        caption: &str,
        header: &[String],
        rows: &[Vec<String>],
        numbers: &[usize],
    ) {
        self.out += &format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">\n\
             <table><caption>{0}</caption>\n<thead><tr>",
            esc(caption)
        );
        for name in header {
            self.out += &format!("<th scope=\"col\">{}</th>", esc(name));
        }
        self.out += "</tr></thead>\n<tbody>\n";
        for row in rows {
            self.out += "<tr>";
            for (at, cell) in row.iter().enumerate() {
                let class = match cell.chars().count() {
                    _ if numbers.contains(&at) => " class=\"number\"",
                    // A sentence is wrapped.
                    letters if letters > 80 => " class=\"words\"",
                    _ => "",
                };
                self.out += &format!("<td{class}>{}</td>", esc(cell));
            }
            self.out += "</tr>\n";
        }
        self.out += "</tbody></table></div>\n";
    }

    /// Commands to type, one a line.
    pub fn commands(&mut self, lines: &[String]) {
        self.out += &format!("<pre><code>{}</code></pre>\n", esc_lines(lines));
    }

    /// The whole file.
    pub fn html(self) -> String {
        self.out + "</main>\n</body>\n</html>\n"
    }
}

fn esc_lines(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| esc(line)).collect::<Vec<_>>();
    lines.join("\n")
}

/// A CSV file; a field with a comma, a quote or a line break stands in quotes.
pub fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let field = |field: &String| {
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    };
    let line = |row: &[String]| row.iter().map(field).collect::<Vec<_>>().join(",") + "\n";
    let rows = rows.iter().map(|row| line(row));
    std::iter::once(line(header)).chain(rows).collect()
}
