//! A scenario of Twins as an instance and the choices of a schedule to start from.

use super::{
    File, Phase,
    node::{Name, Node, Nodes},
};
use crate::{
    Error,
    words::{Does, kind_that},
};
use milp_schema::{
    Choice, Height, Instance, Message, ReplicaId, Schedule, Slot, View, read, schedule::Copy,
};
use std::collections::BTreeSet;

/// Slots of a view: proposal, responses, commits, decisions, timeouts, requests to leave.
const VIEW: u32 = 6;

/// What a scenario becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Skeleton {
    /// dBFT 2.0, protocol `dbft2`, with the scenario's replicas, twins as Byzantine ones.
    pub instance: Instance,
    /// The choices; there are no predictions.
    pub schedule: Schedule,
    /// What of the scenario is not in it, one sentence each.
    pub lost: Vec<String>,
}

/// Reads the first scenario of a file.
///
/// # Errors
///
/// When it is no file of scenarios, or one of other sizes than instances have.
pub fn read(file: &str, text: &str) -> Result<Skeleton, Error> {
    let refuse = |why: String| Error::Refused(format!("{file} is no file of Twins: {why}"));
    let parsed: File = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    let [first, rest @ ..] = parsed.scenarios.as_slice() else {
        return Err(refuse("it has no scenario".to_owned()));
    };
    if parsed.num_twins > parsed.num_nodes || parsed.num_nodes == 0 {
        return Err(refuse(
            "there are more twins than nodes, or no nodes".to_owned(),
        ));
    }
    let most = *milp_schema::limits::REPLICAS.end();
    if parsed.num_nodes > most {
        return Err(refuse(format!("it has more than {most} nodes")));
    }
    let views = first.iter().enumerate();
    let views = views.map(|(view, phase)| parts(&parsed, view, phase).map_err(refuse));
    let views = views.collect::<Result<Vec<_>, _>>()?;
    let instance = instance(file, &parsed, first)?;
    let mut run = Run::new(&instance, &parsed);
    if !rest.is_empty() {
        let more = rest.len();
        run.lost.push(format!(
            "{more} more scenarios of the file: only the first is taken"
        ));
    }
    for view in View::all(first.len() as u32) {
        if !run.view(view, first[view.index()].leader, &views[view.index()]) {
            break;
        }
    }
    let Run {
        mut choices, lost, ..
    } = run;
    choices.sort_by_key(|choice| {
        let class = match choice {
            Choice::Deliver { copy, .. } => (0, choice.replica(), Some(copy.message.kind)),
            Choice::Timeout { .. } => (1, choice.replica(), None),
            _ => (2, choice.replica(), None),
        };
        (choice.slot(), class)
    });
    let schedule = Schedule {
        choices,
        predictions: Vec::new(),
    };
    read::check_schedule(&instance, &schedule, file)?;
    Ok(Skeleton {
        instance,
        schedule,
        lost,
    })
}

/// The nodes of each part of a view.
fn parts(parsed: &File, view: usize, phase: &Phase) -> Result<Vec<Vec<Node>>, String> {
    let nodes = Nodes {
        replicas: parsed.num_nodes,
        twins: parsed.num_twins,
    };
    let part = |part: &Vec<Name>| -> Result<Vec<Node>, String> {
        let named = part.iter().map(|name| {
            let node = nodes.named(name);
            node.ok_or_else(|| {
                let name = serde_json::to_string(name).unwrap_or_default();
                format!(
                    "view {view} names the node {name}, which {} replicas of which the first {} \
                     have twins do not have",
                    parsed.num_nodes, parsed.num_twins
                )
            })
        });
        named.collect()
    };
    let parts = phase.partitions.iter().flatten().map(part);
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let mut seen = parts.concat();
    seen.sort_unstable();
    if seen == nodes.all() {
        Ok(parts)
    } else {
        Err(format!(
            "the parts of view {view} are not a partition of its {} nodes",
            nodes.all().len()
        ))
    }
}

fn instance(file: &str, parsed: &File, views: &[Phase]) -> Result<Instance, Error> {
    let (n, twins) = (parsed.num_nodes, parsed.num_twins);
    let faults = if twins == 0 {
        "{kind: none}".to_owned()
    } else {
        let first = (0..twins).map(|id| id.to_string()).collect::<Vec<_>>();
        format!("{{kind: byzantine, replicas: [{}]}}", first.join(", "))
    };
    let beyond = if twins > (n - 1) / 3 {
        "beyond_budget: true\n"
    } else {
        ""
    };
    let blocks = 1 + u32::from(twins > 0);
    let text = format!(
        "format: milp-instance/2.0\nprotocol: dbft2\nreplicas: {n}\n\
         faults: {faults}\n{beyond}heights: 1\nviews: {}\nblocks_per_proposal: {blocks}\n\
         slots: {}\nnetwork: asynchronous\ntimers: free\ngoal: fork\n",
        views.len(),
        VIEW * views.len() as u32 + 1,
    );
    Ok(read::instance_text(file, &text)?)
}

