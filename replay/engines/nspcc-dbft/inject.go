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
		p.body = &prepareRequest{n.proposal(l.Height, l.View, *l.Block)}
	case kindPrepareResponse:
		p.kind = dbft.PrepareResponseType
		p.body = n.acceptance(l)
	case kindCommit:
		p.kind = dbft.CommitType
		b := block{proposal: n.proposal(l.Height, l.View, *l.Block), prev: n.previous(l.Height)}
		p.body = &commit{n.keys[author].sign(b.Hash()), *l.Block}
	case kindChangeView:
		p.kind = dbft.ChangeViewType
		p.body = &changeView{byte(*l.Target), dbft.CVTimeout}
	}
	p.sign(n.keys)
	return &message{author: author, label: *l, payload: p}, nil
}

// acceptance answers the request a label names, whether or not it was made.
func (n *run) acceptance(l *label) *prepareResponse {
	proposal := n.proposal(l.Height, l.View, *l.Block)
	request := payload{
		kind:   dbft.PrepareRequestType,
		author: proposal.proposer,
		index:  proposal.index,
		view:   proposal.view,
		body:   &prepareRequest{proposal},
	}
	return &prepareResponse{request.Hash(), *l.Block}
}

// checkLabel refuses what nobody could send.
func (n *run) checkLabel(author uint16, l *label) *failure {
	switch l.Kind {
	case kindPrepareRequest, kindPrepareResponse, kindCommit:
		if l.Block == nil || l.Target != nil {
			return fail(codeBadParams, "label: %s has a block and no target", l.Kind)
		}
	case kindChangeView:
		if l.Target == nil || l.Block != nil {
			return fail(codeBadParams, "label: ChangeView has a target and no block")
		}
	case kindBlock, kindRecoveryRequest, kindRecoveryMessage:
		return fail(codeImpossible, "label: a %s is not injected", l.Kind)
	default:
		return fail(codeBadParams, "label: no kind %q", l.Kind)
	}
	switch {
	case l.Height >= n.Heights:
		return fail(codeImpossible, "label: heights end before %d", l.Height)
	case l.View > math.MaxUint8 || l.Target != nil && *l.Target > math.MaxUint8:
		return fail(codeImpossible, "label: the engine's views end at %d", math.MaxUint8)
	case l.Target != nil && *l.Target <= l.View:
		return fail(codeImpossible, "label: a change view asks for a later view")
	case l.Kind == kindPrepareRequest && author != n.primary(l.Height, l.View):
		return fail(codeImpossible, "label: replica %d is not the primary of view %d", author, l.View)
	}
	return nil
}
