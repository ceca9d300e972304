//! Exit codes. They are an API: scripts and CI branch on them.

/// Done. Solve: proved. Ask: safe, or decided in time. Verify: all of it was derived again. Replay: nothing bad. Regress: all as expected.
pub(crate) const DONE: u8 = 0;
/// The program, the machine or an engine's adapter failed.
pub(crate) const FAILURE: u8 = 1;
/// Bad arguments or input; also what clap ends with.
pub(crate) const INPUT: u8 = 2;
/// Solve: a schedule, but the bound is not closed or not proved, or it is not confirmed. Ask: not
/// settled, or what was expected is not known. Verify:
/// the incumbent is as claimed, the bound rests on searches and was not checked.
pub(crate) const UNPROVED: u8 = 10;
/// Solve: no execution satisfies the program.
pub(crate) const INFEASIBLE: u8 = 11;
/// Solve: an engine asked to confirm does what the rules forbid. Ask: a fork or a stall, or not what
/// was expected. Engine attack: worse than the rules. Replay: a violation, a stuck
/// state, a divergence, a row that could not happen, or an engine that broke down on a legal
/// schedule. Regress: anything not as expected. Verify: anything not as claimed. Fuzz and protocol
/// check: a difference.
pub(crate) const VIOLATION: u8 = 12;
/// Solve: a limit came before any schedule was found. Protocol check: something was not compared.
pub(crate) const UNDECIDED: u8 = 13;
/// Solve: interrupted; incumbent and bound are kept.
pub(crate) const INTERRUPTED: u8 = 130;

/// The codes and what they mean.
pub(crate) const CODES: [(u8, &str); 8] = [
    (
        DONE,
        "done (solve: proved; ask: SAFE, or decided in time; with --expect: so; verify: derived \
         again, incumbent and bound; replay: nothing bad; regress: all as expected; engine \
         attack: no worse than the rules)",
    ),
    (
        FAILURE,
        "the program, the machine or an engine's adapter failed",
    ),
    (INPUT, "bad arguments or input"),
    (
        UNPROVED,
        "solve: a schedule, but the bound is not closed or not proved, or it is not confirmed; \
         ask: NOT SETTLED; with --expect: not known; verify: the incumbent is as claimed, the \
         bound was not checked",
    ),
    (INFEASIBLE, "solve: infeasible"),
    (
        VIOLATION,
        "solve: an engine asked to confirm does what the rules forbid; ask: FORKS or STALLS; with \
         --expect: not so; replay: a violation, a stuck state, a divergence, a row that could not \
         happen, or an engine crash on a legal schedule; regress: not as expected; verify: not as \
         claimed; fuzz, protocol check: a difference; engine attack: FAILED",
    ),
    (
        UNDECIDED,
        "solve: undecided, a limit came before any schedule was found; protocol check: something \
         could not be compared",
    ),
    (INTERRUPTED, "interrupted (incumbent and bound are kept)"),
];

/// The codes as the help prints them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done (solve: proved; ask: SAFE, or decided in time; with --expect: so; verify:
       derived again, incumbent and bound; replay: nothing bad; regress: all as expected;
       engine attack: no worse than the rules)
  1    the program, the machine or an engine's adapter failed
  2    bad arguments or input
  10   solve: a schedule, but the bound is not closed or not proved, or it is not confirmed;
       ask: NOT SETTLED; with --expect: not known; verify: the incumbent is as claimed, the
       bound was not checked
  11   solve: infeasible
  12   solve: an engine asked to confirm does what the rules forbid; ask: FORKS or STALLS;
       with --expect: not so; replay: a violation, a stuck state, a divergence, a row that
       could not happen, or an engine crash on a legal schedule; regress: not as expected;
       verify: not as claimed; fuzz, protocol check: a difference; engine attack: FAILED
  13   solve: undecided, a limit came before any schedule was found; protocol check:
       something could not be compared
  130  interrupted (incumbent and bound are kept)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_code_in_its_words() {
        let help = HELP.split_whitespace().collect::<Vec<_>>().join(" ");
        for (code, words) in CODES {
            assert!(help.contains(&format!("{code} {words}")), "{code}: {help}");
        }
    }
}
