//! Examples for the help text of every command; a test parses each line that starts with `milp`.

pub(crate) const MILP: &str = "\
Examples:
  milp new mine.yaml                      # a commented instance
  milp solve instances/n4.yaml            # the worst schedule, in out/n4
  milp replay out/n4                      # on real replicas
  milp solve instances/n4.yaml --json     # one JSON document";

pub(crate) const SOLVE: &str = "\
Examples:
  milp solve instances/n4.yaml
  milp solve instances/n4.yaml --out elsewhere --time-limit 60
  milp solve instances/n4.yaml --warm-start out/n4 --no-adequacy
  milp solve instances/dbft2/n4-beyond-budget-fork.yaml --k-best 3 --distinct committed
  milp solve instances/dbft2/n4-stall-nspcc.yaml --confirm nspcc-dbft";

pub(crate) const REPLAY: &str = "\
Examples:
  milp replay out/n4
  milp replay results/dbft1/n4-delays-fork --engine own,dbft2 --dry-run
  milp replay mine/schedule.csv --instance instances/n4.yaml";

pub(crate) const PROMOTE: &str = "\
Examples:
  milp promote out/n4
  milp promote out/n4 --name kept/n4 --force";

pub(crate) const REGRESS: &str = "\
Examples:
  milp regress
  milp regress results/dbft1 --junit regress.xml
  milp regress --engine own,nspcc-dbft --solve --time-limit 120";

pub(crate) const CHECK: &str = "\
Examples:
  milp check instances/n4.yaml";

pub(crate) const PROTOCOL: &str = "\
Examples:
  milp protocol list
  milp protocol new mine.yaml
  milp protocol check protocols/tendermint.yaml
  milp protocol check mine.yaml --quick --json
  milp protocol check mine.yaml --seconds 600 --executions 10000

An instance asks about a file of one's own with `protocol: ./mine.yaml`, a path beside it or below.";

pub(crate) const SCHEMA: &str = "\
Examples:
  milp schema > instance.schema.json
  milp schema --of replay
  milp schema --of protocol-file";

pub(crate) const EXPORT: &str = "\
Examples:
  milp export instances/n4.yaml --lp --out n4.lp
  milp export results/dbft1/n4-delays-fork --mermaid
  milp export results/dbft1/n4-delays-fork --chrome --out trace.json
  milp export results/n4 --sol --out n4.sol";

pub(crate) const IMPORT: &str = "\
Examples:
  milp import out/dbft1/n4-delays-fork/report.html --out mine
  milp import n4.sol --instance instances/n4.yaml --out out/n4
  milp import scenario.json --out out/scenario";

pub(crate) const ASK: &str = "\
Examples:
  milp ask --protocol dbft2-nspcc --n 5 --faults crash:1
  milp ask --protocol ./mine.yaml --views 3 --watch
  milp ask instances/n4.yaml --set faults.count=0 --expect fork<=1";

pub(crate) const FUZZ: &str = "\
Examples:
  milp fuzz --engine nspcc-dbft --time 90s
  milp fuzz --engine nspcc-dbft --steps 1000 --seed 7";

pub(crate) const ENGINE: &str = "\
Examples:
  milp engine check target/engines/nspcc-dbft
  milp engine check --limit 5 python3 my_adapter.py
  milp engine attack python3 my_adapter.py";

pub(crate) const DOCTOR: &str = "\
Examples:
  milp doctor
  milp doctor --json";

pub(crate) const NEW: &str = "\
Examples:
  milp new mine.yaml
  milp new mine.yaml --protocol dbft1 --goal stall --replicas 7 --byzantine 0";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  milp completions bash > ~/.local/share/bash-completion/completions/milp
  milp completions zsh > ~/.zfunc/_milp
  milp completions fish > ~/.config/fish/completions/milp.fish";

pub(crate) const MAN: &str = "\
Examples:
  milp man ~/.local/share/man/man1";

pub(crate) const BENCH: &str = "\
Examples:
  milp bench instances/n4.yaml
  milp bench instances/dbft2/n7-fork.yaml --formulation timed --time-limit 60";

pub(crate) const CUBES: &str = "\
Examples:
  milp cubes instances/dbft2/n4-slow.yaml
  milp cubes instances/dbft2/n4-slow.yaml --warm-start out/dbft2/n4-slow --out out/cubes
  milp cubes instances/dbft2/n7-views.yaml --formulation causal";

pub(crate) const EXPLAIN: &str = "\
Examples:
  milp explain results/dbft1/n4-delays-fork
  milp explain results/dbft2/n4-stall-nspcc
  milp explain instances/n4.yaml --why-not 2 --views 2 --slots 7
  milp explain instances/n4.yaml --rules --views 2 --slots 7

Exit code 0: told, or answered with everything proved; 10: a limit came before the whole answer,
or it is not proved; 130: interrupted.";

pub(crate) const MINIMIZE: &str = "\
Examples:
  milp minimize results/dbft1/n4-delays-fork
  milp minimize results/dbft2/n4-stall --out out/small --time-limit 120

Fewest first: faulty replicas, messages of Byzantine ones, crashed replicas, late or missing
messages, requests to leave a view or for recovery by timers. Exit code 0: proved minimal in this
order; 10: the limit came before the proof; 130: interrupted.";

pub(crate) const REPORT: &str = "\
Examples:
  milp report results/dbft1/n4-delays-fork
  milp report results/dbft2/n4-stall --against model
  milp report results/dbft1/n4-delays-fork --png --out fork.png
  milp report results/dbft2/n4-stall-nspcc --what-if";

pub(crate) const VERIFY: &str = "\
Examples:
  milp verify results/n4
  milp verify results/dbft2/n4-slow --resolve --time-limit 120";

pub(crate) const RESILIENCE: &str = "\
The file asks for every number of replicas: `replicas: any` and `goal: fork`.

Examples:
  milp resilience every.yaml

Exit code 0: the conditions proved tell all pairs of n and b apart that were solved by themselves; 10:
they do not.";

pub(crate) const PARETO: &str = "\
Examples:
  milp pareto instances/dbft1/n4-delays-fork.yaml --effort late
  milp pareto instances/n4.yaml --effort f --out out/faults

Effort: late (late or missing messages), timeouts (requests to leave a view), injects (Byzantine
messages), f (faulty replicas of the only kind the instance has), byzantine, crash, network.
Exit code 0: every point is proved; 10: some are not; 11: no execution exists; 13: no schedule was
found; 130: interrupted.";

pub(crate) const SWEEP: &str = "\
Examples:
  milp sweep instances/sweep.yaml
  milp sweep instances/sweep.yaml --jobs 4 --time-limit 60
  milp sweep instances/sweep.yaml --tasks | xargs -P 8 -I TASK sh -c TASK
  milp sweep instances/sweep.yaml --collect

Each combination is solved by a process of its own. What was solved before with the same limits is
not solved again. Exit code 0: every combination is proved, or no valid instance; 1: a solve
crashed; 2: none is a valid instance; 10: some are not proved; 130: interrupted.";
