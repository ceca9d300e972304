//! The proof of a result, as the page has it: how, how large, and the text itself.

use super::{draw::esc, run::Run};
use crate::words::count;
use milp_schema::{outcome::Certificate, write::sha256_hex};

/// What the file is called.
const FILE: &str = "certificate.csv";
/// The longest text that a page hands out as a link; of a longer one it says name and digest.
const LINKED: usize = 300_000;

/// The section about the certificate; nothing where there is none.
pub(super) fn section(run: &Run, on: &str) -> String {
    let (Some(certificate), Some(text)) = (&run.certificate, run.files.get(FILE)) else {
        return String::new();
    };
    let rows = text.lines().skip(1);
    let parts = rows.filter_map(|row| row.split(',').next());
    let of = |part: &str| parts.clone().filter(|it| *it == part).count() as i64;
    let size = format!(
        "{} kB: {}, {}",
        text.len().div_ceil(1000),
        count(of("point"), "column value"),
        count(of("multiplier"), "multiplier")
    );
    let digest = sha256_hex(text.as_bytes());
    let file = if text.len() <= LINKED {
        format!(
            "<a download=\"{FILE}\" href=\"data:text/csv;charset=utf-8,{}\">{FILE}</a>",
            percent(text)
        )
    } else {
        format!("{FILE} (too long for a link; <code>milp import</code> takes it out of this page)")
    };
    format!(
        "<details class=\"certificate\"><summary>The certificate{}: {}</summary>\n<dl>\n\
         <dt>how</dt><dd>{}</dd>\n<dt>size</dt><dd>{size}</dd>\n<dt>text</dt><dd>{file}</dd>\n\
         <dt>SHA-256</dt><dd><code>{digest}</code></dd>\n<dt>check</dt><dd><code>milp verify</code> of \
         the folder that <code>milp import</code> makes of this page builds the program again and \
         checks every number.</dd>\n</dl></details>\n",
        esc(on),
        esc(&short(certificate)),
        esc(&how(certificate))
    )
}

/// In a few words.
fn short(certificate: &Certificate) -> String {
    match certificate {
        Certificate::None => "the bound is a solver's word".to_owned(),
        Certificate::SafeDualBound { .. } => "proved in exact arithmetic".to_owned(),
        Certificate::PermutedInfeasible { .. } => "two searches agree".to_owned(),
        Certificate::Cubes {
            exact,
            symmetric,
            searched,
            ..
        } => format!("proved in {} cubes", exact + symmetric + searched),
    }
}

/// In sentences.
fn how(certificate: &Certificate) -> String {
    match certificate {
        Certificate::None => {
            "The schedule was checked in every row in exact integers. That none is worse rests on \
             the solver alone."
                .to_owned()
        }
        Certificate::SafeDualBound { bound } => format!(
            "A weighted sum of the program's rows shows in exact integers that no schedule is \
             worse (bound {bound}). No solver has to be believed."
        ),
        Certificate::PermutedInfeasible { seed } => format!(
            "A second search, with rows and columns in another order (seed {seed}), found nothing \
             worse either. Two searches of one solver have to be wrong together."
        ),
        Certificate::Cubes {
            bound,
            exact,
            symmetric,
            searched,
        } => format!(
            "The program was cut into cubes, and in none is anything worse (bound {bound}): {exact} \
             by a weighted sum of rows in exact integers, {symmetric} as mirror images of others, \
             {searched} by two searches that agree."
        ),
    }
}

/// A text in an address: what is neither letter, digit nor harmless is written by its bytes.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b',' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}
