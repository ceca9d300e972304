//! A scene as SVG.

use super::{
    labels::{Labels, late},
    layout::{Columns, LANE, RIGHT, TOP, y},
    palette,
    run::Run,
    scene::{Arrow, Fate, Mark, Scene},
    shape, state, words,
};
use crate::{
    explain::Story,
    words::{class, own, style},
};
use milp_schema::{BlockId, ReplicaId, trace::What};

/// What the picture looks like, in every SVG.
const STYLE: &str = include_str!("diagram.css");

/// One picture.
pub(crate) struct Picture<'a> {
    /// Begins every id, so that two pictures stand on one page.
    pub(crate) prefix: &'a str,
    pub(crate) run: &'a Run,
    pub(crate) scene: &'a Scene,
    pub(crate) columns: &'a Columns,
    pub(crate) states: &'a state::History,
    pub(crate) story: Option<&'a Story>,
    /// Where each mark is.
    pub(crate) places: Vec<(f64, f64)>,
    /// Whether it stands alone, without a page that knows its colours.
    pub(crate) alone: bool,
}

/// Text for XML: no markup, and no character that XML forbids.
pub(crate) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\t' | '\n' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

impl Picture<'_> {
    /// Width and height.
    pub(crate) fn size(&self) -> (f64, f64) {
        let lanes = f64::from(self.run.instance.replicas);
        let ends = ReplicaId::all(self.run.instance.replicas).flat_map(|it| self.end(it));
        let letters = ends.map(|(_, line)| line.chars().count()).max();
        let right = RIGHT.max(30.0 + 6.9 * letters.unwrap_or_default() as f64);
        (self.columns.end() + right, TOP + LANE * lanes + 12.0)
    }

    /// The whole SVG element, with `more` below the lanes, which is `height` high.
    pub(crate) fn svg(&self, more: &str, height: f64) -> String {
        let (width, own) = self.size();
        let p = self.prefix;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"milp\" id=\"{p}\" width=\"{width:.0}\" \
             height=\"{all:.0}\" viewBox=\"0 0 {width:.0} {all:.0}\" role=\"img\" \
             aria-labelledby=\"{p}-title {p}-desc\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n\
             <title id=\"{p}-title\">{}</title>\n<desc id=\"{p}-desc\">{}</desc>\n\
             <style>{}</style>\n\
             <defs><pattern id=\"{p}-hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect class=\"hatch\" width=\"7\" height=\"7\"/>\
             <path class=\"hatching\" d=\"M0 0V7\"/></pattern></defs>\n\
             <rect class=\"page\" width=\"{width:.0}\" height=\"{all:.0}\"/>\n",
            esc(&self.title()),
            esc(&self.description()),
            self.rules(),
            all = own + height,
        );
        let labels = Labels::of(self, &self.places);
        self.grid(&mut out);
        self.lanes(&mut out);
        self.bars(&mut out, &labels);
        out += "<g class=\"arrows\">\n";
        // What the adversary did lies on top.
        for acted in [false, true] {
            for (at, arrow) in self.scene.arrows.iter().enumerate() {
                if arrow.acted == acted {
                    self.arrow(&mut out, at, arrow, &labels);
                }
            }
        }
        out += "</g>\n<g class=\"texts\">\n";
        // No line goes through what is written.
        self.axis(&mut out);
        Self::corner(&mut out);
        self.names(&mut out);
        self.names_of_bands(&mut out, &labels);
        for (at, arrow) in self.scene.arrows.iter().enumerate() {
            self.tag(&mut out, at, arrow, &labels);
        }
        out += "</g>\n<g class=\"marks\">\n";
        let needed = self.needed();
        for (at, needed) in needed.into_iter().enumerate() {
            self.mark(&mut out, at, needed, &labels);
        }
        out += "</g>\n";
        self.ends(&mut out);
        out += more;
        out += "</svg>\n";
        out
    }

    /// The style sheet.
    fn rules(&self) -> String {
        let rules = format!("{STYLE}{}", style(self.scene.kinds()));
        if self.alone {
            palette::plain(&rules, self.scene.kinds())
        } else {
            rules
        }
    }

    fn title(&self) -> String {
        format!("{} on {}", self.run.name, self.run.engine)
    }

    fn description(&self) -> String {
        format!(
            "Space-time diagram: {} replicas, slots {} to {}; {} marks and {} arrows from sending \
             to delivery.",
            self.run.instance.replicas,
            self.scene.slots.0,
            self.scene.slots.1,
            self.scene.marks.len(),
            self.scene.arrows.len()
        )
    }

    /// Where the line of a copy ends, if it is drawn and is not withheld.
    pub(super) fn tip(&self, arrow: &Arrow, places: &[(f64, f64)]) -> Option<(f64, f64)> {
        match arrow.fate {
            Fate::Arrives { mark, .. } => Some(places[mark]),
            Fate::Lost { slot } => {
                let column = self.columns.column(slot);
                let end = (column.x + column.width / 2.0, y(arrow.to.0));
                Some(shape::lost_at(places[arrow.from], end))
            }
            Fate::Open { .. } => None,
        }
    }

    fn arrow(&self, out: &mut String, at: usize, arrow: &Arrow, labels: &Labels) {
        let start = self.places[arrow.from];
        let tip = self.tip(arrow, &self.places);
        let drawn = match (arrow.fate, tip.or(labels.tags.get(&at).copied())) {
            (Fate::Arrives { .. }, Some(end)) => shape::arrow(start, end),
            (Fate::Lost { .. }, Some(end)) => shape::lost(start, end),
            (Fate::Open { withheld: true, .. }, Some(end)) => shape::way(start, end),
            // What could not have arrived, or arrives where it does not matter, is in the table.
            _ => return,
        };
        let into = match arrow.fate {
            Fate::Arrives { mark, .. } => format!(" data-into=\"{mark}\""),
            _ => String::new(),
        };
        out.push_str(&format!(
            "<g class=\"arrow {}\" id=\"{}-c{at}\" data-from=\"{}\"{into} {} data-q=\"{}\">\
             <title>{}</title>{drawn}</g>\n",
            self.looks(arrow),
            self.prefix,
            arrow.from,
            self.data(arrow.from),
            arrow.to,
            esc(&words::way(self.scene, arrow))
        ));
    }

    /// How late a copy is, or for whom one that is withheld was; above all lines.
    fn tag(&self, out: &mut String, at: usize, arrow: &Arrow, labels: &Labels) {
        let Some(place) = labels.tags.get(&at) else {
            return;
        };
        let drawn = match late(arrow) {
            Some(late) => shape::tag(*place, late),
            None => shape::stop(*place, arrow.to),
        };
        out.push_str(&format!(
            "<g class=\"tagged {}\" id=\"{}-t{at}\" data-way=\"{1}-c{at}\" {} data-q=\"{}\">{drawn}</g>\n",
            self.looks(arrow),
            self.prefix,
            self.data(arrow.from),
            arrow.to
        ));
    }

    /// The classes of a copy: its kind, what became of it, whether an attack can do without it.
    fn looks(&self, arrow: &Arrow) -> String {
        let mark = &self.scene.marks[arrow.from];
        let kind = mark.event.message.as_ref().map(|it| class(it.kind));
        let fate = match arrow.fate {
            Fate::Arrives { .. } if late(arrow).is_some() => "late",
            Fate::Arrives { .. } => "ontime",
            Fate::Lost { .. } => "lost",
            Fate::Open { .. } => "withheld",
        };
        let plain = if self.scene.is_attack(self.run, arrow) {
            ""
        } else {
            " plain"
        };
        format!("{} {fate}{plain}", kind.unwrap_or_default())
    }

    /// Which marks stay when only what the attack needs is shown: the adversary's acts, both ends
    /// of the copies that it needs, and what is decided.
    fn needed(&self) -> Vec<bool> {
        let marks = self.scene.marks.iter();
        let mut needed = marks
            .map(|mark| words::is_act(self.scene, mark) || mark.event.what == What::Decide)
            .collect::<Vec<_>>();
        for arrow in self
            .scene
            .arrows
            .iter()
            .filter(|it| self.scene.is_attack(self.run, it))
        {
            needed[arrow.from] = true;
            if let Fate::Arrives { mark, .. } = arrow.fate {
                needed[mark] = true;
            }
        }
        needed
    }

    fn mark(&self, out: &mut String, at: usize, needed: bool, labels: &Labels) {
        let mark = &self.scene.marks[at];
        let event = &mark.event;
        if event.what == What::Drop {
            // The arrow ends in a cross.
            return;
        }
        let kind = event.message.as_ref();
        let kind = kind.map_or_else(|| "k-none".to_owned(), |message| class(message.kind));
        let labels = labels.marks[at].iter().map(super::labels::Label::svg);
        out.push_str(&format!(
            "<g class=\"mark {kind} {}{}{}{}\" id=\"{}-m{at}\" data-s=\"{}\" {}><title>{}</title>{}{}</g>\n",
            words::class(event.what),
            if needed { "" } else { " plain" },
            match (mark.equivocates, mark.forks) {
                (true, _) => " equivocates",
                (_, true) => " forks",
                _ => "",
            },
            if mark.differs { " differs" } else { "" },
            self.prefix,
            event.slot,
            self.data(at),
            esc(&own(
                self.run.instance.protocol,
                &words::sentence(self.scene, at)
            )),
            labels.collect::<String>(),
            glyph(mark, self.places[at])
        ));
    }

    /// On whose votes a replica decides.
    pub(super) fn votes(&self, mark: &Mark, block: BlockId) -> Option<String> {
        let decisions = state::decisions(self.run);
        let decision = decisions
            .into_iter()
            .find(|it| it.replica == mark.event.replica && it.block == block)?;
        let (what, who) = decision.votes?;
        let who = who.into_iter().map(ReplicaId).collect::<Vec<_>>();
        Some(format!("{what} of {}", words::list(&who)))
    }
}

/// The shape of a mark.
fn glyph(mark: &Mark, (x, y): (f64, f64)) -> String {
    let event = &mark.event;
    let sending = || {
        let kind = event.message.as_ref().map(|it| it.kind);
        kind.map_or_else(String::new, |kind| shape::sending(kind.mark().shape, x, y))
    };
    let mut glyph = match event.what {
        What::Recover | What::Send | What::Inject => sending(),
        What::Deliver => shape::dot(x, y, 3.2),
        What::HandOver => shape::dot(x, y, 3.2) + &shape::ring(x, y, 5.4),
        What::HoldBack => shape::ring(x, y, 3.2),
        What::Ignore => shape::cross(x, y, 3.2),
        What::Timeout => shape::hourglass(x, y),
        What::EnterView => shape::flag(x, y),
        What::Decide => shape::decision(x, y),
        What::Crash | What::Fault => shape::cross(x, y, 7.0),
        What::Restart => shape::ring(x, y, 6.0),
        What::Drop => String::new(),
    };
    if mark.differs {
        glyph += &format!("<circle class=\"differ\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\"/>");
    }
    glyph + &format!("<circle class=\"hit\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\"/>")
}
