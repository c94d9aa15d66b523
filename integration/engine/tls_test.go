package engine

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/authority"
)

// secure is where daemons of these tests listen; nobody else is in this network namespace.
const secure = "tcp://127.0.0.1:2376"

// certificates are those of a daemon and its clients.
func certificates(t *testing.T) *authority.Authority {
	t.Helper()
	needRoot(t)
	ca := authority.New(t)
	ca.Make("server", net.IPv4(127, 0, 0, 1))
	ca.Make("client")
	ca.Expired("late")
	return ca
}

// serverFlags have the daemon listen with TLS, beside its socket.
func serverFlags(ca *authority.Authority, verify string) []string {
	return []string{"-H", secure, verify, "--tlscacert", ca.File("ca"), "--tlscert", ca.File("server"), "--tlskey", ca.File("server-key")}
}

// tlsFlags are those of docker and dhow, with a certificate of the client's.
func tlsFlags(verify string, ca, own *authority.Authority, name string) []string {
	return []string{"-H", secure, verify, "--tlscacert", ca.File("ca"), "--tlscert", own.File(name), "--tlskey", own.File(name + "-key")}
}

// bothClients are the docker CLI, where there is one, and dhow, with no address from the environment.
func (d *daemon) bothClients() map[string]*integration.Client {
	all := map[string]*integration.Client{"dhow": d.client(filepath.Join(programs, "dhow"))}
	if p := dockerProgram(); p != "" {
		all["docker"] = d.client(p)
	}
	for _, c := range all {
		c.Socket = ""
	}
	return all
}

func TestTLS(t *testing.T) {
	ca, stranger := certificates(t), authority.New(t)
	stranger.Make("client")
	d := newDaemon(t, serverFlags(ca, "--tlsverify")...)
	d.load(t)
	for name, c := range d.bothClients() {
		t.Run(name, func(t *testing.T) {
			good := tlsFlags("--tlsverify", ca, ca, "client")
			t.Run("refused", func(t *testing.T) { refusals(t, c, ca, stranger) })
			t.Run("streams", func(t *testing.T) { remoteStreams(t, d, c, good...) })
			t.Run("environment", func(t *testing.T) { tlsEnvironment(t, c, ca) })
			t.Run("context", func(t *testing.T) { tlsContext(t, c, ca) })
		})
	}
}

// refusals are clients that are not served, and have to be told why.
func refusals(t *testing.T, c *integration.Client, ca, stranger *authority.Authority) {
	for name, x := range map[string]struct {
		flags []string
		says  string
	}{
		"no certificate":            {[]string{"-H", secure, "--tlsverify", "--tlscacert", ca.File("ca")}, "certificate required"},
		"no certificate, no checks": {[]string{"-H", secure, "--tls", "--tlscacert", ca.File("ca")}, "certificate required"},
		"of another authority":      {tlsFlags("--tlsverify", ca, stranger, "client"), "unknown certificate authority"},
		"expired":                   {tlsFlags("--tlsverify", ca, ca, "late"), "expired"},
		"a server of others":        {tlsFlags("--tlsverify", stranger, ca, "client"), "signed by unknown authority"},
		"no TLS":                    {[]string{"-H", secure}, "HTTP request to an HTTPS server"},
	} {
		r := c.Run(nil, append(slices.Clone(x.flags), "version")...)
		if r.Code != 1 || !strings.Contains(r.Stderr, x.says) {
			t.Errorf("%s: exit %d, %q; want an error with %q", name, r.Code, r.Stderr, x.says)
		}
	}
}

// remoteStreams are connections that are taken over, and such that go on for long: the daemon cannot hand them to a shim.
func remoteStreams(t *testing.T, d *daemon, c *integration.Client, flags ...string) {
	do := func(args ...string) []string { return append(slices.Clone(flags), args...) }
	if r := c.Run(strings.NewReader("in\n"), do("run", "-i", "--rm", "busybox", "sh", "-c", "cat; echo err >&2; exit 3")...); r.Code != 3 || r.Stdout != "in\n" || r.Stderr != "err\n" {
		t.Errorf("run -i: exit %d, %q, %q", r.Code, r.Stdout, r.Stderr)
	}
	big := strings.Repeat("0123456789abcdef", 1<<16)
	if r := c.Run(strings.NewReader(big), do("run", "-i", "--rm", "busybox", "cat")...); r.Stdout != big || r.Code != 0 {
		t.Errorf("a mebibyte through cat: exit %d, %d bytes, %s", r.Code, len(r.Stdout), r.Stderr)
	}
	remover(t, d, "remote")
	s := on(t, c, do("run", "-it", "--name", "remote", "busybox", "sh")...)
	s.shows("# ")
	s.types("x=kept; stty size\n")
	s.shows("24 80")
	s.types("\x10\x11")
	s.ends(0)
	if r := c.Run(strings.NewReader("echo exec-$((1+1))\nexit 4\n"), do("exec", "-i", "remote", "sh")...); r.Stdout != "exec-2\n" || r.Code != 4 {
		t.Errorf("exec -i: exit %d, %q, %q", r.Code, r.Stdout, r.Stderr)
	}
	e := on(t, c, do("exec", "-it", "remote", "sh")...)
	e.shows("# ")
	e.types("echo $((6*7))y; exit 2\n")
	e.shows("42y")
	e.ends(2)
	f := on(t, c, do("logs", "-f", "remote")...)
	f.shows("24 80")
	s = on(t, c, do("attach", "remote")...)
	s.types("echo $x-$((2*3))\n")
	s.shows("kept-6")
	f.shows("kept-6")
	s.types("exit 5\n")
	s.ends(5)
	f.ends(0)
}

