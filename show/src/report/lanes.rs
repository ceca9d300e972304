//! What a picture has besides marks and arrows: slots, lanes, bands, bars of commits, and behind
//! the last slot what each replica has.

use super::{
    draw::{Picture, esc},
    labels::{Label, Labels, Lock},
    layout::{self, Column, LEFT, y},
    repeat::{ForEver, Repetition},
    shape, state, words,
};
use crate::words::{class, count};
use milp_schema::ReplicaId;

impl Picture<'_> {
    /// A line for each slot, and for each column that stands for slots in which nothing happens.
    pub(super) fn grid(&self, out: &mut String) {
        let bottom = self.size().1 - 12.0;
        out.push_str(&format!(
            "<rect class=\"cursor\" id=\"{}-cursor\" x=\"0\" y=\"12\" width=\"0\" height=\"{:.0}\" \
             visibility=\"hidden\"/>\n",
            self.prefix,
            bottom - 6.0
        ));
        self.rounds(out, bottom);
        for Column { first, x, .. } in &self.columns.0 {
            let after = u32::from(*first > self.run.instance.slots);
            out.push_str(&format!(
                "<path class=\"slot heal{after}\" d=\"M{x:.1} 36V{bottom:.1}\"/>\n"
            ));
        }
        if let Some(x) = self.healing() {
            out.push_str(&format!(
                "<path class=\"horizon\" d=\"M{x:.1} 4V{bottom:.1}\"/>\n"
            ));
        }
        out.push_str(&format!(
            "<path class=\"horizon\" d=\"M{:.1} 14V{bottom:.1}\"/>\n",
            self.columns.end()
        ));
    }

    /// The slots that come again for ever, as far as they are drawn: first and last edge.
    fn repeated(&self) -> Option<(f64, f64, &Repetition)> {
        let Some(ForEver::Rounds(rounds)) = &self.scene.for_ever else {
            return None;
        };
        let (_, last) = self.scene.slots;
        let until = self.columns.column(rounds.to.min(last));
        let from = self.columns.column(rounds.from).x;
        (rounds.from <= last).then_some((from, until.x + until.width, rounds))
    }

    /// Shades what comes again, with a line between rounds.
    fn rounds(&self, out: &mut String, bottom: f64) {
        let Some((from, until, rounds)) = self.repeated() else {
            return;
        };
        out.push_str(&format!(
            "<g class=\"for-ever\"><rect class=\"rounds\" x=\"{from:.1}\" y=\"36\" width=\"{:.1}\" \
             height=\"{:.1}\"/>",
            until - from,
            bottom - 36.0
        ));
        let starts = (rounds.from..=rounds.to).step_by(rounds.period.max(1) as usize);
        for start in starts.take_while(|start| *start <= self.scene.slots.1) {
            let x = self.columns.column(start).x;
            out.push_str(&format!(
                "<path class=\"round\" d=\"M{x:.1} 36V{bottom:.1}\"/>"
            ));
        }
        out.push_str("</g>\n");
    }

    /// Where the heal phase begins, if it is drawn.
    fn healing(&self) -> Option<f64> {
        let mut columns = self.columns.0.iter();
        let column = columns.find(|it| it.first > self.run.instance.slots);
        column.map(|it| it.x)
    }

    /// The numbers of the slots.
    pub(super) fn axis(&self, out: &mut String) {
        for column in &self.columns.0 {
            let (name, class) = (column.name(), column.class());
            let x = column.x + column.width / 2.0;
            out.push_str(&format!(
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"28\" text-anchor=\"middle\">{name}</text>\n"
            ));
        }
        if let Some(x) = self.healing() {
            let x = x + 4.0;
            out.push_str(&format!(
                "<text class=\"small\" x=\"{x:.1}\" y=\"13\">heal phase</text>\n"
            ));
        }
        if let Some((from, _, rounds)) = self.repeated() {
            let x = self.healing().map_or(from, |x| from.max(x + 80.0)) + 4.0;
            let every = count(i64::from(rounds.period), "slot");
            out.push_str(&format!(
                "<text class=\"strong for-ever\" x=\"{x:.1}\" y=\"13\">for ever: the same every {every}</text>\n"
            ));
        }
        out.push_str(&format!(
            "<text class=\"axis\" x=\"{:.1}\" y=\"28\">after slot {}</text>\n",
            self.columns.end() + 12.0,
            self.scene.slots.1
        ));
    }

    /// What stands above the names of the replicas.
    pub(super) fn corner(out: &mut String) {
        out.push_str(&format!(
            "<text class=\"axis\" x=\"{:.0}\" y=\"28\" text-anchor=\"end\">slot</text>\n",
            LEFT - 10.0
        ));
    }

    /// The names of the replicas.
    pub(super) fn names(&self, out: &mut String) {
        for replica in ReplicaId::all(self.run.instance.replicas) {
            let fault = self.run.faulty.iter().find(|(id, _)| *id == replica);
            let fault = fault.map_or("honest", |(_, kind)| words::fault(*kind));
            let y = y(replica.0);
            out.push_str(&format!(
                "<g data-r=\"{replica}\"><text class=\"name\" x=\"14\" y=\"{:.1}\">replica {replica}</text>\
                 <text class=\"small\" x=\"14\" y=\"{:.1}\">{fault}</text></g>\n",
                y - 2.0,
                y + 14.0
            ));
        }
    }

    /// The numbers, the names and their corner once more, each as a picture of its own that stays
    /// in sight when the picture is scrolled.
    pub(super) fn overlays(&self) -> String {
        let (width, height) = self.size();
        let over = |class: &str, (wide, high): (f64, f64), drawn: &str| {
            format!(
                "<svg class=\"over {class}\" aria-hidden=\"true\" width=\"{wide:.0}\" height=\"{high:.0}\" \
                 font-family=\"DejaVu Sans, Verdana, sans-serif\"><g class=\"milp\">\
                 <rect class=\"page\" width=\"{wide:.0}\" height=\"{high:.0}\"/>\n{drawn}</g></svg>\n"
            )
        };
        let [mut axis, mut names, mut corner] = [(); 3].map(|()| String::new());
        axis += "<rect class=\"cursor\" x=\"0\" y=\"12\" width=\"0\" height=\"24\" visibility=\"hidden\"/>";
        self.axis(&mut axis);
        self.names(&mut names);
        Self::corner(&mut corner);
        over("axes", (width, 36.0), &axis)
            + &over("names", (LEFT - 4.0, height), &names)
            + &over("corner", (LEFT - 4.0, 36.0), &corner)
    }

    /// The bands of each lane and its line.
    pub(super) fn lanes(&self, out: &mut String) {
        let end = self.columns.end();
        for replica in ReplicaId::all(self.run.instance.replicas) {
            let y = y(replica.0);
            out.push_str(&format!("<g data-r=\"{replica}\">"));
            if self.run.is_byzantine(replica) {
                out.push_str(&format!(
                    "<rect class=\"byzantine\" x=\"{LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"44\" \
                     fill=\"url(#{}-hatch)\"/>\n",
                    y - 22.0,
                    end - LEFT,
                    self.prefix
                ));
            }
            for band in self.scene.bands.iter().filter(|it| it.replica == replica) {
                let (left, right) = self.columns.edges(band, &self.places);
                let Some(place) = band.place.filter(|_| right > left) else {
                    continue;
                };
                let tint = layout::tint(place);
                let (height, view) = place;
                out.push_str(&format!(
                    "<rect class=\"band tint{tint}\" data-v=\"{height}-{view}\" x=\"{left:.1}\" y=\"{:.1}\" \
                     width=\"{:.1}\" height=\"44\"/>\n",
                    y - 22.0,
                    right - left
                ));
            }
            out.push_str(&format!(
                "<path class=\"lane\" d=\"M{LEFT} {y:.1}H{end:.1}\"/></g>\n"
            ));
        }
    }

    /// A bar with a padlock from each commit on, to where its replica decides.
    pub(super) fn bars(&self, out: &mut String, labels: &Labels) {
        for Lock { mark, end, .. } in &labels.locks {
            let (x, y) = self.places[*mark];
            out.push_str(&format!(
                "<g class=\"lock\" {}><path class=\"bar\" d=\"M{x:.1} {:.1}H{end:.1}\"/></g>\n",
                self.data(*mark),
                y - 25.0
            ));
        }
    }

    /// The texts of bands and bars, above all lines.
    pub(super) fn names_of_bands(&self, out: &mut String, labels: &Labels) {
        for (band, label) in self.scene.bands.iter().zip(&labels.bands) {
            if let (Some((height, view)), Some(label)) = (band.place, label) {
                out.push_str(&format!(
                    "<g data-r=\"{}\" data-v=\"{height}-{view}\">{}</g>\n",
                    band.replica,
                    label.svg()
                ));
            }
        }
        for Lock { mark, label, .. } in &labels.locks {
            let (x, y) = self.places[*mark];
            out.push_str(&format!(
                "<g class=\"lock\" {}>{}{}</g>\n",
                self.data(*mark),
                shape::padlock(x, y - 26.0),
                label.as_ref().map(Label::svg).unwrap_or_default()
            ));
        }
    }

    /// What the boxes that hide things know a mark by.
    pub(super) fn data(&self, mark: usize) -> String {
        let mark = &self.scene.marks[mark];
        let kind = mark.event.message.as_ref();
        let kind = kind.map_or_else(String::new, |it| format!("data-k=\"{}\" ", class(it.kind)));
        let (height, view) = mark.place;
        let replica = mark.event.replica;
        format!("{kind}data-r=\"{replica}\" data-v=\"{height}-{view}\"")
    }

    /// What a replica has behind the last slot drawn, in lines.
    pub(super) fn end(&self, replica: ReplicaId) -> Vec<(&'static str, String)> {
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

    pub(super) fn ends(&self, out: &mut String) {
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
