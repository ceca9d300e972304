//! From rules to acts.

use super::{
    form::{Act, Ground, Letters, MOST_ACTS, Need, Own, Proof, Quorum, Record, Setting, Values},
    order::{self, adopts, reads_here, starts},
    pattern::{Reading, letters_of, proposes},
};
use crate::error::Error;
use milp_schema::{
    formula::Count,
    protocol::{Guard, Head, Mode, Reads, Rule, Scope, ValueField, Views},
    vocabulary::By,
};
use std::collections::{BTreeMap, BTreeSet};

impl Ground {
    /// The rules in a setting.
    ///
    /// # Errors
    /// [`Error::TooLarge`] before anything is made; [`Error::Unsupported`] names kinds that no
    /// order of a view orders.
    pub fn new(setting: Setting, formulation: &'static str) -> Result<Self, Error> {
        refuse_size(&setting)?;
        if setting.follows {
            let ranks = (0..setting.rules.kinds.len()).collect();
            return Ok(ground(setting, ranks));
        }
        refuse(&setting, formulation)?;
        let ranks = order::ranks(&setting.rules, formulation)?;
        let ground = ground(setting, ranks);
        order::refuse_late(&ground, formulation)?;
        Ok(ground)
    }
}

/// Refuses what would have too many acts, before any is made.
fn refuse_size(setting: &Setting) -> Result<(), Error> {
    let n = u64::from(setting.replicas());
    let (views, values) = (u64::from(setting.views), u64::from(setting.valid()));
    let mut least = 0_u64;
    for rule in acting(setting) {
        let (has_x, has_c, has_d) = letters_of(rule);
        let x = if has_x && !proposes(rule) { values } else { 1 };
        let earlier = u32::from(has_c) + u32::from(has_d);
        let ways: u64 = (0..views).map(|v| v.saturating_pow(earlier)).sum();
        let who = if rule.who == By::Primary { 1 } else { n };
        least = least.saturating_add(x.saturating_mul(ways).saturating_mul(who));
    }
    if least <= MOST_ACTS {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: "acts",
        least,
        most: MOST_ACTS,
        lower: format!("`views` ({views}) or `replicas` ({n})"),
    })
}

/// The rules that are acts: those that make records or lead into the next view. Who takes over a
/// decision changes nothing that anybody reads, and who skips a view could have walked through it
/// on what led the first replica there.
fn acting(setting: &Setting) -> impl Iterator<Item = &Rule> {
    let rules = &setting.rules;
    let follows = setting.follows;
    let acts = move |rule: &&Rule| match rule.head {
        Head::Make { .. } => follows || !adopts(rules, rule),
        Head::Enter => true,
        Head::Skip | Head::Arm { .. } | Head::Stop { .. } => follows,
    };
    rules.rules.iter().filter(acts)
}

/// Refuses, by name, what acts in this form do not say exactly.
fn refuse(setting: &Setting, formulation: &'static str) -> Result<(), Error> {
    let rules = &setting.rules;
    let refuse = |rule: &Rule, what: &str, hint: &str| {
        Err(Error::Unsupported {
            formulation,
            construct: format!("{what} (rule `{}`)", rules.text(rule)),
            hint: hint.into(),
        })
    };
    let blocks = rules.kinds.iter().any(|it| it.value == ValueField::Block);
    if blocks && matches!(setting.values, Values::Abstract { .. }) {
        let rule = &rules.rules[0];
        let what = "kinds that name blocks of their own view beside kinds that name any";
        return refuse(rule, what, "let all of them say `names: any_value`");
    }
    for rule in &rules.rules {
        if rule.mode == Mode::May {
            return refuse(
                rule,
                "`may`, which copies do not tell",
                "let it be a `timer`",
            );
        }
        // Who skips comes on what led the first one there, which a role may have kept to itself.
        let leads = |it: &Rule| match it.head {
            Head::Skip => true,
            Head::Enter => it.when.iter().any(reads_later),
            _ => false,
        };
        let here = rule.head == Head::Enter && rule.when.iter().any(reads_here);
        if here && rules.rules.iter().any(leads) {
            let what = "a view that is entered by its own records, beside views that are skipped";
            return refuse(rule, what, "let all of them be entered by records of `v-1`");
        }
    }
    Ok(())
}

/// Whether a guard of an entry reads later views than the one before.
fn reads_later(guard: &Guard) -> bool {
    matches!(guard.pattern.view, Views::From(_) | Views::Any)
}

