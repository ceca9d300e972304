//! What [`milp_solver::solve`] finds, and what it says about it.

mod support;

use milp_model::program::Program;
use milp_schema::{
    instance::Sense,
    outcome::{Certificate, Termination},
};
use milp_solver::{Error, Phase, Progress, Settings, Solved, exact, solve};
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Dice, brute_force, program, ring, rings, rows_of_every_kind};

fn settings() -> Settings {
    Settings {
        time_limit_seconds: 60.0,
        relative_gap: 0.0,
        threads: 1,
        seed: 7,
        prove: true,
        presolve: true,
        warm_start: None,
        options: Vec::new(),
    }
}

fn run(program: &Program, settings: &Settings) -> Solved {
    solve(program, settings, &AtomicBool::new(false), &mut |_| {}).expect("a result")
}

/// Everything but the seconds.
fn timeless(solved: &Solved) -> Solved {
    Solved {
        seconds: 0.0,
        ..solved.clone()
    }
}

/// A knapsack with the optimum 220 (items 2 and 3), the textbook one.
fn knapsack() -> Program {
    let bounds = [(0, 1); 3];
    program(
        Sense::Maximize,
        &bounds,
        &[60, 100, 120],
        0,
        &[(None, &[10, 20, 30], Some(50))],
    )
}

/// A market split: one equality per row with even weights and an odd side, so no point exists,
/// though the relaxation has many.
fn even_weights_odd_side() -> Program {
    let rows: [(_, &[i64], _); 1] = [(Some(7), &[2, 4, 6, 8], Some(7))];
    program(Sense::Maximize, &[(0, 1); 4], &[1; 4], 0, &rows)
}

#[test]
fn a_knapsack_is_solved_and_proved() {
    let solved = run(&knapsack(), &settings());
    assert_eq!(solved.termination, Termination::Optimal);
    assert_eq!(solved.point, Some(vec![0, 1, 1]));
    assert_eq!((solved.primal, solved.dual), (Some(220), Some(220.0)));
    assert!(solved.proved);
    // Greedy filling: 60 + 100 + 20/30 of 120.
    assert_eq!(solved.root_bound, Some(240.0));
}

#[test]
fn the_objectives_constant_is_kept_in_every_number() {
    let mut shifted = knapsack();
    shifted.constant = -1000;
    let mut bounds = Vec::new();
    let solved = solve(
        &shifted,
        &settings(),
        &AtomicBool::new(false),
        &mut |progress| {
            bounds.push(progress.bound);
        },
    )
    .expect("a result");
    assert_eq!((solved.primal, solved.dual), (Some(-780), Some(-780.0)));
    assert_eq!(solved.root_bound, Some(-760.0));
    assert!(
        bounds.iter().all(|bound| (-780.0..=-720.0).contains(bound)),
        "{bounds:?}"
    );
}

#[test]
fn a_relaxation_that_rounds_to_the_optimum_is_a_safe_dual_bound() {
    for (sense, optimum, half) in [(Sense::Maximize, 3, 3.5), (Sense::Minimize, 4, 3.5)] {
        let ring = ring(sense, 7);
        let solved = run(&ring, &settings());
        assert_eq!(
            (solved.termination, solved.primal),
            (Termination::Optimal, Some(optimum))
        );
        assert_eq!(solved.root_bound, Some(half));
        assert_eq!(
            solved.certificate,
            Certificate::SafeDualBound { bound: optimum }
        );
        assert!(solved.proved && !solved.refuted);
        let multipliers = solved
            .multipliers
            .expect("the multipliers of the certificate");
        assert_eq!(exact::safe_dual_bound(&ring, &multipliers), Ok(optimum));
    }
}

#[test]
fn a_gap_that_rounding_leaves_is_closed_by_a_permuted_search() {
    for (sense, optimum) in [(Sense::Maximize, 6), (Sense::Minimize, 9)] {
        let rings = rings(sense, 3);
        let solved = run(&rings, &settings());
        assert_eq!(
            (solved.termination, solved.primal),
            (Termination::Optimal, Some(optimum))
        );
        assert_eq!(solved.root_bound, Some(7.5));
        assert_eq!(
            solved.certificate,
            Certificate::PermutedInfeasible { seed: 8 }
        );
        assert!(solved.proved && !solved.refuted);
        assert_eq!(solved.multipliers, None);
    }
}

