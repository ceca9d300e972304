//! The texts and tags of a picture, each with its place.

use super::{
    draw::{Picture, esc},
    layout::{self, LANE, LEFT, y},
    room::{Area, Placed, Point, Room, wide},
    scene::{Arrow, Band, Fate, Mark},
    shape, story, words,
};
use crate::words::{binds, grounds, own};
use milp_schema::{Height, ReplicaId, View, trace::What};
use std::collections::BTreeMap;

/// A text that has found its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    words: String,
    class: &'static str,
    ground: String,
    placed: Placed,
}

impl Label {
    /// The text, on a plate where lines go through it.
    pub(super) fn svg(&self) -> String {
        format!(
            "{}<text class=\"{}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            self.placed.plate(&self.ground),
            self.class,
            self.placed.left,
            self.placed.base,
            esc(&self.words)
        )
    }
}

/// A commit that binds, from its mark on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lock {
    /// The mark of the commit.
    pub(super) mark: usize,
    /// Where its replica decides, or the picture ends.
    pub(super) end: f64,
    /// What it says, where there is room.
    pub(super) label: Option<Label>,
}

/// Every text and tag between the lanes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Labels {
    /// Beside each mark.
    pub(super) marks: Vec<Vec<Label>>,
    /// In each band that has room for one.
    pub(super) bands: Vec<Option<Label>>,
    /// Over each bar.
    pub(super) locks: Vec<Lock>,
    /// On each arrow that has one: how late it is, or for whom what is withheld was.
    pub(super) tags: BTreeMap<usize, Point>,
}

/// Where a mark's label may stand, the best first; its shape is so wide and high.
fn beside((x, y): Point, width: f64, (wide, high): Point) -> Vec<Point> {
    let (above, below) = (y - high - 3.5, y + high + 10.5);
    let (right, left) = (x + wide - 2.0, x - wide + 2.0 - width);
    let rows = [(above, 0.0), (below, 0.0), (above, 12.0), (below, 12.0)];
    let near = rows.into_iter().map(|(base, more)| (right + more, base));
    let middle = x - width / 2.0;
    let other = [
        (middle, above),
        (middle, below),
        (left, above),
        (left, below),
    ];
    let far = [13.0, 26.0, 39.0]
        .into_iter()
        .flat_map(|more| [above - more, below + more]);
    let far = far.flat_map(|base| {
        let sideways = [0.0, 12.0, 24.0].map(|more| right + more);
        let others = [middle, left, left - 12.0];
        sideways
            .into_iter()
            .chain(others)
            .map(move |left| (left, base))
    });
    near.chain(other).chain(far).collect()
}

/// Half the width and height of a mark's shape.
fn half(what: What) -> Point {
    match what {
        What::Timeout => (5.5, 8.5),
        What::Decide => (8.5, 10.5),
        What::EnterView => (12.5, 17.5),
        What::Send | What::Inject | What::Recover | What::Crash | What::Restart | What::Fault => {
            (7.5, 7.5)
        }
        What::HandOver => (5.5, 5.5),
        What::Drop => (0.0, 0.0),
        What::Deliver | What::HoldBack | What::Ignore => (3.5, 3.5),
    }
}

impl Labels {
    /// Finds a place for every text of a picture.
    pub(super) fn of(picture: &Picture, places: &[Point]) -> Self {
        let mut room = Room::default();
        take_marks(picture, places, &mut room);
        let tags = draw_lines(picture, places, &mut room);
        let bars = bars(picture, places, &mut room);
        let marks = picture.scene.marks.iter().zip(places);
        let marks = marks.map(|(mark, place)| of_mark(picture, mark, *place, &mut room));
        let marks = marks.collect();
        let locks = bars.into_iter();
        let locks = locks.map(|(at, end)| lock(picture, at, end, places[at], &mut room));
        let locks = locks.collect();
        let bands = picture.scene.bands.iter();
        let bands = bands.map(|band| of_band(picture, band, places, &mut room));
        let bands = bands.collect();
        let tags = put_tags(picture, places, tags, &mut room);
        Self {
            marks,
            bands,
            locks,
            tags,
        }
    }
}

fn take_marks(picture: &Picture, places: &[Point], room: &mut Room) {
    for (mark, (x, y)) in picture.scene.marks.iter().zip(places) {
        let (wide, high) = half(mark.event.what);
        match mark.event.what {
            What::Drop => {}
            What::EnterView => room.take(Area {
                left: x - 1.0,
                top: y - high,
                right: x + wide,
                bottom: y + 10.0,
            }),
            _ => room.take(Area::around((*x, *y), wide, high)),
        }
    }
}

