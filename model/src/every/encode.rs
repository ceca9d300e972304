//! From an execution to the point that counts it.

use super::one::Built;
use crate::formulation::levels::{self, Took};
use std::collections::BTreeSet;

impl Built {
    /// The point that counts the execution of a point of `levels`, of the same question with as many
    /// values.
    ///
    /// # Errors
    /// What a replica does that is no way through the states here.
    pub fn of_levels(&self, levels: &levels::Built, point: &[i64]) -> Result<Vec<i64>, String> {
        let (steps, byzantine) = levels.took(point);
        let mut values = vec![0; self.program.columns.len()];
        for i in 0..self.instance.replicas {
            if byzantine.contains(&i) {
                values[self.walker(i).byzantine] += 1;
            } else {
                self.walk(i, &steps, &mut values)?;
            }
        }
        self.quorums(&mut values);
        for &(col, _) in &self.program.objective {
            values[col.index()] = 1;
            let mut rows = self.program.rows.iter();
            let broken =
                rows.any(|row| row.terms.iter().any(|it| it.0 == col) && !row.holds(&values));
            values[col.index()] = i64::from(!broken);
        }
        Ok(values)
    }

    /// Counts the steps of a replica: each time the first that it took and can take next.
    fn walk(&self, i: u32, steps: &BTreeSet<Took>, values: &mut [i64]) -> Result<(), String> {
        let own = steps.iter().filter(|it| it.0 == i);
        let mut left: BTreeSet<(bool, usize)> =
            own.map(|&(_, enters, act)| (enters, act)).collect();
        left.retain(|&(enters, act)| {
            let anywhere = self.anywhere.get(&act).filter(|_| !enters);
            anywhere.map(|column| values[*column] = 1).is_none()
        });
        let walker = self.walker(i);
        let mut at = Some(0);
        while let Some(node) = at {
            let mut out = walker.walk.arcs.iter().zip(&walker.took);
            let next =
                out.find(|(arc, _)| arc.from == node && left.contains(&(arc.enters, arc.act)));
            let Some((arc, took)) = next else { break };
            left.remove(&(arc.enters, arc.act));
            values[*took] += 1;
            at = arc.to;
        }
        match left.first() {
            None => Ok(()),
            Some((enters, act)) => {
                let acts = if *enters {
                    &self.ground.entries
                } else {
                    &self.ground.acts
                };
                Err(format!(
                    "replica {i} does {:?} out of turn",
                    acts[*act].makes
                ))
            }
        }
    }

    /// What is there.
    fn quorums(&self, values: &mut [i64]) {
        let ground = &self.ground;
        for (number, open) in &self.opens {
            let quorum = &ground.quorums[*number];
            let mut senders = 0;
            for walker in &self.walkers {
                let arcs = walker.walk.arcs.iter().zip(&walker.took);
                let counts = arcs.filter(|(arc, _)| arc.counts.contains(number));
                senders += counts.map(|(_, took)| values[*took]).sum::<i64>();
                let mut records = quorum.records.iter();
                if records.any(|it| ground.setting.may_make(it, walker.id)) {
                    senders += values[walker.byzantine];
                }
            }
            values[*open] = i64::from(senders >= i64::from(quorum.at_least));
        }
        for (records, said) in &self.said {
            let primaries = records
                .iter()
                .map(|it| ground.setting.primaries[it.view as usize]);
            let mut leads = primaries.map(|i| self.walker(i));
            let byzantine = leads.any(|it| values[it.byzantine] > 0);
            let mut arcs = self
                .walkers
                .iter()
                .flat_map(|it| it.walk.arcs.iter().zip(&it.took));
            let made = arcs.any(|(arc, took)| {
                values[*took] > 0 && arc.makes.is_some_and(|it| records.contains(&it))
            });
            values[*said] = i64::from(byzantine || made);
        }
    }
}
