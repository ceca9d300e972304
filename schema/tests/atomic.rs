//! Files and folders appear whole or not at all, whoever else writes and whatever goes wrong.

use milp_schema::write;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// A folder whose files may all be replaced.
const ANY: &dyn Fn(&str) -> bool = &|_| true;

fn files(entries: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    entries
        .iter()
        .map(|&(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
        .collect()
}

/// Three files that name their writer, so that a mixture shows.
fn signed(writer: &str) -> BTreeMap<String, Vec<u8>> {
    let long = writer.repeat(5_000);
    files(&[
        ("a.csv", writer),
        ("b.csv", &long),
        (&format!("only-{writer}"), writer),
    ])
}

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("names are text");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("names are text")
        })
        .collect();
    names.sort();
    names
}

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn a_folder_is_made_with_its_parents_and_replaced_as_a_whole() {
    let scratch = scratch();
    let target = scratch.path().join("out/dbft2/n4");
    let old = files(&[("schedule.csv", "old"), ("trace.own.ndjson", "old")]);
    write::folder(&target, &old, ANY).expect("first time");
    assert_eq!(content(&target), old);
    let new = files(&[("schedule.csv", "new"), ("outcome.yaml", "")]);
    write::folder(&target, &new, ANY).expect("second time");
    assert_eq!(content(&target), new);
    assert_eq!(names(target.parent().expect("a parent")), ["n4"]);
}

#[test]
fn what_is_written_has_the_rights_of_what_is_made_by_hand() {
    let scratch = scratch();
    let by_hand = scratch.path().join("by-hand");
    fs::create_dir(&by_hand).expect("a folder");
    fs::write(by_hand.join("a"), "").expect("a file");
    write::folder(&scratch.path().join("ours"), &files(&[("a", "")]), ANY).expect("a folder");
    write::file(&scratch.path().join("file"), b"").expect("a file");
    let rights = |name: &str| {
        fs::metadata(scratch.path().join(name))
            .expect("it exists")
            .permissions()
    };
    assert_eq!(rights("ours"), rights("by-hand"));
    assert_eq!(rights("ours/a"), rights("by-hand/a"));
    assert_eq!(rights("file"), rights("by-hand/a"));
}

#[test]
fn of_concurrent_writers_one_wins_entirely_and_the_folder_is_never_missing() {
    let scratch = scratch();
    let target = scratch.path().join("n4");
    let writers = ["ann", "bob", "cleo", "dan"];
    write::folder(&target, &signed("ann"), ANY).expect("the first");
    std::thread::scope(|scope| {
        for writer in writers {
            let target = &target;
            scope.spawn(move || {
                for _ in 0..15 {
                    write::folder(target, &signed(writer), ANY).expect("each writer succeeds");
                    let found = fs::read(target.join("a.csv")).expect("a folder is always there");
                    let found = String::from_utf8(found).expect("a name");
                    assert!(
                        writers.contains(&found.as_str()),
                        "{found:?} is half written"
                    );
                }
            });
        }
    });
    let found = content(&target);
    let winner = String::from_utf8(found["a.csv"].clone()).expect("a name");
    assert_eq!(found, signed(&winner));
    assert_eq!(names(scratch.path()), ["n4"], "no temporary name is left");
}

#[test]
fn a_failed_write_leaves_the_old_folder_and_nothing_else() {
    let scratch = scratch();
    let target = scratch.path().join("n4");
    let old = files(&[("schedule.csv", "old")]);
    write::folder(&target, &old, ANY).expect("first time");
    let mut new = files(&[("a.csv", "new"), ("schedule.csv", "new")]);
    // The file system refuses this name after the others are written.
    new.insert("z".repeat(300), b"new".to_vec());
    write::folder(&target, &new, ANY).expect_err("a name of 300 letters");
    assert_eq!(content(&target), old);
    assert_eq!(names(scratch.path()), ["n4"]);

    write::file(&scratch.path().join("z".repeat(300)), b"new").expect_err("the same for a file");
    write::file(&target.join("schedule.csv/x"), b"new").expect_err("the parent is a file");
    write::folder(&target.join("schedule.csv/x"), &old, ANY).expect_err("the parent is a file");
    assert_eq!(content(&target), old);
    assert_eq!(names(scratch.path()), ["n4"]);
}

#[test]
fn a_folder_that_is_not_one_of_results_is_not_replaced() {
    let scratch = scratch();
    let home = scratch.path().join("home");
    fs::create_dir_all(home.join("work")).expect("a folder");
    let new = files(&[("a", "new")]);
    let error = write::folder(&home, &new, ANY).expect_err("it has a folder inside");
    assert!(error.to_string().contains("`work`"), "{error}");
    assert_eq!(names(&home), ["work"]);

    fs::write(scratch.path().join("file"), "old").expect("a file");
    write::folder(&scratch.path().join("file"), &new, ANY).expect_err("it is a file");
    assert_eq!(
        fs::read(scratch.path().join("file")).expect("the file"),
        b"old"
    );
    assert_eq!(names(scratch.path()), ["file", "home"]);
}

