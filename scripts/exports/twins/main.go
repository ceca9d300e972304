// Reads scenarios with the engine's own types and runs them: twins FILE...
//
// Each file must name every node once in each view, be the same again when the engine writes it,
// and run in the engine without an error.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	_ "github.com/relab/hotstuff/consensus/chainedhotstuff"
	"github.com/relab/hotstuff/twins"
)

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	source, err := twins.FromJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	settings := source.Settings()
	if settings.Ticks == 0 {
		return fmt.Errorf("no ticks: nothing would run")
	}
	var again bytes.Buffer
	writer, err := twins.ToJSON(settings, &again)
	if err != nil {
		return err
	}
	for source.Remaining() > 0 {
		scenario, err := source.NextScenario()
		if err != nil {
			return err
		}
		if err := covered(scenario, settings); err != nil {
			return err
		}
		if err := writer.WriteScenario(scenario); err != nil {
			return err
		}
		result, err := twins.ExecuteScenario(scenario, settings.NumNodes, settings.NumTwins,
			settings.Ticks, "chainedhotstuff")
		if err != nil {
			return err
		}
		fmt.Printf("%s: safe %t, %d commits\n", file, result.Safe, result.Commits)
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return same(text, again.Bytes())
}

// Every node in one part of each view, and a leader that there is.
func covered(scenario twins.Scenario, settings twins.Settings) error {
	if len(scenario) != int(settings.Views) {
		return fmt.Errorf("%d views of %d", len(scenario), settings.Views)
	}
	for number, view := range scenario {
		if view.Leader < 1 || int(view.Leader) > int(settings.NumNodes) {
			return fmt.Errorf("view %d: leader %d", number, view.Leader)
		}
		if len(view.Partitions) > int(settings.Partitions) {
			return fmt.Errorf("view %d: %d parts", number, len(view.Partitions))
		}
		seen := make(map[uint32]int)
		for _, part := range view.Partitions {
			for node := range part {
				seen[node]++
			}
		}
		nodes := uint32(settings.NumNodes) + uint32(settings.NumTwins)
		for node := uint32(1); node <= nodes; node++ {
			if seen[node] != 1 {
				return fmt.Errorf("view %d: node %d is in %d parts", number, node, seen[node])
			}
		}
		if len(seen) != int(nodes) {
			return fmt.Errorf("view %d: more nodes than %d", number, nodes)
		}
	}
	return nil
}

func same(one, other []byte) error {
	var a, b any
	if err := json.Unmarshal(one, &a); err != nil {
		return err
	}
	if err := json.Unmarshal(other, &b); err != nil {
		return err
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("the engine writes something else:\n%s", other)
	}
	return nil
}

func main() {
	failed := false
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}
