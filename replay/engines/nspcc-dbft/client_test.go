package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// client plays the caller and keeps every line.
type client struct {
	*testing.T
	adapter    adapter
	id         int
	transcript bytes.Buffer
	n          int
}

// anEffect has the fields of all effects.
type anEffect struct {
	Effect  string
	Replica int
	Message uint64
	Label   label
	Carried []named
	Height  uint32
	View    uint32
	Timers  []timerState
	Text    string
}

type anAnswer struct {
	Effects []anEffect
	Message uint64
}

// setup is what a test wants of a run.
type setup struct {
	replicas, heights int
	byzantine         []int
	blockTime         time.Duration
	signatures        string
	recovery          string
}

// with runs a test inside a bubble, on a run that has begun.
func with(t *testing.T, s setup, test func(*client, []anEffect)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &client{T: t, n: s.replicas}
		test(c, c.begin(s))
	})
}

func (c *client) begin(s setup) []anEffect {
	c.Helper()
	params := map[string]any{
		"protocol": "milp-engine/2.0", "replicas": s.replicas, "heights": max(1, s.heights),
		"byzantine": append([]int{}, s.byzantine...), "block_time": max(s.blockTime, 1), "seed": 7,
		"signatures": "symbolic", "recovery": "ideal",
	}
	if s.signatures != "" {
		params["signatures"] = s.signatures
	}
	if s.recovery != "" {
		params["recovery"] = s.recovery
	}
	return c.must("initialise", params).Effects
}

// call makes a request and gives its result or error.
func (c *client) call(method string, params any) (json.RawMessage, *failure) {
	c.Helper()
	c.id++
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": c.id, "method": method, "params": params})
	if err != nil {
		c.Fatal(err)
	}
	answer, _ := c.adapter.handle(line)
	text, err := json.Marshal(answer)
	if err != nil {
		c.Fatal(err)
	}
	fmt.Fprintf(&c.transcript, "%s\n%s\n", line, text)
	var parsed struct {
		ID     int
		Result json.RawMessage
		Error  *failure
	}
	if err := json.Unmarshal(text, &parsed); err != nil || parsed.ID != c.id {
		c.Fatalf("%s: %v", text, err)
	}
	return parsed.Result, parsed.Error
}

func (c *client) must(method string, params any) anAnswer {
	c.Helper()
	result, failed := c.call(method, params)
	if failed != nil {
		c.Fatalf("%s %v: %v", method, params, failed)
	}
	var answer anAnswer
	if err := json.Unmarshal(result, &answer); err != nil {
		c.Fatal(err)
	}
	return answer
}

func (c *client) deliver(to int, id uint64) []anEffect {
	c.Helper()
	return c.must("deliver", map[string]any{"replica": to, "message": id}).Effects
}

func (c *client) timeout(at int, height, view int) []anEffect {
	c.Helper()
	return c.must("timeout", map[string]any{"replica": at, "timer": timerName, "height": height, "view": view}).Effects
}

func (c *client) inject(by int, l label) uint64 {
	c.Helper()
	return c.must("inject", map[string]any{"replica": by, "label": l}).Message
}

func (c *client) crash(who int) []anEffect {
	c.Helper()
	return c.must("crash", map[string]any{"replica": who}).Effects
}

func (c *client) restart(who int) []anEffect {
	c.Helper()
	return c.must("restart", map[string]any{"replica": who}).Effects
}

func (c *client) advance(to time.Duration) {
	c.Helper()
	if effects := c.must("advance", map[string]any{"now": to}).Effects; len(effects) != 0 {
		c.Fatalf("the clock did something: %v", effects)
	}
}

func (c *client) state(who int) workingState {
	c.Helper()
	result, failed := c.call("state", map[string]any{"replica": who})
	if failed != nil {
		c.Fatal(failed)
	}
	var state workingState
	if err := json.Unmarshal(result, &state); err != nil {
		c.Fatal(err)
	}
	return state
}

// only gives the id of the one message of a kind among effects.
func (c *client) only(kind string, effects []anEffect) uint64 {
	c.Helper()
	ids := sends(kind, effects)
	if len(ids) != 1 {
		c.Fatalf("one %s expected: %v", kind, effects)
	}
	return ids[0]
}

func sends(kind string, effects []anEffect) []uint64 {
	var ids []uint64
	for _, e := range effects {
		if e.Effect == "send" && e.Label.Kind == kind {
			ids = append(ids, e.Message)
		}
	}
	return ids
}

// settle delivers everything in effects and everything that follows from it, except to those left
// out, and gives all effects.
func (c *client) settle(effects []anEffect, except ...int) []anEffect {
	c.Helper()
	all := slices.Clone(effects)
	for at := 0; at < len(all); at++ {
		if all[at].Effect != "send" {
			continue
		}
		for to := range c.n {
			if to != all[at].Replica && !slices.Contains(except, to) {
				all = append(all, c.deliver(to, all[at].Message)...)
			}
		}
	}
	return all
}

// deciders gives who decided what, in order.
func deciders(effects []anEffect) map[int][]label {
	decided := make(map[int][]label)
	for _, e := range effects {
		if e.Effect == "decide" {
			decided[e.Replica] = append(decided[e.Replica], e.Label)
		}
	}
	return decided
}

// proposalOf gives proposal number index of a view.
func proposalOf(view, index uint32) *value { return &value{View: view, Index: index} }

// of gives the votes of a kind.
func of(kind string, votes []vote) []vote {
	return slices.DeleteFunc(slices.Clone(votes), func(v vote) bool { return v.Kind != kind })
}
