//! Where the program has no slots: the fewest faulty replicas, then the fewest acts of honest ones.
//! What else the adversary does is counted in the schedule that becomes of it, and no less is proved.

use super::{
    fewest::{Lexicographic, NODES, Stage},
    offer::{Minimized, Offer, given_evidence},
};
use crate::{
    Error,
    beside::Beside,
    clock::Clock,
    evidence,
    folder::{Driven, Folder},
    verify,
};
use milp_model::{Built, expr::Expr, formulation::levels::Key, program::Col};
use milp_schema::{Act, Evidence, Outcome};
use milp_show::acts;
use milp_solver::{Progress, Settings};
use std::{collections::BTreeMap, sync::atomic::AtomicBool};

/// The same result with a schedule of that kind; the one given where there is none with fewer acts
/// that replicas follow.
pub(super) fn minimize(
    from: &Folder,
    (settings, clock, command): (&Settings, Clock<'_>, &str),
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Minimized, Error> {
    let given = Driven::from(from).followed()?;
    let given_evidence = given_evidence(from)?;
    let outcome = from.outcome.clone();
    let rebuild = move || verify::rebuilt(&outcome, Beside::Nothing);
    let (built, _) = clock.build(rebuild)?;
    let Outcome {
        instance, faulty, ..
    } = &from.outcome;
    let (start, value) = start(from, &built)?;
    let before = acts::counts(instance, &from.schedule, faulty);
    let lexicographic = Lexicographic {
        program: built.program(),
        settings,
        clock,
        interrupt,
        nodes: NODES,
    };
    let effort = [(Act::Faulty, effort(&built))];
    let terms = effort[0].1.terms();
    let weighed = terms.map(|(col, weight)| weight * start[col.index()]).sum();
    let weighed = BTreeMap::from([(Act::Faulty, weighed)]);
    let start = start.into_iter().map(Some).collect();
    let (point, solved) = lexicographic.solve(value, &effort, &weighed, start, progress)?;
    let proved = solved.iter().all(|stage| stage.proved);
    let nodes = solved.iter().map(|stage| stage.nodes).sum();
    let stages = |after: &BTreeMap<Act, i64>, proved: bool| -> Vec<Stage> {
        let stage = |(act, before): (&Act, &i64)| Stage {
            act: *act,
            before: *before,
            after: after[act],
            proved: *act == Act::Faulty && proved,
            nodes: if *act == Act::Faulty { nodes } else { 0 },
        };
        let some = |(act, before): &(&Act, &i64)| **before > 0 || after[*act] > 0;
        before.iter().filter(some).map(stage).collect()
    };
    let offer = |from| Offer {
        from,
        given: &given,
        command,
        interrupted: clock.interrupted(),
        within_slots: false,
    };
    let decoded = point.and_then(|point| Some((built.decode(&point).ok()?, point)));
    let few = decoded
        .iter()
        .any(|(decoded, _)| decoded.faulty.len() == faulty.len());
    if let Some((decoded, point)) = decoded {
        let mut fewer = from.clone();
        fewer.outcome.instance.slots = decoded.slots;
        let after = acts::counts(&fewer.outcome.instance, &decoded.schedule, &decoded.faulty);
        if after.values().lt(before.values()) {
            let mut parts = evidence::point(&built, &point, &decoded.schedule, &decoded.faulty);
            parts.extend(given_evidence.cubes().cloned());
            let whose = (decoded.schedule, decoded.faulty);
            let beside = Evidence { parts };
            return offer(&fewer).checked(whose, beside, stages(&after, proved));
        }
    }
    let whose = (from.schedule.clone(), faulty.clone());
    offer(from).checked(whose, given_evidence, stages(&before, proved && few))
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
