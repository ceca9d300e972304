//! What the columns say in words of the protocol.

use super::columns::Causal;
use crate::{
    expr::Expr,
    meaning::{Expression, Meaning},
};

pub(super) fn meaning(causal: &Causal) -> Meaning {
    let kind = causal.instance.faults.first().map(|fault| fault.kind);
    let faulty = kind.map_or_else(Vec::new, |kind| {
        let faulty = |i| Expression::new(format!("faulty_i{i}"), &causal.faulty(kind, i));
        (0..causal.n).map(faulty).collect()
    });
    let votes = causal.protocol.final_votes();
    let voting: Vec<usize> = votes
        .into_iter()
        .flat_map(|kind| causal.senders(causal.channel(kind)))
        .collect();
    let over = |name: &str, events: &[usize]| -> Vec<Expression> {
        let of = |v| {
            let did = |i| -> Expr {
                let events = events.iter();
                events.map(|&e| causal.did_in_view(e, i, v)).sum()
            };
            let sum: Expr = (0..causal.n).map(did).sum();
            Expression::new(format!("{name}_h0_v{v}"), &sum)
        };
        (0..causal.views).map(of).collect()
    };
    Meaning {
        faulty,
        faulty_parts: vec![],
        decided: over("decided", &causal.deciding()),
        commits: over("commits", &voting),
    }
}
