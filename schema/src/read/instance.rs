//! Instance files: a positioned tree becomes an [`Instance`], or a list of all that is wrong.

mod faults;

pub(super) use faults::FAULT_KINDS;

use faults::{faults, powers};

use super::{
    Near,
    fields::{self, Fields},
    format,
    problem::{Problems, did_you_mean, one_of, quoted},
    tree::{Node, Value},
};
use crate::{
    covers::{self, Uncovered},
    instance::{Budget, Formulation, Goal, Instance, Network, Primary, Sense, Timers},
    limits,
    protocol::{self, WRITTEN},
    vocabulary::Protocol,
};
use std::{ops::RangeInclusive, path::Path};

/// Every key of an instance file.
pub(crate) const KEYS: [&str; 20] = [
    "format",
    "protocol",
    "replicas",
    "power",
    "faults",
    "beyond_budget",
    "heights",
    "views",
    "blocks_per_proposal",
    "slots",
    "network",
    "timers",
    "block_time",
    "unit",
    "primary",
    "gossip",
    "goal",
    "formulation",
    "budget",
    "mutant",
];

/// The instance in `node`. Every part is judged even if an earlier one is wrong.
pub(crate) fn convert(node: &Node, near: Near<'_>, problems: &mut Problems) -> Option<Instance> {
    let fields = Fields::of(node, "an instance", &KEYS, problems)?;
    if !format::check(&fields, "instance", problems) {
        return None;
    }
    let names = names(&fields, near, problems);
    let answered = answered(&fields, problems);
    let replicas = number_or_any(&fields, "replicas", limits::REPLICAS, problems);
    somebody_counts(&fields, names.as_ref(), replicas, problems);
    let power = powers(&fields, replicas, problems);
    let beyond_budget = fields.boolean("beyond_budget", Some(false), problems);
    let votes = (replicas, power.as_ref().ok().and_then(Option::as_deref));
    let faults = faults(&fields, votes, beyond_budget, problems);
    let heights = fields.count("heights", limits::HEIGHTS, Some(1), problems);
    let views = number_or_any(&fields, "views", limits::VIEWS, problems);
    let blocks = limits::BLOCKS_PER_PROPOSAL;
    let blocks_per_proposal = fields.count("blocks_per_proposal", blocks, Some(1), problems);
    let slots = fields.count("slots", limits::SLOTS, None, problems);
    let network = network(&fields, slots, problems);
    let clock = clock(&fields, problems);
    let primaries = [("rotation", Primary::Rotation), ("free", Primary::Free)];
    let primary = fields.choice("primary", &primaries, Some(Primary::Rotation), problems);
    let goal = goal(&fields, problems);
    let gossip = gossip(&fields, goal, problems);
    let formulation = formulation(&fields, problems);
    let budget = budget(&fields, problems);
    answered?;
    let (protocol, mutant) = names?;
    let (timers, block_time) = clock?;
    let instance = Instance {
        protocol,
        replicas: replicas?,
        power: power.ok()?,
        faults: faults?,
        beyond_budget: beyond_budget?,
        heights: heights?,
        views: views?,
        blocks_per_proposal: blocks_per_proposal?,
        slots: slots?,
        network: network?,
        timers,
        block_time,
        primary: primary?,
        gossip: gossip?,
        goal: goal?,
        formulation: formulation?,
        budget: budget?,
        mutant,
    };
    enough_views(&fields, &instance, problems)?;
    let uncovered = covers::uncovered(&instance);
    for Uncovered { key, what, hint } in &uncovered {
        let what = format!("protocol `{}` does not cover {what}", instance.protocol);
        problems.at(fields.place(key), what, *hint);
    }
    uncovered.is_empty().then_some(instance)
}

/// Keys that the format has and no formulation of this version answers.
fn answered(fields: &Fields, problems: &mut Problems) -> Option<()> {
    let unit = fields.get("unit").map(|node| {
        let what = "no formulation answers `unit` yet; time is counted in slots";
        let hint = "remove `unit`, and give `block_time` in slots";
        problems.at(node.place, what, hint);
    });
    unit.is_none().then_some(())
}

/// Whether what one replica took all get to have; only good views say by when.
fn gossip(fields: &Fields, goal: Option<Goal>, problems: &mut Problems) -> Option<bool> {
    let gossip = fields.boolean("gossip", Some(false), problems)?;
    if gossip && !matches!(goal?, Goal::Wasted { .. }) {
        let what =
            "`gossip: true` says what arrives in good views, and only goal `wasted` has some";
        let hint = "remove `gossip`, or ask for `goal: {wasted: {bad: 1, up_to: 3}}`";
        problems.at(fields.place("gossip"), what, hint);
        return None;
    }
    Some(gossip)
}

