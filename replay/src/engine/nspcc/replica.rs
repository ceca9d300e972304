//! What a replica knows, and what it can tell from it (context.go).

use super::{
    Act, Defect, Rules,
    ledger::{Sealed, Tip},
    payload::{Body, Payload},
    timer::{Armed, Duration, RoundTrip, doubled, since},
};
use crate::engine::{Bond, Effect, Nanos, Timer, Vote, Working};
use milp_schema::{BlockId, Height, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

/// One slot per replica.
pub(super) type Slots = Vec<Option<Payload>>;

/// Messages that came too early (helpers.go: `inbox`), one per author and class.
///
/// The engine replays a class in a random order. Callers hold early messages back, so there is
/// never more than one here; two are replayed by author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Inbox {
    preparations: BTreeMap<ReplicaId, Payload>,
    change_views: BTreeMap<ReplicaId, Payload>,
    commits: BTreeMap<ReplicaId, Payload>,
}

/// An honest replica at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replica {
    pub(super) me: ReplicaId,
    pub(super) height: Height,
    /// What it decided below.
    pub(super) tip: Tip,
    pub(super) view: View,
    pub(super) prepared: Slots,
    pub(super) asked: Slots,
    pub(super) led: Slots,
    pub(super) commits: Slots,
    seen: Vec<Option<View>>,
    /// Where preparations were last checked, and when first (L22).
    last: Option<(Height, View)>,
    last_time: Nanos,
    pub(super) round_trip: RoundTrip,
    /// When it proposed in this view.
    pub(super) proposed: Option<Nanos>,
    /// Whether it is inside a recovery message.
    pub(super) recovering: bool,
    timer: Option<Armed>,
    early: BTreeMap<Height, Inbox>,
}

impl Replica {
    /// A replica that knows nothing; [`Replica::start_height`] makes it start.
    pub(super) fn new(me: ReplicaId, rules: &Rules) -> Self {
        let empty = vec![None; rules.replicas as usize];
        Self {
            me,
            height: Height(0),
            tip: Tip::GENESIS,
            view: View(0),
            prepared: empty.clone(),
            asked: empty.clone(),
            led: empty.clone(),
            commits: empty,
            seen: vec![None; rules.replicas as usize],
            last: None,
            last_time: 0,
            round_trip: RoundTrip::new(),
            proposed: None,
            recovering: false,
            timer: None,
            early: BTreeMap::new(),
        }
    }

    /// L1: the block before was persisted.
    pub(super) fn start_height(&mut self, act: &mut Act, height: Height, tip: Tip) {
        self.height = height;
        self.tip = tip;
        self.enter_view(act, View(0));
    }

    /// L3–6 (dbft.go: `initializeConsensus`).
    pub(super) fn enter_view(&mut self, act: &mut Act, view: View) {
        self.reset(act.rules, view);
        if view > View(0) {
            act.effects.push(Effect::EnterView {
                replica: self.me,
                height: self.height,
                view,
            });
        }
        self.replay_early(act);
        let duration = self.first_duration(act, view);
        self.arm(act.now, duration);
    }

    /// L3–5 (context.go: `reset`).
    fn reset(&mut self, rules: &Rules, view: View) {
        self.proposed = None;
        if view == View(0) {
            self.led.fill(None);
            self.seen.fill(None);
            self.commits.fill(None);
        } else {
            for (led, asked) in self.led.iter_mut().zip(&self.asked) {
                *led = asked.clone().filter(|asked| asked.target() >= view);
            }
        }
        if rules.has(Defect::CommitsClearedOnView) {
            self.commits.fill(None);
        }
        if !rules.has(Defect::ChangeViewsKeptOnView) {
            self.asked.fill(None);
        }
        self.prepared.fill(None);
        self.view = view;
        self.seen[self.me.index()] = Some(view);
    }

    /// L6. The exponent is of the view it is in by now: replayed messages may have moved it on.
    fn first_duration(&self, act: &Act, view: View) -> Duration {
        let block_time = act.rules.block_time;
        let recovering = self.recovering && !act.rules.has(Defect::RecoveringIsForgotten);
        let duration = match (self.is_primary(act.rules) && !recovering, view) {
            (true, View(0)) => block_time,
            (true, _) => 0,
            (false, _) => doubled(block_time, self.view.0 + 1),
        };
        let before = self.last.map(|(height, _)| height.next());
        if before != Some(self.height) || act.rules.has(Defect::TimerNotShortened) {
            return duration;
        }
        let spent = since(self.last_time, act.now) + self.round_trip.mean() / 2;
        duration.wrapping_sub(spent).max(0)
    }

    /// L8: keeps what came too early; recovery is lost.
    pub(super) fn keep_early(&mut self, payload: &Payload) {
        let inbox = self.early.entry(payload.height).or_default();
        let class = match payload.body {
            Body::PrepareRequest(_) | Body::PrepareResponse(_) => &mut inbox.preparations,
            Body::ChangeView => &mut inbox.change_views,
            Body::Commit(_) => &mut inbox.commits,
            Body::RecoveryRequest | Body::RecoveryMessage(_) | Body::Block(_) => return,
        };
        class.insert(payload.author, payload.clone());
    }

