package main

import (
	"errors"
	"time"

	"github.com/nspcc-dev/dbft"
)

// newEngine makes an engine with everything that neo-go would give it.
func (r *replica) newEngine() *dbft.DBFT[hash] {
	engine, err := dbft.New(
		dbft.WithLogger[hash](newLogger()),
		dbft.WithTimer[hash](&r.timer),
		dbft.WithTimePerBlock[hash](func() time.Duration { return time.Duration(r.run.BlockTime) }),
		dbft.WithGetKeyPair[hash](r.keyPair),
		dbft.WithGetValidators[hash](func(...dbft.Transaction[hash]) []dbft.PublicKey { return r.run.validators }),
		dbft.WithCurrentHeight[hash](func() uint32 { return r.run.base + r.height() - 1 }),
		dbft.WithCurrentBlockHash(r.lastHash),
		dbft.WithStopTxFlow[hash](r.noteView),
		dbft.WithBroadcast(r.broadcast),
		dbft.WithNewBlockFromContext(newBlock),
		dbft.WithProcessBlock(r.processBlock),
		dbft.WithNewConsensusPayload(newPayload),
		dbft.WithNewPrepareRequest(r.newPrepareRequest),
		dbft.WithNewPrepareResponse(func(h hash) dbft.PrepareResponse[hash] {
			return &prepareResponse{h, r.accepted()}
		}),
		dbft.WithNewCommit[hash](func(signature []byte) dbft.Commit {
			return &commit{signature, r.accepted()}
		}),
		dbft.WithNewChangeView[hash](func(target byte, reason dbft.ChangeViewReason, _ uint64) dbft.ChangeView {
			return &changeView{target, reason}
		}),
		dbft.WithNewRecoveryRequest[hash](func(timestamp uint64) dbft.RecoveryRequest {
			return &recoveryRequest{timestamp}
		}),
		dbft.WithNewRecoveryMessage(func() dbft.RecoveryMessage[hash] {
			return &recovery{rebuilt: r.run.Recovery == "neo-go"}
		}),
	)
	if err != nil {
		panic(err)
	}
	return engine
}

func (r *replica) keyPair([]dbft.PublicKey) (int, dbft.PrivateKey, dbft.PublicKey) {
	if r.watching {
		return -1, nil, nil
	}
	return int(r.author), r.run.keys[r.author], r.run.keys[r.author]
}

func (r *replica) lastHash() hash {
	if height := r.height(); height > 0 {
		return r.ledger[height-1].Hash()
	}
	return r.run.previous(0)
}

// noteView reports a new view. The engine stops the flow of transactions first thing after it
// has entered one, before it handles anything there.
func (r *replica) noteView() {
	if r.view == r.engine.ViewNumber {
		return
	}
	r.view = r.engine.ViewNumber
	if r.view > 0 {
		r.run.note(viewEffect{"enter_view", r.author, r.height(), uint32(r.view)})
	}
}

func (r *replica) broadcast(m dbft.ConsensusPayload[hash]) {
	p := m.(*payload)
	p.sign(r.run.keys)
	var carried *[]named
	if recovery, ok := p.body.(*recovery); ok {
		list := recovery.carried(p, r.run.base)
		carried = &list
	}
	r.send(&message{author: r.author, label: p.label(r.run.base), payload: p}, carried)
}

func newPayload(context *dbft.Context[hash], kind dbft.MessageType, content any) dbft.ConsensusPayload[hash] {
	return &payload{
		kind:   kind,
		author: uint16(context.MyIndex),
		index:  context.BlockIndex,
		view:   context.ViewNumber,
		body:   content.(body),
	}
}

// newPrepareRequest proposes. The engine's timestamp and nonce stay out: they come from clock and
// chance.
func (r *replica) newPrepareRequest(uint64, uint64, []hash) dbft.PrepareRequest[hash] {
	at := place{r.engine.BlockIndex, r.engine.ViewNumber}
	number := r.proposed[at]
	r.proposed[at]++
	return &prepareRequest{proposal{r.run.Seed, r.author, at.index, at.view, number}}
}

// accepted is the proposal of the request the replica sent or accepted in its view.
func (r *replica) accepted() proposal {
	return proposed(&r.engine.Context)
}

func proposed(context *dbft.Context[hash]) proposal {
	request := context.PreparationPayloads[context.PrimaryIndex].(*payload)
	return request.body.(*prepareRequest).proposal
}

func newBlock(context *dbft.Context[hash]) dbft.Block[hash] {
	return &block{proposal: proposed(context), prev: context.PrevHash}
}

// processBlock is the embedder's ledger, which checks what it is given as any ledger does. The
// engine counts commits that came before the request without comparing them with it; it treats a
// refusal as fatal.
func (r *replica) processBlock(decided dbft.Block[hash]) error {
	b := decided.(*block)
	b.witness = make([][]byte, len(r.run.keys))
	for author, p := range r.engine.CommitPayloads {
		if p != nil && p.ViewNumber() == b.view {
			b.witness[author] = p.GetCommit().Signature()
		}
	}
	if !b.isFinal(r.run.keys) {
		return errors.New("the ledger refuses a block that no quorum signs")
	}
	r.decide(b)
	return nil
}
