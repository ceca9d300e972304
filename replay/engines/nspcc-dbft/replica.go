package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/nspcc-dev/dbft"
)

// place is a view of the engine.
type place struct {
	index uint32
	view  byte
}

// replica is one honest replica: the engine and what neo-go would put around it.
type replica struct {
	run    *run
	author uint16
	up     bool
	// engine is nil while the replica is down or stopped.
	engine *dbft.DBFT[hash]
	timer  virtualTimer
	// told are the timers as the caller knows them.
	told []timerState
	// ledger survives a crash.
	ledger []*block
	// proposed counts the proposals of each view, over all incarnations.
	proposed map[place]uint32
	// view is the last one entered.
	view byte
	// watching hides the key from the engine.
	watching bool
	// decided says that a block was added and the engine not yet reset.
	decided bool
}

// start begins a run as if the block before height 0 had just been persisted. The engine itself
// knows only a node that starts, whose primary proposes at once: so it starts without a key and
// gets the key with the reset that follows every block.
func (r *replica) start() {
	r.up = true
	r.guard(func() {
		r.engine = r.newEngine()
		r.watching = true
		r.engine.Start(0)
		r.watching = false
		r.reset()
	})
}

// restart begins an incarnation that knows the ledger only.
func (r *replica) restart() {
	r.up = true
	if r.stopped() {
		return
	}
	r.guard(func() {
		r.view = 0
		r.engine = r.newEngine()
		r.engine.Start(0)
	})
}

// reset puts the engine to work on the next height. The timestamp of the last block, which it
// asks for, only goes into timestamps of proposals, and those are not used here.
func (r *replica) reset() { r.engine.Reset(0) }

func (r *replica) crash() {
	r.up, r.engine, r.decided, r.watching = false, nil, false, false
	r.timer = virtualTimer{}
}

func (r *replica) height() uint32 { return uint32(len(r.ledger)) }

// stopped says whether every height is decided.
func (r *replica) stopped() bool { return r.height() == r.run.Heights }

func (r *replica) receive(m *message) {
	switch {
	case r.stopped():
	case m.block != nil:
		if m.block.index == r.run.base+r.height() {
			r.guard(func() { r.decide(m.block) })
		}
	case m.payload.genuine(r.run.keys):
		r.guard(func() { r.engine.OnReceive(m.payload) })
	}
}

// timeout fires the timer of a view; one of another view than the current is stale.
func (r *replica) timeout(height, view uint32) {
	if r.stopped() || height != r.height() || view > math.MaxUint8 || byte(view) != r.engine.ViewNumber {
		return
	}
	r.timer.runs = false
	r.guard(func() { r.engine.OnTimeout(r.run.base+height, byte(view)) })
}

// guard does something to the engine and then what follows a decision. If the engine panics, the
// replica is down.
func (r *replica) guard(act func()) {
	defer func() {
		if cause := recover(); cause != nil {
			r.crash()
			r.run.note(faultEffect{"fault", r.author, fmt.Sprint(cause)})
		}
	}()
	act()
	for r.decided {
		r.decided = false
		if r.stopped() {
			r.engine = nil
			r.timer = virtualTimer{}
		} else {
			r.reset()
		}
	}
}

// decide adds a block to the ledger and publishes it. The engine must not be reset from inside
// one of its calls, so that is left to guard.
func (r *replica) decide(b *block) {
	height := r.height()
	r.ledger = append(r.ledger, b)
	r.decided = true
	if int(height) == len(r.run.first) {
		r.run.first = append(r.run.first, b)
	}
	l := label{Kind: kindBlock, Height: height, View: uint32(b.view), Value: b.value()}
	r.run.note(decideEffect{"decide", r.author, l})
	r.send(&message{author: r.author, label: l, block: b}, nil)
}

func (r *replica) send(m *message, carried *[]named) {
	id := r.run.register(m)
	r.run.note(sendEffect{"send", r.author, id, m.label, carried})
}

// noteTimer reports the timer if it changed.
func (r *replica) noteTimer() {
	now := r.timers()
	if slices.Equal(now, r.told) {
		return
	}
	r.told = now
	r.run.note(timerEffect{"timer", r.author, now})
}

// timers are those that run: one or none.
func (r *replica) timers() []timerState {
	if !r.timer.runs {
		return []timerState{}
	}
	return []timerState{{
		Name:     timerName,
		Height:   r.timer.height - r.run.base,
		View:     uint32(r.timer.view),
		Deadline: uint64(r.timer.due.Sub(r.run.began)),
	}}
}
