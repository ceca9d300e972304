//! What Byzantine replicas say, and who is faulty.

use super::{Draft, OBEYS, Random, past};
use crate::engine::Engine;
use milp_schema::{
    Height, Instance, Kind, Message, ReplicaId, Value, View,
    instance::{FaultKind, Who},
    schedule::{Choice, Copy as Sent},
    vocabulary::{By, Does, Names, Role},
};
use std::collections::BTreeSet;

impl<E: Engine + Clone> Draft<'_, E> {
    /// Byzantine replicas aim at where honest ones are, sometimes elsewhere.
    pub(super) fn injections(&mut self) {
        let byzantine: Vec<ReplicaId> = self
            .faulty
            .iter()
            .filter(|(_, kind)| *kind == FaultKind::Byzantine)
            .map(|(id, _)| *id)
            .collect();
        for sender in byzantine {
            for receiver in self.live() {
                if self.random.percent(self.profile.inject) {
                    self.inject(sender, receiver);
                }
            }
        }
    }

    fn inject(&mut self, sender: ReplicaId, receiver: ReplicaId) {
        let (mut height, mut view) = self.session.place(receiver);
        if self.habits.holds_recovery && self.random.percent(10) {
            height = Height(self.random.below(self.instance.heights));
        }
        if self.random.percent(20) {
            view = View(self.random.below(self.instance.views));
        }
        if height.0 >= self.instance.heights || view.0 >= self.instance.views {
            return;
        }
        let message = if self.habits.starts_timers {
            self.by_file(sender, (height, view))
        } else {
            self.by_page(sender, (height, view))
        };
        let Some(message) = message else {
            return;
        };
        if self.may_make(sender, receiver, &message) {
            self.made.insert((sender, receiver, message.clone()));
            let copy = Sent {
                sender,
                receiver,
                message,
                sent: self.now,
                copy: 0,
            };
            self.session.inject(&copy).expect(OBEYS);
            self.choices.push(Choice::Inject { copy });
        }
    }

    /// A message of any kind that the protocol lets the sender make, about any value and justified by
    /// any view.
    fn by_file(&mut self, sender: ReplicaId, (height, view): (Height, View)) -> Option<Message> {
        let leads = self.instance.primary(height, view) == sender;
        let may = |kind: &Kind| {
            let does = kind.does();
            let role = matches!(does.role, Role::Proposal | Role::Vote | Role::Leave);
            role && match does.by {
                By::Any => true,
                By::Primary => leads,
                By::Backup => !leads,
            }
        };
        let kinds: Vec<Kind> = self.instance.protocol.kinds().filter(may).collect();
        let kind = self.one_of(&kinds)?;
        let does = kind.does();
        let value = match does.names {
            Names::Nothing => None,
            Names::Value => Some(self.block(height, view)),
            Names::AnyValue => Some(self.any_value(height, view)),
        };
        let earlier = does.justified && view.0 > 0 && self.random.percent(50);
        let justification = earlier.then(|| View(self.random.below(view.0)));
        Some(Message {
            kind,
            height,
            view,
            value,
            justification,
        })
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let some = !all.is_empty();
        some.then(|| all[self.random.below(all.len() as u32) as usize])
    }

    /// A proposal of a view, mostly the first, so that votes meet.
    fn block(&mut self, height: Height, view: View) -> Value {
        let other = self
            .random
            .below(self.blocks(self.instance.primary(height, view)));
        let index = if self.random.percent(60) { 0 } else { other };
        Value::Block { view, index }
    }

    /// Mostly a value that was spoken of.
    fn any_value(&mut self, height: Height, view: View) -> Value {
        let said = self.session.log().iter().filter_map(|event| {
            let message = event.message.as_ref()?;
            message.value.filter(|_| message.height == height)
        });
        let said: Vec<Value> = said.collect::<BTreeSet<_>>().into_iter().collect();
        match self.random.below(10) {
            0 => Value::Nil,
            1 => Value::Bad,
            2 | 3 => {
                let view = View(self.random.below(view.0 + 1));
                self.block(height, view)
            }
            _ => {
                let known = self.one_of(&said);
                known.unwrap_or_else(|| self.block(height, view))
            }
        }
    }

    /// What a Byzantine replica of the pages says.
    fn by_page(&mut self, sender: ReplicaId, (height, view): (Height, View)) -> Option<Message> {
        let leader = self.instance.primary(height, view);
        let (protocol, leads) = (self.instance.protocol, leader == sender);
        let what: fn(&Does) -> bool = match self.random.below(5) {
            0 => |does| does.role == Role::Leave,
            1 if protocol.has_binding_vote() => |does| does.binds,
            2 if self.habits.holds_recovery => |does| does.by == By::Backup,
            _ if leads => |does| does.role == Role::Proposal,
            _ => |does| does.by == By::Backup,
        };
        let kind = protocol.kinds().find(|kind| what(kind.does()))?;
        // The first proposal is the likeliest, so that votes meet.
        let other = self.random.below(self.blocks(leader));
        let block = if self.random.percent(60) { 0 } else { other };
        let change = kind.is(Role::Leave);
        let named = (!change).then_some(block);
        Some(Message::new(kind, height, view, named))
    }

    /// The number of blocks that the program knows in a view of that primary.
    fn blocks(&self, primary: ReplicaId) -> u32 {
        let byzantine = !past::is_strict(self.instance)
            || self.instance.faults.iter().any(|fault| {
                fault.kind == FaultKind::Byzantine
                    && match &fault.who {
                        Who::Any(count) | Who::Power(count) => *count > 0,
                        Who::These(these) => these.contains(&primary),
                    }
            });
        if byzantine {
            self.instance.blocks_per_proposal
        } else {
            1
        }
    }

    /// Everything once; under the rule set of an engine one response per view and one commit for
    /// each receiver (E41).
    fn may_make(&self, sender: ReplicaId, receiver: ReplicaId, message: &Message) -> bool {
        let mut made = self.made.iter().filter(|(from, to, made)| {
            (*from, *to, &made.kind, made.height)
                == (sender, receiver, &message.kind, message.height)
        });
        let does = message.kind.does();
        match does.by {
            _ if !past::is_strict(self.instance) => !made.any(|(_, _, made)| made == message),
            _ if does.binds => made.next().is_none(),
            By::Backup => !made.any(|(_, _, made)| made.view == message.view),
            By::Any | By::Primary => !made.any(|(_, _, made)| made == message),
        }
    }
}

