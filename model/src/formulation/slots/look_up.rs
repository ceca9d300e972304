//! What columns say, as expressions by index: each is 0 where its column does not exist.

use super::columns::{Deed, Key, Slots, What};
use crate::{
    expr::Expr,
    ground::{Need, Own, Record},
};
use milp_schema::{
    Kind, ReplicaId,
    instance::FaultKind,
    protocol::{KindId, Mode},
};
use std::collections::BTreeMap;

/// Records of one kind and view: an honest replica makes at most one of them.
pub(super) type Once = (KindId, u32);

/// The records, parted so that an honest replica makes at most one of each part.
pub(super) fn parted(records: &[Record]) -> BTreeMap<Once, Vec<Record>> {
    let mut parts: BTreeMap<Once, Vec<Record>> = BTreeMap::new();
    for record in records {
        parts
            .entry((record.kind, record.view))
            .or_default()
            .push(*record);
    }
    parts
}

impl Slots {
    pub(super) fn slots(&self) -> std::ops::RangeInclusive<u32> {
        1..=self.horizon
    }

    /// All (i, j) with i ≠ j.
    pub(super) fn pairs(&self) -> Vec<(u32, u32)> {
        let all = (0..self.n).flat_map(|i| (0..self.n).map(move |j| (i, j)));
        all.filter(|(i, j)| i != j).collect()
    }

    pub(super) fn may_be(&self, kind: FaultKind, i: u32) -> bool {
        self.instance.may_be(kind, i)
    }

    pub(super) fn may_crash(&self, i: u32) -> bool {
        self.may_be(FaultKind::Crash, i) || self.may_be(FaultKind::Network, i)
    }

    /// The power of a replica.
    pub(super) fn power(&self, i: u32) -> i64 {
        i64::from(self.instance.power_of(ReplicaId(i)))
    }

    /// The kind of a record, as people know it.
    pub(super) fn kind(&self, h: u32, record: &Record) -> String {
        let rules = &self.at[h as usize].ground.setting.rules;
        rules.kind(record.kind).name.clone()
    }

    /// The kind of messages that a record is.
    pub(super) fn message_kind(&self, h: u32, record: &Record) -> Kind {
        self.instance.protocol.the(&self.kind(h, record))
    }

    pub(super) fn faulty(&self, kind: FaultKind, i: u32) -> Expr {
        self.draft.get(&Key::Faulty(kind, i))
    }

    pub(super) fn byzantine(&self, i: u32) -> Expr {
        self.faulty(FaultKind::Byzantine, i)
    }

    pub(super) fn crashed(&self, i: u32, t: u32) -> Expr {
        self.draft.get(&Key::Crashed { i, t })
    }

    pub(super) fn deed(&self, h: u32, deed: usize) -> &Deed {
        &self.at[h as usize].deeds[deed]
    }

    /// Whether the replica has the role that the deed takes.
    pub(super) fn does(&self, h: u32, deed: usize, i: u32) -> bool {
        let at = &self.at[h as usize];
        at.ground.actors(&at.deeds[deed].act).any(|it| it == i)
    }

    /// Replica i did the deed by slot t.
    pub(super) fn did(&self, h: u32, deed: usize, i: u32, t: u32) -> Expr {
        let it = self.deed(h, deed);
        if it.is_plain_start() && self.does(h, deed, i) {
            return self.entered(h, i, it.act.letters.v, t);
        }
        self.draft.get(&Key::Did { h, deed, i, t })
    }

    /// Replica i did the deed in slot t.
    pub(super) fn does_in(&self, h: u32, deed: usize, i: u32, t: u32) -> Expr {
        self.did(h, deed, i, t) - self.did(h, deed, i, t - 1)
    }

    /// Replica i made the record by slot t.
    pub(super) fn made(&self, h: u32, record: &Record, i: u32, t: u32) -> Expr {
        let makers = self.at[h as usize].makers.get(record);
        let makers = makers.into_iter().flatten();
        makers.map(|deed| self.did(h, *deed, i, t)).sum()
    }

