//! What if a copy had another fate: the part of a page that asks, and what it shows.
//!
//! The page carries a module that replays (the crate `milp-whatif`). It is asked a [`Question`] and
//! gives an [`Answer`], both in JSON; the script `whatif.js` hands them over and shows them.

use super::{
    Report, Run,
    draw::esc,
    embed, finding, headline,
    scene::{Arrow, Fate as Was, Part, Scene},
    state, words,
};
use crate::{
    Error,
    words::{Does, does, followers, locks},
};
use milp_schema::{
    Choice, Instance, ReplicaId, Schedule, Slot, TraceEvent, Verdict, instance::FaultKind,
    schedule::Copy, write,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SCRIPT: &str = include_str!("whatif.js");
const STYLE: &str = include_str!("whatif.css");
/// What a module of WebAssembly begins with, and one that gzip made smaller.
const MAGIC: [&[u8]; 2] = [b"\0asm", b"\x1f\x8b"];

/// What is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What the run is called.
    pub name: String,
    /// Text of the instance file, with the replicas to drive.
    pub instance: String,
    /// Text of its protocol file, where it does not come with the program.
    pub protocol: Option<String>,
    /// Whether the interpreter of the file is driven even where there are other replicas.
    pub interpreter: bool,
    /// Who is faulty, and how.
    pub faulty: Vec<(ReplicaId, FaultKind)>,
    /// Text of `schedule.csv`.
    pub choices: String,
    /// Text of `predictions.csv`, where there is one.
    pub predictions: Option<String>,
    /// What is drawn.
    pub part: Part,
}

/// What becomes of a copy in place of what the schedule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It comes with the smallest delay.
    OnTime,
    /// It does not come in the slots of the schedule, and comes in the heal phase.
    Withheld,
    /// It never comes.
    Lost,
}

/// Another fate of one copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Its row in `schedule.csv` if it came on time.
    pub row: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What the module is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is replayed.
    pub setting: Setting,
    /// What is otherwise, one after the other.
    pub edits: Vec<Edit>,
}

/// What the module answers: the schedule as it is beside the one that is otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose replicas acted.
    pub engine: String,
    /// How the schedule ends as it is.
    pub before: End,
    /// How it ends with the other fates.
    pub after: End,
    /// What happens only before and only after, in the slots drawn.
    pub only: [Vec<String>; 2],
    /// The picture of it, SVG.
    pub picture: String,
    /// Text of the `schedule.csv` with the other fates.
    pub schedule: String,
}

/// How a replay ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The result in a sentence.
    pub result: String,
    /// What it rests on.
    pub why: Vec<String>,
    /// The verdict in a few words each, with the class of its badge.
    pub badges: Vec<(String, String)>,
    /// By replica what it decides; nothing for Byzantine ones.
    pub decided: Vec<Option<Vec<String>>>,
    /// Every sentence of the verdict.
    pub notes: Vec<String>,
}

/// A copy that may have another fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Toggle {
    /// The number of its arrow.
    arrow: usize,
    message: String,
    from: ReplicaId,
    to: ReplicaId,
    sent: Slot,
    /// What becomes of it by the schedule.
    now: String,
    /// Whether the adversary did something to it.
    acted: bool,
    /// Its row if it came on time.
    row: String,
    /// Which other fates it may have.
    fates: Vec<Fate>,
}

/// What a page needs to ask.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    setting: Setting,
    module: Vec<u8>,
    /// Whether the run shown is one of an engine that cannot run in a page.
    outside: bool,
}

