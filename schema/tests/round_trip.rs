//! What is written is read back unchanged, and no input whatever makes a reader panic.

use milp_schema::{
    BlockId, Choice, Evidence, Height, Instance, Message, Outcome, Prediction, Protocol, ReplicaId,
    Schedule, Slot, Verdict, View,
    certificate::Part,
    covers,
    instance::{Budget, Fault, FaultKind, Formulation, Goal, Network, Primary, Sense, Timers, Who},
    outcome::{Certificate, ProgramDigest, Termination},
    read,
    schedule::{Copy, Event},
    verdict::{FORMAT, Holds, Liveness},
    write,
};
use proptest::{option, prelude::*, sample::subsequence};

fn network(slots: u32) -> impl Strategy<Value = Network> {
    prop_oneof![
        Just(Network::Asynchronous),
        Just(Network::Eventual),
        (1..=20_u32, 0..=380_u32, 0..=slots).prop_map(|(delay_min, more, gst)| Network::Bounded {
            delay_min,
            delay_max: delay_min + more,
            gst
        }),
    ]
}

fn goal() -> impl Strategy<Value = Goal> {
    let weight = || -1_000_000..=1_000_000_i64;
    let sense = prop_oneof![Just(Sense::Maximize), Just(Sense::Minimize)];
    prop_oneof![
        Just(Goal::Fork),
        Just(Goal::Finality),
        Just(Goal::Stall),
        Just(Goal::Slow),
        Just(Goal::Views),
        Just(Goal::Blame),
        Just(Goal::Wasted { bad: 0, up_to: 1 }),
        (sense, weight(), weight(), weight()).prop_map(|(sense, blocks, views, messages)| {
            Goal::Weighted {
                sense,
                blocks,
                views,
                messages,
            }
        }),
    ]
}

/// Disjoint faults of distinct kinds: the shuffled replicas are dealt out in order.
fn faults(replicas: u32) -> impl Strategy<Value = Vec<Fault>> {
    let everyone: Vec<u32> = (0..replicas).collect();
    let kinds = vec![FaultKind::Network, FaultKind::Crash, FaultKind::Byzantine];
    (
        subsequence(kinds, 0..=3).prop_shuffle(),
        Just(everyone).prop_shuffle(),
        prop::collection::vec((any::<bool>(), 1..=5_usize), 3),
    )
        .prop_map(|(kinds, everyone, sizes)| {
            let mut left = everyone.as_slice();
            let mut faults = Vec::new();
            for (kind, (named, size)) in kinds.into_iter().zip(sizes) {
                let (members, rest) = left.split_at(size.min(left.len()));
                left = rest;
                let mut members: Vec<_> = members.iter().copied().map(ReplicaId).collect();
                members.sort_unstable();
                let who = if named && !members.is_empty() {
                    Who::These(members)
                } else {
                    Who::Any(members.len() as u32)
                };
                faults.push(Fault { kind, who });
            }
            faults
        })
}

fn budget() -> impl Strategy<Value = Budget> {
    let limit = || option::of(0..=1_000_000_u32);
    (limit(), limit(), limit()).prop_map(|(late, timeouts, injects)| Budget {
        late,
        timeouts,
        injects,
    })
}

fn formulation() -> impl Strategy<Value = Formulation> {
    prop_oneof![
        Just(Formulation::Auto),
        Just(Formulation::Timed),
        Just(Formulation::Counting),
        Just(Formulation::Causal),
        Just(Formulation::Levels),
    ]
}

fn dbft2() -> Protocol {
    Protocol::shipped("dbft2")
}

