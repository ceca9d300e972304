//! Leaving a view (dbft.go: `onChangeView`; send.go: `sendChangeView`; check.go: `checkChangeView`).

use super::{
    Act, Defect,
    payload::{Body, Payload},
    replica::Replica,
    timer::doubled,
};
use milp_schema::View;

impl Replica {
    /// L31–34.
    pub(super) fn on_change_view(&mut self, act: &mut Act, request: &Payload) {
        if request.target() <= self.view {
            self.on_recovery_request(act, request); // L31
            return;
        }
        if self.locked(act.rules) {
            self.send_recovery_message(act); // L32
            return;
        }
        let slot = request.author.index();
        let held = self.asked[slot].as_ref();
        if held.is_some_and(|held| request.target() < held.target()) {
            return; // L33
        }
        self.asked[slot] = Some(request.clone()); // L34
        let target = if act.rules.has(Defect::HighestQuorumEntered) {
            self.highest_wanted(act).unwrap_or(request.target())
        } else {
            request.target()
        };
        self.check_change_view(act, target);
    }

    /// L41–43; the engine's only reason here is a timeout.
    pub(super) fn send_change_view(&mut self, act: &mut Act) {
        let duration = doubled(act.rules.block_time, self.view.0 + 2);
        self.arm(act.now, duration); // L41
        let more = self.more_than_f_committed_or_lost(act.rules);
        if more && !act.rules.has(Defect::MoreThanFIgnored) {
            let request = self.say(Body::RecoveryRequest);
            act.broadcast(request); // L42
            return;
        }
        self.ask_to_leave(act); // L43
        self.check_change_view(act, self.view.next());
    }

    fn ask_to_leave(&mut self, act: &mut Act) {
        let request = self.say(Body::ChangeView);
        self.asked[self.me.index()] = Some(request.clone());
        act.broadcast(request);
    }

    /// L35–37. Only `view` is tried, even if a higher one has a quorum.
    fn check_change_view(&mut self, act: &mut Act, view: View) {
        let asked = self.asked.iter().flatten();
        let quorum = asked.filter(|asked| asked.target() >= view).count() >= act.rules.quorum();
        if view <= self.view || !quorum {
            return; // L35
        }
        let own = self.asked[self.me.index()].as_ref();
        let agrees = own.is_some_and(|own| own.target() < view);
        if agrees && !act.rules.has(Defect::AgreementUnsaid) {
            self.ask_to_leave(act); // L36
        }
        self.enter_view(act, view); // L37
    }

    /// The highest view that a quorum asks for.
    fn highest_wanted(&self, act: &Act) -> Option<View> {
        let mut targets: Vec<View> = self.asked.iter().flatten().map(Payload::target).collect();
        targets.sort_unstable_by(|a, b| b.cmp(a));
        targets.get(act.rules.quorum() - 1).copied()
    }
}
