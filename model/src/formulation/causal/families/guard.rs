//! Acceptance guards: a replica that asked to leave ignores answers, unless it counts too few
//! others as alive.
//!
//! Said pair by pair, because what one replica takes another may ignore. `heard_ij`, `first_ij`
//! (took the answer before asking to leave), `took_ij`, `knows_ij` (j is bound) and `alive_ij` are
//! about view v; p is its primary. What a replica does not need it does not get before the end
//! (`docs/MODEL.md`): it is heard by what a timeout sends first of all in a view, knows of bound
//! replicas only when it binds itself after asking to leave.

use super::super::{
    columns::{Act, Causal, Key},
    order::Guarded,
};
use crate::{expr::Expr, group::Group, rule::Requires};
use milp_schema::{Kind, instance::Goal};

/// What guards of acceptance ask for, pair by pair.
pub(in super::super) fn guards(causal: &mut Causal) {
    let Some(guarded) = causal.order.guarded.clone() else {
        return;
    };
    add_columns(causal);
    for v in 0..causal.views {
        for i in 0..causal.n {
            let seat = Seat::new(causal, &guarded, i, v);
            hears(causal, &seat);
            takes(causal, &seat);
            binds(causal, &seat);
            loses(causal, &seat);
            is_bound_at_once(causal, &seat);
        }
    }
}

fn add_columns(causal: &mut Causal) {
    for v in 0..causal.views {
        let primary = causal.primary(v);
        for i in 0..causal.n {
            causal.add(Key::Lost(i, v), format!("lost_i{i}_v{v}"), 1);
            for j in (0..causal.n).filter(|&j| j != i) {
                let at = format!("i{i}_j{j}_v{v}");
                causal.add(Key::Heard(i, j, v), format!("heard_{at}"), 1);
                causal.add(Key::Knows(i, j, v), format!("knows_{at}"), 1);
                causal.add(Key::Alive(i, j, v), format!("alive_{at}"), 1);
                if j != primary {
                    causal.add(Key::Took(i, j, v), format!("took_{at}"), 1);
                    causal.add(Key::TookFirst(i, j, v), format!("took_first_{at}"), 1);
                }
            }
        }
    }
}

/// Replica i in view v, and what the rules ask of it there.
pub(in super::super) struct Seat {
    pub(in super::super) i: u32,
    pub(in super::super) v: u32,
    pub(in super::super) primary: u32,
    pub(in super::super) parts: Guarded,
    /// Channels of answers, binding messages and requests to leave.
    pub(in super::super) answers: usize,
    pub(in super::super) bound: usize,
    pub(in super::super) asks: usize,
    /// The kinds of preparation that are asked for, q of them.
    pub(in super::super) quorum: i64,
    /// Preparations beside the answers of others: the own one and the primary's.
    pub(in super::super) own: i64,
    pub(in super::super) others: Vec<u32>,
}

impl Seat {
    pub(in super::super) fn new(causal: &Causal, parts: &Guarded, i: u32, v: u32) -> Self {
        let of = |e: usize| {
            let kind: &Kind = causal.events[e]
                .broadcasts
                .as_ref()
                .expect("parts broadcast");
            causal.channel(kind)
        };
        let tally = |requirement: &Requires| match requirement {
            Requires::Tally { at_least, .. } => Some(causal.count(*at_least)),
            _ => None,
        };
        let quorum = causal.events[parts.binds].requires.iter().find_map(tally);
        let primary = causal.primary(v);
        Self {
            i,
            v,
            primary,
            parts: parts.clone(),
            answers: of(parts.answers),
            bound: of(parts.binds),
            asks: of(parts.leaves),
            quorum: quorum.expect("`Order` found the tally"),
            own: if i == primary { 1 } else { 2 },
            others: (0..causal.n).filter(|&j| j != i).collect(),
        }
    }

    pub(in super::super) fn label(&self) -> String {
        format!("_i{}_v{}", self.i, self.v)
    }

    fn act(&self, e: usize) -> Act {
        Act::Does(e, self.i, self.v)
    }

    pub(in super::super) fn did(&self, causal: &Causal, e: usize) -> Expr {
        causal.did_in_view(e, self.i, self.v)
    }

    /// The own preparation, whatever the block.
    pub(in super::super) fn prepared(&self, causal: &Causal) -> Expr {
        let e = if self.i == self.primary {
            self.parts.proposes
        } else {
            self.parts.answers
        };
        self.did(causal, e)
    }

