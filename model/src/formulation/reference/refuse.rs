//! What an instance may ask of the published programs.

use crate::error::Error;
use milp_schema::{
    Instance, ReplicaId,
    instance::{
        BigM, Budget, FaultKind, Goal, Network, Primary, Published, REFERENCE_2020, Receipt,
        Timeouts, Who,
    },
};

/// Refuses by name what the published programs do not have.
pub(super) fn unsupported(instance: &Instance) -> Result<(), Error> {
    let refuse = |construct: String, hint: String| {
        Err(Error::Unsupported {
            formulation: "reference",
            construct,
            hint,
        })
    };
    if instance.rules != REFERENCE_2020 {
        return refuse(
            format!("rule set `{}`", instance.rules),
            format!("use `rules: {REFERENCE_2020}`, whose programs are those published in 2020"),
        );
    }
    for (bad, construct, hint) in plain(instance) {
        if bad {
            return refuse(construct.into(), hint.into());
        }
    }
    let (n, f) = (instance.replicas, instance.f());
    if n != 3 * f + 1 || f == 0 {
        return refuse(
            format!("{n} replicas"),
            "the published programs are for n = 3f + 1: use 4, 7, 10, …".into(),
        );
    }
    let last: Vec<ReplicaId> = (2 * f + 1..n).map(ReplicaId).collect();
    let named = instance
        .faults
        .iter()
        .all(|fault| fault.kind == FaultKind::Byzantine && fault.who == Who::These(last.clone()));
    if instance.faults.len() != 1 || !named {
        let names: Vec<String> = last.iter().map(|id| id.0.to_string()).collect();
        return refuse(
            "these faults".into(),
            format!(
                "the last f replicas are Byzantine: write `faults: {{kind: byzantine, replicas: \
                 [{}]}}`",
                names.join(", ")
            ),
        );
    }
    let (slots, views) = (instance.slots, instance.views);
    if !slots.is_multiple_of(views) {
        return refuse(
            format!("{slots} slots in {views} views"),
            format!(
                "every view has as many slots of its own: use {} or {}",
                slots / views * views,
                slots.div_ceil(views) * views
            ),
        );
    }
    if slots / views < 2 {
        return refuse(
            format!("{} slot per view", slots / views),
            "nothing happens in the first slot of a view: use 2 or more per view".into(),
        );
    }
    switches(instance).map_or(Ok(()), |(construct, hint)| refuse(construct, hint))
}

/// What the published programs fix: whether the instance differs, and what to write.
fn plain(instance: &Instance) -> [(bool, &'static str, &'static str); 7] {
    [
        (instance.heights != 1, "several heights", "use `heights: 1`"),
        (
            instance.blocks_per_proposal != 1,
            "several blocks per proposal",
            "use `blocks_per_proposal: 1`",
        ),
        (
            instance.network != Network::Asynchronous,
            "network guarantees",
            "use `network: asynchronous`, and `reference: {deliver: […]}` for what must arrive",
        ),
        (
            instance.timeouts != Timeouts::Free,
            "timers by the protocol",
            "use `timeouts: free`",
        ),
        (
            instance.primary != Primary::Free,
            "a rotation of primaries",
            "use `primary: free`; any replica may be the primary of one view",
        ),
        (
            instance.budget != Budget::default(),
            "a budget",
            "remove `budget`",
        ),
        (
            instance.beyond_budget,
            "more than f faulty replicas",
            "remove `beyond_budget`",
        ),
    ]
}

/// Switches that the program asked for does not have, and goals that it does not know.
fn switches(instance: &Instance) -> Option<(String, String)> {
    let protocol = instance.protocol.as_str();
    let reference = &instance.reference;
    let liveness = reference.model == Published::Liveness;
    let no = |construct: &str, hint: &str| Some((construct.to_owned(), hint.to_owned()));
    match (protocol, reference.model) {
        ("dbft1", Published::Liveness) => {
            return no(
                "a program about the liveness of dBFT 1.0, of which none was published",
                "use `reference: {model: fork}` or `fork_byzantine`",
            );
        }
        ("dbft3", Published::ForkByzantine) => {
            return no(
                "a second program about forks of dBFT 3.0, of which one was published",
                "use `reference: {model: fork}` or `liveness`",
            );
        }
        _ => {}
    }
    let Goal::Weighted {
        views, messages, ..
    } = instance.goal
    else {
        return no(
            "this goal",
            "use `goal: {weighted: {sense: …, blocks: …, views: …, messages: …}}`",
        );
    };
    if !liveness {
        if (views, messages) != (0, 0) || reference.ten_to_the_view {
            return no("a goal about more than blocks", "weigh `blocks` only");
        }
        if !reference.deliver.is_empty() {
            return no("`deliver` in a program about forks", "remove `deliver`");
        }
        if reference.big_m == BigM::Corrected {
            return no(
                "`big_m` in a program about forks, which has no such constant",
                "remove `big_m`",
            );
        }
    }
    if reference.speed_up && protocol != "dbft3" {
        return no("`speed_up`, which is of dBFT 3.0", "remove `speed_up`");
    }
    if reference.deliver.contains(&Receipt::PreCommit) && protocol != "dbft3" {
        return no(
            "the delivery of `pre_commit`, which is of dBFT 3.0",
            "remove it from `deliver`",
        );
    }
    // 10^15 is the last power that the solver's numbers hold.
    if reference.ten_to_the_view && instance.views > 15 {
        return no("`ten_to_the_view` beyond 15 views", "use fewer views");
    }
    None
}