    /// Replica i made one of the records by slot t.
    pub(super) fn made_any(&self, h: u32, records: &[Record], i: u32, t: u32) -> Expr {
        records.iter().map(|it| self.made(h, it, i, t)).sum()
    }

    /// The deeds that decide.
    pub(super) fn deciding(&self, h: u32) -> Vec<usize> {
        let at = &self.at[h as usize];
        let decides = |record: &Record| at.ground.is_final(record.kind);
        let makers = at.makers.iter().filter(|(record, _)| decides(record));
        makers.flat_map(|(_, deeds)| deeds).copied().collect()
    }

    /// Replica i decided the height by slot t.
    pub(super) fn decided(&self, h: u32, i: u32, t: u32) -> Expr {
        let deciding = self.deciding(h).into_iter();
        deciding.map(|deed| self.did(h, deed, i, t)).sum()
    }

    /// Replica i decided by a record of view v, by slot t.
    pub(super) fn decided_in(&self, h: u32, i: u32, v: u32, t: u32) -> Expr {
        let deciding = self.deciding(h).into_iter();
        let of = deciding.filter(|deed| self.deed(h, *deed).act.letters.v == v);
        of.map(|deed| self.did(h, deed, i, t)).sum()
    }

    /// The ways into view w.
    pub(super) fn ways(&self, h: u32, w: u32) -> Vec<usize> {
        let deeds = self.at[h as usize].deeds.iter().enumerate();
        let into = deeds.filter(|(_, it)| it.is_entry() && !it.doubled && it.act.letters.v == w);
        into.map(|(deed, _)| deed).collect()
    }

    /// Replica i reached view v by slot t; view 0 with the height itself.
    pub(super) fn entered(&self, h: u32, i: u32, v: u32, t: u32) -> Expr {
        match (h, v) {
            (0, 0) => Expr::from(1),
            (h, 0) => self.decided(h - 1, i, t),
            (h, v) => {
                let ways = self.ways(h, v).into_iter();
                ways.map(|way| self.draft.get(&Key::Did { h, deed: way, i, t }))
                    .sum()
            }
        }
    }

    /// A copy of j's record was delivered to i by slot t; an own one is there at once.
    pub(super) fn got(&self, h: u32, record: &Record, i: u32, j: u32, t: u32) -> Expr {
        if i == j {
            return self.made(h, record, i, t);
        }
        match self.at[h as usize].records.binary_search(record) {
            Ok(record) => self.draft.get(&Key::Got { h, record, i, j, t }),
            Err(_) => Expr::default(),
        }
    }

    /// Whether a Byzantine replica j may make the record. It relays no decision.
    pub(super) fn may_forge(&self, h: u32, record: &Record, j: u32) -> bool {
        let ground = &self.at[h as usize].ground;
        self.may_be(FaultKind::Byzantine, j)
            && !ground.is_final(record.kind)
            && ground.setting.may_make(record, j)
    }

    /// Whether an honest replica j may make the record.
    pub(super) fn may_make(&self, h: u32, record: &Record, j: u32) -> bool {
        let makers = self.at[h as usize].makers.get(record);
        makers
            .into_iter()
            .flatten()
            .any(|deed| self.does(h, *deed, j))
    }

    pub(super) fn may_send(&self, h: u32, record: &Record, j: u32) -> bool {
        self.may_forge(h, record, j) || self.may_make(h, record, j)
    }

    /// The records of a quorum that i may have of j.
    pub(super) fn of_quorum(&self, h: u32, quorum: usize, i: u32, j: u32) -> Vec<Record> {
        let at = &self.at[h as usize];
        let records = at.ground.quorums[quorum].records.iter().copied();
        if i == j {
            let below = at.own_below[quorum];
            let own = |it: &Record| {
                it.view < below && !at.ground.is_final(it.kind) && self.may_make(h, it, i)
            };
            return records.filter(own).collect();
        }
        let travels = |it: &Record| at.records.binary_search(it).is_ok();
        records
            .filter(|it| travels(it) && self.may_send(h, it, j))
            .collect()
    }