/// Good views are those led by honest replicas, whoever else is Byzantine.
fn enough_views(fields: &Fields, instance: &Instance, problems: &mut Problems) -> Option<()> {
    let Goal::Wasted { bad, up_to } = instance.goal else {
        return Some(());
    };
    let most = instance.honest_views(bad);
    if most >= up_to {
        return Some(());
    }
    let views = instance.views;
    let what = format!(
        "of {views} views, {bad} of them bad, honest replicas may lead only {most}, and `up_to` is {up_to}"
    );
    let hint = "raise `views`, or lower `up_to` or `bad`";
    problems.at(fields.place("goal"), what, hint);
    None
}

/// A number, which the format lets be any; of `replicas` only what asks for proofs answers that.
fn number_or_any(
    fields: &Fields,
    key: &str,
    range: RangeInclusive<u32>,
    problems: &mut Problems,
) -> Option<u32> {
    let any = match fields.get(key).map(|node| &node.value) {
        Some(Value::Scalar { text, .. }) if text == "any" => Some("any"),
        Some(Value::Map(entries))
            if key == "replicas" && entries.iter().any(|it| it.key == "at_least") =>
        {
            Some("{at_least: …}")
        }
        _ => None,
    };
    let Some(any) = any else {
        return fields.count(key, range, None, problems);
    };
    let (least, most) = (range.start(), range.end());
    let number = format!("write one number from {least} to {most}");
    let (what, hint) = match key {
        "replicas" => (
            format!(
                "no formulation answers `{key}: {any}` here, only `milp check`, `milp solve` and `milp verify` do"
            ),
            format!("{number}, or sweep over several"),
        ),
        _ => (
            format!("no formulation answers `{key}: {any}` yet"),
            format!("{number}, or sweep over several"),
        ),
    };
    problems.at(fields.place(key), what, hint);
    None
}

/// A mutant whose quorum is smaller leaves a quorum of nobody where there are few replicas.
fn somebody_counts(
    fields: &Fields,
    names: Option<&(Protocol, Option<String>)>,
    replicas: Option<u32>,
    problems: &mut Problems,
) {
    if let (Some((protocol, Some(mutant))), Some(replicas)) = (names, replicas)
        && let Some(quorum) = protocol.mutants.get(mutant).and_then(|it| it.quorum)
        && quorum.of(replicas, replicas.saturating_sub(1) / 3) == 0
    {
        let s = if replicas == 1 { "" } else { "s" };
        let what = format!("mutant `{mutant}` of {replicas} replica{s} has a quorum of 0");
        let hint = format!("use {} replicas or more, or remove `mutant`", replicas + 1);
        problems.at(fields.place("mutant"), what, hint);
    }
}

/// A protocol that comes with the program, or of a file below the folder of the instance.
fn protocol(fields: &Fields, near: Near<'_>, problems: &mut Problems) -> Option<Protocol> {
    let file = fields.get("protocol").and_then(|node| match &node.value {
        Value::Scalar { text, .. } if text.contains(['/', '\\', '.']) => Some((node, text)),
        _ => None,
    });
    let Some((node, name)) = file else {
        let protocols: Vec<(&str, Protocol)> = Protocol::all()
            .map(|protocol| (protocol.name.as_str(), protocol))
            .collect();
        return fields.choice("protocol", &protocols, None, problems);
    };
    let written = Path::new(name) == Path::new(".").join(WRITTEN);
    let read = match near {
        Near::Folder(folder) => protocol::beside(folder, name),
        Near::Result(folder) if written => protocol::beside(folder, name),
        Near::Text(text) if written => protocol::embedded(text),
        _ => {
            let (why, hint) = match near {
                Near::Nothing => (
                    "is a file, and this instance lies in no folder",
                    "write the instance into a file beside that of the protocol",
                ),
                _ => (
                    "is not the file that lies beside a result",
                    "write `./protocol.yaml`, and put the file there",
                ),
            };
            problems.at(node.place, format!("{} {why}", quoted(name)), hint);
            return None;
        }
    };
    read.map_err(|error| problems.also(error)).ok()
}

