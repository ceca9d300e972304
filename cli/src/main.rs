//! milp
fn main(){}
