package main

import (
	"encoding/json"
	"io"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/container"
)

type stateCommand struct{ noFlags }

func stateVerb() *verb {
	return &verb{
		name:    "state",
		args:    "ID",
		summary: "show the state of a container",
		about: `Prints the state of the container ID as the JSON object of the OCI runtime specification, with its root
file system, creation time and owner.`,
		min: 1,
		max: 1,
		new: func() command { return &stateCommand{} },
	}
}

func (c *stateCommand) run(a *app, args []string) (int, error) {
	info, err := a.open(a).State(args[0])
	if err != nil {
		return 1, err
	}
	return 0, writeJSON(a.out, newStateView(info), "  ")
}

// stateView is a container as state and list print it: runc's fields in runc's order.
type stateView struct {
	Version     string               `json:"ociVersion"`
	ID          string               `json:"id"`
	Pid         int                  `json:"pid"` // 0 when stopped, where specs.State leaves it out
	Status      specs.ContainerState `json:"status"`
	Bundle      string               `json:"bundle"`
	Rootfs      string               `json:"rootfs"`
	Created     time.Time            `json:"created"`
	Annotations map[string]string    `json:"annotations,omitempty"`
	Owner       string               `json:"owner"`
}

func newStateView(i *container.Info) stateView {
	return stateView{
		Version: i.Version, ID: i.ID, Pid: i.Pid, Status: i.Status, Bundle: i.Bundle,
		Rootfs: i.Rootfs, Created: i.Created.UTC(), Annotations: i.Annotations, Owner: i.Owner,
	}
}

// writeJSON prints v and a newline.
func writeJSON(w io.Writer, v any, indent string) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	return e.Encode(v)
}
