//! Any number of views: two that decide, u and a later one w, are views 1 and 3 of four; the views
//! before u, and those between the two, are one phase each, views 0 and 2, whose columns are sums
//! over its views.
//!
//! Rows by which replicas pass through the views of a phase add up: who enters one of them out of
//! another of the same phase stands on both sides. What steps of a phase need of others is dropped,
//! and so is who leads which view, so that n may be less than the number of views. Every execution of
//! any number of views has its sums among the points, so that a bound holds; a point need not be an
//! execution. What a replica did must not matter in later views, but that it goes no further.

use super::{
    affine::{Affine, less, one},
    program::{Kind, Parametric},
    question::NAME,
    rows::word,
    walk::{Arc, Walk},
};
use crate::{
    error::Error,
    ground::{Act, Ground, Need, Record, Value, Values},
};
use milp_schema::{instance::Goal, protocol::Scope, vocabulary::By};
use std::collections::{BTreeMap, BTreeSet};

/// How many views there are, phases included.
pub(super) const VIEWS: u32 = 4;

/// The two that decide.
const DECIDE: [u32; 2] = [1, 3];

/// A step of a view: what its replica did in the view, whether it stops there, what it makes, and the
/// quorums that it needs.
type Look = (Vec<Record>, bool, Option<Record>, Vec<u32>);

/// What replicas with a role do in a view.
struct Role {
    view: u32,
    by: By,
    walk: Walk,
    /// The steps out of states of the view, each with its column.
    steps: Vec<(usize, usize)>,
    start: usize,
}

struct Merged<'a> {
    ground: &'a Ground,
    program: Parametric,
    roles: Vec<Role>,
    /// How many are Byzantine.
    byzantine: usize,
    /// Whether the primary of a view that decides is.
    leads: BTreeMap<u32, usize>,
    met: BTreeMap<Need, usize>,
}

/// The program of any number of views.
///
/// # Errors
/// [`Error::Unsupported`] where what was done matters in later views, or views differ.
pub(super) fn state(ground: &Ground, region: Vec<Affine>, goal: Goal) -> Result<Parametric, Error> {
    if !matches!(ground.setting.values, Values::Named { .. }) {
        return Err(refuse("values that are not blocks of their view"));
    }
    let program = Parametric {
        region,
        ..Parametric::default()
    };
    let mut merged = Merged {
        ground,
        program,
        roles: Vec::new(),
        byzantine: 0,
        leads: BTreeMap::new(),
        met: BTreeMap::new(),
    };
    merged.byzantine();
    merged.roles()?;
    merged.flows();
    merged.goal(goal)?;
    merged.needs();
    merged.met();
    Ok(merged.program)
}

fn refuse(construct: &str) -> Error {
    Error::Unsupported {
        formulation: NAME,
        construct: format!("{construct} with `views: any`"),
        hint: "ask for a number of views".into(),
    }
}

