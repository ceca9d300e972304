//! Formulation `reference` against the published programs.
//!
//! The golden files were made from what the published scripts build: each family's number of
//! rows, of non-zeros, and a digest of its rows in a normal form (`docs/protocols/reference-2020.md`
//! says how). They are compared, never rewritten.

use milp_model::{
    Error, build,
    program::{Program, Row, Tag},
};
use milp_schema::{
    Instance, ReplicaId,
    instance::{
        BigM, Budget, Fault, FaultKind, Formulation, Goal, Network, Primary, Published, Receipt,
        Reference, Sense, Timeouts, Who,
    },
};
use std::{collections::BTreeMap, fmt::Write as _};

fn instance(protocol: &str, n: u32, slots_per_view: u32, reference: Reference) -> Instance {
    let f = (n - 1) / 3;
    let messages = i64::from(reference.model == Published::Liveness);
    Instance {
        protocol: protocol.into(),
        rules: "reference-2020".into(),
        replicas: n,
        faults: vec![Fault {
            kind: FaultKind::Byzantine,
            who: Who::These((2 * f + 1..n).map(ReplicaId).collect()),
        }],
        beyond_budget: false,
        heights: 1,
        views: n,
        blocks_per_proposal: 1,
        slots: n * slots_per_view,
        network: Network::Asynchronous,
        timeouts: Timeouts::Free,
        block_time: None,
        primary: Primary::Free,
        goal: Goal::Weighted {
            sense: Sense::Maximize,
            blocks: 1000,
            views: 100 * messages,
            messages,
        },
        formulation: Formulation::Reference,
        budget: Budget::default(),
        mutant: None,
        reference,
    }
}

fn program(instance: &Instance) -> Program {
    let built = build(instance).expect("it builds");
    assert_eq!(built.formulation(), "reference");
    built.program().clone()
}

fn model(model: Published) -> Reference {
    Reference {
        model,
        ..Reference::default()
    }
}

