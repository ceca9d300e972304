//! What the network does with the copies of a message.

use super::super::columns::Timed;
use crate::{expr::Expr, group::Group, rule::snake};
use milp_schema::instance::{FaultKind, Network};

/// The copies of channel c's message about (h, v, b) from j to i.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copies {
    pub(super) c: usize,
    pub(super) i: u32,
    pub(super) j: u32,
    pub(super) h: u32,
    pub(super) v: u32,
    pub(super) b: u32,
}

impl Copies {
    pub(super) fn got(self, timed: &Timed, t: u32) -> Expr {
        timed.got(self.c, self.i, self.j, self.h, self.v, self.b, t)
    }

    fn sent(self, timed: &Timed, t: u32) -> Expr {
        timed.sent(self.c, self.j, self.h, self.v, self.b, t)
    }

    fn kind(self, timed: &Timed) -> String {
        snake(timed.protocol.channels[self.c].kind.name())
    }

    pub(super) fn label(self, t: u32) -> String {
        let Self { i, j, h, v, b, .. } = self;
        format!("_i{i}_j{j}_h{h}_v{v}_b{b}_t{t}")
    }
}

/// Everything that arrives at i in slot t.
pub(super) fn arrivals(timed: &Timed, i: u32, t: u32) -> Expr {
    let mut all = Expr::default();
    for c in 0..timed.protocol.channels.len() {
        for (h, v) in timed.height_views() {
            for b in timed.channel_blocks(c, h, v) {
                for j in (0..timed.n).filter(|&j| j != i) {
                    all += timed.got(c, i, j, h, v, b, t) - timed.got(c, i, j, h, v, b, t - 1);
                }
            }
        }
    }
    all
}

/// What was delivered stays delivered: `got^(t−1) ≤ got^t`, the rest of (25), (32), (36).
pub(super) fn receive_stays(timed: &mut Timed, copies: Copies) {
    let name = format!("receive_{}_stays", copies.kind(timed));
    let family = timed
        .draft
        .family(&name, "E6", &[25, 32, 36], Group::MEMORY);
    for t in timed.slots() {
        let (before, now) = (copies.got(timed, t - 1), copies.got(timed, t));
        timed.draft.at_most(family, &copies.label(t), before, now);
    }
}

/// A copy arrives at the earliest d slots after it was sent; a Byzantine sender makes its copies
/// when it likes, if the kind is one it can make.
///
/// `got_ij^t ≤ sent_j^(t−d) + byzantine_j`; (23), (30), (34).
pub(super) fn receive_requires_send(timed: &mut Timed, copies: Copies) {
    let kind = copies.kind(timed);
    let name = format!("receive_{kind}_requires_send_{kind}");
    let family = timed
        .draft
        .family(&name, "E2", &[23, 30, 34], Group::SIGNATURES);
    let forgeable = timed.protocol.channels[copies.c].forgeable;
    for t in timed.slots() {
        let sent = copies.sent(timed, t.saturating_sub(timed.delay_min));
        let forged = if forgeable {
            timed.byzantine(copies.j)
        } else {
            Expr::default()
        };
        let got = copies.got(timed, t);
        timed
            .draft
            .at_most(family, &copies.label(t), got, sent + forged);
    }
}

/// What the network guarantees: `eventual`, a copy sent before the last slot arrives; `bounded`,
/// one sent in slot s ≥ gst arrives by s + `delay_max`, an earlier one by gst + `delay_max`.
///
/// `sent_j^s ≤ got_ij^t + crashed_i^t + byzantine_i + disconnected_i + disconnected_j` with
/// t = T, s = T − 1, or t = s + `delay_max` for every s ≥ gst. A crashed or Byzantine receiver and
/// a network-faulty end are excused.
pub(super) fn send_forces_receive(timed: &mut Timed, copies: Copies) {
    let kind = copies.kind(timed);
    let name = format!("send_{kind}_forces_receive_{kind}");
    let family = timed.draft.family(&name, "E10", &[], Group::DELIVERY);
    let due: Vec<(u32, u32)> = match timed.instance.network {
        Network::Asynchronous => vec![],
        Network::Eventual => vec![(timed.horizon - 1, timed.horizon)],
        Network::Bounded { delay_max, gst, .. } => (gst.max(1)..timed.horizon)
            .map(|s| (s, s + delay_max))
            .take_while(|&(_, t)| t <= timed.horizon)
            .collect(),
    };
    for (s, t) in due {
        let Copies { i, j, .. } = copies;
        let excused = timed.crashed(i, t)
            + timed.byzantine(i)
            + timed.faulty(FaultKind::Network, i)
            + timed.faulty(FaultKind::Network, j);
        let (sent, got) = (copies.sent(timed, s), copies.got(timed, t));
        timed
            .draft
            .at_most(family, &copies.label(t), sent, got + excused);
    }
}