/// Enters every line of the picture; the tags of withheld copies are their ends.
fn draw_lines(picture: &Picture, places: &[Point], room: &mut Room) -> BTreeMap<usize, Point> {
    let end = picture.columns.end();
    let bottom = picture.size().1;
    for replica in ReplicaId::all(picture.run.instance.replicas) {
        let y = y(replica.0);
        room.line((LEFT, y), (end, y));
        // What it has at the end.
        room.take(Area {
            left: end + 10.0,
            top: y - LANE / 2.0,
            right: picture.size().0,
            bottom: y + LANE / 2.0,
        });
    }
    let edges = picture.columns.0.iter().map(|column| column.x);
    for x in edges.chain([end]) {
        room.line((x, 14.0), (x, bottom));
    }
    let mut tags = BTreeMap::new();
    for (at, arrow) in picture.scene.arrows.iter().enumerate() {
        let start = places[arrow.from];
        let until = match arrow.fate {
            Fate::Open { withheld: true, .. } => {
                let points = shape::stops(start, y(arrow.to.0));
                let point = room.tag(8.0, 8.0, &points);
                tags.insert(at, point);
                Some(point)
            }
            _ => picture.tip(arrow, places),
        };
        if let Some(until) = until {
            room.line(start, until);
        }
    }
    tags
}

/// On each late copy a place for how late it is.
fn put_tags(
    picture: &Picture,
    places: &[Point],
    mut tags: BTreeMap<usize, Point>,
    room: &mut Room,
) -> BTreeMap<usize, Point> {
    for (at, arrow) in picture.scene.arrows.iter().enumerate() {
        let Some(late) = late(arrow) else { continue };
        if let Some(end) = picture.tip(arrow, places) {
            let wide = shape::tag_width(late) / 2.0;
            let points = shape::along(places[arrow.from], end, at);
            tags.insert(at, room.tag(wide, 8.0, &points));
        }
    }
    tags
}

/// How late the adversary made a copy, if it did.
pub(super) fn late(arrow: &Arrow) -> Option<u32> {
    match arrow.fate {
        Fate::Arrives { late, .. } if late > 0 && arrow.acted => Some(late),
        _ => None,
    }
}

fn of_mark(picture: &Picture, mark: &Mark, place: Point, room: &mut Room) -> Vec<Label> {
    let (_, view) = mark.place;
    let event = &mark.event;
    let (class, words) = match event.what {
        What::Send | What::Inject => ("label", words::label(mark)),
        What::EnterView => ("label strong", format!("v{view}")),
        What::Decide => {
            let block = event.decided().map_or(0, |block| block.index);
            ("label strong", format!("decides v{view} b{block}"))
        }
        What::Crash => ("label strong", "crash".to_owned()),
        What::Restart => ("label strong", "restart".to_owned()),
        What::Fault => ("label strong", "breaks".to_owned()),
        _ => return Vec::new(),
    };
    let width = wide(&words, class != "label");
    let (x, y) = place;
    let mut spots = beside(place, width, half(event.what));
    if event.what == What::EnterView {
        let spot = [
            (x + 14.0, y - 8.0),
            (x + 3.0, y + 20.0),
            (x + 14.0, y + 18.0),
        ];
        spots.splice(..0, spot);
    }
    let mut labels = vec![picture.label(mark.event.replica, class, words, room.text(width, spots))];
    let votes = event.decided().and_then(|block| picture.votes(mark, block));
    if let Some(votes) = votes {
        let width = wide(&votes, false);
        let under = [23.0, 35.0, 47.0].map(|down| (x - 8.0, y + down));
        let spots = under.into_iter().chain(beside(place, width, (8.5, 10.5)));
        labels.push(picture.label(event.replica, "small", votes, room.text(width, spots)));
    }
    labels
}

/// The commits that bind, each with where its replica decides or the picture ends.
fn bars(picture: &Picture, places: &[Point], room: &mut Room) -> Vec<(usize, f64)> {
    let marks = &picture.scene.marks;
    let binding = marks.iter().enumerate().filter(|(_, mark)| {
        let message = mark.event.message.as_ref();
        mark.event.what == What::Send && message.is_some_and(binds)
    });
    let bars = binding.map(|(at, mark)| {
        let decided = marks[at..].iter().position(|later| {
            later.event.replica == mark.event.replica && later.event.what == What::Decide
        });
        let end = decided.map_or(picture.columns.end(), |later| places[at + later].0);
        let (x, y) = places[at];
        room.line((x, y - 25.0), (end, y - 25.0));
        room.take(Area::around((x, y - 26.0), 6.0, 6.5));
        (at, end)
    });
    bars.collect()
}

