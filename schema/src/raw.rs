//! The YAML files as serde writes them and as the JSON Schema describes them.
//!
//! Reading does not go through these types: serde knows no places and stops at the first
//! problem (see [`crate::read`]).

use crate::{
    ids::ReplicaId,
    instance::{
        Budget, Fault, FaultKind, Formulation, Goal, Instance, Network, Primary, Timers, Who,
    },
    outcome::{Certificate, Outcome, ProgramDigest, Termination},
    read::current_format,
};
use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_yaml::with::singleton_map;

/// An instance file of milp: protocol, fault budget, timing assumption, horizon and goal.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "milp instance")]
pub(crate) struct RawInstance<'a> {
    /// Kind and version of the file.
    pub(crate) format: String,
    /// Name of the protocol, or `./` and the path of its file below the folder of the instance.
    pub(crate) protocol: String,
    /// n, the number of replicas.
    pub(crate) replicas: u32,
    /// The voting power of each replica, by id; one vote each where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<u32>", default)]
    pub(crate) power: Option<&'a [u32]>,
    /// Who may be faulty and how.
    #[schemars(default = "nobody")]
    pub(crate) faults: RawFaults<'a>,
    /// Whether more than f = ⌊(n − 1) / 3⌋ replicas may be faulty.
    #[schemars(default)]
    pub(crate) beyond_budget: bool,
    /// Number of heights.
    #[schemars(default = "one")]
    pub(crate) heights: u32,
    /// Number of views of each height.
    pub(crate) views: u32,
    /// Blocks that may be proposed in a view; 2 or more lets a Byzantine primary equivocate.
    #[schemars(default = "one")]
    pub(crate) blocks_per_proposal: u32,
    /// The last modelled slot.
    pub(crate) slots: u32,
    /// What the network guarantees.
    #[serde(with = "singleton_map")]
    #[schemars(with = "Network", default = "eventual")]
    pub(crate) network: Network,
    /// Who decides when a timer fires.
    #[schemars(default = "free")]
    pub(crate) timers: Timers,
    /// Block time in slots; only for `timers: protocol`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", default)]
    pub(crate) block_time: Option<u32>,
    /// How the primary of a view is chosen.
    #[schemars(default = "rotation")]
    pub(crate) primary: Primary,
    /// Whether what one honest replica took in a good view all have before the view ends; only for
    /// goal `wasted`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub(crate) gossip: bool,
    /// What the adversary optimises.
    #[serde(with = "singleton_map")]
    #[schemars(with = "Goal")]
    pub(crate) goal: Goal,
    /// Which formulation builds the program.
    #[schemars(default = "auto")]
    pub(crate) formulation: Formulation,
    /// Limits on the adversary's acts.
    #[serde(skip_serializing_if = "unlimited")]
    #[schemars(default)]
    pub(crate) budget: Budget,
    /// Name of a deliberate weakening of the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", default)]
    pub(crate) mutant: Option<&'a str>,
}

fn nobody() -> RawFaults<'static> {
    RawFaults::One(RawFault {
        kind: RawFaultKind::None,
        count: None,
        replicas: None,
        power: None,
    })
}

fn one() -> u32 {
    1
}

fn eventual() -> Network {
    Network::Eventual
}

fn free() -> Timers {
    Timers::Free
}

fn rotation() -> Primary {
    Primary::Rotation
}

fn auto() -> Formulation {
    Formulation::Auto
}

fn unlimited(budget: &Budget) -> bool {
    *budget == Budget::default()
}

/// One fault or several.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Faults")]
pub(crate) enum RawFaults<'a> {
    /// One kind of fault, or none.
    One(RawFault<'a>),
    /// Several kinds of fault.
    Many(Vec<RawFault<'a>>),
}

/// One kind of fault, with `count` (the adversary chooses who) or `replicas` (fixed), or `power`.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fault")]
pub(crate) struct RawFault<'a> {
    /// How the replicas may misbehave.
    pub(crate) kind: RawFaultKind,
    /// At most how many: a number, or a formula a·f + c.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", default)]
    pub(crate) count: Option<u32>,
    /// Which ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<ReplicaId>", default)]
    pub(crate) replicas: Option<&'a [ReplicaId]>,
    /// At most so much voting power.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", default)]
    pub(crate) power: Option<u32>,
}

/// How a replica may misbehave.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FaultKind")]
pub(crate) enum RawFaultKind {
    /// Not at all.
    None,
    /// May crash, and copies to or from it may exceed any delay bound or be lost.
    Network,
    /// May crash; what it sent before still arrives.
    Crash,
    /// Does anything but forge another replica's signature.
    Byzantine,
}

