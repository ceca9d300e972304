package main

// label is what a message says, as the protocol counts.
type label struct {
	Kind   string  `json:"kind"`
	Height uint32  `json:"height"`
	View   uint32  `json:"view"`
	Block  *uint32 `json:"block"`
	Target *uint32 `json:"target"`
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
		Effect  string      `json:"effect"`
		Replica uint16      `json:"replica"`
		Timer   *timerState `json:"timer"`
	}
	faultEffect struct {
		Effect  string `json:"effect"`
		Replica uint16 `json:"replica"`
		Text    string `json:"text"`
	}
)

// timerState is a timer that runs; nil stands for one that does not.
type timerState struct {
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
		Up              bool          `json:"up"`
		Stopped         bool          `json:"stopped"`
		Height          uint32        `json:"height"`
		View            uint32        `json:"view"`
		Preparations    []preparation `json:"preparations"`
		Commits         []commitment  `json:"commits"`
		ChangeViews     []wish        `json:"change_views"`
		LastChangeViews []wish        `json:"last_change_views"`
		Seen            []*uint32     `json:"seen"`
		Request         *uint32       `json:"request"`
		ResponseSent    bool          `json:"response_sent"`
		CommitSent      bool          `json:"commit_sent"`
		ChangeViewSent  bool          `json:"change_view_sent"`
		BlockSent       bool          `json:"block_sent"`
		Timer           *timerState   `json:"timer"`
	}
	preparation struct {
		Author uint16  `json:"author"`
		Kind   string  `json:"kind"`
		Block  *uint32 `json:"block"`
	}
	commitment struct {
		Author uint16  `json:"author"`
		View   uint32  `json:"view"`
		Block  *uint32 `json:"block"`
	}
	wish struct {
		Author uint16 `json:"author"`
		Target uint32 `json:"target"`
	}
)