fn instance() -> impl Strategy<Value = Instance> {
    let sizes = (1..=64_u32, 1..=8_u32, 1..=16_u32, 1..=8_u32, 1..=400_u32);
    let protocols: Vec<Protocol> = Protocol::all().collect();
    let named = prop::sample::select(protocols).prop_flat_map(|protocol| {
        let mutants = protocol.mutants.keys().map(Some);
        let mutants: Vec<Option<&String>> = std::iter::once(None).chain(mutants).collect();
        (Just(protocol), prop::sample::select(mutants))
    });
    (sizes, named).prop_flat_map(|((n, heights, views, blocks, slots), (protocol, mutant))| {
        // A quorum of nobody.
        let mutant = mutant.filter(|&mutant| n > 1 || mutant != "small-quorum");
        let block_time = option::of(1..=400_u32);
        let primary = prop_oneof![Just(Primary::Rotation), Just(Primary::Free)];
        let rest = (block_time, primary, goal(), formulation(), budget());
        let power = if protocol.definition().is_some() {
            option::of(prop::collection::vec(1..=1_000_000_u32, n as usize)).boxed()
        } else {
            Just(None).boxed()
        };
        (faults(n), network(slots), rest, power).prop_map(
            move |(faults, network, (block_time, primary, goal, formulation, budget), power)| {
                let faulty: u32 = faults.iter().map(Fault::count).sum();
                covered(Instance {
                    protocol,
                    replicas: n,
                    beyond_budget: power.is_some() || faulty > (n - 1) / 3,
                    power,
                    faults,
                    heights,
                    views,
                    blocks_per_proposal: blocks,
                    slots,
                    network,
                    timers: block_time.map_or(Timers::Free, |_| Timers::Protocol),
                    block_time,
                    primary,
                    gossip: matches!(goal, Goal::Wasted { .. }),
                    goal,
                    formulation,
                    budget,
                    mutant: mutant.cloned(),
                })
            },
        )
    })
}

/// The instance, within what its protocol covers.
fn covered(mut instance: Instance) -> Instance {
    // Where nobody is left to lead a good view there is none.
    if instance.gossip && instance.honest_views(0) == 0 {
        (instance.goal, instance.gossip) = (Goal::Fork, false);
    }
    // A chain grows within one height.
    if instance.rules().is_some_and(|rules| rules.chain) {
        instance.heights = 1;
    }
    if !instance.protocol.pools() {
        return instance;
    }
    let fitted = Instance {
        replicas: instance.replicas.max(4),
        faults: vec![],
        beyond_budget: false,
        heights: 1,
        views: instance.views.min(covers::MODEL_VIEWS),
        blocks_per_proposal: 1,
        network: Network::Eventual,
        timers: Timers::Free,
        block_time: None,
        primary: Primary::Rotation,
        ..instance
    };
    assert_eq!(covers::uncovered(&fitted), []);
    fitted
}

fn message() -> impl Strategy<Value = Message> {
    let kinds = milp_schema::Protocol::shipped("dbft2").kinds();
    let kind = prop::sample::select(kinds.collect::<Vec<_>>());
    (kind, 0..8_u32, 0..16_u32, 0..8_u32).prop_map(|(kind, height, view, block)| {
        let named = ["Block", "PrepareRequest", "PrepareResponse", "Commit"].contains(&kind.name());
        Message::new(kind, Height(height), View(view), named.then_some(block))
    })
}

/// A legal schedule without an instance: each row has replicas of its own, so that no row can
/// contradict another one.
fn choices() -> impl Strategy<Value = Vec<Choice>> {
    let row = (0..7_u32, 1..=400_u32, 1..=400_u32, message());
    prop::collection::vec(row, 0..40).prop_map(|rows| {
        let mut choices = Vec::new();
        for (position, (act, slot, sent, message)) in rows.into_iter().enumerate() {
            let (replica, peer) = (
                ReplicaId(2 * position as u32),
                ReplicaId(2 * position as u32 + 1),
            );
            let (early, late) = (Slot(slot.min(sent)), Slot(slot.max(sent) + 1));
            let (height, view, number) = (message.height, message.view, slot);
            let copy = Copy {
                sender: peer,
                receiver: replica,
                message,
                sent: early,
                copy: number,
            };
            match act {
                0 => choices.push(Choice::Deliver { slot: late, copy }),
                1 => choices.push(Choice::Drop { slot: late, copy }),
                2 => choices.push(Choice::Timeout {
                    slot: early,
                    replica,
                    timer: "view",
                    height,
                    view,
                }),
                3 => choices.push(Choice::Inject { copy }),
                4 => {
                    choices.push(Choice::Inject { copy: copy.clone() });
                    choices.push(Choice::Deliver { slot: late, copy });
                }
                5 => choices.push(Choice::Crash {
                    slot: early,
                    replica,
                }),
                _ => {
                    choices.push(Choice::Crash {
                        slot: early,
                        replica,
                    });
                    let backup = slot % 2 == 0;
                    choices.push(Choice::Restart {
                        slot: late,
                        replica,
                        backup,
                    });
                }
            }
        }
        choices.sort_by_key(Choice::slot);
        choices
    })
}

