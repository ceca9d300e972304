//! A scene as SVG.

use super::{
    layout::{self, Column, Columns, LANE, LEFT, RIGHT, TOP, y},
    run::Run,
    scene::{Arrow, Band, Fate, Mark, Scene},
    shape, state, story, words,
};
use crate::{
    explain::Story,
    words::{binds, class, grounds, own, style},
};
use milp_schema::{BlockId, Height, ReplicaId, View, trace::What};

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
             <style>{STYLE}{}</style>\n\
             <defs><pattern id=\"{p}-hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" fill=\"#fdecea\"/>\
             <path d=\"M0 0V7\" stroke=\"#c98a84\" stroke-width=\"3\"/></pattern></defs>\n\
             <rect class=\"page\" width=\"{width:.0}\" height=\"{all:.0}\"/>\n",
            esc(&self.title()),
            esc(&self.description()),
            style(self.scene.kinds()),
            all = own + height,
        );
        self.grid(&mut out);
        self.lanes(&mut out);
        self.locks(&mut out);
        let places = self.columns.places(self.scene);
        out += "<g class=\"arrows\">\n";
        // What the adversary did lies on top.
        for acted in [false, true] {
            for (at, arrow) in self.scene.arrows.iter().enumerate() {
                if arrow.acted == acted {
                    self.arrow(&mut out, at, arrow, &places);
                }
            }
        }
        out += "</g>\n<g class=\"marks\">\n";
        let acts = self.acts();
        for at in 0..self.scene.marks.len() {
            self.mark(&mut out, at, places[at], acts[at]);
        }
        out += "</g>\n";
        self.ends(&mut out);
        out += more;
        out += "</svg>\n";
        out
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

    /// The slots: a number and a line for each, one column for slots in which nothing happens.
    fn grid(&self, out: &mut String) {
        let (_, height) = self.size();
        let p = self.prefix;
        out.push_str(&format!(
            "<text class=\"axis\" x=\"{:.0}\" y=\"28\" text-anchor=\"end\">slot</text>\n\
             <rect class=\"cursor\" id=\"{p}-cursor\" x=\"0\" y=\"12\" width=\"0\" height=\"{:.0}\" \
             visibility=\"hidden\"/>\n",
            LEFT - 10.0,
            height - 18.0
        ));
        for column in &self.columns.0 {
            let Column {
                first,
                last,
                x,
                width,
            } = column;
            let (name, class) = if first == last {
                (first.to_string(), "axis")
            } else {
                (format!("{first}–{last}"), "axis idle")
            };
            let after = u32::from(*first > self.run.instance.slots);
            out.push_str(&format!(
                "<text class=\"{class}\" x=\"{:.1}\" y=\"28\" text-anchor=\"middle\">{name}</text>\
                 <path class=\"slot heal{after}\" d=\"M{x:.1} 36V{:.1}\"/>\n",
                x + width / 2.0,
                height - 12.0
            ));
        }
        let healing = self.columns.0.iter();
        let mut healing = healing.filter(|it| it.first > self.run.instance.slots);
        if let Some(Column { x, .. }) = healing.next() {
            out.push_str(&format!(
                "<path class=\"horizon\" d=\"M{x:.1} 4V{:.1}\"/>\
                 <text class=\"small\" x=\"{:.1}\" y=\"12\">heal phase</text>\n",
                height - 12.0,
                x + 4.0
            ));
        }
        out.push_str(&format!(
            "<path class=\"horizon\" d=\"M{x:.1} 14V{:.1}\"/>\
             <text class=\"axis\" x=\"{:.1}\" y=\"28\">after slot {}</text>\n",
            height - 12.0,
            self.columns.end() + 12.0,
            self.scene.slots.1,
            x = self.columns.end()
        ));
    }

    fn lanes(&self, out: &mut String) {
        let p = self.prefix;
        let end = self.columns.end();
        let places = self.columns.places(self.scene);
        for replica in ReplicaId::all(self.run.instance.replicas) {
            let y = y(replica.0);
            let fault = self.run.faulty.iter().find(|(id, _)| *id == replica);
            let fault = fault.map_or("honest", |(_, kind)| words::fault(*kind));
            out.push_str(&format!(
                "<g data-r=\"{replica}\"><text class=\"name\" x=\"14\" y=\"{:.1}\">replica {replica}</text>\
                 <text class=\"small\" x=\"14\" y=\"{:.1}\">{fault}</text>\n",
                y - 2.0,
                y + 14.0
            ));
            if self.run.is_byzantine(replica) {
                out.push_str(&format!(
                    "<rect class=\"byzantine\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"44\" \
                     fill=\"url(#{p}-hatch)\"/>\n",
                    y - 22.0,
                    end - LEFT
                ));
            }
            for band in self.scene.bands.iter().filter(|it| it.replica == replica) {
                let (left, right) = self.columns.edges(band, &places);
                let Some(place) = band.place.filter(|_| right > left) else {
                    continue;
                };
                let tint = layout::tint(place);
                let (height, view) = place;
                let data = format!("data-v=\"{height}-{view}\"");
                out.push_str(&format!(
                    "<g {data}><rect class=\"band tint{tint}\" x=\"{left:.1}\" y=\"{:.1}\" \
                     width=\"{:.1}\" height=\"44\"/>",
                    y - 22.0,
                    right - left
                ));
                if right - left > 40.0 {
                    let name = self.band_name(band, place, right - left);
                    out.push_str(&format!(
                        "<text class=\"place\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                        left + 3.0,
                        y + 20.0,
                        esc(&name)
                    ));
                }
                out.push_str("</g>\n");
            }
            out.push_str(&format!(
                "<path class=\"lane\" d=\"M{LEFT} {y:.1}H{end:.1}\"/></g>\n"
            ));
        }
    }

    /// Height and view of a band, whether its replica is primary there, and on whose requests it
    /// came: as much as there is room for.
    fn band_name(&self, band: &Band, (height, view): (Height, View), width: f64) -> String {
        let several = self.run.instance.heights > 1;
        let mut name = match (several, width > 90.0) {
            (true, true) => format!("height {height} view {view}"),
            (true, false) => format!("h{height} v{view}"),
            (false, _) => format!("view {view}"),
        };
        let protocol = self.run.instance.protocol;
        name = own(protocol, &name);
        let leads = self.run.instance.primary(height, view) == band.replica;
        let came = band.begin.and_then(|at| {
            let mark = &self.scene.marks[at];
            story::quorum(self.story, mark).filter(|_| mark.event.what == What::EnterView)
        });
        let more = [
            leads.then(|| protocol.words.primary.clone()),
            came.map(|who| format!("on requests of {who}")),
        ];
        for words in more.into_iter().flatten() {
            let longer = format!("{name}, {words}");
            if 5.8 * (longer.chars().count() as f64) < width {
                name = longer;
            }
        }
        name
    }

    /// A bar with a padlock from each commit on, to where its replica decides.
    fn locks(&self, out: &mut String) {
        let places = self.columns.places(self.scene);
        for (at, mark) in self.scene.marks.iter().enumerate() {
            let event = &mark.event;
            let Some(message) = event
                .message
                .as_ref()
                .filter(|it| event.what == What::Send && binds(it))
            else {
                continue;
            };
            let decided = self.scene.marks[at..].iter().position(|later| {
                later.event.replica == event.replica && later.event.what == What::Decide
            });
            let (x, y) = places[at];
            let end = decided.map_or(self.columns.end(), |later| places[at + later].0);
            let bound = ["committed", "locked on"][usize::from(self.run.locks)];
            let block = words::value(message).unwrap_or_default();
            let grounds = esc(grounds(self.run.instance.protocol));
            let on = story::quorum(self.story, mark)
                .map_or_else(String::new, |who| format!(", on {grounds} of {who}"));
            out.push_str(&format!(
                "<g class=\"lock\" data-r=\"{}\" data-k=\"{}\" data-v=\"{}-{}\">\
                 <path class=\"bar\" d=\"M{x:.1} {:.1}H{end:.1}\"/>{}\
                 <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{bound} v{} {block}{on}</text></g>\n",
                event.replica,
                class(message.kind),
                message.height,
                message.view,
                y - 25.0,
                shape::padlock(x, y - 26.0),
                x + 10.0,
                y - 29.0,
                message.view
            ));
        }
    }

    fn arrow(&self, out: &mut String, at: usize, arrow: &Arrow, places: &[(f64, f64)]) {
        let mark = &self.scene.marks[arrow.from];
        let Some(message) = &mark.event.message else {
            return;
        };
        let acted = arrow.acted;
        let start = places[arrow.from];
        let drawn = match arrow.fate {
            Fate::Arrives { mark, late } => {
                let late = if acted { late } else { 0 };
                shape::arrow(start, places[mark], late, at)
            }
            Fate::Lost { slot } => {
                let column = self.columns.column(slot);
                let end = (column.x + column.width / 2.0, y(arrow.to.0));
                shape::lost(start, end)
            }
            Fate::Open { withheld: true, .. } => shape::withheld(start, y(arrow.to.0), arrow.to),
            // What could not have arrived, or arrives where it does not matter, is in the table.
            Fate::Open { .. } => return,
        };
        let kind = class(message.kind);
        let fate = match arrow.fate {
            Fate::Arrives { late, .. } if late > 0 && acted => "late",
            Fate::Arrives { .. } => "ontime",
            Fate::Lost { .. } => "lost",
            Fate::Open { .. } => "withheld",
        };
        let act = if acted { "" } else { " plain" };
        let into = match arrow.fate {
            Fate::Arrives { mark, .. } => format!(" data-into=\"{mark}\""),
            _ => String::new(),
        };
        out.push_str(&format!(
            "<g class=\"arrow {kind} {fate}{act}\" id=\"{}-c{at}\" data-from=\"{}\"{into} \
             data-k=\"{kind}\" data-r=\"{}\" data-q=\"{}\" data-v=\"{}-{}\"><title>{}</title>{drawn}</g>\n",
            self.prefix,
            arrow.from,
            mark.event.replica,
            arrow.to,
            mark.place.0,
            mark.place.1,
            esc(&words::way(self.scene, arrow))
        ));
    }

    /// Which marks stay when only the adversary's acts are shown: its own, and both ends of the
    /// copies that it delays, loses or makes.
    fn acts(&self) -> Vec<bool> {
        let marks = self.scene.marks.iter();
        let mut acts = marks
            .map(|mark| words::is_act(self.scene, mark))
            .collect::<Vec<_>>();
        for arrow in &self.scene.arrows {
            if arrow.acted {
                acts[arrow.from] = true;
                if let Fate::Arrives { mark, .. } = arrow.fate {
                    acts[mark] = true;
                }
            }
        }
        acts
    }

    fn mark(&self, out: &mut String, at: usize, place: (f64, f64), act: bool) {
        let mark = &self.scene.marks[at];
        let event = &mark.event;
        if event.what == What::Drop {
            // The arrow ends in a cross.
            return;
        }
        let kind = event.message.as_ref();
        let kind = kind.map_or_else(|| "k-none".to_owned(), |message| class(message.kind));
        let act = if act { "" } else { " plain" };
        let data = match &event.message {
            None => String::new(),
            Some(_) => format!(" data-k=\"{kind}\""),
        };
        out.push_str(&format!(
            "<g class=\"mark {kind} {}{act}{}{}\" id=\"{}-m{at}\" data-r=\"{}\" data-s=\"{}\"{data} \
             data-v=\"{}-{}\"><title>{}</title>{}</g>\n",
            words::class(event.what),
            match (mark.equivocates, mark.forks) {
                (true, _) => " equivocates",
                (_, true) => " forks",
                _ => "",
            },
            if mark.differs { " differs" } else { "" },
            self.prefix,
            event.replica,
            event.slot,
            mark.place.0,
            mark.place.1,
            esc(&own(
                self.run.instance.protocol,
                &words::sentence(self.scene, at)
            )),
            self.glyph(mark, place)
        ));
    }

    fn glyph(&self, mark: &Mark, (x, y): (f64, f64)) -> String {
        let event = &mark.event;
        let text = |class: &str, text: &str| {
            format!(
                "<text class=\"label {class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + 8.0,
                y + 4.0,
                esc(text)
            )
        };
        let sending = || {
            let kind = event.message.as_ref().map(|it| it.kind);
            kind.map_or_else(String::new, |kind| shape::sending(kind.mark().shape, x, y))
        };
        let mut glyph = match event.what {
            What::Recover => sending(),
            What::Send | What::Inject => sending() + &text("", &words::label(mark)),
            What::Deliver => shape::dot(x, y, 3.2),
            What::HandOver => shape::dot(x, y, 3.2) + &shape::ring(x, y, 5.4),
            What::HoldBack => shape::ring(x, y, 3.2),
            What::Ignore => shape::cross(x, y, 3.2),
            What::Timeout => shape::hourglass(x, y),
            What::EnterView => shape::flag(x, y) + &text("strong", &format!(" v{}", mark.place.1)),
            What::Decide => {
                let (_, view) = mark.place;
                let block = event.decided().map_or(0, |block| block.index);
                let votes = event.decided().and_then(|block| self.votes(mark, block));
                let votes = votes.map_or_else(String::new, |votes| {
                    format!(
                        "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                        x - 8.0,
                        y + 21.0,
                        esc(&votes)
                    )
                });
                let label = text("strong", &format!(" decides v{view} b{block}"));
                shape::decision(x, y) + &label + &votes
            }
            What::Crash => shape::cross(x, y, 7.0) + &text("strong", "crash"),
            What::Restart => shape::ring(x, y, 6.0) + &text("strong", "restart"),
            What::Fault => shape::cross(x, y, 7.0) + &text("strong", "breaks"),
            What::Drop => String::new(),
        };
        if mark.differs {
            glyph += &format!("<circle class=\"differ\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\"/>");
        }
        glyph + &format!("<circle class=\"hit\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\"/>")
    }

    /// On whose votes a replica decides.
    fn votes(&self, mark: &Mark, block: BlockId) -> Option<String> {
        let decisions = state::decisions(self.run);
        let decision = decisions
            .into_iter()
            .find(|it| it.replica == mark.event.replica && it.block == block)?;
        let (what, who) = decision.votes?;
        let who = who.into_iter().map(ReplicaId).collect::<Vec<_>>();
        Some(format!("{what} of {}", words::list(&who)))
    }

    /// What a replica has behind the last slot drawn, in lines.
    fn end(&self, replica: ReplicaId) -> Vec<(&'static str, String)> {
        let states = &self.states[replica.index()];
        let Some(state) = state::at(states, self.scene.slots.1) else {
            return Vec::new();
        };
        let mut lines: Vec<(&str, String)> = Vec::new();
        for word in &state.words {
            match lines.last_mut() {
                Some((_, line)) if format!("{line}, {word}").len() < 34 => {
                    *line = format!("{line}, {word}");
                }
                _ => lines.push(("strong", word.clone())),
            }
        }
        let room = 6_usize.saturating_sub(lines.len());
        // The latest matter most; of earlier ones it is said how many there are.
        let hidden = match state.tallies.len() {
            count if count > room => count + 1 - room,
            _ => 0,
        };
        let shown = state.tallies.iter().skip(hidden);
        lines.extend(shown.map(|tally| {
            let who = tally.who.iter().copied().map(ReplicaId).collect::<Vec<_>>();
            let count = who.len();
            let who = words::list(&who);
            ("", format!("{} {count}/{} ({who})", tally.what, tally.need))
        }));
        if hidden > 0 {
            lines.push(("", format!("and {hidden} tallies more: table of states")));
        }
        lines
    }

    fn ends(&self, out: &mut String) {
        let left = self.columns.end() + 12.0;
        for replica in ReplicaId::all(self.run.instance.replicas) {
            let lines = self.end(replica);
            let mut y = y(replica.0) - 7.0 * lines.len() as f64 + 11.0;
            out.push_str(&format!("<g class=\"end\" data-r=\"{replica}\">"));
            for (class, line) in lines {
                out.push_str(&format!(
                    "<text class=\"label {class}\" x=\"{left:.1}\" y=\"{y:.1}\">{}</text>",
                    esc(&line)
                ));
                y += 14.0;
            }
            out.push_str("</g>\n");
        }
    }
}
