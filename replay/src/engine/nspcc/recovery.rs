//! Asking for what was missed and repeating it (dbft.go: `onRecoveryRequest`, `onRecoveryMessage`;
//! send.go: `makeRecoveryMessage`).

use super::{
    Act, Defect, Rules,
    payload::{Body, Payload},
    replica::Replica,
};
use crate::engine::Recovery;
use milp_schema::View;

impl Replica {
    /// L46–47. The request may be a change view to a passed view (L31).
    pub(super) fn on_recovery_request(&mut self, act: &mut Act, request: &Payload) {
        let n = act.rules.replicas;
        // How many replicas lie between the one that asks and this one, going up.
        let between = (self.me.0 + n - request.author.0 + n - 1) % n;
        let answers = between as usize <= act.rules.faults();
        if self.commit_sent() || answers || act.rules.has(Defect::EverybodyAnswers) {
            self.send_recovery_message(act);
        }
    }

    /// L48.
    pub(super) fn send_recovery_message(&self, act: &mut Act) {
        let commits = self.commit_sent().then_some(&self.commits);
        let held = self.led.iter().flatten();
        let held = held.chain(self.prepared_request_first(act.rules));
        let held = held.chain(commits.into_iter().flatten().flatten());
        let mut carried: Vec<Payload> = held.cloned().collect();
        if act.rules.recovery == Recovery::NeoGo {
            rebuild(&mut carried, self.view);
        }
        act.broadcast(self.say(Body::RecoveryMessage(carried)));
    }

    fn prepared_request_first<'a>(
        &'a self,
        rules: &Rules,
    ) -> impl Iterator<Item = &'a Payload> + use<'a> {
        let primary = self.primary(rules);
        let held = self.prepared.iter().flatten();
        let is_request = move |held: &&Payload| {
            matches!(held.body, Body::PrepareRequest(_)) && held.author == primary
        };
        let request = held.clone().filter(is_request);
        request.chain(held.filter(move |held| !is_request(held)))
    }

    /// L49–51, `view` being that of the message.
    pub(super) fn on_recovery_message(&mut self, act: &mut Act, view: View, carried: &[Payload]) {
        self.recovering = true;
        self.recover(act, view, carried);
        self.recovering = false;
    }

    fn recover(&mut self, act: &mut Act, view: View, carried: &[Payload]) {
        if view > self.view {
            if self.locked(act.rules) {
                return; // L49
            }
            for payload in carried {
                if matches!(payload.body, Body::ChangeView) {
                    self.on_receive(act, payload);
                }
            }
        }
        let takes = !self.refusing(act.rules) && !self.done_committing(act.rules);
        if view == self.view && takes {
            let requested = self.requested(act.rules).is_some();
            for payload in carried {
                match payload.body {
                    Body::PrepareRequest(_) if !requested => self.on_receive(act, payload),
                    Body::PrepareResponse(_) => self.on_receive(act, payload), // L50
                    _ => {}
                }
            }
        }
        if view <= self.view {
            for payload in carried {
                if matches!(payload.body, Body::Commit(_)) {
                    self.on_receive(act, payload); // L51
                }
            }
        }
    }
}

/// What neo-go makes of a recovery message of `view`.
fn rebuild(carried: &mut [Payload], view: View) {
    for payload in carried {
        if let Body::Commit(_) = payload.body {
            payload.view = view;
        }
    }
}
