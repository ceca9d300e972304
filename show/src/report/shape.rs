//! The shapes of a picture. Every kind of message has a shape, a colour and a dash pattern.

use crate::words::path;
use milp_schema::ReplicaId;
use milp_schema::vocabulary::Shape;

type Point = (f64, f64);

/// The shape of a kind for the sending of a message.
pub(crate) fn sending(shape: Shape, x: f64, y: f64) -> String {
    let d = path(shape);
    format!("<path class=\"send\" transform=\"translate({x:.1} {y:.1})\" d=\"{d}\"/>")
}

/// An arrow to the point at which a copy arrives; how late it is stands beside it.
pub(crate) fn arrow(start: Point, end: Point, late: u32, turn: usize) -> String {
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let from = (start.0 + ux * 6.0, start.1 + uy * 6.0);
    let tip = (end.0 - ux * 3.5, end.1 - uy * 3.5);
    let back = (tip.0 - ux * 8.0, tip.1 - uy * 8.0);
    let line = format!("M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, back.0, back.1);
    let mut drawn = format!(
        "<path class=\"line\" d=\"{line}\"/>\
         <path class=\"head\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}z\"/><path class=\"hit\" d=\"{line}\"/>",
        tip.0,
        tip.1,
        back.0 - uy * 3.6,
        back.1 + ux * 3.6,
        back.0 + uy * 3.6,
        back.1 - ux * 3.6
    );
    if late > 0 {
        // Neighbouring arrows have it at different places, so that one does not hide another.
        let part = 0.44 + 0.08 * (turn % 4) as f64;
        let at = (start.0 + dx * part, start.1 + dy * part);
        drawn += &chip(at, &format!("+{late}"));
    }
    drawn
}

/// A copy that is lost: the line ends in a cross.
pub(crate) fn lost(start: Point, end: Point) -> String {
    let part = 0.75;
    let at = (
        start.0 + (end.0 - start.0) * part,
        start.1 + (end.1 - start.1) * part,
    );
    let line = format!("M{:.1} {:.1}L{:.1} {:.1}", start.0, start.1, at.0, at.1);
    format!(
        "<path class=\"line\" d=\"{line}\"/>{}<path class=\"hit\" d=\"{line}\"/>",
        cross(at.0, at.1, 6.0)
    )
}

/// A copy that does not arrive in the slots drawn: a short line that ends in a barred ring, with
/// the receiver's number.
pub(crate) fn withheld(start: Point, lane: f64, to: ReplicaId) -> String {
    let lanes = ((lane - start.1) / super::layout::LANE).round();
    let down = lanes.signum();
    let at = (
        start.0 + 2.0 + 15.0 * lanes.abs(),
        start.1 + down * (29.0 + 2.0 * lanes.abs()),
    );
    let line = format!("M{:.1} {:.1}L{:.1} {:.1}", start.0, start.1, at.0, at.1);
    format!(
        "<path class=\"line\" d=\"{line}\"/><circle class=\"stop\" cx=\"{0:.1}\" cy=\"{1:.1}\" r=\"6.5\"/>\
         <text class=\"chip\" x=\"{0:.1}\" y=\"{2:.1}\" text-anchor=\"middle\">{to}</text>\
         <path class=\"hit\" d=\"{line}\"/>",
        at.0,
        at.1,
        at.1 + 3.4
    )
}

pub(crate) fn chip((x, y): Point, text: &str) -> String {
    let width = 6.0 + 6.4 * text.len() as f64;
    format!(
        "<rect class=\"tag\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\" rx=\"3\"/>\
         <text class=\"tagtext\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
        x - width / 2.0,
        y - 7.0,
        y + 3.8
    )
}

/// A filled dot.
pub(crate) fn dot(x: f64, y: f64, r: f64) -> String {
    format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\"/>")
}

/// An empty one.
pub(crate) fn ring(x: f64, y: f64, r: f64) -> String {
    format!("<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\"/>")
}

/// A cross.
pub(crate) fn cross(x: f64, y: f64, r: f64) -> String {
    format!(
        "<path class=\"cross\" d=\"M{0:.1} {1:.1}L{2:.1} {3:.1}M{0:.1} {3:.1}L{2:.1} {1:.1}\"/>",
        x - r,
        y - r,
        x + r,
        y + r
    )
}

/// A timer that fires.
pub(crate) fn hourglass(x: f64, y: f64) -> String {
    format!("<path class=\"timer\" transform=\"translate({x:.1} {y:.1})\" d=\"M-5 -8H5L-5 8H5z\"/>")
}

/// A view entered.
pub(crate) fn flag(x: f64, y: f64) -> String {
    format!(
        "<path class=\"flag\" transform=\"translate({x:.1} {y:.1})\" d=\"M0 10V-17L12 -12.5L0 -8\"/>"
    )
}

/// A block decided.
pub(crate) fn decision(x: f64, y: f64) -> String {
    format!(
        "<path class=\"decide\" transform=\"translate({x:.1} {y:.1})\" d=\"M-8 -10H8V10H-8z\"/>\
         <path class=\"tick\" transform=\"translate({x:.1} {y:.1})\" d=\"M-5 0L-1 5L5 -5\"/>"
    )
}

/// A lock.
pub(crate) fn padlock(x: f64, y: f64) -> String {
    format!(
        "<path class=\"padlock\" transform=\"translate({x:.1} {y:.1})\" \
         d=\"M-5 -2H5V6H-5zM-3 -2V-5A3 3 0 0 1 3 -5V-2\"/>"
    )
}
