//! What an act requires of others, and of the replica itself.

use super::super::columns::{Act, Causal, Key};
use crate::{
    expr::Expr,
    group::Group,
    program::FamilyId,
    rule::{Modality, Requires, snake},
};

/// The requirements of every event and of the step into a view.
pub(in super::super) fn requirements(causal: &mut Causal) {
    for e in 0..causal.events.len() {
        for v in 0..causal.views {
            for i in 0..causal.n {
                if causal.does(e, i, v) {
                    for b in causal.about(e, v) {
                        requires(causal, Place { e, i, v, b });
                        forced_by_request(causal, Place { e, i, v, b });
                        forced_by_few(causal, Place { e, i, v, b });
                    }
                }
            }
        }
    }
    let Some(enter) = causal.protocol.enter().cloned() else {
        return;
    };
    let name = "enter_requires_change_view_quorum";
    let family = causal
        .draft
        .family(name, enter.line, enter.equations(), Group::CHANGE_VIEWS);
    for w in 1..causal.views {
        let m = causal.quorum_number(&causal.asks(&enter, w));
        for i in 0..causal.n {
            let entered = causal.entered(i, w);
            let label = format!("_i{i}_v{w}");
            after_quorum(causal, family, (&label, m), &entered, Act::Enters(i, w));
        }
    }
}

/// Event e of replica i about block b of view v.
#[derive(Debug, Clone, Copy)]
struct Place {
    e: usize,
    i: u32,
    v: u32,
    b: u32,
}

impl Place {
    fn did(self, causal: &Causal) -> Expr {
        causal.did(self.e, self.i, self.v, self.b)
    }

    fn act(self) -> Act {
        Act::Does(self.e, self.i, self.v)
    }

    fn label(self) -> String {
        format!("_i{}_v{}_b{}", self.i, self.v, self.b)
    }
}

/// What the event requires:
///
/// - own events: `did_b ≤ Σ own_b`; the order of own acts has a family of its own;
/// - the primary's own first: `did ≤ own` for i the primary;
/// - a message of one sender j: `did_b ≤ sent_jb + forged_jb` and
///   `ℓ(send_j) + 1 ≤ ℓ(act) + (L + 1)(1 − did_b)`;
/// - a number of messages: `did_b ≤ complete` and `ℓ(Q) + 1 ≤ ℓ(act) + (L + 1)(1 − did_b)`.
fn requires(causal: &mut Causal, place: Place) {
    let Place { e, i, v, b } = place;
    let rule = causal.events[e].clone();
    for requirement in &rule.requires {
        if causal.is_pairwise(e, requirement) {
            continue;
        }
        let what = match requirement {
            Requires::Own(names) => names.join("_or_"),
            Requires::OwnAsPrimary(name) => format!("{name}_as_primary"),
            Requires::Held(kind) | Requires::HeldFromAnother(kind) => snake(kind.name()),
            Requires::Tally { of, .. } => {
                let kinds: Vec<_> = of.iter().map(|kind| snake(kind.name())).collect();
                format!("{}_quorum", kinds.join("_or_"))
            }
            Requires::TallyOverViews { of, .. } => format!("{}_over_views", snake(of.name())),
            Requires::When(_) | Requires::Unless(_) => continue,
        };
        let name = format!("{}_requires_{what}", rule.name);
        let family = causal.draft.family(
            &name,
            rule.line,
            rule.equations(),
            causal.protocol.requiring(requirement),
        );
        let (did, label) = (place.did(causal), place.label());
        match requirement {
            Requires::Own(names) => {
                let own = names
                    .iter()
                    .map(|name| causal.did(causal.event(name), i, v, b));
                causal.draft.at_most(family, &label, did, own.sum());
            }
            Requires::OwnAsPrimary(name) if causal.primary(v) == i => {
                let own = causal.did_in_view(causal.event(name), i, v);
                causal.draft.at_most(family, &label, did, own);
            }
            Requires::Held(kind) => {
                let c = causal.channel(kind);
                let (send, j) = the_sender(causal, c, v);
                let held = causal.did(send, j, v, b) + causal.forged(c, j, v, b);
                causal.draft.at_most(family, &label, did.clone(), held);
                if i != j && causal.guards() {
                    let late = (1 - did) * (causal.highest + 1) + causal.level(place.act());
                    let early = causal.level(Act::Does(send, j, v)) + 1;
                    causal
                        .draft
                        .at_most(family, &format!("{label}_level"), early, late);
                }
            }
            _ => {
                if let Some(quorum) = causal.quorum_of(requirement, v, b) {
                    let m = causal.quorum_number(&quorum);
                    after_quorum(causal, family, (&label, m), &did, place.act());
                }
            }
        }
    }
}

