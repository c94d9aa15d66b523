package netlab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/higher/network"
	types "github.com/moby/moby/api/types/network"
	"github.com/vishvananda/netlink"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const worldVariable = "DHOW_TEST_WORLD"

// world is the host that a test is: the process's network namespace.
type world struct {
	*testing.T
	dir     string
	manager *network.Manager
	db      *bolt.DB
	outside *space // a neighbour of the host, 10.99.0.2/24
}

// inWorld runs a test again, alone in a process with network and mount namespaces of its own, where body is run.
func inWorld(t *testing.T, config network.Config, body func(w *world)) {
	t.Helper()
	inEmptyWorld(t, func(w *world) {
		w.open(config)
		body(w)
	})
}

func inEmptyWorld(t *testing.T, body func(w *world)) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if os.Getenv(worldVariable) != t.Name() {
		t.Parallel()
		again(t)
		return
	}
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(t, unix.Mount("sysfs", "/sys", "sysfs", 0, ""))
	w := &world{T: t, dir: t.TempDir()}
	lo, err := netlink.LinkByName("lo")
	must(t, err)
	must(t, netlink.LinkSetUp(lo))
	must(t, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0))
	w.outside = w.neighbour("out", "10.99.0.1/24", "10.99.0.2/24", "fd99::1/64", "fd99::2/64")
	body(w)
	if w.manager != nil {
		w.close()
	}
}

func again(t *testing.T) {
	t.Helper()
	c := exec.Command("/proc/self/exe", "-test.run", "^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v", "-test.timeout", "2m")
	c.Env = append(os.Environ(), worldVariable+"="+t.Name())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
}

func (w *world) open(config network.Config) {
	w.Helper()
	var err error
	w.manager, err = w.tryOpen(config)
	must(w.T, err)
}

func (w *world) tryOpen(config network.Config) (*network.Manager, error) {
	w.Helper()
	var err error
	w.db, err = bolt.Open(filepath.Join(w.dir, "engine.db"), 0o600, &bolt.Options{Timeout: 5 * time.Second})
	must(w.T, err)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m, err := network.Open(context.Background(), network.Options{DB: w.db, StateDir: filepath.Join(w.dir, "run"), Log: log, Config: config})
	if err != nil {
		must(w.T, w.db.Close())
	}
	return m, err
}

func (w *world) close() {
	w.Helper()
	must(w.T, w.manager.Close())
	must(w.T, w.db.Close())
	w.manager = nil
}

// restore names the containers that run.
func (w *world) restore(running map[string]*os.File) {
	w.Helper()
	must(w.T, w.manager.Restore(context.Background(), running))
}

// space is a network namespace.
type space struct {
	*testing.T
	netns *os.File
}

func (w *world) space() *space {
	w.Helper()
	made := make(chan *os.File)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		if unix.Unshare(unix.CLONE_NEWNET) != nil {
			close(made)
			return
		}
		f, _ := os.Open("/proc/thread-self/ns/net")
		made <- f
	}()
	f := <-made
	if f == nil {
		w.Fatal("cannot make a network namespace")
	}
	w.Cleanup(func() { f.Close() })
	return &space{w.T, f}
}

// in runs f on a thread inside; sockets that f opens are of that namespace.
func (s *space) in(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(s.netns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// neighbour is a namespace that a cable joins with the host, addresses of the host's end and of its own in turn.
func (w *world) neighbour(name string, addresses ...string) *space {
	w.Helper()
	s := w.space()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	must(w.T, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(s.netns.Fd())}))
	up := func(name string, first int) error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		for i := first; i < len(addresses); i += 2 {
			a, err := netlink.ParseAddr(addresses[i])
			if err != nil {
				return err
			}
			a.Flags = unix.IFA_F_NODAD
			if err := netlink.AddrAdd(link, a); err != nil {
				return err
			}
		}
		return netlink.LinkSetUp(link)
	}
	must(w.T, up(name, 0))
	must(w.T, s.in(func() error {
		if err := up("lo", len(addresses)); err != nil {
			return err
		}
		return up("eth0", 1)
	}))
	return s
}

// container is a namespace that the manager has joined to networks.
type container struct {
	*space
	network.Container
	endpoints []*network.Endpoint
}

func containerInfo(name string) network.Container {
	id := ("c" + strings.Repeat(fmt.Sprintf("%x", name), 64))[:64]
	return network.Container{ID: id, Name: name, Hostname: id[:12]}
}

