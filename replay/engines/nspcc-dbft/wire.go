package main

import (
	"fmt"
	"strings"
)

// label is what a message says, as the protocol counts.
type label struct {
	Kind          string  `json:"kind"`
	Height        uint32  `json:"height"`
	View          uint32  `json:"view"`
	Value         *value  `json:"value"`
	Justification *uint32 `json:"justification"`
}

// value is what a message is about: which proposal of which view.
type value struct {
	View  uint32 `json:"view"`
	Index uint32 `json:"index"`
	// word is set in place of both where the protocol has one: "nil" or "bad".
	word string
}

func (v *value) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		if v.word = strings.Trim(string(text), `"`); v.word != "nil" && v.word != "bad" {
			return fmt.Errorf("no value %s", text)
		}
		return nil
	}
	type plain value
	if err := decode(text, (*plain)(v), "view", "index"); err != nil {
		return fmt.Errorf("value: %s", err.Message)
	}
	return nil
}

// Kinds of messages.
const (
	kindBlock           = "Block"
	kindPrepareRequest  = "PrepareRequest"
	kindPrepareResponse = "PrepareResponse"
	kindCommit          = "Commit"
	kindChangeView      = "ChangeView"
	kindRecoveryRequest = "RecoveryRequest"
	kindRecoveryMessage = "RecoveryMessage"
)

// Effects: each begins with its name and the replica it happened at.
type (
	sendEffect struct {
		Effect  string   `json:"effect"`
		Replica uint16   `json:"replica"`
		Message uint64   `json:"message"`
		Label   label    `json:"label"`
		Carried *[]named `json:"carried,omitempty"`
	}
	// named is a message by its author, carried by another.
	named struct {
		Author uint16 `json:"author"`
		Label  label  `json:"label"`
	}
	viewEffect struct {
		Effect  string `json:"effect"`
		Replica uint16 `json:"replica"`
		Height  uint32 `json:"height"`
		View    uint32 `json:"view"`
	}
	decideEffect struct {
		Effect  string `json:"effect"`
		Replica uint16 `json:"replica"`
		Label   label  `json:"label"`
	}
	timerEffect struct {
		Effect  string       `json:"effect"`
		Replica uint16       `json:"replica"`
		Timers  []timerState `json:"timers"`
	}
	faultEffect struct {
		Effect  string `json:"effect"`
		Replica uint16 `json:"replica"`
		Text    string `json:"text"`
	}
)

// timerName is the engine's only timer.
const timerName = "view"

// timerState is a timer that runs.
type timerState struct {
	Name     string `json:"name"`
	Height   uint32 `json:"height"`
	View     uint32 `json:"view"`
	Deadline uint64 `json:"deadline"`
}

// What `state` answers.
type (
	downState struct {
		Up     bool   `json:"up"`
		Height uint32 `json:"height"`
	}
	stoppedState struct {
		Up      bool   `json:"up"`
		Stopped bool   `json:"stopped"`
		Height  uint32 `json:"height"`
	}
	workingState struct {
		Up      bool         `json:"up"`
		Stopped bool         `json:"stopped"`
		Height  uint32       `json:"height"`
		View    uint32       `json:"view"`
		Votes   []vote       `json:"votes"`
		Entry   []vote       `json:"entry"`
		Bonds   []bond       `json:"bonds"`
		Seen    []*uint32    `json:"seen"`
		Timers  []timerState `json:"timers"`
	}
	// bond is what a vote says, without its author.
	bond struct {
		Kind  string `json:"kind"`
		View  uint32 `json:"view"`
		Value *value `json:"value"`
	}
	vote struct {
		Author uint16 `json:"author"`
		bond
	}
)
