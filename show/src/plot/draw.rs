//! A plot as SVG.

use super::{
    Joined, Plot, Point,
    scale::{self, Scale},
};
use crate::report::esc;
use std::collections::{BTreeMap, BTreeSet};

/// What a plot looks like, in every SVG.
const STYLE: &str = include_str!("plot.css");
/// The dash pattern of each series.
const DASHES: [&str; super::SERIES] = ["none", "7 3", "2 3", "10 3 2 3", "4 4", "14 4"];
pub(crate) const WIDTH: f64 = 760.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 40.0;
const HEIGHT: f64 = 280.0;
/// The radius of a mark with a letter, and of one without.
const RADII: (f64, f64) = (8.0, 5.0);

/// The width of a text of the size that numbers and names have, about.
fn width(text: &str) -> f64 {
    7.0 * text.chars().count() as f64
}

/// Where things are.
struct Frame {
    left: f64,
    x: Scale,
    y: Scale,
    x_texts: Vec<(f64, String)>,
    y_texts: Vec<i64>,
}

impl Frame {
    fn of(plot: &Plot) -> Self {
        let points = || plot.series.iter().flat_map(|series| &series.points);
        let values = points().flat_map(|point| [Some(point.y), point.bound]);
        let values = values.flatten().collect::<Vec<_>>();
        // Zero belongs to the picture: a part of an axis exaggerates.
        let low = values.iter().copied().min().unwrap_or(0).min(0);
        let high = values.iter().copied().max().unwrap_or(1).max(low + 1);
        let y_texts = scale::whole(low, high, 7);
        let widest = y_texts.iter().map(|tick| width(&tick.to_string()));
        let left = 46.0 + widest.fold(0.0, f64::max);
        let inner = WIDTH - left - RIGHT;
        let longest = match &plot.x.ticks {
            super::Ticks::Names(_) => 0.0,
            _ => 40.0,
        };
        let (ends, x_texts) = scale::axis(&plot.x.ticks, (inner / f64::max(longest, 1.0)) as i64);
        // Marks that coincide stand side by side: the outermost need room.
        let edge = if plot.series.len() > 1 { 62.0 } else { 24.0 };
        Self {
            left,
            x: Scale::new(ends, (left + edge, WIDTH - RIGHT - edge)),
            y: Scale::new((low as f64, high as f64), (TOP + HEIGHT - 22.0, TOP + 30.0)),
            x_texts,
            y_texts,
        }
    }
}

/// The whole element and its height.
pub(crate) fn svg(plot: &Plot) -> (String, f64) {
    let frame = Frame::of(plot);
    let mut body = axes(plot, &frame);
    body += &drawn(plot, &frame);
    let (legend, bottom) = legend(plot, TOP + HEIGHT + 68.0);
    body += &legend;
    let id = &plot.id;
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" id=\"{id}\" width=\"{WIDTH:.0}\" \
         height=\"{bottom:.0}\" viewBox=\"0 0 {WIDTH:.0} {bottom:.0}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" \
         font-family=\"DejaVu Sans, Verdana, sans-serif\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n\
         <style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH:.0}\" height=\"{bottom:.0}\"/>\n\
         <text class=\"title\" x=\"14\" y=\"24\">{}</text>\n{body}</svg>\n",
        esc(&plot.title),
        esc(&plot.description),
        esc(&plot.title),
    );
    (svg, bottom)
}

