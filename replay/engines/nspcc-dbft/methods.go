package main

import (
	"encoding/json"
	"strings"
	"time"
)

// horizon is the farthest the clock may move: what a time.Time counts in nanoseconds ends in
// the year 2262, and deadlines lie beyond the clock.
const horizon = 100 * 365 * 24 * time.Hour

// maxReplicas is the largest group: the engine counts replicas with 16 bits.
const maxReplicas = 1 << 10

// maxHeights keeps heights within the 32 bits of the engine.
const maxHeights = 1 << 20

// adapter answers requests; it holds a run from `initialise` on.
type adapter struct {
	run *run
}

type method func(*run, json.RawMessage) (any, *failure)

// methods are those that need a run.
var methods = map[string]method{
	"deliver": (*run).deliver,
	"timeout": (*run).timeout,
	"inject":  (*run).inject,
	"crash":   (*run).crash,
	"restart": (*run).restart,
	"advance": (*run).advance,
	"state":   (*run).stateOf,
}

func (a *adapter) call(name string, params json.RawMessage) (any, *failure) {
	method, known := methods[name]
	switch {
	case name == methodShutdown:
		return struct{}{}, nil
	case name == methodInitialise && a.run != nil:
		return nil, fail(codeInitialise, "initialise was called before")
	case name == methodInitialise:
		return a.initialise(params)
	case !known:
		return nil, fail(codeNoMethod, "no method %q", name)
	case a.run == nil:
		return nil, fail(codeInitialise, "initialise comes first")
	}
	return method(a.run, params)
}

// decode reads params; those named must be there. Others than the struct has are ignored.
func decode(raw json.RawMessage, into any, needed ...string) *failure {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fail(codeBadParams, "params: not an object")
	}
	for _, name := range needed {
		if value, there := fields[name]; !there || string(value) == "null" {
			return fail(codeBadParams, "params: %q is missing", name)
		}
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fail(codeBadParams, "params: %v", err)
	}
	return nil
}

type startParams struct {
	Protocol   string   `json:"protocol"`
	Replicas   uint32   `json:"replicas"`
	Heights    uint32   `json:"heights"`
	Byzantine  []uint32 `json:"byzantine"`
	BlockTime  uint64   `json:"block_time"`
	Seed       uint64   `json:"seed"`
	Signatures string   `json:"signatures"`
	Recovery   string   `json:"recovery"`
}

func (p *startParams) check() *failure {
	switch {
	case p.Replicas == 0 || p.Replicas > maxReplicas:
		return fail(codeBadParams, "replicas: 1 to %d", maxReplicas)
	case p.Heights == 0 || p.Heights > maxHeights:
		return fail(codeBadParams, "heights: 1 to %d", maxHeights)
	case p.BlockTime == 0 || p.BlockTime > uint64(horizon):
		return fail(codeBadParams, "block_time: 1 to %d", horizon)
	case p.Signatures != "p256" && p.Signatures != "symbolic":
		return fail(codeBadParams, "signatures: p256 or symbolic")
	case p.Recovery != "ideal" && p.Recovery != "neo-go":
		return fail(codeBadParams, "recovery: ideal or neo-go")
	}
	seen := make(map[uint32]bool)
	for _, who := range p.Byzantine {
		if who >= p.Replicas || seen[who] {
			return fail(codeBadParams, "byzantine: %d is named twice or no replica", who)
		}
		seen[who] = true
	}
	return nil
}

type startResult struct {
	Protocol string `json:"protocol"`
	Engine   string `json:"engine"`
	Version  string `json:"version"`
	Effects  []any  `json:"effects"`
}

func (a *adapter) initialise(raw json.RawMessage) (any, *failure) {
	var p startParams
	if err := decode(raw, &p, "protocol"); err != nil {
		return nil, err
	}
	if minor, ok := strings.CutPrefix(p.Protocol, protocolPrefix); !ok || minor == "" ||
		strings.Trim(minor, "0123456789") != "" {
		return nil, fail(codeInitialise, "protocol: %s is spoken here, not %q", protocolSpoken, p.Protocol)
	}
	err := decode(raw, &p, "replicas", "heights", "byzantine", "block_time", "seed", "signatures", "recovery")
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, err
	}
	a.run = newRun(&p)
	a.run.start()
	return startResult{protocolSpoken, "nspcc-dbft", engineVersion(), a.run.flush()}, nil
}