    pub(in super::super) fn answers_first(&self, causal: &Causal) -> Expr {
        causal.look_up(&Key::AnswersFirst(self.i, self.v))
    }

    pub(in super::super) fn heard(&self, causal: &Causal, j: u32) -> Expr {
        causal.look_up(&Key::Heard(self.i, j, self.v))
    }

    pub(in super::super) fn took(&self, causal: &Causal, j: u32) -> Expr {
        causal.look_up(&Key::Took(self.i, j, self.v))
    }

    pub(in super::super) fn took_first(&self, causal: &Causal, j: u32) -> Expr {
        causal.look_up(&Key::TookFirst(self.i, j, self.v))
    }

    pub(in super::super) fn knows(&self, causal: &Causal, j: u32) -> Expr {
        causal.look_up(&Key::Knows(self.i, j, self.v))
    }

    /// A Byzantine j can be heard by something that binds the receiver to nothing.
    pub(in super::super) fn forged_sign(&self, causal: &Causal, j: u32) -> Expr {
        causal.forged(self.asks, j, self.v, 0)
    }

    fn forged(&self, causal: &Causal, c: usize, j: u32) -> Expr {
        if !causal.makes_for_all() {
            return causal.forged(c, j, self.v, 0);
        }
        causal
            .channel_blocks(c, self.v)
            .map(|b| causal.forged(c, j, self.v, b))
            .sum()
    }

    /// An answer of j, honest or forged.
    pub(in super::super) fn answer_of(&self, causal: &Causal, j: u32) -> Expr {
        causal.did_in_view(self.parts.answers, j, self.v) + self.forged(causal, self.answers, j)
    }

    /// A binding message of j, honest or forged.
    pub(in super::super) fn binding_of(&self, causal: &Causal, j: u32) -> Expr {
        causal.did_in_view(self.parts.binds, j, self.v) + self.forged(causal, self.bound, j)
    }
}

/// A replica asks to leave only if it counts q − 1 others as alive:
/// `(q − 1) · leave_i ≤ Σ_j heard_ij`, with q the instance's quorum.
///
/// Heard is who called before, `heard_ij ≤ call_j + forged_j + first_ij` and
/// `ℓ(call_j) + 1 ≤ ℓ(leave_i)`; of the primary also whoever answered its request before, as
/// handling a request is answering it.
fn hears(causal: &mut Causal, seat: &Seat) {
    let Guarded { leaves, calls, .. } = seat.parts;
    let line = causal.events[leaves].line;
    let enough = causal
        .draft
        .family("leave_requires_alive", line, &[], Group::LOST);
    let heard_by = causal
        .draft
        .family("heard_requires_message", line, &[], Group::LOST);
    let (v, most) = (seat.v, causal.highest + 1);
    let quorum = i64::from(causal.instance.quorum());
    let mut all = Expr::default();
    for &j in &seat.others {
        let heard = seat.heard(causal, j);
        let mut otherwise = seat.forged_sign(causal, j);
        otherwise += seat.took_first(causal, j);
        if j == seat.primary {
            otherwise += seat.answers_first(causal);
        }
        let label = format!("{}_j{j}", seat.label());
        let calls_j = causal.did_in_view(calls, j, v);
        let right = calls_j + otherwise.clone();
        causal.draft.at_most(heard_by, &label, heard.clone(), right);
        let early = causal.level(Act::Does(calls, j, v)) + 1;
        let late = causal.level(seat.act(leaves)) + (1 - heard.clone() + otherwise) * most;
        causal
            .draft
            .at_most(heard_by, &format!("{label}_level"), early, late);
        all += heard;
    }
    let left = seat.did(causal, leaves) * (quorum - 1);
    causal.draft.at_most(enough, &seat.label(), left, all);
}

