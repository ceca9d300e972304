//! A question about every number of replicas: an instance file with `replicas: any`.

use super::{
    Near,
    fields::Fields,
    instance,
    problem::Problems,
    tree::{Entry, Node, Value},
};
use crate::{
    Every, Instance,
    every::{NOMINAL, NOMINAL_VIEWS},
    formula::Count,
    instance::{FaultKind, Formulation, Goal, Network, Primary, Timers},
    limits,
};

/// Whether `replicas` is no one number, and what it says then.
pub(super) fn any(node: &Node) -> Option<&'static str> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let replicas = entries.iter().find(|it| it.key == "replicas")?;
    match &replicas.value.value {
        Value::Scalar { text, .. } if text == "any" => Some("any"),
        Value::Map(entries) if entries.iter().any(|it| it.key == "at_least") => {
            Some("{at_least: …}")
        }
        _ => None,
    }
}

/// The question in a file whose `replicas` is no one number.
pub(super) fn convert(node: &Node, near: Near<'_>, problems: &mut Problems) -> Option<Every> {
    let fields = Fields::any(node, "an instance", problems)?;
    let at_least = at_least(&fields, problems);
    let byzantine = byzantine(&fields, problems);
    let mut one = node.clone();
    let any_views = matches!(
        fields.get("views").map(|it| &it.value),
        Some(Value::Scalar { text, .. }) if text == "any"
    );
    if let Value::Map(entries) = &mut one.value {
        for it in entries.iter_mut() {
            nominal(it, any_views);
        }
    }
    let instance = instance::convert(&one, near, problems)?;
    covered(&fields, &instance, problems)?;
    Some(Every {
        instance,
        at_least: at_least?,
        any_views,
        byzantine: byzantine?,
    })
}

/// The numbers that stand for all.
fn nominal(entry: &mut Entry, any_views: bool) {
    let number = match entry.key.as_str() {
        "replicas" => NOMINAL,
        "views" if any_views => NOMINAL_VIEWS,
        _ => return,
    };
    entry.value.value = Value::Scalar {
        text: number.to_string(),
        plain: true,
    };
}

fn at_least(fields: &Fields, problems: &mut Problems) -> Option<u32> {
    let node = fields.get("replicas")?;
    let Value::Map(_) = node.value else {
        return Some(*limits::REPLICAS.start());
    };
    let fields = Fields::of(node, "`replicas`", &["at_least"], problems)?;
    let range = *limits::REPLICAS.start()..=NOMINAL;
    fields.count("at_least", range, None, problems)
}

/// How many may be Byzantine; what is wrong with the number the instance says.
fn byzantine(fields: &Fields, problems: &mut Problems) -> Option<Count> {
    let Some(node) = fields.get("faults") else {
        return Some(Count::exactly(0));
    };
    let entry = match &node.value {
        Value::List(nodes) => match nodes.as_slice() {
            [] => return Some(Count::exactly(0)),
            [one] => one,
            _ => {
                let what = "`replicas: any` takes one kind of fault";
                problems.at(node.place, what, "keep that of `kind: byzantine`");
                return None;
            }
        },
        _ => node,
    };
    let Value::Map(entries) = &entry.value else {
        return Some(Count::exactly(0));
    };
    let count = entries.iter().find(|it| it.key == "count");
    let text = match count.map(|it| &it.value.value) {
        Some(Value::Scalar { text, .. }) => text.as_str(),
        _ => "0",
    };
    text.parse::<Count>()
        .ok()
        .or_else(|| Some(Count::exactly(0)))
}

/// What a program for every n does not say, at its place.
fn covered(fields: &Fields, instance: &Instance, problems: &mut Problems) -> Option<()> {
    let mut reasons = of_question(instance);
    reasons.extend(of_setting(instance));
    let mut good = Some(());
    for (key, refused, construct, hint) in reasons {
        if refused {
            let what = format!("no formulation answers {construct} with `replicas: any`");
            problems.at(fields.place(key), what, hint);
            good = None;
        }
    }
    good
}

/// A key, whether it asks for what is not answered, what that is, and what to do.
type Reason = (&'static str, bool, &'static str, &'static str);

/// What of goal, formulation and faults is not answered.
fn of_question(instance: &Instance) -> Vec<Reason> {
    let byzantine = instance.fault_count(FaultKind::Byzantine);
    let faulty: u32 = instance
        .faults
        .iter()
        .map(crate::instance::Fault::count)
        .sum();
    let counted = |it: &crate::instance::Fault| matches!(it.who, crate::instance::Who::Any(_));
    let formulation = matches!(
        instance.formulation,
        Formulation::Auto | Formulation::Counting
    );
    vec![
        (
            "goal",
            !matches!(instance.goal, Goal::Fork | Goal::Finality | Goal::Stall),
            "another goal than `fork`, `finality` and `stall`",
            "ask for one of them",
        ),
        (
            "formulation",
            !formulation,
            "another formulation than `counting`",
            "use `formulation: counting`",
        ),
        (
            "faults",
            faulty > byzantine,
            "another kind of fault than `byzantine`",
            "use `kind: byzantine`",
        ),
        (
            "faults",
            !instance.faults.iter().all(counted),
            "replicas by their names",
            "give a `count`, like `f`",
        ),
        (
            "power",
            instance.power.is_some(),
            "voting power",
            "remove `power`",
        ),
    ]
}

/// What of the rest is not answered.
fn of_setting(instance: &Instance) -> Vec<Reason> {
    let bounded = matches!(instance.network, Network::Bounded { .. });
    vec![
        (
            "heights",
            instance.heights > 1,
            "several heights",
            "use `heights: 1`",
        ),
        (
            "primary",
            instance.primary == Primary::Free,
            "`primary: free`",
            "use `primary: rotation`",
        ),
        (
            "network",
            bounded,
            "`network: bounded`",
            "use `network: asynchronous`",
        ),
        (
            "timers",
            instance.timers == Timers::Protocol,
            "`timers: protocol`",
            "use `timers: free`",
        ),
        (
            "budget",
            instance.budget != crate::instance::Budget::default(),
            "a budget",
            "remove `budget`",
        ),
    ]
}
