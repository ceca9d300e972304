//! Broken files as a table: what is wrong with each, at which place, and that nothing is missed.

use milp_schema::{Protocol, Verdict, read};

const INSTANCE: &str = "\
format: milp-instance/2.0
protocol: dbft2
replicas: 4
views: 2
slots: 12
goal: fork
";

const SCHEDULE: &str = "\
slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup
1,timeout,0,,,0,0,,,view,,,,
2,deliver,1,0,PrepareRequest,0,0,v0b0,,,1,1,0,
2,inject,3,1,ChangeView,0,0,,,,,,0,
3,deliver,1,3,ChangeView,0,0,,,,2,1,0,
";

const PREDICTIONS: &str = "\
slot,event,replica,kind,height,view,value,justification
1,send,0,PrepareRequest,0,0,v0b0,
4,enter_view,1,,0,1,,
5,decide,1,,0,,v0b0,
";

const OUTCOME: &str = "\
format: milp-outcome/2.0
termination: optimal
primal: 1
dual: 1.0
gap: 0.0
proved: true
nodes: 1
seconds: 0.5
formulation: timed
certificate: {safe_dual_bound: {bound: 1}}
sentence: at most 1 block
faulty: [{replica: 3, kind: byzantine}]
schedule_sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
instance:
  format: milp-instance/2.0
  protocol: dbft2
  replicas: 4
  views: 2
  slots: 12
  goal: fork
  faults: {kind: byzantine, count: 1}
command: milp solve n4.yaml
run: {seed: 0}
";

const SWEEP: &str = "\
format: milp-sweep/2.0
base:
  format: milp-instance/2.0
  protocol: dbft2
over:
  n: [4, 7]
  timers, block_time: [[free, ~], [protocol, 3]]
  goal.weighted.views: [1]
";

/// A good file with one text in it replaced, and every problem that this makes.
struct Case {
    says: &'static str,
    replace: &'static str,
    by: &'static str,
    problems: &'static [(usize, usize, &'static str)],
}

const fn case(
    says: &'static str,
    replace: &'static str,
    by: &'static str,
    problems: &'static [(usize, usize, &'static str)],
) -> Case {
    Case {
        says,
        replace,
        by,
        problems,
    }
}

