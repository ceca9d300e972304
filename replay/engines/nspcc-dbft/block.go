package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/nspcc-dev/dbft"
)

// hash identifies proposals, messages and blocks.
type hash [32]byte

func (h hash) String() string { return hex.EncodeToString(h[:]) }

// digest hashes a text that names everything it is about.
func digest(format string, args ...any) hash {
	return sha256.Sum256(fmt.Appendf(nil, format, args...))
}

// proposal is what a primary proposes. Nothing in it comes from a clock or from chance, so that
// whoever knows the label of a block knows its hash, before the block is proposed.
type proposal struct {
	seed     uint64
	proposer uint16
	index    uint32 // the engine's height
	view     byte
	number   uint32 // of the proposals this primary makes in this view
}

// value of the proposal in labels.
func (p proposal) value() *value { return &value{View: uint32(p.view), Index: p.number} }

func (p proposal) hash() hash {
	return digest("proposal %d %d %d %d %d", p.seed, p.proposer, p.index, p.view, p.number)
}

// block implements dbft.Block without transactions.
type block struct {
	proposal
	prev      hash
	signature []byte
	// witness holds the signatures that made it final, by author; absent ones are nil.
	witness [][]byte
}

var _ dbft.Block[hash] = (*block)(nil)

func (b *block) Hash() hash                               { return digest("block %v %v", b.prev, b.proposal.hash()) }
func (b *block) PrevHash() hash                           { return b.prev }
func (b *block) MerkleRoot() hash                         { return hash{} }
func (b *block) Index() uint32                            { return b.index }
func (b *block) Signature() []byte                        { return b.signature }
func (b *block) Transactions() []dbft.Transaction[hash]   { return nil }
func (b *block) SetTransactions([]dbft.Transaction[hash]) {}

func (b *block) Sign(private dbft.PrivateKey) error {
	b.signature = private.(key).sign(b.Hash())
	return nil
}

func (b *block) Verify(public dbft.PublicKey, signature []byte) error {
	if !public.(key).verify(b.Hash(), signature) {
		return errors.New("the signature is not on this block")
	}
	return nil
}

// isFinal says whether a quorum signed the block.
func (b *block) isFinal(keys []key) bool {
	signed := 0
	for author, signature := range b.witness {
		if signature != nil && b.Verify(keys[author], signature) == nil {
			signed++
		}
	}
	return signed >= len(keys)-(len(keys)-1)/3
}
