//! Random executions of replicas that run to completion are points: every row holds of them.

use super::{
    columns::{Key, made},
    of_with,
};
use crate::{
    formulation::levels::Built,
    ground::{
        Act, Ground, Letters, Need, Own, Record, Setting, Value, Values,
        run::{Done, Happens, Run, Taken},
    },
    program::Tag,
};
use milp_schema::{
    Instance,
    instance::{Fault, FaultKind, Network},
    protocol::{Goes, KindId, ValueField},
};
use std::collections::{BTreeMap, BTreeSet};

/// Random numbers (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

/// A record that a Byzantine replica may make, of a view up to that of its receiver.
fn forged(ground: &Ground, chance: &mut Chance, j: u32, view: u32) -> Option<Record> {
    let rules = &ground.setting.rules;
    let kind = KindId(chance.below(rules.kinds.len()));
    let said = rules.kind(kind);
    let view = chance.below(view as usize + 1) as u32;
    let Values::Named { per_view } = ground.setting.values else {
        return None;
    };
    let block = Value::Of(view * per_view + chance.below(per_view as usize) as u32);
    let value = match (said.value, chance.below(5)) {
        (ValueField::None, _) => Value::None,
        (ValueField::Any, 0) => Value::Nil,
        (ValueField::Any, 1) => Value::Bad,
        (ValueField::Any, 2) => Value::Of(chance.below(ground.setting.valid() as usize) as u32),
        _ => block,
    };
    let earlier: Vec<u32> = (0..view).collect();
    let justifies = said.justified && chance.below(2) == 0;
    let record = Record {
        view,
        kind,
        value,
        justification: chance.one_of(&earlier).filter(|_| justifies),
    };
    let sent = said.goes == Goes::Sent && !said.is_final;
    (sent && ground.setting.may_make(&record, j)).then_some(record)
}

/// Replicas after so many random steps; nobody gets records of later views or decisions.
fn execution(ground: &Ground, byzantine: Option<u32>, seed: u64) -> Run<'_> {
    let mut chance = Chance(seed);
    let mut run = Run::new(ground);
    let mut sent: Vec<(u32, Record)> = Vec::new();
    let mut handed = BTreeSet::new();
    let n = ground.setting.replicas();
    let honest: Vec<u32> = (0..n).filter(|i| Some(*i) != byzantine).collect();
    let keep = |i: u32, happens: &[Happens], sent: &mut Vec<(u32, Record)>| {
        for happened in happens {
            if let Happens::Makes(record) = happened
                && ground.setting.rules.kind(record.kind).goes == Goes::Sent
                && !ground.is_final(record.kind)
            {
                sent.push((i, *record));
            }
        }
    };
    for &i in &honest {
        let happens = run.complete(i);
        keep(i, &happens, &mut sent);
    }
    // Timers fire rarely in some executions, often in others.
    let rare = 2 + chance.below(12);
    for _ in 0..150 + chance.below(250) {
        let i = chance.one_of(&honest).expect("somebody is honest");
        let view = run.at[i as usize].view;
        if view >= ground.setting.views {
            break;
        }
        let happens = if chance.below(rare) == 0 {
            let running = run.running(i);
            chance.one_of(&running).map(|timer| run.fire(i, timer))
        } else if let (Some(j), 0) = (byzantine, chance.below(4)) {
            let forged = forged(ground, &mut chance, j, view);
            forged.map(|record| {
                let copy = run.inject(j, record);
                run.deliver(i, copy)
            })
        } else {
            let new = |it: &&(u32, Record)| {
                it.0 != i && it.1.view <= view && !handed.contains(&(i, it.0, it.1))
            };
            let new: Vec<(u32, Record)> = sent.iter().filter(new).copied().collect();
            chance.one_of(&new).map(|(j, record)| {
                handed.insert((i, j, record));
                let existed = run.existed(j, &record).expect("it was sent");
                let copy = Taken {
                    sender: j,
                    record,
                    existed,
                };
                run.deliver(i, copy)
            })
        };
        keep(i, &happens.unwrap_or_default(), &mut sent);
    }
    run
}