const INSTANCES: &[Case] = &[
    case(
        "a text for a number",
        "replicas: 4",
        "replicas: four",
        &[(3, 11, "from 1 to 128, not `four`")],
    ),
    case(
        "a quoted number",
        "slots: 12",
        "slots: '12'",
        &[(5, 8, "not the text `12`")],
    ),
    case(
        "a fraction",
        "views: 2",
        "views: 1.5",
        &[(4, 8, "from 1 to 32, not `1.5`")],
    ),
    case(
        "an octal-looking number",
        "slots: 12",
        "slots: 012",
        &[(5, 8, "not `012`")],
    ),
    case(
        "a list for a number",
        "views: 2",
        "views: [2]",
        &[(4, 8, "not a list")],
    ),
    case("no value", "views: 2", "views:", &[(4, 1, "not nothing")]),
    case(
        "no replicas",
        "replicas: 4",
        "replicas: 0",
        &[(3, 11, "from 1 to 128, not `0`")],
    ),
    case(
        "too many slots",
        "slots: 12",
        "slots: 1001",
        &[(5, 8, "from 1 to 1000")],
    ),
    case(
        "a number beyond 64 bits",
        "slots: 12",
        "slots: 99999999999999999999",
        &[(5, 8, "from 1 to 1000")],
    ),
    case(
        "a negative number",
        "views: 2",
        "views: -2",
        &[(4, 8, "not `-2`")],
    ),
    case(
        "too many heights",
        "goal: fork",
        "goal: fork\nheights: 9",
        &[(7, 10, "from 1 to 8")],
    ),
    case(
        "an unknown key",
        "views: 2",
        "views: 2\nveiws: 2",
        &[(5, 1, "unknown key `veiws`")],
    ),
    case(
        "a duplicate key",
        "goal: fork",
        "goal: fork\nviews: 3",
        &[(7, 1, "duplicate key `views`")],
    ),
    case(
        "a missing key",
        "slots: 12\n",
        "",
        &[(1, 1, "the key `slots` is missing")],
    ),
    case(
        "three missing keys",
        "protocol: dbft2\nreplicas: 4\nviews: 2\n",
        "",
        &[
            (1, 1, "`protocol`"),
            (1, 1, "`replicas`"),
            (1, 1, "`views`"),
        ],
    ),
    case(
        "no format",
        "format: milp-instance/2.0\n",
        "",
        &[(1, 1, "the key `format` is missing")],
    ),
    case(
        "an older version",
        "instance/2.0",
        "instance/1.1",
        &[(1, 9, "version `1.1`, and this program reads 2.0 only")],
    ),
    case(
        "another version hides nothing else that could be wrong",
        "instance/2.0\nprotocol: dbft2",
        "instance/3.0\nprotocol: dbft9",
        &[(1, 9, "version `3.0`, and this program reads 2.0 only")],
    ),
    case(
        "another kind of file",
        "milp-instance",
        "milp-outcome",
        &[(1, 9, "`milp-instance/2.0`")],
    ),
    case(
        "a version that is none",
        "/2.0",
        "/two",
        &[(1, 9, "version `two`")],
    ),
    case(
        "an unknown protocol",
        "dbft2",
        "dbft4",
        &[(
            2,
            11,
            "`protocol` must be `dbft1`, `dbft2`, `tendermint`, `tendermint-malachite`, `ibft1`, `pbft`, `qbft`, `hotstuff`, `hotstuff-two-phase`, `hotstuff-chained`, `hotstuff-complaints`, `jolteon`, `simplex`, `dbft2-nspcc`, `dbft2-tla` or `dbft2-tla-per-view`, not `dbft4`",
        )],
    ),
    case(
        "a mutant of a protocol that has none",
        "protocol: dbft2",
        "protocol: dbft2-tla\nmutant: small-quorum",
        &[(3, 9, "protocol `dbft2-tla` has no mutants")],
    ),
    case(
        "what a protocol does not cover",
        "protocol: dbft2",
        "protocol: dbft2-tla\nheights: 2",
        &[(
            3,
            10,
            "protocol `dbft2-tla` does not cover more than one height",
        )],
    ),
    case(
        "heights of a chain",
        "protocol: dbft2",
        "protocol: jolteon\nheights: 2",
        &[(
            3,
            10,
            "protocol `jolteon` does not cover more than one height",
        )],
    ),
    case(
        "a quorum of nobody",
        "replicas: 4",
        "replicas: 1\nmutant: small-quorum",
        &[(4, 9, "mutant `small-quorum` of 1 replica has a quorum of 0")],
    ),
    case(
        "a mutant of another protocol",
        "protocol: dbft2",
        "protocol: dbft1\nmutant: no-commit-lock",
        &[(
            3,
            9,
            "unknown mutant of `dbft1` `no-commit-lock`; known: `small-quorum`",
        )],
    ),
    case(
        "an unknown goal",
        "goal: fork",
        "goal: fokr",
        &[(6, 7, "`goal` must be `fork`")],
    ),
    case(
        "a goal that needs weights",
        "goal: fork",
        "goal: weighted",
        &[(6, 7, "not `weighted`")],
    ),
    case(
        "weights without a direction",
        "goal: fork",
        "goal: {weighted: {blocks: 1}}",
        &[(6, 18, "the key `sense` is missing")],
    ),
    case(
        "a weight out of range",
        "goal: fork",
        "goal: {weighted: {sense: maximize, blocks: 1000001}}",
        &[(
            6,
            44,
            "`blocks` must be a whole number from -1000000 to 1000000",
        )],
    ),
    case(
        "a count without a kind",
        "goal: fork",
        "goal: fork\nfaults: {count: 1}",
        &[(7, 9, "the key `kind` is missing")],
    ),
    case(
        "an unknown kind of fault",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantin, count: 1}",
        &[(7, 16, "not `byzantin`")],
    ),
    case(
        "more faulty replicas than f",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: 2}",
        &[(7, 9, "tolerate f = 1")],
    ),
    case(
        "more faulty replicas than replicas",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: 5}",
        &[(7, 34, "from 0 to 4, not `5`")],
    ),
    case(
        "more faulty replicas of two kinds than replicas",
        "goal: fork",
        "goal: fork\nbeyond_budget: true\nfaults: [{kind: crash, count: 3}, {kind: byzantine, count: 2}]",
        &[(8, 9, "5 replicas are faulty, but there are only 4")],
    ),
    case(
        "a replica with two kinds of fault",
        "goal: fork",
        "goal: fork\nbeyond_budget: true\nfaults:\n- {kind: crash, replicas: [2, 3]}\n- {kind: byzantine, replicas: [3]}",
        &[(10, 32, "replica 3 is faulty twice")],
    ),
    case(
        "one kind of fault twice",
        "goal: fork",
        "goal: fork\nbeyond_budget: true\nfaults: [{kind: crash, count: 1}, {kind: crash, count: 1}]",
        &[(8, 42, "already given")],
    ),
    case(
        "a replica that does not exist",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, replicas: [4]}",
        &[(7, 38, "`replica id` must be a whole number from 0 to 3")],
    ),
    case(
        "a formula that is more than all",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: 4f + 1}",
        &[(
            7,
            34,
            "`count` must be from 0 to 4, and `4f + 1` is 5 where f = 1",
        )],
    ),
    case(
        "a formula that is less than nobody",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: f - 2}",
        &[(7, 34, "`f - 2` is -1 where f = 1")],
    ),
    case(
        "a formula of more than f replicas",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: 2f}",
        &[(
            7,
            9,
            "2 replicas may be faulty, but 4 replicas tolerate f = 1",
        )],
    ),
    case(
        "a formula of n",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: n - f}",
        &[(
            7,
            34,
            "`count` must be a number or a formula a·f + c, not `n - f`",
        )],
    ),
    case(
        "a formula of replicas that are not known",
        "replicas: 4",
        "replicas: four\nfaults: {kind: byzantine, count: 4f}",
        &[(3, 11, "not `four`")],
    ),
    case(
        "powers that are too few, and one that is none",
        "replicas: 4",
        "replicas: 4\npower: [1, 1, 1]",
        &[(4, 8, "`power` has 3 numbers for 4 replicas")],
    ),
    case(
        "a power of nothing",
        "replicas: 4",
        "replicas: 4\npower: [1, 1, 0, 1]",
        &[(4, 15, "`power` must be a whole number from 1 to 1000000")],
    ),
    case(
        "a number that is no list of powers",
        "replicas: 4",
        "replicas: 4\npower: 4",
        &[(4, 8, "`power` must be a list of numbers")],
    ),
    case(
        "more power than is tolerated",
        "goal: fork",
        "goal: fork\npower: [40, 30, 20, 10]\nfaults: {kind: byzantine, power: 34}",
        &[(
            8,
            9,
            "replicas of power 34 may be faulty, but 100 votes tolerate f = 33",
        )],
    ),
    case(
        "a power and a count",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, power: 1, count: 1}",
        &[(7, 37, "both `power` and `count`")],
    ),
    case(
        "a protocol file of a text that lies nowhere",
        "protocol: dbft2",
        "protocol: ./mine.yaml",
        &[(2, 11, "this instance lies in no folder")],
    ),
    case(
        "nobody, but some power",
        "goal: fork",
        "goal: fork\nfaults: {kind: none, power: 1}",
        &[(7, 22, "makes nobody faulty, but `power` is given")],
    ),
    case(
        "any number of replicas",
        "replicas: 4",
        "replicas: any",
        &[(3, 11, "no formulation answers `replicas: any` here")],
    ),
    case(
        "at least so many replicas",
        "replicas: 4",
        "replicas: {at_least: 4}",
        &[(
            3,
            11,
            "no formulation answers `replicas: {at_least: …}` here",
        )],
    ),
    case(
        "any number of views",
        "views: 2",
        "views: any",
        &[(4, 8, "no formulation answers `views: any` yet")],
    ),
    case(
        "at least so many views",
        "views: 2",
        "views: {at_least: 2}",
        &[(4, 8, "from 1 to 32, not a mapping")],
    ),
    case(
        "a finer unit of time",
        "goal: fork",
        "goal: fork\ntimers: protocol\nblock_time: 3\nunit: 2",
        &[(9, 7, "no formulation answers `unit` yet")],
    ),
    case(
        "gossip",
        "goal: fork",
        "goal: fork\ngossip: true",
        &[(7, 9, "only goal `wasted` has some")],
    ),
    case(
        "more good views than honest replicas lead",
        "goal: fork",
        "goal: {wasted: {bad: 1, up_to: 2}}",
        &[(6, 7, "honest replicas may lead only 1")],
    ),
    case(
        "two goals at once",
        "goal: fork",
        "goal: {wasted: {bad: 0, up_to: 1}, weighted: {sense: minimize}}",
        &[(6, 46, "at once")],
    ),
    case(
        "good views without a number",
        "goal: fork",
        "goal: {wasted: {bad: 0}}",
        &[(6, 16, "`up_to`")],
    ),
    case(
        "gossip that is neither true nor false",
        "goal: fork",
        "goal: fork\ngossip: maybe",
        &[(7, 9, "`gossip` must be `true` or `false`")],
    ),
    case(
        "everything that is not answered, and a slip besides",
        "replicas: 4\nviews: 2\nslots: 12",
        "replicas: any\npower: one\nviews: any\nunit: 3\ngossip: true\nslots: x",
        &[
            (3, 11, "`replicas: any`"),
            (4, 8, "`power`"),
            (5, 8, "`views: any`"),
            (6, 7, "`unit`"),
            (7, 9, "`gossip: true`"),
            (8, 8, "`slots` must be"),
        ],
    ),
    case(
        "count and members",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine, count: 1, replicas: [3]}",
        &[(7, 37, "both `count` and `replicas`")],
    ),
    case(
        "neither count nor members",
        "goal: fork",
        "goal: fork\nfaults: {kind: byzantine}",
        &[(7, 16, "needs `count` or `replicas`")],
    ),
    case(
        "nobody, but one",
        "goal: fork",
        "goal: fork\nfaults: {kind: none, count: 1}",
        &[(7, 22, "makes nobody faulty")],
    ),
    case(
        "protocol timers without block time",
        "goal: fork",
        "goal: fork\ntimers: protocol",
        &[(7, 9, "needs `block_time`")],
    ),
    case(
        "block time without protocol timers",
        "goal: fork",
        "goal: fork\nblock_time: 6",
        &[(7, 1, "no meaning while the timers are free")],
    ),
    case(
        "block time of more slots than there may be",
        "goal: fork",
        "goal: fork\ntimers: protocol\nblock_time: 401",
        &[(8, 13, "401")],
    ),
    case(
        "no delay",
        "goal: fork",
        "goal: fork\nnetwork: {bounded: {delay_min: 0, delay_max: 4}}",
        &[(7, 32, "from 1 to 400, not `0`")],
    ),
    case(
        "a largest delay below the smallest",
        "goal: fork",
        "goal: fork\nnetwork: {bounded: {delay_min: 3, delay_max: 2}}",
        &[(7, 46, "delay_max 2 is below delay_min 3")],
    ),
    case(
        "stabilisation after the horizon",
        "goal: fork",
        "goal: fork\nnetwork: {bounded: {delay_min: 1, delay_max: 2, gst: 13}}",
        &[(7, 54, "gst 13 is after the last slot 12")],
    ),
    case(
        "an unknown network",
        "goal: fork",
        "goal: fork\nnetwork: {bonded: {delay_min: 1, delay_max: 2}}",
        &[(7, 11, "unknown key `bonded`")],
    ),
    case(
        "an unknown limit",
        "goal: fork",
        "goal: fork\nbudget: {lat: 3}",
        &[(7, 10, "unknown key `lat`")],
    ),
    case(
        "a boolean by another name",
        "goal: fork",
        "goal: fork\nbeyond_budget: yes",
        &[(7, 16, "not `yes`")],
    ),
    case(
        "a tag",
        "goal: fork",
        "goal: !weighted {sense: maximize}",
        &[(6, 7, "YAML tag"), (6, 18, "unknown key `sense`")],
    ),
    case(
        "an alias",
        "views: 2",
        "views: &a 2\nheights: *a",
        &[(4, 11, "YAML anchor"), (5, 10, "YAML alias")],
    ),
    case(
        "a second document",
        "goal: fork",
        "goal: fork\n---\nviews: 3",
        &[(7, 1, "second document")],
    ),
    case(
        "a tab",
        "goal: fork",
        "goal:\n\tweighted: 1",
        &[(7, 1, "not valid YAML: tab")],
    ),
    case(
        "a bracket that is not closed",
        "goal: fork",
        "faults: {kind: byz",
        &[(6, 9, "unclosed bracket")],
    ),
    case(
        "no mapping",
        INSTANCE,
        "- a\n- b\n",
        &[(1, 1, "an instance must be a mapping, not a list")],
    ),
    case(
        "an empty file",
        INSTANCE,
        "",
        &[(1, 1, "the file is empty")],
    ),
    case(
        "only a comment",
        INSTANCE,
        "# later\n",
        &[(1, 1, "the file is empty")],
    ),
    case(
        "many problems at once",
        "replicas: 4\nviews: 2\nslots: 12\ngoal: fork",
        "replicas: 129\nviews: x\nslots: 0\ngoal: win\ntimers: none\nextra: 1\nbudget: {late: -1}",
        &[
            (3, 11, "`replicas`"),
            (4, 8, "`views`"),
            (5, 8, "`slots`"),
            (6, 7, "`goal`"),
            (7, 9, "`timers`"),
            (8, 1, "`extra`"),
            (9, 16, "`late`"),
        ],
    ),
];

