package engine

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The daemon's default places are the host's: here nobody else sees what is in them.
const autostart = `set -eu
for dir in /run /var/lib /var/log; do mount -t tmpfs tmpfs $dir; done
if [ -d /etc/dhow ]; then mount -t tmpfs tmpfs /etc/dhow; fi
trap 'if [ -e /run/dhow.pid ]; then kill $(cat /run/dhow.pid); fi' EXIT
dhow --no-autostart ps > /run/out 2>&1 && exit 10
grep -q 'Cannot connect' /run/out || { cat /run/out; exit 11; }
[ ! -e /var/log/dhowd.log ] || exit 12
dhow run --rm hello-world > /run/out1 2> /run/err1 &
dhow run --rm hello-world > /run/out2 2> /run/err2 || { cat /run/err2 /var/log/dhowd.log; exit 13; }
wait $! || { cat /run/err1; exit 14; }
cat /run/err1 /run/err2
grep -q Hello /run/out1 && grep -q Hello /run/out2
echo ready: $(grep -c 'dhowd is ready' /var/log/dhowd.log)
[ "$(readlink /proc/$(cat /run/dhow.pid)/exe)" = "$PROGRAMS/dhowd" ]
dhow --no-autostart ps -q
pid=$(cat /run/dhow.pid)
kill $pid
tail --pid=$pid -f /dev/null
[ ! -e /run/dhow.pid ] || exit 15
`

// dhow starts the daemon when its socket has none, and says so; of two at once one does.
func TestAutostart(t *testing.T) {
	needRoot(t)
	cmd := exec.Command("unshare", "-m", "-n", "/bin/sh", "-c", autostart)
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "PROGRAMS="+programs, "DOCKER_CONFIG="+t.TempDir(), "DOCKER_HOST=", "DHOW_HOST=")
	out, err := cmd.CombinedOutput()
	want := "dhow: no daemon runs: starting " + programs + "/dhowd (its log: /var/log/dhowd.log)\n"
	if err != nil || strings.Count(string(out), want) != 1 || !strings.Contains(string(out), "\nready: 1\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
