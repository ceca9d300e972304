//! Words that all that is shown has in common: the kinds of messages with what each does and how it
//! is drawn, and what else an instance decides about how a trace reads.

use milp_schema::{
    Instance, Kind, Message, Protocol, ReplicaId,
    protocol::{Guard, Head, KindId, Reads, Rule, Rules, Views},
    vocabulary::{By, Passed, Role, Safeguard, Shape, Words},
};

/// What a message of a kind does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Does {
    /// It relays a block that its sender decided.
    Publishes,
    /// The primary puts a block forward.
    Proposes,
    /// A backup accepts a proposal.
    Answers,
    /// It is a vote that binds nobody.
    Votes,
    /// It is a vote that binds its sender to the block.
    Binds,
    /// It asks to leave the view.
    Leaves,
    /// It asks for what was missed.
    Asks,
    /// It repeats what others sent.
    Repeats,
}

/// What a vote is counted with: how the count is called. What does not decide is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Votes {
    decides: bool,
    name: &'static str,
}

impl Votes {
    /// How the count is called.
    pub fn name(self) -> &'static str {
        self.name
    }
}

/// What a message of the kind is counted with, if it is a vote.
pub fn votes(kind: Kind) -> Option<Votes> {
    let name = kind.does().tally.as_deref()?;
    let decides = kind.does().is_final;
    Some(Votes { decides, name })
}

/// The votes that make a block final under the protocol, if its file says which do.
pub fn decisive(protocol: Protocol) -> Option<Votes> {
    let mut kinds = protocol.final_kinds().filter_map(votes);
    kinds.next()
}

/// The votes that bind, if there are such.
pub fn binding(protocol: Protocol) -> Option<Votes> {
    let mut kinds = protocol.kinds().filter(|kind| kind.does().binds);
    kinds.find_map(votes)
}

/// The votes of which a quorum lets a replica cast those that bind, or else decide: those that are
/// handled last before them. Where there are none, those that decide.
pub fn leading(protocol: Protocol) -> Option<Votes> {
    let last = binding(protocol).or_else(|| decisive(protocol));
    let votes = protocol.kinds().filter_map(votes);
    votes.take_while(|it| Some(*it) != last).last().or(last)
}

/// The votes of a protocol that are called so.
pub(crate) fn called(protocol: Protocol, name: &str) -> Option<Votes> {
    let mut votes = protocol.kinds().filter_map(votes);
    votes.find(|it| it.name == name)
}

/// How those votes are called together.
pub(crate) fn grounds(protocol: Protocol) -> &'static str {
    leading(protocol).map_or("votes", Votes::name)
}

/// The votes of these replicas together.
pub fn power<'a>(instance: &Instance, who: impl IntoIterator<Item = &'a ReplicaId>) -> u32 {
    let each = who.into_iter();
    each.map(|replica| instance.power_of(*replica)).sum()
}

/// How many votes make a quorum, and of how many where replicas have powers.
pub fn quorum(instance: &Instance) -> String {
    let quorum = instance.threshold();
    match &instance.power {
        None => quorum.to_string(),
        Some(_) => format!("{quorum} of {} votes", instance.votes()),
    }
}

/// A sentence of ours with what the protocol calls a view and its primary.
pub fn own(protocol: Protocol, text: &str) -> String {
    let Words { view, primary } = &protocol.words;
    called_so(text, [view, primary])
}

/// The text with these words for a view and its primary.
pub(crate) fn called_so(text: &str, [view, primary]: [&str; 2]) -> String {
    let names = [("view", view), ("primary", primary)];
    let names = names.into_iter().filter(|(ours, theirs)| ours != theirs);
    names.fold(text.to_owned(), |text, (ours, theirs)| {
        renamed(&text, ours, theirs)
    })
}

