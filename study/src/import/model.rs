//! Traces of the TLA+ model as schedules.

use super::{
    imported::{Imported, carried_files, skeleton},
    trace,
};
use crate::{Error, folder::PREDICTIONS};
use milp_replay::tla::Read;
use milp_schema::{Instance, instance::FaultKind, read, write};
use milp_show::{
    export::{Carried, read_model},
    words::count,
};
use serde_json::Value;

/// A trace of the TLA+ model `dbft.tla`: the schedule that was exported, or what a model checker
/// wrote, each step in a slot of its own. `given` says which text of the model it is of and how
/// many views there are; without it that is what the trace shows.
///
/// # Errors
///
/// When it is no behaviour of the model, or one of another instance.
pub fn model(file: &str, text: &str, given: Option<&Instance>) -> Result<Imported, Error> {
    let refuse = |why: String| Error::Refused(format!("{file}: {why}"));
    let states = trace::states(text).map_err(refuse)?;
    let document = serde_json::from_str::<Value>(text).unwrap_or_default();
    if let Some(carried) = read_model(file, &document)? {
        if given.is_some() {
            return Err(refuse(
                "it has its own instance: leave --instance out".to_owned(),
            ));
        }
        return own_model(file, &states, &carried);
    }
    let read = milp_replay::tla::read(&states, given.map(|it| it.protocol.name.as_str()))
        .map_err(|error| refuse(error.to_string()))?;
    let (instance, lost) = if let Some(given) = given {
        (fitting(given, &read).map_err(refuse)?, Vec::new())
    } else {
        (shown(file, &read)?, assumed(&read))
    };
    let schedule = &read.behaviour.schedule;
    read::check_schedule(&instance, schedule, file)?;
    let mut files = skeleton(&instance, &schedule.choices);
    let predictions = write::predictions_csv(&schedule.predictions);
    files.insert(PREDICTIONS.to_owned(), predictions.into_bytes());
    Ok(Imported {
        files,
        lost,
        sentence: format!(
            "the behaviour of the model in {} of one step each",
            count(read.behaviour.slots.into(), "slot")
        ),
        place: None,
    })
}

/// What was written here comes back as it was, if its states are those of its schedule.
fn own_model(file: &str, states: &[Value], carried: &Carried) -> Result<Imported, Error> {
    let Carried {
        instance,
        faulty,
        schedule,
        ..
    } = carried;
    let again = milp_replay::tla::itf(instance, faulty, schedule)?;
    if again["states"].as_array().map(Vec::as_slice) != Some(states) {
        return Err(Error::Refused(format!(
            "{file}: its states are other ones than those of the schedule in its `#meta`: without \
             `choices` there it is read as a trace of a model checker"
        )));
    }
    Ok(carried_files(carried))
}

/// The instance given, in the slots of the behaviour.
fn fitting(given: &Instance, read: &Read) -> Result<Instance, String> {
    if given.replicas != read.replicas {
        return Err(format!(
            "the trace is of {} replicas, the instance of {}",
            read.replicas, given.replicas
        ));
    }
    if read.last_view.0 >= given.views {
        return Err(format!(
            "the trace reaches view {}, the instance has {}",
            read.last_view,
            count(given.views.into(), "view")
        ));
    }
    Ok(Instance {
        slots: read.behaviour.slots.max(1),
        ..given.clone()
    })
}

/// What a trace does not say and is taken from it.
fn assumed(read: &Read) -> Vec<String> {
    let mut assumed = vec![format!(
        "the constants of the model: MaxView is taken to be {}, the highest view of the trace, and \
         RMFault and RMDead those who turn bad or die in it; --instance gives others",
        read.last_view
    )];
    if read.of_both {
        assumed.push(format!(
            "which text of the model it is of: every step is one of both, and {} is \
             taken; --instance gives another",
            read.protocol
        ));
    }
    assumed
}

/// The instance that a trace shows.
fn shown(file: &str, read: &Read) -> Result<Instance, Error> {
    let kinds = [
        (FaultKind::Byzantine, "byzantine"),
        (FaultKind::Crash, "crash"),
    ];
    let faults = kinds.map(|(kind, name)| {
        let faulty = read.behaviour.faulty.iter();
        let these = faulty.filter(|(_, other)| *other == kind);
        let these = these.map(|(id, _)| id.to_string()).collect::<Vec<_>>();
        let fault = format!("{{kind: {name}, replicas: [{}]}}", these.join(", "));
        (!these.is_empty()).then_some(fault)
    });
    let faults = faults.into_iter().flatten().collect::<Vec<_>>();
    let faults = match faults.as_slice() {
        [] => "{kind: none}".to_owned(),
        faults => format!("[{}]", faults.join(", ")),
    };
    let text = format!(
        "format: milp-instance/2.0\nprotocol: {}\nreplicas: {}\nfaults: {faults}\n\
         heights: 1\nviews: {}\nblocks_per_proposal: 1\nslots: {}\nnetwork: eventual\n\
         timers: free\ngoal: stall\n",
        read.protocol,
        read.replicas,
        read.last_view.0 + 1,
        read.behaviour.slots.max(1),
    );
    Ok(read::instance_text(file, &text)?)
}