const SCHEDULES: &[Case] = &[
    case(
        "an empty file",
        SCHEDULE,
        "",
        &[(1, 1, "the file is empty; the first line must be")],
    ),
    case(
        "another header",
        ",copy,backup\n",
        ",copy\n",
        &[(
            1,
            84,
            "must be the header of format 2.0, `slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup`",
        )],
    ),
    case(
        "a row cut off",
        "1,1,0,\n2,inj",
        "1,1\n2,inj",
        &[(3, 44, "12 fields, 14 are expected")],
    ),
    case(
        "a field too many",
        "v0b0,,,1,1,0,",
        "v0b0,,,1,1,0,,7",
        &[(3, 48, "15 fields")],
    ),
    case(
        "two empty lines at the end",
        SCHEDULE,
        concat!(
            "slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup\n",
            "1,timeout,0,,,0,0,,,view,,,,\n\n\n",
        ),
        &[(3, 1, "the line is empty"), (4, 1, "the line is empty")],
    ),
    case(
        "an empty line before the header",
        "slot,choice",
        "\nslot,choice",
        &[(1, 1, "must be the header")],
    ),
    case(
        "a carriage return within a line",
        "1,timeout,0,",
        "1,timeout,0\r,",
        &[(2, 11, "not `0\\r`")],
    ),
    case(
        "a quote in a quoted field",
        "1,timeout,0,",
        "\"1\",timeout,\"\"\"0\",",
        &[(
            2,
            13,
            "`replica` must be a whole number from 0, not `\\\"0`",
        )],
    ),
    case(
        "an impossible peer in a row with quotes",
        "2,inject,3,1,",
        "\"2\",\"inject\",3,3,",
        &[
            (4, 16, "replica 3 gets a copy from itself"),
            (5, 13, "no earlier row injects this copy"),
        ],
    ),
    case(
        "a quote that stays open, and a problem below",
        "1,timeout,0,,,0,0,,,view,,,,\n2,deliver",
        "1,timeout,\"0,,,0,0,,,view,,,,\n2,delver",
        &[
            (2, 11, "a field that begins with a quote must end with one"),
            (3, 3, "not `delver`"),
        ],
    ),
    case(
        "text after the closing quote",
        "1,timeout,0,",
        "1,timeout,\"\"0,",
        &[(2, 11, "a field that begins with a quote must end with one")],
    ),
    case(
        "a line break in quotes",
        "1,timeout,0,",
        "1,timeout,\"0\n\",",
        &[
            (2, 11, "a field that begins with a quote must end with one"),
            (3, 1, "a field that begins with a quote must end with one"),
        ],
    ),
    case(
        "an empty line",
        "2,inject",
        "\n2,inject",
        &[(4, 1, "the line is empty")],
    ),
    case(
        "an unknown act",
        "1,timeout",
        "1,timeuot",
        &[(2, 3, "not `timeuot`")],
    ),
    case(
        "no act",
        "1,timeout",
        "1,",
        &[(2, 3, "`choice` is empty; it must be `deliver`, `drop`")],
    ),
    case(
        "a bad number",
        "1,timeout,0",
        "1,timeout,x",
        &[(2, 11, "whole number from 0, not `x`")],
    ),
    case(
        "a leading zero",
        "1,timeout,0",
        "1,timeout,00",
        &[(2, 11, "not `00`")],
    ),
    case(
        "a space",
        "2,deliver,1",
        "2,deliver, 1",
        &[(3, 11, "not ` 1`")],
    ),
    case(
        "a huge number",
        "1,timeout,0",
        "1,timeout,4294967296",
        &[(2, 11, "`replica`")],
    ),
    case(
        "an unknown kind",
        "PrepareRequest",
        "Prevote",
        &[(3, 15, "unknown message kind `Prevote`; `dbft2` has `Block`")],
    ),
    case(
        "a kind in other letters",
        "PrepareRequest",
        "preparerequest",
        &[(3, 15, "unknown message kind")],
    ),
    case(
        "no kind",
        "PrepareRequest",
        "",
        &[(3, 15, "`kind` is empty; `deliver` needs a message kind")],
    ),
    case(
        "a missing field",
        "1,timeout,0,,,0,0",
        "1,timeout,0,,,0,",
        &[(2, 17, "`view` is empty; `timeout` needs")],
    ),
    case(
        "a superfluous field",
        "1,timeout,0,,",
        "1,timeout,0,2,",
        &[(2, 13, "`peer` must be empty for `timeout`")],
    ),
    case(
        "a superfluous sent slot",
        "ChangeView,0,0,,,,,,0,\n",
        "ChangeView,0,0,,,,2,,0,\n",
        &[(4, 32, "`sent` must be empty for `inject`")],
    ),
    case(
        "a value that is missing",
        "v0b0",
        "",
        &[(3, 34, "`value` is empty; a PrepareRequest needs one")],
    ),
    case(
        "a value without an index",
        "v0b0",
        "v0",
        &[(
            3,
            34,
            "`value` must be `v` view `b` index, `nil` or `bad`, not `v0`",
        )],
    ),
    case("a number for a value", "v0b0", "0", &[(3, 34, "not `0`")]),
    case(
        "a value with a leading zero",
        "v0b0",
        "v00b1",
        &[(3, 34, "not `v00b1`")],
    ),
    case(
        "a value in capital letters",
        "v0b0",
        "V0b1",
        &[(3, 34, "not `V0b1`")],
    ),
    case(
        "a value of another view than its message",
        "v0b0",
        "v1b0",
        &[(
            3,
            34,
            "a PrepareRequest names a block of its own view 0, not `v1b0`",
        )],
    ),
    case(
        "no block where one is proposed",
        "v0b0",
        "nil",
        &[(3, 34, "names a block of its own view 0, not `nil`")],
    ),
    case(
        "an invalid block of a kind that names valid ones",
        "v0b0",
        "bad",
        &[(3, 34, "names a block of its own view 0, not `bad`")],
    ),
    case(
        "nil of a kind that names nothing",
        "2,inject,3,1,ChangeView,0,0,,,,,,0,\n3,deliver,1,3,ChangeView,0,0,,",
        "2,inject,3,1,ChangeView,0,0,nil,,,,,0,\n3,deliver,1,3,ChangeView,0,0,nil,",
        &[
            (4, 29, "`value` must be empty for a ChangeView, not `nil`"),
            (5, 30, "`value` must be empty for a ChangeView, not `nil`"),
        ],
    ),
    case(
        "a value of a timer",
        "1,timeout,0,,,0,0,,",
        "1,timeout,0,,,0,0,v0b0,",
        &[(2, 19, "`value` must be empty for `timeout`, not `v0b0`")],
    ),
    case(
        "a justification of a kind that has none",
        "v0b0,,",
        "v0b0,0,",
        &[(
            3,
            39,
            "`justification` must be empty for a PrepareRequest, not `0`",
        )],
    ),
    case(
        "a justification that is no view",
        "v0b0,,",
        "v0b0,v0,",
        &[(
            3,
            39,
            "`justification` must be a whole number from 0, not `v0`",
        )],
    ),
    case(
        "a timer that the protocol has not",
        "view,,,,",
        "veiw,,,,",
        &[(2, 21, "`timer` must be `view`, not `veiw`")],
    ),
    case(
        "no timer",
        "view,,,,",
        ",,,,",
        &[(2, 21, "`timer` is empty; it must be `view`")],
    ),
    case(
        "a timer of a copy",
        "v0b0,,,1",
        "v0b0,,view,1",
        &[(3, 40, "`timer` must be empty for `deliver`")],
    ),
    case(
        "a delivery before its send",
        "v0b0,,,1,1",
        "v0b0,,,3,1",
        &[(3, 41, "delivered in slot 2, but sent in slot 3")],
    ),
    case(
        "a delivery in the slot of its send",
        "v0b0,,,1,1",
        "v0b0,,,2,0",
        &[(3, 41, "delivered in slot 2, but sent in slot 2")],
    ),
    case(
        "a send in slot 0",
        "v0b0,,,1,1",
        "v0b0,,,0,2",
        &[(3, 41, "nothing is sent in slot 0")],
    ),
    case(
        "a wrong delay",
        "v0b0,,,1,1",
        "v0b0,,,1,2",
        &[(3, 43, "slot − sent = 2 − 1 = 1, not `2`")],
    ),
    case(
        "a delivery to oneself",
        "2,deliver,1,0",
        "2,deliver,1,1",
        &[(3, 13, "gets a copy from itself")],
    ),
    case(
        "slots that descend",
        "1,timeout",
        "3,timeout",
        &[
            (3, 1, "slot 2 comes after slot 3"),
            (4, 1, "slot 2 comes after slot 3"),
        ],
    ),
    case(
        "an act in slot 0",
        "1,timeout",
        "0,timeout",
        &[(2, 1, "nothing happens in slot 0")],
    ),
    case(
        "a copy delivered twice",
        "2,inject",
        "2,deliver,1,0,PrepareRequest,0,0,v0b0,,,1,1,0,\n2,inject",
        &[(4, 45, "line 3 delivers or drops the same copy")],
    ),
    case(
        "a copy made twice",
        "3,deliver",
        "2,inject,3,1,ChangeView,0,0,,,,,,0,\n3,deliver",
        &[(5, 34, "made in line 4 already")],
    ),
    case(
        "a copy that nobody made",
        "3,deliver,1,3,ChangeView,0,0,,,,2,1,0,",
        "3,deliver,1,3,ChangeView,0,0,,,,2,1,1,",
        &[(5, 13, "no earlier row injects this copy")],
    ),
    case(
        "a restart without a crash",
        "3,deliver",
        "2,restart,2,,,,,,,,,,,yes\n3,deliver",
        &[(5, 11, "it is not down")],
    ),
    case(
        "a restart that says nothing of the backup",
        "3,deliver",
        "2,crash,2,,,,,,,,,,,\n2,restart,2,,,,,,,,,,,\n3,deliver",
        &[(6, 23, "`backup` is empty; it must be `yes` or `no`")],
    ),
    case(
        "a backup by another name",
        "3,deliver",
        "2,crash,2,,,,,,,,,,,\n2,restart,2,,,,,,,,,,,no-backup\n3,deliver",
        &[(6, 23, "`backup` must be `yes` or `no`, not `no-backup`")],
    ),
    case(
        "a backup and a value of a crash",
        "3,deliver",
        "2,crash,2,,,,,nil,,,,,,yes\n3,deliver",
        &[
            (5, 15, "`value` must be empty for `crash`, not `nil`"),
            (5, 24, "`backup` must be empty for `crash`, not `yes`"),
        ],
    ),
    case(
        "a second crash",
        "3,deliver",
        "2,crash,2,,,,,,,,,,,\n2,crash,2,,,,,,,,,,,\n3,deliver",
        &[(6, 9, "is down since line 5")],
    ),
    case(
        "a timer of a crashed replica",
        "3,deliver",
        "2,crash,2,,,,,,,,,,,\n2,timeout,2,,,0,0,,,view,,,,\n3,deliver",
        &[(6, 11, "is down since line 5")],
    ),
    case(
        "a drop with a delay",
        "3,deliver,1,3",
        "3,drop,1,3",
        &[(5, 32, "`delay` must be empty for `drop`")],
    ),
    case(
        "problems in three rows at once",
        "1,timeout,0,,,0,0,,,view,,,,\n2,deliver,1,0,PrepareRequest,0,0,v0b0,,,1,1,0,\n2,inject,3",
        "1,timeout,,,,0,0,,,view,,,,\n2,deliver,1,1,Prevote,0,0,b0,,,1,5,0,\n2,inject,y",
        &[
            (2, 11, "`replica` is empty"),
            (3, 15, "unknown message kind `Prevote`"),
            (3, 27, "`value`"),
            (3, 34, "`delay`"),
            (4, 10, "`replica` must be"),
        ],
    ),
];