    fn replay_early(&mut self, act: &mut Act) {
        let Some(inbox) = self.early.remove(&self.height) else {
            return;
        };
        let classes = [inbox.preparations, inbox.change_views, inbox.commits];
        for payload in classes.iter().flat_map(BTreeMap::values) {
            self.on_receive(act, payload);
        }
    }

    /// L9: whatever becomes of the message, its author was heard.
    pub(super) fn see(&mut self, payload: &Payload) {
        let seen = &mut self.seen[payload.author.index()];
        *seen = (*seen).max(Some(payload.view));
    }

    /// L22.
    pub(super) fn note_preparations(&mut self, now: Nanos) {
        let here = Some((self.height, self.view));
        if self.last != here {
            self.last = here;
            self.last_time = now;
        }
    }

    /// L52 (dbft.go: `changeTimer`).
    pub(super) fn arm(&mut self, now: Nanos, duration: Duration) {
        self.timer = Some(Armed::new(self.height, self.view, now, duration));
    }

    /// L53 (dbft.go: `extendTimer`).
    pub(super) fn extend_timer(&mut self, act: &Act, times: Duration) {
        let rules = act.rules;
        if self.commit_sent() || self.view_changing() {
            return;
        }
        let parts = if rules.has(Defect::WrongExtension) {
            rules.replicas as usize
        } else {
            rules.quorum()
        };
        if let Some(timer) = &mut self.timer {
            timer.extend(
                times.wrapping_mul(rules.block_time) / parts as Duration,
                act.now,
            );
        }
    }

    pub(super) fn timers(&self, rules: &Rules) -> Vec<Timer> {
        let timer = self.timer.iter();
        timer.map(|armed| armed.seen(rules.timer)).collect()
    }

    pub(super) fn primary(&self, rules: &Rules) -> ReplicaId {
        rules.primary(self.height, self.view)
    }

    pub(super) fn is_primary(&self, rules: &Rules) -> bool {
        self.me == self.primary(rules)
    }

    /// *requested*: the block of the request sent or received in this view.
    pub(super) fn requested(&self, rules: &Rules) -> Option<BlockId> {
        let slot = &self.prepared[self.primary(rules).index()];
        slot.as_ref().and_then(Payload::names)
    }

    /// The block a commit of this view should sign.
    pub(super) fn header(&self, rules: &Rules) -> Option<Sealed> {
        let on = self.tip;
        self.requested(rules).map(|block| Sealed { block, on })
    }

    /// *committed*: it sent a commit at this height, in whatever view.
    pub(super) fn commit_sent(&self) -> bool {
        self.commits[self.me.index()].is_some()
    }

    /// *committed* where it binds to all views (L32, L40, L49).
    pub(super) fn locked(&self, rules: &Rules) -> bool {
        self.commit_sent() && !rules.switches.no_commit_lock
    }

    /// *committed* where it means that nothing is left to commit to (L21, L24, L50).
    pub(super) fn done_committing(&self, rules: &Rules) -> bool {
        let own = self.commits[self.me.index()].as_ref();
        own.is_some_and(|own| !rules.switches.no_commit_lock || own.view == self.view)
    }

    /// *leaving*.
    pub(super) fn view_changing(&self) -> bool {
        let own = self.asked[self.me.index()].as_ref();
        own.is_some_and(|own| own.target() > self.view)
    }

    /// *moreThanF*.
    pub(super) fn more_than_f_committed_or_lost(&self, rules: &Rules) -> bool {
        let committed = self.commits.iter().flatten().count();
        let lost = self.commits.iter().zip(&self.seen);
        let lost = lost.filter(|(commit, seen)| commit.is_none() && **seen < Some(self.view));
        committed + lost.count() > rules.faults()
    }

    /// *refusing* (context.go: `NotAcceptingPayloadsDueToViewChanging`).
    pub(super) fn refusing(&self, rules: &Rules) -> bool {
        self.view_changing() && !self.more_than_f_committed_or_lost(rules)
    }

    /// What the caller may know; `proposed` are the blocks that were ever proposed.
    pub(super) fn working(&self, rules: &Rules, proposed: &BTreeSet<BlockId>) -> Working {
        let known = |payload: &Payload| payload.names().is_some_and(|it| proposed.contains(&it));
        let vote = |payload: &Payload| Vote {
            author: payload.author,
            kind: payload.kind(),
            view: payload.view,
            value: payload.value().filter(|_| known(payload)),
        };
        let held = [&self.prepared, &self.commits, &self.asked];
        let mut votes: Vec<Vote> = held.into_iter().flatten().flatten().map(vote).collect();
        votes.sort_unstable();
        let own = self.commits[self.me.index()].as_ref().map(vote);
        Working {
            height: self.height,
            view: self.view,
            votes,
            entry: self.led.iter().flatten().map(vote).collect(),
            bonds: own.map(Bond::from).into_iter().collect(),
            seen: self.seen.clone(),
            timers: self.timers(rules),
        }
    }
}
