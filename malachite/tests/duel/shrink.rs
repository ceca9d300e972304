//! Fewer acts that still show a difference.

use super::{Act, Difference, Make, Pair};

/// Whether the acts show a difference, and the acts up to it.
fn shows(found: &Difference, acts: &[Act], make: Make) -> Option<(usize, String)> {
    let mut pair = match Pair::new(&found.setting, make, found.except) {
        Ok(pair) => pair,
        Err(what) => return Some((0, what)),
    };
    let mut acts = acts.iter().enumerate();
    acts.find_map(|(place, act)| Some((place + 1, pair.step(act).err()?)))
}

/// Takes acts out for as long as a difference remains.
pub(crate) fn shorter(mut found: Difference, make: Make) -> Difference {
    let mut chunk = found.acts.len().max(1);
    loop {
        let mut place = 0;
        let mut changed = false;
        while place < found.acts.len() {
            let mut acts = found.acts.clone();
            acts.drain(place..(place + chunk).min(acts.len()));
            match shows(&found, &acts, make) {
                Some((length, what)) => {
                    acts.truncate(length);
                    (found.acts, found.what, changed) = (acts, what, true);
                }
                None => place += chunk,
            }
        }
        if chunk == 1 && !changed {
            return found;
        }
        chunk = (chunk / 2).max(1);
    }
}
