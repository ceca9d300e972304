package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAPrimaryThatRestartsProposesAnotherBlock(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: time.Second}, func(c *client, _ []anEffect) {
		c.timeout(0, 0, 0)
		for incarnation := uint32(1); incarnation < 3; incarnation++ {
			if effects := c.crash(0); len(effects) != 1 || effects[0].Effect != "timer" || len(effects[0].Timers) != 0 {
				c.Errorf("crash: the timer ends, nothing else: %v", effects)
			}
			if s := c.state(0); s.Up {
				c.Errorf("crashed and up: %v", s)
			}
			effects := c.restart(0)
			request := c.only(kindPrepareRequest, effects)
			if found := effects[0].Label.Value.Index; found != incarnation {
				c.Errorf("proposal %d expected, found %d", incarnation, found)
			}
			response := c.deliver(int(incarnation), request)
			if found := response[0].Label.Value.Index; found != incarnation {
				c.Errorf("the response names proposal %d, not %d", found, incarnation)
			}
		}
		if effects := c.crash(1); len(effects) != 1 {
			c.Errorf("%v", effects)
		}
		if effects := c.restart(1); len(sends(kindPrepareRequest, effects)) != 0 {
			c.Errorf("a backup proposes: %v", effects)
		}
		if s := c.state(1); len(s.Votes) != 0 {
			c.Errorf("a backup remembers: %v", s)
		}
	})
}

func TestADuplicateChangesNothing(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: time.Second}, func(c *client, _ []anEffect) {
		seen := 0
		var pending []uint64
		take := func(effects []anEffect) {
			for _, e := range effects {
				// A recovery message may be answered again; there is none here.
				if e.Effect == "send" && e.Label.Kind != kindBlock {
					pending = append(pending, e.Message)
				}
			}
		}
		take(c.timeout(0, 0, 0))
		for len(pending) > 0 {
			id := pending[0]
			pending = pending[1:]
			for who := range 4 {
				if int(c.adapter.run.messages[id].author) == who {
					continue
				}
				take(c.deliver(who, id))
				seen++
				if effects := c.deliver(who, id); len(effects) != 0 {
					c.Errorf("message %d again at replica %d: %v", id, who, effects)
				}
			}
		}
		if seen < 20 {
			c.Errorf("only %d duplicates", seen)
		}
	})
}

func TestWhatIsInjectedNamesWhatWillBeProposed(t *testing.T) {
	for _, signatures := range []string{"p256", "symbolic"} {
		s := setup{replicas: 4, heights: 2, byzantine: []int{3}, blockTime: time.Second, signatures: signatures}
		with(t, s, func(c *client, _ []anEffect) {
			for height := range 2 {
				h := uint32(height)
				response := c.inject(3, label{Kind: kindPrepareResponse, Height: h, Value: proposalOf(0, 0)})
				commit := c.inject(3, label{Kind: kindCommit, Height: h, Value: proposalOf(0, 0)})
				primary, backup := height, 1-height
				c.deliver(backup, response)
				if held := c.state(backup).Votes; len(held) != 1 || held[0].Value != nil {
					c.Errorf("a response to nothing names no block: %v", held)
				}
				request := c.only(kindPrepareRequest, c.timeout(primary, height, 0))
				if held := c.state(backup).Votes; len(held) != 1 || held[0].Value == nil {
					c.Errorf("now it does: %v", held)
				}
				effects := c.deliver(backup, request)
				own := c.only(kindPrepareResponse, effects)
				// Request, own response and the injected one are a quorum.
				ownCommit := c.only(kindCommit, effects)
				c.deliver(primary, response)
				primaryCommit := c.only(kindCommit, c.deliver(primary, own))
				c.deliver(primary, commit)
				block := sends(kindBlock, c.deliver(primary, ownCommit))
				c.deliver(backup, commit)
				decided := deciders(c.deliver(backup, primaryCommit))
				if len(block) != 1 || len(decided[backup]) != 1 {
					c.Errorf("%s, height %d: the injected commit does not count", signatures, height)
				}
				c.deliver(2, block[0])
			}
		})
	}
}

func TestACommitForAnotherBlockIsRefused(t *testing.T) {
	with(t, setup{replicas: 4, byzantine: []int{3}, blockTime: time.Second}, func(c *client, _ []anEffect) {
		c.deliver(1, c.timeout(0, 0, 0)[0].Message)
		c.deliver(1, c.inject(3, label{Kind: kindCommit, Value: proposalOf(0, 1)}))
		if held := of(kindCommit, c.state(1).Votes); len(held) != 0 {
			c.Errorf("held: %v", held)
		}
		c.deliver(1, c.inject(3, label{Kind: kindCommit, Value: proposalOf(0, 0)}))
		if held := of(kindCommit, c.state(1).Votes); len(held) != 1 || held[0].Value == nil || *held[0].Value != (value{}) {
			c.Errorf("not held: %v", held)
		}
	})
}

