// Command nspcc-dbft drives replicas of github.com/nspcc-dev/dbft, the consensus engine of
// neo-go, as docs/ENGINE-PROTOCOL.md says: requests on standard input, responses on standard
// output, one JSON object per line.
//
// The engine measures round trips with time.Since, so a clock of its own is not enough: all of
// it runs inside a testing/synctest bubble, whose clock moves only when the adapter sleeps.
package main

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "nspcc-dbft takes no arguments: it reads requests from standard input")
		os.Exit(2)
	}
	// The testing package reports on os.Stdout, which is for responses only.
	responses := os.Stdout
	os.Stdout = os.Stderr
	bubble := func(t *testing.T) {
		synctest.Test(t, func(*testing.T) {
			if err := serve(os.Stdin, responses); err != nil {
				fmt.Fprintln(os.Stderr, "nspcc-dbft:", err)
				os.Exit(1)
			}
			os.Exit(0)
		})
	}
	everything := func(string, string) (bool, error) { return true, nil }
	testing.Main(everything, []testing.InternalTest{{Name: "adapter", F: bubble}}, nil, nil)
}