/// The one event and replica that send the channel's message about view v (`refuse`).
pub(in super::super) fn the_sender(causal: &Causal, c: usize, v: u32) -> (usize, u32) {
    let senders = causal.senders(c);
    let all = senders
        .iter()
        .flat_map(|&e| (0..causal.n).map(move |j| (e, j)))
        .find(|&(e, j)| causal.does(e, j, v));
    all.expect("`refuse` found one sender of every message that is held alone")
}

fn after_quorum(
    causal: &mut Causal,
    family: FamilyId,
    (label, m): (&str, usize),
    did: &Expr,
    act: Act,
) {
    causal
        .draft
        .at_most(family, label, did.clone(), causal.complete(m));
    if !causal.guards() {
        return;
    }
    let late = (1 - did.clone()) * (causal.highest + 1) + causal.level(act);
    let since = causal.look_up(&Key::Since(m)) + 1;
    causal
        .draft
        .at_most(family, &format!("{label}_level"), since, late);
}

/// Whoever handles the message that alone makes a replica do a must event does it, unless an own
/// act before forbids it: for another event e that reads the message, and does not require the
/// forced one, `did_e ≤ Σ_b forced_b + Σ excluding`, at replicas that do the forced event.
///
/// Everything else that could be forced may be withheld until it no longer is: no other guard
/// reads it.
fn forced_by_request(causal: &mut Causal, place: Place) {
    let Place { e, i, v, .. } = place;
    let rule = causal.events[e].clone();
    for f in 0..causal.events.len() {
        let forced = causal.events[f].clone();
        let [Requires::Held(kind)] = forced.requires.as_slice() else {
            continue;
        };
        let reads = rule.requires.contains(&Requires::Held(*kind));
        if f == e || !reads || forced.modality != Modality::Must || !causal.does(f, i, v) {
            continue;
        }
        let name = format!("{}_forces_{}", snake(kind.name()), forced.name);
        let family = causal
            .draft
            .family(&name, forced.line, forced.equations(), Group::PROMPT);
        let mut done = causal.did_in_view(f, i, v);
        for exclusion in &forced.excludes {
            let own = causal.event(exclusion.event);
            done += causal.did_in(own, i, Causal::up_to(exclusion.range, v));
        }
        let label = format!("_{}{}", rule.name, place.label());
        causal
            .draft
            .at_most(family, &label, place.did(causal), done);
    }
}

/// Where two messages are a quorum, the request and the own answer to it force at once what the
/// quorum forces: `answer_b ≤ Σ_range forced` at a replica that holds both. No timer fires between
/// the two: `answer_b + timer ≤ 1` for an event that could.
fn forced_by_few(causal: &mut Causal, place: Place) {
    let Place { e, i, v, b } = place;
    let rule = causal.events[e].clone();
    let ([Requires::Held(request)], Some(answer)) = (rule.requires.as_slice(), &rule.broadcasts)
    else {
        return;
    };
    for f in 0..causal.events.len() {
        let forced = causal.events[f].clone();
        let few = forced.requires.iter().any(|requirement| match requirement {
            Requires::Tally { of, at_least } => {
                of.contains(request) && of.contains(answer) && causal.count(*at_least) <= 2
            }
            _ => false,
        });
        if !few || forced.modality != Modality::Must || !causal.does(f, i, v) {
            continue;
        }
        let name = format!("{}_forces_{}", rule.name, forced.name);
        let family = causal
            .draft
            .family(&name, forced.line, forced.equations(), Group::PROMPT);
        let earlier = Causal::up_to(forced.once, v);
        let done = causal.did(f, i, v, b) + causal.did_in(f, i, earlier.start..v);
        causal
            .draft
            .at_most(family, &place.label(), place.did(causal), done);
        not_between(causal, place, f);
    }
}

/// `did_b + timer ≤ 1` for an event of a timer that would come between this one and event f.
fn not_between(causal: &mut Causal, place: Place, f: usize) {
    let Place { e, i, v, .. } = place;
    let (rule, forced) = (causal.events[e].clone(), causal.events[f].clone());
    for k in 0..causal.events.len() {
        let between = causal.order.before[e][k] && causal.order.before[k][f];
        let timer = matches!(causal.events[k].modality, Modality::Timer { .. });
        if !between || !timer || !causal.does(k, i, v) {
            continue;
        }
        let other = causal.events[k].name;
        let name = format!("{}_forces_{}_before_{other}", rule.name, forced.name);
        let family = causal
            .draft
            .family(&name, forced.line, forced.equations(), Group::PROMPT);
        let both = place.did(causal) + causal.did_in_view(k, i, v);
        causal.draft.at_most(family, &place.label(), both, 1.into());
    }
}
