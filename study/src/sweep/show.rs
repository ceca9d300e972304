//! A sweep as a table, a plot and a page.

use super::{
    plots::plots,
    request::{Request, Swept},
    row::{self, State},
};
use milp_show::{
    plot::{self, Page},
    words::count,
};

/// The rows.
pub const CSV: &str = "sweep.csv";
/// The page.
pub const HTML: &str = "sweep.html";
/// The plots alone.
pub const SVG: &str = "sweep.svg";

impl Swept {
    /// The columns of the table.
    pub fn header(&self, seconds: bool) -> Vec<String> {
        let fields = self.fields.iter().cloned();
        fields.chain(row::header(seconds)).collect()
    }

    /// The rows of the table, in the order of the file.
    pub fn table(&self, seconds: bool) -> Vec<Vec<String>> {
        let rows = self.rows.iter().map(|row| {
            let values = row.values.iter().cloned();
            values.chain(row.cells(seconds)).collect()
        });
        rows.collect()
    }

    /// The columns of the table that hold numbers.
    pub fn numbers(&self) -> Vec<usize> {
        let fields = self.fields.len();
        let whole = |text: &String| text.parse::<i64>().is_ok();
        let of_fields = (0..fields).filter(|&at| {
            let mut values = self.rows.iter().map(|row| &row.values[at]);
            values.all(whole)
        });
        // Value, bound, nodes, seconds.
        let found = [1, 2, 6, 7].into_iter().map(|at| fields + at);
        of_fields.chain(found).collect()
    }

    /// How many combinations are in which state, in words.
    pub fn words(&self) -> String {
        let number = |is: &dyn Fn(&State) -> bool| {
            let rows = self.rows.iter().filter(|row| is(&row.state));
            rows.count()
        };
        let solved = |proved: bool| move |state: &State| matches!(state, State::Solved(it) if it.proved == proved);
        let parts = [
            (number(&solved(true)), "solved and proved"),
            (number(&solved(false)), "solved and not proved"),
            (number(&|it| it.name() == "invalid"), "invalid"),
            (number(&|it| it.name() == "failed"), "failed"),
            (number(&|it| it.name() == "interrupted"), "interrupted"),
            (number(&|it| it.name() == "missing"), "missing"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts = parts.map(|(number, what)| format!("{number} {what}"));
        format!(
            "{}: {}",
            count(self.rows.len() as i64, "combination"),
            parts.collect::<Vec<_>>().join(", ")
        )
    }

    /// Whether every combination is solved and proved, or is no instance.
    pub fn settled(&self) -> bool {
        self.rows.iter().all(|row| row.state.settled())
    }
}

/// The table as a file.
pub(crate) fn csv(swept: &Swept) -> String {
    plot::table(&swept.header(true), &swept.table(true))
}

/// The page, and its plots alone.
pub(crate) fn pictures(request: &Request<'_>, swept: &Swept) -> [String; 2] {
    let plots = plots(request.sweep, swept);
    let mut page = Page::new(
        &format!("Sweep {}", request.name),
        &format!("{}.", swept.words()),
    );
    for plot in &plots {
        page.plot(plot);
    }
    let mut numbers = swept.numbers();
    // Seconds are left out: two runs give the same page.
    numbers.pop();
    page.table(
        "Every combination, in the order of the file",
        &swept.header(false),
        &swept.table(false),
        &numbers,
    );
    [page.html(), plot::stacked(&plots)]
}