/// The frame, the grid and what stands at it.
fn axes(plot: &Plot, frame: &Frame) -> String {
    let (left, right, bottom) = (frame.left, WIDTH - RIGHT, TOP + HEIGHT);
    let mut out = String::new();
    for tick in &frame.y_texts {
        let y = frame.y.at(*tick as f64);
        out += &format!(
            "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>\n",
            left - 7.0,
            y + 4.0
        );
    }
    // Names that would run into each other stand on two lines in turn.
    let room = frame.x_texts.windows(2).map(|pair| {
        let gap = frame.x.at(pair[1].0) - frame.x.at(pair[0].0);
        gap - f64::midpoint(width(&pair[0].1), width(&pair[1].1))
    });
    let crowded = room.fold(f64::INFINITY, f64::min) < 6.0;
    let below = if crowded { 50.0 } else { 36.0 };
    for (turn, (at, text)) in frame.x_texts.iter().enumerate() {
        let x = frame.x.at(*at);
        let down = if crowded && turn % 2 == 1 { 31.0 } else { 17.0 };
        out += &format!(
            "<path class=\"grid\" d=\"M{x:.1} {TOP:.1}V{:.1}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            bottom + 4.0,
            bottom + down,
            esc(text)
        );
    }
    let middle = f64::midpoint(left, right);
    let half = TOP + HEIGHT / 2.0;
    out + &format!(
        "<rect class=\"frame\" x=\"{left:.1}\" y=\"{TOP:.1}\" width=\"{:.1}\" height=\"{HEIGHT:.1}\"/>\n\
         <text class=\"axis\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
         <text class=\"axis\" transform=\"translate(20 {half:.1}) rotate(-90)\" \
         text-anchor=\"middle\">{}</text>\n",
        right - left,
        bottom + below,
        esc(&plot.x.label),
        esc(&plot.y)
    )
}

/// Points of one x whose marks would cover each other, by series; for each the height of all.
fn clusters(plot: &Plot, frame: &Frame) -> BTreeMap<(i64, i64), Vec<usize>> {
    let mut columns: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for (s, series) in plot.series.iter().enumerate() {
        for point in &series.points {
            columns.entry(point.x).or_default().push((point.y, s));
        }
    }
    let mut clusters = BTreeMap::new();
    for (x, mut column) in columns {
        column.sort_unstable();
        let near = |a: &(i64, usize), b: &(i64, usize)| {
            (frame.y.at(a.0 as f64) - frame.y.at(b.0 as f64)).abs() < 2.0 * RADII.0
        };
        for cluster in column.chunk_by(near) {
            let mut series = cluster.iter().map(|(_, s)| *s).collect::<Vec<_>>();
            series.sort_unstable();
            for (y, _) in cluster {
                clusters.insert((x, *y), series.clone());
            }
        }
    }
    clusters
}

/// The place of every point of every series; marks that would cover each other stand side by side.
fn places(plot: &Plot, frame: &Frame) -> Vec<Vec<(f64, f64)>> {
    let clusters = clusters(plot, frame);
    let gaps = frame.x_texts.windows(2);
    let gaps = gaps.map(|pair| frame.x.at(pair[1].0) - frame.x.at(pair[0].0));
    let gap = gaps.fold(f64::INFINITY, f64::min);
    let mut places = Vec::new();
    for (s, series) in plot.series.iter().enumerate() {
        // A line that runs where another one does is seen beside it.
        let apart = 3.0 * (s as f64 - (plot.series.len() as f64 - 1.0) / 2.0);
        let points = series.points.iter().map(|point| {
            let cluster = &clusters[&(point.x, point.y)];
            let all = cluster.len() as f64;
            let turn = cluster.iter().position(|other| *other == s).unwrap_or(0) as f64;
            let step = f64::min(18.0, 0.8 * gap / all);
            (
                frame.x.at(point.x as f64) + (turn - (all - 1.0) / 2.0) * step,
                frame.y.at(point.y as f64) + apart,
            )
        });
        places.push(points.collect());
    }
    places
}

/// Lines first, then bars and marks, so that no line crosses a letter.
fn drawn(plot: &Plot, frame: &Frame) -> String {
    let places = places(plot, frame);
    let mut out = String::new();
    for (s, places) in places.iter().enumerate() {
        let mut d = String::new();
        for (at, (x, y)) in places.iter().enumerate() {
            d += &match (at, plot.joined) {
                (0, _) => format!("M{x:.1} {y:.1}"),
                (_, Joined::Lines) => format!("L{x:.1} {y:.1}"),
                (_, Joined::Steps) => format!("H{x:.1}V{y:.1}"),
            };
        }
        if plot.joined == Joined::Steps && !places.is_empty() {
            d += &format!("H{:.1}", WIDTH - RIGHT);
        }
        let dash = DASHES[s];
        out += &format!("<path class=\"line s{s}\" stroke-dasharray=\"{dash}\" d=\"{d}\"/>\n");
    }
    let mut said = BTreeSet::new();
    let highest = -3.0 * (plot.series.len() as f64 - 1.0) / 2.0;
    for (s, (series, places)) in plot.series.iter().zip(&places).enumerate() {
        for (point, place) in series.points.iter().zip(places) {
            out += &mark(s, plot.series.len() > 1, Some((point, frame)), *place);
            // The same words at the same place are said once, above all marks.
            if said.insert((point.x, point.y, &point.label)) {
                let above = (
                    frame.x.at(point.x as f64),
                    frame.y.at(point.y as f64) + highest,
                );
                out += &label(point, above, plot.joined);
            }
        }
    }
    out
}