/// Quorums that were asked for so far.
#[derive(Default)]
struct Asked {
    quorums: Vec<Quorum>,
    at: BTreeMap<(u32, Vec<Record>), usize>,
}

impl Asked {
    fn number(&mut self, setting: &Setting, count: Count, records: Vec<Record>) -> usize {
        let at_least = count.of(setting.total(), setting.f);
        let next = self.quorums.len();
        let number = *self.at.entry((at_least, records.clone())).or_insert(next);
        if number == next {
            self.quorums.push(Quorum {
                count,
                at_least,
                records,
            });
        }
        number
    }
}

/// What a rule asks for: the needs, the bars and who can.
#[derive(Clone, Default)]
struct Asks {
    needs: Vec<Need>,
    proofs: Vec<Proof>,
    bars: Vec<Own>,
    who: Vec<(By, u32)>,
}

fn ground(setting: Setting, ranks: Vec<usize>) -> Ground {
    let mut asked = Asked::default();
    let (mut acts, mut entries, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for (number, rule) in setting.rules.rules.iter().enumerate() {
        if !acting(&setting).any(|it| std::ptr::eq(it, rule)) {
            continue;
        }
        let (views, list) = match rule.head {
            Head::Enter | Head::Skip => (1..setting.views + 1, &mut entries),
            Head::Make { .. } => (0..setting.views, &mut acts),
            Head::Arm { .. } | Head::Stop { .. } => (0..setting.views, &mut starts),
        };
        for letters in views.flat_map(|v| setting.bindings(rule, v)) {
            let makes = match rule.head {
                Head::Make {
                    kind,
                    value,
                    justification,
                } => match setting.made((kind, value, justification), &letters) {
                    None => continue,
                    made => made,
                },
                _ => None,
            };
            for asks in alternatives(&setting, &mut asked, rule, &letters) {
                let act = Act {
                    rule: number,
                    letters,
                    makes,
                    who: asks.who,
                    mode: rule.mode,
                    scope: rule.scope,
                    needs: asks.needs,
                    proofs: asks.proofs,
                    bars: asks.bars,
                };
                list.push(act);
            }
        }
    }
    let mut ground = Ground {
        setting,
        ranks,
        acts,
        entries,
        starts,
        quorums: asked.quorums,
    };
    let levels: Vec<_> = ground.acts.iter().map(|act| ground.level(act)).collect();
    let mut sorted: Vec<_> = levels
        .into_iter()
        .zip(std::mem::take(&mut ground.acts))
        .collect();
    sorted.sort_by_key(|(level, act)| (*level, act.rule, act.letters));
    ground.acts = sorted.into_iter().map(|(_, act)| act).collect();
    drop_impossible(&mut ground);
    ground
}

/// What a rule asks for under some letters: once, or once for every way to start its timer.
fn alternatives(setting: &Setting, asked: &mut Asked, rule: &Rule, letters: &Letters) -> Vec<Asks> {
    let Some(own) = asks(setting, asked, rule, letters, None) else {
        return Vec::new();
    };
    let Mode::Timer(timer) = rule.mode else {
        return vec![own];
    };
    // Who follows an execution knows which timers run.
    if setting.follows {
        return vec![own];
    }
    // Who enters a view does so on a timer of the view before.
    let view = letters.v - u32::from(rule.head == Head::Enter);
    let mut ways: Vec<Asks> = Vec::new();
    // What only its own record starts comes too late for it.
    let made = rule.makes();
    let itself = |need: &Need| match need {
        Need::Own(own) => {
            let mut records = own.matching().iter();
            made.is_some() && records.all(|it| Some(it.kind) == made && it.view == view)
        }
        _ => false,
    };
    for start in starts(&setting.rules, timer) {
        for letters in setting.bindings(start, view) {
            let way = asks(setting, asked, start, &letters, Some(view));
            ways.extend(way.filter(|way| !way.needs.iter().any(itself)));
        }
    }
    // Who reads nothing carries nothing either.
    let free = |way: &Asks| way.needs.is_empty() && way.bars.is_empty();
    let covers = |way: &Asks, other: &Asks| {
        let mut roles = way.who.iter();
        free(way)
            && roles.all(|it| it.0 == By::Any || other.who.contains(it) || own.who.contains(it))
    };
    let kept = (0..ways.len()).filter(|&at| {
        let earlier = ways[..at].iter().any(|it| covers(it, &ways[at]));
        let later = ways[at + 1..].iter();
        !earlier && (free(&ways[at]) || !later.clone().any(|it| covers(it, &ways[at])))
    });
    let kept: Vec<Asks> = kept.map(|at| ways[at].clone()).collect();
    let both = |way: Asks| {
        let mut all = own.clone();
        all.who.extend(way.who);
        for need in way.needs {
            if !all.needs.contains(&need) {
                all.needs.push(need);
            }
        }
        all.proofs.extend(way.proofs);
        all.bars.extend(way.bars);
        all
    };
    kept.into_iter().map(both).collect()
}

/// What the guards of a rule ask for; nothing where that can never be. Of what starts a timer only
/// bars of views before `before` hold until it fires.
fn asks(
    setting: &Setting,
    asked: &mut Asked,
    rule: &Rule,
    letters: &Letters,
    before: Option<u32>,
) -> Option<Asks> {
    let mut asks = Asks::default();
    if rule.who != By::Any {
        asks.who.push((rule.who, letters.v));
    }
    if rule.head == Head::Enter && order::follows_primary(&setting.rules, rule) {
        asks.who.push((By::Backup, letters.v));
    }
    let mut with = None;
    for guard in rule.when.iter().filter(|guard| !guard.proof) {
        let before = asks.needs.len();
        needs(setting, asked, guard, letters, &mut asks.needs);
        if with.is_none() && order::is_message(guard) {
            with = asks.needs.get(before).cloned();
        }
    }
    for guard in rule.when.iter().filter(|guard| guard.proof) {
        let mut carried = Vec::new();
        needs(setting, asked, guard, letters, &mut carried);
        // A loader refuses what travels with nothing.
        let proof = |of| with.clone().map(|with| Proof { of, with });
        asks.proofs.extend(carried.into_iter().filter_map(proof));
    }
    let never = |need: &Need| match need {
        Need::Own(own) => own.matching().is_empty(),
        Need::Primary(records) => records.is_empty(),
        Need::Quorum(number) => {
            let quorum = &asked.quorums[*number];
            let might = |i: &u32| quorum.records.iter().any(|it| setting.may_make(it, *i));
            let power = |i: u32| setting.power[i as usize];
            let most: u32 = (0..setting.replicas()).filter(might).map(power).sum();
            most < quorum.at_least
        }
    };
    let carried = asks.proofs.iter().map(|it| &it.of);
    if asks.needs.iter().chain(carried).any(never) {
        return None;
    }
    for guard in &rule.unless {
        let bars = match guard.reads {
            Reads::LastOwn => vec![setting.last_own(guard, letters, Reading::Certain)],
            _ => setting.own(guard, letters, Reading::Certain),
        };
        asks.bars.extend(bars);
    }
    if let Some(view) = before {
        let passed = |own: &Own| own.matching().iter().all(|it| it.view < view);
        asks.bars.retain(passed);
    }
    asks.bars.retain(|own| !own.matching().is_empty());
    Some(asks)
}

fn needs(
    setting: &Setting,
    asked: &mut Asked,
    guard: &Guard,
    letters: &Letters,
    needs: &mut Vec<Need>,
) {
    let Reads::Senders(number) = &guard.reads else {
        let own = |own: Vec<Own>| own.into_iter().map(Need::Own).collect();
        let more: Vec<Need> = match guard.reads {
            Reads::Own => own(setting.own(guard, letters, Reading::Possible)),
            Reads::LastOwn => own(vec![setting.last_own(guard, letters, Reading::Possible)]),
            _ => setting
                .parts(guard, letters)
                .iter()
                .map(|views| setting.records(&guard.pattern, letters, views, Reading::Possible))
                .map(Need::Primary)
                .collect(),
        };
        needs.extend(more);
        return;
    };
    let count = setting.rules.count(number);
    for views in setting.parts(guard, letters) {
        let records = setting.records(&guard.pattern, letters, &views, Reading::Possible);
        let need = Need::Quorum(asked.number(setting, count, records));
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
}

/// Takes away what needs an own record that nobody makes, until nothing is left to take.
fn drop_impossible(ground: &mut Ground) {
    loop {
        let made: BTreeSet<Record> = ground.acts.iter().filter_map(|act| act.makes).collect();
        let can = |act: &Act| {
            act.needs.iter().all(|need| match need {
                Need::Own(own) => own.matching().iter().any(|it| made.contains(it)),
                Need::Primary(_) | Need::Quorum(_) => true,
            })
        };
        let before = ground.acts.len();
        ground.acts.retain(can);
        ground.entries.retain(can);
        if ground.acts.len() == before {
            break;
        }
    }
    let height = |act: &Act| act.scope == Scope::Height;
    debug_assert!(
        !ground.entries.iter().any(height),
        "who enters a view is in one"
    );
}