#[test]
fn an_objective_at_its_own_limit_is_proved_without_a_relaxation() {
    let mut free = ring(Sense::Maximize, 5);
    free.rows.clear();
    let solved = run(
        &free,
        &Settings {
            warm_start: Some(vec![Some(1); 5]),
            ..settings()
        },
    );
    assert_eq!(solved.certificate, Certificate::SafeDualBound { bound: 5 });
    assert_eq!(solved.root_bound, None);
    assert_eq!(solved.started_from, Some(5));
}

#[test]
fn weights_with_a_common_factor_round_to_their_grid() {
    // Half of each of five items of weight 10 is 25; only 20 is both below and on the grid.
    let mut heavy = ring(Sense::Maximize, 5);
    for (_, weight) in &mut heavy.objective {
        *weight = 10;
    }
    heavy.constant = 3;
    let solved = run(&heavy, &settings());
    assert_eq!(solved.certificate, Certificate::SafeDualBound { bound: 23 });
    assert_eq!(solved.primal, Some(23));
}

#[test]
fn an_infeasible_program_is_infeasible_and_proved_by_two_searches() {
    let solved = run(&even_weights_odd_side(), &settings());
    assert_eq!(solved.termination, Termination::Infeasible);
    assert_eq!(
        (solved.primal, solved.dual, solved.point.clone()),
        (None, None, None)
    );
    assert_eq!(
        solved.certificate,
        Certificate::PermutedInfeasible { seed: 8 }
    );
    assert!(solved.proved);
    let unproved = run(
        &even_weights_odd_side(),
        &Settings {
            prove: false,
            ..settings()
        },
    );
    assert_eq!(unproved.termination, Termination::Infeasible);
    assert!(!unproved.proved);
}

#[test]
fn without_prove_the_result_is_the_solvers_word() {
    let solved = run(
        &ring(Sense::Maximize, 7),
        &Settings {
            prove: false,
            ..settings()
        },
    );
    assert_eq!(
        (solved.termination, solved.primal),
        (Termination::Optimal, Some(3))
    );
    assert_eq!(
        (solved.proved, solved.certificate),
        (false, Certificate::None)
    );
    assert_eq!(solved.root_bound, None);
}

#[test]
fn an_objective_without_weights_is_met_by_any_point() {
    let mut rows = rows_of_every_kind();
    rows.objective.clear();
    let solved = run(&rows, &settings());
    assert_eq!(
        (solved.termination, solved.primal),
        (Termination::Optimal, Some(7))
    );
    assert_eq!(solved.certificate, Certificate::SafeDualBound { bound: 7 });
}

#[test]
fn small_programs_of_all_shapes_agree_with_brute_force() {
    let mut dice = Dice(20);
    let (mut optimal, mut infeasible, mut exact_bounds) = (0, 0, 0);
    for _ in 0..300 {
        let program = dice.program();
        let solved = run(&program, &settings());
        assert!(solved.proved && !solved.refuted, "{program:?}");
        assert_eq!(solved.primal, brute_force(&program), "{program:?}");
        match solved.termination {
            Termination::Optimal => {
                let point = solved.point.expect("an optimum has a point");
                assert_eq!(exact::certify(&program, &point), Ok(()));
                assert_eq!(solved.primal, Some(program.value(&point)));
                assert_eq!(solved.dual, solved.primal.map(|primal| primal as f64));
                optimal += 1;
                // A relaxation less than one unit away must close by rounding, whatever rows
                // and senses its duals come from.
                let primal = solved.primal.expect("an optimum has a value") as f64;
                if solved
                    .root_bound
                    .is_some_and(|root| (root - primal).abs() < 0.999)
                {
                    let bound = primal as i64;
                    assert_eq!(solved.certificate, Certificate::SafeDualBound { bound });
                    exact_bounds += 1;
                }
            }
            Termination::Infeasible => infeasible += 1,
            other => panic!("{other:?} without a limit"),
        }
    }
    assert!(
        optimal >= 100 && infeasible >= 30,
        "{optimal} optimal, {infeasible} infeasible"
    );
    assert!(exact_bounds >= 80, "{exact_bounds} exact bounds");
}

