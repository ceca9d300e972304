package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const initialise = `{"jsonrpc":"2.0","id":1,"method":"initialise","params":{"protocol":"milp-engine/2.7",` +
	`"replicas":4,"heights":1,"byzantine":[3],"block_time":1000,"seed":18446744073709551615,` +
	`"signatures":"symbolic","recovery":"ideal","later":"ignored"}}`

// answers runs the whole adapter on some lines and gives its lines.
func answers(t *testing.T, lines ...string) []string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		if err := serve(strings.NewReader(strings.Join(lines, "\n")), &out); err != nil {
			t.Fatal(err)
		}
	})
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestEveryErrorHasItsCode(t *testing.T) {
	call := func(method, params string) string {
		return `{"jsonrpc":"2.0","id":"x","method":"` + method + `","params":` + params + `}`
	}
	label := func(by, label string) string {
		return call("inject", `{"replica":`+by+`,"label":{`+label+`}}`)
	}
	lines := []struct {
		line string
		code int
	}{
		{`{"jsonrpc":`, codeNoJSON},
		{``, codeNoJSON},
		{`[]`, codeNoRequest},
		{`7`, codeNoRequest},
		{`{"jsonrpc":"2.0","method":"state"}`, codeNoRequest},
		{`{"jsonrpc":"2.0","id":null,"method":"state"}`, codeNoRequest},
		{`{"jsonrpc":"2.0","id":[1],"method":"state"}`, codeNoRequest},
		{`{"jsonrpc":"1.0","id":1,"method":"state"}`, codeNoRequest},
		{`{"jsonrpc":"2.0","id":1}`, codeNoRequest},
		{`{"jsonrpc":"2.0","id":1,"method":5}`, codeNoRequest},
		{call("dance", "{}"), codeNoMethod},
		{call("deliver", `{"replica":0,"message":1}`), codeInitialise},
		{call("initialise", `{}`), codeBadParams},
		{strings.Replace(initialise, "milp-engine/2.7", "milp-engine/1.0", 1), codeInitialise},
		{strings.Replace(initialise, "milp-engine/2.7", "milp-engine/2.", 1), codeInitialise},
		{strings.Replace(initialise, "symbolic", "rsa", 1), codeBadParams},
		{strings.Replace(initialise, "[3]", "[3,3]", 1), codeBadParams},
		{strings.Replace(initialise, "[3]", "[4]", 1), codeBadParams},
		{strings.Replace(initialise, `"heights":1`, `"heights":0`, 1), codeBadParams},
		{strings.Replace(initialise, `"heights":1`, `"heights":1.5`, 1), codeBadParams},
		{strings.Replace(initialise, `"seed"`, `"sead"`, 1), codeBadParams},
		{initialise, 0},
		{initialise, codeInitialise},
		{call("deliver", `[0,1]`), codeBadParams},
		{call("deliver", `{"replica":0}`), codeBadParams},
		{call("deliver", `{"replica":-1,"message":1}`), codeBadParams},
		{call("deliver", `{"replica":0,"message":1}`), codeNoMessage},
		{call("deliver", `{"replica":4,"message":1}`), codeReplica},
		{call("deliver", `{"replica":3,"message":1}`), codeReplica},
		{call("timeout", `{"replica":3,"timer":"view","height":0,"view":0}`), codeReplica},
		{call("timeout", `{"replica":0,"timer":"view","height":0,"view":256}`), 0},
		{call("timeout", `{"replica":0,"timer":"view","height":7,"view":0}`), 0},
		{call("timeout", `{"replica":0,"timer":"propose","height":0,"view":0}`), codeBadParams},
		{call("timeout", `{"replica":0,"height":0,"view":0}`), codeBadParams},
		{call("restart", `{"replica":0}`), codeReplica},
		{call("crash", `{"replica":0}`), 0},
		{call("crash", `{"replica":0}`), codeReplica},
		{call("timeout", `{"replica":0,"timer":"view","height":0,"view":0}`), codeReplica},
		{call("state", `{"replica":0}`), 0},
		{call("state", `{"replica":3}`), codeReplica},
		{call("advance", `{"now":5}`), 0},
		{call("advance", `{"now":4}`), codeClock},
		{call("advance", `{"now":18446744073709551615}`), codeBadParams},
		{call("advance", `{"now":5}`), 0},
		{label("0", `"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0}`), codeReplica},
		{label("9", `"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0}`), codeReplica},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":null`), 0},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":{"view":0,"index":0},"justification":0`), codeImpossible},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":{"view":0}`), codeBadParams},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":0`), codeBadParams},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":"good"`), codeBadParams},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":"nil"`), codeImpossible},
		{label("3", `"kind":"Commit","height":0,"view":0,"value":null`), codeImpossible},
		{label("3", `"kind":"Commit","height":0,"view":1,"value":{"view":0,"index":0}`), codeImpossible},
		{label("3", `"kind":"Commit","height":1,"view":0,"value":{"view":0,"index":0}`), codeImpossible},
		{label("3", `"kind":"Commit","height":0,"view":300,"value":{"view":300,"index":0}`), codeImpossible},
		{label("3", `"kind":"ChangeView","height":0,"view":255`), codeImpossible},
		{label("3", `"kind":"ChangeView","height":0,"view":1,"value":{"view":1,"index":0}`), codeImpossible},
		{label("3", `"kind":"ChangeView","height":0,"view":1,"value":null`), 0},
		{label("3", `"kind":"PrepareRequest","height":0,"view":0,"value":{"view":0,"index":0}`), codeImpossible},
		{label("3", `"kind":"PrepareRequest","height":0,"view":1,"value":{"view":1,"index":0}`), 0},
		{label("3", `"kind":"Block","height":0,"view":1,"value":{"view":1,"index":0}`), codeImpossible},
		{label("3", `"kind":"RecoveryMessage","height":0,"view":1`), codeImpossible},
		{label("3", `"kind":"RecoveryRequest","height":0,"view":1`), codeImpossible},
		{label("3", `"kind":"Vote","height":0,"view":1`), codeBadParams},
		{label("3", `"height":0,"view":1`), codeBadParams},
		{call("deliver", `{"replica":1,"message":1,"later":"ignored"}`), 0},
		{call("shutdown", `{}`), 0},
		{call("state", `{"replica":1}`), 0}, // never answered
	}
	var texts []string
	for _, one := range lines {
		texts = append(texts, one.line)
	}
	found := answers(t, texts...)
	if len(found) != len(lines)-1 {
		t.Fatalf("%d answers to %d requests", len(found), len(lines))
	}
	for i, text := range found {
		var answer struct {
			Result json.RawMessage
			Error  failure
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Error.Code != lines[i].code || (answer.Result == nil) != (lines[i].code != 0) {
			t.Errorf("%s\n%s\nexpected code %d", lines[i].line, text, lines[i].code)
		}
	}
}

