package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/binary"
	"fmt"
)

// key is both halves of a replica's key: nothing here leaves the process, and what a replica may
// sign is decided by who calls.
type key interface {
	sign(digest hash) []byte
	verify(digest hash, signature []byte) bool
}

// newKeys makes the keys of replicas 0 … n − 1; the private scalar of replica i is i + 1.
func newKeys(signatures string, n uint32) []key {
	keys := make([]key, n)
	for i := range keys {
		if signatures == "symbolic" {
			keys[i] = symbolicKey(i)
			continue
		}
		var scalar [32]byte
		binary.BigEndian.PutUint32(scalar[28:], uint32(i)+1)
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
		if err != nil {
			panic(fmt.Sprintf("a small positive number is a scalar of P-256: %v", err))
		}
		keys[i] = p256Key{private}
	}
	return keys
}

// p256Key signs as Neo does, deterministically (RFC 6979).
type p256Key struct{ private *ecdsa.PrivateKey }

func (k p256Key) sign(digest hash) []byte {
	// No random source: then the nonce is derived from key and digest.
	signature, err := k.private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		panic(fmt.Sprintf("a digest of the right length is signed: %v", err))
	}
	return signature
}

func (k p256Key) verify(digest hash, signature []byte) bool {
	return ecdsa.VerifyASN1(&k.private.PublicKey, digest[:], signature)
}

// symbolicKey names the author in place of a signature.
type symbolicKey uint16

func (k symbolicKey) sign(digest hash) []byte {
	return fmt.Appendf(nil, "%d signs %v", k, digest)
}

func (k symbolicKey) verify(digest hash, signature []byte) bool {
	return string(k.sign(digest)) == string(signature)
}
