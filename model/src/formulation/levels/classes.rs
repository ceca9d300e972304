//! Acts that compare records by a value that is a class: two that name it need not mean the same.

use super::columns::Levels;
use crate::{
    expr::Expr,
    ground::{Act, Need, Own, Record, Value},
};
use milp_schema::{
    protocol::{Guard, Values},
    vocabulary::By,
};

/// What excuses an act that compares records by a value that is a class, so that both may name it
/// and not mean the same: nothing does where one record is read, and that their primary is Byzantine
/// where all of them are of its proposal. `None` where it cannot be told.
pub(super) fn unclear(levels: &Levels, act: &Act) -> Option<Expr> {
    let setting = &levels.ground.setting;
    let Some(x) = act.letters.x.filter(|x| setting.is_others(*x)) else {
        return Some(Expr::default());
    };
    let rule = &setting.rules.rules[act.rule];
    let compares = |guard: &Guard| matches!(guard.pattern.value, Values::X | Values::Other);
    if rule.unless.iter().any(compares) {
        return None;
    }
    let mut named = Vec::new();
    let (mut reads, mut votes) = (0, 0);
    for need in act.asks() {
        let records = match need {
            Need::Own(Own::Last(..)) => return None,
            Need::Own(own) => own.matching(),
            _ => need.taken(&levels.ground),
        };
        let before = named.len();
        named.extend(
            records
                .iter()
                .filter(|it| it.value == Value::Of(x))
                .copied(),
        );
        reads += usize::from(named.len() > before);
        votes += usize::from(named.len() > before && matches!(need, Need::Quorum(_)));
    }
    if reads <= 1 && votes == 0 {
        return Some(Expr::default());
    }
    let view = named.first()?.view;
    let one = |record: &Record| record.view == view && is_of_proposal(levels, record, 3);
    let primary = setting.primaries[view as usize];
    named.iter().all(one).then(|| levels.byzantine(primary))
}

/// Whether all who make a record repeat what the primary of its view proposed there.
fn is_of_proposal(levels: &Levels, record: &Record, depth: u32) -> bool {
    let makers = levels.makers.get(record).into_iter().flatten();
    let same = |it: &Record| (it.view, it.value) == (record.view, record.value);
    makers.map(|&act| &levels.ground.acts[act]).all(|act| {
        levels.ground.setting.rules.kind(record.kind).by == By::Primary
            || act.needs.iter().any(|need| match need {
                Need::Primary(records) => records.iter().all(same),
                Need::Own(Own::One(own)) => {
                    let repeats = |it: &Record| same(it) && is_of_proposal(levels, it, depth - 1);
                    depth > 0 && own.iter().all(repeats)
                }
                _ => false,
            })
    })
}
