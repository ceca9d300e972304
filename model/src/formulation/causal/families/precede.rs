//! The order of what several replicas wait for, where a guard reads the same messages at everybody.
//!
//! A *milestone* is a quorum or a message that is waited for alone. All that one replica's acts say
//! of another's goes through milestones: an act is behind those it requires and before those its
//! message counts in. So an order of the milestones without a circle is an order of the acts.

use super::{
    super::columns::{Act, Causal, Key},
    quorum::members,
    require::the_sender,
};
use crate::{expr::Expr, group::Group, rule::Requires};

/// What others wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Milestone {
    /// Quorum m.
    Quorum(usize),
    /// The message that event e sends in view v.
    Message(usize, u32),
}

/// The milestones in one order: `before_ab` for a < b, 1 if a comes first, with
/// `0 ≤ before_ab + before_bc − before_ac ≤ 1` for a < b < c, so that there is no circle; and an
/// act behind milestone a whose message, or whose replica's later one, counts in b:
/// `act + counts ≤ 1 + before_ab`.
pub(in super::super) fn precedes(causal: &mut Causal) {
    if causal.guards() {
        return;
    }
    let milestones = milestones(causal);
    for a in 0..milestones.len() {
        for b in a + 1..milestones.len() {
            let name = format!("before_{a}_{b}");
            causal.add(Key::Before(a, b), name, 1);
        }
    }
    let circle = causal
        .draft
        .family("milestones_have_no_circle", "E3", &[], Group::MEMORY);
    for a in 0..milestones.len() {
        for b in a + 1..milestones.len() {
            for c in b + 1..milestones.len() {
                let sum = before(causal, a, b) + before(causal, b, c) - before(causal, a, c);
                let label = format!("_{a}_{b}_{c}");
                causal
                    .draft
                    .at_most(circle, &format!("{label}_a"), 0.into(), sum.clone());
                causal
                    .draft
                    .at_most(circle, &format!("{label}_b"), sum, 1.into());
            }
        }
    }
    for i in 0..causal.n {
        behind(causal, &milestones, i);
    }
}

/// 1 if a comes before b; nothing comes before itself.
fn before(causal: &Causal, a: usize, b: usize) -> Expr {
    match a.cmp(&b) {
        std::cmp::Ordering::Less => causal.look_up(&Key::Before(a, b)),
        std::cmp::Ordering::Equal => 0.into(),
        std::cmp::Ordering::Greater => 1 - causal.look_up(&Key::Before(b, a)),
    }
}

fn milestones(causal: &Causal) -> Vec<Milestone> {
    let mut all: Vec<Milestone> = (0..causal.quorums.len()).map(Milestone::Quorum).collect();
    for event in &causal.events {
        for requirement in &event.requires {
            let Requires::Held(kind) = requirement else {
                continue;
            };
            for v in 0..causal.views {
                let (send, _) = the_sender(causal, causal.channel(kind), v);
                let message = Milestone::Message(send, v);
                if !all.contains(&message) {
                    all.push(message);
                }
            }
        }
    }
    all
}

/// What the act requires of others, each with the expression that is 1 if it does.
fn required(causal: &Causal, act: Act) -> Vec<(Milestone, Expr)> {
    match act {
        Act::Enters(i, w) => {
            let enter = causal
                .protocol
                .enter()
                .expect("views are entered by a rule");
            let m = causal.quorum_number(&causal.asks(enter, w));
            vec![(Milestone::Quorum(m), causal.entered(i, w))]
        }
        Act::Does(e, i, v) => {
            let mut all = vec![];
            for requirement in &causal.events[e].requires {
                if let Requires::Held(kind) = requirement {
                    let (send, j) = the_sender(causal, causal.channel(kind), v);
                    if j != i {
                        // An honest sender says one block in a view.
                        let did = causal.did_in_view(e, i, v);
                        all.push((Milestone::Message(send, v), did));
                    }
                }
                for b in causal.about(e, v) {
                    if let Some(quorum) = causal.quorum_of(requirement, v, b) {
                        let m = causal.quorum_number(&quorum);
                        all.push((Milestone::Quorum(m), causal.did(e, i, v, b)));
                    }
                }
            }
            all
        }
    }
}

/// What the message of the act counts in.
fn counted(causal: &Causal, milestones: &[Milestone], act: Act) -> Vec<(usize, Expr)> {
    let Act::Does(e, i, v) = act else {
        return vec![];
    };
    let mut all = vec![];
    for (number, milestone) in milestones.iter().enumerate() {
        let counts = match *milestone {
            Milestone::Quorum(m) => causal.look_up(&Key::Counts(m, e, i, v)),
            Milestone::Message(send, w) if (send, w) == (e, v) => causal.did_in_view(e, i, v),
            Milestone::Message(..) => continue,
        };
        if !counts.is_constant() {
            all.push((number, counts));
        }
    }
    all
}

fn behind(causal: &mut Causal, milestones: &[Milestone], i: u32) {
    let family = causal
        .draft
        .family("act_is_between_milestones", "E2", &[], Group::MEMORY);
    let acts = causal.acts(i);
    for &first in &acts {
        let required = required(causal, first);
        for &later in &acts {
            if first != later && !causal.comes_before(first, later) {
                continue;
            }
            for (b, counts) in counted(causal, milestones, later) {
                for (milestone, act) in &required {
                    let a = milestones.iter().position(|other| other == milestone);
                    let a = a.expect("what is required is a milestone");
                    let right = before(causal, a, b) + 1;
                    let label = format!("{}_{a}{}_{b}", name(causal, first), name(causal, later));
                    causal
                        .draft
                        .at_most(family, &label, act.clone() + counts.clone(), right);
                }
            }
        }
    }
}

fn name(causal: &Causal, act: Act) -> String {
    match act {
        Act::Does(e, i, v) => format!("_{}_i{i}_v{v}", causal.events[e].name),
        Act::Enters(i, v) => format!("_enter_i{i}_v{v}"),
    }
}

impl Causal {
    /// Whether a replica that does both does the first one first.
    pub(in super::super) fn comes_before(&self, first: Act, later: Act) -> bool {
        match (first, later) {
            (Act::Does(e, _, v), Act::Does(f, _, w)) => {
                if !self.in_view(e) {
                    return false;
                }
                !self.in_view(f) || v < w || (v == w && self.order.before[e][f])
            }
            (Act::Does(e, _, v), Act::Enters(_, w)) => self.in_view(e) && v < w,
            (Act::Enters(_, w), Act::Does(f, _, v)) => !self.in_view(f) || w <= v,
            (Act::Enters(_, v), Act::Enters(_, w)) => v < w,
        }
    }

    /// The acts whose messages an act waits for: of every quorum that it requires those that count.
    pub(in super::super) fn waits_for(&self, act: Act, is: &dyn Fn(&Expr) -> bool) -> Vec<Act> {
        let mut all = vec![];
        for (milestone, does) in required(self, act) {
            if !is(&does) {
                continue;
            }
            match milestone {
                Milestone::Message(send, v) => all.push(Act::Does(send, self.primary(v), v)),
                Milestone::Quorum(m) => {
                    let of = members(self, &self.quorums[m]).into_iter();
                    let counts =
                        of.filter(|&(e, j, v)| is(&self.look_up(&Key::Counts(m, e, j, v))));
                    all.extend(counts.map(|(e, j, v)| Act::Does(e, j, v)));
                }
            }
        }
        all.retain(|&act| is(&self.happens(act)));
        all
    }
}