/// The text with a noun replaced, its plural and its capital letter kept.
fn renamed(text: &str, ours: &str, theirs: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    while let Some(at) = rest.find(in_word) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (word, after) = rest.split_at(rest.find(|c| !in_word(c)).unwrap_or(rest.len()));
        let lower = word.to_lowercase();
        let (first, tail) = theirs.split_at(theirs.chars().next().map_or(0, char::len_utf8));
        let begins = if lower == word {
            first.to_owned()
        } else {
            first.to_uppercase()
        };
        match lower.strip_prefix(ours) {
            Some("") => out.extend([&begins, tail]),
            Some("s") => out.extend([&begins, tail, "s"]),
            _ => out.push_str(word),
        }
        rest = after;
    }
    out + rest
}

/// Whose word is the weakest.
pub const INTERPRETER: &str = "the interpreter of the file";

/// Who followed a schedule, by the name of what was driven: how much its word weighs.
pub fn followers(engine: &str) -> &'static str {
    let base = engine.split(['[', '+', ':']).next().unwrap_or(engine);
    let page = base.strip_suffix("-paper").unwrap_or(base);
    if base.ends_with("-file") {
        INTERPRETER
    } else if Protocol::all().any(|protocol| protocol.name == page) {
        "replicas written from the page"
    } else {
        "the engine"
    }
}

/// The class of a kind in SVG and HTML; [`style`] has its dashes.
pub fn class(kind: Kind) -> String {
    format!("k-{}", kind.name().to_lowercase())
}

/// A colour of a kind and what it is called in style sheets.
pub(crate) struct Dye {
    pub(crate) name: String,
    pub(crate) colour: String,
}

/// The colours of a kind: of its lines, of text in its colour, and what fills its shape.
pub(crate) fn dyes(kind: Kind) -> [Dye; 3] {
    let (class, mark) = (class(kind), kind.mark());
    let text = mark.text.as_ref().unwrap_or(&mark.colour);
    let fill = mark.fill.as_ref().unwrap_or(&mark.colour);
    let dye = |part: &str, colour: &String| Dye {
        name: format!("{class}{part}"),
        colour: colour.clone(),
    };
    [
        dye("", &mark.colour),
        dye("-text", text),
        dye("-fill", fill),
    ]
}

/// The rules of a style sheet for what is drawn of these kinds; `dyes` has their colours.
pub fn style(kinds: impl IntoIterator<Item = Kind>) -> String {
    let rules = kinds.into_iter().map(|kind| {
        let (class, mark) = (class(kind), kind.mark());
        let dashes = mark.dash.iter().map(ToString::to_string);
        let dashes = dashes.collect::<Vec<_>>().join(" ");
        let dash = if dashes.is_empty() {
            dashes
        } else {
            format!(" stroke-dasharray: {dashes};")
        };
        let edge = mark.fill.as_ref().map_or_else(String::new, |_| {
            format!(" stroke: var(--{class}-text); stroke-width: 1;")
        });
        // The shapes with a hole.
        let hole = if matches!(mark.shape, Shape::Frame | Shape::Ring) {
            " fill-rule: evenodd;"
        } else {
            ""
        };
        format!(
            ".milp .{class} {{ color: var(--{class}); }} .milp .{class} .line {{ stroke: var(--{class});{dash} }} \
             .milp .{class} .head, .milp .{class} .dot, .milp .{class} .send {{ fill: var(--{class}-fill);{edge}{hole} }} \
             .milp .{class} .tag {{ fill: var(--{class}-text); }}\n"
        )
    });
    rules.collect()
}

/// The shape of a mark, as the path of an SVG around 0, 0.
pub fn path(shape: Shape) -> &'static str {
    match shape {
        Shape::Square => "M-5.5 -5.5H5.5V5.5H-5.5z",
        Shape::Circle => "M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0z",
        Shape::Diamond => "M0 -7.5L7 0L0 7.5L-7 0z",
        Shape::Triangle => "M0 -7L7 6H-7z",
        Shape::Frame => "M-6 -6H6V6H-6zM-3 -3V3H3V-3z",
        Shape::Ring => "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0zM-2 0A2 2 0 1 0 2 0A2 2 0 1 0 -2 0z",
        Shape::Hexagon => "M-6 -3L0 -7L6 -3V3L0 7L-6 3z",
    }
}