/// What a bar says.
fn lock(picture: &Picture, at: usize, end: f64, (x, y): Point, room: &mut Room) -> Lock {
    let mark = &picture.scene.marks[at];
    let event = &mark.event;
    let bound = ["committed", "locked on"][usize::from(picture.run.locks)];
    let message = event.message.as_ref();
    let block = message.and_then(words::value).unwrap_or_default();
    let view = message.map_or(mark.place.1, |it| it.view);
    let grounds = grounds(picture.run.instance.protocol);
    let on = story::quorum(picture.story, mark)
        .map_or_else(String::new, |who| format!(", on {grounds} of {who}"));
    let short = format!("{bound} v{view} {block}");
    let label = [format!("{short}{on}"), short]
        .into_iter()
        .find_map(|text| {
            let width = wide(&text, false);
            let steps = (0..24).map(|step| 12.0 * f64::from(step));
            let steps = steps.filter(|more| *more < 1.0 || x + 10.0 + more + width < end);
            let steps = steps.map(|more| x + 10.0 + more);
            let spots = steps.flat_map(|left| [30.0, 43.0].map(|up| (left, y - up)));
            let placed = room.free(width, spots)?;
            Some(picture.label(event.replica, "small", text, placed))
        });
    Lock {
        mark: at,
        end,
        label,
    }
}

/// The name of a band, near its beginning, as long as there is room for it.
fn of_band(picture: &Picture, band: &Band, places: &[Point], room: &mut Room) -> Option<Label> {
    let (left, right) = picture.columns.edges(band, places);
    let place = band.place.filter(|_| right - left > 46.0)?;
    let y = y(band.replica.0);
    band_names(picture, band, place, right - left)
        .into_iter()
        .find_map(|name| {
            let width = wide(&name, false);
            let steps = (0..14).map(|step| left + 4.0 + 12.0 * f64::from(step));
            let steps = steps.filter(|at| at + width < right);
            let spots = steps.flat_map(|at| [19.0, -11.5].map(|down| (at, y + down)));
            let placed = room.free(width, spots)?;
            Some(picture.label(band.replica, "place", name, placed))
        })
}

/// Height and view of a band, whether its replica is primary there, and on whose requests it
/// came: the longest first.
fn band_names(
    picture: &Picture,
    band: &Band,
    (height, view): (Height, View),
    width: f64,
) -> Vec<String> {
    let several = picture.run.instance.heights > 1;
    let mut name = match (several, width > 110.0) {
        (true, true) => format!("height {height} view {view}"),
        (true, false) => format!("h{height} v{view}"),
        (false, _) => format!("view {view}"),
    };
    let protocol = picture.run.instance.protocol;
    name = own(protocol, &name);
    let leads = picture.run.instance.primary(height, view) == band.replica;
    let came = band.begin.and_then(|at| {
        let mark = &picture.scene.marks[at];
        story::quorum(picture.story, mark).filter(|_| mark.event.what == What::EnterView)
    });
    let more = [
        leads.then(|| protocol.words.primary.clone()),
        came.map(|who| format!("on requests of {who}")),
    ];
    let mut names = vec![name];
    for words in more.into_iter().flatten() {
        let longer = format!("{}, {words}", names[0]);
        names.insert(0, longer);
    }
    names
}

impl Picture<'_> {
    fn label(&self, replica: ReplicaId, class: &'static str, words: String, at: Placed) -> Label {
        Label {
            words,
            class,
            ground: self.ground(replica, at),
            placed: at,
        }
    }

    /// The class of what a text stands on: its band, or the page.
    fn ground(&self, replica: ReplicaId, at: Placed) -> String {
        let middle = (at.left + at.width / 2.0, at.base - 3.0);
        let in_lane = (middle.1 - y(replica.0)).abs() < 22.0;
        let mut bands = self.scene.bands.iter();
        let band = bands.find(|band| {
            let (left, right) = self.columns.edges(band, &self.places);
            band.replica == replica && in_lane && left <= middle.0 && middle.0 < right
        });
        let place = band.and_then(|band| band.place);
        place.map_or_else(
            || "page".to_owned(),
            |place| format!("tint{}", layout::tint(place)),
        )
    }
}
