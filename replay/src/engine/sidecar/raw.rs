//! What adapters answer, as the page has it and as it comes.

use milp_schema::Value;
use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBegun {
    pub(super) protocol: String,
    pub(super) engine: String,
    pub(super) version: String,
    pub(super) effects: Vec<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEffects {
    pub(super) effects: Vec<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInjected {
    pub(super) effects: Vec<Json>,
    pub(super) message: u64,
}

#[derive(Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RawEffect {
    Send {
        replica: u32,
        message: u64,
        label: RawLabel,
        carried: Option<Vec<RawCarried>>,
    },
    EnterView {
        replica: u32,
        height: u32,
        view: u32,
    },
    Decide {
        replica: u32,
        label: RawLabel,
    },
    Timer {
        replica: u32,
        timers: Vec<RawTimer>,
    },
    Fault {
        replica: u32,
        text: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLabel {
    pub(super) kind: String,
    pub(super) height: u32,
    pub(super) view: u32,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) value: Option<Value>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) justification: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCarried {
    pub(super) author: u32,
    pub(super) label: RawLabel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTimer {
    pub(super) name: String,
    pub(super) height: u32,
    pub(super) view: u32,
    pub(super) deadline: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDown {
    #[serde(rename = "up")]
    pub(super) _up: bool,
    pub(super) height: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStopped {
    #[serde(rename = "up")]
    pub(super) _up: bool,
    #[serde(rename = "stopped")]
    pub(super) _stopped: bool,
    pub(super) height: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWorking {
    #[serde(rename = "up")]
    pub(super) _up: bool,
    #[serde(rename = "stopped")]
    pub(super) _stopped: bool,
    pub(super) height: u32,
    pub(super) view: u32,
    pub(super) votes: Vec<RawVote>,
    pub(super) entry: Vec<RawVote>,
    pub(super) bonds: Vec<RawBond>,
    pub(super) seen: Vec<Option<u32>>,
    pub(super) timers: Vec<RawTimer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVote {
    pub(super) author: u32,
    pub(super) kind: String,
    pub(super) view: u32,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) value: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBond {
    pub(super) kind: String,
    pub(super) view: u32,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) value: Option<Value>,
}
