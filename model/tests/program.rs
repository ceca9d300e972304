//! Programs as text and as counts: what the rules of a protocol become.

use milp_model::{
    Error,
    formulation::timed,
    left_out::{self, LeftOut},
    program::{Program, Row, Tag},
    protocols,
    rule::Rule,
};
use milp_schema::{
    Instance,
    instance::{Budget, Fault, FaultKind, Goal, Network, Primary, Sense, Timers},
};
use std::{collections::BTreeSet, fmt::Write as _};

/// Every protocol, those of the paper first: a family is listed where it appears first.
const PROTOCOLS: [&str; 5] = [
    "dbft2",
    "dbft1",
    "dbft2-nspcc",
    "dbft2-tla",
    "dbft2-tla-per-view",
];

const WEIGHTED: Goal = Goal::Weighted {
    sense: Sense::Maximize,
    blocks: 1000,
    views: 100,
    messages: 1,
};

fn instance(protocol: &str, views: u32, slots: u32) -> Instance {
    Instance::builder(protocol)
        .faults([Fault::any(FaultKind::Byzantine, 1)])
        .views(views)
        .slots(slots)
        .build()
}

fn text(program: &Program, row: &Row) -> String {
    let mut text = format!("{}:", row.name);
    for (col, k) in &row.terms {
        let name = &program.columns[col.index()].name;
        write!(text, " {k:+} {name}").expect("writing to a string cannot fail");
    }
    match (row.lower, row.upper) {
        (Some(lower), Some(upper)) if lower == upper => write!(text, " = {upper}"),
        (lower, upper) => write!(text, " in {lower:?}..{upper:?}"),
    }
    .expect("writing to a string cannot fail");
    text
}

/// The longest row of each family, as text: enough to read the formula in it.
fn families(program: &Program) -> String {
    let mut out = String::new();
    for (number, family) in program.families.iter().enumerate() {
        let rows: Vec<&Row> = program
            .rows
            .iter()
            .filter(|row| row.family.0 as usize == number)
            .collect();
        let longest = rows.iter().rev().max_by_key(|row| row.terms.len());
        writeln!(
            out,
            "{} [{:?}] line {} equations {:?}\n  {}",
            family.name,
            family.tag,
            family.line,
            family.equations,
            longest.map_or_else(|| "no rows".into(), |row| text(program, row)),
        )
        .expect("writing to a string cannot fail");
    }
    out
}

/// Compares with the committed text; `UPDATE=1` rewrites it for review.
#[track_caller]
fn check(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("a golden file");
    assert!(
        golden == text,
        "{path} differs; UPDATE=1 rewrites it, then read the diff"
    );
}

#[test]
fn families_of_dbft2_read_as_their_formulas() {
    check(
        "dbft2",
        &families(&timed::of(&instance("dbft2", 2, 5)).unwrap().program),
    );
}

#[test]
fn families_of_the_production_rules_read_as_their_formulas() {
    let mut instance = instance("dbft2-nspcc", 2, 5);
    instance.blocks_per_proposal = 2;
    instance.goal = Goal::Stall;
    instance.timers = Timers::Protocol;
    instance.block_time = Some(3);
    check("nspcc", &families(&timed::of(&instance).unwrap().program));
}

#[test]
fn families_of_the_formal_model_read_as_their_formulas() {
    for rules in ["tla", "tla-per-view"] {
        let mut instance = instance(&format!("dbft2-{rules}"), 2, 5);
        instance.goal = Goal::Stall;
        check(rules, &families(&timed::of(&instance).unwrap().program));
    }
}

#[test]
fn families_of_dbft1_read_as_their_formulas() {
    check(
        "dbft1",
        &families(&timed::of(&instance("dbft1", 2, 5)).unwrap().program),
    );
}

#[test]
fn names_are_unique_and_every_column_appears_in_a_row() {
    for protocol in PROTOCOLS {
        let program = timed::of(&instance(protocol, 3, 8)).unwrap().program;
        let mut names: Vec<&str> = program
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .chain(program.rows.iter().map(|row| row.name.as_str()))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{protocol}");
        let mut used = vec![false; program.columns.len()];
        for (col, _) in program.rows.iter().flat_map(|row| &row.terms) {
            used[col.index()] = true;
        }
        let unused: Vec<_> = (0..used.len())
            .filter(|&col| !used[col])
            .map(|col| &program.columns[col].name)
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
    }
}

#[test]
fn coefficients_are_no_larger_than_the_number_of_replicas() {
    let program = timed::of(&instance("dbft2", 3, 8)).unwrap().program;
    for row in &program.rows {
        for (_, k) in &row.terms {
            assert!(k.abs() <= 4, "{}", text(&program, row));
        }
    }
}

