//! Columns and rows: how many replicas take which step.
//!
//! Primaries of the views are walkers with names, all others one pool of counts, so that the size
//! does not depend on n.
//!
//! | column | meaning |
//! |---|---|
//! | `did_<who>_<step>_<kind>_v…` | so many of the pool, or that primary, take that step |
//! | `byzantine_rest`, `byzantine_i` | so many of the pool, or that primary, are Byzantine |
//! | `open_m` | the quorum is there, whoever asks |
//! | `said_m` | one of these is made by the primary of its view |
//! | `decides_a` | somebody decides by that act, wherever it is |
//! | `block_x` | the value is decided |
//! | `certificate_x`, `proof_a` | goal `finality`: what others sent decides it, by that act |
//! | `rests_…`, `enough_m`, `shown_…`, `stuck` | goal `stall`: see `rest` |

use super::{
    affine::{Affine, less, one},
    program::{Kind, Parametric},
    question::Counts,
    walk::{Arc, Walk},
};
use crate::ground::{Act, Beside, Ground, Need, Record, Value, Values};
use milp_schema::{instance::Goal, protocol::Scope, vocabulary::By};
use std::collections::{BTreeMap, BTreeSet};

/// Who takes steps: the pool, or one replica.
#[derive(Debug)]
pub(super) struct Walker {
    pub(super) name: String,
    /// A replica with its roles.
    pub(super) id: u32,
    /// How many they are.
    pub(super) number: Affine,
    pub(super) is_pool: bool,
    pub(super) walk: Walk,
    /// The column of each step.
    pub(super) took: Vec<usize>,
    pub(super) byzantine: usize,
}

pub(super) struct Builder<'a> {
    pub(super) ground: &'a Ground,
    goal: Goal,
    counts: Counts,
    pub(super) program: Parametric,
    pub(super) walkers: Vec<Walker>,
    pub(super) opens: BTreeMap<usize, usize>,
    pub(super) said: BTreeMap<Vec<Record>, usize>,
    /// The columns of acts that are done wherever one is.
    pub(super) anywhere: BTreeMap<usize, usize>,
}

/// The program over the ground form, whose primaries are those of the region, and what its columns
/// stand for.
pub(super) fn builder<'a>(
    ground: &'a Ground,
    region: Vec<Affine>,
    goal: Goal,
    (counts, beside): (Counts, Beside<'_>),
) -> Builder<'a> {
    let mut builder = Builder {
        ground,
        goal,
        counts,
        program: Parametric {
            region,
            ..Parametric::default()
        },
        walkers: Vec::new(),
        opens: BTreeMap::new(),
        said: BTreeMap::new(),
        anywhere: BTreeMap::new(),
    };
    builder.walkers();
    builder.budget();
    builder.flows();
    match (beside.pair, goal) {
        (Some(pair), _) => builder.pair(pair),
        (None, Goal::Finality) => builder.certificates(),
        (None, Goal::Stall) => {}
        (None, _) => builder.blocks(),
    }
    builder.needs();
    builder.lemmas(beside.lemmas);
    if goal == Goal::Stall {
        builder.rest();
    }
    builder.quorums();
    builder.proposals();
    builder.new_values();
    builder
}

