//! What adapters answer, as the page has it and as it comes.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBegun {
    pub(super) protocol: String,
    pub(super) engine: String,
    pub(super) version: String,
    pub(super) effects: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEffects {
    pub(super) effects: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInjected {
    pub(super) effects: Vec<Value>,
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
        #[serde(deserialize_with = "Option::deserialize")]
        timer: Option<RawTimer>,
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
    pub(super) block: Option<u32>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) target: Option<u32>,
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "the page has one for each thing a replica does once"
)]
pub(super) struct RawWorking {
    #[serde(rename = "up")]
    pub(super) _up: bool,
    #[serde(rename = "stopped")]
    pub(super) _stopped: bool,
    pub(super) height: u32,
    pub(super) view: u32,
    pub(super) preparations: Vec<RawPreparation>,
    pub(super) commits: Vec<RawCommit>,
    pub(super) change_views: Vec<RawWish>,
    pub(super) last_change_views: Vec<RawWish>,
    pub(super) seen: Vec<Option<u32>>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) request: Option<u32>,
    pub(super) response_sent: bool,
    pub(super) commit_sent: bool,
    pub(super) change_view_sent: bool,
    pub(super) block_sent: bool,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) timer: Option<RawTimer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPreparation {
    pub(super) author: u32,
    pub(super) kind: String,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) block: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommit {
    pub(super) author: u32,
    pub(super) view: u32,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) block: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWish {
    pub(super) author: u32,
    pub(super) target: u32,
}
