package main

import (
	"math"

	"github.com/nspcc-dev/dbft"
)

// forge has a Byzantine replica make the message of a label.
func (n *run) forge(author uint16, l *label) (*message, *failure) {
	if err := n.checkLabel(author, l); err != nil {
		return nil, err
	}
	p := &payload{author: author, index: n.base + l.Height, view: byte(l.View)}
	switch l.Kind {
	case kindPrepareRequest:
		p.kind = dbft.PrepareRequestType
		p.body = &prepareRequest{n.proposal(l.Height, *l.Value)}
	case kindPrepareResponse:
		p.kind = dbft.PrepareResponseType
		p.body = acceptance(n.proposal(l.Height, *l.Value))
	case kindCommit:
		p.kind = dbft.CommitType
		b := block{proposal: n.proposal(l.Height, *l.Value), prev: n.previous(l.Height)}
		p.body = &commit{n.keys[author].sign(b.Hash()), b.proposal}
	case kindChangeView:
		p.kind = dbft.ChangeViewType
		p.body = &changeView{p.view + 1, dbft.CVTimeout}
	}
	p.sign(n.keys)
	return &message{author: author, label: *l, payload: p}, nil
}

// acceptance answers the request for a proposal, whether or not it was made.
func acceptance(p proposal) *prepareResponse {
	request := payload{
		kind:   dbft.PrepareRequestType,
		author: p.proposer,
		index:  p.index,
		view:   p.view,
		body:   &prepareRequest{p},
	}
	return &prepareResponse{request.Hash(), p}
}

// checkLabel refuses what nobody could send.
func (n *run) checkLabel(author uint16, l *label) *failure {
	// The last view that a message speaks of.
	last := l.View
	switch l.Kind {
	case kindPrepareRequest, kindPrepareResponse, kindCommit:
		if l.Value == nil || l.Value.word != "" || l.Value.View != l.View {
			return fail(codeImpossible, "label: a %s names a value proposed in its view", l.Kind)
		}
	case kindChangeView:
		if l.Value != nil {
			return fail(codeImpossible, "label: a ChangeView names no value")
		}
		last++
	case kindBlock, kindRecoveryRequest, kindRecoveryMessage:
		return fail(codeImpossible, "label: a %s is not injected", l.Kind)
	default:
		return fail(codeBadParams, "label: no kind %q", l.Kind)
	}
	switch {
	case l.Justification != nil:
		return fail(codeImpossible, "label: nothing in dBFT has a justification")
	case l.Height >= n.Heights:
		return fail(codeImpossible, "label: heights end before %d", l.Height)
	case l.View > math.MaxUint8 || last > math.MaxUint8:
		return fail(codeImpossible, "label: the engine's views end at %d", math.MaxUint8)
	case l.Kind == kindPrepareRequest && author != n.primary(l.Height, l.View):
		return fail(codeImpossible, "label: replica %d is not the primary of view %d", author, l.View)
	}
	return nil
}
