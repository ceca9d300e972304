//! What malachite is generic over, in the words of `schema`.

use arc_malachitebft_core_types::{
    self as core, Context, NilOrVal, Round, SignedExtension, SigningScheme, Timeouts, VoteType,
};
use milp_schema::{Protocol, ReplicaId, Value, View};
use std::{convert::Infallible, fmt, time::Duration};

/// Who is the primary when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) protocol: Protocol,
    pub(crate) replicas: u32,
}

/// A validator's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) ReplicaId);

/// A height: the engine's 1 is height 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Height(u64);

/// A block, or what is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Proposed(pub(crate) Value);

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: Proposed,
    pub(crate) pol_round: Round,
    pub(crate) by: Address,
}

/// A prevote or a precommit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) kind: VoteType,
    pub(crate) height: Height,
    pub(crate) round: Round,
    pub(crate) value: NilOrVal<Value>,
    pub(crate) by: Address,
}

/// A validator with its power.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validator {
    address: Address,
    power: u64,
}

/// Everybody, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validators(Vec<Validator>);

/// Signatures are bytes; who makes and checks them holds the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seals;

/// The embedder's timers run by the protocol's file, the engine's own are not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NoTimeouts;

/// There are no parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoPart;

impl Height {
    pub(crate) fn of(height: milp_schema::Height) -> Self {
        Self(u64::from(height.0) + 1)
    }

    pub(crate) fn plain(self) -> milp_schema::Height {
        milp_schema::Height(self.0.saturating_sub(1) as u32)
    }
}

impl Validators {
    pub(crate) fn new(power: &[u32]) -> Self {
        let all = (0..).map(ReplicaId).zip(power);
        let validator = |(id, power): (ReplicaId, &u32)| Validator {
            address: Address(id),
            power: u64::from(*power),
        };
        Self(all.map(validator).collect())
    }
}

/// A round that is one, as a view.
pub(crate) fn view(round: Round) -> View {
    View(round.as_u32().unwrap_or_default())
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl core::Address for Address {}

impl fmt::Display for Height {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plain().fmt(out)
    }
}

impl core::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0 + n)
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

impl core::Value for Proposed {
    type Id = Value;

    fn id(&self) -> Value {
        self.0
    }
}

impl core::Proposal<Rotation> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Proposed {
        &self.value
    }

    fn take_value(self) -> Proposed {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Address {
        &self.by
    }
}

impl core::ProposalPart<Rotation> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

impl core::Vote<Rotation> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Value> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Value> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Address {
        &self.by
    }

    fn extension(&self) -> Option<&SignedExtension<Rotation>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Rotation>> {
        None
    }

    fn extend(self, _: SignedExtension<Rotation>) -> Self {
        self
    }
}

impl core::Validator<Rotation> for Validator {
    fn address(&self) -> &Address {
        &self.address
    }

    fn public_key(&self) -> &Address {
        &self.address
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

impl core::ValidatorSet<Rotation> for Validators {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.0.iter().map(|it| it.power).sum()
    }

    fn get_by_address(&self, address: &Address) -> Option<&Validator> {
        self.0.get(address.0.index())
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.get(index)
    }
}

impl SigningScheme for Seals {
    type DecodingError = Infallible;
    type Signature = Vec<u8>;
    type PublicKey = Address;
    type PrivateKey = Address;

    fn decode_signature(bytes: &[u8]) -> Result<Vec<u8>, Infallible> {
        Ok(bytes.to_vec())
    }

    fn encode_signature(signature: &Vec<u8>) -> Vec<u8> {
        signature.clone()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<Address, Infallible> {
        let mut number = [0; 4];
        let length = bytes.len().min(4);
        number[..length].copy_from_slice(&bytes[..length]);
        Ok(Address(ReplicaId(u32::from_be_bytes(number))))
    }

    fn encode_public_key(key: &Address) -> Vec<u8> {
        key.0.0.to_be_bytes().to_vec()
    }
}

impl Timeouts<Rotation> for NoTimeouts {
    fn duration_for(&self, _: core::Timeout) -> Duration {
        Duration::ZERO
    }
}

impl Context for Rotation {
    type Address = Address;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = NoTimeouts;
    type Value = Proposed;
    type Vote = Vote;
    type Extension = ();
    type SigningScheme = Seals;

    fn select_proposer<'a>(
        &self,
        validators: &'a Validators,
        height: Height,
        round: Round,
    ) -> &'a Validator {
        let primary = self
            .protocol
            .primary(self.replicas, height.plain(), view(round));
        &validators.0[primary.index()]
    }

    fn new_proposal(
        &self,
        height: Height,
        round: Round,
        value: Proposed,
        pol_round: Round,
        by: Address,
    ) -> Proposal {
        Proposal {
            height,
            round,
            value,
            pol_round,
            by,
        }
    }

    fn new_prevote(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Value>,
        by: Address,
    ) -> Vote {
        vote(VoteType::Prevote, (height, round), value, by)
    }

    fn new_precommit(
        &self,
        height: Height,
        round: Round,
        value: NilOrVal<Value>,
        by: Address,
    ) -> Vote {
        vote(VoteType::Precommit, (height, round), value, by)
    }
}

fn vote(
    kind: VoteType,
    (height, round): (Height, Round),
    value: NilOrVal<Value>,
    by: Address,
) -> Vote {
    Vote {
        kind,
        height,
        round,
        value,
        by,
    }
}