/// Whether the message binds its sender to a block.
pub fn binds(message: &Message) -> bool {
    does(&message.kind) == Does::Binds && message.block_id().is_some()
}

/// What a message of the kind does.
pub fn does(kind: &Kind) -> Does {
    let does = kind.does();
    match does.role {
        Role::Decision => Does::Publishes,
        Role::Proposal => Does::Proposes,
        Role::Vote if does.binds => Does::Binds,
        Role::Vote if does.by == By::Backup => Does::Answers,
        Role::Vote => Does::Votes,
        Role::Leave => Does::Leaves,
        Role::Question => Does::Asks,
        Role::Answer => Does::Repeats,
    }
}

/// The kind of a protocol that does this; of several, the first.
///
/// # Panics
///
/// If none does.
pub fn kind_that(protocol: Protocol, does: Does) -> Kind {
    let kind = protocol.kinds().find(|kind| self::does(kind) == does);
    kind.unwrap_or_else(|| panic!("protocol `{protocol}` has no kind that {does:?}"))
}

/// Whether a vote that binds does so beyond its view.
pub fn locks(instance: &Instance) -> bool {
    if let Some(rules) = instance.rules() {
        let other_views = |guard: &Guard| guard.pattern.view != Views::Own;
        return !instance.protocol.has_binding_vote()
            || bonds(instance, &rules).any(|(_, guard)| other_views(guard));
    }
    let taken = instance.weakening().and_then(|mutant| mutant.takes);
    taken != Some(Safeguard::Lock)
}

/// Whether whoever is bound leaves its view no more.
pub fn stays(instance: &Instance) -> bool {
    let leaves = |rule: &Rule, rules: &Rules| match rule.head {
        Head::Enter => true,
        Head::Make { kind, .. } => {
            let kind = instance.protocol.kind(&rules.kind(kind).name);
            kind.is_some_and(|kind| kind.is(Role::Leave))
        }
        _ => false,
    };
    locks(instance)
        && instance.rules().is_none_or(|rules| {
            let bound = bonds(instance, &rules);
            bound.into_iter().any(|(rule, _)| leaves(rule, &rules))
        })
}

/// Every guard that reads an own vote that binds, with its rule.
fn bonds<'a>(instance: &Instance, rules: &'a Rules) -> impl Iterator<Item = (&'a Rule, &'a Guard)> {
    let protocol = instance.protocol;
    let binds = move |kind: &KindId| {
        let kind = protocol.kind(&rules.kind(*kind).name);
        kind.is_some_and(|kind| kind.does().binds)
    };
    let guards = |rule: &'a Rule| rule.guards().map(move |guard| (rule, guard));
    rules
        .rules
        .iter()
        .flat_map(guards)
        .filter(move |(_, guard)| {
            matches!(guard.reads, Reads::Own | Reads::LastOwn)
                && guard.pattern.kinds.iter().any(binds)
        })
}

/// Whether whoever enters a view forgets all requests to leave one.
pub(crate) fn forgets_requests(instance: &Instance) -> bool {
    let mut kinds = instance.protocol.kinds.iter();
    kinds.any(|words| words.does.forgotten)
}

/// Whether whoever asked to leave a view still answers a proposal of it.
pub(crate) fn answers_when_leaving(instance: &Instance) -> bool {
    let mut kinds = instance.protocol.kinds.iter();
    kinds.any(|words| words.does.role == Role::Proposal && words.does.leaving == Passed::Take)
}

/// That replicas have come to a state that no decision leads out of.
pub fn no_more(height: impl std::fmt::Display) -> String {
    format!("no block of height {height} can be decided any more")
}

/// The sentence with a capital letter.
pub fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// So many of something, in words.
pub fn count(number: i64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