impl Merged<'_> {
    /// `byzantine ≤ b`, and the primaries of the two views are among them.
    fn byzantine(&mut self) {
        let program = &mut self.program;
        self.byzantine = program.column("byzantine".to_owned(), Kind::Count, Affine::N);
        program.at_most(
            "byzantine_at_most".to_owned(),
            [one(self.byzantine)],
            Affine::B,
        );
        for v in DECIDE {
            let leads = program.column(format!("byzantine_v{v}"), Kind::Unit, Affine::ONE);
            let terms = [one(leads), less(self.byzantine)];
            program.at_most(format!("byzantine_at_most_v{v}"), terms, Affine::default());
            self.leads.insert(v, leads);
        }
    }

    fn roles(&mut self) -> Result<(), Error> {
        let ground = self.ground;
        let last = ground.setting.replicas() - 1;
        let mut looks = BTreeMap::new();
        for view in 0..VIEWS {
            for (by, id) in [
                (By::Backup, last),
                (By::Primary, ground.setting.primaries[view as usize]),
            ] {
                let walk = Walk::of(ground, id, false);
                let starts: Vec<usize> = walk.starts(view).collect();
                let [start] = starts[..] else {
                    return Err(refuse(
                        "what a replica did in earlier views and is read in later ones",
                    ));
                };
                let look = self.look(&walk, view);
                if *looks
                    .entry(by == By::Primary)
                    .or_insert_with(|| look.clone())
                    != look
                {
                    return Err(refuse("views that are not all alike"));
                }
                let role = if by == By::Primary {
                    "primary"
                } else {
                    "backup"
                };
                let arcs = walk.arcs.iter().enumerate();
                let arcs = arcs.filter(|(_, arc)| walk.nodes[arc.from].view == view);
                let steps = arcs.map(|(at, arc)| {
                    let name = format!("did_{role}_{at}_{}", word(self.ground, arc));
                    (at, self.program.column(name, Kind::Count, Affine::N))
                });
                let steps = steps.collect();
                self.roles.push(Role {
                    view,
                    by,
                    walk,
                    steps,
                    start,
                });
            }
        }
        Ok(())
    }

    /// What can be done in a view, its number and the names of its values aside.
    fn look(&self, walk: &Walk, view: u32) -> BTreeSet<Look> {
        let per_view = self.ground.setting.valid() / VIEWS;
        let first = |record: &Record| Record {
            view: 0,
            value: match record.value {
                Value::Of(x) => Value::Of(x.wrapping_sub(view * per_view)),
                other => other,
            },
            ..*record
        };
        let here = walk
            .arcs
            .iter()
            .filter(|arc| walk.nodes[arc.from].view == view);
        // Nobody leaves the last view.
        let here = here.filter(|arc| !arc.enters);
        here.map(|arc| {
            let done = walk.done(arc.from, view).iter().map(first).collect();
            let needs = arc.needs.iter().map(|need| match need {
                Need::Quorum(quorum) => self.ground.quorums[*quorum].at_least,
                Need::Own(_) | Need::Primary(_) => 0,
            });
            (
                done,
                arc.to.is_none(),
                arc.makes.as_ref().map(first),
                needs.collect(),
            )
        })
        .collect()
    }

    /// The steps of a view with their columns.
    fn of_view(&self, view: u32) -> impl Iterator<Item = (&Arc, usize)> {
        let roles = self.roles.iter().filter(move |it| it.view == view);
        roles.flat_map(|it| {
            it.steps
                .iter()
                .map(|(at, took)| (&it.walk.arcs[*at], *took))
        })
    }

    fn all(&self) -> impl Iterator<Item = (&Arc, usize)> {
        (0..VIEWS).flat_map(|view| self.of_view(view))
    }

    /// Through each state of a role `Σ out ≤ Σ in`; gives what leaves its first one.
    fn leaves(&mut self, number: usize) -> Vec<(usize, Affine)> {
        let role = &self.roles[number];
        let view = role.view;
        let arcs = || {
            role.steps
                .iter()
                .map(|(at, took)| (&role.walk.arcs[*at], *took))
        };
        let start: Vec<_> = arcs()
            .filter(|(arc, _)| arc.from == role.start)
            .map(|it| one(it.1))
            .collect();
        let mut rows = Vec::new();
        for node in 0..role.walk.nodes.len() {
            if node == role.start || role.walk.nodes[node].view != view {
                continue;
            }
            let mut terms: Vec<_> = arcs()
                .filter(|(arc, _)| arc.from == node)
                .map(|it| one(it.1))
                .collect();
            if !terms.is_empty() {
                terms.extend(
                    arcs()
                        .filter(|(arc, _)| arc.to == Some(node))
                        .map(|it| less(it.1)),
                );
                rows.push((node, terms));
            }
        }
        let by = if role.by == By::Primary {
            "primary"
        } else {
            "backup"
        };
        let single = (role.by == By::Primary && DECIDE.contains(&view)).then(|| start.clone());
        for (node, terms) in rows {
            let name = format!("leave_{by}_v{view}_{node}");
            self.program.at_most(name, terms, Affine::default());
        }
        if let Some(mut single) = single {
            single.push(one(self.leads[&view]));
            self.program
                .at_most(format!("one_primary_v{view}"), single, Affine::ONE);
        }
        start
    }

    /// Through each state `Σ out ≤ Σ in`; into a view comes who left the one before, into the first
    /// everybody honest.
    fn flows(&mut self) {
        // What comes into a view: at first n − byzantine.
        let mut into = (vec![one(self.byzantine)], Affine::N);
        for view in 0..VIEWS {
            let enters: Vec<usize> = self
                .of_view(view)
                .filter(|it| it.0.enters)
                .map(|it| it.1)
                .collect();
            let mut out = Vec::new();
            for number in 0..self.roles.len() {
                if self.roles[number].view == view {
                    out.extend(self.leaves(number));
                }
            }
            out.extend(into.0.iter().copied());
            if DECIDE.contains(&view) {
                self.program.at_most(format!("pass_v{view}"), out, into.1);
                into = (enters.into_iter().map(less).collect(), Affine::default());
                continue;
            }
            // Who enters a view of a phase out of another one of it is in both sums.
            let left = self
                .program
                .column(format!("left_v{view}"), Kind::Count, Affine::N);
            out.extend(enters.into_iter().map(less));
            out.push(one(left));
            self.program.at_most(format!("pass_v{view}"), out, into.1);
            let leave = into.0.iter().copied().chain([one(left)]);
            self.program
                .at_most(format!("leave_v{view}"), leave.collect::<Vec<_>>(), into.1);
            into = (vec![less(left)], Affine::default());
        }
    }

    /// The column of what is needed of others.
    fn column_of(&mut self, need: &Need) -> usize {
        let number = self.met.len();
        let program = &mut self.program;
        *self
            .met
            .entry(need.clone())
            .or_insert_with(|| program.column(format!("met_{number}"), Kind::Binary, Affine::ONE))
    }

    /// `Σ did ≤ n · met`, of steps of the views that decide into the same kind of record.
    fn needs(&mut self) {
        let mut rows = Vec::new();
        for (number, role) in self.roles.iter().enumerate() {
            if !DECIDE.contains(&role.view) {
                continue;
            }
            let mut groups = BTreeMap::<(_, &Need), Vec<usize>>::new();
            for (at, took) in &role.steps {
                let arc = &role.walk.arcs[*at];
                for need in &arc.needs {
                    let kind = arc.makes.map(|it| it.kind);
                    groups.entry((kind, need)).or_default().push(*took);
                }
            }
            let most = if role.by == By::Primary {
                Affine::ONE
            } else {
                Affine::N
            };
            let groups = groups.into_iter().enumerate();
            rows.extend(groups.map(|(at, ((_, need), took))| {
                (
                    format!("do_requires_{number}_{at}"),
                    need.clone(),
                    most,
                    took,
                )
            }));
        }
        for (name, need, most, took) in rows {
            let met = self.column_of(&need);
            let terms = took.into_iter().map(one).chain([(met, -most)]);
            self.program.at_most(name, terms, Affine::default());
        }
    }

    /// `k · met ≤ Σ senders + byzantine`, `said ≤ Σ did + byzantine_v`; what is of phases is met.
    fn met(&mut self) {
        for (number, (need, met)) in self.met.clone().into_iter().enumerate() {
            let records = need.taken(self.ground).to_vec();
            let views: BTreeSet<u32> = records.iter().map(|it| it.view).collect();
            if !views.iter().all(|it| DECIDE.contains(it)) {
                continue;
            }
            let makes = |arc: &Arc| {
                arc.makes
                    .is_some_and(|it| records.binary_search(&it).is_ok())
            };
            match need {
                Need::Own(_) => {}
                Need::Primary(_) => {
                    let steps = self.all().filter(|it| makes(it.0)).map(|it| less(it.1));
                    let leads = views.iter().map(|view| less(self.leads[view]));
                    let terms: Vec<_> = steps.chain(leads).chain([one(met)]).collect();
                    self.program
                        .at_most(format!("said_{number}"), terms, Affine::default());
                }
                Need::Quorum(quorum) => {
                    let count = Affine::of_count(self.ground.quorums[quorum].count);
                    let steps = self.all().filter(|it| it.0.counts.contains(&quorum));
                    let honest: Vec<_> = steps.map(|it| less(it.1)).collect();
                    let of_all = honest
                        .iter()
                        .copied()
                        .chain([less(self.byzantine), (met, count)]);
                    let name = format!("quorum_requires_senders_{number}");
                    self.program.at_most(name, of_all, Affine::default());
                    let honest = honest.into_iter().chain([(met, count - Affine::B)]);
                    let name = format!("quorum_requires_honest_senders_{number}");
                    self.program.at_most(name, honest, Affine::default());
                }
            }
        }
    }

    /// `block ≤ Σ decide`, of the values of the two views, and a quorum stands behind it; of a
    /// certificate the quorum alone.
    fn goal(&mut self, goal: Goal) -> Result<(), Error> {
        for x in 0..self.ground.setting.valid() {
            let decides = |act: &Act| {
                let it = act.makes.filter(|it| self.ground.is_final(it.kind));
                it.is_some_and(|it| it.value == Value::Of(x) && DECIDE.contains(&it.view))
            };
            let acts = self.ground.acts.iter().enumerate();
            let acts: Vec<usize> = acts.filter(|it| decides(it.1)).map(|it| it.0).collect();
            let number = match acts[..] {
                [] => continue,
                [number] => number,
                _ => return Err(refuse("a value that is decided in several ways")),
            };
            let act = self.ground.acts[number].clone();
            let block = self
                .program
                .column(format!("block_{x}"), Kind::Binary, Affine::ONE);
            self.program.goal.push(block);
            let holds = |need: &&Need| goal == Goal::Fork || matches!(need, Need::Quorum(_));
            for (at, need) in act.asks().filter(holds).enumerate() {
                let met = self.column_of(need);
                let name = format!("block_requires_{x}_{at}");
                self.program
                    .at_most(name, [one(block), less(met)], Affine::default());
            }
            if act.scope == Scope::View && goal == Goal::Fork {
                let here = self
                    .all()
                    .filter(|(arc, _)| !arc.enters && arc.act == number);
                let terms: Vec<_> = here.map(|it| less(it.1)).chain([one(block)]).collect();
                self.program.at_most(
                    format!("block_requires_decide_{x}"),
                    terms,
                    Affine::default(),
                );
            }
        }
        Ok(())
    }
}
