//! Instance files: a positioned tree becomes an [`Instance`], or a list of all that is wrong.

use super::{
    fields::{self, Fields},
    format,
    problem::{Place, Problems, Reported, did_you_mean, one_of, quoted},
    tree::{Node, Value},
};
use crate::{
    covers::{self, Uncovered},
    ids::ReplicaId,
    instance::{
        Budget, Fault, FaultKind, Formulation, Goal, Instance, Network, Primary, Sense, Timers, Who,
    },
    limits,
    vocabulary::Protocol,
};
use std::collections::BTreeMap;

/// Every key of an instance file.
pub(crate) const KEYS: [&str; 17] = [
    "format",
    "protocol",
    "replicas",
    "faults",
    "beyond_budget",
    "heights",
    "views",
    "blocks_per_proposal",
    "slots",
    "network",
    "timers",
    "block_time",
    "primary",
    "goal",
    "formulation",
    "budget",
    "mutant",
];

pub(crate) const FAULT_KINDS: [(&str, FaultKind); 3] = [
    ("network", FaultKind::Network),
    ("crash", FaultKind::Crash),
    ("byzantine", FaultKind::Byzantine),
];

/// The instance in `node`. Every part is judged even if an earlier one is wrong.
pub(crate) fn convert(node: &Node, problems: &mut Problems) -> Option<Instance> {
    let fields = Fields::with_hint(node, ("an instance", &KEYS), of_rule_set, problems)?;
    if !format::check(&fields, "instance", problems) {
        return None;
    }
    let names = names(&fields, problems);
    let replicas = fields.count("replicas", limits::REPLICAS, None, problems);
    somebody_counts(&fields, names.as_ref(), replicas, problems);
    let beyond_budget = fields.boolean("beyond_budget", Some(false), problems);
    let faults = faults(&fields, replicas, beyond_budget, problems);
    let heights = fields.count("heights", limits::HEIGHTS, Some(1), problems);
    let views = fields.count("views", limits::VIEWS, None, problems);
    let blocks = limits::BLOCKS_PER_PROPOSAL;
    let blocks_per_proposal = fields.count("blocks_per_proposal", blocks, Some(1), problems);
    let slots = fields.count("slots", limits::SLOTS, None, problems);
    let network = network(&fields, slots, problems);
    let clock = clock(&fields, problems);
    let primaries = [("rotation", Primary::Rotation), ("free", Primary::Free)];
    let primary = fields.choice("primary", &primaries, Some(Primary::Rotation), problems);
    let goal = goal(&fields, problems);
    let formulation = formulation(&fields, problems);
    let budget = budget(&fields, problems);
    let (protocol, mutant) = names?;
    let (timers, block_time) = clock?;
    let instance = Instance {
        protocol,
        replicas: replicas?,
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
        goal: goal?,
        formulation: formulation?,
        budget: budget?,
        mutant,
    };
    let uncovered = covers::uncovered(&instance);
    for Uncovered { key, what, hint } in &uncovered {
        let what = format!("protocol `{}` does not cover {what}", instance.protocol);
        problems.at(fields.place(key), what, *hint);
    }
    uncovered.is_empty().then_some(instance)
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

/// What to write in place of a rule set, which has a protocol of its own.
fn of_rule_set(fields: &Fields, key: &str) -> Option<String> {
    let text = |key| match &fields.get(key)?.value {
        Value::Scalar { text, .. } => Some(text.as_str()),
        _ => None,
    };
    if key != "rules" {
        return None;
    }
    let (protocol, rules) = (text("protocol")?, text("rules")?);
    let protocol = match rules {
        "paper" => Protocol::named(protocol),
        _ => Protocol::named(&format!("{protocol}-{rules}")),
    };
    let instead = protocol.map_or_else(
        || "remove `rules`".to_owned(),
        |protocol| format!("write `protocol: {protocol}` and remove `rules`"),
    );
    Some(format!("rule sets are protocols now: {instead}"))
}

/// Protocol and mutant; the latter is judged only under a known protocol.
fn names(fields: &Fields, problems: &mut Problems) -> Option<(Protocol, Option<String>)> {
    let protocols: Vec<(&str, Protocol)> = Protocol::all()
        .map(|protocol| (protocol.name.as_str(), protocol))
        .collect();
    let protocol = fields.choice("protocol", &protocols, None, problems)?;
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

/// The faults, checked against the number of replicas and against f.
fn faults(
    fields: &Fields,
    replicas: Option<u32>,
    beyond_budget: Option<bool>,
    problems: &mut Problems,
) -> Option<Vec<Fault>> {
    let Some(node) = fields.get("faults") else {
        return Some(Vec::new());
    };
    let mut reader = Faults {
        replicas: replicas.unwrap_or(*limits::REPLICAS.end()),
        kinds: BTreeMap::new(),
        members: BTreeMap::new(),
        problems,
    };
    let entries: Vec<Result<Option<Fault>, Reported>> = match &node.value {
        Value::List(nodes) => nodes.iter().map(|node| reader.fault(node)).collect(),
        _ => vec![reader.fault(node)],
    };
    let faults: Vec<Fault> = entries
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .ok()?
        .into_iter()
        .flatten()
        .collect();
    let n = replicas?;
    let f = (n - 1) / 3;
    let total: u32 = faults.iter().map(Fault::count).sum();
    if total > n {
        let what = format!("{total} replicas are faulty, but there are only {n}");
        problems.at(node.place, what, format!("lower the counts to {n} in all"));
    } else if total > f && beyond_budget == Some(false) {
        let what = format!(
            "{total} replicas may be faulty, but {n} replicas tolerate f = {f} (at most {f} expected)"
        );
        let hint = "lower the number, or add `beyond_budget: true` if this is meant";
        problems.at(node.place, what, hint);
    }
    Some(faults)
}

struct Faults<'problems> {
    /// n, or the largest n when the file's is not known.
    replicas: u32,
    kinds: BTreeMap<FaultKind, Place>,
    members: BTreeMap<u32, Place>,
    problems: &'problems mut Problems,
}

impl Faults<'_> {
    /// One entry; `None` is `kind: none`.
    fn fault(&mut self, node: &Node) -> Result<Option<Fault>, Reported> {
        let keys = ["kind", "count", "replicas"];
        let fields = Fields::of(node, "a fault", &keys, self.problems).ok_or(Reported)?;
        let kinds: Vec<(&str, Option<FaultKind>)> = std::iter::once(("none", None))
            .chain(FAULT_KINDS.map(|(name, kind)| (name, Some(kind))))
            .collect();
        let kind = fields.choice("kind", &kinds, None, self.problems);
        if kind == Some(None) {
            return self.nobody(&fields).map(|()| None);
        }
        let who = self.who(&fields);
        let kind = kind.flatten().ok_or(Reported)?;
        if let Some(earlier) = self.kinds.insert(kind, fields.place("kind")) {
            let what = "this kind of fault is already given".to_owned();
            let hint = format!(
                "merge the two entries into the one in line {}",
                earlier.line
            );
            self.problems.at(fields.place("kind"), what, hint);
            return Err(Reported);
        }
        who.map(|who| Some(Fault { kind, who })).ok_or(Reported)
    }

    fn nobody(&mut self, fields: &Fields) -> Result<(), Reported> {
        let superfluous = fields.entry("count").or_else(|| fields.entry("replicas"));
        let Some(entry) = superfluous else {
            return Ok(());
        };
        let what = format!(
            "`kind: none` makes nobody faulty, but `{}` is given",
            entry.key
        );
        self.problems.at(
            entry.place,
            what,
            format!("remove `{}` or change the kind", entry.key),
        );
        Err(Reported)
    }

    fn who(&mut self, fields: &Fields) -> Option<Who> {
        match (fields.entry("count"), fields.entry("replicas")) {
            (Some(_), None) => fields
                .count("count", 0..=self.replicas, None, self.problems)
                .map(Who::Any),
            (None, Some(entry)) => self.members(&entry.value).map(Who::These),
            (Some(_), Some(entry)) => {
                let what = "both `count` and `replicas` say who is faulty; one is expected";
                self.problems.at(entry.place, what, "remove one of the two");
                None
            }
            (None, None) => {
                let what = "a fault needs `count` or `replicas`";
                let hint = "add `count: 1`, or `replicas: [3]` to fix who";
                self.problems.at(fields.place("kind"), what, hint);
                None
            }
        }
    }

    fn members(&mut self, node: &Node) -> Option<Vec<ReplicaId>> {
        let Value::List(nodes) = &node.value else {
            let what = format!("`replicas` must be a list of ids, not {}", node.described());
            self.problems
                .at(node.place, what, "write `replicas: [3]`, or `count: 1`");
            return None;
        };
        if nodes.is_empty() {
            let what = "`replicas` names nobody; at least one id is expected";
            self.problems.at(
                node.place,
                what,
                "name a replica, or write `faults: {kind: none}`",
            );
            return None;
        }
        let last = i64::from(self.replicas) - 1;
        let mut members = Vec::new();
        let mut good = true;
        for node in nodes {
            let Some(id) = fields::number(node, "replica id", 0..=last, self.problems) else {
                good = false;
                continue;
            };
            let id = id as u32;
            if let Some(earlier) = self.members.insert(id, node.place) {
                let what = format!("replica {id} is faulty twice");
                let hint = format!(
                    "a replica has one kind of fault; it is already named at {}:{}",
                    earlier.line, earlier.column
                );
                self.problems.at(node.place, what, hint);
                good = false;
            }
            members.push(ReplicaId(id));
        }
        members.sort_unstable();
        good.then_some(members)
    }
}

