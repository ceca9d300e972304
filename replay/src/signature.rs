//! Who said what, provably.
//!
//! P-256 ECDSA as Neo uses, deterministic (RFC 6979), keys from the fixed scalars i + 1: a replay
//! is a pure function of its inputs. The symbolic mode names the author instead; both refuse the
//! same messages, and what passes never depends on the bytes of a signature.

use milp_schema::{Message, ReplicaId};
use p256::ecdsa::{
    Signature as P256Signature, SigningKey, VerifyingKey,
    signature::{Signer, Verifier},
};
use p256::{FieldBytes, SecretKey};

/// How messages are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// P-256 ECDSA over the message, checked by every receiver.
    P256,
    /// The author's name; for speed.
    Symbolic,
}

/// A signature on a message by its author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    P256(P256Signature),
    Symbolic(ReplicaId),
}

/// The keys of a group.
#[derive(Debug, Clone)]
pub enum Keys {
    /// Of each replica, to sign and to check.
    P256(Vec<(SigningKey, VerifyingKey)>),
    /// None are needed.
    Symbolic,
}

impl Keys {
    /// Keys of replicas 0..replicas.
    pub fn new(mode: Signatures, replicas: u32) -> Self {
        match mode {
            Signatures::Symbolic => Self::Symbolic,
            Signatures::P256 => Self::P256((0..replicas).map(key_pair).collect()),
        }
    }

    /// `author` signs `message` and what it carries.
    pub(crate) fn sign(
        &self,
        author: ReplicaId,
        message: &Message,
        carried: &[(ReplicaId, Message)],
    ) -> Signature {
        match self {
            Self::Symbolic => Signature::Symbolic(author),
            Self::P256(keys) => {
                let (key, _) = &keys[author.index()];
                Signature::P256(key.sign(&bytes(author, message, carried)))
            }
        }
    }

    /// Whether `author` signed the message and what it carries.
    pub(crate) fn verify(
        &self,
        author: ReplicaId,
        message: &Message,
        carried: &[(ReplicaId, Message)],
        signature: &Signature,
    ) -> bool {
        match (self, signature) {
            (Self::Symbolic, Signature::Symbolic(by)) => *by == author,
            (Self::P256(keys), Signature::P256(signature)) => {
                let (_, key) = &keys[author.index()];
                let signed = bytes(author, message, carried);
                key.verify(&signed, signature).is_ok()
            }
            _ => false,
        }
    }

    /// The signature of a message that carries nothing, as bytes.
    pub fn seal(&self, author: ReplicaId, message: &Message) -> Vec<u8> {
        match self.sign(author, message, &[]) {
            Signature::P256(signature) => signature.to_bytes().to_vec(),
            Signature::Symbolic(author) => author.0.to_be_bytes().to_vec(),
        }
    }

    /// Whether these bytes are `author`'s signature of a message that carries nothing.
    pub fn is_sealed(&self, author: ReplicaId, message: &Message, seal: &[u8]) -> bool {
        match self {
            Self::Symbolic => seal == author.0.to_be_bytes(),
            Self::P256(_) => P256Signature::from_slice(seal).is_ok_and(|signature| {
                self.verify(author, message, &[], &Signature::P256(signature))
            }),
        }
    }
}

fn key_pair(index: u32) -> (SigningKey, VerifyingKey) {
    let mut scalar = FieldBytes::default();
    scalar[28..].copy_from_slice(&(index + 1).to_be_bytes());
    let secret =
        SecretKey::from_bytes(&scalar).expect("a small positive number is below the group order");
    let key = SigningKey::from(secret);
    let public = *key.verifying_key();
    (key, public)
}

/// What is signed: the author and every label, separated by characters no label contains.
fn bytes(author: ReplicaId, message: &Message, carried: &[(ReplicaId, Message)]) -> Vec<u8> {
    let mut text = format!("milp|{author}|{message}");
    for (author, message) in carried {
        text += "|";
        text += &author.to_string();
        text += "|";
        text += &message.to_string();
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::testing::at;

    #[test]
    fn a_signature_binds_author_message_and_what_it_carries_in_both_modes() {
        let (author, other) = (ReplicaId(1), ReplicaId(2));
        let (said, changed) = (at(0, "Commit v0 b0"), at(0, "Commit v0 b1"));
        for mode in [Signatures::P256, Signatures::Symbolic] {
            let keys = Keys::new(mode, 4);
            let signature = keys.sign(author, &said, &[]);
            assert!(keys.verify(author, &said, &[], &signature), "{mode:?}");
            let forged = keys.verify(other, &said, &[], &signature);
            assert!(!forged, "{mode:?}: another author");
            if mode == Signatures::P256 {
                let passes = keys.verify(author, &changed, &[], &signature);
                assert!(!passes, "another block");
                let carried = [(other, said.clone())];
                let passes = keys.verify(author, &said, &carried, &signature);
                assert!(!passes, "another carried message");
            }
        }
    }

    #[test]
    fn signing_twice_gives_the_same_signature() {
        let keys = Keys::new(Signatures::P256, 4);
        let sign = || keys.sign(ReplicaId(3), &at(0, "ChangeView v0"), &[]);
        assert_eq!(sign(), sign());
    }
}
