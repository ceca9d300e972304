//! What if a copy had come on time, or had not come: the schedule with these fates, replayed.
//!
//! `scripts/wasm.sh` compiles this to the module that `milp report --what-if` puts into a page. It
//! is the very code of `milp replay`, on the replicas of this program; engines outside of it cannot
//! run in a page. [`answer`] is all of it; [`door`] hands texts over between a page and it.

pub mod door;

use milp_replay::{Options, Protocol, Recovery, Replayed, Signatures};
use milp_schema::{
    Choice, Instance, Prediction, ReplicaId, Schedule, Slot,
    read::{self, Near},
    schedule::Copy,
    write,
};
use milp_show::report::{
    Run,
    whatif::{Answer, Edit, Fate, Question, Setting},
};
use serde_json::{Value, json};

/// Answers a [`Question`] in JSON with an [`Answer`] in JSON, or with `{"error"}` and why there is
/// none.
pub fn answer(question: &str) -> String {
    let answered = serde_json::from_str(question)
        .map_err(|error| error.to_string())
        .and_then(|question| answered(&question))
        .and_then(|answer| serde_json::to_value(answer).map_err(|error| error.to_string()));
    answered
        .unwrap_or_else(|why: String| -> Value { json!({ "error": why }) })
        .to_string()
}

fn answered(Question { setting, edits }: &Question) -> Result<Answer, String> {
    let near = Near::text(setting.protocol.as_deref());
    let instance = read::instance_near("the instance", &setting.instance, near)
        .map_err(|error| error.to_string())?;
    let protocol = instance.protocol;
    let choices = read::choices_text(protocol, "schedule.csv", &setting.choices)
        .map_err(|error| error.to_string())?;
    let predictions = match setting.predictions.as_deref() {
        Some(predictions) => read::predictions_text(protocol, "predictions.csv", predictions)
            .map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    let with_fates = edited(&instance, choices.clone(), edits)?;
    let schedule = write::choices_csv(&with_fates);
    let before = run(setting, &instance, choices, &predictions)?;
    let after = run(setting, &instance, with_fates, &predictions)?;
    Ok(Answer::of(before, after, setting.part, schedule))
}

/// What replicas do with these choices.
fn run(
    setting: &Setting,
    instance: &Instance,
    choices: Vec<Choice>,
    predictions: &[Prediction],
) -> Result<Run, String> {
    let schedule = Schedule {
        choices,
        predictions: predictions.to_vec(),
    };
    let Replayed { trace, verdict } = replay(setting, instance, &schedule)?;
    Ok(Run::replayed(
        setting,
        instance.clone(),
        schedule,
        (trace, verdict),
    ))
}

/// Rows about what is not sent any more do not apply; they are no fault of the schedule.
fn replay(setting: &Setting, instance: &Instance, schedule: &Schedule) -> Result<Replayed, String> {
    let options = Options {
        protocol: if setting.interpreter {
            Protocol::Interpreter
        } else {
            Protocol::Own
        },
        compare: false,
        foreign: true,
        signatures: Signatures::Symbolic,
        recovery: Recovery::Ideal,
    };
    milp_replay::replay(instance, &setting.faulty, schedule, &options)
        .map_err(|error| error.to_string())
}

/// The choices with these fates: a copy on time comes in the slot of its row, after the other
/// deliveries to its receiver and before a timer of it; a withheld one has no row, and comes in the
/// heal phase; a lost one is lost in the slot in which it is sent.
///
/// # Errors
/// When a row cannot be read.
pub fn edited(
    instance: &Instance,
    mut choices: Vec<Choice>,
    edits: &[Edit],
) -> Result<Vec<Choice>, String> {
    for edit in edits {
        let text = write::choices_csv(&[]) + &edit.row + "\n";
        let rows = read::choices_text(instance.protocol, "the copy", &text)
            .map_err(|error| error.to_string())?;
        let [Choice::Deliver { slot, copy }] = rows.as_slice() else {
            return Err(format!("`{}` is no row of a delivery", edit.row));
        };
        choices.retain(|choice| !is_fate_of(choice, copy));
        let (slot, copy) = (*slot, copy.clone());
        match edit.fate {
            Fate::OnTime => {
                let at = place(&choices, slot, copy.receiver);
                choices.insert(at, Choice::Deliver { slot, copy });
            }
            Fate::Withheld => {}
            Fate::Lost => {
                let slot = copy.sent;
                let at = choices.partition_point(|choice| choice.slot() <= slot);
                choices.insert(at, Choice::Drop { slot, copy });
            }
        }
    }
    Ok(choices)
}

fn is_fate_of(choice: &Choice, copy: &Copy) -> bool {
    matches!(choice, Choice::Deliver { copy: it, .. } | Choice::Drop { copy: it, .. } if it == copy)
}

/// Where a further delivery to a replica belongs among the rows of a slot (E7).
fn place(choices: &[Choice], slot: Slot, receiver: ReplicaId) -> usize {
    let fires = |choice: &&Choice| matches!(choice, Choice::Timeout { replica, .. } if *replica == receiver);
    let begin = choices.partition_point(|choice| choice.slot() < slot);
    let end = choices.partition_point(|choice| choice.slot() <= slot);
    let mut rows = choices[begin..end].iter();
    begin
        + rows
            .position(|choice| fires(&choice))
            .unwrap_or(end - begin)
}

#[cfg(test)]
mod tests {
    //! Where rows go, and what cannot be asked.

    use super::{answer, edited};
    use milp_schema::{Instance, read, write};
    use milp_show::report::whatif::{Edit, Fate};

    const ROWS: &str = "\
slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup
2,deliver,1,0,PrepareRequest,0,0,v0b0,,,1,1,0,
2,timeout,1,,,0,0,,,view,,,,
3,deliver,2,0,PrepareRequest,0,0,v0b0,,,1,2,0,
";

    fn with(row: &str, fate: Fate) -> Result<String, String> {
        let instance = Instance::builder("dbft2").slots(8).build();
        let choices = read::choices_text(instance.protocol, "schedule.csv", ROWS).expect("rows");
        let row = row.to_owned();
        let edits = [Edit { row, fate }];
        edited(&instance, choices, &edits).map(|choices| write::choices_csv(&choices))
    }

    #[test]
    fn a_copy_on_time_comes_before_the_timers_of_its_receiver() {
        let late = "2,deliver,2,0,PrepareRequest,0,0,v0b0,,,1,1,0,";
        let lines = ROWS.lines().collect::<Vec<_>>();
        let [header, first, timer, last] = lines[..] else {
            panic!("four lines");
        };
        let csv = |lines: &[&str]| Ok(lines.join("\n") + "\n");
        let on_time = csv(&[header, first, timer, late]);
        assert_eq!(with(late, Fate::OnTime), on_time);
        let other = "2,deliver,1,3,ChangeView,0,0,,,,1,1,0,";
        let on_time = csv(&[header, first, other, timer, last]);
        assert_eq!(with(other, Fate::OnTime), on_time);
        assert_eq!(with(late, Fate::Withheld), csv(&[header, first, timer]));
        let lost = "1,drop,2,0,PrepareRequest,0,0,v0b0,,,1,,0,";
        assert_eq!(with(late, Fate::Lost), csv(&[header, lost, first, timer]));
    }

    #[test]
    fn what_cannot_be_replayed_says_why() {
        let timer = "2,timeout,1,,,0,0,,,view,,,,";
        let error = with(timer, Fate::OnTime).expect_err("no copy");
        assert!(error.contains("no row of a delivery"), "{error}");
        assert!(answer("{}").starts_with("{\"error\":\"missing field"));
    }
}