const DROP: &str = "\
slot,choice,replica,peer,kind,height,view,value,justification,timer,sent,delay,copy,backup
5,drop,0,1,Commit,0,0,v0b0,,,5,,0,
";

const DROPS: &[Case] = &[
    case(
        "a copy dropped before it is sent",
        "v0b0,,,5",
        "v0b0,,,6",
        &[(2, 30, "dropped in slot 5, but sent in slot 6")],
    ),
    case(
        "a copy with two fates",
        "5,drop,0,1,Commit,0,0,v0b0,,,5,,0,\n",
        "5,drop,0,1,Commit,0,0,v0b0,,,5,,0,\n6,deliver,0,1,Commit,0,0,v0b0,,,5,1,0,\n",
        &[(3, 37, "line 2 delivers or drops the same copy")],
    ),
];

const PREDICTION_FILES: &[Case] = &[
    case(
        "an empty file",
        PREDICTIONS,
        "",
        &[(1, 1, "the file is empty")],
    ),
    case(
        "the header of a schedule",
        "slot,event",
        "slot,choice",
        &[(
            1,
            6,
            "must be the header of format 2.0, `slot,event,replica,kind,height,view,value,justification`",
        )],
    ),
    case(
        "an unknown event",
        "1,send",
        "1,sent",
        &[(2, 3, "`send`, `enter_view` or `decide`, not `sent`")],
    ),
    case(
        "an unknown kind",
        "PrepareRequest",
        "Prepare",
        &[(2, 10, "unknown message kind `Prepare`")],
    ),
    case(
        "view 0 entered",
        "4,enter_view,1,,0,1",
        "4,enter_view,1,,0,0",
        &[(3, 19, "view 0 is not entered")],
    ),
    case(
        "a value of a view entered",
        "4,enter_view,1,,0,1,",
        "4,enter_view,1,,0,1,v1b0",
        &[(3, 21, "`value` must be empty for `enter_view`")],
    ),
    case(
        "a decision on nothing",
        "5,decide,1,,0,,v0b0",
        "5,decide,1,,0,,",
        &[(4, 16, "`value` is empty; `decide` needs a block there")],
    ),
    case(
        "a decision on no block",
        "5,decide,1,,0,,v0b0",
        "5,decide,1,,0,,nil",
        &[(4, 16, "`value` must be a block for `decide`, not `nil`")],
    ),
    case(
        "a kind of a decision",
        "5,decide,1,",
        "5,decide,1,Block",
        &[(4, 12, "`kind` must be empty for `decide`")],
    ),
    case(
        "a view of a decision, which its value has",
        "5,decide,1,,0,,",
        "5,decide,1,,0,0,",
        &[(4, 15, "`view` must be empty for `decide`")],
    ),
    case(
        "a justification of a kind that has none",
        "1,send,0,PrepareRequest,0,0,v0b0,",
        "1,send,0,PrepareRequest,0,0,v0b0,0",
        &[(2, 34, "`justification` must be empty for a PrepareRequest")],
    ),
    case(
        "slots that descend",
        "5,decide",
        "3,decide",
        &[(4, 1, "slot 3 comes after slot 4")],
    ),
    case(
        "a row cut off",
        "5,decide,1,,0,,v0b0,",
        "5,deci",
        &[(4, 7, "2 fields, 8 are expected")],
    ),
];

