use super::of;
use crate::protocols::{dbft1, dbft2, small_quorum};
use milp_schema::protocol::named;

#[test]
fn files_say_what_the_lists_say() {
    for (name, list) in [
        (
            "dbft1",
            dbft1::paper as fn(milp_schema::Protocol) -> super::Protocol,
        ),
        ("dbft2", dbft2::paper),
    ] {
        let file = named(name).unwrap();
        let mut weak = list(file.words);
        assert_eq!(of("counting", file.words, &file.rules).unwrap(), weak);
        small_quorum(&mut weak);
        let rules = file.rules.with("small-quorum").unwrap();
        assert_eq!(of("counting", file.words, &rules).unwrap(), weak);
    }
    let file = named("dbft2").unwrap();
    let mut weak = dbft2::paper(file.words);
    dbft2::no_commit_lock(&mut weak);
    let rules = file.rules.with("no-commit-lock").unwrap();
    assert_eq!(of("counting", file.words, &rules).unwrap(), weak);
}
