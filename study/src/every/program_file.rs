//! The programs of a question for every n as a file.

use crate::Error;
use milp_model::every::{Affine, Kind, Parametric, at_least};
use milp_schema::instance::Goal;
use std::collections::BTreeMap;

/// The text of the programs, for who checks a certificate without anything of ours.
pub(super) fn program_json(programs: &[Parametric], goal: Goal) -> Result<String, Error> {
    let named = |program: &Parametric, terms: &[(usize, Affine)]| -> BTreeMap<String, [i64; 4]> {
        let name = |column: &usize| program.columns[*column].name.clone();
        terms
            .iter()
            .map(|(column, it)| (name(column), it.0))
            .collect()
    };
    let programs = programs.iter().map(|program| {
        let of_kind = |kind: Kind| -> Vec<&str> {
            let columns = program.columns.iter().filter(|it| it.kind == kind);
            columns.map(|it| it.name.as_str()).collect()
        };
        let upper = program
            .columns
            .iter()
            .map(|it| (it.name.as_str(), it.upper.0));
        let rows = program.rows.iter().map(|row| {
            let terms = named(program, &row.terms);
            (
                row.name.as_str(),
                serde_json::json!({"terms": terms, "upper": row.upper.0}),
            )
        });
        let goal = program
            .goal
            .iter()
            .map(|it| program.columns[*it].name.as_str());
        serde_json::json!({
            "binaries": of_kind(Kind::Binary),
            "units": of_kind(Kind::Unit),
            "columns": upper.collect::<BTreeMap<_, _>>(),
            "rows": rows.collect::<BTreeMap<_, _>>(),
            "region": program.region.iter().map(|it| it.0).collect::<Vec<_>>(),
            "goal": goal.collect::<Vec<_>>(),
        })
    });
    let programs: Vec<_> = programs.collect();
    let all = serde_json::json!({"at_least": at_least(goal), "programs": programs});
    let text = serde_json::to_string(&all);
    let text = text.map_err(|it| Error::Refused(format!("no text of the program: {it}")))?;
    Ok(text + "\n")
}
