//! What the columns say in words of the protocol.

use super::columns::Timed;
use crate::{
    expr::Expr,
    meaning::{Expression, Meaning},
};

pub(super) fn meaning(timed: &Timed) -> Meaning {
    let kind = timed.instance.faults.first().map(|fault| fault.kind);
    let faulty = kind.map_or_else(Vec::new, |kind| {
        let faulty = |i| Expression::new(format!("faulty_i{i}"), &timed.faulty(kind, i));
        (0..timed.n).map(faulty).collect()
    });
    let deciding: Vec<usize> = (0..timed.events.len())
        .filter(|&e| timed.events[e].decides)
        .collect();
    let votes = timed.protocol.final_votes();
    let voting: Vec<usize> = votes
        .into_iter()
        .flat_map(|kind| timed.senders(timed.channel(kind)))
        .collect();
    let over = |name: &str, events: &[usize]| -> Vec<Expression> {
        let mut all = vec![];
        for (h, v) in timed.height_views() {
            let did = |i| -> Expr {
                let of = |&e: &usize| timed.did_in_view(e, i, h, v, timed.horizon);
                events.iter().map(of).sum()
            };
            let sum: Expr = (0..timed.n).map(did).sum();
            all.push(Expression::new(format!("{name}_h{h}_v{v}"), &sum));
        }
        all
    };
    Meaning {
        faulty,
        faulty_parts: vec![],
        decided: over("decided", &deciding),
        commits: over("commits", &voting),
        acts: vec![],
    }
}
