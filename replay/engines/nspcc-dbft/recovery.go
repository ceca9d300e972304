package main

import "github.com/nspcc-dev/dbft"

// recovery implements dbft.RecoveryMessage: what a replica repeats for others. How the engine
// gets the payloads back is its embedder's choice.
type recovery struct {
	payloads []*payload
	// rebuilt says that payloads are made anew from what neo-go keeps of them.
	rebuilt bool
}

var _ dbft.RecoveryMessage[hash] = (*recovery)(nil)

func (r *recovery) AddPayload(p dbft.ConsensusPayload[hash]) {
	r.payloads = append(r.payloads, p.(*payload))
}

func (r *recovery) GetPrepareRequest(
	p dbft.ConsensusPayload[hash], _ []dbft.PublicKey, _ uint16,
) dbft.ConsensusPayload[hash] {
	if found := r.get(p, dbft.PrepareRequestType); len(found) > 0 {
		return found[0]
	}
	return nil
}

func (r *recovery) GetPrepareResponses(p dbft.ConsensusPayload[hash], _ []dbft.PublicKey) []dbft.ConsensusPayload[hash] {
	return r.get(p, dbft.PrepareResponseType)
}

func (r *recovery) GetChangeViews(p dbft.ConsensusPayload[hash], _ []dbft.PublicKey) []dbft.ConsensusPayload[hash] {
	return r.get(p, dbft.ChangeViewType)
}

func (r *recovery) GetPreCommits(dbft.ConsensusPayload[hash], []dbft.PublicKey) []dbft.ConsensusPayload[hash] {
	return nil
}

func (r *recovery) GetCommits(p dbft.ConsensusPayload[hash], _ []dbft.PublicKey) []dbft.ConsensusPayload[hash] {
	return r.get(p, dbft.CommitType)
}

func (r *recovery) PreparationHash() *hash { return nil }

// get gives the payloads of a kind, as the engine gets them from the recovery message outer.
func (r *recovery) get(outer dbft.ConsensusPayload[hash], kind dbft.MessageType) []dbft.ConsensusPayload[hash] {
	var found []dbft.ConsensusPayload[hash]
	for _, p := range r.payloads {
		if p.kind == kind {
			found = append(found, r.rebuild(p, outer.ViewNumber()))
		}
	}
	return found
}

// rebuild makes a payload as neo-go does: it does not keep the view of a commit. Nor does it keep
// what a change view asks for, but that is the view after the one it was sent in.
func (r *recovery) rebuild(p *payload, view byte) *payload {
	if !r.rebuilt || p.kind != dbft.CommitType {
		return p
	}
	anew := *p
	anew.view = view
	return &anew
}

// carried lists what a recovery message carries in the order in which the engine handles it.
func (r *recovery) carried(outer *payload, base uint32) []named {
	list := make([]named, 0, len(r.payloads))
	for _, kind := range []dbft.MessageType{
		dbft.ChangeViewType, dbft.PrepareRequestType, dbft.PrepareResponseType, dbft.CommitType,
	} {
		for _, p := range r.get(outer, kind) {
			list = append(list, named{p.ValidatorIndex(), p.(*payload).label(base)})
		}
	}
	return list
}
