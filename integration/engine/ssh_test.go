package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

// There is no other host: what ssh(1) would run over there runs here, with the address that the daemon has there.
const fakeSSH = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
[ "$2" = far.test ] || { echo "ssh: Could not resolve hostname $2" >&2; exit 255; }
shift 2
DOCKER_HOST=$FAR_HOST exec sh -c "$*"
`

func TestSSH(t *testing.T) {
	d := sharedDaemon(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ssh"), []byte(fakeSSH), 0o755); err != nil {
		t.Fatal(err)
	}
	environment := []string{"PATH=" + dir + ":" + programs + ":" + os.Getenv("PATH"), "FAR_HOST=" + d.Socket()}
	for name, c := range d.bothClients() {
		t.Run(name, func(t *testing.T) {
			c.Env = environment
			remoteStreams(t, d, c, "-H", "ssh://me@far.test:2222")
			sshAddresses(t, c)
		})
	}
}

func sshAddresses(t *testing.T, c *integration.Client) {
	for _, address := range []string{"ssh://nowhere.test", "ssh://me:secret@far.test", "ssh://", "ssh://far.test/some/path?x"} {
		if r := c.Run(nil, "-H", address, "version", "--format", "{{.Server.Os}}"); r.Code != 1 || r.Stderr == "" {
			t.Errorf("%s: exit %d, %q, %q", address, r.Code, r.Stdout, r.Stderr)
		}
	}
	there := *c
	there.Home = t.TempDir()
	for _, args := range [][]string{{"context", "create", "far", "--docker", "host=ssh://far.test"}, {"--context", "far", "run", "--rm", "busybox", "true"}} {
		if _, err := there.Do(args...); err != nil {
			t.Error(err)
		}
	}
}