type effectsResult struct {
	Effects []any  `json:"effects"`
	Message uint64 `json:"message,omitempty"`
}

type replicaParams struct {
	Replica uint32 `json:"replica"`
}

func (n *run) deliver(raw json.RawMessage) (any, *failure) {
	var p struct {
		replicaParams
		Message uint64 `json:"message"`
	}
	if err := decode(raw, &p, "replica", "message"); err != nil {
		return nil, err
	}
	r, err := n.live(p.Replica)
	if err != nil {
		return nil, err
	}
	m, known := n.messages[p.Message]
	switch {
	case !known:
		return nil, fail(codeNoMessage, "no message %d", p.Message)
	case m.author == r.author:
		return nil, fail(codeBadParams, "message %d is replica %d's own", p.Message, p.Replica)
	}
	r.receive(m)
	return effectsResult{Effects: n.flush()}, nil
}

func (n *run) timeout(raw json.RawMessage) (any, *failure) {
	var p struct {
		replicaParams
		Timer  string `json:"timer"`
		Height uint32 `json:"height"`
		View   uint32 `json:"view"`
	}
	if err := decode(raw, &p, "replica", "timer", "height", "view"); err != nil {
		return nil, err
	}
	if p.Timer != timerName {
		return nil, fail(codeBadParams, "timer: there is no %q, only %q", p.Timer, timerName)
	}
	r, err := n.live(p.Replica)
	if err != nil {
		return nil, err
	}
	r.timeout(p.Height, p.View)
	return effectsResult{Effects: n.flush()}, nil
}

func (n *run) inject(raw json.RawMessage) (any, *failure) {
	var p struct {
		replicaParams
		Label json.RawMessage `json:"label"`
	}
	if err := decode(raw, &p, "replica", "label"); err != nil {
		return nil, err
	}
	var l label
	if err := decode(p.Label, &l, "kind", "height", "view"); err != nil {
		return nil, err
	}
	if p.Replica >= uint32(len(n.replicas)) || n.replicas[p.Replica] != nil {
		return nil, fail(codeReplica, "replica %d is not Byzantine", p.Replica)
	}
	m, err := n.forge(uint16(p.Replica), &l)
	if err != nil {
		return nil, err
	}
	return effectsResult{Effects: n.flush(), Message: n.register(m)}, nil
}

func (n *run) crash(raw json.RawMessage) (any, *failure) {
	var p replicaParams
	if err := decode(raw, &p, "replica"); err != nil {
		return nil, err
	}
	r, err := n.live(p.Replica)
	if err != nil {
		return nil, err
	}
	r.crash()
	return effectsResult{Effects: n.flush()}, nil
}

func (n *run) restart(raw json.RawMessage) (any, *failure) {
	var p replicaParams
	if err := decode(raw, &p, "replica"); err != nil {
		return nil, err
	}
	r, err := n.honest(p.Replica)
	if err != nil {
		return nil, err
	}
	if r.up {
		return nil, fail(codeReplica, "replica %d is up", p.Replica)
	}
	r.restart()
	return effectsResult{Effects: n.flush()}, nil
}

func (n *run) advance(raw json.RawMessage) (any, *failure) {
	var p struct {
		Now uint64 `json:"now"`
	}
	if err := decode(raw, &p, "now"); err != nil {
		return nil, err
	}
	now := n.now()
	switch {
	case p.Now < now:
		return nil, fail(codeClock, "it is %d, the clock does not run backwards to %d", now, p.Now)
	case p.Now > uint64(horizon):
		return nil, fail(codeBadParams, "now: the clock ends at %d", horizon)
	}
	time.Sleep(time.Duration(p.Now - now))
	return effectsResult{Effects: n.flush()}, nil
}

func (n *run) stateOf(raw json.RawMessage) (any, *failure) {
	var p replicaParams
	if err := decode(raw, &p, "replica"); err != nil {
		return nil, err
	}
	r, err := n.honest(p.Replica)
	if err != nil {
		return nil, err
	}
	return r.state(), nil
}
