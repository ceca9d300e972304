//! Counts the states of the TLA+ base model and looks for stuck ones.
//!
//! `cargo run -p milp-replay --example tla_states -- PROTOCOL MAXVIEW [crash|byzantine REPLICA]`,
//! four replicas, `PROTOCOL` being `dbft2-tla` or `dbft2-tla-per-view`.

#![expect(clippy::print_stdout, reason = "what it is for")]

use milp_replay::tla;
use milp_schema::{
    Instance, ReplicaId, Schedule,
    instance::{FaultKind, Goal, Network},
    schedule::{Choice, Event},
};
use std::error::Error;

const USAGE: &str =
    "usage: tla_states dbft2-tla|dbft2-tla-per-view MAXVIEW [crash|byzantine REPLICA]";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (protocol, max_view, faulty) = match arguments[..] {
        [protocol, max_view] => (protocol, max_view, Vec::new()),
        [protocol, max_view, kind, replica] => {
            let kind = match kind {
                "crash" => FaultKind::Crash,
                "byzantine" => FaultKind::Byzantine,
                _ => return Err(USAGE.into()),
            };
            (
                protocol,
                max_view,
                vec![(ReplicaId(replica.parse()?), kind)],
            )
        }
        _ => return Err(USAGE.into()),
    };
    let instance = Instance::builder(protocol)
        .views(max_view.parse::<u32>()? + 1)
        .slots(1)
        .network(Network::Asynchronous)
        .goal(Goal::Stall)
        .build();
    let found = tla::explore(&instance, &faulty)?;
    println!("states          {}", found.states);
    println!("generated       {}", found.generated);
    println!("stuck           {}", found.stuck);
    println!("stuck, accepted {}", found.stuck_accepted);
    println!("out of views    {}", found.out_of_views);
    println!("decided         {}", found.decided);
    println!("forks           {}", found.forks);
    if let Some(way) = found.shortest {
        println!("a shortest way into a stuck state:");
        for slot in 1..=way.slots {
            say(&way.schedule, slot);
        }
    }
    Ok(())
}

/// What happens in a slot.
fn say(schedule: &Schedule, slot: u32) {
    for choice in schedule.choices.iter().filter(|it| it.slot().0 == slot) {
        let replica = choice.replica();
        match choice {
            Choice::Inject { copy } => println!("{slot:3} {replica} injects {}", copy.message),
            _ => println!("{slot:3} {replica} dies"),
        }
    }
    for act in schedule.predictions.iter().filter(|it| it.slot.0 == slot) {
        let replica = act.replica;
        match &act.event {
            Event::Send(message) => println!("{slot:3} {replica} sends {message}"),
            Event::EnterView { view, .. } => println!("{slot:3} {replica} enters v{view}"),
            Event::Decide(block) => println!("{slot:3} {replica} accepts {block}"),
        }
    }
}