/// Protocol and mutant; the latter is judged only under a known protocol.
fn names(
    fields: &Fields,
    near: Near<'_>,
    problems: &mut Problems,
) -> Option<(Protocol, Option<String>)> {
    let protocol = protocol(fields, near, problems)?;
    let Some(node) = fields.get("mutant") else {
        return Some((protocol, None));
    };
    let mutants: Vec<&str> = protocol.mutants.keys().map(String::as_str).collect();
    if mutants.is_empty() {
        let what = format!("protocol `{protocol}` has no mutants");
        problems.at(node.place, what, "remove `mutant`");
        return None;
    }
    let what = format!("mutant of `{protocol}`");
    let mutant = name(node, "mutant", &what, &mutants, problems)?;
    Some((protocol, Some(mutant.to_owned())))
}

fn name<'a>(
    node: &'a Node,
    key: &str,
    what: &str,
    known: &[&str],
    problems: &mut Problems,
) -> Option<&'a str> {
    let text = fields::text(node, key, problems)?;
    if known.contains(&text) {
        return Some(text);
    }
    let what = format!("unknown {what} {}; known: {}", quoted(text), one_of(known));
    problems.at(node.place, what, did_you_mean(text, known));
    None
}

/// A plain name, or the mapping under one of some keys of a value such as `{bounded: {…}}`.
enum Tagged<'a, T> {
    Plain(T),
    Mapping(&'a str, &'a Node),
}

fn tagged<'a, T: Copy>(
    node: &'a Node,
    key: &str,
    names: &[(&str, T)],
    tags: &[(&'a str, &str)],
    problems: &mut Problems,
) -> Option<Tagged<'a, T>> {
    let mapped: Vec<&str> = tags.iter().map(|&(tag, _)| tag).collect();
    let plain = names.iter().map(|&(name, _)| name);
    let known: Vec<&str> = plain.chain(mapped.iter().copied()).collect();
    match &node.value {
        Value::Map(_) => {
            let what = format!("`{key}`");
            let fields = Fields::of(node, &what, &mapped, problems)?;
            let mut given = tags
                .iter()
                .filter_map(|&(tag, _)| Some((tag, fields.get(tag)?)));
            let first = given.next();
            if let (Some(_), Some((other, node))) = (first, given.next()) {
                let what = format!("`{key}` is {} and `{other}` at once", quoted(first?.0));
                problems.at(node.place, what, "keep one of them");
                return None;
            }
            if let Some((tag, node)) = first {
                return Some(Tagged::Mapping(tag, node));
            }
            // An unknown key was reported; an empty mapping was not.
            if fields.is_empty() {
                let (tag, shape) = tags[tags.len() - 1];
                fields.required(tag, shape, problems)?;
            }
            None
        }
        Value::Scalar { text, .. } => {
            if let Some(&(_, value)) = names.iter().find(|&(name, _)| name == text) {
                return Some(Tagged::Plain(value));
            }
            let what = format!(
                "`{key}` must be {}, not {}",
                one_of(&known),
                node.described()
            );
            let hint = match tags.iter().find(|(tag, _)| tag == text) {
                Some((_, shape)) => format!("write `{key}: {shape}`"),
                None => did_you_mean(text, &known),
            };
            problems.at(node.place, what, hint);
            None
        }
        Value::List(_) => {
            let what = format!("`{key}` must be {}, not a list", one_of(&known));
            problems.at(node.place, what, format!("write `{key}: {}`", known[0]));
            None
        }
    }
}

fn network(fields: &Fields, slots: Option<u32>, problems: &mut Problems) -> Option<Network> {
    let Some(node) = fields.get("network") else {
        return Some(Network::Eventual);
    };
    let names = [
        ("asynchronous", Network::Asynchronous),
        ("eventual", Network::Eventual),
    ];
    let bounded = ("bounded", "{bounded: {delay_min: 1, delay_max: 4, gst: 0}}");
    let inner = match tagged(node, "network", &names, &[bounded], problems)? {
        Tagged::Plain(network) => return Some(network),
        Tagged::Mapping(_, inner) => inner,
    };
    let keys = ["delay_min", "delay_max", "gst"];
    let fields = Fields::of(inner, "`bounded`", &keys, problems)?;
    let delay_min = fields.count("delay_min", limits::DELAY, None, problems);
    let delay_max = fields.count("delay_max", limits::DELAY, None, problems);
    let gst = fields.count("gst", 0..=*limits::SLOTS.end(), Some(0), problems);
    if let (Some(delay_min), Some(delay_max)) = (delay_min, delay_max)
        && delay_max < delay_min
    {
        let what = format!("delay_max {delay_max} is below delay_min {delay_min}");
        let hint = format!("raise delay_max to {delay_min} or more");
        problems.at(fields.place("delay_max"), what, hint);
    }
    if let (Some(gst), Some(slots)) = (gst, slots)
        && gst > slots
    {
        let what = format!("gst {gst} is after the last slot {slots}");
        let hint = "lower gst, raise slots, or use `network: asynchronous`";
        problems.at(fields.place("gst"), what, hint);
    }
    Some(Network::Bounded {
        delay_min: delay_min?,
        delay_max: delay_max?,
        gst: gst?,
    })
}

