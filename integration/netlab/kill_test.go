package netlab

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/higher/network"
	"github.com/dhow-containers/dhow/integration"
	"github.com/google/nftables"
	types "github.com/moby/moby/api/types/network"
	"golang.org/x/sys/unix"
)

const daemonVariable = "DHOW_TEST_DAEMON"

// TestMain stays on the first thread, so that no test has it: some change the namespace of a thread that ends with them.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if dir := os.Getenv(daemonVariable); dir != "" {
		actAsDaemon(dir)
	}
	os.Exit(m.Run())
}

// actAsDaemon is a process that is going to be killed: container "stays" on descriptor 3 is attached and said to be;
// then containers on descriptor 4 come and go without end.
func actAsDaemon(dir string) {
	t := &testing.T{}
	w := &world{T: t, dir: dir}
	w.open(network.DefaultConfig())
	stays, comes := os.NewFile(3, "stays"), os.NewFile(4, "comes")
	check := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	check(w.manager.Restore(ctx, nil))
	_, err := w.manager.NetworkCreate(ctx, &types.CreateRequest{Name: "n1"})
	check(err)
	attach := func(name string, netns *os.File, ports ...string) string {
		c := containerInfo(name)
		publish(ports...)(&c)
		for _, n := range []string{"bridge", "n1"} {
			_, err := w.manager.Reserve(ctx, c, n, nil)
			check(err)
		}
		check(w.manager.Attach(ctx, c.ID, netns))
		return c.ID
	}
	attach("stays", stays, "8080:80/tcp")
	fmt.Println("ready")
	for i := 0; ; i++ {
		check(w.manager.Detach(ctx, attach("comes", comes, "9090:80/tcp", "9091:81/udp")))
		if _, err := w.manager.NetworkCreate(ctx, &types.CreateRequest{Name: "n2"}); err == nil {
			check(w.manager.NetworkRemove(ctx, "n2"))
		}
	}
}

func TestKilledDaemonLeavesNothing(t *testing.T) {
	inEmptyWorld(t, func(w *world) {
		stays, comes := w.space(), w.space()
		stays.serveTCP(":80", "stays")
		w.outside.nameServer("10.99.0.2:53")
		var before string
		for round := range 12 {
			must(w.T, os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("0"), 0))
			os.RemoveAll(w.dir)
			must(w.T, os.MkdirAll(w.dir, 0o755))
			c := exec.Command("/proc/self/exe", "-test.run", "^$")
			c.Env = append(os.Environ(), daemonVariable+"="+w.dir)
			c.ExtraFiles = []*os.File{stays.netns, comes.netns}
			c.Stderr = os.Stderr
			c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			out, err := c.StdoutPipe()
			must(w.T, err)
			must(w.T, c.Start())
			lines := bufio.NewReader(out)
			if line, err := lines.ReadString('\n'); line != "ready\n" {
				w.Fatal(line, err)
			}
			<-time.After(time.Duration(round*7) * time.Millisecond)
			must(w.T, c.Process.Kill())
			rest, _ := lines.ReadString(0)
			if rest != "" {
				w.Fatal(rest)
			}
			c.Wait()
			// What runs runs on while there is no daemon.
			w.reaches(w.outside, "tcp", "10.99.0.1:8080", "stays 10.99.0.2")
			w.reaches(w, "tcp", "127.0.0.1:8080", "stays ")
			w.open(network.DefaultConfig())
			w.restore(map[string]*os.File{containerInfo("stays").ID: stays.netns})
			w.reaches(w.outside, "tcp", "10.99.0.1:8080", "stays 10.99.0.2")
			w.reaches(w, "tcp", "[::1]:8080", "stays ")
			w.resolves(stays, "udp", "stays", "172.18.0.2")
			if w.manager.NetworkRemove(context.Background(), "n2") == nil {
				w.Log("the daemon was killed with a network made")
			}
			if got := w.inventory(); before == "" {
				before = got
			} else if got != before {
				w.Fatalf("round %d: left\n%s\nwant\n%s", round, got, before)
			}
			if b := w.manager.Sandbox(containerInfo("stays").ID); b == nil || len(b.Endpoints) != 2 {
				w.Fatal("the container that runs is not known")
			}
			// Its address is still its own, and what the other one had is free.
			must(w.T, w.manager.Detach(context.Background(), containerInfo("stays").ID))
			must(w.T, w.manager.NetworkRemove(context.Background(), "n1"))
			if got := w.inventory(); strings.Contains(got, "veth") || strings.Contains(got, "br-") || strings.Contains(got, "ports4any") {
				w.Fatalf("after all have gone: %s", got)
			}
			w.close()
		}
	})
}

