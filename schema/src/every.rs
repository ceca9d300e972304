//! A question about every number of replicas.

use crate::{formula::Count, instance::Instance, limits};

/// n that stands for all: large enough that no two formulas of a protocol file agree by chance.
pub(crate) const NOMINAL: u32 = 50;

/// The number of views that stands for any.
pub(crate) const NOMINAL_VIEWS: u32 = 4;

/// How many views are looked at one n, where any number is asked for.
const FEW_VIEWS: u32 = 2;

/// A question for every n ≥ `at_least` and every f < n/3: `replicas: any`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    /// The question for one n, which has no meaning but to say all else.
    pub instance: Instance,
    /// The smallest n that is asked for.
    pub at_least: u32,
    /// Whether the number of views is not limited.
    pub any_views: bool,
    /// How many replicas may be Byzantine, a formula of f.
    pub byzantine: Count,
}

impl Every {
    /// The same question for a few views, where any number is asked for.
    #[must_use]
    pub fn in_few_views(&self) -> Self {
        let mut few = self.clone();
        if self.any_views {
            (few.any_views, few.instance.views) = (false, FEW_VIEWS);
        }
        few
    }

    /// The same question for one n, with f = ⌊(n − 1) / 3⌋; none where no instance has so many
    /// replicas or so many of them are Byzantine.
    pub fn of(&self, n: u32) -> Option<Instance> {
        let mut instance = self.instance.clone();
        instance.replicas = n;
        if self.any_views {
            instance.views = FEW_VIEWS;
        }
        let count = self.byzantine.of(n, instance.f());
        for fault in &mut instance.faults {
            fault.who = crate::instance::Who::Any(count);
        }
        (limits::REPLICAS.contains(&n) && count <= n).then_some(instance)
    }
}