#[test]
fn doing_nothing_is_an_execution() {
    for protocol in PROTOCOLS {
        let built = timed::of(&instance(protocol, 2, 6)).unwrap();
        let point = built
            .encode(&milp_schema::Schedule::default(), &[])
            .unwrap();
        let nothing: Vec<i64> = point.iter().map(|value| value.unwrap_or(0)).collect();
        let program = built.program;
        assert_eq!(
            program.violations(&nothing).collect::<Vec<_>>(),
            Vec::<&str>::new()
        );
        assert_eq!(program.value(&nothing), 0);
    }
}

#[test]
fn every_equation_of_the_paper_stands_in_a_family_or_holds_by_construction() {
    // (3)–(4) and (7)–(18): columns of slot 0 do not exist. (19) is not an equation. (24), (31),
    // (35): an own message is the event itself. See docs/MODEL.md.
    let by_construction = (7..=19).chain([24, 31, 35]);
    let mut instance = instance("dbft2", 2, 6);
    let mut found: Vec<u32> = by_construction.collect();
    for goal in [Goal::Fork, Goal::Finality] {
        instance.goal = goal;
        for family in timed::of(&instance).unwrap().program.families {
            found.extend(family.equations);
        }
    }
    let missing: Vec<u32> = (1..=39)
        .filter(|equation| !found.contains(equation))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_construct_that_timed_cannot_express_is_refused_by_name() {
    let instance = instance("dbft2", 2, 6);
    let refused = [
        (
            Rule::Carry {
                kind: instance.protocol.the("RecoveryMessage"),
            },
            "`carry`",
        ),
        (Rule::Relation { name: "parent" }, "`relation`"),
    ];
    for (rule, name) in refused {
        let mut protocol = protocols::of(&instance).unwrap();
        protocol.rules.push(rule);
        let error = timed::build(&instance, &protocol).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    for name in ["`negation`", "`hold`"] {
        let mut heights = self::instance("dbft2", 2, 6);
        heights.protocol = milp_schema::Protocol::shipped("dbft2-nspcc");
        let mut protocol = protocols::of(&heights).unwrap();
        let other = if name == "`hold`" {
            "`negation`"
        } else {
            "`hold`"
        };
        protocol.rules.retain(|rule| match rule {
            Rule::Negation(_) => other != "`negation`",
            Rule::Hold(_) => other != "`hold`",
            _ => true,
        });
        heights.heights = 2;
        let error = timed::build(&heights, &protocol).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.to_string().contains("several heights"), "{error}");
    }
    let mut free = instance.clone();
    free.primary = Primary::Free;
    assert!(
        timed::of(&free)
            .unwrap_err()
            .to_string()
            .contains("`primary: free`")
    );
    let mut stall = instance;
    stall.goal = Goal::Stall;
    stall.network = Network::Asynchronous;
    assert!(
        timed::of(&stall)
            .unwrap_err()
            .to_string()
            .contains("`network: asynchronous`")
    );
}

#[test]
fn a_rule_that_names_what_is_not_there_is_refused() {
    let instance = instance("dbft2", 2, 6);
    let mut protocol = protocols::of(&instance).unwrap();
    protocol
        .rules
        .retain(|rule| !matches!(rule, Rule::Event(event) if event.name == "commit"));
    let error = timed::build(&instance, &protocol).unwrap_err();
    assert!(matches!(error, Error::Dangling { .. }), "{error}");
}

#[test]
fn a_mutant_without_the_rule_has_no_vote_bound() {
    let mut instance = instance("dbft2", 2, 6);
    let bounded = |instance: &Instance| {
        let program = timed::of(instance).unwrap().program;
        program.rows.iter().any(|row| {
            let family = program.family(row);
            family.name == "decisions_at_most_by_votes" && family.tag == Tag::Valid
        })
    };
    assert!(bounded(&instance));
    instance.mutant = Some("no-commit-lock".into());
    assert!(!bounded(&instance));
    instance.mutant = None;
    instance.protocol = milp_schema::Protocol::shipped("dbft1");
    assert!(!bounded(&instance));
}

#[test]
fn with_more_byzantine_replicas_than_f_the_vote_bound_allows_a_fork() {
    let mut instance = instance("dbft2", 2, 6);
    instance.faults = vec![Fault::any(FaultKind::Byzantine, 2)];
    let program = timed::of(&instance).unwrap().program;
    let bound = program
        .rows
        .iter()
        .find(|row| program.family(row).name == "decisions_at_most_by_votes")
        .and_then(|row| row.upper);
    assert!(bound.is_none_or(|bound| bound >= 2), "{bound:?}");
}

#[test]
fn blocks_and_a_view_reached_share_the_votes_where_votes_and_requests_exclude_each_other() {
    let rows = |instance: &Instance| -> Vec<(usize, Option<i64>)> {
        let program = timed::of(instance).unwrap().program;
        let shared = |row: &&Row| {
            program.family(row).name == "decisions_and_reached_at_most_by_votes"
                && program.family(row).tag == Tag::Valid
        };
        let rows = program.rows.iter().filter(shared);
        rows.map(|row| (row.terms.len(), row.upper)).collect()
    };
    let mut instance = instance("dbft2", 3, 6);
    instance.goal = WEIGHTED;
    // The blocks of the views before, and the view reached: at most one of them.
    assert_eq!(rows(&instance), [(2, Some(1)), (3, Some(1))]);
    instance.faults = vec![Fault::any(FaultKind::Byzantine, 2)];
    // One honest vote each is enough, and there are two.
    assert_eq!(rows(&instance), [(3, Some(2))]);
    instance.mutant = Some("no-commit-lock".into());
    assert!(rows(&instance).is_empty());
    instance.mutant = None;
    instance.protocol = milp_schema::Protocol::shipped("dbft1");
    assert!(rows(&instance).is_empty());
}

#[test]
fn the_model_page_lists_every_family() {
    let mut table = String::from("| family | tag | line | equations |\n|---|---|---|---|\n");
    let mut seen = std::collections::BTreeSet::new();
    for protocol in PROTOCOLS {
        for goal in [
            Goal::Fork,
            Goal::Finality,
            Goal::Stall,
            Goal::Slow,
            Goal::Views,
            WEIGHTED,
        ] {
            let mut instance = instance(protocol, 2, 8);
            instance.goal = goal;
            let pool = instance.protocol.pools();
            if protocol == "dbft2-nspcc" {
                instance.blocks_per_proposal = 2;
            } else if goal == Goal::Fork && !pool {
                instance.heights = 2;
            }
            if !pool {
                instance.timers = Timers::Protocol;
                instance.block_time = Some(3);
            }
            instance.budget = Budget {
                late: (!pool).then_some(1),
                timeouts: Some(1),
                injects: Some(1),
            };
            for family in timed::of(&instance).unwrap().program.families {
                if seen.insert(family.name.clone()) {
                    let equations: Vec<_> = family
                        .equations
                        .iter()
                        .map(|number| format!("({number})"))
                        .collect();
                    writeln!(
                        table,
                        "| `{}` | {} | {} | {} |",
                        family.name,
                        format!("{:?}", family.tag).to_lowercase(),
                        family.line,
                        equations.join(" "),
                    )
                    .unwrap();
                }
            }
        }
    }
    let path = format!("{}/../docs/MODEL.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- families -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let expected = format!("{before}<!-- families -->\n{table}<!-- end -->{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        page == expected || std::env::var_os("UPDATE").is_some(),
        "{path}: UPDATE=1"
    );
}

#[test]
fn timers_that_outgrow_every_number_are_refused() {
    for (views, refused) in [(16, false), (20, true), (32, true)] {
        let instance = Instance {
            timers: Timers::Protocol,
            block_time: Some(390),
            faults: Vec::new(),
            ..instance("dbft2-nspcc", views, 2)
        };
        match timed::of(&instance) {
            Err(Error::Unsupported { construct, .. }) if refused => {
                assert!(construct.contains("2^30 slots"), "{construct}");
            }
            Ok(_) if !refused => {}
            other => panic!("{views} views: {other:?}"),
        }
    }
}

#[test]
fn what_a_program_leaves_out_is_what_is_said_of_it() {
    // These have no columns, so that there is nothing to forbid.
    let by_construction = [
        LeftOut::EarlyAnswer,
        LeftOut::RepeatedRequest,
        LeftOut::ResponseOfPrimary,
    ];
    for protocol in PROTOCOLS {
        for (views, faults, blocks) in [(1, 0, 1), (2, 0, 1), (2, 1, 1), (3, 1, 2)] {
            let mut instance = instance(protocol, views, 5);
            instance.faults = vec![Fault::any(FaultKind::Byzantine, faults)];
            instance.blocks_per_proposal = if instance.protocol.pools() { 1 } else { blocks };
            let program = timed::of(&instance).unwrap().program;
            let families = program.rows.iter().map(|row| program.family(row));
            let forbidden: BTreeSet<LeftOut> = families.filter_map(|it| it.left_out).collect();
            let said = left_out::of(&instance);
            let rows = said.iter().filter(|it| !by_construction.contains(it));
            assert_eq!(
                rows.copied().collect::<BTreeSet<_>>(),
                forbidden,
                "{protocol} {views}"
            );
            assert_eq!(said.is_empty(), protocol != "dbft2-nspcc");
        }
    }
}