// inventory is what the manager has in the kernel and on disk, with names that differ between runs taken out.
func (w *world) inventory() string {
	w.Helper()
	w.manager.Settle()
	var all []string
	links, err := integration.Links()
	must(w.T, err)
	for _, l := range links {
		name := l.Attrs().Name
		for _, prefix := range []string{"veth", "br-"} {
			if strings.HasPrefix(name, prefix) {
				name = prefix
			}
		}
		all = append(all, "link "+name)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "run", "*"))
	must(w.T, err)
	for _, f := range files {
		all = append(all, "file "+filepath.Base(f))
	}
	all = append(all, w.elements()...)
	listening, err := os.ReadFile("/proc/thread-self/net/tcp")
	must(w.T, err)
	for _, line := range strings.Split(string(listening), "\n") {
		if f := strings.Fields(line); len(f) > 3 && f[3] == "0A" {
			all = append(all, "listens "+f[1])
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// elements are those of the table's sets that are about ports and bridges, counted; none while the table is made anew.
func (w *world) elements() []string {
	w.Helper()
	c, err := nftables.New()
	must(w.T, err)
	tables, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	must(w.T, err)
	var all []string
	for _, t := range tables {
		sets, err := c.GetSets(t)
		if gone(err) {
			return nil
		}
		must(w.T, err)
		for _, s := range sets {
			elements, err := c.GetSetElements(s)
			if gone(err) {
				return nil
			}
			must(w.T, err)
			if len(elements) > 0 {
				all = append(all, fmt.Sprintf("set %s %d", s.Name, len(elements)))
			}
		}
	}
	return all
}

// gone says whether a table was not there, of which the library keeps but the words.
func gone(err error) bool {
	return err != nil && strings.HasSuffix(err.Error(), unix.ENOENT.Error())
}

func TestFirewallIsRepaired(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		a := w.run("a", []string{"bridge"}, publish("8080:80/tcp"))
		a.serveTCP(":80", "a")
		w.outside.serveTCP(":80", "outside")
		c, err := nftables.New()
		must(w.T, err)
		// A table of the host's own stays as it is.
		c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "theirs"})
		must(w.T, c.Flush())
		before := w.elements()
		for name, damage := range map[string]func(){
			"flush ruleset": func() { c.FlushRuleset() },
			"delete table":  func() { c.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "dhow"}) },
			"flush table":   func() { c.FlushTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "dhow"}) },
			"flush set": func() {
				c.FlushSet(&nftables.Set{Table: &nftables.Table{Family: nftables.TableFamilyINet, Name: "dhow"}, Name: "ports4any"})
			},
		} {
			damage()
			must(w.T, c.Flush())
			deadline := time.Now().Add(integration.EnginePatience)
			for {
				_, err := get("tcp", "10.99.0.1:8080", silence)
				if _, out := a.get("tcp", "10.99.0.2:80", silence); err == nil && out == nil && slices.Equal(w.elements(), before) {
					break
				}
				if time.Now().After(deadline) {
					w.Fatalf("%s: not repaired: %v", name, err)
				}
			}
		}
		chains, err := c.ListChains()
		must(w.T, err)
		for _, chain := range chains {
			if chain.Table.Name != "dhow" && chain.Table.Name != "theirs" {
				w.Errorf("chain %s of table %s", chain.Name, chain.Table.Name)
			}
		}
	})
}
