package main

import "github.com/nspcc-dev/dbft"

// state gives what the replica knows.
func (r *replica) state() any {
	switch {
	case !r.up:
		return downState{Height: r.height()}
	case r.stopped():
		return stoppedState{Up: true, Stopped: true, Height: r.height()}
	}
	e := r.engine
	s := workingState{
		Up:              true,
		Height:          r.height(),
		View:            uint32(e.ViewNumber),
		Preparations:    make([]preparation, 0),
		Commits:         make([]commitment, 0),
		ChangeViews:     wishes(e.ChangeViewPayloads),
		LastChangeViews: wishes(e.LastChangeViewPayloads),
		Seen:            make([]*uint32, len(e.LastSeenMessage)),
		ResponseSent:    e.ResponseSent(),
		CommitSent:      e.CommitSent(),
		ChangeViewSent:  e.ViewChanging(),
		BlockSent:       e.BlockSent(),
		Timer:           r.timerState(),
	}
	for _, p := range held(e.PreparationPayloads) {
		s.Preparations = append(s.Preparations, preparation{p.author, r.run.kind(p), r.run.named(p)})
	}
	for _, p := range held(e.CommitPayloads) {
		s.Commits = append(s.Commits, commitment{p.author, uint32(p.view), r.run.named(p)})
	}
	for who, last := range e.LastSeenMessage {
		if last != nil && last.Height == e.BlockIndex {
			view := uint32(last.View)
			s.Seen[who] = &view
		}
	}
	if e.RequestSentOrReceived() {
		// A primary that forgot its request in a crash answers it when it is handed it again, and
		// its response takes the request's slot; it names the same block.
		s.Request = e.PreparationPayloads[e.PrimaryIndex].(*payload).label(r.run.base).Block
	}
	return s
}

// held gives the payloads that are there, ascending by author.
func held(payloads []dbft.ConsensusPayload[hash]) []*payload {
	var found []*payload
	for _, p := range payloads {
		if p != nil {
			found = append(found, p.(*payload))
		}
	}
	return found
}

func wishes(payloads []dbft.ConsensusPayload[hash]) []wish {
	list := make([]wish, 0)
	for _, p := range held(payloads) {
		list = append(list, wish{p.author, uint32(p.GetChangeView().NewViewNumber())})
	}
	return list
}

func (n *run) kind(p *payload) string { return p.label(n.base).Kind }

// named gives the index of the block a payload names, if that was ever proposed.
func (n *run) named(p *payload) *uint32 {
	l := p.label(n.base)
	if n.proposals[n.proposal(l.Height, l.View, *l.Block).hash()] {
		return l.Block
	}
	return nil
}