impl WhatIf {
    /// Of a run, asked of replicas of `instance` by a module; `outside` says that the run is one of an
    /// engine that cannot run in a page.
    ///
    /// # Errors
    /// When messages are no copies, or when it is no module.
    pub fn new(
        (run, part): (&Run, Part),
        instance: &Instance,
        (interpreter, outside): (bool, bool),
        module: Vec<u8>,
    ) -> Result<Self, Error> {
        if instance.protocol.pools() {
            return Err(Error::Refused(format!(
                "--what-if gives copies another fate, and under protocol `{}` everybody sees every \
                 message a slot later: leave it out",
                instance.protocol
            )));
        }
        if !MAGIC.iter().any(|magic| module.starts_with(magic)) {
            return Err(Error::Refused(
                "the module of --what-if is no WebAssembly: build it with `make wasm`".to_owned(),
            ));
        }
        let predictions = write::predictions_csv(&run.schedule.predictions);
        Ok(Self {
            setting: Setting {
                name: run.name.clone(),
                instance: write::instance_yaml(instance),
                protocol: instance.protocol.given().map(str::to_owned),
                interpreter,
                faulty: run.faulty.clone(),
                choices: write::choices_csv(&run.schedule.choices),
                predictions: run.predicted.then_some(predictions),
                part,
            },
            module,
            outside,
        })
    }
}

impl Run {
    /// A schedule and what the replicas of its instance did with it.
    pub fn replayed(
        setting: &Setting,
        instance: Instance,
        schedule: Schedule,
        (trace, verdict): (Vec<TraceEvent>, Verdict),
    ) -> Self {
        Self {
            name: setting.name.clone(),
            engine: verdict.engine.clone(),
            locks: locks(&instance),
            instance,
            faulty: setting.faulty.clone(),
            schedule,
            earlier: 0,
            predicted: false,
            sentence: None,
            certificate: None,
            left_out: Vec::new(),
            trace,
            verdict: Some(verdict),
            files: BTreeMap::new(),
        }
    }
}

impl Answer {
    /// Two runs of one schedule beside each other, the second with the text of its choices.
    pub fn of(before: Run, after: Run, part: Part, schedule: String) -> Self {
        let report = Report::new(before, Some(after), part);
        Self {
            engine: report.panels[0].run.engine.clone(),
            before: End::of(&report, 0),
            after: End::of(&report, 1),
            picture: report.picture(1, false).0,
            only: report.differences,
            schedule,
        }
    }
}

impl End {
    fn of(report: &Report, at: usize) -> Self {
        let panel = &report.panels[at];
        let run = &panel.run;
        let found = finding::of(run, &panel.scene, panel.story.as_ref());
        let (result, why) = found.map_or_else(Default::default, |it| (it.result, it.why));
        let verdict = run.verdict.as_ref();
        let badges = verdict
            .map(headline::badges)
            .unwrap_or_default()
            .into_iter();
        let all = state::decisions(run);
        let of = |replica| {
            let own = all.iter().filter(move |it| it.replica == replica);
            own.map(|state::Decision { slot, block, .. }| {
                let healed = if *slot > run.instance.slots {
                    ", heal phase"
                } else {
                    ""
                };
                format!("{block} in slot {slot}{healed}")
            })
        };
        let decided = ReplicaId::all(run.instance.replicas);
        let decided = decided.map(|id| (!run.is_byzantine(id)).then(|| of(id).collect()));
        Self {
            result,
            why,
            badges: badges
                .map(|(word, class)| (word, class.to_owned()))
                .collect(),
            decided: decided.collect(),
            notes: verdict.map(|it| it.notes.clone()).unwrap_or_default(),
        }
    }
}

/// The copies drawn that may have another fate, in the order of their arrows.
fn toggles(run: &Run, scene: &Scene) -> Vec<Toggle> {
    let soonest = run.instance.delays().0;
    let mut equal: BTreeMap<(usize, ReplicaId), u32> = BTreeMap::new();
    let mut toggles = Vec::new();
    for (number, arrow) in scene.arrows.iter().enumerate() {
        let event = &scene.marks[arrow.from].event;
        let Some(message) = event.message.clone() else {
            continue;
        };
        // Equal copies that one mark sends come one after the other.
        let copy = equal.entry((arrow.from, arrow.to)).or_default();
        let copy = Copy {
            sender: event.replica,
            receiver: arrow.to,
            message,
            sent: event.slot,
            copy: std::mem::replace(copy, *copy + 1),
        };
        let on_time = Slot(copy.sent.0 + soonest);
        let fates = fates(run, arrow, &copy, on_time);
        if fates.is_empty() {
            continue;
        }
        let (from, sent) = (copy.sender, copy.sent);
        let full = words::full(&copy.message);
        let row = write::choices_csv(&[Choice::Deliver {
            slot: on_time,
            copy,
        }]);
        toggles.push(Toggle {
            arrow: number,
            message: full,
            from,
            to: arrow.to,
            sent,
            now: words::end(scene, arrow),
            acted: arrow.acted,
            row: row.lines().nth(1).unwrap_or_default().to_owned(),
            fates,
        });
    }
    toggles
}

