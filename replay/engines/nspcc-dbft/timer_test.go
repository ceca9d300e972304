package main

import (
	"math/rand"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nspcc-dev/dbft/timer"
)

// The timer fires when the engine's own does, whatever is done to both.
func TestTheTimerIsTheEnginesOwn(t *testing.T) {
	fired := 0
	for seed := range int64(50) {
		synctest.Test(t, func(t *testing.T) {
			chance := rand.New(rand.NewSource(seed))
			var ours virtualTimer
			theirs := timer.New()
			for step := range 200 {
				span := time.Duration(chance.Intn(6)) * time.Second
				switch chance.Intn(4) {
				case 0:
					ours.Reset(5, 1, span)
					theirs.Reset(5, 1, span)
				case 1, 2:
					if ours.span > 0 { // the engine never extends before the first reset
						ours.Extend(span)
						theirs.Extend(span)
					}
				case 3:
					time.Sleep(span)
				}
				synctest.Wait()
				// Now and then nobody looks, and an event stays unread.
				if chance.Intn(3) == 0 {
					continue
				}
				due := ours.runs && !ours.due.After(ours.Now())
				if due {
					ours.runs = false
					fired++
				}
				select {
				case <-theirs.C():
					if !due {
						t.Fatalf("seed %d, step %d: theirs fires, ours is due in %v", seed, step, time.Until(ours.due))
					}
				default:
					if due {
						t.Fatalf("seed %d, step %d: ours fires, theirs does not", seed, step)
					}
				}
			}
		})
	}
	if fired < 500 {
		t.Errorf("only %d firings were compared", fired)
	}
}

// deadline of a replica's timer.
func (c *client) deadline(who int) time.Duration {
	c.Helper()
	s := c.state(who)
	if len(s.Timers) != 1 {
		c.Fatalf("replica %d has no timer", who)
	}
	return time.Duration(s.Timers[0].Deadline)
}

func (c *client) expectDeadline(when string, who int, expected time.Duration) {
	c.Helper()
	if found := c.deadline(who); found != expected {
		c.Errorf("%s: the timer of replica %d is due at %v, expected %v", when, who, found, expected)
	}
}

// T is divisible by M = 3.
const blockTime = 3 * time.Second

func TestTimersOfAViewWithoutFaults(t *testing.T) {
	with(t, setup{replicas: 4, heights: 2, blockTime: blockTime}, func(c *client, effects []anEffect) {
		const T, third = blockTime, blockTime / 3
		if len(effects) != 4 || effects[0].Timers[0] != (timerState{timerName, 0, 0, uint64(T)}) ||
			effects[1].Timers[0] != (timerState{timerName, 0, 0, uint64(2 * T)}) {
			c.Errorf("start: %v", effects)
		}
		c.advance(T)
		request := c.only(kindPrepareRequest, c.timeout(0, 0, 0))
		c.expectDeadline("request sent", 0, 2*T)
		c.advance(T + time.Second)
		response1 := c.only(kindPrepareResponse, c.deliver(1, request))
		c.expectDeadline("request accepted", 1, 2*T+2*third)
		c.deliver(0, response1)
		c.expectDeadline("response at the primary", 0, 2*T+2*third)
		response2 := c.only(kindPrepareResponse, c.deliver(2, request))
		c.only(kindPrepareResponse, c.deliver(3, request))
		c.advance(T + 2*time.Second)
		commit1 := c.only(kindCommit, c.deliver(1, response2))
		c.expectDeadline("own commit", 1, 2*T+2*time.Second)
		c.deliver(3, commit1)
		c.expectDeadline("another's commit", 3, 2*T+2*third+4*third)
		c.advance(2*T + 2*time.Second)
		c.only(kindRecoveryMessage, c.timeout(1, 0, 0))
		c.expectDeadline("timeout after a commit", 1, 4*T+2*time.Second)
		// The next height: what has passed since the request was sent or answered is deducted,
		// and half the mean round trip, here one of 1 s over 70 samples.
		commit2 := c.only(kindCommit, c.deliver(2, response1))
		commit3 := c.only(kindCommit, c.deliver(3, response1))
		c.deliver(1, commit2)
		c.deliver(1, commit3)
		c.expectDeadline("next height, primary, its time is over", 1, 2*T+2*time.Second)
		c.only(kindCommit, c.deliver(0, response2))
		c.deliver(0, commit2)
		c.deliver(0, commit3)
		roundTrips := (time.Second)/70 + (T+2*time.Second)/70
		c.expectDeadline("next height, backup", 0, T+2*T-roundTrips/2)
	})
}

