//! The nodes of a scenario and their two names.

use serde::{Deserialize, Serialize};

/// How nodes are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// As numbers from 1 on, as the engine reads them from May 2022 to October 2025.
    Numbers,
    /// As objects of `ReplicaID` and `TwinID`, as it reads them since November 2025.
    Objects,
}

/// A node as a file names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Name {
    Number(u32),
    Object {
        #[serde(rename = "ReplicaID")]
        replica: u32,
        /// 0 without a twin, else 1 and 2.
        #[serde(rename = "TwinID")]
        twin: u32,
    },
}

/// A replica, from 0 on, and which of its nodes: 0 is the first, 1 the twin.
pub(super) type Node = (u32, u32);

/// The nodes of a scenario: the first `twins` replicas are two nodes each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    pub(super) replicas: u32,
    pub(super) twins: u32,
}

impl Nodes {
    /// All of them, as the engine numbers them from 1 on.
    pub(super) fn all(self) -> Vec<Node> {
        let nodes = |replica| (0..=u32::from(replica < self.twins)).map(move |of| (replica, of));
        (0..self.replicas).flat_map(nodes).collect()
    }

    /// A node's name.
    pub(super) fn name(self, names: Names, node: Node) -> Name {
        match names {
            Names::Numbers => {
                let before = self.all().into_iter().filter(|other| *other < node);
                Name::Number(before.count() as u32 + 1)
            }
            Names::Objects => Name::Object {
                replica: node.0 + 1,
                twin: if node.0 < self.twins { node.1 + 1 } else { 0 },
            },
        }
    }

    /// The node of a name; nothing if there is none.
    pub(super) fn named(self, name: &Name) -> Option<Node> {
        let names = match name {
            Name::Number(_) => Names::Numbers,
            Name::Object { .. } => Names::Objects,
        };
        let mut all = self.all().into_iter();
        all.find(|node| self.name(names, *node) == *name)
    }
}
