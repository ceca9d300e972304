//! What may be asked of the published programs.

use crate::{
    Error,
    question::{BigM, Protocol, Published, Question, Receipt},
};
use milp_schema::limits;

/// Refuses by name what the published programs do not have.
pub(crate) fn unsupported(question: &Question) -> Result<(), Error> {
    match ranges(question).or_else(|| switches(question)) {
        Some((construct, hint)) => Err(Error::Unsupported { construct, hint }),
        None => Ok(()),
    }
}

/// Numbers that the published programs are not for, or that no machine holds.
fn ranges(question: &Question) -> Option<(String, String)> {
    let (n, views, slots) = (question.replicas, question.views, question.slots);
    if n < 4 || n % 3 != 1 || !limits::REPLICAS.contains(&n) {
        return Some((
            format!("{n} replicas"),
            "the published programs are for n = 3f + 1: use 4, 7, 10, …".into(),
        ));
    }
    if !limits::VIEWS.contains(&views) {
        let hint = format!("use 1 to {}", limits::VIEWS.end());
        return Some((format!("{views} views"), hint));
    }
    if slots < 2 {
        return Some((
            format!("{slots} slot per view"),
            "nothing happens in the first slot of a view: use 2 or more per view".into(),
        ));
    }
    if !limits::SLOTS.contains(&slots.saturating_mul(views)) {
        let hint = format!("use {} or fewer in all views", limits::SLOTS.end());
        return Some((format!("{slots} slots per view"), hint));
    }
    let goal = question.goal;
    let weights = [goal.blocks, goal.views, goal.messages];
    let large = weights.iter().find(|it| !limits::WEIGHT.contains(it))?;
    let hint = format!("use one of at most {}", limits::WEIGHT.end());
    Some((format!("the weight {large}"), hint))
}

/// Switches that the program asked for does not have, and goals that it does not know.
fn switches(question: &Question) -> Option<(String, String)> {
    let (protocol, goal) = (question.protocol, question.goal);
    let no = |construct: &str, hint: &str| Some((construct.to_owned(), hint.to_owned()));
    match (protocol, question.model) {
        (Protocol::Dbft1, Published::Liveness) => {
            return no(
                "a program about the liveness of dBFT 1.0, of which none was published",
                "use `model: fork` or `fork_byzantine`",
            );
        }
        (Protocol::Dbft3, Published::ForkByzantine) => {
            return no(
                "a second program about forks of dBFT 3.0, of which one was published",
                "use `model: fork` or `liveness`",
            );
        }
        _ => {}
    }
    if question.model != Published::Liveness {
        if (goal.views, goal.messages) != (0, 0) || question.ten_to_the_view {
            return no("a goal about more than blocks", "weigh `blocks` only");
        }
        if !question.deliver.is_empty() {
            return no("`deliver` in a program about forks", "remove `deliver`");
        }
        if question.big_m == BigM::Corrected {
            return no(
                "`big_m` in a program about forks, which has no such constant",
                "remove `big_m`",
            );
        }
    }
    if question.speed_up && protocol != Protocol::Dbft3 {
        return no("`speed_up`, which is of dBFT 3.0", "remove `speed_up`");
    }
    if question.deliver.contains(&Receipt::PreCommit) && protocol != Protocol::Dbft3 {
        return no(
            "the delivery of `pre_commit`, which is of dBFT 3.0",
            "remove it from `deliver`",
        );
    }
    if question.deliver.windows(2).any(|two| two[0] == two[1]) {
        return no(
            "a kind of message that is delivered twice",
            "name it once in `deliver`",
        );
    }
    // 10^15 is the last power that the solver's numbers hold.
    if question.ten_to_the_view && question.views > 15 {
        return no("`ten_to_the_view` beyond 15 views", "use fewer views");
    }
    None
}