impl Builder<'_> {
    fn walkers(&mut self) {
        let ground = self.ground;
        let views = ground.setting.views as usize;
        let primaries: BTreeSet<u32> = ground.setting.primaries[..views].iter().copied().collect();
        let rest = Affine::N - Affine::number(primaries.len() as i64);
        // No primary has the last number.
        let last = ground.setting.replicas() - 1;
        let named = primaries.iter().map(|i| (format!("i{i}"), *i, Affine::ONE));
        let pool = ("rest".to_owned(), last, rest);
        for (name, id, number) in std::iter::once(pool).chain(named) {
            let is_pool = id == last;
            let walk = Walk::of(ground, id, self.goal == Goal::Stall);
            let kind = if is_pool { Kind::Count } else { Kind::Unit };
            let byzantine = self
                .program
                .column(format!("byzantine_{name}"), kind, number);
            let took = walk.arcs.iter().enumerate().map(|(at, arc)| {
                let name = format!("did_{name}_{at}_{}", word(ground, arc));
                self.program.column(name, kind, number)
            });
            let took = took.collect();
            self.walkers.push(Walker {
                name,
                id,
                number,
                is_pool,
                walk,
                took,
                byzantine,
            });
        }
    }

    /// `Σ byzantine ≤ b`.
    fn budget(&mut self) {
        let all: Vec<_> = self.walkers.iter().map(|it| one(it.byzantine)).collect();
        self.program
            .at_most("byzantine_at_most".to_owned(), all, Affine::B);
    }

    /// Out of a state goes who came into it: `Σ out ≤ Σ in`, and of the first one who is honest.
    fn flows(&mut self) {
        for walker in &self.walkers {
            for node in 0..walker.walk.nodes.len() {
                let steps = walker.walk.arcs.iter().zip(&walker.took);
                let out = steps.clone().filter(|(arc, _)| arc.from == node);
                let mut terms: Vec<_> = out.map(|(_, took)| one(*took)).collect();
                if terms.is_empty() {
                    continue;
                }
                let mut upper = Affine::default();
                if node == 0 {
                    terms.push(one(walker.byzantine));
                    upper = walker.number;
                } else {
                    let into = steps.filter(|(arc, _)| arc.to == Some(node));
                    terms.extend(into.map(|(_, took)| less(*took)));
                }
                let view = walker.walk.nodes[node].view;
                let name = format!("leave_{}_v{view}_{node}", walker.name);
                self.program.at_most(name, terms, upper);
            }
        }
    }

    pub(super) fn open(&mut self, quorum: usize) -> usize {
        let program = &mut self.program;
        *self
            .opens
            .entry(quorum)
            .or_insert_with(|| program.column(format!("open_{quorum}"), Kind::Binary, Affine::ONE))
    }

    /// The column of what is needed of others.
    pub(super) fn met(&mut self, need: &Need) -> Option<usize> {
        match need {
            Need::Own(_) => None,
            Need::Quorum(quorum) => Some(self.open(*quorum)),
            Need::Primary(records) => {
                let number = self.said.len();
                let program = &mut self.program;
                let add = || program.column(format!("said_{number}"), Kind::Binary, Affine::ONE);
                Some(*self.said.entry(records.clone()).or_insert_with(add))
            }
        }
    }

    /// Who takes steps into the same kind of record of a view takes one of them, so that they need
    /// together: `Σ did ≤ number · met`.
    fn needs(&mut self) {
        for at in 0..self.walkers.len() {
            let walker = &self.walkers[at];
            let mut groups = BTreeMap::<(_, &Need), Vec<usize>>::new();
            for (arc, took) in walker.walk.arcs.iter().zip(&walker.took) {
                let view = walker.walk.nodes[arc.from].view;
                for need in &arc.needs {
                    let what = (view, arc.makes.map(|it| it.kind));
                    groups.entry((what, need)).or_default().push(*took);
                }
            }
            let groups: Vec<(Need, Vec<usize>)> = (groups.into_iter())
                .map(|((_, need), took)| (need.clone(), took))
                .collect();
            let (name, number) = (walker.name.clone(), walker.number);
            for (row, (need, took)) in groups.into_iter().enumerate() {
                let Some(met) = self.met(&need) else { continue };
                let terms = took.into_iter().map(one).chain([(met, -number)]);
                let name = format!("do_requires_{name}_{row}");
                self.program.at_most(name, terms, Affine::default());
            }
        }
    }

    /// The columns of steps by which walkers make one of these records, of those that may.
    pub(super) fn makers(&self, makes: impl Fn(&Arc) -> bool) -> Vec<usize> {
        let steps = self
            .walkers
            .iter()
            .flat_map(|it| it.walk.arcs.iter().zip(&it.took));
        steps
            .filter(|(arc, _)| makes(arc))
            .map(|(_, took)| *took)
            .collect()
    }

    /// `k · open ≤ Σ senders + Σ byzantine`, and of them enough are honest:
    /// `(k − b) · open ≤ Σ senders`.
    fn quorums(&mut self) {
        for (number, open) in self.opens.clone() {
            let quorum = &self.ground.quorums[number];
            let count = match self.counts {
                Counts::Formulas => Affine::of_count(quorum.count),
                Counts::Numbers => Affine::number(quorum.at_least.into()),
            };
            let senders = self.makers(|arc| arc.counts.contains(&number));
            let honest: Vec<_> = senders.into_iter().map(less).collect();
            let may = |it: &&Walker| {
                let mut records = quorum.records.iter();
                records.any(|record| self.ground.setting.may_make(record, it.id))
            };
            let byzantine = self.walkers.iter().filter(may).map(|it| less(it.byzantine));
            let all: Vec<_> = honest.iter().copied().chain(byzantine).collect();
            let all = all.into_iter().chain([(open, count)]);
            let name = format!("quorum_requires_senders_{number}");
            self.program.at_most(name, all, Affine::default());
            let honest = honest.into_iter().chain([(open, count - Affine::B)]);
            let name = format!("quorum_requires_honest_senders_{number}");
            self.program.at_most(name, honest, Affine::default());
        }
    }

    /// `said ≤ Σ did + Σ byzantine` of the primaries of the records.
    fn proposals(&mut self) {
        let primaries = &self.ground.setting.primaries;
        for (records, said) in self.said.clone() {
            let mut terms = vec![one(said)];
            let by: BTreeSet<u32> = records
                .iter()
                .map(|it| primaries[it.view as usize])
                .collect();
            for walker in self
                .walkers
                .iter()
                .filter(|it| !it.is_pool && by.contains(&it.id))
            {
                let own = |record: &Record| primaries[record.view as usize] == walker.id;
                let makes = |record: Record| own(&record) && records.binary_search(&record).is_ok();
                let steps = walker.walk.arcs.iter().zip(&walker.took);
                let steps = steps.filter(|(arc, _)| arc.makes.is_some_and(makes));
                terms.extend(steps.map(|(_, took)| less(*took)));
                terms.push(less(walker.byzantine));
            }
            self.program.at_most(
                format!("said_requires_primary_{said}"),
                terms,
                Affine::default(),
            );
        }
    }

    /// A value that has a number of its own is new once: `Σ did ≤ 1`.
    fn new_values(&mut self) {
        let Values::Abstract { count, .. } = self.ground.setting.values else {
            return;
        };
        for x in (0..count).filter(|x| !self.ground.setting.is_others(*x)) {
            let new = |arc: &Arc| {
                let act = &self.ground.acts[arc.act];
                !arc.enters && act.letters.x == Some(x) && self.ground.proposes(act)
            };
            let all: Vec<_> = self.makers(new).into_iter().map(one).collect();
            self.program
                .at_most(format!("new_value_at_most_once_x{x}"), all, Affine::ONE);
        }
    }

    /// The acts that decide a value.
    fn deciding(&self, x: u32) -> Vec<usize> {
        let decides = |act: &Act| {
            let it = act.makes.filter(|it| self.ground.is_final(it.kind));
            it.is_some_and(|it| it.value == Value::Of(x))
        };
        let acts = self.ground.acts.iter().enumerate();
        acts.filter(|it| decides(it.1)).map(|it| it.0).collect()
    }

    /// `certificate ≤ Σ proof`, `proof ≤ open` of each quorum of an act that decides, whoever holds
    /// what it needs.
    fn certificates(&mut self) {
        for x in 0..self.ground.setting.valid() {
            let acts = self.deciding(x);
            if acts.is_empty() {
                continue;
            }
            let name = format!("certificate_{x}");
            let certificate = self.program.column(name, Kind::Binary, Affine::ONE);
            self.program.goal.push(certificate);
            let mut terms = vec![one(certificate)];
            for number in acts {
                let name = format!("proof_{number}");
                let proof = self.program.column(name, Kind::Binary, Affine::ONE);
                terms.push(less(proof));
                let act = &self.ground.acts[number];
                for (at, need) in act.asks().enumerate() {
                    if let Need::Quorum(quorum) = need {
                        let open = self.open(*quorum);
                        let name = format!("proof_requires_quorum_{number}_{at}");
                        let terms = [one(proof), less(open)];
                        self.program.at_most(name, terms, Affine::default());
                    }
                }
            }
            let name = format!("certificate_requires_proof_x{x}");
            self.program.at_most(name, terms, Affine::default());
        }
    }

    /// `block ≤ Σ decides`, and a quorum stands behind it: `block ≤ Σ open`.
    fn blocks(&mut self) {
        let mut anywhere = Vec::new();
        for x in 0..self.ground.setting.valid() {
            let acts = self.deciding(x);
            if acts.is_empty() {
                continue;
            }
            let block = self
                .program
                .column(format!("block_{x}"), Kind::Binary, Affine::ONE);
            self.program.goal.push(block);
            let here = |arc: &Arc| !arc.enters && acts.contains(&arc.act);
            let mut terms: Vec<_> = self.makers(here).into_iter().map(less).collect();
            let mut behind = Some(Vec::new());
            for number in acts {
                let act = self.ground.acts[number].clone();
                if act.scope == Scope::Height {
                    let decides = self.anywhere(number, &act);
                    terms.push(less(decides));
                    anywhere.push(one(decides));
                }
                let quorum = act.asks().find_map(|need| match need {
                    Need::Quorum(number) => Some(*number),
                    _ => None,
                });
                let open = quorum.map(|it| self.open(it));
                behind = behind.zip(open).map(|(mut all, open)| {
                    all.push(less(open));
                    all
                });
            }
            terms.push(one(block));
            self.program.at_most(
                format!("block_requires_decide_x{x}"),
                terms,
                Affine::default(),
            );
            if let Some(mut behind) = behind {
                behind.push(one(block));
                let name = format!("block_requires_quorum_x{x}");
                self.program.at_most(name, behind, Affine::default());
            }
        }
        if !anywhere.is_empty() {
            let byzantine = self.walkers.iter().map(|it| one(it.byzantine));
            anywhere.extend(byzantine);
            self.program
                .at_most("decide_at_most_once".to_owned(), anywhere, Affine::N);
        }
    }

    /// A decision that reads nothing of its own replica: `decides ≤ met`.
    fn anywhere(&mut self, number: usize, act: &Act) -> usize {
        let name = format!("decides_{number}");
        let decides = self.program.column(name, Kind::Unit, Affine::ONE);
        self.anywhere.insert(number, decides);
        for (at, need) in act.asks().enumerate() {
            if let Some(met) = self.met(need) {
                let name = format!("decide_requires_{number}_{at}");
                self.program
                    .at_most(name, [one(decides), less(met)], Affine::default());
            }
        }
        decides
    }
}

/// What a step does, in letters that names take.
pub(super) fn word(ground: &Ground, arc: &Arc) -> String {
    let Some(record) = arc.makes else {
        let act = &ground.entries[arc.act];
        return format!("enter_v{}", act.letters.v);
    };
    let kind = &ground.setting.rules.kind(record.kind).name;
    let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
    let value = match record.value {
        Value::Of(x) => format!("_x{x}"),
        Value::Nil => "_nil".to_owned(),
        Value::Bad | Value::None => String::new(),
    };
    format!("{kind}_v{}{value}", record.view)
}

/// Whether a decision that is made anywhere asks for more than what others sent.
pub(super) fn reads_own(ground: &Ground) -> Option<&Act> {
    let own = |act: &&Act| {
        let reads = act.asks().any(|need| matches!(need, Need::Own(_)));
        let roles = act.who.iter().any(|(role, _)| *role != By::Any);
        act.scope == Scope::Height
            && (reads
                || roles
                || !act.bars.is_empty()
                || !act.makes.is_some_and(|it| ground.is_final(it.kind)))
    };
    ground.acts.iter().find(own)
}
