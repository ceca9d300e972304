package main

import (
	"testing"
	"time"
)

// fourGoodNodes is the engine's own scenario TestDBFT_FourGoodNodesDeadlock (dbft_test.go:617):
// two replicas have asked to leave view 1 and two have committed, one in view 0 and one in view 1,
// and still a block is decided. There the primary of view 0 is replica 1, here it is replica 0:
// replica i there is i − 1 modulo 4 here. It gives what the last acts did.
func fourGoodNodes(c *client) []anEffect {
	const r1, r2, r3, r0 = 0, 1, 2, 3
	// Steps 1, 3, 5 and 6: everybody but replica 3 prepares in view 0, replica 2 commits.
	reqV0 := c.only(kindPrepareRequest, c.timeout(r1, 0, 0))
	resp0V0 := c.only(kindPrepareResponse, c.deliver(r0, reqV0))
	resp2V0 := c.only(kindPrepareResponse, c.deliver(r2, reqV0))
	cm2V0 := c.only(kindCommit, c.deliver(r2, resp0V0))
	// Steps 7, 2 and 4: the others ask to leave view 0.
	c.deliver(r3, resp0V0)
	c.deliver(r3, resp2V0)
	cv3V0 := c.only(kindChangeView, c.timeout(r3, 0, 0))
	c.deliver(r1, resp0V0)
	c.deliver(r1, cv3V0)
	cv1V0 := c.only(kindChangeView, c.timeout(r1, 0, 0))
	c.deliver(r0, cv3V0)
	cv0V0 := c.only(kindChangeView, c.timeout(r0, 0, 0))
	// Steps 8 to 11: replicas 1 and 0 enter view 1, its primary proposes.
	c.deliver(r1, cv0V0)
	c.deliver(r0, cv1V0)
	reqV1 := c.only(kindPrepareRequest, c.timeout(r0, 0, 1))
	resp1V1 := c.only(kindPrepareResponse, c.deliver(r1, reqV1))
	// Step 14 and A to C: replica 3 follows; its question tells the others that it is there.
	c.deliver(r3, cv0V0)
	c.deliver(r3, cv1V0)
	ask3V1 := c.only(kindRecoveryRequest, c.timeout(r3, 0, 1))
	c.only(kindRecoveryMessage, c.deliver(r1, ask3V1))
	c.only(kindRecoveryMessage, c.deliver(r0, ask3V1))
	// Steps 12 and 13: replicas 1 and 0 ask to leave view 1.
	c.only(kindChangeView, c.timeout(r1, 0, 1))
	c.deliver(r0, resp1V1)
	c.only(kindChangeView, c.timeout(r0, 0, 1))
	// Steps 15 and 16: replica 3 commits in view 1.
	resp3V1 := c.only(kindPrepareResponse, c.deliver(r3, reqV1))
	cm3V1 := c.only(kindCommit, c.deliver(r3, resp1V1))
	// D and 17: replicas 0 and 1 commit although they asked to leave.
	c.deliver(r0, cm2V0)
	c.deliver(r0, cm3V1)
	cm0V1 := c.only(kindCommit, c.deliver(r0, resp3V1))
	c.deliver(r1, cm0V1)
	cm1V1 := c.only(kindCommit, c.deliver(r1, resp3V1))
	last := c.deliver(r0, cm1V1)
	last = append(last, c.deliver(r1, cm3V1)...)
	last = append(last, c.deliver(r3, cm0V1)...)
	last = append(last, c.deliver(r3, cm1V1)...)
	// Replica 2 committed in view 0 for good: only the block itself helps it.
	return append(last, c.deliver(r2, sends(kindBlock, last)[0])...)
}

func TestFourGoodNodesAllDecide(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: time.Second}, func(c *client, _ []anEffect) {
		decided := deciders(fourGoodNodes(c))
		for who := range 4 {
			if blocks := decided[who]; len(blocks) != 1 || blocks[0].View != 1 || blocks[0].Value.Index != 0 {
				c.Errorf("replica %d decided %v", who, blocks)
			}
		}
	})
}

func TestTwoRunsGiveTheSameBytes(t *testing.T) {
	for _, signatures := range []string{"p256", "symbolic"} {
		var transcripts [2]string
		for i := range transcripts {
			with(t, setup{replicas: 4, blockTime: time.Second, signatures: signatures}, func(c *client, _ []anEffect) {
				fourGoodNodes(c)
				transcripts[i] = c.transcript.String()
			})
		}
		if transcripts[0] != transcripts[1] {
			t.Errorf("%s: two runs differ", signatures)
		}
	}
}

func TestAnUndisturbedRunDecidesEveryHeight(t *testing.T) {
	for _, n := range []int{1, 4, 7} {
		with(t, setup{replicas: n, heights: 3, blockTime: time.Second, signatures: "p256"}, func(c *client, _ []anEffect) {
			for height := range 3 {
				decided := deciders(c.settle(c.timeout(height%n, height, 0)))
				for who := range n {
					if len(decided[who]) != 1 || decided[who][0].Height != uint32(height) {
						c.Errorf("n = %d, height %d: replica %d decided %v", n, height, who, decided[who])
					}
				}
			}
			for who := range n {
				if s := c.state(who); !s.Stopped || s.Height != 3 {
					c.Errorf("n = %d: replica %d has not stopped: %v", n, who, s)
				}
			}
		})
	}
}

func TestABlockDecidesWhateverTheReplicaDidNotSee(t *testing.T) {
	with(t, setup{replicas: 4, heights: 2, blockTime: time.Second}, func(c *client, _ []anEffect) {
		effects := c.settle(c.timeout(0, 0, 0), 3)
		block := sends(kindBlock, effects)[0]
		effects = c.deliver(3, block)
		if effects[0].Effect != "decide" || effects[1].Effect != "send" || effects[1].Label.Kind != kindBlock {
			c.Errorf("decide and publish expected: %v", effects)
		}
		if s := c.state(3); s.Height != 1 || len(s.Timers) != 1 || s.Timers[0].Height != 1 {
			c.Errorf("the next height did not start: %v", s)
		}
		if effects := c.deliver(3, block); len(effects) != 0 {
			c.Errorf("a block of a past height did something: %v", effects)
		}
	})
}
