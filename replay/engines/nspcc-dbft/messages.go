package main

import (
	"strings"

	"github.com/nspcc-dev/dbft"
)

// message is what an id stands for: a payload of the engine or a block that its author relays.
type message struct {
	author  uint16
	label   label
	payload *payload
	block   *block
}

// payload implements dbft.ConsensusPayload. It does not change once it is signed.
type payload struct {
	kind      dbft.MessageType
	author    uint16
	index     uint32 // the engine's height
	view      byte
	body      body
	signature []byte
}

// body is what kinds of payloads differ in.
type body interface {
	// hash covers everything the body says.
	hash() hash
	// names fills the fields of a label that depend on the kind.
	names(*label)
}

var _ dbft.ConsensusPayload[hash] = (*payload)(nil)

func (p *payload) ViewNumber() byte             { return p.view }
func (p *payload) Type() dbft.MessageType       { return p.kind }
func (p *payload) Payload() any                 { return p.body }
func (p *payload) ValidatorIndex() uint16       { return p.author }
func (p *payload) SetValidatorIndex(who uint16) { p.author = who }
func (p *payload) Height() uint32               { return p.index }

func (p *payload) GetChangeView() dbft.ChangeView { return as[dbft.ChangeView](p) }
func (p *payload) GetPrepareRequest() dbft.PrepareRequest[hash] {
	return as[dbft.PrepareRequest[hash]](p)
}
func (p *payload) GetPrepareResponse() dbft.PrepareResponse[hash] {
	return as[dbft.PrepareResponse[hash]](p)
}
func (p *payload) GetPreCommit() dbft.PreCommit             { return nil }
func (p *payload) GetCommit() dbft.Commit                   { return as[dbft.Commit](p) }
func (p *payload) GetRecoveryRequest() dbft.RecoveryRequest { return as[dbft.RecoveryRequest](p) }
func (p *payload) GetRecoveryMessage() dbft.RecoveryMessage[hash] {
	return as[dbft.RecoveryMessage[hash]](p)
}

// as gives the body as T, or nil.
func as[T any](p *payload) T {
	body, _ := p.body.(T)
	return body
}

func (p *payload) Hash() hash {
	return digest("payload %d %d %d %d %v", p.kind, p.author, p.index, p.view, p.body.hash())
}

// label of the payload when the engine's height of height 0 is base.
func (p *payload) label(base uint32) label {
	l := label{Height: p.index - base, View: uint32(p.view)}
	p.body.names(&l)
	return l
}

// sign has the author sign, unless it did.
func (p *payload) sign(keys []key) {
	if p.signature == nil {
		p.signature = keys[p.author].sign(p.Hash())
	}
}

// genuine says whether the payload is what its author signed; the engine leaves that to whoever
// embeds it. What an "ideal" recovery message carries is checked too.
func (p *payload) genuine(keys []key) bool {
	if !keys[p.author].verify(p.Hash(), p.signature) {
		return false
	}
	if r, ok := p.body.(*recovery); ok && !r.rebuilt {
		for _, carried := range r.payloads {
			if !carried.genuine(keys) {
				return false
			}
		}
	}
	return true
}

// prepareRequest carries a proposal.
type prepareRequest struct{ proposal }

func (r *prepareRequest) Timestamp() uint64         { return 0 }
func (r *prepareRequest) Nonce() uint64             { return 0 }
func (r *prepareRequest) TransactionHashes() []hash { return nil }
func (r *prepareRequest) names(l *label)            { l.Kind, l.Value = kindPrepareRequest, r.value() }

// prepareResponse accepts the proposal of a request.
type prepareResponse struct {
	preparation hash
	proposal    proposal // for labels
}

func (r *prepareResponse) PreparationHash() hash { return r.preparation }
func (r *prepareResponse) hash() hash            { return digest("response %v", r.preparation) }
func (r *prepareResponse) names(l *label)        { l.Kind, l.Value = kindPrepareResponse, r.proposal.value() }

// commit is a signature on a block.
type commit struct {
	signature []byte
	proposal  proposal // the block's, for labels
}

func (c *commit) Signature() []byte { return c.signature }
func (c *commit) hash() hash        { return digest("commit %x", c.signature) }
func (c *commit) names(l *label)    { l.Kind, l.Value = kindCommit, c.proposal.value() }

// changeView asks for a view: the engine always asks for the next one.
type changeView struct {
	target byte
	reason dbft.ChangeViewReason
}

func (c *changeView) NewViewNumber() byte           { return c.target }
func (c *changeView) Reason() dbft.ChangeViewReason { return c.reason }
func (c *changeView) hash() hash                    { return digest("change view %d %d", c.target, c.reason) }
func (c *changeView) names(l *label)                { l.Kind = kindChangeView }

// recoveryRequest asks for what was missed.
type recoveryRequest struct{ timestamp uint64 }

func (r *recoveryRequest) Timestamp() uint64 { return r.timestamp }
func (r *recoveryRequest) hash() hash        { return digest("recovery request %d", r.timestamp) }
func (r *recoveryRequest) names(l *label)    { l.Kind = kindRecoveryRequest }

func (r *recovery) hash() hash {
	var all strings.Builder
	for _, p := range r.payloads {
		all.WriteString(p.Hash().String())
	}
	return digest("recovery %s", all.String())
}

func (r *recovery) names(l *label) { l.Kind = kindRecoveryMessage }
