//! Mutants: rules with a deliberate change.

use super::{Edit, Guard, Mutant, Rule, Rules};

impl Mutant {
    /// Whether it may change the guards of a rule.
    pub(super) fn reaches(&self, rule: &Rule) -> bool {
        self.only.is_empty() || self.only.contains(&rule.lines)
    }
}

impl Edit {
    fn of(&self, guards: &mut Vec<Guard>) {
        let by = |guard: Guard| match &self.by {
            _ if guard != self.guard => Some(guard),
            Some(by) => Some(by.clone()),
            None => None,
        };
        *guards = std::mem::take(guards).into_iter().filter_map(by).collect();
    }
}

impl Rules {
    /// The rules with the change of that name; `None` if there is none of that name.
    #[must_use]
    pub fn with(&self, name: &str) -> Option<Self> {
        let mutant = self.mutants.get(name)?;
        let mut rules = self.clone();
        rules.counts.extend(mutant.counts.clone());
        rules
            .rules
            .retain(|rule| !mutant.without.contains(&rule.lines));
        for rule in rules.rules.iter_mut().filter(|rule| mutant.reaches(rule)) {
            for edit in &mutant.edits {
                edit.of(&mut rule.when);
                edit.of(&mut rule.unless);
            }
        }
        Some(rules)
    }
}