#[test]
fn a_partial_warm_start_is_completed_and_used() {
    // The known half is not that of every optimum, so a completion has to respect it.
    let rings = rings(Sense::Maximize, 3);
    let mut start = vec![None; 15];
    start[1] = Some(1);
    start[6] = Some(0);
    start[7] = Some(0);
    let solved = run(
        &rings,
        &Settings {
            warm_start: Some(start.clone()),
            ..settings()
        },
    );
    assert_eq!(solved.started_from, Some(6));
    // With no time for a search, what was completed is what there is.
    let options = vec![("mip_max_nodes".to_owned(), "0".to_owned())];
    let kept = Settings {
        warm_start: Some(start),
        options,
        ..settings()
    };
    assert_eq!(run(&rings, &kept).started_from, Some(6));
}

#[test]
fn a_complete_warm_start_survives_an_interrupt_before_the_search() {
    let interrupt = AtomicBool::new(true);
    let start: Vec<Option<i64>> = [1, 0, 1, 0, 0, 0, 0].map(Some).to_vec();
    let settings = Settings {
        warm_start: Some(start),
        ..settings()
    };
    let solved = solve(
        &ring(Sense::Maximize, 7),
        &settings,
        &interrupt,
        &mut |_| {},
    )
    .expect("an interrupt is no error");
    assert_eq!(
        (solved.termination, solved.primal),
        (Termination::Feasible, Some(2))
    );
    assert_eq!((solved.started_from, solved.proved), (Some(2), false));
    assert_eq!(solved.dual, Some(7.0));
}

#[test]
fn a_partial_warm_start_is_completed_though_there_is_no_time() {
    let rings = rings(Sense::Maximize, 3);
    let mut start = vec![None; 15];
    start[1] = Some(1);
    for (interrupted, seconds) in [(true, 60.0), (false, 0.0)] {
        let settings = Settings {
            warm_start: Some(start.clone()),
            time_limit_seconds: seconds,
            ..settings()
        };
        let interrupt = AtomicBool::new(interrupted);
        let solved = solve(&rings, &settings, &interrupt, &mut |_| {}).expect("no error");
        assert_eq!(solved.started_from, Some(6));
        assert_eq!(solved.primal, Some(6));
    }
}

#[test]
fn a_warm_start_that_does_not_fit_is_not_used() {
    let ring = ring(Sense::Maximize, 7);
    for values in [[1, 1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0]] {
        let start = values.map(Some).to_vec();
        let solved = run(
            &ring,
            &Settings {
                warm_start: Some(start),
                ..settings()
            },
        );
        assert_eq!((solved.started_from, solved.primal), (None, Some(3)));
    }
    let mut conflict = vec![None; 7];
    (conflict[2], conflict[3]) = (Some(1), Some(1));
    let solved = run(
        &ring,
        &Settings {
            warm_start: Some(conflict),
            ..settings()
        },
    );
    assert_eq!((solved.started_from, solved.primal), (None, Some(3)));
}

#[test]
fn an_interrupt_before_the_start_leaves_it_undecided() {
    let interrupt = AtomicBool::new(true);
    let solved = solve(
        &rings(Sense::Maximize, 3),
        &settings(),
        &interrupt,
        &mut |_| {},
    )
    .expect("an interrupt is no error");
    assert_eq!(
        (solved.termination, solved.point),
        (Termination::Undecided, None)
    );
    assert!(!solved.proved);
    // Nothing was learned but what the column bounds say.
    assert_eq!(solved.dual, Some(15.0));
}

#[test]
fn no_time_at_all_is_undecided_or_feasible() {
    for time_limit_seconds in [0.0, 1e-6] {
        let solved = run(
            &hard(),
            &Settings {
                time_limit_seconds,
                ..settings()
            },
        );
        match solved.termination {
            Termination::Undecided => assert_eq!(solved.point, None),
            Termination::Feasible => assert!(solved.point.is_some()),
            other => panic!("{other:?} in no time"),
        }
        assert!(!solved.proved);
    }
}

/// A multi-dimensional knapsack that takes branch and bound well over a second.
fn hard() -> Program {
    let mut dice = Dice(5);
    let width = 60;
    let objective: Vec<i64> = (0..width).map(|_| dice.roll(40, 60)).collect();
    let dense: Vec<Vec<i64>> = (0..8)
        .map(|_| (0..width).map(|_| dice.roll(10, 90)).collect())
        .collect();
    let rows: Vec<support::DenseRow<'_>> = dense
        .iter()
        .map(|row| (None, row.as_slice(), Some(row.iter().sum::<i64>() / 2)))
        .collect();
    program(Sense::Maximize, &vec![(0, 1); width], &objective, 0, &rows)
}

