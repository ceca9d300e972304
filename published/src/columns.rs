//! The published columns, and sums over them.

use super::{
    index::{Index, PLAIN, Priority},
    table::Meaning,
};
use crate::question::{BigM, Protocol, Published, Question, Receipt};
use milp_model::{draft::Draft, expr::Expr};

/// A kind of message: its columns and the published names of the families that all kinds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) receipt: Receipt,
    pub(crate) send: &'static str,
    pub(crate) receive: &'static str,
    /// The middle of names such as `send…OO`, `no…IfCV`.
    pub(crate) short: &'static str,
    /// The start of names such as `…Received` and `…ReceivedSS`.
    pub(crate) start: &'static str,
}

pub(crate) const REQUEST: Phase = Phase {
    receipt: Receipt::PrepareRequest,
    send: "SendPrepReq",
    receive: "RecvPrepReq",
    short: "PrepReq",
    start: "prepReq",
};

pub(crate) const RESPONSE: Phase = Phase {
    receipt: Receipt::PrepareResponse,
    send: "SendPrepRes",
    receive: "RecvPrepResp",
    short: "PrepRes",
    start: "prepResp",
};

pub(crate) const PRE_COMMIT: Phase = Phase {
    receipt: Receipt::PreCommit,
    send: "SendPreCommit",
    receive: "RecvPreCommit",
    short: "PreCommit",
    start: "preCommit",
};

pub(crate) const COMMIT: Phase = Phase {
    receipt: Receipt::Commit,
    send: "SendCommit",
    receive: "RecvCommit",
    short: "Commit",
    start: "commit",
};

pub(crate) const CHANGE_VIEW: Phase = Phase {
    receipt: Receipt::ChangeView,
    send: "SendCV",
    receive: "RecvCV",
    short: "CV",
    start: "cv",
};

/// The decision, which nobody receives.
pub(crate) const RELAY: &str = "BlockRelay";

/// A published program under construction: its parameters, columns and rows.
#[derive(Debug)]
pub(crate) struct Model {
    /// 1, 2 or 3: the major version of dBFT.
    pub(crate) version: u32,
    /// N.
    pub(crate) n: u32,
    /// f.
    pub(crate) f: u32,
    /// M = 2f + 1: the quorum, and the number of honest replicas, who come first.
    pub(crate) quorum: u32,
    /// |V|.
    pub(crate) views: u32,
    /// tMax, the slots of each view.
    pub(crate) slots: u32,
    pub(crate) question: Question,
    pub(crate) draft: Draft<(&'static str, Index)>,
}

impl Model {
    pub(crate) fn of(question: &Question) -> Self {
        let f = question.f();
        let version = match question.protocol {
            Protocol::Dbft1 => 1,
            Protocol::Dbft2 => 2,
            Protocol::Dbft3 => 3,
        };
        let mut model = Self {
            version,
            n: question.replicas,
            f,
            quorum: 2 * f + 1,
            views: question.views,
            slots: question.slots,
            question: question.clone(),
            draft: Draft::new(),
        };
        model.decisions();
        model.auxiliaries();
        model
    }

    fn column(&mut self, name: &'static str, index: Index, upper: u32) {
        let called = format!("{name}{index}");
        self.draft.add((name, index), called, upper.into());
    }

    /// The decision variables, all binary.
    fn decisions(&mut self) {
        let primary = self.primary_name();
        for p in self.priorities() {
            for (i, v) in self.pairs() {
                self.column(primary, p.then([i, v]), 1);
            }
        }
        let with_priority = self.phases();
        for phase in &with_priority {
            self.sends(phase.send, &self.priorities());
        }
        if self.version == 3 && self.is_liveness() {
            self.sends("AllowByPreCommit", &self.priorities());
            self.sends("AllowByPrepRes", &self.priorities());
        }
        self.sends(RELAY, &self.priorities());
        self.sends(CHANGE_VIEW.send, &[PLAIN]);
        for phase in &with_priority {
            self.receives(phase.receive, &self.priorities());
        }
        self.receives(CHANGE_VIEW.receive, &[PLAIN]);
    }

    fn sends(&mut self, name: &'static str, priorities: &[Priority]) {
        for &p in priorities {
            for t in self.all_slots() {
                for (i, v) in self.pairs() {
                    self.column(name, p.then([t, i, v]), 1);
                }
            }
        }
    }

    fn receives(&mut self, name: &'static str, priorities: &[Priority]) {
        for &p in priorities {
            for t in self.all_slots() {
                for (i, j, v) in self.triples() {
                    self.column(name, p.then([t, i, j, v]), 1);
                }
            }
        }
    }

