//! What an outcome leaves for a stranger: the digest of its program and `certificate.csv`.

use crate::{
    Error,
    folder::{CERTIFICATE, is_there},
};
use milp_model::{Built, program::Program};
use milp_schema::{
    Evidence, Outcome, ReplicaId, Schedule,
    certificate::Part,
    instance::FaultKind,
    outcome::{Certificate, ProgramDigest},
    read, write,
};
use milp_solver::exact::Multipliers;
use std::path::Path;

/// The digest of a program: of what `milp export --lp` prints for its instance.
pub(crate) fn digest(program: &Program) -> ProgramDigest {
    ProgramDigest {
        columns: program.columns.len() as u64,
        rows: program.rows.len() as u64,
        sha256: write::sha256_hex(milp_solver::lp(program).as_bytes()),
    }
}

/// The text of `certificate.csv`, if there is anything to write into it.
pub(crate) fn text(evidence: &Evidence) -> Option<String> {
    (!evidence.parts.is_empty()).then(|| write::certificate_csv(evidence))
}

/// SHA-256 of that text.
pub(crate) fn hash(evidence: &Evidence) -> Option<String> {
    text(evidence).map(|text| write::sha256_hex(text.as_bytes()))
}

/// The point of a schedule as far as the schedule says it; the rest is 0. Where schedules are made
/// of an order of acts, they say nothing of the point that they are made of.
fn said(built: &Built, schedule: &Schedule, faulty: &[(ReplicaId, FaultKind)]) -> Vec<i64> {
    let columns = built.program().columns.len();
    let encoded = if built.orders_acts() {
        Err(String::new())
    } else {
        built.encode(schedule, faulty)
    };
    let mut point = encoded.map_or_else(
        |_| vec![0; columns],
        |point| {
            point
                .into_iter()
                .map(Option::unwrap_or_default)
                .collect::<Vec<i64>>()
        },
    );
    point.resize(columns, 0);
    point
}

/// Whether the point is the one of the schedule, as far as the schedule says it.
pub(crate) fn is_said(
    built: &Built,
    point: &[i64],
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> bool {
    let same = |(said, value): (Option<i64>, &i64)| said.is_none_or(|said| said == *value);
    built
        .encode(schedule, faulty)
        .is_ok_and(|said| said.into_iter().zip(point).all(same))
}

/// What the point has besides what its schedule says.
pub(crate) fn point(
    built: &Built,
    point: &[i64],
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> Vec<Part> {
    let said = said(built, schedule, faulty);
    let columns = built.program().columns.iter().zip(point.iter().zip(said));
    columns
        .filter(|(_, (value, said))| **value != *said)
        .map(|(column, (value, _))| Part::Point {
            column: column.name.clone(),
            value: *value,
        })
        .collect()
}

/// The point of a schedule and what a certificate adds to it.
///
/// # Errors
///
/// The name of a column that the program does not have, or that is named twice.
pub(crate) fn completed(
    built: &Built,
    evidence: &Evidence,
    schedule: &Schedule,
    faulty: &[(ReplicaId, FaultKind)],
) -> Result<Vec<i64>, String> {
    let mut point = said(built, schedule, faulty);
    let columns = built.program().columns.iter().zip(0usize..);
    let mut at: std::collections::BTreeMap<&str, usize> = columns
        .map(|(column, at)| (column.name.as_str(), at))
        .collect();
    for (name, value) in evidence.point() {
        let position = at.remove(name);
        let position = position.ok_or_else(|| {
            format!("the program has no column {name}, or it is named more than once")
        })?;
        point[position] = value;
    }
    Ok(point)
}

/// Whether an outcome is about this program.
pub(crate) fn is_of(built: &Built, outcome: &Outcome) -> bool {
    outcome.program == Some(digest(built.program()))
}

/// The whole point of the result in a folder, as its certificate has it; nothing where the result
/// is about another program, or left no certificate.
pub(crate) fn kept(
    built: &Built,
    dir: &Path,
    outcome: &Outcome,
    schedule: &Schedule,
) -> Result<Option<Vec<i64>>, Error> {
    let file = dir.join(CERTIFICATE);
    if !is_of(built, outcome) || !is_there(&file) {
        return Ok(None);
    }
    let evidence = read::certificate(&file)?;
    let point = completed(built, &evidence, schedule, &outcome.faulty);
    point.map(Some).map_err(Error::Refused)
}

/// The one cube of a result that needed none.
pub(crate) fn whole(
    program: &Program,
    certificate: &Certificate,
    multipliers: Option<&Multipliers>,
) -> Option<Part> {
    match (certificate, multipliers) {
        (Certificate::SafeDualBound { .. }, Some(multipliers)) => {
            let rows = program.rows.iter().map(|row| row.name.as_str());
            Some(bound(rows, multipliers))
        }
        (Certificate::PermutedInfeasible { seed }, _) => Some(Part::Searched { seed: *seed }),
        _ => None,
    }
}

/// The multipliers of rows with these names, those of 0 left out.
pub(crate) fn bound<'a>(
    rows: impl Iterator<Item = &'a str>,
    Multipliers { shift, numerators }: &Multipliers,
) -> Part {
    let named = rows.zip(numerators);
    Part::Bound {
        shift: *shift,
        multipliers: named
            .filter(|(_, numerator)| **numerator != 0)
            .map(|(name, numerator)| (name.to_owned(), *numerator))
            .collect(),
    }
}
