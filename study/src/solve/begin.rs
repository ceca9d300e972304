//! Where a search begins: at an earlier result, at what a smaller program gave, or nowhere.

use super::request::Request;
use crate::{Error, beside::Beside, clock::Clock, deepen, evidence, folder::Folder, start::Point};
use milp_model::Built;
use milp_solver::Progress;
use std::sync::atomic::AtomicBool;

/// The start of a search: values of columns, as far as they are known.
pub(super) fn begin(
    (request, built, beside, deepens): (&Request<'_>, &Built, Beside<'_>, bool),
    clock: &Clock<'_>,
    interrupt: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Option<Point>, Error> {
    if let Some(folder) = request.warm_start {
        return encoded(built, folder).map(Some);
    }
    let left = clock.settings(request.settings);
    // What was learned names slots, which another horizon would shift.
    if deepens && beside.is_nothing() && built.knows_slots() {
        deepen::start(request.instance, built, &left, interrupt, progress)
    } else {
        deepen::start_at_once(request.instance, built, &left, interrupt)
    }
}

/// The point of an earlier result: what its schedule says or, where the formulation takes none, what
/// its certificate says of the same program.
fn encoded(built: &Built, folder: &Folder) -> Result<Vec<Option<i64>>, Error> {
    let at = folder.dir.display();
    let refused = |why: String| {
        Error::Refused(format!(
            "the schedule in {at} is no start for this instance: {why}"
        ))
    };
    match built.encode(&folder.schedule, &folder.outcome.faulty) {
        Ok(point) => Ok(point),
        Err(why) => {
            let kept = evidence::kept(built, &folder.dir, &folder.outcome, &folder.schedule)?;
            let point = kept.ok_or_else(|| refused(why))?;
            Ok(point.into_iter().map(Some).collect())
        }
    }
}