impl<'a> From<&'a Fault> for RawFault<'a> {
    fn from(fault: &'a Fault) -> Self {
        let kind = match fault.kind {
            FaultKind::Network => RawFaultKind::Network,
            FaultKind::Crash => RawFaultKind::Crash,
            FaultKind::Byzantine => RawFaultKind::Byzantine,
        };
        let (mut count, mut replicas, mut power) = (None, None, None);
        match &fault.who {
            Who::Any(number) => count = Some(*number),
            Who::These(members) => replicas = Some(members.as_slice()),
            Who::Power(number) => power = Some(*number),
        }
        Self {
            kind,
            count,
            replicas,
            power,
        }
    }
}

impl<'a> From<&'a Instance> for RawInstance<'a> {
    fn from(instance: &'a Instance) -> Self {
        let faults = match instance.faults.as_slice() {
            [] => nobody(),
            [fault] => RawFaults::One(fault.into()),
            faults => RawFaults::Many(faults.iter().map(RawFault::from).collect()),
        };
        Self {
            format: current_format("instance"),
            protocol: instance.protocol.reference(),
            replicas: instance.replicas,
            power: instance.power.as_deref(),
            faults,
            beyond_budget: instance.beyond_budget,
            heights: instance.heights,
            views: instance.views,
            blocks_per_proposal: instance.blocks_per_proposal,
            slots: instance.slots,
            network: instance.network,
            timers: instance.timers,
            block_time: instance.block_time,
            primary: instance.primary,
            gossip: instance.gossip,
            goal: instance.goal,
            formulation: instance.formulation,
            budget: instance.budget,
            mutant: instance.mutant.as_deref(),
        }
    }
}

/// What a solve found: `outcome.yaml`.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "Outcome")]
#[schemars(title = "milp outcome", deny_unknown_fields)]
pub(crate) struct RawOutcome<'a> {
    /// Kind and version of the file.
    format: String,
    /// Why the solve ended.
    termination: Termination,
    /// Value of the schedule found, counted again in whole numbers; `null` where none was found.
    primal: Option<i64>,
    /// The best bound that holds: the certificate's, else the solver's; `null` where there is none.
    dual: Option<f64>,
    /// |primal − dual| / |primal|; `null` where it has no value.
    gap: Option<f64>,
    /// Whether a certificate says that nothing is worse.
    proved: bool,
    /// Branch-and-bound nodes.
    #[schemars(range(min = 0))]
    nodes: i64,
    /// Seconds of the solve, proof included; nothing else differs between two runs.
    seconds: f64,
    /// Name of the formulation that built the program.
    formulation: &'a str,
    /// What the proof rests on.
    #[serde(with = "singleton_map")]
    #[schemars(with = "Certificate")]
    certificate: Certificate,
    /// The program that was solved.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a ProgramDigest>,
    /// SHA-256 of `certificate.csv`, where that has anything to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_sha256: Option<&'a str>,
    /// The result in one sentence.
    sentence: &'a str,
    /// Whom the adversary made faulty, ascending.
    faulty: Vec<RawFaulty>,
    /// SHA-256 of `schedule.csv`; `null` where there is none.
    schedule_sha256: Option<&'a str>,
    /// The slots that the schedule takes, where they are not those that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_slots: Option<u32>,
    /// The question, whole.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    instance: RawInstance<'a>,
    /// The command line that made this.
    command: &'a str,
    /// Versions, seed, threads, limits and what else is known of the run, in words.
    #[serde(serialize_with = "in_order")]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    run: &'a [(String, String)],
}

/// A faulty replica.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FaultyReplica", deny_unknown_fields)]
struct RawFaulty {
    /// Which.
    replica: ReplicaId,
    /// How it may misbehave.
    kind: FaultKind,
}

fn in_order<S: Serializer>(run: &[(String, String)], out: S) -> Result<S::Ok, S::Error> {
    let mut map = out.serialize_map(Some(run.len()))?;
    for (key, value) in run {
        map.serialize_entry(key, value)?;
    }
    map.end()
}

impl<'a> From<&'a Outcome> for RawOutcome<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        // A bound that is not finite says nothing; the files say so with null.
        let finite = |value: &f64| value.is_finite();
        Self {
            format: current_format("outcome"),
            termination: outcome.termination,
            primal: outcome.primal,
            dual: outcome.dual.filter(finite),
            gap: outcome.gap().filter(finite),
            proved: outcome.proved,
            nodes: outcome.nodes,
            seconds: outcome.seconds,
            formulation: &outcome.formulation,
            certificate: outcome.certificate.clone(),
            program: outcome.program.as_ref(),
            certificate_sha256: outcome.certificate_sha256.as_deref(),
            sentence: &outcome.sentence,
            faulty: outcome
                .faulty
                .iter()
                .map(|&(replica, kind)| RawFaulty { replica, kind })
                .collect(),
            schedule_sha256: outcome.schedule_sha256.as_deref(),
            schedule_slots: (outcome.asked_slots != outcome.instance.slots)
                .then_some(outcome.instance.slots),
            instance: RawInstance {
                slots: outcome.asked_slots,
                ..(&outcome.instance).into()
            },
            command: &outcome.command,
            run: &outcome.run,
        }
    }
}
