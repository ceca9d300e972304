//! Records and what replicas do, in the words of a schedule, and back.

use crate::ground::{Ground, Record, Value, run::Happens};
use milp_schema::{
    BlockId, Height, Instance, Message, View,
    protocol::{Goes, TimerId},
    schedule::{self, Event},
};

/// The words of an instance for a ground protocol whose values have names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) instance: &'a Instance,
    pub(super) ground: &'a Ground,
}

impl Words<'_> {
    /// The view and number of a value's first proposal.
    fn proposal(self, value: u32) -> (View, u32) {
        let per_view = self.instance.blocks_per_proposal;
        (View(value / per_view), value % per_view)
    }

    pub(super) fn message(self, record: &Record) -> Message {
        let name = &self.ground.setting.rules.kind(record.kind).name;
        let value = match record.value {
            Value::None => None,
            Value::Nil => Some(schedule::Value::Nil),
            Value::Bad => Some(schedule::Value::Bad),
            Value::Of(value) => {
                let (view, index) = self.proposal(value);
                Some(schedule::Value::Block { view, index })
            }
        };
        Message {
            kind: self.instance.protocol.the(name),
            height: Height(0),
            view: View(record.view),
            value,
            justification: record.justification.map(View),
        }
    }

    /// The record of a message, if the rules know its kind.
    pub(super) fn record(self, message: &Message) -> Option<Record> {
        let per_view = self.instance.blocks_per_proposal;
        Some(Record {
            view: message.view.0,
            kind: self.ground.setting.rules.named(message.kind.name())?,
            value: match message.value {
                None => Value::None,
                Some(schedule::Value::Nil) => Value::Nil,
                Some(schedule::Value::Bad) => Value::Bad,
                Some(schedule::Value::Block { view, index }) => {
                    Value::Of(view.0 * per_view + index)
                }
            },
            justification: message.justification.map(|view| view.0),
        })
    }

    /// The timer of that name.
    pub(super) fn timer(self, name: &str) -> Option<TimerId> {
        let timers = &self.ground.setting.rules.timers;
        timers.iter().position(|it| it == name).map(TimerId)
    }

    /// What an observer sees of what a replica does.
    pub(super) fn seen(self, happened: Happens) -> Vec<Event> {
        let height = Height(0);
        let record = match happened {
            Happens::Enters(view) => {
                let view = View(view);
                return vec![Event::EnterView { height, view }];
            }
            Happens::Makes(record) => record,
        };
        let sent = self.ground.setting.rules.kind(record.kind).goes == Goes::Sent;
        let sent = sent.then(|| Event::Send(self.message(&record)));
        let decided = match record.value {
            Value::Of(value) if self.ground.is_final(record.kind) => {
                let (view, index) = self.proposal(value);
                Some(Event::Decide(BlockId {
                    height,
                    view,
                    index,
                }))
            }
            _ => None,
        };
        sent.into_iter().chain(decided).collect()
    }
}