func TestARefusedRequestChangesNothing(t *testing.T) {
	refused := []string{
		`{"jsonrpc":"2.0","id":2,"method":"deliver","params":{"replica":0,"message":9}}`,
		`{"jsonrpc":"2.0","id":3,"method":"inject","params":{"replica":3,"label":{"kind":"Block","height":0,"view":0,"value":{"view":0,"index":0}}}}`,
		`{"jsonrpc":"2.0","id":4,"method":"crash","params":{"replica":3}}`,
	}
	rest := []string{
		`{"jsonrpc":"2.0","id":5,"method":"timeout","params":{"replica":0,"timer":"view","height":0,"view":0}}`,
		`{"jsonrpc":"2.0","id":6,"method":"state","params":{"replica":0}}`,
	}
	plain := answers(t, append([]string{initialise}, rest...)...)
	disturbed := answers(t, append(append([]string{initialise}, refused...), rest...)...)
	if len(plain) != 3 || strings.Join(plain[1:], "\n") != strings.Join(disturbed[4:], "\n") {
		t.Errorf("expected %v, found %v", plain, disturbed)
	}
}

func TestALineThatIsTooLongIsRefusedAndTheNextIsRead(t *testing.T) {
	found := answers(t, strings.Repeat(" ", maxLine+1), strings.Repeat(" ", maxLine-len(initialise))+initialise)
	if len(found) != 2 || !strings.Contains(found[0], "-32700") || !strings.Contains(found[1], "nspcc-dbft") {
		t.Errorf("%v", found)
	}
}

func TestAnIDComesBackAsItWasWritten(t *testing.T) {
	for _, id := range []string{`7`, `"seven"`, `-1`} {
		found := answers(t, `{"jsonrpc":"2.0","id":`+id+`,"method":"shutdown","params":{}}`)
		if expected := `{"jsonrpc":"2.0","id":` + id + `,"result":{}}`; found[0] != expected {
			t.Errorf("expected %s, found %s", expected, found[0])
		}
	}
}

func TestAReplicaDoesNotReceiveItsOwn(t *testing.T) {
	with(t, setup{replicas: 4, blockTime: time.Second}, func(c *client, _ []anEffect) {
		id := c.only(kindPrepareRequest, c.timeout(0, 0, 0))
		_, failed := c.call("deliver", map[string]any{"replica": 0, "message": id})
		if failed == nil || failed.Code != codeBadParams {
			c.Errorf("%v", failed)
		}
	})
}

func TestAnotherVersionIsRefusedInALineThatSaysWhatIsSpoken(t *testing.T) {
	found := answers(t, strings.Replace(initialise, "milp-engine/2.7", "milp-engine/1.0", 1))
	if expected := `protocol: milp-engine/2.0 is spoken here, not \"milp-engine/1.0\"`; !strings.Contains(found[0], expected) {
		t.Errorf("%s", found[0])
	}
}
