use super::of;
use milp_schema::protocol::named;

/// What is refused of a shipped file, and of which line.
fn refused(name: &str) -> String {
    let file = named(name).expect("it is shipped");
    let error = of("counting", file.words, &file.rules).expect_err("it says more");
    error.to_string()
}

#[test]
fn what_a_list_cannot_say_is_refused_with_its_line() {
    println!("{}\n{}", refused("ibft1"), refused("tendermint"));
}
