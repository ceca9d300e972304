package main

import (
	"time"

	"github.com/nspcc-dev/dbft"
)

// virtualTimer does what the engine's own timer does and says when it is due. It never fires by itself.
type virtualTimer struct {
	height uint32
	view   byte
	start  time.Time
	span   time.Duration
	due    time.Time
	// runs until it has fired; it still runs when it is due and nobody looked.
	runs bool
}

var _ dbft.Timer = (*virtualTimer)(nil)

func (t *virtualTimer) Now() time.Time      { return time.Now() }
func (t *virtualTimer) Height() uint32      { return t.height }
func (t *virtualTimer) View() byte          { return t.view }
func (t *virtualTimer) C() <-chan time.Time { return nil }

func (t *virtualTimer) Reset(height uint32, view byte, span time.Duration) {
	now := t.Now()
	// A negative span, the fruit of an overflow, fires at once like none.
	*t = virtualTimer{height: height, view: view, start: now, span: span, due: now.Add(max(0, span)), runs: true}
}

// Extend lengthens the span. A timer that fired before runs again if the longer span is not over.
func (t *virtualTimer) Extend(by time.Duration) {
	t.span += by
	if t.span > time.Since(t.start) {
		t.due = t.start.Add(t.span)
		t.runs = true
	}
}
