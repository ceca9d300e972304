//! The shapes of a picture. Every kind of message has a shape, a colour and a dash pattern.

use super::room::Point;
use crate::words::path;
use milp_schema::ReplicaId;
use milp_schema::vocabulary::Shape;

/// The shape of a kind for the sending of a message.
pub(crate) fn sending(shape: Shape, x: f64, y: f64) -> String {
    let d = path(shape);
    format!("<path class=\"send\" transform=\"translate({x:.1} {y:.1})\" d=\"{d}\"/>")
}

/// An arrow to the point at which a copy arrives.
pub(crate) fn arrow(start: Point, end: Point) -> String {
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let from = (start.0 + ux * 6.0, start.1 + uy * 6.0);
    let tip = (end.0 - ux * 3.5, end.1 - uy * 3.5);
    let back = (tip.0 - ux * 8.0, tip.1 - uy * 8.0);
    format!(
        "{}<path class=\"head\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}z\"/>",
        way(from, back),
        tip.0,
        tip.1,
        back.0 - uy * 3.6,
        back.1 + ux * 3.6,
        back.0 + uy * 3.6,
        back.1 - ux * 3.6
    )
}

/// A line, and what is pointed at.
pub(crate) fn way(from: Point, to: Point) -> String {
    let line = format!("M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1);
    format!("<path class=\"line\" d=\"{line}\"/><path class=\"hit\" d=\"{line}\"/>")
}

/// Where the line of a lost copy ends, on its way.
pub(crate) fn lost_at(start: Point, end: Point) -> Point {
    let part = 0.75;
    (
        start.0 + (end.0 - start.0) * part,
        start.1 + (end.1 - start.1) * part,
    )
}

/// A copy that is lost: the line ends in a cross.
pub(crate) fn lost(start: Point, end: Point) -> String {
    way(start, end) + &cross(end.0, end.1, 6.0)
}

/// Where the short line of a withheld copy may end, on the way to the lane of its receiver.
pub(crate) fn stops(start: Point, lane: f64) -> Vec<Point> {
    let lanes = ((lane - start.1) / super::layout::LANE).round();
    let (right, down) = (
        2.0 + 15.0 * lanes.abs(),
        lanes.signum() * (31.0 + 2.0 * lanes.abs()),
    );
    let parts = [1.0, 1.4, 1.8, 2.2];
    let ways = parts.map(|part| (start.0 + right * part, start.1 + down * part));
    let beside = [1.0, 1.5, 2.0, 2.5, 3.0, 0.6].into_iter().flat_map(|part| {
        let row = [
            -9.0, 9.0, 18.0, -18.0, 27.0, -27.0, 36.0, 45.0, -36.0, 54.0, 63.0,
        ];
        row.map(|more| (start.0 + right + more, start.1 + down * part))
    });
    ways.into_iter().chain(beside).collect()
}

/// The end of a withheld copy: a ring with the receiver's number.
pub(crate) fn stop((x, y): Point, to: ReplicaId) -> String {
    format!(
        "<circle class=\"stop\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7.5\"/>\
         <text class=\"chip\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{to}</text>",
        y + 4.0
    )
}

/// Where on its arrow it may stand how late a copy is. Neighbouring arrows have it at different
/// places, so that one does not hide another.
pub(crate) fn along(start: Point, end: Point, turn: usize) -> Vec<Point> {
    let wanted = 44 + 8 * (turn % 4) as i32;
    let mut parts = (14..=90).step_by(2).collect::<Vec<i32>>();
    parts.sort_by_key(|part| ((part - wanted).abs(), *part));
    let at = |part: i32| {
        let part = f64::from(part) / 100.0;
        (
            start.0 + (end.0 - start.0) * part,
            start.1 + (end.1 - start.1) * part,
        )
    };
    parts.into_iter().map(at).collect()
}

/// How wide the tag of a late copy is.
pub(crate) fn tag_width(late: u32) -> f64 {
    14.0 + 7.7 * f64::from(late.checked_ilog10().unwrap_or(0) + 1)
}

/// By how many slots a copy is late.
pub(crate) fn tag(place: Point, late: u32) -> String {
    chip(place, &format!("+{late}"), tag_width(late))
}

pub(crate) fn chip((x, y): Point, text: &str, width: f64) -> String {
    format!(
        "<rect class=\"tag\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"15\" rx=\"3\"/>\
         <text class=\"tagtext\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
        x - width / 2.0,
        y - 7.5,
        y + 4.0
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
