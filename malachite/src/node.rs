//! The production engine: malachite's `core-consensus`, with its remedies.
//!
//! Certificates that it publishes are what the stage calls recovery (E17): they are held until the heal
//! phase, and no prediction names them. That it says its last votes again after a while is what the
//! heal phase does for everybody, so this timer is not kept; neither are proposals passed on.

use crate::{
    Defect,
    core::{Broken, Core, Shell, height, pairs, words},
    types::{Address, Proposed, Rotation},
    world::{Certificate, Told, World},
};
use arc_malachitebft_core_consensus::{
    ConsensusMsg, Effect, Error, Input, LivenessMsg, LocallyProposedValue, Params, ProposedValue,
    Resumable, Resume, SignedConsensusMsg, State, process,
};
use arc_malachitebft_core_driver::{Driver, ThresholdParams};
use arc_malachitebft_core_types::{
    CertificateError, Round, SignedProposal, SignedVote, Timeout, ValueOrigin, ValuePayload,
    VoteExtensionPolicy,
};
use milp_schema::ReplicaId;
use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Inputs of later heights that are kept; the stage holds those back itself.
const QUEUE: usize = 16;

/// An honest replica.
pub(crate) struct Node {
    shell: Shell,
    state: State<Rotation>,
}

impl Core for Node {
    const NAME: &'static str = "malachite";

    fn new(id: ReplicaId, _: Option<Defect>, world: &World) -> Self {
        let shell = Shell::new(id);
        Self {
            state: state(&shell, world),
            shell,
        }
    }

    fn shell(&self) -> &Shell {
        &self.shell
    }

    fn shell_mut(&mut self) -> &mut Shell {
        &mut self.shell
    }

    fn driver(&self) -> &Driver<Rotation> {
        &self.state.driver
    }

    fn begin(&mut self, world: &mut World, anew: bool) -> Result<(), Broken> {
        if anew {
            self.state = state(&self.shell, world);
            self.shell.sent.clear();
        }
        let (height, validators) = (height(&self.shell), world.validators.clone());
        let policy = VoteExtensionPolicy::Disabled;
        let start = Input::StartHeight(height, validators, false, None, policy);
        self.input(world, start)
    }

    fn take(&mut self, world: &mut World, told: Told) -> Result<(), Broken> {
        match told {
            Told::Proposal(proposal, validity) => {
                // The application judges the value when it is there, before the proposal is looked at.
                let value = ProposedValue {
                    height: proposal.height,
                    round: proposal.round,
                    valid_round: proposal.pol_round,
                    proposer: proposal.by,
                    value: proposal.value,
                    validity,
                };
                self.input(world, Input::ProposedValue(value, ValueOrigin::Consensus))?;
                self.input(world, Input::Proposal(proposal))
            }
            Told::Vote(vote) => self.input(world, Input::Vote(vote)),
            Told::Polka(certificate) => self.input(world, Input::PolkaCertificate(certificate)),
            Told::Round(certificate) => self.input(world, Input::RoundCertificate(certificate)),
        }
    }

    fn elapse(&mut self, world: &mut World, timeout: Timeout) -> Result<(), Broken> {
        self.input(world, Input::TimeoutElapsed(timeout))
    }

    fn propose(&mut self, world: &mut World, round: Round, value: Proposed) -> Result<(), Broken> {
        let value = LocallyProposedValue::new(height(&self.shell), round, value);
        self.input(world, Input::Propose(value))
    }
}

impl Node {
    fn input(&mut self, world: &mut World, input: Input<Rotation>) -> Result<(), Broken> {
        let Self { shell, state } = self;
        // What follows a decision belongs to no height.
        if shell.decided.is_some() {
            return Ok(());
        }
        let processed = catch_unwind(AssertUnwindSafe(|| -> Result<(), Error<Rotation>> {
            process!(
                input: input,
                state: state,
                metrics: &(),
                with: effect => Ok::<_, Infallible>(carry_out(shell, world, effect))
            )
        }));
        let processed = processed.map_err(|panic| words(panic.as_ref()))?;
        processed.map_err(|error| error.to_string())
    }
}

fn state(shell: &Shell, world: &World) -> State<Rotation> {
    let params = Params {
        address: Address(shell.id),
        threshold_params: ThresholdParams::default(),
        // A value comes beside its proposal, with what the application thinks of it.
        value_payload: ValuePayload::ProposalAndParts,
        enabled: true,
    };
    let validators = world.validators.clone();
    let height = height(shell);
    State::new(world.rotation, height, validators, params, QUEUE, QUEUE)
}

