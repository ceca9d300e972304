//! What is the same in every state of a search: the messages there can be, and all ways to fill
//! the letters of the rules with what of them each needs.

use crate::interpreter::{
    Setup, World,
    guard::{self, Letters, Reader},
    replica::{Record, Replica},
};
use milp_schema::{
    Height, ReplicaId, Value, View,
    protocol::{
        Goes, Guard, Head, Justified, Justifies, KindId, Made, Mode, Pattern, Reads, Rule, Scope,
        ValueField, Values, Views,
    },
    vocabulary::Passed,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// So much voting power must stand behind some of these messages.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) power: u32,
    pub(super) posts: Vec<usize>,
}

/// A way to do a rule.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) rule: usize,
    pub(super) at: Letters,
    /// What it needs of anybody; what it needs of oneself is asked of a replica.
    pub(super) needs: Vec<Need>,
}

/// All messages and ways of one search.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) setup: Arc<Setup>,
    pub(super) views: u32,
    pub(super) byzantine: BTreeSet<ReplicaId>,
    /// The valid values.
    pub(super) values: Vec<Value>,
    /// What honest replicas can send, one bit each.
    pub(super) records: Vec<Record>,
    /// Where a message stands among those posted.
    pub(super) posts: BTreeMap<(ReplicaId, Record), usize>,
    pub(super) ways: Vec<Way>,
    /// The rules that read a message, with the views in which they do.
    pub(super) readers: Vec<BTreeSet<(usize, View)>>,
    /// Whether it can matter which of two rules is done first.
    pub(super) conflicts: Vec<Vec<bool>>,
}

impl Table {
    /// The table of a protocol, and a world in which every message is there already.
    pub(super) fn new(
        setup: &Arc<Setup>,
        [views, blocks]: [u32; 2],
        byzantine: BTreeSet<ReplicaId>,
    ) -> (Self, World) {
        let index = |view: View| {
            let chosen = byzantine.contains(&setup.primary(Height(0), view));
            0..if chosen { blocks } else { 1 }
        };
        let of = |view: View| index(view).map(move |index| Value::Block { view, index });
        let mut table = Self {
            setup: Arc::clone(setup),
            views,
            values: View::all(views).flat_map(of).collect(),
            byzantine,
            records: Vec::new(),
            posts: BTreeMap::new(),
            ways: Vec::new(),
            readers: Vec::new(),
            conflicts: Vec::new(),
        };
        let mut world = World {
            setup: Arc::clone(setup),
            posts: Vec::new(),
            effects: Vec::new(),
            started: Vec::new(),
        };
        let mut records = BTreeSet::new();
        for sender in ReplicaId::all(setup.replicas) {
            let said = if table.byzantine.contains(&sender) {
                table.anything(sender)
            } else {
                table.made(sender)
            };
            for record in said {
                let place = table.post(&mut world, sender, record);
                if world.posts[place].record.is_none() {
                    world.posts.pop();
                    continue;
                }
                table.posts.insert((sender, record), place);
                if !table.byzantine.contains(&sender) {
                    records.insert(record);
                }
            }
        }
        table.records = records.into_iter().collect();
        table.fill(&world);
        (table, world)
    }

    fn post(&self, world: &mut World, sender: ReplicaId, record: Record) -> usize {
        let kind = self.setup.kinds[record.kind.0].expect("a message has a kind with a name");
        world.post(sender, record.message(kind, Height(0)))
    }

    /// The values that a record of a view may name.
    fn named(&self, kind: KindId, view: View) -> Vec<Value> {
        let own = self.setup.rules.kind(kind).value == ValueField::Block;
        let fits = |value: &&Value| match value {
            Value::Block { view: of, .. } => *of == view || !own && *of < view,
            _ => false,
        };
        self.values.iter().filter(fits).copied().collect()
    }

    /// Whether records of the kind are messages that are no decisions.
    fn travels(&self, kind: KindId) -> bool {
        let kind = self.setup.rules.kind(kind);
        kind.goes == Goes::Sent && !kind.is_final
    }

    /// What a Byzantine replica can send.
    fn anything(&self, sender: ReplicaId) -> BTreeSet<Record> {
        let mut all = BTreeSet::new();
        let kinds = (0..self.setup.rules.kinds.len()).map(KindId);
        for kind in kinds.filter(|kind| self.travels(*kind)) {
            let of = self.setup.rules.kind(kind);
            for view in View::all(self.views) {
                if !self.setup.may(sender, of.by, Height(0), view) {
                    continue;
                }
                let mut values: Vec<Option<Value>> = Vec::new();
                if of.value != ValueField::None {
                    values.extend(self.named(kind, view).into_iter().map(Some));
                }
                if of.value == ValueField::Any {
                    values.extend([Some(Value::Nil), Some(Value::Bad)]);
                }
                values.push(None);
                let earlier = View::all(view.0).filter(|_| of.justified).map(Some);
                for justification in earlier.chain([None]) {
                    let record = |value| Record {
                        kind,
                        view,
                        value,
                        justification,
                    };
                    all.extend(values.iter().copied().map(record));
                }
            }
        }
        all
    }

