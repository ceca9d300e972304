//! What the columns say in words of the protocol.

use super::columns::{Causal, Key};
use crate::{
    expr::Expr,
    meaning::{Expression, Meaning},
    program::{Col, Column, Program},
};
use std::cmp::Reverse;

pub(super) fn meaning(causal: &Causal, program: &Program) -> Meaning {
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
        acts: acts(causal, program),
    }
}

/// What replicas do, which quorums are complete and what the goal asks, under the names of the
/// columns. Entries come first, then what is done in a view, the last view first: how an execution
/// ends says most about it. Levels are not asked about, they only follow.
fn acts(causal: &Causal, program: &Program) -> Vec<Expression> {
    let rank = |key: &Key| match *key {
        Key::Entered(_, v) => Some((0, Reverse(v))),
        Key::Crashed(_) => Some((1, Reverse(0))),
        Key::Did(_, _, v, _)
        | Key::Made(_, _, v, _)
        | Key::MadeLater(_, _, v)
        | Key::AnswersFirst(_, v)
        | Key::Heard(_, _, v)
        | Key::Took(_, _, v)
        | Key::TookFirst(_, _, v)
        | Key::Knows(_, _, v)
        | Key::Alive(_, _, v)
        | Key::Lost(_, v) => Some((1, Reverse(v))),
        Key::Complete(_) => Some((2, Reverse(0))),
        Key::Counts(..) | Key::Before(..) => Some((3, Reverse(0))),
        Key::Goal(..) => Some((4, Reverse(0))),
        Key::Faulty(..) | Key::Level(_) | Key::Since(_) => None,
    };
    let columns = program.columns.iter().zip(0..).zip(causal.draft.in_order());
    let mut ranked: Vec<_> = columns
        .filter_map(|((column, at), key)| Some((rank(key)?, column, Col(at))))
        .collect();
    ranked.sort_by_key(|(rank, ..)| *rank);
    let act = |(_, column, at): (_, &Column, Col)| Expression {
        name: column.name.clone(),
        terms: vec![(at, 1)],
    };
    ranked.into_iter().map(act).collect()
}