    /// Whether i may have several of j's records of a quorum, so that one has to be counted.
    pub(super) fn several(&self, h: u32, quorum: usize, i: u32, j: u32) -> bool {
        let records = self.of_quorum(h, quorum, i, j);
        let honest = i == j || !self.may_be(FaultKind::Byzantine, j);
        records.len() > 1 && !(honest && parted(&records).len() == 1)
    }

    /// A record of j counts in the quorum at i, by slot t.
    pub(super) fn counted(&self, h: u32, quorum: usize, i: u32, j: u32, t: u32) -> Expr {
        if self.several(h, quorum, i, j) {
            return self.draft.get(&Key::Counted { h, quorum, i, j, t });
        }
        let records = self.of_quorum(h, quorum, i, j);
        records.iter().map(|it| self.got(h, it, i, j, t)).sum()
    }

    /// The power that i can have behind a quorum.
    pub(super) fn most(&self, h: u32, quorum: usize, i: u32) -> i64 {
        let some = |j: &u32| !self.of_quorum(h, quorum, i, *j).is_empty();
        (0..self.n).filter(some).map(|j| self.power(j)).sum()
    }

    pub(super) fn at_least(&self, h: u32, quorum: usize) -> i64 {
        i64::from(self.at[h as usize].ground.quorums[quorum].at_least)
    }

    /// Whether a quorum may be complete at i or not.
    pub(super) fn is_open(&self, h: u32, quorum: usize, i: u32) -> bool {
        (1..=self.most(h, quorum, i)).contains(&self.at_least(h, quorum))
    }

    /// A quorum is complete at i by slot t.
    pub(super) fn complete(&self, h: u32, quorum: usize, i: u32, t: u32) -> Expr {
        if self.at_least(h, quorum) <= 0 {
            return 1.into();
        }
        self.draft.get(&Key::Complete { h, quorum, i, t })
    }

    /// What a guard reads of the own past: the ways in which it holds at slot t, each 0 or 1.
    pub(super) fn own(&self, h: u32, own: &Own, i: u32, t: u32) -> Vec<Expr> {
        match own {
            Own::Last(matching, _) if !super::columns::sole_view(own) => {
                let lasts = &self.at[h as usize].lasts;
                let own = lasts.iter().position(|it| it == own);
                let own = own.expect("every such guard has its columns");
                debug_assert!(!matching.is_empty());
                vec![self.draft.get(&Key::Last { h, own, i, t })]
            }
            Own::One(matching) | Own::Last(matching, _) => {
                let parts = parted(matching).into_values();
                let ways = parts.map(|part| self.made_any(h, &part, i, t));
                ways.filter(|way| !way.is_constant()).collect()
            }
        }
    }

    /// The ways in which a need is met at slot t, each 0 or 1.
    pub(super) fn met(&self, h: u32, need: &Need, i: u32, t: u32) -> Vec<Expr> {
        match need {
            Need::Own(own) => self.own(h, own, i, t),
            Need::Primary(records) => {
                let primaries = &self.at[h as usize].ground.setting.primaries;
                let got = |it: &Record| self.got(h, it, i, primaries[it.view as usize], t);
                let ways = records.iter().map(got);
                ways.filter(|way| !way.is_constant()).collect()
            }
            Need::Quorum(quorum) => vec![self.complete(h, *quorum, i, t)],
        }
    }

    /// The timer of a deed, and the view in which it was started.
    pub(super) fn timer_of(
        &self,
        h: u32,
        deed: usize,
    ) -> Option<(milp_schema::protocol::TimerId, u32)> {
        let it = self.deed(h, deed);
        match it.act.mode {
            Mode::Timer(timer) => Some((timer, it.view())),
            Mode::Must | Mode::May => None,
        }
    }

    /// The deeds that start a timer in a view.
    pub(super) fn starts(
        &self,
        h: u32,
        timer: milp_schema::protocol::TimerId,
        v: u32,
    ) -> Vec<usize> {
        let deeds = self.at[h as usize].deeds.iter().enumerate();
        let starts = deeds.filter(|(_, it)| it.what == What::Starts(timer) && it.view() == v);
        starts.map(|(deed, _)| deed).collect()
    }
}
