//! Whether every name that a rule mentions is there.

use super::{Event, Protocol, Requires, Rule};
use crate::error::Error;
use milp_schema::Kind;

impl Protocol {
    /// Every event, channel and count that a rule names exists, and every message that a rule asks
    /// for is sent by some event.
    ///
    /// # Errors
    /// [`Error::Dangling`] with the first name that does not.
    pub(crate) fn check_names(&self) -> Result<(), Error> {
        for rule in &self.rules {
            match rule {
                Rule::Event(event) => self.check_event(event)?,
                Rule::Enter(enter) => {
                    self.is_sent("enter", &enter.of)?;
                    self.are_events("enter", &enter.excludes)?;
                }
                Rule::Hold(hold) => {
                    self.is_channel("hold", &hold.kind)?;
                    self.are_events("hold", &[hold.after])?;
                    self.is_count("hold", hold.unless)?;
                }
                Rule::Negation(negation) => {
                    let kinds = negation.heard.iter();
                    kinds
                        .chain([&negation.heard_ahead, &negation.without])
                        .try_for_each(|kind| self.is_channel(negation.name, kind))?;
                }
                Rule::Timer(arming) => {
                    let names = [arming.stops, arming.frozen_by, arming.proposes];
                    self.are_events("timer", &names)?;
                    let kinds = arming.extended_by.iter();
                    kinds
                        .map(|(kind, _)| kind)
                        .try_for_each(|kind| self.is_channel("timer", kind))?;
                }
                Rule::Carry { .. } | Rule::Relation { .. } => {}
            }
        }
        Ok(())
    }

    fn check_event(&self, event: &Event) -> Result<(), Error> {
        let broadcasts = event.broadcasts.as_ref();
        broadcasts
            .into_iter()
            .try_for_each(|kind| self.is_channel(event.name, kind))?;
        let excluded: Vec<&str> = event.excludes.iter().map(|own| own.event).collect();
        self.are_events(event.name, &excluded)?;
        for requirement in &event.requires {
            match requirement {
                Requires::Own(names) => self.are_events(event.name, names)?,
                Requires::OwnAsPrimary(name) => self.are_events(event.name, &[name])?,
                Requires::Held(kind)
                | Requires::HeldFromAnother(kind)
                | Requires::TallyOverViews { of: kind, .. } => self.is_sent(event.name, kind)?,
                Requires::Tally { of, .. } => {
                    of.iter()
                        .try_for_each(|kind| self.is_sent(event.name, kind))?;
                }
                Requires::When(name) | Requires::Unless(name) => self.is_count(event.name, name)?,
            }
        }
        Ok(())
    }

    fn are_events(&self, rule: &str, names: &[&str]) -> Result<(), Error> {
        names.iter().try_for_each(|name| {
            let known = self.events().any(|event| event.name == *name);
            self.known(rule, name, known)
        })
    }

    fn is_channel(&self, rule: &str, kind: &Kind) -> Result<(), Error> {
        let known = self.channels.iter().any(|channel| channel.kind == *kind);
        self.known(rule, kind.name(), known)
    }

    fn is_sent(&self, rule: &str, kind: &Kind) -> Result<(), Error> {
        self.is_channel(rule, kind)?;
        let sends = |event: &Event| event.broadcasts.as_ref() == Some(kind);
        let known = self.events().any(sends);
        self.known(rule, kind.name(), known)
    }

    fn is_count(&self, rule: &str, name: &str) -> Result<(), Error> {
        self.known(rule, name, self.negation(name).is_some())
    }

    fn known(&self, rule: &str, missing: &str, known: bool) -> Result<(), Error> {
        if known {
            return Ok(());
        }
        Err(Error::Dangling {
            protocol: self.name.clone(),
            rule: rule.into(),
            missing: missing.into(),
        })
    }
}