/// A plain name, or the mapping under `key` of a value such as `{bounded: {…}}`.
enum Tagged<'a, T> {
    Plain(T),
    Mapping(&'a Node),
}

fn tagged<'a, T: Copy>(
    node: &'a Node,
    key: &str,
    names: &[(&str, T)],
    (tag, shape): (&str, &str),
    problems: &mut Problems,
) -> Option<Tagged<'a, T>> {
    let known: Vec<&str> = names.iter().map(|&(name, _)| name).chain([tag]).collect();
    match &node.value {
        Value::Map(_) => {
            let what = format!("`{key}`");
            let fields = Fields::of(node, &what, &[tag], problems)?;
            if let Some(node) = fields.get(tag) {
                return Some(Tagged::Mapping(node));
            }
            // An unknown key was reported; an empty mapping was not.
            if fields.is_empty() {
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
            let hint = if text == tag {
                format!("write `{key}: {shape}`")
            } else {
                did_you_mean(text, &known)
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
    let inner = match tagged(node, "network", &names, bounded, problems)? {
        Tagged::Plain(network) => return Some(network),
        Tagged::Mapping(inner) => inner,
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
    ];
    let expected = "`fork`, `finality`, `stall`, `slow`, `views` or `{weighted: {…}}`";
    let node = fields.required("goal", expected, problems)?;
    let weighted = (
        "weighted",
        "{weighted: {sense: maximize, blocks: 1000, views: -100}}",
    );
    let inner = match tagged(node, "goal", &names, weighted, problems)? {
        Tagged::Plain(goal) => return Some(goal),
        Tagged::Mapping(inner) => inner,
    };
    let keys = ["sense", "blocks", "views", "messages"];
    let fields = Fields::of(inner, "`weighted`", &keys, problems)?;
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
