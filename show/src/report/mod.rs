//! A report: one self-contained HTML file of a schedule and what replicas did with it.
//!
//! ```text
//! Run      a schedule with the trace of a replay, or with the model's predictions   run
//!   Scene    marks, arrows, bands: what is drawn                                    scene
//!   History  what each replica has at the end of each slot                          state
//!   compare  where two scenes differ
//! -> SVG   layout, draw, lanes, shape, labels (room), legend; diagram.css, palette
//! -> PNG   png
//! -> HTML  html, headline, controls, certificate, story, words; report.css, report.js
//!          embed: the schedule as JSON inside, and out again
//! ```
//!
//! Every output is a function of the files read: the same command gives the same bytes.

#![expect(
    clippy::format_push_string,
    reason = "markup reads best as one format string; a report is written once"
)]

mod certificate;
mod compare;
mod controls;
mod draw;
mod embed;
mod finding;
mod headline;
mod html;
mod labels;
mod lanes;
mod layout;
mod legend;
mod palette;
#[cfg(feature = "png")]
mod png;
mod repeat;
mod room;
mod run;
pub mod scene;
mod shape;
pub mod state;
mod story;
pub mod whatif;
mod words;

pub use embed::{Embedded, EmbeddedRun};
pub use repeat::{ForEver, Repetition};
pub use run::Run;
pub use scene::{Fate, Part, Scene};

use crate::{Error, explain::Story};
use draw::Picture;
pub(crate) use draw::esc;
use layout::Columns;

/// One run as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The run.
    pub run: Run,
    /// What is drawn of it.
    pub scene: Scene,
    /// What each replica has, slot by slot.
    pub states: state::History,
    /// Why it ends so; nothing where no replica was driven.
    pub story: Option<Story>,
}

/// One or two runs, laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The runs.
    pub panels: Vec<Panel>,
    /// What only the first and only the second run has; empty for one run.
    pub differences: [Vec<String>; 2],
    columns: Columns,
    /// What the page needs to ask what if; nothing where that was not asked for.
    pub what_if: Option<whatif::WhatIf>,
}

/// The story of what replicas did.
fn told(run: &Run) -> Option<Story> {
    let verdict = run.verdict.clone()?;
    let (instance, faulty) = (run.instance.clone(), run.faulty.clone());
    Some(Story::of(instance, faulty, run.trace.clone(), verdict))
}

impl Report {
    /// A report of a run, beside `other` if there is one.
    pub fn new(run: Run, other: Option<Run>, part: Part) -> Self {
        let mut panels = [Some(run), other]
            .into_iter()
            .flatten()
            .map(|run| Panel {
                scene: Scene::new(&run, part),
                states: state::history(&run),
                story: told(&run),
                run,
            })
            .collect::<Vec<_>>();
        let mut differences = [Vec::new(), Vec::new()];
        if let [left, right] = panels.as_mut_slice() {
            let predicted = left.run.verdict.is_none() || right.run.verdict.is_none();
            differences = compare::differences(&mut left.scene, &mut right.scene, predicted);
        }
        let scenes = panels.iter().map(|panel| &panel.scene).collect::<Vec<_>>();
        let columns = Columns::of(&scenes);
        Self {
            panels,
            differences,
            columns,
            what_if: None,
        }
    }

    /// The picture of a panel as an SVG element whose ids begin with `a` or `b`.
    fn picture(&self, at: usize, alone: bool) -> (String, f64, f64) {
        let picture = self.drawn(at, alone);
        let panel = &self.panels[at];
        let (width, height) = picture.size();
        let (legend, more) = legend::legend(&panel.scene, height, width, alone);
        (picture.svg(&legend, more), width, height + more)
    }

    fn drawn(&self, at: usize, alone: bool) -> Picture<'_> {
        let panel = &self.panels[at];
        Picture {
            prefix: ["a", "b"][at],
            run: &panel.run,
            scene: &panel.scene,
            columns: &self.columns,
            states: &panel.states,
            story: panel.story.as_ref(),
            places: self.columns.places(&panel.scene),
            alone,
        }
    }

    /// The pictures as one SVG file.
    pub fn svg(&self) -> String {
        let pictures = (0..self.panels.len()).map(|at| self.picture(at, true));
        let pictures = pictures.collect::<Vec<_>>();
        if let [(svg, _, _)] = pictures.as_slice() {
            return svg.clone();
        }
        let width = pictures.iter().map(|it| it.1).fold(0.0, f64::max);
        let height: f64 = pictures.iter().map(|it| it.2 + 30.0).sum();
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             font-family=\"DejaVu Sans, Verdana, sans-serif\">\n\
             <rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#ffffff\"/>\n"
        );
        let mut y = 0.0;
        for (panel, (svg, _, height)) in self.panels.iter().zip(&pictures) {
            let name = format!("{} on {}", panel.run.name, panel.run.engine);
            out += &format!(
                "<text x=\"14\" y=\"{:.0}\" font-size=\"14\" font-weight=\"bold\">{}</text>\n\
                 <g transform=\"translate(0 {:.0})\">{svg}</g>\n",
                y + 20.0,
                draw::esc(&name),
                y + 30.0
            );
            y += height + 30.0;
        }
        out + "</svg>\n"
    }

    /// The pictures as one PNG file.
    ///
    /// # Errors
    ///
    /// When it would be too large.
    #[cfg(feature = "png")]
    pub fn png(&self) -> Result<Vec<u8>, Error> {
        png::render(&self.svg())
    }

    /// The whole report as one HTML file.
    ///
    /// # Errors
    ///
    /// When something cannot be expressed as JSON, which does not happen.
    pub fn html(&self) -> Result<String, Error> {
        html::page(self)
    }
}
