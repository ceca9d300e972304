//! Plots as SVG: values over a field of an instance or over the adversary's effort.
//!
//! A mark is filled if its value is proved and empty if it is not; then a bar leads to the bound.
//! Where there are several series each has a letter, a dash pattern and a colour, so that colour
//! is never the only sign. The same plot gives the same bytes.

#![expect(
    clippy::format_push_string,
    reason = "markup reads best as one format string; a plot is drawn once"
)]

mod draw;
mod page;
mod scale;

pub use page::{Page, table};

/// How many series a plot has at most; there are as many colours and dash patterns.
pub const SERIES: usize = 6;

/// One plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Begins every id, so that several plots stand on one page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The same for who does not see it: every series with its values.
    pub description: String,
    /// What is varied.
    pub x: Axis,
    /// What was found, with its unit.
    pub y: String,
    /// The series, [`SERIES`] at most.
    pub series: Vec<Series>,
    /// How points are joined.
    pub joined: Joined,
    /// Sentences below the legend.
    pub notes: Vec<String>,
}

/// What is varied.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name, with its unit.
    pub label: String,
    /// What stands at the axis.
    pub ticks: Ticks,
}

/// What stands at an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Ticks {
    /// Numbers of this range; ticks where there is room.
    Range(i64, i64),
    /// These numbers, ascending.
    Numbers(Vec<i64>),
    /// Names, at 0, 1, 2, …
    Names(Vec<String>),
}

/// How points are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// By straight lines.
    Lines,
    /// By steps that go on to the right.
    Steps,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// As the legend has it.
    pub name: String,
    /// From left to right.
    pub points: Vec<Point>,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Where on the x axis.
    pub x: i64,
    /// The value.
    pub y: i64,
    /// The bound where it is another one; `None` also if there is none.
    pub bound: Option<i64>,
    /// Whether the value is proved.
    pub proved: bool,
    /// The words beside the mark; empty for none.
    pub label: String,
    /// What a pointer is told.
    pub tip: String,
}

/// Plots below each other as one SVG file.
pub fn stacked(plots: &[Plot]) -> String {
    if let [plot] = plots {
        return plot.svg();
    }
    let mut top = 0.0;
    let mut body = String::new();
    for plot in plots {
        let (svg, height) = draw::svg(plot);
        body += &format!("<svg y=\"{top:.0}\" height=\"{height:.0}\">\n{svg}</svg>\n");
        top += height;
    }
    let width = draw::WIDTH;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{top:.0}\">\n\
         {body}</svg>\n"
    )
}

impl Plot {
    /// The plot as an SVG file, or as an element of a page.
    ///
    /// # Panics
    ///
    /// With more than [`SERIES`] series, as there is one style for each.
    pub fn svg(&self) -> String {
        assert!(self.series.len() <= SERIES, "one style for each series");
        draw::svg(self).0
    }
}