fn predictions() -> impl Strategy<Value = Vec<Prediction>> {
    let event = prop_oneof![
        message().prop_map(Event::Send),
        (0..8_u32, 1..16_u32).prop_map(|(height, view)| Event::EnterView {
            height: Height(height),
            view: View(view)
        }),
        (0..8_u32, 0..16_u32, 0..8_u32).prop_map(|(height, view, index)| {
            Event::Decide(BlockId {
                height: Height(height),
                view: View(view),
                index,
            })
        }),
    ];
    let row = (1..=400_u32, 0..64_u32, event);
    prop::collection::vec(row, 0..40).prop_map(|rows| {
        let mut predictions: Vec<_> = rows
            .into_iter()
            .map(|(slot, replica, event)| Prediction {
                slot: Slot(slot),
                replica: ReplicaId(replica),
                event,
            })
            .collect();
        predictions.sort();
        predictions
    })
}

/// Any text, texts that look like something else in YAML among them.
fn text() -> impl Strategy<Value = String> {
    let tricky = [
        "",
        "null",
        "~",
        "true",
        "no",
        "0x10",
        "1e3",
        ".inf",
        "012",
        "- a",
        "a: b",
        "# c",
        "'",
        "\"",
        " lead",
        "trail ",
        "a\nb",
        "a\n",
        "\n",
        "\ta",
        "\r\n",
        "\u{feff}",
        "\u{7f}",
        "!tag",
        "&a",
        "*a",
        "{",
        "[",
        "|",
        ">",
        "%",
        "@",
        "`",
        "<<",
        "=",
        "2001-01-01",
        "1:30",
        "milp solve 'a b.yaml' --out \"c\"",
        "at most 1 block, 4 views: proved (bound 1)",
        "…",
        "😀",
    ];
    // Line breaks that only YAML 1.1 knows have a test of their own.
    let any =
        any::<String>().prop_map(|text| text.replace(['\u{85}', '\u{2028}', '\u{2029}'], " "));
    prop_oneof![
        prop::sample::select(tricky.to_vec()).prop_map(str::to_owned),
        any
    ]
}

fn certificate() -> impl Strategy<Value = Certificate> {
    prop_oneof![
        any::<i64>().prop_map(|bound| Certificate::SafeDualBound { bound }),
        any::<u64>().prop_map(|seed| Certificate::PermutedInfeasible { seed }),
        (any::<i64>(), any::<[u32; 3]>()).prop_map(|(bound, [exact, symmetric, searched])| {
            Certificate::Cubes {
                bound,
                exact,
                symmetric,
                searched,
            }
        }),
    ]
}

/// Names as columns and rows have them.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_]{1,12}"
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let point = (name(), any::<i64>()).prop_map(|(column, value)| Part::Point { column, value });
    let multipliers = prop::collection::vec((name(), any::<i64>()), 0..4);
    let cube = prop_oneof![
        (name(), any::<i64>()).prop_map(|(expression, at)| Part::Split { expression, at }),
        (any::<u32>(), multipliers)
            .prop_map(|(shift, multipliers)| Part::Bound { shift, multipliers }),
        any::<(u32, u32)>().prop_map(|replicas| Part::Symmetric { replicas }),
        any::<u64>().prop_map(|seed| Part::Searched { seed }),
    ];
    let points = prop::collection::vec(point, 0..5);
    (points, prop::collection::vec(cube, 0..9)).prop_map(|(mut parts, cubes)| {
        parts.extend(cubes);
        Evidence { parts }
    })
}

