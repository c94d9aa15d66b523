package task

import (
	"context"
	"encoding/json"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/logfile"
	"github.com/dhow-containers/dhow/shim/stdio"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Exec makes a further process of the container, which Process.Start starts. Until then clients may attach to it.
func (t *Task) Exec(ctx context.Context, o ExecOptions) (*Process, error) {
	text, err := json.Marshal(o.Process)
	if err != nil {
		return nil, err
	}
	served := stdio.Served{Log: logfile.Options{Driver: logfile.None}, Stdin: o.Stdin}
	p := &Process{}
	p.set(t, api.Target{ID: t.target.ID, ExecID: o.ID})
	r := &api.ExecRequest{Target: p.target, Stdio: api.Stdio{Terminal: o.Terminal, Stdout: served.URI()}, Spec: wire.Any{Value: text}}
	if err := t.call(ctx, "Exec", r, nil); err != nil {
		return nil, err
	}
	return p, nil
}

// Process finds an exec that was made before, as after a restart of the daemon (ErrNotFound if there is none).
func (t *Task) Process(ctx context.Context, id string) (*Process, error) {
	p := &Process{}
	p.set(t, api.Target{ID: t.target.ID, ExecID: id})
	var state api.StateResponse
	if err := t.call(ctx, "State", &p.target, &state); err != nil {
		return nil, err
	}
	p.pid.Store(int64(state.Pid))
	return p, nil
}
