package engine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// SIGHUP has the daemon read its file again: what can change does, with an event; the rest is in the log.
func TestReload(t *testing.T) {
	needRoot(t)
	d := makeDaemon(t.TempDir())
	file := filepath.Join(d.Dir, "daemon.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"labels": ["stage=one"], "mtu": 1400, "live-restore": false}`)
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.end(); err != nil {
			t.Error(err)
		}
	})
	hangUp := func(says string) {
		t.Helper()
		before := strings.Count(d.Log(), says)
		if err := unix.Kill(d.Pid(), unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		await(t, "the log to say "+says, func() bool { return strings.Count(d.Log(), says) > before })
	}
	const shown = "{{json .Labels}} {{.LiveRestoreEnabled}} {{json .RegistryConfig.Mirrors}} {{.DefaultRuntime}} {{index .RegistryConfig.IndexConfigs \"r.test:5000\"}}"
	d.wants(t, `["stage=one"] false [] dhow <nil>`, 0, "info", "-f", shown)

	write(`{"labels": ["stage=two"], "mtu": 1300, "live-restore": true, "registry-mirrors": ["https://m.test"], "insecure-registries": ["r.test:5000"],
		"runtimes": {"other": {"path": "/bin/other"}}, "default-runtime": "runc"}`)
	hangUp("the configuration was reloaded")
	if out := d.must(t, "info", "-f", shown); !strings.HasPrefix(out, `["stage=two"] true ["https://m.test"`) || !strings.Contains(out, " runc ") || strings.HasSuffix(out, "<nil>") {
		t.Errorf("after SIGHUP: %s", out)
	}
	if log := d.Log(); !strings.Contains(log, `it takes effect at the next start" key=mtu`) {
		t.Error("the log does not tell that mtu cannot change")
	}
	d.wants(t, "other", 0, "inspect", "-f", "{{.HostConfig.Runtime}}", d.must(t, "create", "--quiet", "--runtime", "other", "hello-world"))
	event := d.must(t, "events", "--since", "0", "--until", strconv.FormatInt(time.Now().Unix()+1, 10), "--filter", "type=daemon", "--filter", "event=reload", "--format", "{{.Type}} {{.Action}} {{index .Actor.Attributes \"labels\"}} {{index .Actor.Attributes \"live-restore\"}}")
	if event != `daemon reload ["stage=two"] true` {
		t.Errorf("event: %q", event)
	}

	for _, bad := range []string{`{"labels": [`, `{"nosuch": 1}`, `{"labels": ["none"]}`, `{"default-runtime": "nosuch"}`} {
		write(bad)
		hangUp("cannot reload the configuration: the old one stays")
	}
	if out := d.must(t, "info", "-f", shown); !strings.HasPrefix(out, `["stage=two"] true`) {
		t.Errorf("after bad files: %s", out)
	}
	write(`{"labels": ["stage=three"], "mtu": 1400}`)
	hangUp("the configuration was reloaded")
	d.wants(t, `["stage=three"] true [] dhow <nil>`, 0, "info", "-f", shown)
	if r := d.docker.Run(nil, "create", "--runtime", "other", "hello-world"); r.Code != 1 || !strings.Contains(r.Stderr, "unknown or invalid runtime name: other") {
		t.Errorf("a runtime of the old file: exit %d, %s", r.Code, r.Stderr)
	}
}
