package main

import (
	"cmp"
	"slices"

	"github.com/nspcc-dev/dbft"
)

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
		Up:     true,
		Height: r.height(),
		View:   uint32(e.ViewNumber),
		Votes:  r.run.votes(e.PreparationPayloads, e.CommitPayloads, e.ChangeViewPayloads),
		Entry:  r.run.votes(e.LastChangeViewPayloads),
		Bonds:  make([]bond, 0),
		Seen:   make([]*uint32, len(e.LastSeenMessage)),
		Timers: r.timers(),
	}
	if own := e.CommitPayloads[r.author]; own != nil {
		s.Bonds = append(s.Bonds, r.run.vote(own).bond)
	}
	for who, last := range e.LastSeenMessage {
		if last != nil && last.Height == e.BlockIndex {
			view := uint32(last.View)
			s.Seen[who] = &view
		}
	}
	return s
}

// votes lists the payloads that are there, ascending by author; lists come in the order of kinds.
func (n *run) votes(lists ...[]dbft.ConsensusPayload[hash]) []vote {
	found := make([]vote, 0)
	for _, list := range lists {
		for _, p := range list {
			if p != nil {
				found = append(found, n.vote(p))
			}
		}
	}
	slices.SortStableFunc(found, func(a, b vote) int { return cmp.Compare(a.Author, b.Author) })
	return found
}

// vote is a payload as states have it: a value that nobody ever proposed is none.
func (n *run) vote(held dbft.ConsensusPayload[hash]) vote {
	p := held.(*payload)
	l := p.label(n.base)
	if v := l.Value; v != nil && !n.proposals[n.proposal(l.Height, *v).hash()] {
		l.Value = nil
	}
	return vote{p.author, bond{l.Kind, l.View, l.Value}}
}