/// What the engine asks of its embedder.
fn carry_out(shell: &mut Shell, world: &mut World, effect: Effect<Rotation>) -> Resume<Rotation> {
    let valid = |sound: bool| {
        let refused = CertificateError::VerificationError(None);
        if sound { Ok(()) } else { Err(refused) }
    };
    match effect {
        Effect::CancelAllTimeouts(_) => shell.timers.clear(),
        Effect::CancelTimeout(timeout, _) => shell.cancel(world, timeout.kind),
        Effect::ScheduleTimeout(timeout, _) => shell.schedule(world, timeout),
        Effect::StartRound(_, round, ..) => shell.entered(world, round),
        Effect::PublishConsensusMsg(message, _) => publish(shell, world, &message),
        Effect::PublishLivenessMsg(message, _) => match message {
            LivenessMsg::PolkaCertificate(it) => world.certify(shell.id, Certificate::Polka(it)),
            LivenessMsg::SkipRoundCertificate(it) => {
                world.certify(shell.id, Certificate::Round(it));
            }
            LivenessMsg::Vote(_) => {}
        },
        Effect::GetValue(_, round, ..) => shell.wants = Some(round),
        Effect::Decide(certificate, ..) => shell.decided = Some(certificate.value_id),
        Effect::Finalize(_, _, evidence, _) => {
            let votes = evidence.votes.iter().flat_map(|it| it.1);
            let proposals = evidence.proposals.iter().flat_map(|it| it.1);
            shell.evidence.extend(pairs(world, votes, proposals));
        }
        Effect::SignVote(vote, resume) => {
            let seal = world.seal(vote.by, &world.of_vote(&vote));
            return resume.resume_with(SignedVote::new(vote, seal));
        }
        Effect::SignProposal(proposal, resume) => {
            let seal = world.seal(proposal.by, &world.of_proposal(&proposal));
            return resume.resume_with(SignedProposal::new(proposal, seal));
        }
        Effect::VerifySignature(signed, author, resume) => {
            let message = match &signed.message {
                ConsensusMsg::Vote(vote) => world.of_vote(vote),
                ConsensusMsg::Proposal(proposal) => world.of_proposal(proposal),
            };
            let sound = world.is_sealed(author, &message, &signed.signature);
            return resume.resume_with(sound);
        }
        Effect::VerifyPolkaCertificate(it, _, thresholds, resume) => {
            let votes: Vec<_> = it.votes(&world.rotation).collect();
            let sound = world.carries(&votes, thresholds.quorum);
            return resume.resume_with(valid(sound));
        }
        Effect::VerifyRoundCertificate(it, _, thresholds, resume) => {
            let votes: Vec<_> = it.votes(&world.rotation).collect();
            let sound = world.carries(&votes, thresholds.honest);
            return resume.resume_with(valid(sound));
        }
        // It was made here, of votes that were verified.
        Effect::VerifyCommitCertificate(_, _, _, resume) => return resume.resume_with(Ok(())),
        Effect::VerifyExtendedCommitCertificate(_, _, _, _, resume) => {
            return resume.resume_with(valid(false));
        }
        Effect::ExtendVote(.., resume) => return resume.resume_with(None),
        Effect::VerifyVoteExtension(.., resume) => return resume.resume_with(Ok(())),
        // Repetitions, parts of values, values from peers that are ahead, and the log of a process.
        Effect::RepublishVote(..)
        | Effect::RepublishRoundCertificate(..)
        | Effect::RestreamProposal(..)
        | Effect::CertVerifiedSyncValue(..)
        | Effect::CertRejectedSyncValue(..)
        | Effect::WalAppend(..) => {}
    }
    Resume::Continue
}

/// It sends what it made; what another made is passed on by the stage.
fn publish(shell: &mut Shell, world: &mut World, message: &SignedConsensusMsg<Rotation>) {
    match message {
        SignedConsensusMsg::Vote(vote) => world.send(shell.id, world.of_vote(vote)),
        SignedConsensusMsg::Proposal(proposal) => {
            let message = world.of_proposal(proposal);
            if proposal.by == Address(shell.id) && shell.sent.insert(message.clone()) {
                world.send(shell.id, message);
            }
        }
    }
}