const OUTCOMES: &[Case] = &[
    case(
        "an unknown termination",
        "termination: optimal",
        "termination: done",
        &[(2, 14, "not `done`")],
    ),
    case(
        "a primal that is no number",
        "primal: 1",
        "primal: one",
        &[(3, 9, "`primal` must be a whole number")],
    ),
    case(
        "a primal that is missing",
        "primal: 1\n",
        "",
        &[(1, 1, "the key `primal` is missing")],
    ),
    case(
        "a dual that is not finite",
        "dual: 1.0",
        "dual: .inf",
        &[(4, 7, "a finite number, not `.inf`")],
    ),
    case(
        "an optimum without a value",
        "primal: 1",
        "primal: null",
        &[
            (3, 9, "if and only if"),
            (5, 6, "`gap`"),
            (13, 18, "if and only if `primal` is"),
        ],
    ),
    case(
        "a gap that does not follow",
        "gap: 0.0",
        "gap: 0.5",
        &[(5, 6, "`gap` does not follow from")],
    ),
    case(
        "a proof without a certificate",
        "certificate: {safe_dual_bound: {bound: 1}}",
        "certificate: none",
        &[(6, 9, "needs a certificate")],
    ),
    case(
        "an unknown certificate",
        "safe_dual_bound",
        "oath",
        &[(10, 15, "unknown key `oath`")],
    ),
    case(
        "a hash that is cut off",
        "b7852b855",
        "b78",
        &[(13, 18, "64 lower-case hexadecimal digits")],
    ),
    case(
        "a faulty replica that the instance does not have",
        "replica: 3",
        "replica: 4",
        &[(12, 20, "from 0 to 3")],
    ),
    case(
        "a fault that the instance does not have",
        "kind: byzantine}]",
        "kind: crash}]",
        &[(12, 10, "does not let replica 3 have this fault")],
    ),
    case(
        "a faulty replica twice",
        "faulty: [",
        "faulty: [{replica: 3, kind: byzantine}, ",
        &[(12, 41, "replica 3 is out of order")],
    ),
    case(
        "a problem of the instance within",
        "  slots: 12",
        "  slots: many",
        &[(19, 10, "`slots` must be")],
    ),
    case(
        "slots of a schedule that no horizon can be",
        "instance:\n",
        "schedule_slots: 0\ninstance:\n",
        &[(14, 17, "`schedule_slots` must be")],
    ),
    case(
        "an unknown key of the instance within",
        "  goal: fork",
        "  goal: fork\n  goals: fork",
        &[(21, 3, "unknown key `goals`")],
    ),
    case(
        "another instance within",
        "milp-instance/2.0",
        "milp-instance/1.0",
        &[(15, 11, "version `1.0`, and this program reads 2.0 only")],
    ),
    case(
        "another version of an outcome",
        "milp-outcome/2.0",
        "milp-outcome/1.1",
        &[(1, 9, "version `1.1`, and this program reads 2.0 only")],
    ),
    case(
        "an unknown key",
        "run: {",
        "ran: 1\nrun: {",
        &[(23, 1, "unknown key `ran`")],
    ),
    case(
        "a fact that is a list",
        "seed: 0",
        "seed: [0]",
        &[(23, 13, "`seed` must be a text")],
    ),
];