#[test]
fn an_interrupt_during_the_search_keeps_the_incumbent_and_the_bound() {
    let interrupt = AtomicBool::new(false);
    let program = hard();
    let mut heard: Vec<Progress> = Vec::new();
    let solved = solve(&program, &settings(), &interrupt, &mut |progress| {
        heard.push(*progress);
        if progress.phase == Phase::Search && progress.incumbent.is_some() && heard.len() > 5 {
            interrupt.store(true, Ordering::Relaxed);
        }
    })
    .expect("an interrupt is no error");
    assert_eq!(solved.termination, Termination::Feasible);
    let primal = solved.primal.expect("an incumbent");
    assert_eq!(
        exact::certify(&program, &solved.point.expect("its point")),
        Ok(())
    );
    let dual = solved.dual.expect("a bound");
    assert!(dual > primal as f64, "{dual} for {primal}");
    assert!(dual <= solved.root_bound.expect("the relaxation was solved"));
    let last = heard.last().expect("progress was heard");
    assert_eq!(last.phase, Phase::Search);
    assert!(
        last.gap.is_some_and(|gap| gap > 0.0 && gap < 0.1),
        "{last:?}"
    );
}

#[test]
fn a_search_reports_nodes_while_it_runs() {
    let mut nodes = 0;
    let mut phases = Vec::new();
    let interrupt = AtomicBool::new(false);
    let solved = solve(&hard(), &settings(), &interrupt, &mut |progress| {
        nodes = nodes.max(progress.nodes);
        phases.push(progress.phase);
        if let Some(incumbent) = progress.incumbent {
            assert!(progress.bound >= incumbent as f64, "{progress:?}");
        }
        let searching = phases.iter().filter(|&&phase| phase == Phase::Search);
        if nodes > 10 && searching.count() > 2 {
            interrupt.store(true, Ordering::Relaxed);
        }
    })
    .expect("a result");
    assert!(interrupt.into_inner(), "{nodes} nodes in {phases:?}");
    assert!(solved.nodes >= nodes || solved.proof_nodes > 0);
    assert_eq!(phases.first(), Some(&Phase::Relaxation));
}

#[test]
fn the_same_settings_give_the_same_result() {
    let rings = rings(Sense::Maximize, 4);
    let first = run(&rings, &settings());
    assert_eq!(timeless(&first), timeless(&run(&rings, &settings())));
    let other = run(
        &rings,
        &Settings {
            seed: 8,
            ..settings()
        },
    );
    assert_eq!(other.primal, first.primal);
}

#[test]
fn the_number_of_threads_may_change_between_solves() {
    for threads in [1, 2, 1] {
        let solved = run(
            &rings(Sense::Maximize, 3),
            &Settings {
                threads,
                ..settings()
            },
        );
        assert_eq!((solved.primal, solved.proved), (Some(6), true));
    }
}

#[test]
fn options_reach_highs_and_wrong_ones_are_named() {
    let with = |name: &str, value: &str| Settings {
        options: vec![(name.to_owned(), value.to_owned())],
        presolve: false,
        ..settings()
    };
    let program = hard();
    let solved = run(
        &program,
        &Settings {
            prove: false,
            ..with("mip_max_nodes", "1")
        },
    );
    assert_eq!(solved.termination, Termination::Feasible);
    for (name, value) in [("no_such_option", "1"), ("mip_max_nodes", "many")] {
        let error = solve(
            &program,
            &with(name, value),
            &AtomicBool::new(false),
            &mut |_| {},
        );
        assert_eq!(
            error,
            Err(Error::Option {
                name: name.to_owned(),
                value: value.to_owned()
            })
        );
    }
}

/// Settings under which `HiGHS` takes values this far from an integer for integers.
fn careless(tolerance: &str) -> Settings {
    let options = vec![("mip_feasibility_tolerance".to_owned(), tolerance.to_owned())];
    Settings {
        options,
        ..settings()
    }
}

