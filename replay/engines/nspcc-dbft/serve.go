package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest request in bytes.
const maxLine = 16 << 20

// Error codes of the protocol.
const (
	codeNoJSON       = -32700
	codeNoRequest    = -32600
	codeNoMethod     = -32601
	codeBadParams    = -32602
	codeInitialise   = -32001
	codeReplica      = -32002
	codeNoMessage    = -32003
	codeImpossible   = -32004
	codeClock        = -32005
	protocolPrefix   = "milp-engine/2."
	protocolSpoken   = protocolPrefix + "0"
	methodInitialise = "initialise"
	methodShutdown   = "shutdown"
)

// failure answers a request that cannot be carried out.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return fmt.Sprintf("%s (%d)", f.Message, f.Code) }

func fail(code int, format string, args ...any) *failure {
	return &failure{code, fmt.Sprintf(format, args...)}
}

type request struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  *string         `json:"method"`
	Params  json.RawMessage `json:"params"`
}

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
}

// serve answers requests until `shutdown` or the end of input; it fails when reading or writing
// does.
func serve(in io.Reader, out io.Writer) error {
	reader := bufio.NewReader(in)
	var adapter adapter
	for {
		line, err := readLine(reader)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var tooLong *failure
		if err != nil && !errors.As(err, &tooLong) {
			return fmt.Errorf("reading requests: %w", err)
		}
		var answer response
		var done bool
		if tooLong != nil {
			answer = refuse(nil, tooLong)
		} else {
			answer, done = adapter.handle(line)
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("encoding a response: %w", err)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return fmt.Errorf("writing responses: %w", err)
		}
		if done {
			return nil
		}
	}
}

// readLine reads up to a line end. Of a line that is too long the rest is skipped, and a
// *failure says so.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := reader.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine+1; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && (!errors.Is(err, io.EOF) || len(line) == 0):
			return nil, err
		case long:
			return nil, fail(codeNoJSON, "a line is longer than %d bytes", maxLine)
		default:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		}
	}
}

// handle answers one line; the second value says whether it was the last.
func (a *adapter) handle(line []byte) (response, bool) {
	if !json.Valid(line) {
		return refuse(nil, fail(codeNoJSON, "the line is not JSON")), false
	}
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return refuse(nil, fail(codeNoRequest, "not a request: %v", err)), false
	}
	if !isID(r.ID) {
		return refuse(nil, fail(codeNoRequest, "a request needs an id, a number or a string")), false
	}
	if r.Version != "2.0" || r.Method == nil {
		return refuse(r.ID, fail(codeNoRequest, `a request needs "jsonrpc": "2.0" and a method`)), false
	}
	result, err := a.call(*r.Method, r.Params)
	if err != nil {
		return refuse(r.ID, err), false
	}
	return response{Version: "2.0", ID: r.ID, Result: result}, *r.Method == methodShutdown
}

func refuse(id json.RawMessage, why *failure) response {
	if id == nil {
		id = json.RawMessage("null")
	}
	return response{Version: "2.0", ID: id, Error: why}
}

// isID tells numbers and strings from everything else that is JSON.
func isID(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '"' || raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}