const SWEEPS: &[Case] = &[
    case(
        "another version",
        "milp-sweep/2.0",
        "milp-sweep/1.0",
        &[(1, 9, "version `1.0`, and this program reads 2.0 only")],
    ),
    case(
        "another kind of file",
        "milp-sweep/2.0",
        "milp-instance/2.0",
        &[(1, 9, "not `milp-instance/2.0`")],
    ),
    case(
        "an unknown key and nothing to sweep",
        "over:",
        "vary:",
        &[
            (1, 1, "the key `over` is missing"),
            (5, 1, "unknown key `vary`"),
        ],
    ),
    case(
        "several fields that do not exist",
        "  n: [4, 7]\n  timers,",
        "  m: [4, 7]\n  format: [1]\n  network.delay: [1]\n  timers,",
        &[
            (6, 3, "`m` is no field"),
            (7, 3, "`format` is no field"),
            (8, 3, "`network.delay` is no field"),
        ],
    ),
    case(
        "a field that is changed twice, once under another name",
        "goal.weighted.views",
        "replicas",
        &[(8, 3, "`replicas` changes what `replicas` changes already")],
    ),
    case(
        "a field inside of one that changes",
        "n: [4, 7]",
        "goal: [fork]",
        &[(8, 3, "changes what `goal` changes already")],
    ),
    case(
        "one value, no value, a value twice and too few values together",
        "n: [4, 7]\n  timers, block_time: [[free, ~], [protocol, 3]]",
        "n: 4\n  views: []\n  slots: [8, 9, 8]\n  timers, block_time: [free, [protocol]]",
        &[
            (6, 6, "must be a list, not `4`"),
            (7, 10, "`views` has no values"),
            (8, 17, "in the list twice"),
            (9, 24, "2 values is expected, not `free`"),
            (9, 30, "2 values is expected, not one of 1"),
        ],
    ),
    case(
        "a list in place of fields",
        "over:\n  n: [4, 7]\n  timers, block_time: [[free, ~], [protocol, 3]]\n  goal.weighted.views: [1]",
        "over: [n]",
        &[(5, 7, "`over` must be a mapping, not a list")],
    ),
    case(
        "no field at all",
        "over:\n  n: [4, 7]\n  timers, block_time: [[free, ~], [protocol, 3]]\n  goal.weighted.views: [1]",
        "over: {}",
        &[(5, 7, "names no field")],
    ),
    case(
        "a base that is a list",
        "base:\n  format: milp-instance/2.0\n  protocol: dbft2",
        "base: [a]",
        &[(2, 7, "not a list")],
    ),
    case(
        "a base that is nowhere",
        "base:\n  format: milp-instance/2.0\n  protocol: dbft2",
        "base: nowhere.yaml",
        &[(2, 7, "nowhere.yaml: cannot read the file")],
    ),
    case(
        "no YAML",
        "n: [4, 7]",
        "n: [4, 7",
        &[(8, 3, "not valid YAML")],
    ),
];

