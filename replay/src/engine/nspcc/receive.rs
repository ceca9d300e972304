//! Messages and what they complete (dbft.go: `OnReceive`; check.go).

use super::{
    Act, Defect,
    ledger::Sealed,
    payload::{Body, Payload},
    replica::Replica,
    timer::since,
};
use crate::engine::Effect;

/// What the engine says when the primary's slot holds a response where L18 looks for a request.
const NO_REQUEST: &str = "dpanic: unexpected nil prepare request";

/// What it says when the ledger refuses a block (L30), with the words of its embedder.
const REFUSED_BLOCK: &str = "fatal: block processing failed map[error:the ledger refuses a block \
                             that no quorum signs]";

impl Replica {
    /// L7–10: a message that came by itself or inside a recovery message.
    pub(super) fn on_receive(&mut self, act: &mut Act, payload: &Payload) {
        if act.fault.is_some() || payload.height < self.height {
            return; // L7, and nothing follows a fault
        }
        let any_view = matches!(payload.body, Body::ChangeView | Body::RecoveryMessage(_));
        if payload.height > self.height || (payload.view > self.view && !any_view) {
            self.keep_early(payload); // L8
            return;
        }
        self.see(payload); // L9
        if act.decided.is_some() && payload.body != Body::RecoveryRequest {
            return; // L10
        }
        match &payload.body {
            Body::PrepareRequest(_) => self.on_prepare_request(act, payload),
            Body::PrepareResponse(_) => self.on_prepare_response(act, payload),
            Body::Commit(_) => self.on_commit(act, payload),
            Body::ChangeView => self.on_change_view(act, payload),
            Body::RecoveryRequest => self.on_recovery_request(act, payload),
            Body::RecoveryMessage(carried) => self.on_recovery_message(act, payload.view, carried),
            // Blocks do not come this way, not even early ones.
            Body::Block(_) => {}
        }
    }

    /// L54: somebody else decided.
    pub(super) fn on_block(&mut self, act: &mut Act, block: &Sealed) {
        if block.block.height == self.height {
            self.decide(act, *block);
        }
    }

    /// L11–16.
    fn on_prepare_request(&mut self, act: &mut Act, request: &Payload) {
        let primary = self.primary(act.rules);
        if self.requested(act.rules).is_some()
            || request.view != self.view
            || request.author != primary
        {
            return; // L11
        }
        if act.rules.has(Defect::RequestRefusedWhileLeaving) && self.refusing(act.rules) {
            return;
        }
        self.extend_timer(act, 2); // L12
        let block = request.names();
        for slot in &mut self.prepared {
            slot.take_if(|held| held.names() != block); // L13
        }
        if act.rules.has(Defect::EarlyCommitsChecked) {
            let view = self.view;
            for slot in &mut self.commits {
                slot.take_if(|held| held.view == view && held.names() != block);
            }
        }
        self.prepared[primary.index()] = Some(request.clone()); // L14
        self.send_prepare_response(act); // L15
        self.check_prepare(act); // L16
        if act.rules.has(Defect::RequestDecides) && act.decided.is_none() {
            self.check_commit(act);
        }
    }

    /// L15. A primary that is given its own forgotten request answers it, and the answer takes the
    /// request's slot.
    fn send_prepare_response(&mut self, act: &mut Act) {
        let Some(block) = self.requested(act.rules) else {
            return;
        };
        let response = self.say(Body::PrepareResponse(block));
        self.prepared[self.me.index()] = Some(response.clone());
        act.broadcast(response);
    }

    /// L17–21.
    fn on_prepare_response(&mut self, act: &mut Act, response: &Payload) {
        let primary = self.primary(act.rules);
        let author = response.author.index();
        let refusing =
            !act.rules.has(Defect::ResponseTakenWhileLeaving) && self.refusing(act.rules);
        if response.view != self.view
            || response.author == primary
            || self.prepared[author].is_some()
            || refusing
        {
            return; // L17
        }
        if let Some(request) = &self.prepared[primary.index()] {
            if !matches!(request.body, Body::PrepareRequest(_)) {
                act.fault = Some(NO_REQUEST);
                return;
            }
            if request.names() != response.names() {
                return; // L18
            }
        }
        self.prepared[author] = Some(response.clone());
        let measures = !self.recovering && self.is_primary(act.rules);
        if let Some(proposed) = self.proposed.filter(|_| measures) {
            self.round_trip.add(since(proposed, act.now)); // L19
        }
        self.extend_timer(act, 2); // L20
        if !self.done_committing(act.rules) && self.requested(act.rules).is_some() {
            self.check_prepare(act); // L21
        }
    }

    /// L22–25.
    pub(super) fn check_prepare(&mut self, act: &mut Act) {
        self.note_preparations(act.now); // L22
        let held = || self.prepared.iter().flatten();
        let has_request = held().any(|held| matches!(held.body, Body::PrepareRequest(_)));
        if !has_request || held().count() < act.rules.quorum() {
            return; // L23
        }
        self.send_commit(act); // L24
        self.arm(act.now, act.rules.block_time); // L25
        self.check_commit(act);
    }

    /// L24.
    fn send_commit(&mut self, act: &mut Act) {
        let me = self.me.index();
        let own = self.commits[me].clone();
        let own = own.filter(|_| self.done_committing(act.rules));
        let header = self.header(act.rules);
        let Some(commit) = own.or_else(|| header.map(|sealed| self.say(Body::Commit(sealed))))
        else {
            return;
        };
        self.commits[me] = Some(commit.clone());
        act.broadcast(commit);
    }

    /// L26–28.
    fn on_commit(&mut self, act: &mut Act, commit: &Payload) {
        let slot = commit.author.index();
        if self.commits[slot].is_some() && !act.rules.has(Defect::LastCommitWins) {
            return; // L26
        }
        self.commits[slot] = Some(commit.clone());
        if commit.view != self.view {
            return; // L27
        }
        self.extend_timer(act, 4); // L28
        match self.header(act.rules) {
            None => {}
            Some(header) if commit.body == Body::Commit(header) => self.check_commit(act),
            Some(_) => self.commits[slot] = None,
        }
    }

    /// L29: whatever the commits of this view sign; those that came before the request were never
    /// compared with it.
    fn check_commit(&mut self, act: &mut Act) {
        let commits = self.commits.iter().flatten();
        let here = commits.filter(|commit| commit.view == self.view);
        let Some(sealed) = self.header(act.rules) else {
            return;
        };
        let enough = if act.rules.has(Defect::FewCommitsDecide) {
            act.rules.faults() + 1
        } else {
            act.rules.quorum()
        };
        if here.clone().count() >= enough {
            let sign = here.filter(|commit| commit.body == Body::Commit(sealed));
            if sign.count() < enough {
                act.fault = Some(REFUSED_BLOCK); // L30
                return;
            }
            self.decide(act, sealed);
        }
    }

    /// L30, its first half: the next height starts after the act.
    fn decide(&mut self, act: &mut Act, sealed: Sealed) {
        let block = sealed.block;
        act.decided = Some(sealed);
        act.effects.push(Effect::Decide {
            replica: self.me,
            block,
        });
        act.broadcast(Payload {
            author: self.me,
            height: block.height,
            view: block.view,
            body: Body::Block(sealed),
        });
    }

    /// A message of its own, from where it is.
    pub(super) fn say(&self, body: Body) -> Payload {
        Payload {
            author: self.me,
            height: self.height,
            view: self.view,
            body,
        }
    }
}
