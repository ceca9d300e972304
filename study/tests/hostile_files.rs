//! Every shipped file, damaged at random: whatever the text, a reader and the cheap commands say what
//! is wrong, without a panic, in little time and little memory. And every kept result as the start of
//! every shipped instance.
//!
//! `MILP_HOSTILE_FILES` and `MILP_HOSTILE_STARTS` say how many cases there are; a case depends on
//! nothing but its number. A case that fails is written to `target/hostile`.

#![expect(
    clippy::print_stdout,
    reason = "the counts are for whoever runs the test by hand"
)]

mod support;

use milp_model::Built;
use milp_schema::{Instance, read};
use milp_show::export::{Format, Names, export};
use milp_study::{
    best::Shown,
    confirm::{Engine, How},
    expected::Expected,
    folder::{self, Driven, Folder},
    import,
    learn::cuts::Cuts,
    show, solve, verify,
};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Damaged files in CI.
const FILES: usize = 10_000;
/// Pairs of an instance and a start in CI.
const STARTS: usize = 500;
/// No case may take longer.
const LONGEST: Duration = Duration::from_secs(20);
/// Nor all of them more memory, in KiB.
const MOST_MEMORY: u64 = 1 << 20;
/// One in so many results is verified; that builds a program, which takes as long as all the rest.
const VERIFIED: usize = 8;
/// Of a program larger than this, counted in what its columns are made of, nothing is built here.
const CHEAP: u64 = 20_000;

/// A number from the environment.
fn number(name: &str, otherwise: usize) -> usize {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number of cases"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder, ascending.
fn below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a folder of the repository");
    let mut paths = entries
        .map(|entry| entry.expect("a readable entry").path())
        .collect::<Vec<_>>();
    paths.sort();
    let inner = |path: PathBuf| {
        if path.is_dir() {
            below(&path)
        } else {
            vec![path]
        }
    };
    paths.into_iter().flat_map(inner).collect()
}

fn instances() -> Vec<PathBuf> {
    let text = |path: &PathBuf| std::fs::read_to_string(path).expect("a file of the repository");
    let mut files = below(&root().join("instances"));
    files.retain(|path| text(path).contains("\nformat: milp-"));
    files.retain(|path| !text(path).contains("\nformat: milp-protocol/"));
    files
}

/// The folders of kept results.
fn results() -> Vec<PathBuf> {
    let files = below(&root().join("results")).into_iter();
    files
        .filter(|path| path.ends_with(folder::OUTCOME))
        .map(|path| path.parent().expect("a file has a folder").to_owned())
        .collect()
}

/// A seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// What is put in place of a word.
const WORDS: [&str; 32] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "4",
    "7",
    "127",
    "128",
    "129",
    "255",
    "1000",
    "65535",
    "65536",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1e308",
    ".nan",
    "-.inf",
    "null",
    "true",
    "",
    "~",
    "{}",
    "[]",
    "\"",
    "ß",
    "count",
];

/// What is put between two bytes.
const BITS: [&str; 20] = [
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{85}",
    ":",
    ": ",
    ",",
    "\"",
    "'",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!binary ",
    "\n---\n",
];

/// The text with one to four damages; `other` is a text to take pieces from.
fn damaged(text: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let length = random.below(40).min(bytes.len() - at);
        match random.below(9) {
            // Numbers and words are where the meaning is.
            0..=3 => {
                let word = words(&bytes);
                if !word.is_empty() {
                    let word = word[random.below(word.len())].clone();
                    let others = words(other);
                    let from_other = random.below(3) == 0 && !others.is_empty();
                    let new = if from_other {
                        other[others[random.below(others.len())].clone()].to_vec()
                    } else {
                        random.of(&WORDS).as_bytes().to_vec()
                    };
                    bytes.splice(word, new);
                }
            }
            4 => drop(bytes.splice(at..at, random.of(&BITS).bytes())),
            5 => drop(bytes.drain(at..at + length)),
            6 => {
                let piece = bytes[at..at + length].to_vec();
                let piece = piece.repeat(1 + random.below(3) * random.below(300));
                drop(bytes.splice(at..at, piece));
            }
            7 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            _ => {
                let from = random.below(other.len() + 1);
                let piece = other[from..].iter().take(random.below(400)).copied();
                drop(bytes.splice(at..at + length, piece));
            }
        }
    }
    bytes
}

