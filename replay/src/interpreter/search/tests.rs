use super::{
    local::{Local, Locals},
    step::Step,
    *,
};
use crate::engine::EngineError;
use milp_schema::Value;
use milp_schema::instance::Fault;

fn of(protocol: &str, replicas: u32, views: u32, byzantine: u32, mutant: Option<&str>) -> Instance {
    let mut instance = Instance::builder(protocol)
        .replicas(replicas)
        .views(views)
        .slots(9)
        .network(Network::Asynchronous)
        .build();
    if byzantine > 0 {
        let (kind, who) = (FaultKind::Byzantine, Who::Any(byzantine));
        instance.faults.push(Fault { kind, who });
    }
    instance.mutant = mutant.map(str::to_owned);
    instance
}

/// What two searches are compared in: of each honest replica its view, what it decided and said.
type Acts = BTreeSet<Vec<(View, Option<Value>, u128)>>;

/// One delivery or one firing.
fn single(locals: &mut Locals, local: &Local) -> Result<Vec<Step>, EngineError> {
    let mut steps = Vec::new();
    if local.decided.is_some() {
        return Ok(steps);
    }
    for post in 0..locals.world.posts.len() {
        let mut replica = local.replica.clone();
        if locals.world.posts[post].author != replica.me {
            replica.receive(&mut locals.world, post)?;
            steps.extend(locals.after(local, replica, &BTreeSet::from([post])));
        }
    }
    for timer in local.replica.timers.keys() {
        let mut replica = local.replica.clone();
        replica.fire(&mut locals.world, *timer)?;
        steps.extend(locals.after(local, replica, &BTreeSet::new()));
    }
    Ok(steps)
}

fn acts(instance: &Instance, byzantine: &[u32], by_deliveries: bool) -> (Acts, Searched) {
    let setup = Interpreter::of(instance).expect("a file").world.setup;
    let byzantine = byzantine.iter().map(|id| ReplicaId(*id)).collect();
    let mut space = Space::new(instance, &setup, byzantine).expect("a space");
    if by_deliveries {
        space.steps = single;
    }
    let mut found = Searched {
        complete: true,
        ..Searched::default()
    };
    let seen = space.explore(1_000_000, &mut found).expect("searched");
    // Views that are entered are no steps of their own where nobody asks for them.
    let shown = |view| {
        if instance.goal == Goal::Views {
            view
        } else {
            View(0)
        }
    };
    let mut acts = Acts::new();
    for packed in seen {
        let state = space.unpack(packed);
        for renaming in &space.renamings {
            let mut renamed: Vec<Local> = state
                .iter()
                .map(|it| renaming.local(&space.known[*it as usize]))
                .collect();
            renamed.sort_by_key(|local| local.replica.me);
            acts.insert(
                renamed
                    .into_iter()
                    .map(|it| (shown(it.replica.view), it.decided, it.said))
                    .collect(),
            );
        }
    }
    (acts, found)
}

#[test]
fn smallest_deliveries_reach_what_single_deliveries_reach() {
    for (protocol, replicas, views, mutant, byzantine) in [
        ("dbft1", 4, 1, None, &[][..]),
        ("dbft1", 3, 2, None, &[]),
        ("dbft1", 3, 2, Some("small-quorum"), &[]),
        ("dbft1", 4, 1, None, &[0]),
        ("dbft1", 4, 1, None, &[1]),
        ("dbft2", 4, 1, None, &[]),
        ("dbft2", 3, 2, None, &[]),
        ("dbft2", 3, 2, Some("no-commit-lock"), &[]),
        ("dbft2", 4, 1, None, &[1]),
        ("dbft2", 3, 1, Some("small-quorum"), &[0]),
        ("tendermint", 3, 1, None, &[]),
        ("tendermint", 4, 1, None, &[]),
        ("tendermint", 4, 1, None, &[1]),
        ("tendermint", 2, 2, None, &[]),
        ("tendermint", 2, 2, Some("no-lock"), &[]),
        ("ibft1", 4, 1, None, &[]),
        ("ibft1", 4, 1, None, &[1]),
        ("ibft1", 3, 1, None, &[]),
        ("ibft1", 2, 2, None, &[]),
        ("ibft1", 3, 2, Some("ceil-quorum"), &[]),
    ] {
        let goals = [Goal::Fork, Goal::Views].into_iter();
        for goal in goals.take(views as usize) {
            let instance = Instance {
                goal,
                ..of(protocol, replicas, views, 0, mutant)
            };
            let (some, fast) = acts(&instance, byzantine, false);
            let (all, slow) = acts(&instance, byzantine, true);
            let name = format!(
                "{protocol} {mutant:?}, {replicas} replicas, {views} views, {byzantine:?}, {goal:?}"
            );
            eprintln!("{name}: {} acts; {fast:?}; {slow:?}", some.len());
            assert_eq!(
                (fast.value, fast.complete),
                (slow.value, slow.complete),
                "{name}"
            );
            assert!(slow.complete && some == all, "{name}: {} acts", all.len());
        }
    }
}

/// Who echoes with two votes in hand sets off the rule above, which bars the one below: votes that
/// no act needs yet are handed over before the proposal.
#[test]
fn what_was_held_all_the_time_comes_first() {
    let text = include_str!("../../../tests/fixtures/order.yaml");
    let protocol = milp_schema::protocol::embedded(text).unwrap_or_else(|it| panic!("{it}"));
    let instance = Instance {
        protocol,
        ..of("dbft1", 3, 1, 0, None)
    };
    let (some, _) = acts(&instance, &[], false);
    let (all, slow) = acts(&instance, &[], true);
    eprintln!("{} and {} acts", some.len(), all.len());
    assert!(slow.complete && some == all);
}
