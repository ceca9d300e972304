//! What the columns say in words of the protocol. Replicas have no names here: what can be asked is
//! whether the primary of a view is Byzantine, and how many of the others are.

use super::{
    columns::{Counting, Key},
    goals,
};
use crate::{
    expr::Expr,
    meaning::{Expression, Meaning},
};
use milp_schema::instance::FaultKind;

pub(super) fn meaning(counting: &Counting) -> Meaning {
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
    }
}

/// Who is faulty, by part: of Byzantine replicas which are primary of a view, and how many of none;
/// of crashing ones how many crash in which view. Elsewhere a crash is a silence like any other.
fn faulty_parts(counting: &Counting) -> Vec<Expression> {
    let views = 0..counting.book.views;
    let kind = counting.book.instance.faults.first().map(|fault| fault.kind);
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
