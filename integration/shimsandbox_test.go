package integration

import (
	"errors"
	"runtime"
	"testing"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// sandboxCall makes a call of the sandbox service, for the sandbox that the shim's container is.
func (s *shimDirect) sandboxCall(method, id string, fields receiver) error {
	request := wire.Func(func(e *wire.Encoder) {
		e.String(1, id)
		if method == "CreateSandbox" {
			e.String(2, s.bundle.Dir)
		}
	})
	return s.client.Call("containerd.runtime.sandbox.v1.Sandbox", method, request, fields, patience)
}

// TestShimSandbox makes all calls, also those that no containerd passes on yet, and each of them out of turn.
func TestShimSandbox(t *testing.T) {
	s := newShimDirect(t, Args("sleep", "1000"))
	fails := func(method, id string, code ttrpc.Code) {
		t.Helper()
		var status *ttrpc.Error
		if err := s.sandboxCall(method, id, nil); !errors.As(err, &status) || status.Code != code {
			t.Errorf("%s: got %v, want code %d", method, err, code)
		}
	}
	must := func(method string, fields receiver) {
		t.Helper()
		if err := s.sandboxCall(method, s.id, fields); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	calls := []string{"StartSandbox", "StopSandbox", "WaitSandbox", "SandboxStatus", "PingSandbox", "SandboxMetrics"}
	for _, method := range calls {
		fails(method, s.id, ttrpc.NotFound)
	}
	must("CreateSandbox", nil)
	fails("CreateSandbox", s.id, ttrpc.AlreadyExists)
	for _, method := range calls {
		fails(method, "other", ttrpc.NotFound)
	}
	var platform [2]string
	must("Platform", func(n int, v wire.Value) error {
		return wire.Fields(v.Bytes, func(n int, v wire.Value) error { platform[n-1] = v.String(); return nil })
	})
	if platform != [2]string{"linux", runtime.GOARCH} {
		t.Errorf("platform %v", platform)
	}
	var pid uint64
	must("StartSandbox", func(n int, v wire.Value) error {
		if n == 1 {
			pid = v.Uint
		}
		return nil
	})
	if pid == 0 || ended(int(pid)) {
		t.Errorf("the sandbox's process is %d", pid)
	}
	must("PingSandbox", nil)
	must("SandboxMetrics", nil)
	must("StopSandbox", nil)
	must("StopSandbox", nil)
	var status uint64
	must("WaitSandbox", func(n int, v wire.Value) error {
		if n == 1 {
			status = v.Uint
		}
		return nil
	})
	if status != 137 {
		t.Errorf("the sandbox ends with %d", status)
	}
	must("ShutdownSandbox", nil)
	await(t, "the shim to end", func() bool { return len(processesOf(s.namespace)) == 0 })
}
