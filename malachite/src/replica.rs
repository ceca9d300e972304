//! The paper's rules: malachite's driver, with what an embedder does around it.
//!
//! The embedder is as `core-consensus` is: own messages are applied before anything else happens, and
//! a round is entered as soon as the driver says so.

use crate::{
    Defect,
    core::{Broken, Core, Shell, height, words},
    types::{Address, Proposed, Rotation, Vote},
    world::{Told, World},
};
use arc_malachitebft_core_driver::{Driver, Input, Output, ThresholdParams};
use arc_malachitebft_core_types::{
    NilOrVal, Round, Threshold, ThresholdParam, Timeout, ValidatorSet, VoteType,
};
use milp_schema::{Message, ReplicaId, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An honest replica.
pub(crate) struct Replica {
    shell: Shell,
    defect: Option<Defect>,
    driver: Driver<Rotation>,
}

impl Core for Replica {
    const NAME: &'static str = "malachite-driver";

    fn new(id: ReplicaId, defect: Option<Defect>, world: &World) -> Self {
        let shell = Shell::new(id);
        Self {
            driver: driver(&shell, defect, world),
            shell,
            defect,
        }
    }

    fn shell(&self) -> &Shell {
        &self.shell
    }

    fn shell_mut(&mut self) -> &mut Shell {
        &mut self.shell
    }

    fn driver(&self) -> &Driver<Rotation> {
        &self.driver
    }

    fn begin(&mut self, world: &mut World, anew: bool) -> Result<(), Broken> {
        if anew {
            self.driver = driver(&self.shell, self.defect, world);
        } else {
            let validators = world.validators.clone();
            self.driver.move_to_height(height(&self.shell), validators);
        }
        self.enter(world, Round::ZERO)
    }

    fn take(&mut self, world: &mut World, told: Told) -> Result<(), Broken> {
        let input = match told {
            Told::Proposal(proposal, validity) => Input::Proposal(proposal, validity),
            Told::Vote(vote) => Input::Vote(vote),
            // Nobody makes any here.
            Told::Polka(_) | Told::Round(_) => return Ok(()),
        };
        self.input(world, input)
    }

    fn elapse(&mut self, world: &mut World, timeout: Timeout) -> Result<(), Broken> {
        self.input(world, Input::TimeoutElapsed(timeout))
    }

    fn propose(&mut self, world: &mut World, round: Round, value: Proposed) -> Result<(), Broken> {
        self.input(world, Input::ProposeValue(round, value))
    }
}

impl Replica {
    fn input(&mut self, world: &mut World, input: Input<Rotation>) -> Result<(), Broken> {
        let driver = &mut self.driver;
        let processed = catch_unwind(AssertUnwindSafe(|| driver.process(input)));
        let outputs = processed
            .map_err(|panic| words(panic.as_ref()))?
            .map_err(|error| error.to_string())?;
        for output in outputs {
            self.output(world, output)?;
        }
        Ok(())
    }

    fn output(&mut self, world: &mut World, output: Output<Rotation>) -> Result<(), Broken> {
        match output {
            Output::NewRound(_, round) => self.enter(world, round)?,
            Output::Propose(proposal) => {
                let message = world.of_proposal(&proposal);
                self.say(world, message)?;
            }
            Output::Vote(vote) => {
                let vote = self.weakened(world, vote);
                let message = world.of_vote(&vote);
                self.say(world, message)?;
            }
            Output::Decide(_, proposal) => self.shell.decided = Some(proposal.value.0),
            Output::ScheduleTimeout(timeout) => self.shell.schedule(world, timeout),
            Output::GetValue(_, round, _) => self.shell.wants = Some(round),
        }
        Ok(())
    }

    fn enter(&mut self, world: &mut World, round: Round) -> Result<(), Broken> {
        self.shell.entered(world, round);
        let height = height(&self.shell);
        let proposer = world.proposer(height, round);
        self.input(world, Input::NewRound(height, round, proposer))
    }

    /// It sends a message, and takes it itself.
    fn say(&mut self, world: &mut World, message: Message) -> Result<(), Broken> {
        world.send(self.shell.id, message.clone());
        let told = world.told(self.shell.id, &message);
        told.map_or(Ok(()), |told| self.take(world, told))
    }

    /// The vote as a replica with that defect makes it.
    fn weakened(&self, world: &World, vote: Vote) -> Vote {
        let forgets = self.defect == Some(Defect::ForgetsLock);
        let nil = vote.kind == VoteType::Prevote && vote.value == NilOrVal::Nil;
        if !forgets || !nil {
            return vote;
        }
        let proposals = self.driver.proposals_and_validities_for_round(vote.round);
        let polka = |round: Round, value: Value| {
            let votes = self.driver.votes();
            round.is_nil()
                || votes.is_threshold_met(&round, VoteType::Prevote, Threshold::Value(value))
        };
        let fits = proposals.iter().find(|(it, validity)| {
            validity.is_valid()
                && it.by == world.proposer(it.height, it.round)
                && polka(it.pol_round, it.value.0)
        });
        let value = fits.map_or(vote.value, |(it, _)| NilOrVal::Val(it.value.0));
        Vote { value, ..vote }
    }
}

fn driver(shell: &Shell, defect: Option<Defect>, world: &World) -> Driver<Rotation> {
    let validators = world.validators.clone();
    let (total, sound) = (validators.total_voting_power(), ThresholdParams::default());
    // A quorum is more than numerator / denominator of all power.
    let least = sound.quorum.min_expected(total);
    let quorum = match defect {
        Some(Defect::SmallQuorum) => ThresholdParam::new(least.saturating_sub(2), total),
        _ => sound.quorum,
    };
    let (address, thresholds) = (Address(shell.id), ThresholdParams { quorum, ..sound });
    Driver::new(
        world.rotation,
        height(shell),
        validators,
        address,
        thresholds,
    )
}
