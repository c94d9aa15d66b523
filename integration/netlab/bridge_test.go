package netlab

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/dhow-containers/dhow/higher/network"
	"golang.org/x/sys/unix"
)

func TestDefaultBridge(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		a, b := w.run("a", []string{"bridge"}, publish("8080:80/tcp", "5353:53/udp")), w.run("b", []string{"bridge"}, nil)
		if got := fmt.Sprint(a.addr(), b.addr(), a.endpoints[0].MAC, a.endpoints[0].Gateway); got != "172.17.0.2 172.17.0.3 02:42:ac:11:00:02 172.17.0.1" {
			w.Error(got)
		}
		a.serveTCP(":80", "a")
		a.serveUDP(":53", "a")
		b.serveTCP(":80", "b")
		w.outside.serveTCP(":80", "outside")
		w.reaches(w, "tcp", "172.17.0.2:80", "a 172.17.0.1")
		w.reaches(a, "tcp", "172.17.0.3:80", "b 172.17.0.2")
		w.reaches(a, "tcp", "10.99.0.2:80", "outside 10.99.0.1") // masquerade
		w.reaches(w, "tcp", "127.0.0.1:8080", "a 172.17.0.1")
		w.reaches(w, "tcp", "10.99.0.1:8080", "a 10.99.0.1")
		w.reaches(w, "tcp", "172.17.0.1:8080", "a 172.17.0.1")
		w.reaches(w, "tcp", "[::1]:8080", "a 172.17.0.1")
		w.reaches(w.outside, "tcp", "10.99.0.1:8080", "a 10.99.0.2")
		w.reaches(w.outside, "tcp", "[fd99::1]:8080", "a 172.17.0.1")
		w.reaches(b, "tcp", "10.99.0.1:8080", "a 172.17.0.1")
		w.reaches(b, "tcp", "172.17.0.1:8080", "a 172.17.0.1")
		w.reaches(a, "tcp", "172.17.0.1:8080", "a 172.17.0.1") // hairpin
		w.reaches(w, "udp", "127.0.0.1:5353", "a 172.17.0.1")
		w.reaches(w.outside, "udp", "10.99.0.1:5353", "a 10.99.0.2")
		w.reaches(w.outside, "udp", "[fd99::1]:5353", "a 172.17.0.1")
		must(w.T, w.manager.Detach(context.Background(), a.ID))
		w.barred(w, "tcp", "127.0.0.1:8080")
		w.barred(w.outside, "tcp", "10.99.0.1:8080")
	})
}

// What a container sends first is not lost because the kernel has not yet noticed that its device is on.
func TestDevicesAreReady(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		if !kernelHas(6, 8) {
			w.Skip("needs Linux 6.8")
		}
		w.restore(nil)
		for i := range 50 {
			c := w.run("a", []string{"bridge"}, nil)
			host := c.endpoints[0].Host
			for file, want := range map[string]string{host + "/brport/state": "3", host + "/operstate": "up", "docker0/operstate": "up"} { // 3: BR_STATE_FORWARDING
				if state, err := os.ReadFile("/sys/class/net/" + file); err != nil || string(state) != want+"\n" {
					w.Fatalf("round %d: %s is %q, %v", i, file, state, err)
				}
			}
			must(w.T, w.manager.Detach(context.Background(), c.ID))
		}
	})
}

// kernelHas compares the kernel's version.
func kernelHas(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var m, n int
	_, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &m, &n)
	return err == nil && (m > major || m == major && n >= minor)
}