/// An answer is taken that was sent, `took_ij ≤ answer_j`, before the own leave or not:
/// `first_ij ≤ took_ij`, `first_ij ≤ leave_i`, `ℓ(answer_j) + 1 ≤ ℓ(bind_i)` or `ℓ(leave_i)`;
/// after it only by a replica that binds itself then, with too few others alive:
/// `took_ij ≤ first_ij + bind_i`, `took_ij ≤ first_ij + lost_i + 1 − leave_i`.
///
/// What is ignored is not said: it may come whenever it is ignored.
fn takes(causal: &mut Causal, seat: &Seat) {
    let Guarded {
        leaves,
        answers,
        binds,
        ..
    } = seat.parts;
    let line = causal.events[binds].line;
    let requires = causal
        .draft
        .family("take_requires_answer", line, &[], Group::MEMORY);
    let guard = causal
        .draft
        .family("leave_excludes_take", line, &[], Group::ORDER);
    let most = causal.highest + 1;
    let left = seat.did(causal, leaves);
    let bound = seat.did(causal, binds);
    let lost = causal.look_up(&Key::Lost(seat.i, seat.v));
    for &j in seat.others.iter().filter(|&&j| j != seat.primary) {
        let (took, first) = (seat.took(causal, j), seat.took_first(causal, j));
        let label = format!("{}_j{j}", seat.label());
        let sent = seat.answer_of(causal, j);
        causal.draft.at_most(requires, &label, took.clone(), sent);
        let early = causal.level(Act::Does(answers, j, seat.v)) + 1;
        for (number, (e, takes)) in [(binds, &took), (leaves, &first)].into_iter().enumerate() {
            let late = causal.level(seat.act(e)) + (1 - takes.clone()) * most;
            let label = format!("{label}_level{number}");
            causal.draft.at_most(requires, &label, early.clone(), late);
        }
        causal
            .draft
            .at_most(guard, &format!("{label}_a"), first.clone(), took.clone());
        causal
            .draft
            .at_most(guard, &format!("{label}_b"), first.clone(), left.clone());
        let later = first.clone() + bound.clone();
        causal
            .draft
            .at_most(guard, &format!("{label}_c"), took.clone(), later);
        let lost = first.clone() + lost.clone() + (1 - left.clone());
        causal
            .draft
            .at_most(guard, &format!("{label}_d"), took.clone(), lost);
        other_block(causal, seat, j, &took, answers);
        if causal.arrives() && causal.instance.goal != Goal::Stall {
            // What Byzantine replicas make for one receiver only is not said in the end.
            let honest = causal.did_in_view(answers, j, seat.v) + bound.clone();
            causal
                .draft
                .at_most(guard, &format!("{label}_e"), first, honest);
        }
    }
}

/// Only messages about the block that the replica binds itself to are of use:
/// `x + bind_ib + sent_jb' ≤ 2` for another block b'.
fn other_block(causal: &mut Causal, seat: &Seat, j: u32, of_use: &Expr, e: usize) {
    if causal.blocks(seat.v).len() < 2 {
        return;
    }
    let name = format!("{}_of_other_block", causal.events[e].name);
    let family = causal
        .draft
        .family(&name, causal.events[e].line, &[], Group::MEMORY);
    for b in causal.blocks(seat.v) {
        for other in causal.blocks(seat.v).filter(|&other| other != b) {
            let binds = causal.did(seat.parts.binds, seat.i, seat.v, b);
            let sent = causal.did(e, j, seat.v, other);
            let label = format!("{}_j{j}_b{b}_{other}", seat.label());
            causal
                .draft
                .at_most(family, &label, of_use.clone() + binds + sent, 2.into());
        }
    }
}

/// A replica binds itself with q preparations, its own and the primary's among them:
/// `(q − own) · bind_i ≤ Σ_j took_ij`.
fn binds(causal: &mut Causal, seat: &Seat) {
    let rule = causal.events[seat.parts.binds].clone();
    let name = format!("{}_requires_taken_quorum", rule.name);
    let family = causal
        .draft
        .family(&name, rule.line, &[], Group::PREPARATIONS);
    let took = seat.others.iter().map(|&j| seat.took(causal, j)).sum();
    let bound = seat.did(causal, seat.parts.binds) * (seat.quorum - seat.own);
    causal.draft.at_most(family, &seat.label(), bound, took);
    let name = format!("{}_requires_honest_quorum", rule.name);
    let valid = causal
        .draft
        .family(&name, rule.line, &[], Group::BEHIND_A_QUORUM);
    let honest = seat.quorum - causal.byzantine_count() - 1;
    if honest > 0 && seat.i != seat.primary {
        // Of the answers at most B are Byzantine; the own one is among them.
        let sent: Expr = (0..causal.n)
            .map(|j| causal.did_in_view(seat.parts.answers, j, seat.v))
            .sum();
        let bound = seat.did(causal, seat.parts.binds) * honest;
        causal.draft.at_most(valid, &seat.label(), bound, sent);
    }
}

