//! An answer in one plain sentence, exactly as strong as what was checked.

use crate::{
    Answer, Question,
    question::{BigM, Protocol, Published, Receipt},
};
use milp_schema::{
    instance::Sense,
    outcome::{Certificate, Termination},
};

impl Answer {
    /// On what the value rests, in words.
    pub fn strength(&self) -> String {
        let solved = &self.solved;
        if solved.termination != Termination::Optimal {
            return "bound not closed".to_owned();
        }
        match &solved.certificate {
            Certificate::SafeDualBound { bound } if solved.proved => {
                format!("proved (exact bound {bound})")
            }
            Certificate::PermutedInfeasible { .. } if solved.proved => {
                "proved (one step better is infeasible, solved again permuted)".to_owned()
            }
            _ => "optimal, says the solver".to_owned(),
        }
    }

    /// The answer in one sentence.
    pub fn sentence(&self, question: &Question) -> String {
        let solved = &self.solved;
        let scope = scope(question);
        if solved.termination == Termination::Infeasible {
            let word = if solved.proved {
                "proved"
            } else {
                "says the solver"
            };
            return format!("no execution exists {scope}: {word}");
        }
        let Some(value) = solved.primal else {
            return format!("nothing is known {scope}: no execution was found within the limits");
        };
        let side = match (solved.termination, question.goal.sense) {
            (Termination::Optimal, Sense::Maximize) => "is at most",
            (Termination::Optimal, Sense::Minimize) => "is at least",
            _ => "can be",
        };
        let (sum, strength) = (sum(question), self.strength());
        format!("{sum} {side} {value} {scope}: {strength}")
    }
}

fn sum(question: &Question) -> String {
    let goal = question.goal;
    let powers = if question.ten_to_the_view {
        ", 10^v for view v"
    } else {
        ""
    };
    format!(
        "the weighted sum (blocks {}, views {}, messages {}{powers})",
        goal.blocks, goal.views, goal.messages
    )
}

/// Which program the claim is about, and how large it is.
fn scope(question: &Question) -> String {
    let version = match question.protocol {
        Protocol::Dbft1 => "1.0",
        Protocol::Dbft2 => "2.0",
        Protocol::Dbft3 => "3.0",
    };
    let about = match question.model {
        Published::Fork => "program about forks",
        Published::ForkByzantine => "second program about forks",
        Published::Liveness => "program about liveness",
    };
    let mut words = vec![format!("in the {about} of dBFT {version} of 2020")];
    if question.speed_up {
        words.push("with speed-up".to_owned());
    }
    if question.big_m == BigM::Corrected {
        words.push("with the corrected constants".to_owned());
    }
    if !question.deliver.is_empty() {
        let kinds: Vec<&str> = question.deliver.iter().map(|&it| receipt(it)).collect();
        words.push(format!("every honest {} delivered", kinds.join(" and ")));
    }
    let (f, n) = (question.f(), question.replicas);
    words.push(format!("with the last {f} of {n} replicas Byzantine"));
    let (views, slots) = (question.views, question.slots);
    let many = if views == 1 { "" } else { "s" };
    words.push(format!("within {views} view{many} of {slots} slots"));
    words.join(", ")
}

fn receipt(receipt: Receipt) -> &'static str {
    match receipt {
        Receipt::PrepareRequest => "prepare request",
        Receipt::PrepareResponse => "prepare response",
        Receipt::PreCommit => "pre-commit",
        Receipt::Commit => "commit",
        Receipt::ChangeView => "change view",
    }
}