/// Which other fates a copy may have; none where it has no row of its own to change.
fn fates(run: &Run, arrow: &Arrow, copy: &Copy, on_time: Slot) -> Vec<Fate> {
    // What is said for recovery alone has rows on some replicas only.
    let recovery = matches!(does(&copy.message.kind), Does::Asks | Does::Repeats);
    let room = on_time.0 <= run.instance.slots && !run.is_byzantine(arrow.to);
    match arrow.fate {
        Was::Arrives { late: 0, .. } => vec![Fate::Withheld, Fate::Lost],
        Was::Arrives { .. } => vec![Fate::OnTime, Fate::Withheld, Fate::Lost],
        Was::Lost { .. } if room => vec![Fate::OnTime, Fate::Withheld],
        Was::Open { withheld: true, .. } if room && !recovery => vec![Fate::OnTime, Fate::Lost],
        Was::Lost { .. } | Was::Open { .. } => Vec::new(),
    }
}

/// The part of the page, or nothing where it was not asked for.
pub(crate) fn section(report: &Report) -> String {
    let Some(what_if) = &report.what_if else {
        return String::new();
    };
    let run = &report.panels[0].run;
    let engine = &run.engine;
    let whose = if what_if.outside {
        format!(
            "The replicas of {engine}, whose run is above, cannot run in a page; those of this \
             program run here, {}.",
            followers(&run.instance.protocol.name)
        )
    } else {
        format!("The replicas of {engine} run in this page.")
    };
    format!(
        "<style>\n{STYLE}</style>\n<section id=\"what-if\" hidden><h2>What if</h2>\n\
         <p>Give copies another fate and see at once what the replicas do. {} A copy \
         that is on time comes with the smallest delay, after what else comes in that slot; a withheld one, \
         and what is sent only then, comes in the heal phase; a lost one never does. Select an arrow of the picture to add its copy to the table.</p>\n\
         <div class=\"scroll few\" tabindex=\"0\" role=\"region\" aria-label=\"Copies and their fates\">\n\
         <table class=\"states\"><thead><tr><th scope=\"col\">what if</th><th scope=\"col\">message</th>\
         <th scope=\"col\">from</th><th scope=\"col\">to</th><th scope=\"col\">sent in</th>\
         <th scope=\"col\">by the schedule</th></tr></thead>\n<tbody id=\"what-if-copies\"></tbody></table></div>\n\
         <p><button type=\"button\" id=\"what-if-reset\">Reset</button></p>\n\
         <div id=\"what-if-said\" aria-live=\"polite\"></div>\n<div id=\"what-if-answer\"></div>\n</section>\n",
        esc(&whose)
    )
}

/// What the script needs, and the script.
pub(crate) fn scripts(report: &Report) -> Result<String, Error> {
    let Some(WhatIf {
        setting, module, ..
    }) = &report.what_if
    else {
        return Ok(String::new());
    };
    let panel = &report.panels[0];
    let given = serde_json::json!({
        "setting": setting,
        "copies": toggles(&panel.run, &panel.scene),
    });
    Ok(format!(
        "<script type=\"application/json\" id=\"milp-what-if\">{}</script>\n\
         <script type=\"application/wasm-base64\" id=\"milp-module\">{}</script>\n\
         <script>\n{SCRIPT}</script>\n",
        embed::json(&given)?,
        base64(module)
    ))
}

/// What the page may do besides: compile a module that is in it.
pub(crate) fn policy(report: &Report) -> &'static str {
    report
        .what_if
        .as_ref()
        .map_or("", |_| " 'wasm-unsafe-eval'")
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let whole = [0, 1, 2].map(|at| u32::from(group.get(at).copied().unwrap_or(0)));
        let bits = whole[0] << 16 | whole[1] << 8 | whole[2];
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at > group.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let known = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (length, text) in known.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }
}
