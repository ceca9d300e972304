//! The files inside a report, judged as the files of a folder.

use super::imported::INSTANCE;
use crate::{
    Error,
    folder::{CERTIFICATE, CUTS, LEMMAS, OUTCOME, PREDICTIONS, SCHEDULE, SHOWN},
};
use milp_schema::{
    Schedule,
    protocol::WRITTEN,
    read::{self, Near},
};
use milp_show::report::{Embedded, EmbeddedRun};

/// Takes the files out of the text of a report and judges them as the files of a folder; `file` is
/// the name that problems are reported under.
///
/// # Errors
///
/// When there are none, when a newer version made them, or with what is wrong with them.
pub fn embedded(file: &str, html: &str) -> Result<Embedded, Error> {
    let embedded = Embedded::read(file, html)?;
    for run in &embedded.runs {
        check(run, file)?;
    }
    Ok(embedded)
}

/// Makes sure that the files are what a folder of a result has, and fit together.
fn check(run: &EmbeddedRun, file: &str) -> Result<(), Error> {
    let known = [
        SCHEDULE,
        PREDICTIONS,
        OUTCOME,
        INSTANCE,
        CERTIFICATE,
        CUTS,
        SHOWN,
        LEMMAS,
        WRITTEN,
    ];
    if let Some(name) = run.files.keys().find(|it| !known.contains(&it.as_str())) {
        return Err(Error::Refused(format!(
            "{file} embeds `{name}`, which is no file of a result"
        )));
    }
    let text = |name: &str| run.files.get(name).map(String::as_str);
    let at = |name: &str| format!("{name} in {file}");
    let near = Near::text(text(WRITTEN));
    let lacks = |name: &str| Error::Refused(format!("{file} embeds no {name}"));
    let instance = match (text(OUTCOME), text(INSTANCE)) {
        (Some(outcome), _) => {
            let outcome = read::outcome_near(&at(OUTCOME), outcome, near)?;
            let certificate = text(CERTIFICATE);
            if outcome.certificate_sha256.is_some() && certificate.is_none() {
                return Err(lacks(CERTIFICATE));
            }
            certificate
                .map(|text| read::certificate_text(&at(CERTIFICATE), text))
                .transpose()?;
            outcome.instance
        }
        (None, Some(text)) => read::instance_near(&at(INSTANCE), text, near)?,
        (None, None) => return Err(lacks(OUTCOME)),
    };
    let choices = text(SCHEDULE).ok_or_else(|| lacks(SCHEDULE))?;
    let choices = read::choices_text(instance.protocol, &at(SCHEDULE), choices)?;
    let predictions = match text(PREDICTIONS) {
        Some(text) => read::predictions_text(instance.protocol, &at(PREDICTIONS), text)?,
        None => Vec::new(),
    };
    let schedule = Schedule {
        choices,
        predictions,
    };
    Ok(read::check_schedule(&instance, &schedule, file)?)
}

/// Whether the embedded choices are those that the embedded outcome is about.
///
/// # Errors
///
/// With what is wrong with the outcome.
pub fn is_edited(run: &EmbeddedRun) -> Result<bool, Error> {
    let (Some(outcome), Some(schedule)) = (run.files.get(OUTCOME), run.files.get(SCHEDULE)) else {
        return Ok(false);
    };
    let near = Near::text(run.files.get(WRITTEN).map(String::as_str));
    let hash = read::outcome_near(OUTCOME, outcome, near)?.schedule_sha256;
    let found = milp_schema::write::sha256_hex(schedule.as_bytes());
    Ok(hash.is_some_and(|hash| hash != found))
}