/// Where the words of a text are.
fn words(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let mut found = vec![];
    let mut start = None;
    for (at, byte) in bytes.iter().enumerate().chain([(bytes.len(), &b' ')]) {
        match (part(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Whether a program is small enough to be built thousands of times.
fn cheap(instance: &Instance) -> bool {
    let counts = [
        instance.replicas,
        instance.replicas,
        instance.views,
        instance.heights,
        instance.blocks_per_proposal,
        instance.slots,
    ];
    let size = counts.iter().map(|it| u64::from(*it));
    size.fold(1, u64::saturating_mul) <= CHEAP
}

/// How far the cases came.
#[derive(Debug, Default)]
struct Came {
    read: AtomicUsize,
    replayed: AtomicUsize,
    built: AtomicUsize,
}

/// The cheap commands on an instance file.
fn instance(path: &Path, came: &Came) {
    let Ok(instance) = read::instance(path) else {
        return;
    };
    came.read.fetch_add(1, Ordering::Relaxed);
    if cheap(&instance) && milp_model::build(&instance).is_ok() {
        came.built.fetch_add(1, Ordering::Relaxed);
    }
}

/// The cheap commands on a folder of a result, and `verify` on some.
fn result(dir: &Path, verified: bool, came: &Came) {
    let _ = read::outcome(&dir.join(folder::OUTCOME));
    let _ = Expected::read(&dir.join(folder::EXPECTED));
    let _ = Cuts::read(&dir.join(folder::CUTS));
    let _ = Shown::read(&dir.join(folder::SHOWN));
    let _ = read::certificate(&dir.join(folder::CERTIFICATE));
    let Ok(driven) = Driven::read(dir, None) else {
        return;
    };
    came.read.fetch_add(1, Ordering::Relaxed);
    let how = How {
        symbolic: true,
        ..How::default()
    };
    if driven.replay(&Engine::Own, how).is_ok() {
        came.replayed.fetch_add(1, Ordering::Relaxed);
    }
    let _ = show::story(&driven, &milp_study::confirm::Engine::Own).map(|story| story.lines());
    for format in [
        Format::Mermaid,
        Format::Itf,
        Format::Twins(Names::Numbers),
        Format::Twins(Names::Objects),
    ] {
        let _ = export(&(&driven).into(), format);
    }
    if verified && cheap(&driven.instance) && verify::unsolved(dir).is_ok() {
        came.built.fetch_add(1, Ordering::Relaxed);
    }
}

/// What other programs wrote.
fn foreign(path: &Path) {
    let Ok(text) = read::text(path) else { return };
    match import::Kind::of(&text) {
        Some(import::Kind::Itf) => drop(import::itf("file", &text)),
        Some(import::Kind::Model) => drop(import::model("file", &text, None)),
        Some(import::Kind::Twins) => drop(import::twins("file", &text)),
        Some(import::Kind::Report) => drop(import::report("file", &text, false)),
        Some(import::Kind::Solution) | None => {}
    }
}

/// One file to damage, and the folder that it is part of.
struct Shipped {
    name: String,
    text: Vec<u8>,
    /// The files beside it, undamaged; none for an instance.
    beside: BTreeMap<String, Vec<u8>>,
}

/// Everything shipped, and what is made of it.
fn shipped() -> Vec<Shipped> {
    let bytes = |path: &Path| std::fs::read(path).expect("a file of the repository");
    let mut all = Vec::new();
    for path in instances() {
        all.push(Shipped {
            name: "instance.yaml".to_owned(),
            text: bytes(&path),
            beside: BTreeMap::new(),
        });
    }
    for dir in results() {
        let mut beside = below(&dir)
            .iter()
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy();
                (name.into_owned(), bytes(path))
            })
            .collect::<BTreeMap<_, _>>();
        let driven = Driven::read(&dir, None).expect("a kept result");
        for (name, format) in [
            ("trace.itf", Format::Itf),
            ("case.twins", Format::Twins(Names::Objects)),
        ] {
            if let Ok(exported) = export(&(&driven).into(), format) {
                beside.insert(name.to_owned(), exported.text.into_bytes());
            }
        }
        for (name, text) in &beside {
            all.push(Shipped {
                name: name.clone(),
                text: text.clone(),
                beside: beside.clone(),
            });
        }
        // What a result may rest on besides; none that is shipped does.
        for (name, text) in [(folder::CUTS, CUTS), (folder::SHOWN, SHOWN)] {
            all.push(Shipped {
                name: name.to_owned(),
                text: text.as_bytes().to_vec(),
                beside: beside.clone(),
            });
        }
    }
    all
}

const CUTS: &str = "format: milp-cuts/2.0\nengine: nspcc-dbft\ncuts: []\n";
const SHOWN: &str =
    "format: milp-shown/2.0\ndistinct: schedule\nabout: nothing\nschedules:\n- [did_decide_i0]\n";

/// Runs all cases, each on its own, and says which failed and why.
fn run(name: &str, cases: usize, case: &(dyn Fn(usize, &Path) + Sync)) {
    let scratch = root().join("target/hostile").join(name);
    let _ = std::fs::remove_dir_all(&scratch);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let (next, failed, scratch) = (&next, &failed, &scratch);
            let dir = scratch.join(worker.to_string());
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= cases {
                        break;
                    }
                    let _ = std::fs::remove_dir_all(&dir);
                    std::fs::create_dir_all(&dir).expect("a folder below target/");
                    #[expect(clippy::disallowed_methods, reason = "the limit is by the clock")]
                    let began = Instant::now();
                    let ended = catch_unwind(AssertUnwindSafe(|| case(number, &dir)));
                    let took = began.elapsed();
                    if ended.is_err() || took > LONGEST {
                        let kept = scratch.join(format!("case-{number}"));
                        std::fs::rename(&dir, &kept).expect("a folder below target/");
                        let why = if ended.is_err() {
                            "panics"
                        } else {
                            "takes long"
                        };
                        failed
                            .lock()
                            .expect("no panic inside")
                            .push(format!("{} {why} ({took:?})", kept.display()));
                    }
                }
                let _ = std::fs::remove_dir_all(&dir);
            });
        }
    });
    let failed = failed.into_inner().expect("no panic inside");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    if let Some(memory) = peak_memory() {
        println!("{name}: {cases} cases, at most {} MiB", memory >> 10);
        assert!(memory < MOST_MEMORY, "{memory} KiB");
    }
}

