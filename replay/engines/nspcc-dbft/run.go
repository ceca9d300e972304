package main

import (
	"runtime/debug"
	"time"

	"github.com/nspcc-dev/dbft"
)

// run holds all replicas of one run and what is between them.
type run struct {
	*startParams
	base       uint32 // what the engine calls height 0
	began      time.Time
	keys       []key
	validators []dbft.PublicKey
	replicas   []*replica // nil for Byzantine ones
	messages   map[uint64]*message
	effects    []any
	// proposals that were made, by the hash of their block's content.
	proposals map[hash]bool
	// first block decided of each height.
	first []*block
}

func newRun(p *startParams) *run {
	n := &run{
		startParams: p,
		// A multiple of n; at height 1 the engine takes the year 1 for the time of the last block.
		base:      1000 * p.Replicas,
		began:     time.Now(),
		keys:      newKeys(p.Signatures, p.Replicas),
		replicas:  make([]*replica, p.Replicas),
		messages:  make(map[uint64]*message),
		effects:   make([]any, 0),
		proposals: make(map[hash]bool),
	}
	for i, key := range n.keys {
		n.validators = append(n.validators, key)
		n.replicas[i] = &replica{run: n, author: uint16(i), proposed: make(map[place]uint32)}
	}
	for _, who := range p.Byzantine {
		n.replicas[who] = nil
	}
	return n
}

func (n *run) start() {
	for _, r := range n.replicas {
		if r != nil {
			r.start()
		}
	}
}

// now is the virtual time in nanoseconds.
func (n *run) now() uint64 { return uint64(time.Since(n.began)) }

// honest looks up a replica that is not Byzantine.
func (n *run) honest(who uint32) (*replica, *failure) {
	switch {
	case who >= n.Replicas:
		return nil, fail(codeReplica, "no replica %d", who)
	case n.replicas[who] == nil:
		return nil, fail(codeReplica, "replica %d is Byzantine", who)
	}
	return n.replicas[who], nil
}

// live looks up an honest replica that is up.
func (n *run) live(who uint32) (*replica, *failure) {
	r, err := n.honest(who)
	if err == nil && !r.up {
		return nil, fail(codeReplica, "replica %d is down", who)
	}
	return r, err
}

// register gives a message its id.
func (n *run) register(m *message) uint64 {
	id := uint64(len(n.messages)) + 1
	n.messages[id] = m
	if p := m.payload; p != nil && p.kind == dbft.PrepareRequestType {
		n.proposals[p.body.hash()] = true
	}
	return id
}

func (n *run) note(effect any) { n.effects = append(n.effects, effect) }

// flush gives what happened since the last one, timers at the end.
func (n *run) flush() []any {
	for _, r := range n.replicas {
		if r != nil {
			r.noteTimer()
		}
	}
	effects := n.effects
	n.effects = make([]any, 0)
	return effects
}

// primary of a view of a height, both as the protocol counts.
func (n *run) primary(height, view uint32) uint16 {
	replicas := int64(n.Replicas)
	return uint16(((int64(height)-int64(view))%replicas + replicas) % replicas)
}

// proposal that a value names.
func (n *run) proposal(height uint32, v value) proposal {
	return proposal{n.Seed, n.primary(height, v.View), n.base + height, byte(v.View), v.Index}
}

// previous gives the hash of the block before a height, for those who have no ledger: the first
// one decided there, or the first one that would be proposed.
func (n *run) previous(height uint32) hash {
	switch {
	case height == 0:
		return digest("genesis %d", n.Seed)
	case height <= uint32(len(n.first)):
		return n.first[height-1].Hash()
	}
	b := block{proposal: n.proposal(height-1, value{}), prev: n.previous(height - 1)}
	return b.Hash()
}

// engineVersion is that of the library linked in.
func engineVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/nspcc-dev/dbft" {
				return module.Version
			}
		}
	}
	return "unknown"
}