/// An execution as a point of the program.
struct Reading<'a> {
    built: &'a Built,
    /// What each value is called in the program.
    names: BTreeMap<u32, u32>,
    byzantine: Option<u32>,
    made: BTreeSet<(u32, Record)>,
    point: Vec<i64>,
}

impl Reading<'_> {
    fn set(&mut self, key: &Key) {
        let col = self.built.levels.draft.col(key).expect("it has a column");
        self.point[col.index()] = 1;
    }

    fn named(&self, record: &Record) -> Record {
        let value = match record.value {
            Value::Of(value) => Value::Of(self.names[&value]),
            other => other,
        };
        Record { value, ..*record }
    }

    fn sends(&self, j: u32, records: &[Record]) -> bool {
        let setting = &self.built.levels.ground.setting;
        records.iter().any(|it| {
            self.made.contains(&(j, *it)) || (self.byzantine == Some(j) && setting.may_make(it, j))
        })
    }

    fn is_there(&self, quorum: usize) -> bool {
        let ground = &self.built.levels.ground;
        let quorum = &ground.quorums[quorum];
        let senders = (0..ground.setting.replicas()).filter(|j| self.sends(*j, &quorum.records));
        senders
            .map(|j| ground.setting.power[j as usize])
            .sum::<u32>()
            >= quorum.at_least
    }

    fn is_met(&self, i: u32, need: &Need) -> bool {
        let primaries = &self.built.levels.ground.setting.primaries;
        match need {
            Need::Own(own) => {
                let matching =
                    |records: &[Record]| records.iter().any(|it| self.made.contains(&(i, *it)));
                match own {
                    Own::One(records) | Own::Last(records, _) => matching(records),
                }
            }
            Need::Primary(records) => records
                .iter()
                .any(|it| self.sends(primaries[it.view as usize], std::slice::from_ref(it))),
            Need::Quorum(number) => self.is_there(*number),
        }
    }

    /// The act of the program that a replica did.
    fn find(&self, i: u32, acts: &[Act], rule: usize, letters: Letters) -> Option<usize> {
        let x = letters.x.map(|x| self.names[&x]);
        let letters = Letters { x, ..letters };
        let ground = &self.built.levels.ground;
        acts.iter().position(|act| {
            act.rule == rule
                && act.letters == letters
                && ground.actors(act).any(|it| it == i)
                && act.asks().all(|need| self.is_met(i, need))
        })
    }
}

