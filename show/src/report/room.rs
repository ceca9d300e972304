//! Where texts stand: beside what they are about, off other texts and marks, and clear of lines
//! where there is room; where there is none, a plate keeps the lines away.

use std::collections::BTreeMap;

pub(crate) type Point = (f64, f64);

/// What a text or a mark takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Area {
    /// All points at most so far from a point, sideways and up or down.
    pub(crate) fn around((x, y): Point, wide: f64, high: f64) -> Self {
        Self {
            left: x - wide,
            top: y - high,
            right: x + wide,
            bottom: y + high,
        }
    }

    /// Of a text of that width that begins at `left` on a base line.
    pub(crate) fn of_text((left, base): Point, width: f64) -> Self {
        Self {
            left,
            top: base - 9.5,
            right: left + width,
            bottom: base + 3.0,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        let sideways = self.left < other.right && other.left < self.right;
        sideways && self.top < other.bottom && other.top < self.bottom
    }

    /// Whether a line goes through it (Liang and Barsky).
    fn is_crossed(&self, (from, to): &(Point, Point)) -> bool {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let mut part = (0.0_f64, 1.0_f64);
        for (step, room) in [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ] {
            if step < 0.0 {
                part.0 = part.0.max(room / step);
            } else if step > 0.0 {
                part.1 = part.1.min(room / step);
            } else if room < 0.0 {
                return false;
            }
        }
        part.0 <= part.1
    }
}

/// How wide a text of 11 pixels is, about: `DejaVu` Sans and Verdana have much the same letters.
pub(crate) fn wide(text: &str, strong: bool) -> f64 {
    let letters = text.chars().map(|letter| match letter {
        ' ' | ',' | '.' | ':' | 'i' | 'j' | 'l' | 'I' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '-' => 0.43,
        'm' | 'w' | 'M' | 'W' | '→' | '≠' => 0.98,
        'A'..='Z' => 0.75,
        _ => 0.64,
    });
    let bold = if strong { 1.13 } else { 1.0 };
    11.0 * bold * letters.sum::<f64>() + 1.0
}

/// A place of a text, and whether lines go through it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed {
    pub(crate) left: f64,
    pub(crate) base: f64,
    pub(crate) width: f64,
    pub(crate) crossed: bool,
}

impl Placed {
    /// The plate that keeps lines away, if it takes one; `class` has its colour.
    pub(crate) fn plate(&self, class: &str) -> String {
        if !self.crossed {
            return String::new();
        }
        let Area { left, top, .. } = Area::of_text((self.left, self.base), self.width);
        format!(
            "<rect class=\"plate {class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"12.5\" rx=\"2\"/>",
            left - 1.0,
            self.width + 2.0
        )
    }
}

/// Between two texts on one line, at least.
const GAP: f64 = 4.0;

/// Width of the columns in which lines and areas are looked up.
const CELL: f64 = 64.0;

/// A picture's lines, and what of it is taken.
#[derive(Debug, Default)]
pub(crate) struct Room {
    lines: BTreeMap<i64, Vec<(Point, Point)>>,
    taken: BTreeMap<i64, Vec<Area>>,
}

fn cells(left: f64, right: f64) -> std::ops::RangeInclusive<i64> {
    (left / CELL).floor() as i64..=(right / CELL).floor() as i64
}

impl Room {
    pub(crate) fn line(&mut self, from: Point, to: Point) {
        for cell in cells(from.0.min(to.0), from.0.max(to.0)) {
            self.lines.entry(cell).or_default().push((from, to));
        }
    }

    pub(crate) fn take(&mut self, area: Area) {
        for cell in cells(area.left, area.right) {
            self.taken.entry(cell).or_default().push(area);
        }
    }

    /// How many marks and texts lie in the area.
    fn hidden(&self, area: &Area) -> usize {
        let near = cells(area.left, area.right).filter_map(|cell| self.taken.get(&cell));
        near.flatten().filter(|other| other.meets(area)).count()
    }

    /// How many lines go through it.
    fn crossed(&self, area: &Area) -> usize {
        let near = cells(area.left, area.right).filter_map(|cell| self.lines.get(&cell));
        near.flatten().filter(|line| area.is_crossed(line)).count()
    }

    /// The first of the best places of a text of that width, each its left end on the base line;
    /// those named first are nearer. Best is the least taken, then the fewest lines, of which one
    /// is worth four places.
    fn best(&self, width: f64, places: impl IntoIterator<Item = Point>) -> (usize, Area) {
        let mut best = ((usize::MAX, 0), Area::of_text((0.0, 0.0), width));
        for (turn, place) in places.into_iter().enumerate() {
            let area = Area::of_text(place, width);
            let cost = (self.hidden(&area), self.crossed(&area) + turn / 4);
            if cost < best.0 {
                best = (cost, area);
            }
            if cost == (0, 0) {
                break;
            }
        }
        (best.0.0, best.1)
    }

    fn put(&mut self, area: Area) -> Placed {
        let crossed = self.crossed(&area) > 0;
        self.take(Area {
            left: area.left - GAP,
            right: area.right + GAP,
            ..area
        });
        Placed {
            left: area.left,
            base: area.bottom - 3.0,
            width: area.right - area.left,
            crossed,
        }
    }

    /// Puts a text at the best of these places.
    pub(crate) fn text(&mut self, width: f64, places: impl IntoIterator<Item = Point>) -> Placed {
        let (_, area) = self.best(width, places);
        self.put(area)
    }

    /// The same, if it hides nothing there.
    pub(crate) fn free(
        &mut self,
        width: f64,
        places: impl IntoIterator<Item = Point>,
    ) -> Option<Placed> {
        let (hidden, area) = self.best(width, places);
        (hidden == 0).then(|| self.put(area))
    }

    /// Puts a tag at the first of the points where least is taken.
    pub(crate) fn tag(&mut self, wide: f64, high: f64, points: &[Point]) -> Point {
        let areas = points.iter().map(|point| Area::around(*point, wide, high));
        let judged = areas.map(|area| (self.hidden(&area), area));
        let best = judged.min_by_key(|(hidden, _)| *hidden);
        let area = best.map_or(Area::around((0.0, 0.0), wide, high), |(_, area)| area);
        self.take(area);
        (
            f64::midpoint(area.left, area.right),
            f64::midpoint(area.top, area.bottom),
        )
    }
}
