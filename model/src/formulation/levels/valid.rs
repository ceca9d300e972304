//! Valid rows: what quorums have in common (`ground/meet.rs`).

use super::columns::{Key, Levels};
use crate::{
    expr::Expr,
    formulation::meet::{ONE_VALUE, RESTS_ON, SHARED},
    ground::Meet,
};

/// `Σ complete ≤ 1` over the values of a kind and view, `complete₁ + complete₂ ≤ 1 + Σ complete₃`,
/// and of chains `complete₁ ≤ Σ complete₃`.
pub(super) fn state(levels: &mut Levels) {
    let meet = meet(levels);
    let (same, pairs, parents) = (meet.one_value(), meet.pairs(), meet.parents());
    let family = levels.draft.family(ONE_VALUE, "E6", &[], RESTS_ON);
    for ((kind, v), values) in same {
        let all: Expr = values.iter().map(|&it| levels.complete(it)).sum();
        levels.at_most(family, &format!("_k{}_v{v}", kind.0), all, 1.into());
    }
    let family = levels.draft.family(SHARED, "E6", &[], RESTS_ON);
    for (first, second, thirds) in pairs {
        let two = levels.complete(first) + levels.complete(second);
        let third: Expr = thirds.iter().map(|&it| levels.complete(it)).sum();
        levels.at_most(family, &format!("_m{first}_m{second}"), two, third + 1);
    }
    if !levels.ground.setting.rules.chain && !levels.by_lemmas {
        return;
    }
    let family = levels
        .draft
        .family("quorum_extends_a_quorum", "E6", &[], RESTS_ON);
    for (number, shown) in parents {
        let any: Expr = shown.iter().map(|&it| levels.complete(it)).sum();
        let one = levels.complete(number);
        levels.at_most(family, &format!("_m{number}"), one, any);
    }
}

/// The quorums that have columns.
pub(super) fn meet(levels: &Levels) -> Meet<'_> {
    let asked = |number| levels.draft.col(&Key::Complete(number)).is_some();
    Meet::new(&levels.ground, levels.most_byzantine, asked).by_roles(levels.by_lemmas)
}
