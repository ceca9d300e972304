//! Formulation `counting` as text and as counts, and what it refuses.

use milp_model::{
    Error, build,
    formulation::{self, counting},
    program::{Program, Row},
    protocols,
    rule::{Modality, Protocol, Requires, Rule, Threshold},
};
use milp_schema::{
    Choice, Height, Instance, Prediction, ReplicaId, Schedule, Slot, View,
    instance::{Fault, FaultKind, Formulation, Goal, Network, Primary, Sense, Timers, Who},
    schedule::Event,
};
use std::{collections::BTreeSet, fmt::Write as _};

fn instance(protocol: &str, replicas: u32, views: u32, goal: Goal) -> Instance {
    Instance::builder(protocol)
        .replicas(replicas)
        .faults([Fault::any(FaultKind::Byzantine, (replicas - 1) / 3)])
        .views(views)
        .slots(8)
        .goal(goal)
        .formulation(Formulation::Counting)
        .build()
}

fn weighted(weights: [i64; 3]) -> Goal {
    let [blocks, views, messages] = weights;
    Goal::Weighted {
        sense: Sense::Maximize,
        blocks,
        views,
        messages,
    }
}

fn text(program: &Program, row: &Row) -> String {
    let mut text = format!("{}:", row.name);
    for (col, k) in &row.terms {
        let name = &program.columns[col.index()].name;
        write!(text, " {k:+} {name}").expect("writing to a string cannot fail");
    }
    let upper = row.upper.expect("every row has an upper side");
    write!(text, " ≤ {upper}").expect("writing to a string cannot fail");
    text
}

/// Every row, by family: the whole program is small enough to read.
fn rows(program: &Program) -> String {
    let mut out = String::new();
    for (number, family) in program.families.iter().enumerate() {
        let (name, tag) = (&family.name, family.tag);
        writeln!(out, "{name} [{tag:?}] line {}", family.line).expect("writing to a string");
        for row in &program.rows {
            if row.family.0 as usize == number {
                writeln!(out, "  {}", text(program, row)).expect("writing to a string");
            }
        }
    }
    out
}

#[test]
fn programs_read_as_their_formulas() {
    for (name, protocol, goal) in [
        ("counting-dbft2", "dbft2", Goal::Fork),
        ("counting-dbft2-stall", "dbft2", Goal::Stall),
        ("counting-dbft1", "dbft1", Goal::Fork),
    ] {
        let built = counting::of(&instance(protocol, 4, 2, goal)).unwrap();
        let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = rows(&built.program);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).expect("the golden file can be written");
        }
        let golden = std::fs::read_to_string(&path).expect("a golden file");
        assert!(
            golden == text,
            "{path} differs; UPDATE=1 rewrites it, then read the diff"
        );
    }
}

#[test]
fn names_are_unique_and_coefficients_no_larger_than_the_number_of_replicas() {
    for goal in [Goal::Fork, Goal::Finality, Goal::Views, Goal::Stall] {
        for (protocol, blocks) in [("dbft1", 1), ("dbft2", 2)] {
            let mut instance = instance(protocol, 7, 5, goal);
            instance.blocks_per_proposal = blocks;
            let program = counting::of(&instance).unwrap().program;
            let columns = program.columns.iter().map(|column| column.name.as_str());
            let rows = program.rows.iter().map(|row| row.name.as_str());
            let names: Vec<&str> = columns.chain(rows).collect();
            let distinct: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(names.len(), distinct.len());
            for row in &program.rows {
                assert!(row.terms.iter().all(|(_, k)| k.abs() <= 7), "{}", row.name);
            }
        }
    }
}

#[test]
fn the_size_depends_on_views_and_hardly_on_replicas() {
    // (n, views): columns, rows, non-zeros.
    let size = |n, views, goal| {
        let program = counting::of(&instance("dbft2", n, views, goal))
            .unwrap()
            .program;
        (
            program.columns.len(),
            program.rows.len(),
            program.nonzeros(),
        )
    };
    for goal in [Goal::Fork, Goal::Stall, Goal::Views, weighted([1, 1, 0])] {
        assert_eq!(size(13, 7, goal), size(100, 7, goal));
        let (columns, rows, nonzeros) = size(31, 31, goal);
        assert!(
            columns < 1400 && rows < 1400 && nonzeros < 14_000,
            "{columns} {rows} {nonzeros}"
        );
    }
}

#[test]
fn doing_nothing_is_an_execution_of_one_slot() {
    let built = counting::of(&instance("dbft2", 4, 2, Goal::Fork)).unwrap();
    let nothing = built
        .encode(&milp_schema::Schedule::default(), &[])
        .unwrap();
    let nothing: Vec<i64> = nothing
        .into_iter()
        .map(|value| value.unwrap_or(0))
        .collect();
    assert_eq!(built.program.violations(&nothing).next(), None);
    let decoded = built.decode(&nothing).unwrap();
    assert_eq!(decoded.schedule, milp_schema::Schedule::default());
    assert_eq!(decoded.slots, 1);
}