/// The row with its terms by name, divided by the common divisor of all its numbers, the first
/// coefficient positive.
fn normal(program: &Program, row: &Row) -> String {
    let named = |&(col, k): &(milp_model::program::Col, i64)| {
        (program.columns[col.index()].name.clone(), k)
    };
    let mut terms: Vec<(String, i64)> = row.terms.iter().map(named).collect();
    terms.sort();
    let (sense, side) = match (row.lower, row.upper) {
        (Some(lower), Some(upper)) => {
            assert_eq!(lower, upper, "{}", row.name);
            ("=", upper)
        }
        (None, Some(upper)) => ("<", upper),
        (Some(lower), None) => (">", lower),
        (None, None) => panic!("{} has no side", row.name),
    };
    let divisor = terms
        .iter()
        .fold(side.abs(), |all, (_, k)| gcd(all, k.abs()));
    let (divisor, sense) = match (terms[0].1 > 0, sense) {
        (true, sense) => (divisor, sense),
        (false, "<") => (-divisor, ">"),
        (false, ">") => (-divisor, "<"),
        (false, sense) => (-divisor, sense),
    };
    let mut text = row.name.clone();
    for (name, k) in terms {
        write!(text, " {:+}*{name}", k / divisor).expect("a string takes it");
    }
    format!("{text} {sense} {}", side / divisor)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// FNV-1a of 64 bits.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Sizes, and a line per family: name, rows, non-zeros, digest.
fn table(program: &Program) -> String {
    let mut families: BTreeMap<&str, (Vec<String>, usize)> = BTreeMap::new();
    for row in &program.rows {
        let family = families.entry(&program.family(row).name).or_default();
        family.0.push(normal(program, row));
        family.1 += row.terms.len();
    }
    let (columns, rows) = (program.columns.len(), program.rows.len());
    let nonzeros = program.nonzeros();
    let mut text = format!("columns {columns}\nrows {rows}\nnonzeros {nonzeros}\n");
    for (name, (mut rows, nonzeros)) in families {
        rows.sort();
        let (number, digest) = (rows.len(), digest(&rows.join("\n")));
        writeln!(text, "{name} {number} {nonzeros} {digest:016x}").expect("a string takes it");
    }
    text
}

#[track_caller]
fn check(name: &str, instance: &Instance) {
    let path = format!(
        "{}/tests/golden/reference-{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let published = std::fs::read_to_string(path).expect("a golden file");
    let ours = table(&program(instance));
    for (ours, published) in ours.lines().zip(published.lines()) {
        assert_eq!(ours, published, "{name}");
    }
    assert_eq!(ours, published, "{name}");
}

#[test]
fn the_programs_about_liveness_are_the_published_ones_row_by_row() {
    let plain = Reference::default();
    let speed_up = Reference {
        speed_up: true,
        ..plain.clone()
    };
    let all = [
        Receipt::PrepareRequest,
        Receipt::PrepareResponse,
        Receipt::PreCommit,
        Receipt::Commit,
        Receipt::ChangeView,
    ];
    let deliver = |without: &[Receipt]| Reference {
        deliver: all.into_iter().filter(|it| !without.contains(it)).collect(),
        ..plain.clone()
    };
    let two = instance("dbft2", 4, 8, plain.clone());
    check("dbft2-liveness-n4", &two);
    check("dbft2-liveness-n7", &instance("dbft2", 7, 8, plain.clone()));
    let delivered = instance("dbft2", 4, 8, deliver(&[Receipt::PreCommit]));
    check("dbft2-liveness-n4-deliver", &delivered);
    check("dbft3-liveness-n4", &instance("dbft3", 4, 8, plain.clone()));
    let fast = instance("dbft3", 4, 8, speed_up);
    check("dbft3-liveness-n4-speed-up", &fast);
    check(
        "dbft3-liveness-n4-deliver",
        &instance("dbft3", 4, 8, deliver(&[])),
    );
}

#[test]
fn the_programs_about_forks_are_the_published_ones_row_by_row() {
    let (plain, free) = (model(Published::Fork), model(Published::ForkByzantine));
    check("dbft1-fork-n4", &instance("dbft1", 4, 8, plain.clone()));
    check(
        "dbft1-fork-byzantine-n4",
        &instance("dbft1", 4, 8, free.clone()),
    );
    check("dbft2-fork-n4", &instance("dbft2", 4, 8, plain.clone()));
    check("dbft2-fork-byzantine-n4", &instance("dbft2", 4, 8, free));
    let speed_up = Reference {
        speed_up: true,
        ..plain
    };
    check("dbft3-fork-n4-speed-up", &instance("dbft3", 4, 8, speed_up));
}

#[test]
fn sizes_are_the_published_ones() {
    let sizes = |program: &Program| {
        (
            program.columns.len(),
            program.rows.len(),
            program.nonzeros(),
        )
    };
    let mut two = instance("dbft2", 4, 8, Reference::default());
    assert_eq!(sizes(&program(&two)), (2730, 4281, 27548));
    // Without a weight messages are not counted.
    two.goal = Goal::Weighted {
        sense: Sense::Minimize,
        blocks: 1000,
        views: 100,
        messages: 0,
    };
    assert_eq!(sizes(&program(&two)), (2730, 4278, 24983));
    let seven = Instance {
        goal: two.goal,
        ..instance("dbft2", 7, 8, Reference::default())
    };
    assert_eq!(sizes(&program(&seven)), (13047, 19318, 121_436));
}

#[test]
fn valid_inequalities_are_added_and_change_no_published_row() {
    for protocol in ["dbft2", "dbft3"] {
        let plain = instance(protocol, 4, 5, Reference::default());
        let mut more = plain.clone();
        more.reference.valid_inequalities = true;
        let (plain, more) = (program(&plain), program(&more));
        assert_eq!(more.rows[..plain.rows.len()], plain.rows[..]);
        assert_eq!(more.columns, plain.columns);
        assert_eq!(more.objective, plain.objective);
        let added = &more.rows[plain.rows.len()..];
        assert!(added.len() > 100, "{}", added.len());
        for row in added {
            let tag = more.family(row).tag;
            assert!(matches!(tag, Tag::Valid | Tag::Symmetry), "{}", row.name);
        }
    }
}

#[test]
fn the_corrected_constant_is_the_published_one_where_that_forbids_nothing() {
    let corrected = |protocol: &str, n| {
        let reference = Reference {
            big_m: BigM::Corrected,
            ..Reference::default()
        };
        program(&instance(protocol, n, 5, reference))
    };
    let published = |protocol, n| program(&instance(protocol, n, 5, Reference::default()));
    assert_eq!(corrected("dbft2", 4), published("dbft2", 4));
    let differ = |one: &Program, other: &Program| -> Vec<String> {
        let rows = one.rows.iter().zip(&other.rows);
        let rows = rows.filter(|(one, other)| one != other);
        let mut all: Vec<String> = rows.map(|(row, _)| one.family(row).name.clone()).collect();
        all.dedup();
        all
    };
    assert_eq!(
        differ(&corrected("dbft2", 7), &published("dbft2", 7)),
        [
            "assertAtLeastOnePrimaryIfEnoughCV",
            "assertSendCommitWithinSimLimit",
            "assertBlockRelayWithinSimLimit"
        ]
    );
    // f + 1 responses of four leave three more, and both priorities can be decided.
    assert_eq!(
        differ(&corrected("dbft3", 4), &published("dbft3", 4)),
        [
            "blockRelayedCounterForced",
            "assertSendPreCommitWithinSimLimit1"
        ]
    );
}

#[test]
fn the_goal_has_a_power_of_ten_for_each_view_with_a_primary() {
    let mut powers = instance("dbft2", 4, 5, Reference::default());
    powers.reference.ten_to_the_view = true;
    powers.goal = Goal::Weighted {
        sense: Sense::Minimize,
        blocks: 99,
        views: 0,
        messages: 0,
    };
    let program = program(&powers);
    let weights: BTreeMap<&str, i64> = program
        .objective
        .iter()
        .map(|&(col, weight)| (program.columns[col.index()].name.as_str(), weight))
        .collect();
    assert_eq!(weights.len(), 4 * 4 + 1);
    assert_eq!(weights["Primary(2,1)"], 10);
    assert_eq!(weights["Primary(4,4)"], 10_000);
    assert_eq!(weights["totalBlockRelayed"], 99);
}

#[test]
fn what_the_published_programs_do_not_have_is_refused_by_name() {
    type Change = fn(&mut Instance);
    let cases: [(Change, &str); 15] = [
        (|it| it.slots = 33, "33 slots in 4 views"),
        (|it| it.slots = 4, "1 slot per view"),
        (|it| it.rules = "paper".into(), "rule set `paper`"),
        (|it| it.heights = 2, "several heights"),
        (|it| it.blocks_per_proposal = 2, "several blocks"),
        (|it| it.network = Network::Eventual, "network guarantees"),
        (|it| it.primary = Primary::Rotation, "rotation"),
        (|it| it.budget.late = Some(1), "budget"),
        (|it| it.replicas = 5, "5 replicas"),
        (|it| it.faults.clear(), "replicas: [3]"),
        (|it| it.goal = Goal::Fork, "goal"),
        (|it| it.reference.speed_up = true, "`speed_up`"),
        (|it| it.protocol = "dbft1".into(), "liveness of dBFT 1.0"),
        (
            |it| it.reference.deliver = vec![Receipt::PreCommit],
            "`pre_commit`",
        ),
        (
            |it| it.reference.model = Published::Fork,
            "more than blocks",
        ),
    ];
    for (change, words) in cases {
        let mut bad = instance("dbft2", 4, 8, Reference::default());
        change(&mut bad);
        let error = build(&bad).expect_err(words);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    // And no other formulation takes the published rules.
    let mut timed = instance("dbft2", 4, 8, Reference::default());
    timed.formulation = Formulation::Timed;
    assert!(build(&timed).is_err());
    timed.formulation = Formulation::Auto;
    assert_eq!(
        build(&timed).expect("the published program").formulation(),
        "reference"
    );
}

#[test]
fn a_point_is_a_table_and_no_schedule() {
    let built = build(&instance("dbft3", 4, 5, Reference::default())).expect("it builds");
    let columns = &built.program().columns;
    let mut point = vec![0; columns.len()];
    for name in [
        "RecvCommit(2,4,1,3,2)",
        "Primary(1,2,1)",
        "lastRelayedBlock",
    ] {
        let at = columns.iter().position(|column| column.name == name);
        point[at.expect("a column")] = 1;
    }
    let table = built.table(&point).expect("a table");
    assert_eq!(
        table,
        "view,slot,overall_slot,replica,act,from,priority,value,column\n\
         1,,,2,Primary,,1,1,\"Primary(1,2,1)\"\n\
         2,4,9,1,RecvCommit,3,2,1,\"RecvCommit(2,4,1,3,2)\"\n\
         ,,,,lastRelayedBlock,,,1,\"lastRelayedBlock\"\n"
    );
    let error = built.decode(&point).expect_err("no schedule");
    assert!(matches!(error, Error::NoSchedule { .. }), "{error}");
}