/// The most memory this process ever had, in KiB, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn no_damaged_file_makes_a_command_panic_or_hang_or_fill_the_memory() {
    let (shipped, came) = (shipped(), Came::default());
    assert!(shipped.len() > 200, "{}", shipped.len());
    let cases = number("MILP_HOSTILE_FILES", FILES);
    run("files", cases, &|number, dir| {
        let mut random = Random(number as u64);
        let file = &shipped[number % shipped.len()];
        let other = &shipped[random.below(shipped.len())];
        let text = damaged(&file.text, &other.text, &mut random);
        for (name, text) in &file.beside {
            std::fs::write(dir.join(name), text).expect("a file below target/");
        }
        let path = dir.join(&file.name);
        std::fs::write(&path, text).expect("a file below target/");
        if file.beside.is_empty() {
            instance(&path, &came);
        } else {
            result(dir, random.below(VERIFIED) == 0, &came);
            foreign(&path);
        }
    });
    println!("{came:?}");
    // Damage that nothing comes behind tests the first line of a reader only.
    if cases >= FILES {
        for (what, count, least) in [
            ("read", &came.read, cases / 4),
            ("replayed", &came.replayed, cases / 4),
            ("built", &came.built, cases / 100),
        ] {
            let count = count.load(Ordering::Relaxed);
            assert!(count > least, "{what}: {count} of {cases}");
        }
    }
}

#[test]
fn every_result_is_a_start_or_none_of_every_instance_without_a_panic() {
    let instances = instances()
        .iter()
        .filter_map(|path| read::instance(path).ok())
        .collect::<Vec<_>>();
    let starts = results()
        .iter()
        .map(|dir| Folder::read(dir).expect("a kept result"))
        .collect::<Vec<_>>();
    let pairs = instances.len() * starts.len();
    let cases = number("MILP_HOSTILE_STARTS", STARTS).min(pairs);
    let built: Vec<Mutex<Option<Built>>> = instances.iter().map(|_| Mutex::new(None)).collect();
    let (fitting, solved) = (AtomicUsize::new(0), AtomicUsize::new(0));
    run("starts", cases, &|number, _| {
        // Evenly among all pairs, those of an instance behind one another.
        let pair = number * pairs / cases;
        let (at, start) = (pair / starts.len(), &starts[pair % starts.len()]);
        let mut built = built[at]
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if built.is_none() {
            *built = Some(milp_model::build(&instances[at]).expect("a shipped instance builds"));
        }
        let Some(program) = built.as_ref() else {
            return;
        };
        let point = program.encode(&start.schedule, &start.outcome.faulty);
        fitting.fetch_add(usize::from(point.is_ok()), Ordering::Relaxed);
        drop(built);
        // As the command does it, with hardly any time.
        if number % 10 == 0 && cheap(&instances[at]) {
            let settings = support::settings(0.01, false);
            let request = solve::Request {
                instance: &instances[at],
                settings: &settings,
                warm_start: Some(start),
                adequacy: false,
                command: "milp solve",
            };
            let none = AtomicBool::new(false);
            drop(solve::solve(&request, &none, &mut |_| ()));
            solved.fetch_add(1, Ordering::Relaxed);
        }
    });
    println!("of {pairs} pairs {fitting:?} encoded, {solved:?} solved");
    assert!(fitting.load(Ordering::Relaxed) > 0);
}