/// Timers and block time, which is given iff the timers follow the protocol.
fn clock(fields: &Fields, problems: &mut Problems) -> Option<(Timers, Option<u32>)> {
    let names = [("free", Timers::Free), ("protocol", Timers::Protocol)];
    let timers = fields.choice("timers", &names, Some(Timers::Free), problems);
    let Some(entry) = fields.entry("block_time") else {
        if timers == Some(Timers::Protocol) {
            let what = "`timers: protocol` needs `block_time`, in slots";
            let hint = "add it, say `block_time: 3`";
            problems.at(fields.place("timers"), what, hint);
            return None;
        }
        return timers.map(|timers| (timers, None));
    };
    let block_time = fields.count("block_time", limits::BLOCK_TIME, None, problems);
    if timers == Some(Timers::Free) {
        let what = "`block_time` has no meaning while the timers are free";
        let hint = "add `timers: protocol`, or remove `block_time`";
        problems.at(entry.place, what, hint);
        return None;
    }
    Some((timers?, Some(block_time?)))
}

fn goal(fields: &Fields, problems: &mut Problems) -> Option<Goal> {
    let names = [
        ("fork", Goal::Fork),
        ("finality", Goal::Finality),
        ("stall", Goal::Stall),
        ("slow", Goal::Slow),
        ("views", Goal::Views),
        ("blame", Goal::Blame),
    ];
    let expected = "`fork`, `finality`, `stall`, `slow`, `views`, `blame`, `{wasted: {…}}` or `{weighted: {…}}`";
    let node = fields.required("goal", expected, problems)?;
    let tags = [
        ("wasted", "{wasted: {bad: 1, up_to: 3}}"),
        (
            "weighted",
            "{weighted: {sense: maximize, blocks: 1000, views: -100}}",
        ),
    ];
    match tagged(node, "goal", &names, &tags, problems)? {
        Tagged::Plain(goal) => Some(goal),
        Tagged::Mapping("wasted", inner) => wasted(inner, problems),
        Tagged::Mapping(_, inner) => weighted(inner, problems),
    }
}

fn wasted(node: &Node, problems: &mut Problems) -> Option<Goal> {
    let fields = Fields::of(node, "`wasted`", &["bad", "up_to"], problems)?;
    let views = 0..=*limits::VIEWS.end();
    let bad = fields.count("bad", views, None, problems);
    let up_to = fields.count("up_to", limits::VIEWS, None, problems);
    Some(Goal::Wasted {
        bad: bad?,
        up_to: up_to?,
    })
}

fn weighted(node: &Node, problems: &mut Problems) -> Option<Goal> {
    let keys = ["sense", "blocks", "views", "messages"];
    let fields = Fields::of(node, "`weighted`", &keys, problems)?;
    let senses = [("maximize", Sense::Maximize), ("minimize", Sense::Minimize)];
    let sense = fields.choice("sense", &senses, None, problems);
    let [blocks, views, messages] = ["blocks", "views", "messages"]
        .map(|key| fields.number(key, limits::WEIGHT, Some(0), problems));
    Some(Goal::Weighted {
        sense: sense?,
        blocks: blocks?,
        views: views?,
        messages: messages?,
    })
}

fn formulation(fields: &Fields, problems: &mut Problems) -> Option<Formulation> {
    let names = [
        ("auto", Formulation::Auto),
        ("timed", Formulation::Timed),
        ("counting", Formulation::Counting),
        ("causal", Formulation::Causal),
        ("levels", Formulation::Levels),
    ];
    fields.choice("formulation", &names, Some(Formulation::Auto), problems)
}

fn budget(fields: &Fields, problems: &mut Problems) -> Option<Budget> {
    let Some(node) = fields.get("budget") else {
        return Some(Budget::default());
    };
    let keys = ["late", "timeouts", "injects"];
    let fields = Fields::of(node, "`budget`", &keys, problems)?;
    // The outer None is a problem, the inner one a limit that is not given.
    let [late, timeouts, injects] = keys.map(|key| match fields.get(key) {
        None => Some(None),
        Some(_) => fields.count(key, limits::BUDGET, None, problems).map(Some),
    });
    Some(Budget {
        late: late?,
        timeouts: timeouts?,
        injects: injects?,
    })
}