fn program() -> impl Strategy<Value = ProgramDigest> {
    (1..u64::MAX / 2, 0..u64::MAX / 2, any::<u64>()).prop_map(|(columns, rows, seed)| {
        ProgramDigest {
            columns,
            rows,
            sha256: write::sha256_hex(&seed.to_le_bytes()),
        }
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let numbers = (
        prop_oneof![
            any::<i64>().prop_map(|primal| (Termination::Optimal, Some(primal))),
            any::<i64>().prop_map(|primal| (Termination::Feasible, Some(primal))),
            Just((Termination::Infeasible, None)),
            Just((Termination::Undecided, None)),
        ],
        option::of(-1e15..1e15_f64),
        0..i64::MAX,
        0.0..1e9_f64,
    );
    let words = (text(), text(), text());
    let run = prop::collection::btree_map(text(), text(), 0..6)
        .prop_map(|run| run.into_iter().collect::<Vec<_>>());
    (
        numbers,
        (option::of(certificate()), option::of(program())),
        any::<bool>(),
        words,
        instance(),
        run.prop_shuffle(),
    )
        .prop_map(
            |(numbers, (certificate, program), proved, words, instance, run)| {
                let ((termination, primal), dual, nodes, seconds) = numbers;
                let (formulation, sentence, command) = words;
                let faulty = instance.faults.iter().find_map(|fault| match &fault.who {
                    Who::These(members) => Some((fault.kind, members.clone())),
                    Who::Any(0) | Who::Power(0) => None,
                    Who::Any(_) | Who::Power(_) => Some((fault.kind, vec![ReplicaId(0)])),
                });
                let faulty = faulty.map(|(kind, members)| {
                    members.into_iter().map(|member| (member, kind)).collect()
                });
                // A schedule of a program without slots may need other slots than were asked for.
                let asked_slots = if nodes % 2 == 0 {
                    instance.slots
                } else {
                    *milp_schema::limits::SLOTS.end()
                };
                Outcome {
                    termination,
                    primal,
                    dual,
                    proved: proved && certificate.is_some(),
                    nodes,
                    seconds,
                    formulation,
                    certificate: certificate.unwrap_or(Certificate::None),
                    certificate_sha256: program.as_ref().map(|program| program.sha256.clone()),
                    program,
                    faulty: faulty.unwrap_or_default(),
                    schedule_sha256: primal.map(|_| write::sha256_hex(sentence.as_bytes())),
                    sentence,
                    instance,
                    asked_slots,
                    command,
                    run,
                }
            },
        )
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let holds = || prop_oneof![Just(Holds::Holds), Just(Holds::Violated)];
    let termination = prop_oneof![
        Just(Liveness::Decided),
        Just(Liveness::Stuck),
        Just(Liveness::Open)
    ];
    let properties = (holds(), holds(), holds(), holds(), holds(), termination);
    (
        text(),
        properties,
        any::<Option<u32>>(),
        any::<[u32; 3]>(),
        prop::collection::vec(text(), 0..5),
    )
        .prop_map(
            |(
                engine,
                (agreement, finality, validity, integrity, lock, termination),
                divergences,
                [impossible, unapplied, faults],
                notes,
            )| {
                Verdict {
                    format: FORMAT.to_owned(),
                    engine,
                    agreement,
                    finality,
                    validity,
                    integrity,
                    lock,
                    termination,
                    wasted: divergences,
                    guilty: divergences,
                    divergences,
                    impossible,
                    unapplied,
                    faults,
                    notes,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_instance_is_read_back_as_it_was_written(instance in instance()) {
        let text = write::instance_yaml(&instance);
        let back = read::instance_text("instance.yaml", &text);
        prop_assert_eq!(back, Ok(instance), "{}", text);
    }

    #[test]
    fn choices_are_read_back_as_they_were_written(choices in choices()) {
        let text = write::choices_csv(&choices);
        prop_assert_eq!(read::choices_text(dbft2(), "schedule.csv", &text), Ok(choices.clone()), "{}", text);
        let windows = text.replace('\n', "\r\n");
        prop_assert_eq!(read::choices_text(dbft2(), "schedule.csv", &windows), Ok(choices.clone()));
        let rows = windows.lines().map(|row| format!("\"{}\"\r\n", row.replace(',', "\",\"")));
        let quoted: String = rows.collect();
        prop_assert_eq!(read::choices_text(dbft2(), "schedule.csv", &quoted), Ok(choices), "{}", quoted);
    }

    #[test]
    fn evidence_is_read_back_as_it_was_written(evidence in evidence()) {
        let text = write::certificate_csv(&evidence);
        prop_assert_eq!(read::certificate_text("certificate.csv", &text), Ok(evidence), "{}", text);
    }

    #[test]
    fn predictions_are_read_back_as_they_were_written(predictions in predictions()) {
        let text = write::predictions_csv(&predictions);
        prop_assert_eq!(read::predictions_text(dbft2(), "predictions.csv", &text), Ok(predictions), "{}", text);
    }

    #[test]
    fn an_outcome_is_read_back_as_it_was_written(outcome in outcome()) {
        let text = write::outcome_yaml(&outcome);
        let back = read::outcome_text("outcome.yaml", &text);
        prop_assert_eq!(back, Ok(outcome), "{}", text);
    }

    #[test]
    fn a_verdict_is_read_back_as_it_was_written(verdict in verdict()) {
        let text = write::verdict_yaml(&verdict);
        let back = read::yaml_text("verdict.own.yaml", &text, "verdict");
        prop_assert_eq!(back, Ok(verdict), "{}", text);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["schedule.csv", "predictions.csv", "outcome.yaml"] {
            std::fs::write(folder.path().join(name), &bytes).expect("a file");
        }
        let path = folder.path().join("outcome.yaml");
        prop_assert!(read::instance(&path).is_err());
        prop_assert!(read::outcome(&path).is_err());
        prop_assert!(read::verdict(&path).is_err());
        prop_assert!(read::schedule(dbft2(), folder.path()).is_err());
    }

    #[test]
    fn damaged_files_are_read_or_refused_without_a_panic(
        instance in instance(),
        choices in choices(),
        outcome in outcome(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..4),
        end in any::<prop::sample::Index>(),
    ) {
        let damaged = |text: String| -> String {
            let mut chars: Vec<char> = text.chars().collect();
            for (place, by) in &damage {
                let place = place.index(chars.len());
                chars[place] = *by;
            }
            chars.truncate(end.index(chars.len()) + 1);
            chars.into_iter().collect()
        };
        let places_are_inside = |error: &read::ReadError, text: &str| {
            error.problems.iter().all(|problem| {
                problem.line >= 1 && problem.column >= 1
                    && problem.line <= text.split(['\n', '\r']).count() + 1
            })
        };
        let text = damaged(write::instance_yaml(&instance));
        if let Err(error) = read::instance_text("x", &text) {
            prop_assert!(places_are_inside(&error, &text), "{}\n{}", error, text);
        }
        let text = damaged(write::choices_csv(&choices));
        if let Err(error) = read::choices_text(dbft2(), "x", &text) {
            prop_assert!(places_are_inside(&error, &text), "{}\n{}", error, text);
        }
        let text = damaged(write::outcome_yaml(&outcome));
        if let Err(error) = read::outcome_text("x", &text) {
            prop_assert!(places_are_inside(&error, &text), "{}\n{}", error, text);
        }
    }
}

#[test]
fn a_header_alone_is_an_empty_schedule() {
    let choices = read::choices_text(dbft2(), "schedule.csv", &write::choices_csv(&[]));
    let predictions =
        read::predictions_text(dbft2(), "predictions.csv", &write::predictions_csv(&[]));
    assert_eq!(choices, Ok(Vec::new()));
    assert_eq!(predictions, Ok(Vec::new()));
    assert_eq!(
        write::choices_csv(&[]),
        "slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup\n"
    );
    assert_eq!(
        write::predictions_csv(&[]),
        "slot,event,replica,kind,height,view,value,justification\n"
    );
}

#[test]
fn a_folder_is_read_with_the_problems_of_both_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("schedule.csv"), "slot\n").expect("a file");
    let error =
        read::schedule(dbft2(), folder.path()).expect_err("a wrong header and a missing file");
    let files: Vec<_> = error
        .problems
        .iter()
        .map(|problem| problem.file.as_str())
        .collect();
    assert!(files[0].ends_with("schedule.csv"), "{error}");
    assert!(files[1].ends_with("predictions.csv"), "{error}");
    assert_eq!((error.problems[1].line, files.len()), (0, 2), "{error}");

    std::fs::write(folder.path().join("schedule.csv"), write::choices_csv(&[])).expect("a file");
    std::fs::write(
        folder.path().join("predictions.csv"),
        write::predictions_csv(&[]),
    )
    .expect("a file");
    assert_eq!(
        read::schedule(dbft2(), folder.path()),
        Ok(Schedule::default())
    );
}

#[test]
fn the_instance_of_the_design_is_read_with_its_defaults() {
    let text = "\
format: milp-instance/2.0
protocol: dbft2            # dbft1 | dbft2 | dbft2-nspcc | dbft2-tla | dbft2-tla-per-view
replicas: 4
faults: {kind: byzantine, count: 1}   # or replicas: [3] to fix who
heights: 1
views: 4
blocks_per_proposal: 1  # 2 or more: a Byzantine primary may equivocate
slots: 24
network: eventual       # asynchronous | eventual | {bounded: {delay_min: 1, delay_max: 4, gst: 0}}
timers: free          # free | protocol
primary: rotation       # rotation | free
goal: fork
formulation: auto
budget: {late: 3}       # optional limits on the adversary's acts
mutant: no-commit-lock  # optional: a deliberately broken protocol
";
    let instance = read::instance_text("n4.yaml", text).expect("the example is good");
    let short = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
faults: [{count: 1, kind: byzantine}]
views: 4
slots: 24
goal: fork
budget: {late: 3}
mutant: no-commit-lock
";
    assert_eq!(
        read::instance_text("short.yaml", short),
        Ok(instance.clone())
    );
    assert_eq!(
        instance.faults,
        [Fault {
            kind: FaultKind::Byzantine,
            who: Who::Any(1)
        }]
    );
    assert_eq!(
        instance.budget,
        Budget {
            late: Some(3),
            ..Budget::default()
        }
    );
    assert_eq!(
        (instance.quorum(), instance.heights, instance.block_time),
        (3, 1, None)
    );
}

#[test]
fn members_of_a_fault_are_sorted() {
    let text = "\
format: milp-instance/2.0
protocol: dbft1
replicas: 7
faults: {kind: crash, replicas: [5, 0]}
views: 1
slots: 4
goal: stall
";
    let instance = read::instance_text("n7.yaml", text).expect("any order will do");
    assert_eq!(
        instance.faults,
        [Fault {
            kind: FaultKind::Crash,
            who: Who::These(vec![ReplicaId(0), ReplicaId(5)])
        }]
    );
}

#[test]
fn a_file_that_is_not_utf8_is_refused_at_the_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("n4.yaml");
    std::fs::write(
        &path,
        b"format: milp-instance/2.0\nprotocol: \xc3\xa9\xff\n",
    )
    .expect("a file");
    let error = read::instance(&path).expect_err("0xff is no UTF-8");
    let problem = &error.problems[0];
    assert_eq!((problem.line, problem.column), (2, 12), "{error}");
    assert!(problem.what.contains("0xff"), "{error}");
    assert_eq!(error.problems.len(), 1, "{error}");
}

#[test]
fn a_missing_file_is_named_without_a_place() {
    let error = read::instance("no/such/file.yaml".as_ref()).expect_err("there is none");
    let text = error.to_string();
    assert!(
        text.starts_with("no/such/file.yaml: cannot read the file"),
        "{text}"
    );
    assert!(text.contains("\n  hint: check the path"), "{text}");
}

#[test]
fn a_typed_file_of_another_version_or_with_unknown_keys_is_refused() {
    let verdict = "\
format: milp-verdict/2.0
engine: dbft2-paper
agreement: holds
finality: holds
validity: holds
integrity: holds
lock: violated
termination: stuck
divergences: 0
impossible: 0
unapplied: 0
faults: 0
notes: []
";
    let read = |text: &str| read::yaml_text::<Verdict>("verdict.yaml", text, "verdict");
    assert_eq!(
        read(verdict).map(|verdict| verdict.termination),
        Ok(Liveness::Stuck)
    );
    let cases = [
        ("verdict/2.0", "verdict/1.1", (1, 9), "reads 2.0 only"),
        ("verdict/2.0", "verdict/2.1", (1, 9), "reads 2.0 only"),
        ("verdict/2.0", "outcome/2.0", (1, 9), "`milp-verdict/2.0`"),
        ("lock: violated", "lock: broken", (7, 7), "broken"),
        ("divergences: 0", "divergences: -1", (9, 14), ""),
        ("notes: []", "notes: []\nnote: 1", (14, 1), "note"),
        (
            "notes: []",
            "notes: []\nlock: holds",
            (14, 1),
            "duplicate key `lock`",
        ),
        ("notes: []\n", "", (12, 1), "missing field `notes`"),
        (
            "divergences: 0\n",
            "",
            (12, 1),
            "missing field `divergences`",
        ),
    ];
    for (replace, by, place, fragment) in cases {
        let error = read(&verdict.replace(replace, by)).expect_err(by);
        let problem = &error.problems[0];
        assert_eq!((problem.line, problem.column), place, "{by}: {error}");
        assert!(problem.what.contains(fragment), "{by}: {error}");
    }
}

#[test]
fn line_breaks_of_old_yaml_are_written_as_spaces() {
    let verdict = "\
format: milp-verdict/2.0
engine: \"a\\u2028b\\u0085c\\u2029d\"
agreement: holds
finality: holds
validity: holds
integrity: holds
lock: holds
termination: open
divergences: 0
impossible: 0
unapplied: 0
faults: 0
notes: []
";
    let mut verdict: Verdict =
        read::yaml_text("x", verdict, "verdict").expect("a reader takes them as they are");
    assert_eq!(verdict.engine, "a\u{2028}b\u{85}c\u{2029}d");
    let back = read::yaml_text("x", &write::verdict_yaml(&verdict), "verdict");
    verdict.engine = "a b c d".to_owned();
    assert_eq!(back, Ok(verdict));
}

#[test]
fn sha256_is_that_of_the_standard() {
    // FIPS 180-2, appendix B.1.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(write::sha256_hex(b"abc"), expected);
}
