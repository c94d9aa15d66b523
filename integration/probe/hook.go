package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/dhow-containers/dhow/integration/facts"
)

func hook(args []string) (err error) {
	state, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	f, err := facts.Collect()
	if err != nil {
		return err
	}
	// Several hooks append to one file: O_APPEND and a single write keep the order they ran in.
	out, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	line, err := json.Marshal(facts.Hook{State: state, Facts: f})
	if err != nil {
		return err
	}
	_, err = out.Write(append(line, '\n'))
	return err
}