#[test]
fn a_file_of_somebody_else_is_not_removed_with_the_folder() {
    let scratch = scratch();
    let target = scratch.path().join("n4");
    let ours = |name: &str| ["a.csv", "b.csv", "c.csv"].contains(&name);
    write::folder(&target, &files(&[("a.csv", "old")]), &ours).expect("first time");
    // What a killed writer left inside is ours, too.
    fs::write(target.join(".a.csv.milp-tmp-dead00"), "ol").expect("a file");
    write::folder(&target, &files(&[("b.csv", "new")]), &ours).expect("second time");
    assert_eq!(names(&target), ["b.csv"]);
    for other in ["notes.md", ".notes.md.milp-tmp-dead00", ".milp-tmp-dead00"] {
        fs::write(target.join(other), "mine").expect("a file");
        let error = write::folder(&target, &files(&[("c.csv", "newer")]), &ours)
            .expect_err("it holds a file of somebody else");
        assert!(error.to_string().contains(other), "{error}");
        assert!(target.join("b.csv").exists() && target.join(other).exists());
        fs::remove_file(target.join(other)).expect("it was there");
    }
    assert_eq!(names(scratch.path()), ["n4"]);
}

#[test]
fn leftovers_are_removed_from_a_folder_where_they_are_of_files_that_are_meant() {
    let scratch = scratch();
    let path = |name: &str| scratch.path().join(name);
    for name in [
        ".1.milp-tmp-dead00",
        ".2.milp-tmp-alive0",
        ".x.milp-tmp-other0",
    ] {
        fs::create_dir(path(name)).expect("a folder");
    }
    let alive = fs::File::open(path(".2.milp-tmp-alive0")).expect("the folder");
    alive.lock().expect("the lock that a living writer has");
    write::remove_leftovers(scratch.path(), &|name| name == "1" || name == "2");
    assert_eq!(
        names(scratch.path()),
        [".2.milp-tmp-alive0", ".x.milp-tmp-other0"]
    );
}

#[test]
fn file_names_stay_inside_the_folder() {
    let scratch = scratch();
    for name in ["", ".", "..", "../x", "a/b", "/x", "a/"] {
        let error = write::folder(&scratch.path().join("n4"), &files(&[(name, "")]), ANY)
            .expect_err("no plain name");
        assert!(
            error.to_string().contains("is not a plain file name"),
            "{name}: {error}"
        );
    }
    assert!(names(scratch.path()).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_a_living_run_writes_is_not() {
    let scratch = scratch();
    let path = |name: &str| scratch.path().join(name);
    for name in [
        ".n4.milp-tmp-dead00",
        ".n4.milp-tmp-dead01-old",
        ".n4.milp-tmp-alive0",
        ".n4.milp-tmp-notes",
        ".n4.milp-tmp-2.milp-tmp-other0",
        ".n5.milp-tmp-other0",
        "n4.milp-tmp",
    ] {
        fs::create_dir(path(name)).expect("a folder");
        fs::write(path(name).join("half.csv"), "slo").expect("a file");
    }
    let alive = fs::File::open(path(".n4.milp-tmp-alive0")).expect("the folder");
    alive.lock().expect("the lock that a living writer has");
    write::folder(&path("n4"), &files(&[("a", "")]), ANY).expect("a folder");
    let left = [
        ".n4.milp-tmp-2.milp-tmp-other0",
        ".n4.milp-tmp-alive0",
        ".n4.milp-tmp-notes",
        ".n5.milp-tmp-other0",
        "n4",
        "n4.milp-tmp",
    ];
    assert_eq!(names(scratch.path()), left);
}

#[test]
fn a_file_is_replaced_whole_and_devices_are_written_through() {
    let scratch = scratch();
    let path = scratch.path().join("deep/model.lp");
    write::file(&path, b"a long first version").expect("first time");
    write::file(&path, b"short").expect("second time");
    assert_eq!(fs::read(&path).expect("the file"), b"short");
    assert_eq!(names(path.parent().expect("a parent")), ["model.lp"]);
    write::file(scratch.path(), b"x").expect_err("a folder is not replaced by a file");
    if cfg!(unix) {
        write::file(Path::new("/dev/null"), b"x").expect("written through");
        assert!(
            !fs::metadata("/dev/null").expect("a device").is_file(),
            "/dev/null is a device"
        );
        let error = write::file(Path::new("/dev/full"), b"x").expect_err("no space left");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}

/// The test runs itself in a second process, which writes until it is killed.
#[test]
fn a_killed_writer_leaves_a_whole_folder() {
    const TARGET: &str = "MILP_TEST_WRITES_INTO";
    if let Ok(target) = std::env::var(TARGET) {
        loop {
            for writer in ["ann", "bob"] {
                write::folder(Path::new(&target), &signed(writer), ANY).expect("a folder");
            }
        }
    }
    let scratch = scratch();
    let target = scratch.path().join("n4");
    write::folder(&target, &signed("ann"), ANY).expect("the first");
    let version = || {
        fs::metadata(&target)
            .and_then(|found| found.modified())
            .expect("a time")
    };
    let mut written = 0;
    for round in 0..12 {
        let before = version();
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "a_killed_writer_leaves_a_whole_folder",
                "--nocapture",
            ])
            .env(TARGET, &target)
            .stdout(Stdio::null())
            .spawn()
            .expect("a second process");
        std::thread::sleep(Duration::from_millis(30 + 7 * round));
        child.kill().expect("it runs until it is killed");
        child.wait().expect("it is gone");
        let found = content(&target);
        let winner = String::from_utf8(found["a.csv"].clone()).expect("a name");
        assert_eq!(found, signed(&winner), "round {round}");
        written += u32::from(version() != before);
    }
    assert!(written > 0, "the second process did write");
    write::folder(&target, &signed("cleo"), ANY).expect("the last");
    assert_eq!(content(&target), signed("cleo"));
    assert_eq!(
        names(scratch.path()),
        ["n4"],
        "the last run removes what the killed ones left"
    );
}