/// The mark of a value; without one, that of the legend.
fn mark(s: usize, lettered: bool, of: Option<(&Point, &Frame)>, (x, y): (f64, f64)) -> String {
    let proved = of.is_none_or(|(point, _)| point.proved);
    let class = if proved { "proved" } else { "open" };
    let radius = if lettered { RADII.0 } else { RADII.1 };
    let mut out = format!("<g class=\"{class}\">");
    if let Some((point, frame)) = of {
        out += &format!("<title>{}</title>", esc(&point.tip));
        if let Some(bound) = point.bound.filter(|bound| *bound != point.y) {
            let end = frame.y.at(bound as f64);
            out += &format!(
                "<path class=\"bar s{s}\" d=\"M{x:.1} {y:.1}V{end:.1}M{:.1} {end:.1}H{:.1}\"/>",
                x - 6.0,
                x + 6.0
            );
        }
    }
    out += &format!("<circle class=\"mark s{s}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>");
    if lettered {
        out += &format!(
            "<text class=\"letter\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y + 3.6,
            letter(s)
        );
    }
    out + "</g>\n"
}

/// The words beside a mark, within the frame whatever their length; where a step comes down on a
/// mark they stand to its right.
fn label(point: &Point, (x, y): (f64, f64), joined: Joined) -> String {
    if point.label.is_empty() {
        return String::new();
    }
    let half = width(&point.label) / 2.0;
    let middle = match joined {
        Joined::Lines => x,
        Joined::Steps => x + half + 8.0,
    };
    let middle = middle.clamp(half + 60.0, WIDTH - RIGHT - half - 4.0);
    format!(
        "<text class=\"label\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
        y - RADII.0 - 4.0,
        esc(&point.label)
    )
}

/// The letter of a series.
pub(crate) fn letter(s: usize) -> char {
    char::from(b'a' + s as u8)
}

/// The series by letter, what an empty mark is, and the notes; and where they end.
fn legend(plot: &Plot, top: f64) -> (String, f64) {
    let (mut x, mut y) = (24.0, top);
    let mut out = String::new();
    if plot.series.len() > 1 {
        for (s, series) in plot.series.iter().enumerate() {
            let needs = 62.0 + width(&series.name);
            if x > 24.0 && x + needs > WIDTH - 14.0 {
                (x, y) = (24.0, y + 22.0);
            }
            out += &format!(
                "<path class=\"line s{s}\" stroke-dasharray=\"{}\" d=\"M{:.1} {y:.1}h40\"/>{}\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                DASHES[s],
                x - 10.0,
                mark(s, true, None, (x + 10.0, y)).trim_end(),
                x + 36.0,
                y + 4.0,
                esc(&series.name)
            );
            x += needs;
        }
        y += 24.0;
    }
    for note in &plot.notes {
        for line in wrapped(note) {
            out += &format!(
                "<text class=\"note\" x=\"14\" y=\"{:.1}\">{}</text>\n",
                y + 4.0,
                esc(&line)
            );
            y += 16.0;
        }
    }
    (out, y + 6.0)
}

/// Lines that fit below the plot.
fn wrapped(text: &str) -> Vec<String> {
    let most = (WIDTH - 28.0) / 6.3;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always one");
        if line.is_empty() {
            *line += word;
        } else if ((line.chars().count() + 1 + word.chars().count()) as f64) <= most {
            *line += " ";
            *line += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