// run reserves and attaches; more changes what the manager is told.
func (w *world) run(name string, networks []string, more func(c *network.Container)) *container {
	w.Helper()
	c := &container{space: w.space(), Container: containerInfo(name)}
	if more != nil {
		more(&c.Container)
	}
	for _, n := range networks {
		e, err := w.manager.Reserve(context.Background(), c.Container, n, nil)
		must(w.T, err)
		c.endpoints = append(c.endpoints, e)
	}
	must(w.T, w.manager.Attach(context.Background(), c.ID, c.netns))
	return c
}

func (c *container) addr() netip.Addr  { return c.endpoints[0].IPv4.Addr() }
func (c *container) addr6() netip.Addr { return c.endpoints[0].IPv6.Addr() }

func publish(specs ...string) func(c *network.Container) {
	return func(c *network.Container) {
		c.Ports = types.PortMap{}
		for _, s := range specs { // HOST:PORT/PROTO or ADDR|HOST:PORT/PROTO
			addr, rest, ok := strings.Cut(s, "|")
			if !ok {
				addr, rest = "", s
			}
			host, port, _ := strings.Cut(rest, ":")
			b := types.PortBinding{HostPort: host}
			if addr != "" {
				b.HostIP = netip.MustParseAddr(addr)
			}
			p := types.MustParsePort(port)
			c.Ports[p] = append(c.Ports[p], b)
		}
	}
}

// serveTCP answers each connection with the client's address, as seen there, and a name.
func (s *space) serveTCP(address, name string) {
	s.Helper()
	must(s.T, s.in(func() error {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		s.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintf(c, "%s %s", name, host)
				c.Close()
			}
		}()
		return nil
	}))
}

// serveUDP answers each datagram with the same, and what was sent.
func (s *space) serveUDP(address, name string) {
	s.Helper()
	must(s.T, s.in(func() error {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		s.Cleanup(func() { c.Close() })
		go func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				host, _, _ := net.SplitHostPort(from.String())
				c.WriteTo([]byte(name+" "+host+" "+string(buf[:n])), from)
			}
		}()
		return nil
	}))
}

// How long to wait for an answer. The first packet to a new device may find it not ready and is sent again a second
// later, and the kernel gets devices ready one after the other, of all namespaces.
const (
	patience = 20 * time.Second
	silence  = 2 * time.Second // is taken for none
)

// get asks a server and returns its answer or the error.
func get(proto, address string, within time.Duration) (string, error) {
	c, err := net.DialTimeout(proto, address, within)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if proto == "udp" {
		return ask(c, "?", within)
	}
	c.SetDeadline(time.Now().Add(within))
	buf := make([]byte, 1500)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}

// ask sends a datagram, again and again, until it is answered: one may be lost.
func ask(c net.Conn, text string, within time.Duration) (string, error) {
	buf := make([]byte, 1500)
	for end := time.Now().Add(within); ; {
		if _, err := c.Write([]byte(text)); err != nil {
			return "", err
		}
		for c.SetReadDeadline(time.Now().Add(silence)); ; {
			n, err := c.Read(buf)
			if err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end)) {
				return "", err
			}
			if err != nil {
				break
			}
			if answer, ok := strings.CutSuffix(string(buf[:n]), " "+text); ok { // else to an earlier one
				return answer, nil
			}
		}
	}
}

func (s *space) get(proto, address string, within time.Duration) (answer string, err error) {
	failed := s.in(func() error {
		answer, err = get(proto, address, within)
		return nil
	})
	if failed != nil {
		err = failed
	}
	return answer, err
}

func (w *world) get(proto, address string, within time.Duration) (string, error) {
	return get(proto, address, within)
}

type getter interface {
	get(proto, address string, within time.Duration) (string, error)
}

// reaches wants an answer that begins so.
func (w *world) reaches(from getter, proto, address, want string) {
	w.Helper()
	got, err := from.get(proto, address, patience)
	if err != nil || !strings.HasPrefix(got, want) {
		w.Errorf("%s %s: %q, %v; want %q", proto, address, got, err, want)
	}
}

// barred wants none.
func (w *world) barred(from getter, proto, address string) {
	w.Helper()
	if got, err := from.get(proto, address, silence); err == nil {
		w.Errorf("%s %s: %q; want no answer", proto, address, got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