#[test]
fn counts_that_no_replicas_have_are_no_schedule() {
    let built = counting::of(&instance("dbft2", 4, 2, Goal::Fork)).unwrap();
    let mut point: Vec<i64> = vec![0; built.program.columns.len()];
    for (column, value) in built.program.columns.iter().zip(&mut point) {
        if column.name == "here_v0" || column.name.starts_with("took_v0_backup_idle_to_prepare") {
            *value = 1;
        }
    }
    // A response without any request.
    let error = built.decode(&point).unwrap_err();
    assert!(matches!(error, Error::NoSchedule { .. }), "{error}");
}

#[test]
fn what_the_formulation_cannot_express_is_refused_by_name() {
    let check = |name: &str, goal: Goal, change: &dyn Fn(&mut Instance)| {
        let mut instance = instance("dbft2", 4, 2, goal);
        change(&mut instance);
        let error = build(&instance).unwrap_err();
        assert!(
            matches!(error, Error::Unsupported { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name), "{name}: {error}");
        // What is asked for without a formulation is built all the same, unless no other can.
        instance.formulation = Formulation::Auto;
        if let Ok(built) = build(&instance) {
            assert_ne!(built.formulation(), Formulation::Counting, "{name}");
        }
    };
    check("primary: free", Goal::Fork, &|i| i.primary = Primary::Free);
    check("goal `slow`", Goal::Slow, &|_| {});
    check("several heights", Goal::Fork, &|i| i.heights = 2);
    check("more views than replicas", Goal::Fork, &|i| i.views = 5);
    check("network: bounded", Goal::Fork, &|i| {
        i.network = Network::Bounded {
            delay_min: 1,
            delay_max: 2,
            gst: 0,
        };
    });
    check("timers: protocol", Goal::Fork, &|i| {
        i.timers = Timers::Protocol;
        i.block_time = Some(3);
    });
    check("late", Goal::Fork, &|i| i.budget.late = Some(1));
    check("injects", Goal::Fork, &|i| i.budget.injects = Some(1));
    check("network: asynchronous", Goal::Stall, &|i| {
        i.network = Network::Asynchronous;
    });
    check("kind: network", Goal::Stall, &|i| {
        i.faults = vec![Fault::any(FaultKind::Network, 1)];
    });
    check("Byzantine replicas beside", Goal::Stall, &|i| {
        i.faults.push(Fault::any(FaultKind::Crash, 1));
    });
    check("named replicas", Goal::Stall, &|i| {
        i.faults = vec![Fault {
            kind: FaultKind::Crash,
            who: Who::These(vec![milp_schema::ReplicaId(1)]),
        }];
    });
    check("network: eventual", weighted([1000, -100, 0]), &|_| {});
    check("network: eventual", weighted([1, 1, 1]), &|_| {});
    check("lost on a receiver", Goal::Fork, &|i| {
        i.protocol = milp_schema::Protocol::shipped("dbft2-nspcc");
    });
    check("a pool", Goal::Fork, &|i| {
        i.protocol = milp_schema::Protocol::shipped("dbft2-tla");
    });
}

#[test]
fn constructs_are_refused_by_name() {
    let instance = instance("dbft2", 4, 2, Goal::Fork);
    let of = instance.protocol;
    let check = |name: &str, change: &dyn Fn(&mut Protocol)| {
        let mut protocol = protocols::of(&instance).unwrap();
        change(&mut protocol);
        let error = counting::build(&instance, &protocol).unwrap_err();
        assert!(
            matches!(error, Error::Unsupported { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(name), "{name}: {error}");
    };
    let event =
        |protocol: &mut Protocol, name: &str, change: &dyn Fn(&mut milp_model::rule::Event)| {
            for rule in &mut protocol.rules {
                if let Rule::Event(event) = rule
                    && event.name == name
                {
                    change(event);
                }
            }
        };
    check("`carry`", &|p| {
        p.rules.push(Rule::Carry {
            kind: of.the("RecoveryMessage"),
        });
    });
    check("`relation`", &|p| {
        p.rules.push(Rule::Relation { name: "parent" });
    });
    check("`May`", &|p| {
        event(p, "commit", &|e| e.modality = Modality::May);
    });
    check("two tallies", &|p| {
        event(p, "decide", &|e| {
            e.requires.push(Requires::Tally {
                of: vec![of.the("PrepareResponse")],
                at_least: Threshold::MoreThanF,
            });
        });
    });
    check("wait for one another", &|p| {
        event(p, "prepare_response", &|e| {
            e.requires.push(Requires::Tally {
                of: vec![of.the("Commit")],
                at_least: Threshold::MoreThanF,
            });
        });
    });
    // Without the lock on the view change a commit, which happens once per height, is remembered.
    check("matters in later views", &|p| {
        for rule in &mut p.rules {
            if let Rule::Enter(enter) = rule {
                enter.excludes.clear();
            }
        }
    });
    check("without a view change", &|p| {
        p.rules.retain(|rule| !matches!(rule, Rule::Enter(_)));
    });
}

#[test]
fn auto_takes_counting_where_it_is_exact() {
    let mut instance = instance("dbft2", 4, 2, Goal::Fork);
    instance.formulation = Formulation::Auto;
    for goal in [Goal::Fork, Goal::Finality, Goal::Views, Goal::Stall] {
        instance.goal = goal;
        assert_eq!(
            build(&instance).unwrap().formulation(),
            Formulation::Counting
        );
    }
    instance.goal = weighted([1000, -100, 1]);
    instance.network = Network::Asynchronous;
    assert_eq!(
        build(&instance).unwrap().formulation(),
        Formulation::Counting
    );
}

#[test]
fn auto_takes_causal_where_it_is_exact_and_pays() {
    let auto = |protocol, views, goal, network| Instance {
        formulation: Formulation::Auto,
        network,
        ..instance(protocol, 4, views, goal)
    };
    let taken = |instance: &Instance| build(instance).unwrap().formulation();
    for goal in [Goal::Fork, Goal::Stall] {
        let pool = auto("dbft2-tla", 3, goal, Network::Eventual);
        assert_eq!(taken(&pool), Formulation::Causal, "{goal:?}");
    }
    let guarded = |views, goal| auto("dbft2-nspcc", views, goal, Network::Eventual);
    for views in [2, 6] {
        for goal in [Goal::Fork, Goal::Views, Goal::Stall] {
            let instance = guarded(views, goal);
            assert_eq!(taken(&instance), Formulation::Causal, "{views} {goal:?}");
            let passed = formulation::passed_over(&instance, Formulation::Causal);
            assert_eq!(passed.len(), 1, "{passed:?}");
        }
    }
    // What it refuses.
    let mut late = guarded(2, Goal::Fork);
    late.budget.late = Some(1);
    assert_eq!(taken(&late), Formulation::Timed);
    let passed = formulation::passed_over(&late, Formulation::Timed);
    assert_eq!(passed[1].0, Formulation::Causal);
    assert!(passed[1].1.contains("late"), "{passed:?}");
    let paper = Instance {
        protocol: milp_schema::Protocol::shipped("dbft2"),
        heights: 2,
        ..guarded(2, Goal::Fork)
    };
    assert_eq!(taken(&paper), Formulation::Timed);
    assert_eq!(
        formulation::passed_over(&paper, Formulation::Timed).len(),
        2
    );
}

#[test]
fn the_model_page_lists_every_family_of_counting() {
    let mut table = String::from("| family | tag | line |\n|---|---|---|\n");
    let mut seen = BTreeSet::new();
    for goal in [
        Goal::Fork,
        weighted([1, 1, 1]),
        Goal::Finality,
        Goal::Views,
        Goal::Stall,
    ] {
        let mut instance = instance("dbft2", 4, 2, goal);
        instance.budget.timeouts = Some(1);
        if goal == Goal::Stall {
            instance.faults = vec![Fault::any(FaultKind::Crash, 1)];
        } else {
            instance.network = Network::Asynchronous;
        }
        for family in counting::of(&instance).unwrap().program.families {
            if seen.insert(family.name.clone()) {
                let tag = format!("{:?}", family.tag).to_lowercase();
                writeln!(table, "| `{}` | {tag} | {} |", family.name, family.line).unwrap();
            }
        }
    }
    let path = format!("{}/../docs/MODEL.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        "<!-- families of counting -->\n",
        "<!-- end of counting -->",
    );
    let (before, rest) = page.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{begin}{table}{end}{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("UPDATE").is_some(),
        "{path}: UPDATE=1"
    );
}

#[test]
fn a_schedule_of_more_replicas_is_refused() {
    let built = counting::of(&instance("dbft2", 4, 2, Goal::Fork)).expect("it is counted");
    let (slot, replica) = (Slot(1), ReplicaId(4));
    let acts = Schedule {
        predictions: vec![Prediction {
            slot,
            replica,
            event: Event::EnterView {
                height: Height(0),
                view: View(1),
            },
        }],
        ..Schedule::default()
    };
    let crashes = Schedule {
        choices: vec![Choice::Crash { slot, replica }],
        ..Schedule::default()
    };
    for schedule in [acts, crashes] {
        let refused = built
            .encode(&schedule, &[])
            .expect_err("there is no replica 4");
        assert_eq!(refused, "replica 4 is none of the instance");
    }
}