/// Who is faulty: those named, and mostly as many as there may be of the others.
pub(super) fn choose_faulty(
    instance: &Instance,
    random: &mut Random,
) -> Vec<(ReplicaId, FaultKind)> {
    let mut faulty: Vec<(ReplicaId, FaultKind)> = Vec::new();
    for fault in &instance.faults {
        if let Who::These(these) = &fault.who {
            faulty.extend(these.iter().map(|&id| (id, fault.kind)));
        }
    }
    for fault in &instance.faults {
        let (count, mut power) = match fault.who {
            Who::Any(count) => (count, u32::MAX),
            Who::Power(power) => (power.min(instance.replicas), power),
            Who::These(_) => continue,
        };
        for _ in 0..count {
            let free: Vec<ReplicaId> = ReplicaId::all(instance.replicas)
                .filter(|id| faulty.iter().all(|(other, _)| other != id))
                .filter(|id| power == u32::MAX || instance.power_of(*id) <= power)
                .collect();
            if !free.is_empty() && random.percent(85) {
                let chosen = free[random.below(free.len() as u32) as usize];
                faulty.push((chosen, fault.kind));
                if power < u32::MAX {
                    power -= instance.power_of(chosen);
                }
            }
        }
    }
    faulty.sort_unstable();
    faulty
}
