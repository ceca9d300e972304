//! The end of the views of a chain: a decision may stand on votes of the last view, and those lead on.

use super::{columns::Levels, families::kind_name};
use crate::{
    expr::Expr,
    ground::{Act, Need, Record, Value},
    group::Group,
};
use milp_schema::{
    instance::Network,
    protocol::{Mode, Scope},
};

/// In the end all honest replicas have what they sent: in the last view no honest quorum sends what must
/// lead into the next, `Σ power · did ≤ q − 1`.
pub(super) fn state(levels: &mut Levels) {
    if !levels.ground.setting.rules.chain || levels.instance.network != Network::Eventual {
        return;
    }
    for (way, act) in levels.ground.entries.clone().iter().enumerate() {
        let [Need::Quorum(number)] = act.needs[..] else {
            continue;
        };
        let quorum = levels.ground.quorums[number].clone();
        if !leads_on(levels, act, &quorum.records) {
            continue;
        }
        let name = format!("{}_leads_on", kind_name(levels, act));
        let family = levels.draft.family(&name, "E55", &[], Group::DELIVERY);
        let sent = (0..levels.n).map(|j| levels.makes(j, &quorum.records) * levels.power(j));
        let sent = sent.sum::<Expr>();
        let most = i64::from(quorum.at_least) - 1;
        levels.at_most(family, &format!("_w{way}"), sent, most.into());
    }
}

/// Whether whoever sends one of these is in the last view, sends one, and must leave it by a quorum of
/// them.
fn leads_on(levels: &Levels, act: &Act, records: &[Record]) -> bool {
    let setting = &levels.ground.setting;
    let of_class = |it: &Record| matches!(it.value, Value::Of(x) if setting.is_others(x));
    let compares = act.letters.x.is_some_and(|x| setting.is_others(x));
    let in_view = |it: &Record| {
        let makers = levels.makers.get(it).into_iter().flatten();
        let mut makers = makers.map(|&act| &levels.ground.acts[act]);
        it.kind == records[0].kind
            && it.view + 1 == levels.views
            && makers.all(|act| act.scope == Scope::View)
    };
    act.letters.v == levels.views
        && act.mode == Mode::Must
        && act.who.is_empty()
        && act.proofs.is_empty()
        && act.bars.is_empty()
        && records.iter().all(in_view)
        && !(compares && records.iter().any(of_class))
}
