//! The timer fires (dbft.go: `onTimeout`; send.go: `sendPrepareRequest`).

use super::{Act, payload::Body, replica::Replica, timer::doubled};
use milp_schema::{Height, View};

impl Replica {
    /// L38–43.
    pub(super) fn on_timeout(&mut self, act: &mut Act, height: Height, view: View) {
        if (height, view) != (self.height, self.view) {
            return; // L38
        }
        if self.is_primary(act.rules) && self.requested(act.rules).is_none() {
            self.send_prepare_request(act); // L39
        } else if self.locked(act.rules) {
            self.send_recovery_message(act); // L40
            self.arm(act.now, doubled(act.rules.block_time, 1));
        } else {
            self.send_change_view(act);
        }
    }

    /// L44–45.
    pub(super) fn send_prepare_request(&mut self, act: &mut Act) {
        let block = act.record.propose(self.height, self.view);
        let request = self.say(Body::PrepareRequest(block));
        self.prepared[self.me.index()] = Some(request.clone());
        act.broadcast(request); // L44
        self.proposed = Some(act.now);
        let block_time = act.rules.block_time;
        let duration = match self.view {
            View(0) => block_time,
            View(view) => doubled(block_time, view + 1),
        };
        self.arm(act.now, duration); // L45
        self.check_prepare(act);
    }
}
