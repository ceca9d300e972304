//! What the columns say in words of the protocol.

use super::columns::Timed;
use crate::{
    expr::Expr,
    meaning::{Expression, Meaning},
    rule::Requires,
};

pub(super) fn meaning(timed: &Timed) -> Meaning {
    let named = |name: String, sum: Expr| Expression {
        name,
        terms: sum.terms().collect(),
    };
    let kind = timed.instance.faults.first().map(|fault| fault.kind);
    let faulty = kind.map_or_else(Vec::new, |kind| {
        let faulty = |i| named(format!("faulty_i{i}"), timed.faulty(kind, i));
        (0..timed.n).map(faulty).collect()
    });
    let deciding: Vec<usize> = (0..timed.events.len())
        .filter(|&e| timed.events[e].decides)
        .collect();
    let mut voting: Vec<usize> = deciding
        .iter()
        .flat_map(|&e| &timed.events[e].requires)
        .filter_map(|requirement| match requirement {
            Requires::Tally { of, .. } => Some(of),
            _ => None,
        })
        .flatten()
        .flat_map(|kind| timed.senders(timed.channel(kind)))
        .collect();
    voting.sort_unstable();
    voting.dedup();
    let over = |name: &str, events: &[usize]| -> Vec<Expression> {
        let mut all = vec![];
        for (h, v) in timed.height_views() {
            let did = |i| -> Expr {
                let of = |&e: &usize| timed.did_in_view(e, i, h, v, timed.horizon);
                events.iter().map(of).sum()
            };
            all.push(named(
                format!("{name}_h{h}_v{v}"),
                (0..timed.n).map(did).sum(),
            ));
        }
        all
    };
    Meaning {
        faulty,
        decided: over("decided", &deciding),
        commits: over("commits", &voting),
    }
}