// certPath is a directory with the names that docker looks for.
func certPath(t *testing.T, ca *authority.Authority) string {
	dir := t.TempDir()
	for from, to := range map[string]string{"ca": "ca.pem", "client": "cert.pem", "client-key": "key.pem"} {
		if err := os.Symlink(ca.File(from), filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func tlsEnvironment(t *testing.T, c *integration.Client, ca *authority.Authority) {
	there := *c
	there.Socket = secure
	there.Env = []string{"DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + certPath(t, ca)}
	if out, err := there.Do("run", "--rm", "busybox", "echo", "hello"); out != "hello" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	there.Env = []string{"DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=" + authority.New(t).Dir} // another ca.pem, and no cert.pem
	if r := there.Run(nil, "version"); r.Code != 1 || !strings.Contains(r.Stderr, "x509") && !strings.Contains(r.Stderr, "no such file") {
		t.Errorf("with another authority: exit %d, %s", r.Code, r.Stderr)
	}
}

func tlsContext(t *testing.T, c *integration.Client, ca *authority.Authority) {
	there := *c
	there.Home = t.TempDir()
	docker := fmt.Sprintf("host=%s,ca=%s,cert=%s,key=%s", secure, ca.File("ca"), ca.File("client"), ca.File("client-key"))
	do := func(args ...string) string {
		t.Helper()
		out, err := there.Do(args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	do("context", "create", "far", "--docker", docker)
	do("context", "create", "blind", "--docker", "host="+secure)
	if out := do("--context", "far", "run", "--rm", "busybox", "echo", "hello"); out != "hello" {
		t.Errorf("%q", out)
	}
	if r := there.Run(nil, "--context", "blind", "version"); r.Code != 1 || !strings.Contains(r.Stderr, "HTTP request to an HTTPS server") {
		t.Errorf("a context without TLS: exit %d, %s", r.Code, r.Stderr)
	}
	archive := filepath.Join(t.TempDir(), "far.dockercontext")
	do("context", "export", "far", archive)
	do("context", "import", "copy", archive)
	do("context", "use", "copy")
	if out := do("version", "--format", "{{.Server.Os}}"); out != "linux" {
		t.Errorf("%q", out)
	}
}

// With --tls alone the server proves who it is, and everybody is served: that has to be asked for by a flag of its own.
func TestTLSWithoutVerify(t *testing.T) {
	ca := certificates(t)
	refused(t, "tcp://127.0.0.1:2376: whoever can connect is root on this host: use --tlsverify, or say --insecure-tcp if that is meant", serverFlags(ca, "--tls")...)
	refused(t, "tcp://127.0.0.1:2375: whoever can connect is root on this host: use --tlsverify, or say --insecure-tcp if that is meant", "-H", "tcp://127.0.0.1:2375")
	refused(t, "cannot load the server's certificate (--tlscert, --tlskey)", "-H", secure, "--tlsverify", "--tlscacert", ca.File("ca"), "--tlscert", ca.File("none"), "--tlskey", ca.File("server-key"))
	d := newDaemon(t, append(serverFlags(ca, "--tls"), "--insecure-tcp")...)
	for name, c := range d.bothClients() {
		for _, verify := range []string{"--tls", "--tlsverify"} {
			if out, err := c.Do("-H", secure, verify, "--tlscacert", ca.File("ca"), "version", "--format", "{{.Server.Os}}"); out != "linux" || err != nil {
				t.Errorf("%s %s: %q, %v", name, verify, out, err)
			}
		}
	}
}

func TestInsecureTCP(t *testing.T) {
	d := newDaemon(t, "-H", "tcp://127.0.0.1:2375", "--insecure-tcp")
	for name, c := range d.bothClients() {
		if out, err := c.Do("-H", "tcp://127.0.0.1:2375", "version", "--format", "{{.Server.Os}}"); out != "linux" || err != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	if log := d.Log(); !strings.Contains(log, "whoever can connect to this address is root on this host") {
		t.Error("the log has no warning")
	}
}

// refused starts a daemon that must say why it does not run.
func refused(t *testing.T, says string, flags ...string) {
	t.Helper()
	d := makeDaemon(t.TempDir(), flags...)
	if err := d.Start(); err == nil {
		t.Errorf("dhowd %s runs", strings.Join(flags, " "))
		_ = d.Stop()
	} else if !strings.Contains(d.Log(), says) {
		t.Errorf("dhowd %s: %s; want %q", strings.Join(flags, " "), d.Log(), says)
	}
}