    /// The sums. The published ones have no upper bound; these are implied by the rows that
    /// define them.
    fn auxiliaries(&mut self) {
        if !self.is_liveness() {
            return self.fork_auxiliaries();
        }
        let alone = || Index(vec![]);
        self.column("totalBlockRelayed", alone(), self.views);
        for v in self.all_views() {
            self.column("blockRelayed", [v].into(), 1);
        }
        self.column("lastRelayedBlock", alone(), self.views * self.slots);
        self.column("numberOfRounds", alone(), self.views);
        let kinds = (self.phases().len() * self.priorities().len() + 1) as u32;
        let sent = kinds * self.n * self.views;
        self.column("totalNumberSendMsg", alone(), sent);
        self.column("totalNumberRcvdMsg", alone(), sent * self.n);
        self.column("totalNumberMsgs", alone(), sent * (self.n + 1));
        for (i, v) in self.pairs() {
            self.column("changeViewRecvPerNodeAndView", [i, v].into(), self.n);
        }
    }

    /// Of the sums that the fork programs define, those that something depends on.
    fn fork_auxiliaries(&mut self) {
        let blocks = if self.version == 3 { 2 } else { 1 } * self.views;
        self.column("totalBlockRelayed", Index(vec![]), blocks);
        for p in self.priorities() {
            for v in self.all_views() {
                self.column("blockRelayed", p.then([v]), 1);
            }
        }
    }

    /// Whether it is the program about liveness.
    pub(crate) fn is_liveness(&self) -> bool {
        self.question.model == Published::Liveness
    }

    /// The fork programs of dBFT 1.0 and 2.0 write the name small.
    pub(crate) fn primary_name(&self) -> &'static str {
        if self.is_liveness() || self.version == 3 {
            "Primary"
        } else {
            "primary"
        }
    }

    /// P.
    pub(crate) fn priorities(&self) -> Vec<Priority> {
        match self.version {
            3 => vec![Priority(Some(1)), Priority(Some(2))],
            _ => vec![PLAIN],
        }
    }

    /// The priority of the primary that every view has.
    pub(crate) fn first(&self) -> Priority {
        self.priorities()[0]
    }

