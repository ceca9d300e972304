//! A digest of a program that does not depend on names or order.

use milp_model::program::{Col, Program};
use milp_schema::write;

/// Rounds of refinement. Programs of executions are layered: after so many rounds every column has
/// seen everything that could tell it from another.
const ROUNDS: usize = 12;

/// Equal for two programs that differ in the names and in the order of their columns, rows and
/// families only. Rows and columns are told apart by what stands in them, then by what stands in
/// their neighbours, round by round (colour refinement), so two programs with the same digest are
/// the same for all that a change of code can do by accident.
pub(crate) fn digest(program: &Program) -> String {
    let mut objective = vec![0; program.columns.len()];
    for &(col, weight) in &program.objective {
        objective[col.index()] = weight;
    }
    let mut columns: Vec<u64> = program
        .columns
        .iter()
        .zip(&objective)
        .map(|(column, weight)| hash(&format!("{} {} {weight}", column.lower, column.upper)))
        .collect();
    let mut of_column: Vec<Vec<(usize, i64)>> = vec![Vec::new(); program.columns.len()];
    for (index, row) in program.rows.iter().enumerate() {
        for &(col, k) in &row.terms {
            of_column[col.index()].push((index, k));
        }
    }
    let mut rows = Vec::new();
    for _ in 0..ROUNDS {
        rows = program
            .rows
            .iter()
            .map(|row| {
                let terms = row
                    .terms
                    .iter()
                    .map(|(Col(col), k)| (columns[*col as usize], *k));
                mixed(hash(&format!("{:?} {:?}", row.lower, row.upper)), terms)
            })
            .collect();
        columns = (0..columns.len())
            .map(|col| {
                let terms = of_column[col].iter().map(|&(row, k)| (rows[row], k));
                mixed(columns[col], terms)
            })
            .collect();
    }
    columns.sort_unstable();
    rows.sort_unstable();
    let whole = format!(
        "{:?} {} {columns:?} {rows:?}",
        program.sense, program.constant
    );
    write::sha256_hex(whole.as_bytes())[..16].to_owned()
}

/// A first colour.
fn hash(text: &str) -> u64 {
    // FNV-1a.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The colour of a thing with these neighbours, in whatever order they come.
fn mixed(own: u64, neighbours: impl Iterator<Item = (u64, i64)>) -> u64 {
    let mut seen: Vec<(u64, i64)> = neighbours.collect();
    seen.sort_unstable();
    seen.into_iter().fold(own, |state, (colour, k)| {
        let next = scrambled(state ^ colour).wrapping_add(k as u64);
        scrambled(next)
    })
}

/// The finaliser of splitmix64.
fn scrambled(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
