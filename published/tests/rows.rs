//! The rows against the published programs.
//!
//! The golden files were made from what the published scripts build: each family's number of
//! rows, of non-zeros, and a digest of its rows in a normal form (`docs/PUBLISHED.md` says how).
//! They are compared, never rewritten.

use milp_model::program::{Program, Row, Tag};
use milp_published::{
    Error, Question, build,
    question::{BigM, FORMAT, Goal, Protocol, Published, Receipt},
};
use milp_schema::instance::Sense;
use std::{collections::BTreeMap, fmt::Write as _};

fn question(protocol: Protocol, n: u32, slots: u32) -> Question {
    Question {
        format: FORMAT.into(),
        protocol,
        model: Published::Liveness,
        replicas: n,
        views: n,
        slots,
        goal: Goal {
            sense: Sense::Maximize,
            blocks: 1000,
            views: 100,
            messages: 1,
        },
        speed_up: false,
        big_m: BigM::Published,
        deliver: vec![],
        ten_to_the_view: false,
        valid_inequalities: false,
    }
}

/// A question about forks, which weighs blocks only.
fn fork(protocol: Protocol, model: Published) -> Question {
    let mut question = question(protocol, 4, 8);
    question.model = model;
    (question.goal.views, question.goal.messages) = (0, 0);
    question
}

fn program(question: &Question) -> Program {
    build(question).expect("it builds").program
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
fn check(name: &str, question: &Question) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let published = std::fs::read_to_string(path).expect("a golden file");
    let ours = table(&program(question));
    for (ours, published) in ours.lines().zip(published.lines()) {
        assert_eq!(ours, published, "{name}");
    }
    assert_eq!(ours, published, "{name}");
}

#[test]
fn the_programs_about_liveness_are_the_published_ones_row_by_row() {
    let speed_up = Question {
        speed_up: true,
        ..question(Protocol::Dbft3, 4, 8)
    };
    let all = [
        Receipt::PrepareRequest,
        Receipt::PrepareResponse,
        Receipt::PreCommit,
        Receipt::Commit,
        Receipt::ChangeView,
    ];
    let deliver = |protocol, without: &[Receipt]| Question {
        deliver: all.into_iter().filter(|it| !without.contains(it)).collect(),
        ..question(protocol, 4, 8)
    };
    let (two, three) = (Protocol::Dbft2, Protocol::Dbft3);
    check("dbft2-liveness-n4", &question(two, 4, 8));
    check("dbft2-liveness-n7", &question(two, 7, 8));
    let delivered = deliver(two, &[Receipt::PreCommit]);
    check("dbft2-liveness-n4-deliver", &delivered);
    check("dbft3-liveness-n4", &question(three, 4, 8));
    check("dbft3-liveness-n4-speed-up", &speed_up);
    check("dbft3-liveness-n4-deliver", &deliver(three, &[]));
}

#[test]
fn the_programs_about_forks_are_the_published_ones_row_by_row() {
    let (plain, free) = (Published::Fork, Published::ForkByzantine);
    check("dbft1-fork-n4", &fork(Protocol::Dbft1, plain));
    check("dbft1-fork-byzantine-n4", &fork(Protocol::Dbft1, free));
    check("dbft2-fork-n4", &fork(Protocol::Dbft2, plain));
    check("dbft2-fork-byzantine-n4", &fork(Protocol::Dbft2, free));
    let speed_up = Question {
        speed_up: true,
        ..fork(Protocol::Dbft3, plain)
    };
    check("dbft3-fork-n4-speed-up", &speed_up);
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
    let mut two = question(Protocol::Dbft2, 4, 8);
    assert_eq!(sizes(&program(&two)), (2730, 4281, 27548));
    // Without a weight messages are not counted.
    two.goal = Goal {
        sense: Sense::Minimize,
        blocks: 1000,
        views: 100,
        messages: 0,
    };
    assert_eq!(sizes(&program(&two)), (2730, 4278, 24983));
    let seven = Question {
        goal: two.goal,
        ..question(Protocol::Dbft2, 7, 8)
    };
    assert_eq!(sizes(&program(&seven)), (13047, 19318, 121_436));
}

