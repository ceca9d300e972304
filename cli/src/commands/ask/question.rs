//! What `milp ask` asks, and what it asks then.

use super::Args;
use milp_schema::{Instance, instance::Goal};
use milp_study::{Error, ask::Answer, folder};
use std::path::{Path, PathBuf};

/// What is asked: one way each, or several of which the first possible one is taken.
pub(super) fn questions(args: &Args) -> Result<Vec<Vec<(Instance, PathBuf)>>, Error> {
    if let Some(file) = &args.file {
        let instance = args.set.read(file)?;
        let out = match &args.out {
            Some(out) => out.clone(),
            None => Path::new("out/ask").join(folder::place(file)?),
        };
        return Ok(vec![vec![(instance, out)]]);
    }
    if args.protocol.is_none() {
        let why = "give an instance file, or --protocol NAME";
        return Err(Error::Refused(why.to_owned()));
    }
    let mut questions = Vec::new();
    for goals in [vec!["fork"], vec!["stall", "wasted"]] {
        let mut ways = Vec::new();
        for goal in goals {
            let text = if goal == "wasted" {
                wasted(args)
            } else {
                text(args, goal)
            };
            let instance = args.set.read_text("the question", &text)?;
            let out = match &args.out {
                Some(out) => out.clone(),
                None => Path::new("out/ask").join(name(args)),
            };
            let set = instance.goal.name();
            if set != goal {
                // --set names the goal: there is one question.
                return Ok(vec![vec![(instance, out.join(set))]]);
            }
            ways.push((instance, out.join(goal)));
        }
        questions.push(ways);
    }
    Ok(questions)
}

/// The question in few letters, for a folder.
fn name(args: &Args) -> String {
    let protocol = args.protocol.as_deref().unwrap_or_default();
    let stem = Path::new(protocol).file_stem().unwrap_or_default();
    let faults = faults(args).into_iter().filter(|(_, count)| *count > 0);
    let faults = faults.map(|(kind, count)| format!("-{kind}{count}"));
    let faults: String = faults.collect();
    format!(
        "{}-n{}{faults}-v{}",
        stem.to_string_lossy(),
        args.n,
        args.views
    )
}

fn faults(args: &Args) -> Vec<(String, u32)> {
    if args.faults.is_empty() {
        return vec![("byzantine".to_owned(), args.n.saturating_sub(1) / 3)];
    }
    args.faults.clone()
}

/// The question of good views, after one bad view and as many as Byzantine replicas may lead: two
/// good ones at least.
fn wasted(args: &Args) -> String {
    let byzantine = faults(args)
        .into_iter()
        .filter(|(kind, _)| kind == "byzantine");
    let bad = 1 + byzantine.map(|(_, count)| count).sum::<u32>();
    let views = args.views.max(bad.saturating_add(2));
    let goal = format!("{{wasted: {{bad: 1, up_to: {}}}}}", views - bad);
    stated(args, &goal, views, 15)
}

/// The instance as a file would have it.
fn text(args: &Args, goal: &str) -> String {
    stated(args, goal, args.views, 6)
}

fn stated(args: &Args, goal: &str, views: u32, slots_per_view: u32) -> String {
    let faults: Vec<(String, u32)> = faults(args)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    // A Byzantine primary may propose two blocks.
    let blocks = if faults.iter().any(|(kind, _)| kind == "byzantine") {
        2
    } else {
        1
    };
    let one = |(kind, count): &(String, u32)| format!("{{kind: {kind}, count: {count}}}");
    let faults = match faults.as_slice() {
        [] => "{kind: none}".to_owned(),
        [single] => one(single),
        several => format!(
            "[{}]",
            several.iter().map(one).collect::<Vec<_>>().join(", ")
        ),
    };
    format!(
        "format: milp-instance/2.0\nprotocol: {}\nreplicas: {}\nfaults: {faults}\nheights: 1\n\
         views: {}\nblocks_per_proposal: {blocks}\nslots: {}\nnetwork: eventual\ntimers: free\n\
         primary: rotation\ngoal: {goal}\nformulation: auto\n",
        args.protocol.as_deref().unwrap_or_default(),
        args.n,
        views,
        args.slots.unwrap_or(views.saturating_mul(slots_per_view)),
    )
}

/// The same of replicas that pass on what they take, where good views pass without that.
pub(super) fn with_gossip(args: &Args, answer: &Answer, out: &Path) -> Option<(Instance, PathBuf)> {
    let outcome = &answer.solution.outcome;
    let passes = matches!(outcome.instance.goal, Goal::Wasted { .. }) && outcome.primal > Some(0);
    let again = args.file.is_none() && passes && !outcome.instance.gossip;
    let instance = Instance {
        gossip: true,
        ..outcome.instance.clone()
    };
    again.then(|| (instance, with(out, "-gossip")))
}

/// The answer in a sentence of its own.
pub(super) fn sentence(answer: &Answer) -> String {
    let with = ["", "with gossip "][usize::from(answer.solution.outcome.instance.gossip)];
    format!("{with}{}", answer.said.answer)
}

/// The same folder with something behind its name.
pub(super) fn with(out: &Path, more: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}

pub(super) fn fault(text: &str) -> Result<(String, u32), String> {
    if text == "none" {
        return Ok(("none".to_owned(), 0));
    }
    let (kind, count) = text.split_once(':').unwrap_or((text, "1"));
    let known = ["byzantine", "crash", "network"].contains(&kind);
    match count.parse() {
        Ok(count) if known => Ok((kind.to_owned(), count)),
        _ => Err("expected byzantine:1, crash:1, network:1 or none".to_owned()),
    }
}