/// Too few others are alive when a replica binds itself after asking to leave: those it heard or
/// took an answer of, or answered as primary, less those it knows to be bound:
/// `x_ij ≤ alive_ij + knows_ij` for each x, `Σ_j alive_ij ≤ q − 2 + n (1 − lost_i)`;
/// `knows_ij ≤ bind_j` and `ℓ(bind_j) + 1 ≤ ℓ(bind_i)`.
fn loses(causal: &mut Causal, seat: &Seat) {
    let Guarded { answers, binds, .. } = seat.parts;
    let line = causal.events[binds].line;
    let alive = causal
        .draft
        .family("heard_and_not_bound_is_alive", line, &[], Group::LOST);
    let knows = causal
        .draft
        .family("know_requires_bind", line, &[], Group::MEMORY);
    let counts = causal
        .draft
        .family("lost_excludes_alive", line, &[], Group::LOST);
    let most = causal.highest + 1;
    let (mut all, mut known) = (Expr::default(), Expr::default());
    for &j in &seat.others {
        let label = format!("{}_j{j}", seat.label());
        let knows_j = seat.knows(causal, j);
        let lives = causal.look_up(&Key::Alive(seat.i, j, seat.v));
        let mut signs = vec![seat.heard(causal, j)];
        if j == seat.primary {
            signs.push(seat.did(causal, answers));
        } else {
            signs.push(seat.took(causal, j));
        }
        for (number, sign) in signs.into_iter().enumerate() {
            let right = lives.clone() + knows_j.clone();
            causal
                .draft
                .at_most(alive, &format!("{label}_{number}"), sign, right);
        }
        let sent = seat.binding_of(causal, j);
        causal.draft.at_most(knows, &label, knows_j.clone(), sent);
        let early = causal.level(Act::Does(binds, j, seat.v)) + 1;
        let late = causal.level(seat.act(binds)) + (1 - knows_j.clone()) * most;
        causal
            .draft
            .at_most(knows, &format!("{label}_level"), early, late);
        other_block(causal, seat, j, &knows_j, binds);
        all += lives;
        known += knows_j;
    }
    let n = i64::from(causal.n);
    let quorum = i64::from(causal.instance.quorum());
    let lost = causal.look_up(&Key::Lost(seat.i, seat.v));
    let right = (1 - lost) * n + (quorum - 2);
    causal.draft.at_most(counts, &seat.label(), all, right);
    // With so many bound ones the own binding message is the last that a decision needs: it comes
    // at once, and not by what another relays.
    let decided = decides_itself(causal, seat) * n + (seat.quorum - 2);
    let once = causal
        .draft
        .family("know_quorum_forces_decide", line, &[], Group::PROMPT);
    causal.draft.at_most(once, &seat.label(), known, decided);
}

/// That the replica decides in the view by votes it holds.
fn decides_itself(causal: &Causal, seat: &Seat) -> Expr {
    let tallies = |requirement: &Requires| matches!(requirement, Requires::Tally { .. });
    let events = causal.events.iter().zip(0..);
    events
        .filter(|(event, _)| event.decides && event.requires.iter().any(tallies))
        .map(|(_, e)| seat.did(causal, e))
        .sum()
}

/// A replica with q preparations binds itself at once: one that answers, or proposes, before it
/// asks to leave has too few before that, `own + Σ first_ij ≤ q − 1`; one that answers after it
/// has too few or binds itself: `own + Σ first_ij ≤ q − 1 + n (1 − answer_i + bind_i)`.
fn is_bound_at_once(causal: &mut Causal, seat: &Seat) {
    let rule = causal.events[seat.parts.binds].clone();
    let name = format!("quorum_forces_{}", rule.name);
    let family = causal.draft.family(&name, rule.line, &[], Group::PROMPT);
    let n = i64::from(causal.n);
    let first: Expr = seat
        .others
        .iter()
        .map(|&j| seat.took_first(causal, j))
        .sum();
    let few = seat.quorum - 1 - seat.own;
    if seat.i == seat.primary {
        causal
            .draft
            .at_most(family, &seat.label(), first, few.into());
        return;
    }
    let early = (1 - seat.answers_first(causal)) * n + few;
    let label = seat.label();
    causal
        .draft
        .at_most(family, &format!("{label}_a"), first.clone(), early);
    let bound = seat.did(causal, seat.parts.binds);
    let answers = seat.did(causal, seat.parts.answers);
    let late = (1 - answers + bound) * n + few;
    causal
        .draft
        .at_most(family, &format!("{label}_b"), first, late);
}
