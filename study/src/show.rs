//! What there is to show of a result: its schedule, driven here and handed over as plain data.

use crate::{
    Error,
    confirm::{Engine, How},
    deepen::shifted,
    folder::{
        self, CERTIFICATE, CUTS, Driven, LEMMAS, OUTCOME, PREDICTIONS, SCHEDULE, SHOWN, is_there,
    },
    import::INSTANCE,
    sentence::{LEFT_OUT, patterns},
};
use milp_replay::Replayed;
use milp_schema::{
    Choice, Instance, Slot, Verdict, instance::Goal, protocol::WRITTEN, read, write,
};
use milp_show::{explain::Story, export::Carried, report::Run, words};
use std::{collections::BTreeMap, path::Path};

/// Nothing shown depends on signatures, which take long.
const HOW: How = How {
    symbolic: true,
    recovery: milp_replay::Recovery::Ideal,
    compare: false,
};

impl From<&Driven> for Carried {
    fn from(driven: &Driven) -> Self {
        Self {
            instance: driven.instance.clone(),
            faulty: driven.faulty.clone(),
            schedule: driven.schedule.clone(),
            predicted: driven.predicted,
        }
    }
}

/// Replays the schedule on the replicas of `engine`, as is fastest, and tells what they did.
///
/// # Errors
///
/// As for [`Driven::confirm`].
pub fn story(driven: &Driven, engine: &Engine) -> Result<Story, Error> {
    told(driven, engine, HOW)
}

/// Replays the schedule on the replicas of `engine` and tells what they did.
///
/// # Errors
///
/// As for [`Driven::confirm`].
pub fn told(driven: &Driven, engine: &Engine, how: How) -> Result<Story, Error> {
    let Replayed { trace, verdict } = driven.replay(engine, how)?;
    let instance = engine.put_into(&driven.instance)?;
    Ok(Story::of(instance, driven.faulty.clone(), trace, verdict))
}

/// Reads a result folder or a schedule.csv and drives the replicas of `engine` with it.
///
/// # Errors
///
/// As for [`Driven::read`] and [`Driven::confirm`].
pub fn run(path: &Path, instance: Option<&Path>, engine: &Engine) -> Result<Run, Error> {
    let driven = Driven::read(path, instance)?;
    let replayed = driven.replay(engine, HOW)?;
    let (driven, replayed, earlier) = match from_slot_1(&driven, engine, &replayed) {
        Some((driven, again, by)) => (driven, again, by),
        None => (driven, replayed, 0),
    };
    let schedule = if path.is_dir() {
        path.join(SCHEDULE)
    } else {
        path.to_owned()
    };
    let outcome = driven.dir.join(OUTCOME);
    let mut files = BTreeMap::from([(SCHEDULE.to_owned(), read::text(&schedule)?)]);
    if driven.predicted {
        let file = driven.dir.join(PREDICTIONS);
        files.insert(PREDICTIONS.to_owned(), read::text(&file)?);
    }
    let (mut sentence, mut proof) = (None, None);
    if instance.is_none() && is_there(&outcome) {
        let found = read::outcome(&outcome)?;
        // What the outcome rests on goes with it, or nobody could check it again.
        let certificate = found.certificate_sha256.map(|_| CERTIFICATE);
        let further = [CUTS, SHOWN, LEMMAS].into_iter();
        let further = further.filter(|name| is_there(&driven.dir.join(name)));
        for name in [OUTCOME].into_iter().chain(certificate).chain(further) {
            files.insert(name.to_owned(), read::text(&driven.dir.join(name))?);
        }
        // What is left out stands in a list of its own.
        let said = found.sentence.split(LEFT_OUT).next();
        sentence = said.map(str::to_owned);
        proof = Some(found.certificate);
    } else {
        let yaml = write::instance_yaml(&driven.instance);
        files.insert(INSTANCE.to_owned(), yaml);
    }
    if let Some(text) = driven.instance.protocol.given() {
        files.insert(WRITTEN.to_owned(), text.to_owned());
    }
    let locks = words::locks(&engine.put_into(&driven.instance)?);
    let told = sentence.iter();
    let left_out = told.flat_map(|_| patterns(&driven.instance)).collect();
    Ok(Run {
        name: name(&driven.dir),
        engine: replayed.verdict.engine.clone(),
        locks,
        instance: driven.instance,
        faulty: driven.faulty,
        schedule: driven.schedule,
        earlier,
        predicted: driven.predicted,
        sentence,
        certificate: proof,
        left_out,
        trace: replayed.trace,
        verdict: Some(replayed.verdict),
        files,
    })
}

/// A schedule in which nothing happens in slot 1 from its first act on, what replicas do with it,
/// and by how much it is earlier; nothing unless they do the same, slot for slot. Where the slot of
/// a decision is what the result is about, it stays.
fn from_slot_1(
    driven: &Driven,
    engine: &Engine,
    replayed: &Replayed,
) -> Option<(Driven, Replayed, u32)> {
    let choices = driven.schedule.choices.iter().map(Choice::slot);
    let predictions = driven.schedule.predictions.iter().map(|it| it.slot);
    let events = replayed.trace.iter().map(|it| it.slot);
    let first = choices.chain(predictions).chain(events).min()?;
    let by = first.0.checked_sub(1).filter(|by| *by > 0)?;
    if driven.instance.goal == Goal::Slow {
        return None;
    }
    let moved = Driven {
        schedule: shifted(&driven.schedule, -by.cast_signed()),
        instance: Instance {
            slots: driven.instance.slots.checked_sub(by)?,
            ..driven.instance.clone()
        },
        ..driven.clone()
    };
    let again = moved.replay(engine, HOW).ok()?;
    let later = again.trace.iter().cloned().map(|mut event| {
        event.slot.0 += by;
        event.copy = event.copy.map(|(sent, copy)| (Slot(sent.0 + by), copy));
        event
    });
    // Sentences name slots; how many there are and everything else is compared.
    let judged = |verdict: &Verdict| {
        let number = verdict.notes.len();
        let notes = Vec::new();
        (
            number,
            Verdict {
                notes,
                ..verdict.clone()
            },
        )
    };
    let same = later.eq(replayed.trace.iter().cloned())
        && judged(&again.verdict) == judged(&replayed.verdict);
    same.then_some((moved, again, by))
}

/// The same schedule as the program sees it: its choices and its predictions, no replica.
///
/// # Errors
///
/// When there are no predictions.
pub fn predicted(run: &Run) -> Result<Run, Error> {
    run.expected().ok_or_else(|| {
        Error::Refused(format!(
            "there is no {PREDICTIONS} beside {}, so nothing says what the model expects",
            run.name
        ))
    })
}

/// The last parts of a folder's path that say which result it is.
fn name(dir: &Path) -> String {
    let known = ["results", "out"];
    let below = known.iter().find_map(|it| folder::below(dir, it));
    let plain = || dir.file_name().map(std::path::PathBuf::from);
    let name = below.or_else(plain).unwrap_or_else(|| "schedule".into());
    name.display().to_string()
}
