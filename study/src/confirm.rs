//! Drives replicas with a schedule.

mod engine;

pub use engine::{Engine, INTERPRETER, OWN, SOUND, adapters, of_engines};

use crate::{Error, folder::Driven};
use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures};
use milp_schema::{Instance, Verdict, instance::Goal, verdict::Liveness};
use milp_show::export::model_meta;

/// How to drive them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct How {
    /// Leave real signatures out, for speed.
    pub symbolic: bool,
    /// How an engine rebuilds what a recovery message carries.
    pub recovery: Recovery,
    /// Compare with the predictions even if the replicas follow other rules.
    pub compare: bool,
}

/// What replicas did with a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// What was found.
    pub verdict: Verdict,
    /// The trace as lines of JSON.
    pub trace: String,
}

/// Whether replicas waste the good views that a value says, or prove as many guilty.
///
/// # Errors
///
/// When they waste fewer, or prove another number.
pub(crate) fn shows(
    instance: &Instance,
    value: Option<i64>,
    verdict: &Verdict,
) -> Result<(), Error> {
    let wasted = verdict.wasted.map(i64::from);
    if matches!(instance.goal, Goal::Wasted { .. }) && wasted < value {
        return Err(Error::Refused(format!(
            "its replay wastes fewer good views: {}",
            verdict.notes.join("; ")
        )));
    }
    let guilty = verdict.guilty.map(i64::from);
    if instance.goal == Goal::Blame && guilty != value {
        return Err(Error::Refused(format!(
            "its replay proves another number of replicas guilty: {}",
            verdict.notes.join("; ")
        )));
    }
    Ok(())
}

impl Driven {
    /// The verdict of the instance's own replicas, which do what was predicted.
    ///
    /// # Errors
    ///
    /// When they do something else.
    pub(crate) fn followed(&self) -> Result<Verdict, Error> {
        let verdict = self.replay(&Engine::Own, How::default())?.verdict;
        if !verdict.confirms() {
            return Err(Error::Refused(format!(
                "the replay diverges from the predictions: {}",
                verdict.notes.join("; ")
            )));
        }
        Ok(verdict)
    }

    /// Drives the replicas of `engine` with the schedule. Only what follows the rules the schedule
    /// was made by is compared with the predictions, unless `how` says otherwise: the instance's
    /// own replicas, and the production engine under its own protocol.
    ///
    /// # Errors
    ///
    /// When the schedule is impossible on paper or not one for these replicas, or the adapter is
    /// missing or at fault; a violated property, a divergence or a row that could not happen is
    /// part of the verdict.
    pub fn confirm(&self, engine: &Engine, how: How) -> Result<Confirmed, Error> {
        let replayed = self.replay(engine, how)?;
        let trace = milp_schema::trace::to_ndjson(&replayed.trace);
        Ok(Confirmed {
            verdict: replayed.verdict,
            trace,
        })
    }

    /// [`Driven::confirm`] with the trace as events.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn replay(&self, engine: &Engine, how: How) -> Result<Replayed, Error> {
        let instance = engine.put_into(&self.instance)?;
        let signatures = if how.symbolic {
            Signatures::Symbolic
        } else {
            Signatures::P256
        };
        let options = Options {
            protocol: match engine {
                Engine::Interpreter => Protocol::Interpreter,
                _ => Protocol::Own,
            },
            compare: self.predicted && (how.compare || engine.follows(&self.instance)),
            foreign: !engine.follows(&self.instance),
            signatures,
            recovery: how.recovery,
        };
        if engine.is_outside() {
            return self.adapted(engine, &instance, &options);
        }
        let (faulty, schedule) = (&self.faulty, &self.schedule);
        Ok(milp_replay::replay(&instance, faulty, schedule, &options)?)
    }

    /// The same on a production engine: in this process if it is linked, otherwise in another one,
    /// which ends with the replay.
    fn adapted(
        &self,
        engine: &Engine,
        instance: &Instance,
        options: &Options,
    ) -> Result<Replayed, Error> {
        let mut adapter = engine.adapter()?;
        let replayed = milp_replay::replay_on(
            adapter.as_mut(),
            instance,
            &self.faulty,
            &self.schedule,
            options,
        )?;
        adapter.shutdown()?;
        Ok(replayed)
    }
}

impl Driven {
    /// The schedule as a behaviour of the TLA+ model in the Informal Trace Format, on one line. Its
    /// `#meta` has the schedule whole, so it can be read again.
    ///
    /// # Errors
    ///
    /// When the instance is about other rules, or the schedule is no behaviour of the model.
    pub fn itf(&self) -> Result<String, Error> {
        let mut itf = milp_replay::tla::itf(&self.instance, &self.faulty, &self.schedule)?;
        if let (Some(meta), serde_json::Value::Object(more)) =
            (itf["#meta"].as_object_mut(), model_meta(&self.into()))
        {
            meta.extend(more);
        }
        Ok(format!("{itf}\n"))
    }

    /// The schedule as a module that TLC checks together with the published model.
    ///
    /// # Errors
    ///
    /// As for [`Driven::itf`].
    pub fn tla_module(&self) -> Result<String, Error> {
        let module = milp_replay::tla::module(&self.instance, &self.faulty, &self.schedule)?;
        Ok(module)
    }
}

/// Whether every property holds, the heal phase decided, nothing diverged, every row could happen
/// and no engine broke down. A heal phase that met its step limit shows nothing bad, and neither do
/// rows that do not apply to replicas of other rules.
pub fn is_clean(verdict: &Verdict) -> bool {
    verdict.violated().is_empty()
        && verdict.termination != Liveness::Stuck
        && verdict.divergences.unwrap_or(0) == 0
        && verdict.impossible == 0
        && verdict.faults == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use milp_schema::verdict::Holds;

    fn clean() -> Verdict {
        Verdict {
            format: milp_schema::verdict::FORMAT.into(),
            engine: "dbft2-paper".into(),
            agreement: Holds::Holds,
            finality: Holds::Holds,
            validity: Holds::Holds,
            integrity: Holds::Holds,
            lock: Holds::Holds,
            termination: Liveness::Decided,
            wasted: None,
            guilty: None,
            divergences: Some(0),
            impossible: 0,
            unapplied: 0,
            faults: 0,
            notes: vec![],
        }
    }

    #[test]
    fn any_violation_divergence_stuck_state_or_breakdown_is_not_clean() {
        assert!(is_clean(&clean()));
        assert!(is_clean(&Verdict {
            termination: Liveness::Open,
            ..clean()
        }));
        assert!(is_clean(&Verdict {
            divergences: None,
            unapplied: 3,
            ..clean()
        }));
        for bad in [
            Verdict {
                agreement: Holds::Violated,
                ..clean()
            },
            Verdict {
                finality: Holds::Violated,
                ..clean()
            },
            Verdict {
                validity: Holds::Violated,
                ..clean()
            },
            Verdict {
                integrity: Holds::Violated,
                ..clean()
            },
            Verdict {
                lock: Holds::Violated,
                ..clean()
            },
            Verdict {
                termination: Liveness::Stuck,
                ..clean()
            },
            Verdict {
                divergences: Some(1),
                ..clean()
            },
            Verdict {
                divergences: None,
                impossible: 1,
                ..clean()
            },
            Verdict {
                faults: 1,
                ..clean()
            },
        ] {
            assert!(!is_clean(&bad), "{bad:?}");
        }
    }
}