/// The point of an execution; nothing if it leaves the views, and what it does in those that are modelled
/// where it may go on.
fn point(built: &Built, run: &Run<'_>, byzantine: Option<u32>, all: bool) -> Option<Vec<i64>> {
    let ground = &built.levels.ground;
    let setting: &Setting = &ground.setting;
    let goes_on = built.levels.goes_on;
    if !goes_on && run.at.iter().any(|at| at.view >= setting.views) {
        return None;
    }
    let within = |it: &Record| it.view < setting.views;
    let of = |record: &Record| match record.value {
        Value::Of(value) => Some(value),
        _ => None,
    };
    let own = || run.at.iter().flat_map(|at| &at.own);
    let decided: BTreeSet<u32> = own()
        .filter(|it| ground.is_final(it.kind))
        .filter_map(of)
        .collect();
    // Those that are decided first, then all that there are.
    let every = decided
        .iter()
        .copied()
        .chain((0..64).filter(|it| !decided.contains(it)));
    let names = every.enumerate().map(|(at, value)| {
        let last = setting.valid() - 1;
        let name = if setting.renames() {
            (at as u32).min(last)
        } else {
            value
        };
        (value, name)
    });
    let mut reading = Reading {
        names: names.collect(),
        built,
        byzantine,
        made: BTreeSet::new(),
        point: vec![0; built.program.columns.len()],
    };
    for (i, at) in (0..).zip(&run.at) {
        let own = at.own.iter().filter(|it| within(it));
        let made: Vec<_> = own.map(|it| (i, reading.named(it))).collect();
        reading.made.extend(made);
    }
    if let Some(j) = byzantine {
        reading.set(&Key::Faulty(FaultKind::Byzantine, j));
    }
    let mut used = BTreeSet::new();
    let quorums = |act: &Act| {
        let quorum = |need: &Need| match need {
            Need::Quorum(number) => Some(*number),
            _ => None,
        };
        act.asks().filter_map(quorum).collect::<Vec<_>>()
    };
    for (i, at) in (0..).zip(&run.at) {
        for v in 1..=at.view.min(setting.views - 1) {
            reading.set(&Key::Entered(i, v));
            // Who skips to the next view could have entered it.
            let ways = built.levels.ways(i, v);
            let way = ways.iter().find(|_| ways.len() == 1);
            used.extend(way.iter().flat_map(|way| quorums(&ground.entries[**way])));
        }
        for &Done {
            rule,
            letters,
            view,
            ..
        } in &at.done
        {
            let makes = setting.rules.rules[rule].makes().is_some();
            let enters = setting.rules.rules[rule].head == milp_schema::protocol::Head::Enter;
            let list = if makes { &ground.acts } else { &ground.entries };
            if (!makes && !enters) || letters.v >= setting.views {
                continue;
            }
            let found = reading.find(i, list, rule, letters);
            let found = found.unwrap_or_else(|| panic!("no act of rule {rule} {letters:?}"));
            used.extend(quorums(&list[found]));
            if makes {
                reading.set(&Key::Did(found, i));
                for later in view + 1..built.levels.views {
                    let before = Key::Before(found, i, later);
                    if built.levels.draft.col(&before).is_some() {
                        reading.set(&before);
                    }
                }
            } else if built.levels.draft.col(&Key::Way(found, i)).is_some() {
                reading.set(&Key::Way(found, i));
            }
        }
    }
    derived(&mut reading, &used, all);
    Some(reading.point)
}

/// What follows from the acts: quorums, all that are there or those that are used, who sends in
/// them, and what is known.
fn derived(reading: &mut Reading<'_>, used: &BTreeSet<usize>, all: bool) {
    let levels = &reading.built.levels;
    for key in levels.draft.in_order() {
        let holds = match key {
            Key::Complete(number) => used.contains(number) || (all && reading.is_there(*number)),
            Key::Sends(number, j) => {
                let records = &levels.ground.quorums[*number].records;
                records.iter().any(|it| reading.made.contains(&(*j, *it)))
            }
            _ => continue,
        };
        if holds {
            reading.set(key);
        }
    }
    for row in &reading.built.program.rows {
        if reading.built.program.family(row).name == "knows_what_it_took"
            && !row.holds(&reading.point)
        {
            let (known, _) = row
                .terms
                .iter()
                .find(|(_, k)| *k < 0)
                .expect("knows is at least");
            reading.point[known.index()] = 1;
        }
    }
}

/// Of a shipped protocol, or of a file of the tests.
fn question(name: &str, n: u32, byzantine: u32, views: u32) -> Instance {
    let (protocol, mutant) = name.split_once(' ').unwrap_or((name, ""));
    let shipped = || milp_schema::Protocol::shipped(protocol);
    let folder = std::path::Path::new("tests/fixtures");
    let file = milp_schema::protocol::beside(folder, protocol);
    let mut instance = Instance::asking(file.unwrap_or_else(|_| shipped()))
        .replicas(n)
        .views(views)
        .network(Network::Asynchronous)
        .faults([Fault::any(FaultKind::Byzantine, byzantine)])
        .build();
    instance.mutant = (!mutant.is_empty()).then(|| mutant.to_owned());
    instance
}

/// What replicas follow, one block per proposal.
fn followed(built: &Built) -> Ground {
    let setting = Setting {
        values: Values::Named { per_view: 1 },
        follows: true,
        ..built.levels.ground.setting.clone()
    };
    Ground::new(setting, "levels").expect("it is small")
}