func TestAForgedMessageIsIgnored(t *testing.T) {
	for _, signatures := range []string{"p256", "symbolic"} {
		with(t, setup{replicas: 4, blockTime: time.Second, signatures: signatures}, func(c *client, _ []anEffect) {
			id := c.only(kindPrepareRequest, c.timeout(0, 0, 0))
			genuine := c.adapter.run.messages[id].payload
			forged := *genuine
			forged.body = &prepareRequest{c.adapter.run.proposal(0, value{Index: 5})}
			c.adapter.run.messages[id].payload = &forged
			if effects := c.deliver(1, id); len(effects) != 0 {
				c.Errorf("%s: a forged request was taken: %v", signatures, effects)
			}
			c.adapter.run.messages[id].payload = genuine
			c.only(kindPrepareResponse, c.deliver(1, id))
		})
	}
}

func TestWhatAnIdealRecoveryMessageCarriesIsVerified(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: time.Second}, func(c *client, _ []anEffect) {
		leaveViewZero(c)
		answer := c.only(kindRecoveryMessage, c.deliver(0, c.only(kindRecoveryRequest, c.timeout(3, 0, 0))))
		carrier := c.adapter.run.messages[answer].payload
		forged := *carrier.body.(*recovery).payloads[0]
		forged.signature = []byte("3 signs this")
		genuine := carrier.body.(*recovery).payloads[0]
		carrier.body.(*recovery).payloads[0] = &forged
		if effects := c.deliver(3, answer); len(effects) != 0 {
			c.Errorf("a forged change view was taken: %v", effects)
		}
		carrier.body.(*recovery).payloads[0] = genuine
		if effects := c.deliver(3, answer); len(effects) == 0 {
			c.Error("the genuine one was not taken")
		}
	})
}

// A commit of view 0 in a recovery message of view 1 keeps its view, unless it is rebuilt as
// neo-go does, and what it signs in any case.
func TestRecoveryMessagesAreRebuiltAsAsked(t *testing.T) {
	for _, mode := range []struct {
		recovery    string
		view        uint32
		commitsHeld int
	}{{"ideal", 0, 3}, {"neo-go", 1, 2}} {
		s := setup{replicas: 4, byzantine: []int{1}, blockTime: time.Second, recovery: mode.recovery}
		with(t, s, func(c *client, _ []anEffect) {
			carried, commits := recoverAcrossViews(c)
			expected := label{Kind: kindCommit, View: mode.view, Value: proposalOf(0, 0)}
			isExpected := func(one named) bool { return one.Author == 1 && reflect.DeepEqual(one.Label, expected) }
			if !slices.ContainsFunc(carried, isExpected) {
				c.Errorf("%s: %v is not carried: %v", mode.recovery, expected, carried)
			}
			if len(commits) != mode.commitsHeld {
				c.Errorf("%s: %d commits held afterwards: %v", mode.recovery, len(commits), commits)
			}
		})
	}
}

// recoverAcrossViews has replica 2 hold a commit of view 0 by Byzantine replica 1, enter view 1 with
// the help of a change view by 1 of view 0, commit there and answer replica 0, who is in view 1 and
// has no request. It gives what the answer carries and the commits that replica 0 then holds.
func recoverAcrossViews(c *client) ([]named, []vote) {
	c.Helper()
	c.deliver(2, c.inject(1, label{Kind: kindCommit, Value: proposalOf(0, 0)}))
	hello := c.inject(1, label{Kind: kindPrepareResponse, Value: proposalOf(0, 0)})
	wish := c.inject(1, label{Kind: kindChangeView})
	c.timeout(0, 0, 0) // the primary proposes to nobody
	asked := c.only(kindRecoveryRequest, c.timeout(2, 0, 0))
	wishes := make(map[int]uint64)
	for _, who := range []int{0, 3} {
		c.deliver(who, hello)
		c.deliver(who, asked)
		wishes[who] = c.only(kindChangeView, c.timeout(who, 0, 0))
	}
	for _, who := range []int{0, 2, 3} {
		c.deliver(who, wish)
		for _, by := range []int{0, 3} {
			if by != who {
				c.deliver(who, wishes[by])
			}
		}
		if s := c.state(who); s.View != 1 {
			c.Fatalf("replica %d is not in view 1: %v", who, s)
		}
	}
	request := c.only(kindPrepareRequest, c.timeout(3, 0, 1))
	c.deliver(2, c.inject(1, label{Kind: kindPrepareResponse, View: 1, Value: proposalOf(1, 0)}))
	c.only(kindCommit, c.deliver(2, request))
	effects := c.deliver(2, c.only(kindRecoveryRequest, c.timeout(0, 0, 1)))
	c.deliver(0, c.only(kindRecoveryMessage, effects))
	return effects[0].Carried, of(kindCommit, c.state(0).Votes)
}

func TestWhatTheEngineCannotSurviveIsAFault(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: time.Second}, func(c *client, _ []anEffect) {
		replica := c.adapter.run.replicas[2]
		for text, act := range map[string]func(){
			"index out of range":             func() { _ = replica.ledger[len(replica.ledger)] },
			"fatal: block processing failed": func() { newLogger().Fatal("block processing failed") },
			"dpanic: unexpected nil":         func() { newLogger().DPanic("unexpected nil") },
		} {
			replica.guard(act)
			effects := c.adapter.run.flush()
			fault, isFault := effects[0].(faultEffect)
			if !isFault || fault.Replica != 2 || !strings.Contains(fault.Text, text) {
				c.Errorf("%s: %v", text, effects)
			}
			if c.state(2).Up {
				c.Errorf("%s: still up", text)
			}
			newLogger().Error("this is no fault")
			c.restart(2)
		}
	})
}
