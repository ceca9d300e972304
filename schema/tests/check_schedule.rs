//! What a schedule may not say under an instance, as a table of single changes to a good one.

use milp_schema::{Protocol, Schedule, read, write};

const INSTANCE: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
beyond_budget: true
faults: [{kind: crash, replicas: [2]}, {kind: byzantine, count: 1}]
views: 2
slots: 6
network: {bounded: {delay_min: 2, delay_max: 4}}
goal: fork
";

const SCHEDULE: &str = "\
slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup
1,crash,2,,,,,,,,,,,
1,timeout,0,,,0,0,,,view,,,,
2,inject,3,1,ChangeView,0,1,,,,,,0,
3,deliver,1,0,PrepareRequest,0,0,v0b0,,,1,2,0,
4,deliver,1,3,ChangeView,0,1,,,,2,2,0,
5,drop,0,1,PrepareResponse,0,0,v0b0,,,3,,0,
6,restart,2,,,,,,,,,,,no
6,deliver,1,2,PrepareRequest,0,0,v0b1,,,4,2,0,
";

const PREDICTIONS: &str = "\
slot,event,replica,kind,height,view,value,justification
1,send,0,PrepareRequest,0,0,v0b0,
2,send,1,ChangeView,0,1,,
4,enter_view,1,,0,1,,
6,decide,1,,0,,v0b1,
";

fn check(instance: &str, choices: &str, predictions: &str) -> Result<(), read::ReadError> {
    let instance = read::instance_text("n4.yaml", instance).expect("a good instance");
    let schedule = Schedule {
        choices: read::choices_text(instance.protocol, "schedule.csv", choices)
            .expect("possible choices"),
        predictions: read::predictions_text(instance.protocol, "predictions.csv", predictions)
            .expect("possible"),
    };
    read::check_schedule(&instance, &schedule, "results/n4")
}

/// Where the one problem of a schedule is and what it says.
fn refused(
    result: Result<(), read::ReadError>,
    says: &str,
    file: &str,
    place: (usize, usize),
    fragment: &str,
) {
    let error = result.expect_err(says);
    let problem = &error.problems[0];
    assert_eq!(error.problems.len(), 1, "{says}: {error}");
    assert!(problem.file.ends_with(file), "{says}: {error}");
    assert_eq!((problem.line, problem.column), place, "{says}: {error}");
    assert!(
        problem.what.contains(fragment),
        "{says}: no {fragment:?} in {error}"
    );
}

/// What is wrong, replacements that make it so, where it is and what the message says.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    (usize, usize),
    &'static str,
);

const CASES: [Case; 8] = [
    (
        "a replica",
        &[("1,timeout,0", "1,timeout,4")],
        (3, 11),
        "`replica` must be from 0 to 3",
    ),
    (
        "a peer",
        &[("deliver,1,0,", "deliver,1,4,")],
        (5, 13),
        "`peer` must be from 0 to 3",
    ),
    (
        "a height",
        &[("Request,0,0,v0b0,,,1", "Request,1,0,v0b0,,,1")],
        (5, 30),
        "`height` must be from 0 to 0",
    ),
    (
        "a view",
        &[("0,,,0,0,", "0,,,0,2,")],
        (3, 17),
        "`view` must be from 0 to 1",
    ),
    (
        "a block",
        &[("v0b0,,,1,2", "v0b2,,,1,2")],
        (5, 34),
        "the index of `value` must be from 0 to 1, not 2",
    ),
    (
        "a slot",
        &[("6,deliver", "7,deliver"), ("v0b1,,,4,2", "v0b1,,,4,3")],
        (9, 1),
        "slot 7 is after the last slot 6",
    ),
    (
        "a delay",
        &[("4,deliver", "3,deliver"), ("0,1,,,,2,2", "0,1,,,,2,1")],
        (6, 35),
        "below delay_min 2",
    ),
    (
        "a crash",
        &[
            ("1,timeout,0", "1,timeout,1"),
            ("1,crash,2", "1,crash,2,,,,,,,,,,,\n1,crash,0"),
        ],
        (3, 9),
        "replica 0 crashes",
    ),
];

#[test]
fn choices_that_do_not_fit_the_instance_are_refused_at_their_place() {
    check(INSTANCE, SCHEDULE, PREDICTIONS).expect("the schedule that the cases break is good");
    for (says, replacements, place, fragment) in CASES {
        let choices = replacements
            .iter()
            .fold(SCHEDULE.to_owned(), |text, (replace, by)| {
                assert!(
                    text.contains(replace),
                    "{says}: {replace:?} is not in the schedule"
                );
                text.replacen(replace, by, 1)
            });
        let result = check(INSTANCE, &choices, PREDICTIONS);
        refused(result, says, "results/n4/schedule.csv", place, fragment);
    }
}

