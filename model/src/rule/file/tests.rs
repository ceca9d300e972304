use super::of;
use milp_schema::protocol::{Definition, named, read_text};

/// What is refused of a file.
fn refused(file: &Definition) -> String {
    let error = of("counting", file.words, &file.rules).expect_err("it says more");
    error.to_string()
}

#[test]
fn what_a_list_cannot_say_is_refused_with_its_line() {
    println!("{}\n{}", refused(named("ibft1").expect("it is shipped")), refused(named("tendermint").expect("it is shipped")));
}
