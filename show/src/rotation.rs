//! Who is primary, for what shows a run; replicas ask their own rules.

use milp_schema::{Height, Instance, ReplicaId, View};

/// The primary of view v at height h under the instance's rule set, as its page has it: (h + v)
/// mod n, of the production engine (h − v) mod n, of the TLA+ model v mod n.
pub fn primary(instance: &Instance, height: Height, view: View) -> ReplicaId {
    let n = instance.replicas;
    let (h, v) = (height.0 % n, view.0 % n);
    ReplicaId(match instance.rules.as_str() {
        "nspcc" => (h + n - v) % n,
        rules if milp_schema::covers::is_formal_model(rules) => v,
        _ => (h + v) % n,
    })
}
