//! What the columns say in words of the protocol.

use super::columns::{Key, Levels, made};
use crate::{
    expr::Expr,
    ground::Record,
    meaning::{Expression, Meaning},
    program::{Col, Program},
};
use milp_schema::instance::FaultKind;
use std::cmp::Reverse;

pub(super) fn meaning(levels: &Levels, program: &Program) -> Meaning {
    let some = |i| levels.instance.may_be(FaultKind::Byzantine, i);
    let faulty = |i| Expression::new(format!("faulty_i{i}"), &levels.byzantine(i));
    let faulty = (0..levels.n).map(faulty);
    let byzantine = (0..levels.n).any(some);
    let over = |name: &str, counts: &dyn Fn(&Record) -> bool| -> Vec<Expression> {
        let of = |v| {
            let acts = levels.ground.acts.iter().enumerate();
            let acts = acts.filter(|(_, act)| act.letters.v == v && counts(&made(act)));
            let all = acts.flat_map(|(act, _)| (0..levels.n).map(move |i| levels.did(act, i)));
            Expression::new(format!("{name}_h0_v{v}"), &all.sum::<Expr>())
        };
        (0..levels.views).map(of).collect()
    };
    let is_final = |record: &Record| levels.ground.is_final(record.kind);
    let votes = |record: &Record| {
        let finals = levels.ground.acts.iter().filter(|act| is_final(&made(act)));
        let mut needs = finals.flat_map(crate::ground::Act::asks);
        needs.any(|need| {
            matches!(need, crate::ground::Need::Quorum(_))
                && need.taken(&levels.ground).contains(record)
        })
    };
    Meaning {
        faulty: if byzantine { faulty.collect() } else { vec![] },
        faulty_parts: vec![],
        decided: over("decided", &is_final),
        commits: over("commits", &votes),
        acts: acts(levels, program),
    }
}

/// What replicas do, under the names of the columns: entries first, then quorums, then acts, the
/// last view first.
fn acts(levels: &Levels, program: &Program) -> Vec<Expression> {
    let rank = |key: &Key| match *key {
        Key::Entered(_, v) => Some((0, Reverse(v))),
        Key::Complete(number) => {
            let records = &levels.ground.quorums[number].records;
            Some((1, Reverse(records.last().map_or(0, |it| it.view))))
        }
        Key::Did(act, _) => Some((2, Reverse(levels.ground.acts[act].letters.v))),
        Key::Way(..) => Some((3, Reverse(0))),
        Key::Goal(..) | Key::Enough(_) | Key::Shown(_) => Some((4, Reverse(0))),
        Key::Faulty(..)
        | Key::Sends(..)
        | Key::Knows(..)
        | Key::Before(..)
        | Key::Held(..)
        | Key::Forged(..)
        | Key::OfReplica(..) => None,
    };
    let columns = program.columns.iter().zip(0..).zip(levels.draft.in_order());
    let mut ranked: Vec<_> = columns
        .filter_map(|((column, at), key)| Some((rank(key)?, column, Col(at))))
        .collect();
    ranked.sort_by_key(|(rank, ..)| *rank);
    let act = |(_, column, at): (_, &crate::program::Column, Col)| Expression {
        name: column.name.clone(),
        terms: vec![(at, 1)],
    };
    ranked.into_iter().map(act).collect()
}