    /// The kinds of messages about a proposal, in their order.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        let response = Phase {
            send: if self.is_liveness() {
                RESPONSE.send
            } else {
                "SendPrepResp"
            },
            ..RESPONSE
        };
        match self.version {
            1 => vec![REQUEST, response],
            2 => vec![REQUEST, response, COMMIT],
            _ => vec![REQUEST, response, PRE_COMMIT, COMMIT],
        }
    }

    /// Every kind of message with each priority it may have.
    pub(crate) fn messages(&self) -> Vec<(Phase, Priority)> {
        let mut all = vec![];
        for phase in self.phases() {
            all.extend(self.priorities().into_iter().map(|p| (phase, p)));
        }
        all.push((CHANGE_VIEW, PLAIN));
        all
    }

    /// T.
    pub(crate) fn all_slots(&self) -> impl Iterator<Item = u32> + use<> {
        1..=self.slots
    }

    /// T without the first slot, in which nothing happens.
    pub(crate) fn later_slots(&self) -> impl Iterator<Item = u32> + use<> {
        2..=self.slots
    }

    /// V.
    pub(crate) fn all_views(&self) -> impl Iterator<Item = u32> + use<> {
        1..=self.views
    }

    /// V without the first view.
    pub(crate) fn later_views(&self) -> impl Iterator<Item = u32> + use<> {
        2..=self.views
    }

    /// R.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = u32> + Clone + use<> {
        1..=self.n
    }

    /// `R_OK`.
    pub(crate) fn honest(&self) -> impl Iterator<Item = u32> + Clone + use<> {
        1..=self.quorum
    }

    /// R × V.
    pub(crate) fn pairs(&self) -> Vec<(u32, u32)> {
        self.everybody()
            .flat_map(|i| self.all_views().map(move |v| (i, v)))
            .collect()
    }

    /// `R_OK` × V.
    pub(crate) fn honest_pairs(&self) -> Vec<(u32, u32)> {
        self.honest()
            .flat_map(|i| self.all_views().map(move |v| (i, v)))
            .collect()
    }

    /// R × R × V.
    pub(crate) fn triples(&self) -> Vec<(u32, u32, u32)> {
        self.everybody()
            .flat_map(|i| self.pairs().into_iter().map(move |(j, v)| (i, j, v)))
            .collect()
    }

    /// M as a coefficient.
    pub(crate) fn m(&self) -> i64 {
        self.quorum.into()
    }

    /// The constant of "an amount beyond k − 1 forces": the published 2, or the largest amount.
    pub(crate) fn big_m(&self, k: i64) -> i64 {
        match self.question.big_m {
            BigM::Published => 2,
            BigM::Corrected => i64::from(self.n) - k + 1,
        }
    }

    /// A column.
    pub(crate) fn var(&self, name: &'static str, index: impl Into<Index>) -> Expr {
        let key = (name, index.into());
        match self.draft.col(&key) {
            Some(col) => col.into(),
            None => unreachable!("no column {}{}", key.0, key.1),
        }
    }

    /// `Σ_(1<t≤last) name(p,t,i,v)`: whether i did it by slot `last` of view v.
    pub(crate) fn by(
        &self,
        name: &'static str,
        p: Priority,
        (i, v): (u32, u32),
        last: u32,
    ) -> Expr {
        (2..=last).map(|t| self.var(name, p.then([t, i, v]))).sum()
    }

    /// [`Self::by`] the end of the view.
    pub(crate) fn did(&self, name: &'static str, p: Priority, at: (u32, u32)) -> Expr {
        self.by(name, p, at, self.slots)
    }

    /// [`Self::did`] with any priority.
    pub(crate) fn did_any(&self, name: &'static str, at: (u32, u32)) -> Expr {
        let all = self.priorities();
        all.into_iter().map(|p| self.did(name, p, at)).sum()
    }

    /// [`Self::by`] with any priority.
    pub(crate) fn by_any(&self, name: &'static str, at: (u32, u32), last: u32) -> Expr {
        let all = self.priorities();
        all.into_iter().map(|p| self.by(name, p, at, last)).sum()
    }

    /// [`Self::did_any`] in the views before v.
    pub(crate) fn did_before(&self, name: &'static str, (i, v): (u32, u32)) -> Expr {
        (1..v).map(|u| self.did_any(name, (i, u))).sum()
    }

    /// `Σ_(t≤last) Σ_j name(p,t,i,j,v)`: how many i received by slot `last` of view v.
    pub(crate) fn received_by(
        &self,
        name: &'static str,
        p: Priority,
        (i, v): (u32, u32),
        last: u32,
    ) -> Expr {
        (1..=last)
            .flat_map(|t| self.everybody().map(move |j| (t, j)))
            .map(|(t, j)| self.var(name, p.then([t, i, j, v])))
            .sum()
    }

    /// `Σ_(t>1) Σ_j name(p,t,i,j,v)`: how many i received in view v.
    pub(crate) fn received(&self, name: &'static str, p: Priority, (i, v): (u32, u32)) -> Expr {
        self.later_slots()
            .flat_map(|t| self.everybody().map(move |j| (t, j)))
            .map(|(t, j)| self.var(name, p.then([t, i, j, v])))
            .sum()
    }

    /// `Σ_(1<t≤last) name(p,t,i,j,v)`: whether i received it from j by slot `last` of view v.
    pub(crate) fn received_from_by(
        &self,
        name: &'static str,
        p: Priority,
        (i, j, v): (u32, u32, u32),
        last: u32,
    ) -> Expr {
        (2..=last)
            .map(|t| self.var(name, p.then([t, i, j, v])))
            .sum()
    }

    /// [`Self::received_from_by`] the end of the view.
    pub(crate) fn received_from(
        &self,
        name: &'static str,
        p: Priority,
        at: (u32, u32, u32),
    ) -> Expr {
        self.received_from_by(name, p, at, self.slots)
    }

    /// `Σ_i Primary(p,i,v)`: whether view v has that primary.
    pub(crate) fn has_primary(&self, p: Priority, v: u32) -> Expr {
        let name = self.primary_name();
        self.everybody()
            .map(|i| self.var(name, p.then([i, v])))
            .sum()
    }

    /// How many requests to leave view v replica i received.
    pub(crate) fn asked(&self, (i, v): (u32, u32)) -> Expr {
        self.var("changeViewRecvPerNodeAndView", [i, v])
    }

    /// What each column says, for the table of a point.
    pub(crate) fn meanings(&self) -> Vec<Meaning> {
        let keys = self.draft.in_order().iter();
        keys.map(|(name, index)| Meaning::of(name, &index.0, self.version == 3, self.slots))
            .collect()
    }
}