#[test]
fn a_wrong_optimum_is_refuted_and_the_better_point_proved_by_two_more_searches() {
    // So careless, HiGHS calls 1 the optimum of three rings.
    let rings = rings(Sense::Maximize, 3);
    let believed = run(
        &rings,
        &Settings {
            prove: false,
            ..careless("0.1")
        },
    );
    assert_eq!(
        (believed.termination, believed.primal),
        (Termination::Optimal, Some(1))
    );
    let solved = run(&rings, &careless("0.1"));
    assert_eq!(
        (solved.termination, solved.primal),
        (Termination::Optimal, Some(6))
    );
    assert_eq!(
        solved.certificate,
        Certificate::PermutedInfeasible { seed: 9 }
    );
    assert!(solved.proved && solved.refuted);
    assert_eq!(solved.dual, Some(6.0));
}

#[test]
fn a_wrong_optimum_is_refuted_even_where_the_exact_bound_then_closes() {
    let solved = run(&ring(Sense::Maximize, 5), &careless("0.1"));
    assert_eq!(solved.certificate, Certificate::SafeDualBound { bound: 2 });
    assert!(solved.proved && solved.refuted);
}

#[test]
fn a_point_that_rounding_breaks_is_an_error_that_names_the_rows() {
    let result = solve(
        &ring(Sense::Maximize, 7),
        &careless("0.9"),
        &AtomicBool::new(false),
        &mut |_| {},
    );
    let Err(Error::NotExact { violations }) = result else {
        panic!("{result:?}")
    };
    let expected: Vec<String> = (0..5)
        .map(|row| format!("row_{row}: 2 is above 1"))
        .collect();
    assert_eq!(violations, expected);
}

#[test]
fn a_breakdown_of_the_proof_costs_the_proof_only() {
    let solved = run(&even_weights_odd_side(), &careless("0.9"));
    assert_eq!(solved.termination, Termination::Infeasible);
    assert!(!solved.proved);
    assert_eq!(
        solved.setbacks,
        ["the proof: the solver failed: HiGHS returned Error"]
    );
}

#[test]
fn a_gap_that_is_allowed_is_never_called_optimal() {
    let solved = run(
        &hard(),
        &Settings {
            relative_gap: 0.2,
            ..settings()
        },
    );
    assert_eq!(solved.termination, Termination::Feasible);
    assert!(!solved.proved && solved.point.is_some());
    let (primal, dual) = (
        solved.primal.expect("an incumbent") as f64,
        solved.dual.expect("a bound"),
    );
    assert!(primal < dual && dual <= primal * 1.2, "{primal} {dual}");
}

#[test]
fn broken_input_is_refused_with_its_name() {
    let refused = |program: &Program, settings: &Settings| {
        solve(program, settings, &AtomicBool::new(false), &mut |_| {}).expect_err("broken input")
    };
    let mut empty = knapsack();
    empty.columns.clear();
    assert_eq!(refused(&empty, &settings()), Error::NoColumns);
    let mut crossed = knapsack();
    crossed.columns[1].lower = 2;
    assert!(
        refused(&crossed, &settings())
            .to_string()
            .starts_with("column x1 has")
    );
    let mut huge = knapsack();
    huge.rows[0].terms[0].1 = 1 << 51;
    assert!(
        refused(&huge, &settings())
            .to_string()
            .starts_with("row_0 has the number")
    );
    let mut sideless = knapsack();
    sideless.rows[0].upper = None;
    assert!(
        refused(&sideless, &settings())
            .to_string()
            .starts_with("row_0 is malformed")
    );
    let mut unordered = knapsack();
    unordered.rows[0].terms.reverse();
    assert!(
        refused(&unordered, &settings())
            .to_string()
            .contains("do not ascend")
    );
    let short = Settings {
        warm_start: Some(vec![None]),
        ..settings()
    };
    assert_eq!(
        refused(&knapsack(), &short),
        Error::WarmStart {
            expected: 3,
            found: 1
        }
    );
    let endless = Settings {
        time_limit_seconds: f64::INFINITY,
        ..settings()
    };
    assert!(
        refused(&knapsack(), &endless)
            .to_string()
            .contains("time_limit_seconds")
    );
}

#[test]
#[should_panic(expected = "a listener's own panic")]
fn a_panic_of_the_listener_reaches_the_caller() {
    let never = AtomicBool::new(false);
    let mut calls = 0;
    let result = solve(&hard(), &settings(), &never, &mut |progress| {
        calls += 1;
        // The first call of a phase comes from here, later ones from inside the solver.
        assert!(
            progress.phase != Phase::Search || calls < 5,
            "a listener's own panic"
        );
    });
    panic!("{result:?} instead of a panic");
}
