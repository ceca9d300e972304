use super::*;

#[test]
fn results_lie_where_their_instance_lies() {
    let place = |path: &str| place(Path::new(path)).unwrap().to_str().unwrap().to_owned();
    assert_eq!(place("instances/n4.yaml"), "n4");
    assert_eq!(
        place("/a/instances/b/instances/dbft2/n4-fork.yaml"),
        "dbft2/n4-fork"
    );
    assert_eq!(place("elsewhere/mine.yaml"), "elsewhere/mine");
    assert_eq!(place("here/mine.yaml"), "here/mine");
    assert_eq!(place("mine.yaml"), "mine");
    assert_eq!(place("instances/../mine.yaml"), "mine");
    assert_eq!(place("/far/away/mine.yaml"), "far/away/mine");
    let current = std::env::current_dir().unwrap();
    let parent = current.parent().unwrap().strip_prefix("/").unwrap();
    let outside = parent.join("mine").to_str().unwrap().to_owned();
    assert_eq!(place("../mine.yaml"), outside);
    let inside = current.join("elsewhere/mine.yaml");
    assert_eq!(place(inside.to_str().unwrap()), "elsewhere/mine");
    assert_eq!(place("./instances/dbft1/n4.two.yaml"), "dbft1/n4.two");
}

#[test]
fn only_an_earlier_result_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(replaceable(&at("new")).is_ok());
    assert!(replaceable(dir.path()).is_ok());
    for name in [
        SCHEDULE,
        OUTCOME,
        "trace.dbft2-paper.ndjson",
        "verdict.dbft2-paper.yaml",
    ] {
        std::fs::write(at(name), "").unwrap();
    }
    assert!(replaceable(dir.path()).is_ok());
    assert!(replaceable(&at(SCHEDULE)).is_err());
    for name in [EXPECTED, "n4.yaml", "trace.txt"] {
        std::fs::write(at(name), "").unwrap();
        let error = replaceable(dir.path()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        std::fs::remove_file(at(name)).unwrap();
    }
}

#[test]
fn a_path_without_a_file_name_is_refused() {
    assert!(place(Path::new("..")).is_err());
}