fn check_all<T: std::fmt::Debug>(
    good: &str,
    cases: &[Case],
    read: impl Fn(&str, &str) -> Result<T, read::ReadError>,
) {
    if let Err(error) = read("good", good) {
        panic!("the file that the cases break is not good itself:\n{error}");
    }
    let mut failures = Vec::new();
    for Case {
        says,
        replace,
        by,
        problems,
    } in cases
    {
        assert!(
            good.contains(replace),
            "{says}: {replace:?} is not in the good file"
        );
        let Err(error) = read("file", &good.replacen(replace, by, 1)) else {
            failures.push(format!("{says}: accepted"));
            continue;
        };
        let found: Vec<_> = error
            .problems
            .iter()
            .map(|problem| (problem.line, problem.column))
            .collect();
        let expected: Vec<_> = problems
            .iter()
            .map(|&(line, column, _)| (line, column))
            .collect();
        if found != expected {
            failures.push(format!("{says}: expected {expected:?}, found\n{error}"));
        }
        for (problem, (.., fragment)) in error.problems.iter().zip(*problems) {
            if !problem.what.contains(fragment) || problem.hint.is_empty() {
                failures.push(format!(
                    "{says}: expected {fragment:?} and a hint, found\n{problem}"
                ));
            }
            assert_eq!(problem.file, "file", "the name is the one that was given");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_problem_of_an_instance_is_reported_at_its_place() {
    check_all(INSTANCE, INSTANCES, read::instance_text);
}

#[test]
fn every_problem_of_a_schedule_is_reported_at_its_place() {
    let read = |file: &str, text: &str| read::choices_text(Protocol::shipped("dbft2"), file, text);
    check_all(SCHEDULE, SCHEDULES, read);
    check_all(DROP, DROPS, read);
}

#[test]
fn a_misspelled_timer_is_answered_with_the_one_that_was_meant() {
    let text = SCHEDULE.replace("view,,,,", "veiw,,,,");
    let read = read::choices_text(Protocol::shipped("dbft2"), "x", &text);
    assert_eq!(only(read).1, "did you mean `view`?");
}

#[test]
fn every_problem_of_predictions_is_reported_at_its_place() {
    let dbft2 = Protocol::shipped("dbft2");
    let read = |file: &str, text: &str| read::predictions_text(dbft2, file, text);
    check_all(PREDICTIONS, PREDICTION_FILES, read);
}

#[test]
fn every_problem_of_an_outcome_is_reported_at_its_place() {
    check_all(OUTCOME, OUTCOMES, read::outcome_text);
}

#[test]
fn every_problem_of_a_sweep_is_reported_at_its_place() {
    let read = |file: &str, text: &str| read::sweep_text(file, text, std::path::Path::new(""));
    check_all(SWEEP, SWEEPS, read);
}

/// The one problem of a text, which must be one: its message and its hint.
fn only<T: std::fmt::Debug>(read: Result<T, read::ReadError>) -> (String, String) {
    let error = read.expect_err("something is wrong with it");
    let [problem] = &error.problems[..] else {
        panic!("{error}");
    };
    (problem.what.clone(), problem.hint.clone())
}

#[test]
fn a_file_of_an_earlier_version_is_refused_in_one_line_that_says_what_to_do() {
    let dbft2 = Protocol::shipped("dbft2");
    let here = std::path::Path::new("");
    let old = |text: &str| text.replace("/2.0", "/1.1").replace("timers", "timeouts");
    let verdict = "format: milp-verdict/1.1\nengine: dbft2-paper\n";
    let choices = "slot,choice,replica,peer,kind,height,view,block,sent,delay,target,copy\n\
                   1,timeout,0,,,0,0,,,,,\n";
    let predictions = "slot,event,replica,kind,height,view,block,target\n\
                       1,send,0,PrepareRequest,0,0,0,\n";
    let said = [
        only(read::instance_text("x", &old(INSTANCE))),
        only(read::outcome_text("x", &old(OUTCOME))),
        only(read::sweep_text("x", &old(SWEEP), here)),
        only(read::yaml_text::<Verdict>("x", verdict, "verdict")),
        only(read::choices_text(dbft2, "x", choices)),
        only(read::predictions_text(dbft2, "x", predictions)),
    ];
    for (what, hint) in said {
        assert!(what.contains("2.0") && !what.contains('\n'), "{what}");
        assert!(hint.contains("write the file anew"), "{hint}");
        assert!(hint.contains("the version of milp it is from"), "{hint}");
    }
}
