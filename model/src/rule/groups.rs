//! Which rule, in the words of [`Group`], a part of an event states, and which equations of the
//! paper (`docs/MODEL.md`) its families are the corrected form of. Those are told by what an event
//! is, whatever a protocol calls it; what only may happen is a formal model's and has none.

use super::{About, Enter, Event, Modality, Protocol, Requires, Threshold, Who};
use crate::group::Group;
use milp_schema::Kind;

impl Event {
    /// The rule that it happens once: what kind of event it is says which.
    pub(crate) fn happens_once(&self) -> Group {
        match (self.decides, self.about, self.who) {
            (true, ..) => Group::ONE_DECISION,
            (_, About::View, _) => Group::ONE_REQUEST,
            (_, _, Who::Primary) => Group::ONE_PROPOSAL,
            (_, _, Who::Backup) => Group::ONE_RESPONSE,
            (_, _, Who::Any) => Group::LOCK,
        }
    }

    /// The rule that it forbids something later.
    pub(crate) fn forbids(&self) -> Group {
        match self.happens_once() {
            Group::ONE_DECISION => Group::STOPS,
            Group::ONE_REQUEST => Group::SILENCE,
            once => once,
        }
    }

    /// The equations of the paper that its families state again.
    pub(crate) fn equations(&self) -> &'static [u32] {
        match self.happens_once() {
            _ if self.modality == Modality::May => &[],
            Group::ONE_DECISION => &[37, 39],
            Group::ONE_PROPOSAL => &[20, 21],
            Group::ONE_RESPONSE => &[26, 27, 28],
            _ => &[],
        }
    }
}

impl Enter {
    /// The equations of the paper that its families state again.
    pub(crate) fn equations(&self) -> &'static [u32] {
        match self.modality {
            Modality::May => &[],
            _ => &[3, 4, 5, 6],
        }
    }
}

impl Protocol {
    /// The rule that the event of that name forbids something later.
    pub(crate) fn forbidding(&self, name: &str) -> Group {
        self.named(name).map_or(Group::ORDER, Event::forbids)
    }

    /// The rule that an event requires this.
    pub(crate) fn requiring(&self, requirement: &Requires) -> Group {
        match requirement {
            Requires::Own(names) => {
                let asked = |name: &&str| self.forbidding(name) == Group::SILENCE;
                if names.iter().any(asked) {
                    Group::LOST
                } else {
                    Group::PROPOSAL
                }
            }
            Requires::OwnAsPrimary(_) => Group::PROPOSES_FIRST,
            Requires::Held(_) => Group::PROPOSAL,
            Requires::HeldFromAnother(_) => Group::PUBLISHED,
            Requires::Tally { of, at_least } => match at_least {
                Threshold::MoreThanF => Group::LOST,
                Threshold::Quorum | Threshold::QuorumLessOne => self.counting(of),
            },
            Requires::TallyOverViews { .. } | Requires::When(_) | Requires::Unless(_) => {
                Group::LOST
            }
        }
    }

    /// The rule that a quorum of these is needed.
    pub(crate) fn counting(&self, kinds: &[Kind]) -> Group {
        let binds = |event: &Event| event.happens_once() == Group::LOCK;
        let of_these = |event: &&Event| {
            let sent = event.broadcasts.as_ref();
            sent.is_some_and(|kind| kinds.contains(kind))
        };
        if self.events().filter(of_these).any(binds) {
            Group::COMMITS
        } else {
            Group::PREPARATIONS
        }
    }

    fn named(&self, name: &str) -> Option<&Event> {
        self.events().find(|event| event.name == name)
    }
}
