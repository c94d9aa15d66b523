package netlab

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/network"
	types "github.com/moby/moby/api/types/network"
)

// attach returns the error of attaching.
func (w *world) attach(name, net string, more func(*network.Container)) (*container, error) {
	c := &container{space: w.space(), Container: containerInfo(name)}
	more(&c.Container)
	e, err := w.manager.Reserve(context.Background(), c.Container, net, nil)
	must(w.T, err)
	c.endpoints = append(c.endpoints, e)
	if err := w.manager.Attach(context.Background(), c.ID, c.netns); err != nil {
		must(w.T, w.manager.Detach(context.Background(), c.ID))
		return nil, err
	}
	return c, nil
}

func TestPortConflicts(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		w.run("a", []string{"bridge"}, publish("8080:80/tcp", "10.99.0.1|8081:81/tcp"))
		empty := w.inventory()
		_, err := w.attach("b", "bridge", publish("8082:82/tcp", "8080:80/tcp"))
		w.refused(err, "driver failed programming external connectivity on endpoint b (")
		w.refused(err, "Bind for 0.0.0.0:8080 failed: port is already allocated")
		_, err = w.attach("b", "bridge", publish("127.0.0.1|8080:80/tcp"))
		w.refused(err, "Bind for 127.0.0.1:8080 failed: port is already allocated")
		_, err = w.attach("b", "bridge", publish("8081:80/tcp"))
		w.refused(err, "Bind for 0.0.0.0:8081 failed: port is already allocated")
		l, err := net.Listen("tcp", "127.0.0.1:8083")
		must(w.T, err)
		_, err = w.attach("b", "bridge", publish("8083:80/tcp"))
		w.refused(err, "failed to bind host port 0.0.0.0:8083/tcp: address already in use")
		l.Close()
		if got := w.inventory(); got != empty {
			w.Errorf("what failed has left\n%s\nwant\n%s", got, empty)
		}
		if _, err := net.Listen("tcp", "0.0.0.0:8080"); err == nil {
			w.Error("somebody else could listen at a published port")
		}
		// The same port of another protocol, another address.
		b, err := w.attach("b", "bridge", publish("8080:80/udp", "127.0.0.1|8081:81/tcp"))
		must(w.T, err)
		b.serveUDP(":80", "b")
		b.serveTCP(":81", "b")
		w.reaches(w.outside, "udp", "10.99.0.1:8080", "b")
		w.reaches(w, "tcp", "127.0.0.1:8081", "b")
		w.barred(w.outside, "tcp", "10.99.0.1:8081") // that of a, where nobody listens
		// A free port of the container's address is not reached by the host's loopback address from outside.
		must(w.T, w.outside.route("127.0.0.0/8", "10.99.0.1"))
	})
}

func TestPortRangesAndEphemeralPorts(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		first := w.run("a", []string{"bridge"}, publish("7000-7001:80/tcp"))
		second := w.run("b", []string{"bridge"}, publish("7000-7001:80/tcp"))
		first.serveTCP(":80", "a")
		second.serveTCP(":80", "b")
		w.reaches(w.outside, "tcp", "10.99.0.1:7000", "a")
		w.reaches(w.outside, "tcp", "10.99.0.1:7001", "b")
		_, err := w.attach("c", "bridge", publish("7000-7001:80/tcp"))
		w.refused(err, "port is already allocated")
		// -P: every exposed port gets one, the same for both families.
		c, err := w.attach("c", "bridge", func(c *network.Container) {
			c.PublishAll, c.Exposed = true, types.PortSet{types.MustParsePort("80/tcp"): {}, types.MustParsePort("81/udp"): {}}
		})
		must(w.T, err)
		c.serveTCP(":80", "c")
		ports := w.manager.Sandbox(c.ID).Ports[types.MustParsePort("80/tcp")]
		if len(ports) != 2 || ports[0].HostPort != ports[1].HostPort {
			w.Fatal(ports)
		}
		if n, _ := strconv.Atoi(ports[0].HostPort); n < 32768 {
			w.Error(n)
		}
		w.reaches(w.outside, "tcp", "10.99.0.1:"+ports[0].HostPort, "c 10.99.0.2")
		// As many as one likes are one transaction.
		many := publish()
		d, err := w.attach("d", "bridge", func(c *network.Container) {
			many(c)
			for i := range 1000 {
				p, _ := types.PortFrom(uint16(1000+i), "tcp")
				c.Ports[p] = []types.PortBinding{{HostPort: strconv.Itoa(20000 + i)}}
			}
		})
		must(w.T, err)
		d.serveTCP(":1999", "d")
		w.reaches(w.outside, "tcp", "10.99.0.1:20999", "d")
		must(w.T, w.manager.Detach(context.Background(), d.ID))
		w.barred(w.outside, "tcp", "10.99.0.1:20999")
	})
}

func TestWithoutFirewall(t *testing.T) {
	config := network.DefaultConfig()
	config.Firewall = false
	inWorld(t, config, func(w *world) {
		w.restore(nil)
		a := w.run("a", []string{"bridge"}, publish("8080:80/tcp", "8080:80/udp"))
		a.serveTCP(":80", "a")
		a.serveUDP(":80", "a")
		w.reaches(w, "tcp", "127.0.0.1:8080", "a 172.17.0.1")
		w.reaches(w.outside, "tcp", "10.99.0.1:8080", "a 172.17.0.1")
		w.reaches(w.outside, "udp", "10.99.0.1:8080", "a 172.17.0.1")
		if got := w.elements(); len(got) > 0 {
			w.Error(got)
		}
	})
}

// Who talks to a published UDP port without a pause reaches the container that has it now.
func TestDatagramsFollowThePort(t *testing.T) {
	inWorld(t, network.DefaultConfig(), func(w *world) {
		w.restore(nil)
		var c net.Conn
		must(w.T, w.outside.in(func() (err error) {
			c, err = net.Dial("udp", "10.99.0.1:5300")
			return err
		}))
		defer c.Close()
		if got, err := ask(c, "?", patience); err == nil || !strings.Contains(err.Error(), "refused") { // a flow to the host itself
			w.Error(got, err)
		}
		for _, name := range []string{"a", "b"} {
			s := w.run(name, []string{"bridge"}, publish("5300:53/udp"))
			s.serveUDP(":53", name)
			if got, err := ask(c, name, patience); got != name+" 10.99.0.2" {
				w.Error(got, err)
			}
			must(w.T, w.manager.Detach(context.Background(), s.ID))
		}
	})
}
