//! The points as a table, a plot and a page.

use super::{Front, Point};
use crate::sentence;
use milp_schema::outcome::Termination;
use milp_show::{
    plot::{self, Axis, Joined, Page, Plot, Series, Ticks},
    words::capital,
};
use std::collections::BTreeMap;

/// The points, one a row.
pub const CSV: &str = "pareto.csv";
/// The page.
pub const HTML: &str = "pareto.html";
/// The plot alone.
pub const SVG: &str = "pareto.svg";

/// Yes or no.
fn said(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

impl Front {
    /// The folder of a point's result, below that of the front.
    pub fn folder(point: &Point) -> String {
        format!("effort-{}", point.effort)
    }

    /// The files of every point's result, by the name of its folder.
    pub fn folders(&self) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
        let files = |point: &Point| self.solves[point.solve].solution.files();
        let points = self.points.iter();
        points
            .map(|point| (Self::folder(point), files(point)))
            .collect()
    }

    /// The files about all points, by name.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let csv = plot::table(&Self::header(), &self.rows());
        BTreeMap::from([
            (CSV.to_owned(), csv.into_bytes()),
            (HTML.to_owned(), self.html().into_bytes()),
            (SVG.to_owned(), self.plot().svg().into_bytes()),
        ])
    }

    /// The columns of the table.
    pub fn header() -> Vec<String> {
        let names = [
            "effort",
            "value",
            "bound",
            "proved",
            "fewest",
            "termination",
            "formulation",
            "nodes",
            "folder",
        ];
        names.map(str::to_owned).to_vec()
    }

    /// The rows of the table, the least effort first.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let points = self.points.iter();
        points.map(|point| self.row(point)).collect()
    }

    fn row(&self, point: &Point) -> Vec<String> {
        let outcome = &self.solves[point.solve].solution.outcome;
        let plain = |value| sentence::plain(&outcome.instance, value);
        vec![
            point.effort.to_string(),
            plain(point.value),
            point.bound.map_or_else(String::new, plain),
            said(point.proved),
            said(point.fewest),
            sentence::termination(outcome.termination).to_owned(),
            outcome.formulation.clone(),
            outcome.nodes.to_string(),
            Self::folder(point),
        ]
    }

    /// What the last point says of more effort.
    pub fn end(&self) -> String {
        let Some(last) = self.points.last() else {
            return match self.termination() {
                Termination::Infeasible => "no execution exists, so there is no point",
                _ => "no schedule was found, so there is no point",
            }
            .to_owned();
        };
        let words = self.effort.words(last.effort);
        let most = self.effort.own_limit(&self.instance);
        let until = most.map_or_else(String::new, |most| {
            format!(" up to the {most} that the instance allows")
        });
        if last.proved {
            format!("more effort than {words} brings nothing{until}: proved")
        } else {
            format!("whether more effort than {words} brings anything{until} is not proved")
        }
    }

    /// One sentence for a point.
    pub fn words(&self, point: &Point) -> String {
        let outcome = &self.solves[point.solve].solution.outcome;
        let value = sentence::value(&outcome.instance, point.value);
        let fewest = if point.effort == 0 {
            "no effort at all"
        } else if point.fewest {
            "less effort does not reach it: proved"
        } else {
            "whether less effort reaches it is not proved"
        };
        format!("{}: {value}; {fewest}", self.effort.words(point.effort))
    }

    /// The plot: the worst value for each effort.
    fn plot(&self) -> Plot {
        let unit = sentence::unit(self.instance.goal);
        let effort = format!("effort: at most so many {}", self.effort.units());
        let points = self.points.iter().map(|point| {
            let outcome = &self.solves[point.solve].solution.outcome;
            plot::Point {
                x: point.effort.into(),
                y: point.value,
                bound: point.bound,
                proved: point.proved && point.fewest,
                label: sentence::plain(&outcome.instance, point.value),
                tip: self.words(point),
            }
        });
        let sentences = self.points.iter().map(|point| self.words(point));
        let sentences = sentences.chain([self.end()]).collect::<Vec<_>>();
        let last = self.points.last().map_or(0, |point| point.effort);
        let more = i64::from(last) + i64::from(last / 5).max(1);
        let limits = self.solves.iter().filter(|solve| solve.limit.is_some());
        Plot {
            id: "pareto".to_owned(),
            title: format!("Worst case: {unit}, against {}", self.effort.units()),
            description: sentences.join(". "),
            x: Axis {
                label: effort,
                ticks: Ticks::Range(0, more),
            },
            y: unit.to_owned(),
            series: vec![Series {
                name: unit.to_owned(),
                points: points.collect(),
            }],
            joined: Joined::Steps,
            notes: vec![
                "Filled: proved, the value and that less effort does not reach it. Empty: not \
                 proved; the bar leads to the bound."
                    .to_owned(),
                format!(
                    "{} with a limit, one without.",
                    milp_show::words::count(limits.count() as i64, "solve")
                ),
                capital(&self.end()) + ".",
            ],
        }
    }

    fn html(&self) -> String {
        let title = format!(
            "Goal {} against {}: {}",
            self.instance.goal.name(),
            self.effort.units(),
            self.instance.protocol
        );
        let first = &self.solves[0].solution.outcome.sentence;
        let mut page = Page::new(&title, &format!("Without a further limit: {first}."));
        page.paragraph(&format!("{}.", capital(&self.end())));
        page.plot(&self.plot());
        page.table(
            "Points that no other one beats in both",
            &Self::header(),
            &self.rows(),
            &[0, 1, 2, 7],
        );
        page.paragraph(
            "Proved: nothing worse needs less effort than the next point. Fewest: less effort does \
             not reach the value. Each schedule was replayed: its replicas follow it without \
             divergence. In the folder of this page:",
        );
        page.commands(
            &self
                .points
                .iter()
                .flat_map(|point| {
                    let folder = Self::folder(point);
                    [
                        format!("milp replay {folder}"),
                        format!("milp report {folder}"),
                    ]
                })
                .collect::<Vec<_>>(),
        );
        let header = ["limit", "value", "bound", "proved", "effort used", "nodes"];
        let rows = self.solves.iter().map(|solve| {
            let outcome = &solve.solution.outcome;
            let plain = |value| sentence::plain(&outcome.instance, value);
            let bound = outcome.dual.filter(|dual| dual.is_finite());
            let bound = bound.map(|dual| sentence::grid(outcome.instance.goal, dual));
            vec![
                solve.limit.map_or("none".to_owned(), |it| it.to_string()),
                outcome.primal.map_or_else(
                    || sentence::termination(outcome.termination).to_owned(),
                    plain,
                ),
                bound.map_or_else(String::new, plain),
                said(outcome.proved),
                solve
                    .found
                    .as_ref()
                    .map_or_else(String::new, |(used, _)| used.to_string()),
                outcome.nodes.to_string(),
            ]
        });
        page.table(
            "Every solve behind them, in order",
            &header.map(str::to_owned),
            &rows.collect::<Vec<_>>(),
            &[0, 1, 2, 4, 5],
        );
        page.html()
    }
}