    /// What an honest replica can send, and more.
    fn made(&self, sender: ReplicaId) -> BTreeSet<Record> {
        let mut all = BTreeSet::new();
        for rule in &self.setup.rules.rules {
            let Head::Make {
                kind,
                value,
                justification,
            } = rule.head
            else {
                continue;
            };
            let by = self.setup.rules.kind(kind).by;
            let may = |view: &View| {
                let may = |who| self.setup.may(sender, who, Height(0), *view);
                self.travels(kind) && may(by) && may(rule.who)
            };
            for view in View::all(self.views).filter(may) {
                let values = match value {
                    Made::X if binds(rule).x => self.named(kind, view),
                    Made::X => vec![Value::Block { view, index: 0 }],
                    Made::Nil => vec![Value::Nil],
                    Made::None => Vec::new(),
                };
                let values = values
                    .into_iter()
                    .map(Some)
                    .chain((value == Made::None).then_some(None));
                let justified: Vec<Option<View>> = match justification {
                    Justifies::C | Justifies::D => View::all(view.0).map(Some).collect(),
                    Justifies::Back(back) => view
                        .0
                        .checked_sub(back)
                        .map(|of| Some(View(of)))
                        .into_iter()
                        .collect(),
                    Justifies::None => vec![None],
                };
                for value in values {
                    let record = |justification: &Option<View>| Record {
                        kind,
                        view,
                        value,
                        justification: *justification,
                    };
                    all.extend(justified.iter().map(record));
                }
            }
        }
        all
    }

    /// Ways, readers and conflicts.
    fn fill(&mut self, world: &World) {
        let setup = Arc::clone(&self.setup);
        let rules = &setup.rules.rules;
        for (place, rule) in rules.iter().enumerate() {
            // Who adopts a decision adds none.
            let adopts = |guard: &Guard| {
                guard
                    .pattern
                    .kinds
                    .iter()
                    .any(|kind| setup.rules.kind(*kind).is_final)
            };
            if !rule.guards().any(adopts) {
                let ways = self.letters(place).into_iter();
                let ways: Vec<Way> = ways.map(|at| self.way(world, place, rule, at)).collect();
                self.ways.extend(ways);
            }
        }
        self.readers = vec![BTreeSet::new(); world.posts.len()];
        for way in &self.ways {
            for post in way.needs.iter().flat_map(|need| &need.posts) {
                self.readers[*post].insert((way.rule, way.at.v));
            }
        }
        let row = |first: &Rule| {
            rules
                .iter()
                .map(|then| self.conflict(first, then))
                .collect()
        };
        self.conflicts = rules.iter().map(row).collect();
    }

    /// All ways to fill in the letters of a rule within the modelled views.
    fn letters(&self, place: usize) -> Vec<Letters> {
        let rule = &self.setup.rules.rules[place];
        let bound = binds(rule);
        let enters = matches!(rule.head, Head::Enter | Head::Skip);
        let earlier = |bound: bool, v: View| -> Vec<Option<View>> {
            if bound {
                View::all(v.0).rev().map(Some).collect()
            } else {
                vec![None]
            }
        };
        let xs: Vec<Option<Value>> = if bound.x {
            self.values.iter().copied().map(Some).collect()
        } else {
            vec![None]
        };
        let mut all = Vec::new();
        for v in View::all(self.views).filter(|v| !enters || v.0 > 0) {
            for x in &xs {
                for c in earlier(bound.c, v) {
                    for d in earlier(bound.d, v) {
                        let at = Letters { v, x: *x, c, d };
                        if rule.conditions.iter().all(|it| guard::allows(*it, &at)) {
                            all.push(at);
                        }
                    }
                }
            }
        }
        all
    }

    fn way(&self, world: &World, place: usize, rule: &Rule, at: Letters) -> Way {
        let replica = &Replica::new(ReplicaId(0));
        let reader = Reader { world, replica };
        let mut needs = Vec::new();
        for guard in &rule.when {
            let power = match &guard.reads {
                Reads::Own | Reads::LastOwn => continue,
                Reads::Primary => 1,
                Reads::Senders(number) => self.setup.needs(number),
            };
            let views = guard::views(&guard.pattern, &at);
            let each = guard.each.then(|| views.clone().map(|view| view..view + 1));
            let ranges = each.map_or_else(|| vec![views], Iterator::collect);
            for views in ranges {
                let reads = |(sender, record): &(ReplicaId, Record)| {
                    let primary = self.setup.primary(Height(0), record.view) == *sender;
                    guard.pattern.kinds.contains(&record.kind)
                        && views.contains(&record.view.0)
                        && (guard.reads != Reads::Primary || primary)
                        && reader.fits(&guard.pattern, record, &at)
                };
                let posts = self.posts.iter().filter(|(key, _)| reads(key));
                let posts = posts.map(|(_, post)| *post).collect();
                needs.push(Need { power, posts });
            }
        }
        Way {
            rule: place,
            at,
            needs,
        }
    }