#[test]
fn valid_inequalities_are_added_and_change_no_published_row() {
    for protocol in [Protocol::Dbft2, Protocol::Dbft3] {
        let plain = question(protocol, 4, 5);
        let mut more = plain.clone();
        more.valid_inequalities = true;
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
    let (two, three) = (Protocol::Dbft2, Protocol::Dbft3);
    let corrected = |protocol, n| {
        program(&Question {
            big_m: BigM::Corrected,
            ..question(protocol, n, 5)
        })
    };
    let published = |protocol, n| program(&question(protocol, n, 5));
    assert_eq!(corrected(two, 4), published(two, 4));
    let differ = |one: &Program, other: &Program| -> Vec<String> {
        let rows = one.rows.iter().zip(&other.rows);
        let rows = rows.filter(|(one, other)| one != other);
        let mut all: Vec<String> = rows.map(|(row, _)| one.family(row).name.clone()).collect();
        all.dedup();
        all
    };
    assert_eq!(
        differ(&corrected(two, 7), &published(two, 7)),
        [
            "assertAtLeastOnePrimaryIfEnoughCV",
            "assertSendCommitWithinSimLimit",
            "assertBlockRelayWithinSimLimit"
        ]
    );
    // f + 1 responses of four leave three more, and both priorities can be decided.
    assert_eq!(
        differ(&corrected(three, 4), &published(three, 4)),
        [
            "blockRelayedCounterForced",
            "assertSendPreCommitWithinSimLimit1"
        ]
    );
}

#[test]
fn the_goal_has_a_power_of_ten_for_each_view_with_a_primary() {
    let mut powers = question(Protocol::Dbft2, 4, 5);
    powers.ten_to_the_view = true;
    powers.goal = Goal {
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
    type Change = fn(&mut Question);
    let cases: [(Change, &str); 15] = [
        (|it| it.slots = 1, "1 slot per view"),
        (|it| it.slots = 1_000, "1000 slots per view"),
        (|it| it.views = 0, "0 views"),
        (|it| it.replicas = 5, "5 replicas"),
        (|it| it.replicas = 1, "1 replicas"),
        (|it| it.replicas = 130, "130 replicas"),
        (|it| it.goal.blocks = 1_000_001, "the weight 1000001"),
        (|it| it.speed_up = true, "`speed_up`"),
        (|it| it.protocol = Protocol::Dbft1, "liveness of dBFT 1.0"),
        (
            |it| {
                it.protocol = Protocol::Dbft3;
                it.model = Published::ForkByzantine;
            },
            "second program about forks of dBFT 3.0",
        ),
        (|it| it.deliver = vec![Receipt::PreCommit], "`pre_commit`"),
        (
            |it| it.deliver = vec![Receipt::Commit, Receipt::Commit],
            "delivered twice",
        ),
        (|it| it.model = Published::Fork, "more than blocks"),
        (
            |it| {
                *it = fork(Protocol::Dbft2, Published::Fork);
                it.big_m = BigM::Corrected;
            },
            "`big_m` in a program about forks",
        ),
        (
            |it| {
                it.ten_to_the_view = true;
                it.views = 16;
            },
            "beyond 15 views",
        ),
    ];
    for (change, words) in cases {
        let mut bad = question(Protocol::Dbft2, 4, 8);
        change(&mut bad);
        let error = build(&bad).expect_err(words);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn a_program_that_no_machine_holds_is_refused_with_what_makes_it_large() {
    let mut large = question(Protocol::Dbft2, 127, 30);
    large.views = 32;
    let error = build(&large).expect_err("too large");
    assert!(matches!(error, Error::TooLarge(_)), "{error}");
    let words = "lower `replicas` (127), `views` (32), `slots` (30)";
    assert!(error.to_string().ends_with(words), "{error}");
}

#[test]
fn a_point_is_a_table() {
    let built = build(&question(Protocol::Dbft3, 4, 5)).expect("it builds");
    let columns = &built.program.columns;
    let mut point = vec![0; columns.len()];
    for name in [
        "RecvCommit(2,4,1,3,2)",
        "Primary(1,2,1)",
        "lastRelayedBlock",
    ] {
        let at = columns.iter().position(|column| column.name == name);
        point[at.expect("a column")] = 1;
    }
    assert_eq!(
        built.table(&point),
        "view,slot,overall_slot,replica,act,from,priority,value,column\n\
         1,,,2,Primary,,1,1,\"Primary(1,2,1)\"\n\
         2,4,9,1,RecvCommit,3,2,1,\"RecvCommit(2,4,1,3,2)\"\n\
         ,,,,lastRelayedBlock,,,1,\"lastRelayedBlock\"\n"
    );
}