func TestTimersOfViewChanges(t *testing.T) {
	with(t, setup{replicas: 4, heights: 1, blockTime: blockTime}, func(c *client, _ []anEffect) {
		const T = blockTime
		// Nobody was heard: the first timeout asks for recovery, the second for the view.
		c.advance(2 * T)
		var asked []uint64
		for who := 1; who < 4; who++ {
			asked = append(asked, c.only(kindRecoveryRequest, c.timeout(who, 0, 0)))
			c.expectDeadline("first timeout", who, 6*T)
		}
		for i, id := range asked {
			for who := 1; who < 4; who++ {
				if who != i+1 {
					c.deliver(who, id)
				}
			}
		}
		c.advance(6 * T)
		var wishes []uint64
		for who := 1; who < 4; who++ {
			wishes = append(wishes, c.only(kindChangeView, c.timeout(who, 0, 0)))
			c.expectDeadline("second timeout", who, 10*T)
		}
		c.advance(7 * T)
		c.deliver(3, wishes[0])
		effects := c.deliver(3, wishes[1])
		if effects[0].Effect != "enter_view" || effects[0].View != 1 {
			c.Errorf("view 1 was not entered: %v", effects)
		}
		c.expectDeadline("entering as the primary", 3, 7*T)
		c.only(kindPrepareRequest, c.timeout(3, 0, 1))
		c.expectDeadline("request sent in view 1", 3, 11*T)
		c.deliver(1, wishes[1])
		c.deliver(1, wishes[2])
		c.expectDeadline("entering as a backup", 1, 11*T)
		c.advance(11 * T)
		c.only(kindRecoveryRequest, c.timeout(1, 0, 1))
		c.expectDeadline("timeout in view 1", 1, 19*T)
	})
}

// leaveViewZero has replicas 0, 1 and 2 enter view 1; replica 3 saw nothing of it.
func leaveViewZero(c *client) {
	c.Helper()
	request := c.only(kindPrepareRequest, c.timeout(0, 0, 0))
	for _, who := range []int{1, 2} {
		asked := c.only(kindRecoveryRequest, c.timeout(who, 0, 0))
		c.deliver(0, asked)
		c.deliver(3-who, asked)
		c.deliver(who, request)
	}
	var wishes []uint64
	for who := range 3 {
		wishes = append(wishes, c.only(kindChangeView, c.timeout(who, 0, 0)))
	}
	for by, id := range wishes {
		for who := range 3 {
			if who != by {
				c.deliver(who, id)
			}
		}
	}
	for who := range 3 {
		if s := c.state(who); s.View != 1 || len(s.Entry) != 3 {
			c.Fatalf("replica %d did not leave view 0: %v", who, s)
		}
	}
}

func TestAPrimaryThatWasRecoveredWaitsLikeABackup(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: blockTime}, func(c *client, _ []anEffect) {
		leaveViewZero(c)
		asked := c.only(kindRecoveryRequest, c.timeout(3, 0, 0))
		effects := c.deliver(0, asked)
		answer := c.only(kindRecoveryMessage, effects)
		if carried := effects[0].Carried; len(carried) != 3 || carried[0].Label.Kind != kindChangeView {
			c.Errorf("three change views expected: %v", carried)
		}
		effects = c.deliver(3, answer)
		if effects[0].Effect != "enter_view" || effects[0].View != 1 {
			c.Errorf("view 1 was not entered: %v", effects)
		}
		c.expectDeadline("recovered", 3, 4*blockTime)
	})
}