    /// Whether the one rule done before the other may change what becomes of either.
    fn conflict(&self, first: &Rule, then: &Rule) -> bool {
        let leaves = |rule: &Rule| {
            let decides = rule
                .makes()
                .is_some_and(|kind| self.setup.rules.kind(kind).is_final);
            matches!(rule.head, Head::Enter | Head::Skip) || decides && !self.setup.rules.chain
        };
        let bars = |made: &Rule, rule: &Rule| {
            let reads = |guard: &Guard| {
                made.makes()
                    .is_some_and(|kind| guard.pattern.kinds.contains(&kind))
            };
            let last = |guard: &&Guard| guard.reads == Reads::LastOwn;
            rule.unless.iter().any(reads) || rule.when.iter().filter(last).any(reads)
        };
        let makes = first.makes().is_some() && first.makes() == then.makes();
        makes
            || bars(first, then)
            || bars(then, first)
            || leaves(then) && !is_of_timer(first)
            || leaves(first) && !is_of_timer(then)
    }

    /// A rule of the protocol.
    pub(super) fn rule(&self, place: usize) -> &Rule {
        &self.setup.rules.rules[place]
    }

    /// Whether a rule may still be done in that view by a replica, whatever it is handed.
    pub(super) fn is_open(&self, world: &World, replica: &Replica, place: usize, v: View) -> bool {
        let rule = self.rule(place);
        let later = v > replica.view;
        let reached = match rule.head {
            Head::Enter | Head::Skip => later,
            _ => v == replica.view || later || rule.scope == Scope::Height,
        };
        let armed = later && is_of_timer(rule);
        let may = || self.setup.may(replica.me, rule.who, Height(0), v);
        let open = || {
            if armed {
                may()
            } else {
                replica.is_open(world, place, rule, v)
            }
        };
        let at = Letters {
            v,
            x: None,
            c: None,
            d: None,
        };
        let reader = Reader { world, replica };
        let barred = |guard: &Guard| plain(guard) && reader.holds(guard, &at, &[]);
        reached && open() && !rule.unless.iter().any(barred)
    }

    /// Whether a timer of the replica's view can still do anything there.
    pub(super) fn is_of_use(&self, world: &World, replica: &Replica, mode: Mode) -> bool {
        let rules = self.setup.rules.rules.iter().enumerate();
        let mut of_timer = rules.filter(|(_, rule)| rule.mode == mode);
        of_timer.any(|(place, rule)| {
            let enters = matches!(rule.head, Head::Enter | Head::Skip);
            let v = if enters {
                replica.view.next()
            } else {
                replica.view
            };
            v.0 < self.views && self.is_open(world, replica, place, v)
        })
    }

    /// Whether a copy that is ignored because its view has passed could have been read later.
    pub(super) fn reads_ignored(setup: &Setup) -> bool {
        let ignored = |pattern: &Pattern| {
            let mut kinds = pattern.kinds.iter().map(|kind| setup.rules.kind(*kind));
            kinds.any(|kind| kind.goes == Goes::Sent && kind.passed == Passed::Ignore)
        };
        let late = |rule: &Rule, view: Views| match view {
            Views::Own => rule.scope == Scope::Height,
            Views::Back(back) | Views::From(back) => {
                back > u32::from(matches!(rule.head, Head::Enter | Head::Skip))
            }
            _ => true,
        };
        setup.rules.rules.iter().any(|rule| {
            let others = rule
                .guards()
                .filter(|guard| !matches!(guard.reads, Reads::Own | Reads::LastOwn));
            let mut patterns = others.map(|guard| &guard.pattern);
            patterns.any(|pattern| ignored(pattern) && late(rule, pattern.view))
        })
    }
}

/// Whether a rule does nothing but start or stop a timer.
pub(super) fn is_of_timer(rule: &Rule) -> bool {
    matches!(rule.head, Head::Arm { .. } | Head::Stop { .. })
}

/// Whether an own guard has no letter but `v`: once it holds it holds for ever.
fn plain(guard: &Guard) -> bool {
    let Pattern {
        view,
        value,
        justification,
        ..
    } = &guard.pattern;
    guard.reads == Reads::Own
        && !matches!(value, Values::X | Values::Other)
        && !matches!(view, Views::C | Views::AfterC | Views::FromC)
        && matches!(
            justification,
            Justified::Some | Justified::None | Justified::Any | Justified::Back(_)
        )
}

/// Which letters the guards of a rule fill in.
struct Binds {
    x: bool,
    c: bool,
    d: bool,
}

fn binds(rule: &Rule) -> Binds {
    let some = |binds: fn(&Pattern) -> bool| rule.when.iter().any(|guard| binds(&guard.pattern));
    Binds {
        x: some(|it| it.value == Values::X),
        c: some(|it| it.view == Views::C || it.justification == Justified::C),
        d: some(|it| it.justification == Justified::D),
    }
}
