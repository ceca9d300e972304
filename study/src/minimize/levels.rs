//! Where the program has no slots: the fewest faulty replicas, then the fewest acts of honest ones;
//! then the fewest acts of every kind in the program with slots that has the value as a row. The
//! result stays one of the program without slots, whose bound it has.

use super::{
    delete::delete,
    fewest::{Lexicographic, NODES, Stage},
    offer::{Minimized, Offer, given_evidence},
};
use crate::{
    Error,
    beside::Beside,
    clock::Clock,
    deepen::Execution,
    evidence,
    folder::{Driven, Folder},
    verify,
};
use milp_model::{
    Built, Decoded,
    expr::Expr,
    formulation::{self, levels::Key},
    program::{Col, Program},
};
use milp_schema::{
    Act, Evidence, Instance, ReplicaId, Schedule,
    instance::{FaultKind, Formulation},
};
use milp_show::acts;
use milp_solver::{Progress, Settings};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};

/// The same result with a schedule of that kind; the one given where there is none with fewer acts
/// that replicas follow.
pub(super) fn minimize(
    from: &Folder,
    how: (&Settings, Clock<'_>, &str),
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Minimized, Error> {
    let (_, clock, command) = how;
    let given = Driven::from(from).followed()?;
    let evidence = given_evidence(from)?;
    let outcome = from.outcome.clone();
    let rebuild = move || verify::rebuilt(&outcome, Beside::Nothing);
    let (built, _) = clock.build(rebuild)?;
    let (start, value) = start(from, &built)?;
    let few = Few {
        schedule: from.schedule.clone(),
        faulty: from.outcome.faulty.clone(),
        slots: from.outcome.instance.slots,
        evidence,
        stages: BTreeMap::new(),
        left: None,
    };
    let before = few.counts(from);
    let asked = Asked {
        from,
        built: &built,
        value,
        how,
        interrupt,
    };
    let (few, start) = asked.deleted(few, start, progress)?;
    let few = asked.by_acts(few, start, progress)?;
    let few = asked.by_copies(few, progress)?;
    let after = few.counts(from);
    let stage = |(act, before): (&Act, &i64)| {
        let (proved, nodes) = few.stages.get(act).copied().unwrap_or_default();
        Stage {
            act: *act,
            before: *before,
            after: after[act],
            proved,
            least: if proved { after[act] } else { 0 },
            nodes,
        }
    };
    let some = |(act, before): &(&Act, &i64)| **before > 0 || after[*act] > 0;
    let stages = before.iter().filter(some).map(stage).collect();
    let mut fewer = from.clone();
    fewer.outcome.instance.slots = few.slots;
    let offer = Offer {
        from: &fewer,
        given: &given,
        command,
        interrupted: clock.interrupted(),
        within_slots: false,
        left: few.left,
    };
    offer.checked((few.schedule, few.faulty), few.evidence, stages)
}

/// The schedule with the fewest acts so far, and what is known of each kind of act: whether fewer
/// are impossible, and after how many nodes.
struct Few {
    schedule: Schedule,
    faulty: Vec<(ReplicaId, FaultKind)>,
    slots: u32,
    evidence: Evidence,
    stages: BTreeMap<Act, (bool, i64)>,
    /// How many acts deleting left.
    left: Option<i64>,
}

impl Few {
    fn counts(&self, from: &Folder) -> BTreeMap<Act, i64> {
        let instance = Instance {
            slots: self.slots,
            ..from.outcome.instance.clone()
        };
        acts::counts(&instance, &self.schedule, &self.faulty)
    }
}

/// What is asked.
struct Asked<'a> {
    from: &'a Folder,
    built: &'a Built,
    value: i64,
    how: (&'a Settings, Clock<'a>, &'a str),
    interrupt: &'a AtomicBool,
}

impl Asked<'_> {
    fn search<'a>(&'a self, program: &'a Program) -> Lexicographic<'a> {
        let (settings, clock, _) = self.how;
        Lexicographic {
            program,
            settings,
            clock,
            interrupt: self.interrupt,
            nodes: NODES,
        }
    }

    /// What is left when acts are undone by replay, and its point.
    fn deleted(
        &self,
        few: Few,
        start: Vec<i64>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(Few, Vec<i64>), Error> {
        let instance = Instance {
            slots: few.slots,
            ..self.from.outcome.instance.clone()
        };
        let (_, clock, _) = self.how;
        let given = (few.schedule.clone(), few.faulty.clone());
        let is_start = |(schedule, faulty): &Execution| self.built.encode(schedule, faulty).is_ok();
        let Some((schedule, faulty)) = delete(&instance, &given, &clock, &is_start) else {
            return Ok((few, start));
        };
        let decoded = Decoded {
            schedule,
            faulty,
            slots: few.slots,
        };
        let Some(point) = self.point_of(&decoded, progress)? else {
            return Ok((few, start));
        };
        let mut found = Few {
            evidence: self.beside(&point, &decoded, &few),
            schedule: decoded.schedule,
            faulty: decoded.faulty,
            ..few
        };
        found.left = Some(found.counts(self.from).into_values().sum());
        Ok((found, point))
    }

    /// The fewest faulty replicas, then the fewest acts of honest ones.
    fn by_acts(
        &self,
        mut few: Few,
        start: Vec<i64>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Few, Error> {
        let effort = [(Act::Faulty, effort(self.built))];
        let terms = effort[0].1.terms();
        let weighed = terms.map(|(col, weight)| weight * start[col.index()]).sum();
        let weighed = BTreeMap::from([(Act::Faulty, weighed)]);
        let start = start.into_iter().map(Some).collect();
        let search = self.search(self.built.program());
        let (point, solved) = search.solve(self.value, &effort, &weighed, start, progress)?;
        let proved = solved.iter().all(|stage| stage.proved);
        let nodes = solved.iter().map(|stage| stage.nodes).sum();
        let decoded = point.and_then(|point| Some((self.built.decode(&point).ok()?, point)));
        let Some((decoded, point)) = decoded else {
            return Ok(few);
        };
        let fewest = decoded.faulty.len() == few.faulty.len();
        let found = Few {
            evidence: self.beside(&point, &decoded, &few),
            schedule: decoded.schedule,
            faulty: decoded.faulty,
            slots: decoded.slots,
            stages: BTreeMap::from([(Act::Faulty, (proved, nodes))]),
            left: few.left,
        };
        if found
            .counts(self.from)
            .values()
            .lt(few.counts(self.from).values())
        {
            return Ok(found);
        }
        few.stages = BTreeMap::from([(Act::Faulty, (proved && fewest, nodes))]);
        Ok(few)
    }

    /// The fewest acts of every kind, in the slots which the schedule takes: copies are late in slots
    /// only. What was found before, where the program with slots has no such schedule.
    fn by_copies(&self, few: Few, progress: &mut dyn FnMut(&Progress)) -> Result<Few, Error> {
        let (_, clock, _) = self.how;
        let instance = Instance {
            formulation: Formulation::Timed,
            slots: few.slots,
            ..self.from.outcome.instance.clone()
        };
        let slots = clock.build(move || formulation::with_acts(&instance));
        let (slots, counted) = match slots {
            Err(Error::Model(_) | Error::Stopped { .. }) => return Ok(few),
            slots => slots?,
        };
        let Ok(start) = slots.encode(&few.schedule, &few.faulty) else {
            return Ok(few);
        };
        let before = few.counts(self.from);
        let search = self.search(slots.program());
        let solved = search.solve(self.value, &counted, &before, start, progress);
        let (point, stages) = match solved {
            Err(Error::Refused(_)) => return Ok(few),
            solved => solved?,
        };
        let Some(point) = point else {
            return Ok(few);
        };
        let decoded = slots.decode(&point)?;
        let mut known: BTreeMap<Act, (bool, i64)> = stages
            .into_iter()
            .map(|stage| (stage.act, (stage.proved, stage.nodes)))
            .collect();
        // What the program has no column for cannot be done.
        for act in Act::ALL {
            known.entry(act).or_insert((true, 0));
        }
        // Fewer faulty replicas than without slots are impossible in any number of them.
        if decoded.faulty.len() == few.faulty.len()
            && let (Some(one), Some(other)) =
                (known.get_mut(&Act::Faulty), few.stages.get(&Act::Faulty))
        {
            *one = (one.0 || other.0, one.1 + other.1);
        }
        let Some(point) = self.point_of(&decoded, progress)? else {
            return Ok(few);
        };
        let found = Few {
            evidence: self.beside(&point, &decoded, &few),
            schedule: decoded.schedule,
            faulty: decoded.faulty,
            slots: decoded.slots,
            stages: known,
            left: few.left,
        };
        let no_more = found.counts(self.from).values().le(before.values());
        Ok(if no_more { found } else { few })
    }

    /// The point of a schedule in the program without slots, if it has the value there.
    fn point_of(
        &self,
        decoded: &Decoded,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Option<Vec<i64>>, Error> {
        let Ok(said) = self.built.encode(&decoded.schedule, &decoded.faulty) else {
            return Ok(None);
        };
        let (settings, clock, _) = self.how;
        let mut program = self.built.program().clone();
        for (column, value) in program.columns.iter_mut().zip(said) {
            if let Some(value) = value {
                (column.lower, column.upper) = (value, value);
            }
        }
        let settings = Settings {
            prove: false,
            ..clock.settings(settings)
        };
        let solved = milp_solver::solve(&program, &settings, self.interrupt, progress)?;
        Ok(solved.point.filter(|_| solved.primal == Some(self.value)))
    }

    /// The bound of the result beside another point.
    fn beside(&self, point: &[i64], decoded: &Decoded, few: &Few) -> Evidence {
        let mut parts = evidence::point(self.built, point, &decoded.schedule, &decoded.faulty);
        parts.extend(few.evidence.cubes().cloned());
        Evidence { parts }
    }
}

/// The point of a result and its value.
fn start(from: &Folder, built: &Built) -> Result<(Vec<i64>, i64), Error> {
    let dir = from.dir.display();
    let refused = |what: &str| Error::Refused(format!("{dir} {what}"));
    let start = evidence::kept(built, &from.dir, &from.outcome, &from.schedule)?;
    let start = start.ok_or_else(|| refused("has no point of its program to start from"))?;
    let value = from.outcome.primal;
    Ok((
        start,
        value.ok_or_else(|| refused("holds no value to keep"))?,
    ))
}

/// Faulty replicas first; no number of acts weighs as much as one of them.
fn effort(built: &Built) -> Expr {
    let Built::Levels(levels) = built else {
        return Expr::default();
    };
    let columns = (0..).zip(&built.program().columns);
    let columns: Vec<Col> = columns.map(|(at, _)| Col(at)).collect();
    let many = columns.len() as i64;
    let weighed = columns.into_iter().map(|col| match levels.key(col) {
        Key::Faulty(..) => Expr::from(col) * many,
        Key::Did(..) => Expr::from(col),
        _ => Expr::default(),
    });
    weighed.sum()
}