#[test]
fn only_as_many_replicas_inject_as_may_be_byzantine() {
    let second = SCHEDULE.replace(
        "3,deliver,1,0",
        "2,inject,1,0,Commit,0,0,v0b0,,,,,0,\n3,deliver,1,0",
    );
    // The response of replica 1 would have to be injected as well now.
    let second = second.replace("5,drop,0,1,PrepareResponse,0,0,v0b0,,,3,,0,\n", "");
    let says = "two inject, one may";
    let file = "schedule.csv";
    let fragment = "replica 1 injects, but the instance does not let it be Byzantine";
    refused(
        check(INSTANCE, &second, PREDICTIONS),
        says,
        file,
        (5, 10),
        fragment,
    );

    let nobody = INSTANCE.replace(", {kind: byzantine, count: 1}", "");
    let fragment = "replica 3 injects, but the instance does not let it be Byzantine";
    refused(
        check(&nobody, SCHEDULE, PREDICTIONS),
        "nobody may",
        file,
        (4, 10),
        fragment,
    );

    let another = INSTANCE.replace("byzantine, count: 1", "byzantine, replicas: [1]");
    refused(
        check(&another, SCHEDULE, PREDICTIONS),
        "another may",
        file,
        (4, 10),
        fragment,
    );

    let this = INSTANCE.replace("byzantine, count: 1", "byzantine, replicas: [3]");
    check(&this, SCHEDULE, PREDICTIONS).expect("replica 3 may");
}

#[test]
fn a_replica_has_one_kind_of_fault() {
    let instance = INSTANCE.replace("crash, replicas: [2]", "crash, count: 1");
    check(&instance, SCHEDULE, PREDICTIONS).expect("one crashes, another one injects");
    let choices = SCHEDULE
        .replace("1,crash,2", "1,crash,3")
        .replace("6,restart,2", "6,restart,3");
    let fragment = "replica 3 injects, but an earlier row crashes it";
    refused(
        check(&instance, &choices, PREDICTIONS),
        "both",
        "schedule.csv",
        (4, 10),
        fragment,
    );
}

#[test]
fn a_replica_whose_fault_is_fixed_has_no_other() {
    let fixed = INSTANCE
        .replace("crash, replicas: [2]", "crash, count: 1")
        .replace("byzantine, count: 1", "byzantine, replicas: [3]");
    check(&fixed, SCHEDULE, PREDICTIONS).expect("replica 3 injects, another one crashes");
    let choices = SCHEDULE
        .replace("1,crash,2", "1,crash,1")
        .replace("6,restart,2", "6,restart,1");
    check(&fixed, &choices, PREDICTIONS).expect("replica 1 may crash as well");
    let fixed = fixed.replace("replicas: [3]", "replicas: [1]");
    let error = check(&fixed, &choices, PREDICTIONS).expect_err("replica 1 is the Byzantine one");
    let says: Vec<_> = error
        .problems
        .iter()
        .map(|problem| problem.what.as_str())
        .collect();
    assert_eq!(says.len(), 2, "{error}");
    assert_eq!(
        says[0],
        "replica 1 crashes, but the instance does not let it"
    );
    assert!(
        says[1].starts_with("replica 3 injects, but the instance"),
        "{error}"
    );
}

#[test]
fn predictions_that_do_not_fit_the_instance_are_refused_at_their_place() {
    let cases = [
        (
            "a replica",
            "1,send,0",
            "1,send,4",
            (2, 8),
            "`replica` must be from 0 to 3",
        ),
        (
            "a view",
            "enter_view,1,,0,1",
            "enter_view,1,,0,2",
            (4, 19),
            "`view` must be from 0 to 1",
        ),
        (
            "a block",
            "v0b1,",
            "v0b2,",
            (5, 16),
            "the index of `value` must be from 0 to 1, not 2",
        ),
        (
            "a block of a view",
            "v0b1,",
            "v2b1,",
            (5, 16),
            "the view of `value` must be from 0 to 1, not 2",
        ),
        (
            "a slot",
            "6,decide",
            "7,decide",
            (5, 1),
            "slot 7 is after the last slot 6",
        ),
        (
            "a height",
            "decide,1,,0",
            "decide,1,,1",
            (5, 13),
            "`height` must be from 0 to 0",
        ),
    ];
    for (says, replace, by, place, fragment) in cases {
        let predictions = PREDICTIONS.replacen(replace, by, 1);
        let result = check(INSTANCE, SCHEDULE, &predictions);
        refused(result, says, "results/n4/predictions.csv", place, fragment);
    }
}

#[test]
fn a_schedule_that_was_never_a_file_is_checked_like_one() {
    let instance = read::instance_text("n4.yaml", INSTANCE).expect("a good instance");
    let mut schedule = Schedule {
        choices: read::choices_text(instance.protocol, "schedule.csv", SCHEDULE)
            .expect("possible choices"),
        predictions: Vec::new(),
    };
    schedule.choices.swap(0, 7);
    let error = read::check_schedule(&instance, &schedule, "a/schedule.csv").expect_err("no order");
    let text = write::choices_csv(&schedule.choices);
    let same =
        read::choices_text(instance.protocol, "a/schedule.csv", &text).expect_err("no order");
    assert_eq!(error.problems, same.problems);
    assert_eq!(error.problems[0].file, "a/schedule.csv");
}

#[test]
fn a_message_of_a_justified_kind_may_have_neither_value_nor_justification() {
    let protocol = Protocol::named("hotstuff").expect("it is shipped");
    let header = SCHEDULE.lines().next().expect("it has one");
    let read = |fields: &str| {
        let text = format!("{header}\n2,inject,3,1,new_view,0,1,{fields},,,,0,\n");
        read::choices_text(protocol, "schedule.csv", &text)
    };
    for fields in [",", "v0b0,0", "v0b0,"] {
        read(fields).unwrap_or_else(|error| panic!("{fields}: {error}"));
    }
    let error = read(",0").expect_err("a justification of nothing");
    assert!(error.problems[0].what.contains("`value` is empty"));
}
