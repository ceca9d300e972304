//! What the columns say in words of the protocol. Replicas have no names here: what can be asked is
//! whether the primary of a view is Byzantine, and how many of the others are.

use super::{
    columns::{Counting, Key},
    goals,
};
use crate::{
    expr::Expr,
    meaning::{Expression, Meaning},
    program::{Col, Column, Program},
};
use milp_schema::instance::FaultKind;

pub(super) fn meaning(counting: &Counting, program: &Program) -> Meaning {
    let views = || 0..counting.book.views;
    let decided = |v| {
        let sum = goals::deciding(counting, v, None);
        Expression::new(format!("decided_h0_v{v}"), &sum)
    };
    let commits = |v| {
        let book = &counting.book;
        let votes = book.protocol.final_votes();
        let votes: Vec<usize> = votes.into_iter().map(|kind| book.channel(kind)).collect();
        let about = |b| counting.sent(&votes, v, b);
        let sum: Expr = book.blocks(v).map(about).sum();
        Expression::new(format!("commits_h0_v{v}"), &sum)
    };
    Meaning {
        faulty: vec![],
        faulty_parts: faulty_parts(counting),
        decided: views().map(decided).collect(),
        commits: views().map(commits).collect(),
        acts: acts(counting, program),
    }
}

/// Who is faulty, by part: of Byzantine replicas which are primary of a view, and how many of none;
/// of crashing ones how many crash in which view. Elsewhere a crash is a silence like any other.
fn faulty_parts(counting: &Counting) -> Vec<Expression> {
    let views = 0..counting.book.views;
    let kind = counting
        .book
        .instance
        .faults
        .first()
        .map(|fault| fault.kind);
    match kind {
        Some(FaultKind::Byzantine) => {
            let primary = |v| {
                let sum = counting.draft.get(&Key::Byzantine(v));
                Expression::new(format!("faulty_primary_v{v}"), &sum)
            };
            let rest = counting.draft.get(&Key::ByzantineRest);
            let rest = Expression::new("faulty_rest".into(), &rest);
            views.map(primary).chain([rest]).collect()
        }
        Some(FaultKind::Crash) => {
            let crashing = |v| {
                let sum = counting.crashing(v);
                Expression::new(format!("faulty_h0_v{v}"), &sum)
            };
            views.map(crashing).collect()
        }
        Some(FaultKind::Network) | None => vec![],
    }
}

/// How many take a step, which views are reached, which tallies are open and what the goal asks,
/// under the names of the columns.
fn acts(counting: &Counting, program: &Program) -> Vec<Expression> {
    let asked = |key: &Key| match key {
        Key::Here(_)
        | Key::Took(..)
        | Key::Request(..)
        | Key::Open(..)
        | Key::Reached(_)
        | Key::Rests(..)
        | Key::Crashes(..)
        | Key::Goal(..) => true,
        Key::Byzantine(_) | Key::ByzantineRest => false,
    };
    let act = |(column, at): (&Column, u32)| Expression {
        name: column.name.clone(),
        terms: vec![(Col(at), 1)],
    };
    let columns = program.columns.iter().zip(0..);
    let keys = counting.draft.in_order().iter();
    let acts = columns.zip(keys).filter(|(_, key)| asked(key));
    acts.map(|(column, _)| act(column)).collect()
}