fn check(
    name: &str,
    n: u32,
    byzantine: u32,
    views: u32,
    values: u32,
    seeds: u64,
) -> BTreeMap<String, u32> {
    let instance = question(name, n, byzantine, views);
    let built = of_with(&instance, values).expect("levels say it");
    let ground = followed(&built);
    let mut seen = BTreeMap::new();
    for seed in 0..seeds {
        let liar = (byzantine > 0).then(|| (seed % u64::from(n)) as u32);
        let run = execution(&ground, liar, seed);
        for all in [false, true] {
            let Some(point) = point(&built, &run, liar, all) else {
                continue;
            };
            let states = |row: &&crate::program::Row| {
                !matches!(built.program.family(row).tag, Tag::Goal | Tag::Symmetry)
            };
            for row in built.program.rows.iter().filter(states) {
                assert!(
                    row.holds(&point),
                    "{name}, seed {seed}: {} {:#?}",
                    row.name,
                    run.at
                );
            }
            for act in &built.levels.ground.acts {
                let number = built.levels.makers[&made(act)][0];
                let did = (0..n).any(|i| {
                    let col = built.levels.draft.col(&Key::Did(number, i));
                    col.is_some_and(|col| point[col.index()] == 1)
                });
                let kind = &ground.setting.rules.kind(made(act).kind).name;
                *seen.entry(format!("{kind} {}", act.letters.v)).or_default() += u32::from(did);
            }
        }
    }
    seen
}

mod lemmas;

#[test]
fn random_executions_satisfy_every_row() {
    for (name, n, byzantine, views, values) in [
        ("tendermint", 4, 1, 2, 2),
        ("tendermint", 4, 1, 3, 2),
        ("tendermint", 4, 1, 3, 3),
        ("tendermint no-lock", 4, 1, 2, 2),
        ("tendermint no-pol", 4, 1, 3, 2),
        ("ibft1", 4, 1, 3, 2),
        ("ibft1", 6, 0, 2, 2),
        ("ibft1 no-lock", 4, 1, 3, 3),
        ("dbft1", 4, 1, 3, 2),
        ("dbft2", 4, 1, 3, 2),
        ("dbft2 no-commit-lock", 4, 1, 3, 2),
        ("dbft2 small-quorum", 4, 1, 2, 2),
        ("./qbft.yaml", 4, 1, 2, 2),
        ("./qbft.yaml", 4, 1, 3, 2),
        ("./qbft.yaml", 4, 1, 3, 3),
        ("./qbft.yaml any-prepared", 4, 1, 3, 2),
        ("./qbft.yaml no-certificate", 4, 1, 2, 2),
        ("./qbft.yaml no-justification", 4, 1, 2, 2),
        ("./pbft.yaml", 4, 1, 3, 2),
        ("./pbft.yaml no-certificate", 4, 1, 2, 2),
        ("jolteon", 4, 1, 3, 3),
        ("jolteon stale-timeouts", 4, 1, 3, 3),
        ("hotstuff-complaints", 4, 1, 3, 3),
    ] {
        let seen = check(name, n, byzantine, views, values, 300);
        let never: Vec<_> = seen.iter().filter(|(_, times)| **times == 0).collect();
        assert!(never.len() * 3 <= seen.len(), "{name}: never {never:?}");
    }
}

/// What would travel with a message of an earlier view is of a later one.
#[test]
fn a_proof_that_may_come_after_its_message_is_refused() {
    let text = include_str!("../../../tests/fixtures/qbft.yaml");
    let rule = "commit(v, x) <- q prepare(v, x)";
    let late = "commit(v, x) <- 1 preprepare(c, x, *), proof q prepare(v, x)";
    let file = milp_schema::protocol::read_text("late.yaml", &text.replace(rule, late));
    let instance = question("./qbft.yaml", 4, 1, 2);
    let rules = file.expect("it is sound").rules;
    let setting = super::setting(&instance, rules, 2);
    let refused = Ground::new(setting, "levels").expect_err("nothing orders it");
    let says = format!("a proof that may come after its message (rule `{late}`)");
    assert!(refused.to_string().contains(&says), "{refused}");
}