/// What the replicas of a scenario do, as far as the choices depend on it.
struct Run<'a> {
    instance: &'a Instance,
    twins: u32,
    committed: BTreeSet<ReplicaId>,
    choices: Vec<Choice>,
    lost: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(instance: &'a Instance, parsed: &File) -> Self {
        Self {
            instance,
            twins: parsed.num_twins,
            committed: BTreeSet::new(),
            choices: Vec::new(),
            lost: Vec::new(),
        }
    }

    fn is_byzantine(&self, replica: ReplicaId) -> bool {
        replica.0 < self.twins
    }

    fn honest(&self) -> Vec<ReplicaId> {
        let all = ReplicaId::all(self.instance.replicas);
        all.filter(|id| !self.is_byzantine(*id)).collect()
    }

    /// A broadcast to some; what a Byzantine replica says is made copy by copy.
    fn say(&mut self, sent: Slot, sender: ReplicaId, message: &Message, to: &[ReplicaId]) {
        let made = self.is_byzantine(sender);
        let others = to
            .iter()
            .filter(|id| **id != sender && !self.is_byzantine(**id));
        for receiver in others.copied().collect::<Vec<_>>() {
            let copy = Copy {
                sender,
                receiver,
                message: message.clone(),
                sent,
                copy: 0,
            };
            if made {
                self.choices.push(Choice::Inject { copy: copy.clone() });
            }
            let slot = sent.next();
            self.choices.push(Choice::Deliver { slot, copy });
        }
    }

    /// One view; whether the next one can be entered.
    fn view(&mut self, view: View, led_by: u32, parts: &[Vec<Node>]) -> bool {
        let start = Slot(1 + VIEW * view.0);
        let leader = self.instance.primary(Height(0), view);
        if led_by != leader.0 + 1 {
            self.lost.push(format!(
                "the leader of view {view} is its replica {led_by}: here replica {leader}, its \
                 replica {}, leads by rotation",
                leader.0 + 1
            ));
        }
        if !self.is_byzantine(leader) && !self.committed.contains(&leader) {
            self.choices.push(Choice::Timeout {
                slot: start,
                replica: leader,
                timer: self.instance.protocol.timer(),
                height: Height(0),
                view,
            });
        }
        for part in parts {
            // A twin of the leader proposes another block.
            let leads = part.iter().find(|(replica, _)| *replica == leader.0);
            if let Some((_, block)) = leads.copied()
                && !self.committed.contains(&leader)
            {
                self.part(view, start, leader, block, part);
            }
        }
        self.leave(view, Slot(start.0 + 4))
    }

    /// What a part that hears a proposal does: responses, then commits where they are enough.
    fn part(&mut self, view: View, start: Slot, leader: ReplicaId, block: u32, part: &[Node]) {
        let members = part.iter().map(|(replica, _)| ReplicaId(*replica));
        let members = members.filter(|id| !self.committed.contains(id));
        let members = members
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>();
        let protocol = self.instance.protocol;
        let kind = |does| kind_that(protocol, does);
        let message = |does| Message::new(kind(does), Height(0), view, Some(block));
        self.say(start, leader, &message(Does::Proposes), &members);
        let responses = members.iter().filter(|id| **id != leader);
        for member in responses {
            self.say(start.next(), *member, &message(Does::Answers), &members);
        }
        if members.len() < self.instance.quorum() as usize {
            return;
        }
        for member in &members {
            self.say(Slot(start.0 + 2), *member, &message(Does::Binds), &members);
            if !self.is_byzantine(*member) {
                self.committed.insert(*member);
            }
        }
    }

    /// All that have not committed ask to leave the view and hear of one another.
    fn leave(&mut self, view: View, slot: Slot) -> bool {
        let open = self
            .honest()
            .into_iter()
            .filter(|id| !self.committed.contains(id));
        let open = open.collect::<Vec<_>>();
        let message = Message::new(
            kind_that(self.instance.protocol, Does::Leaves),
            Height(0),
            view,
            None,
        );
        for replica in &open {
            self.choices.push(Choice::Timeout {
                slot,
                replica: *replica,
                timer: self.instance.protocol.timer(),
                height: Height(0),
                view,
            });
        }
        let byzantine = ReplicaId::all(self.twins);
        for sender in byzantine.chain(open.iter().copied()) {
            self.say(slot, sender, &message, &open);
        }
        let asked = open.len() + self.twins as usize;
        let enough = asked >= self.instance.quorum() as usize;
        if !enough && view.0 + 1 < self.instance.views {
            self.lost.push(format!(
                "the views after {view}: {asked} replicas ask to leave it, and {} must",
                self.instance.quorum()
            ));
        }
        enough
    }
}
