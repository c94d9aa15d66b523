package dns

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

type zone map[string][]string

func (z zone) Lookup(name string) (all []netip.Addr, ok bool) {
	list, ok := z[name]
	for _, a := range list {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, ok
}

func (z zone) Reverse(a netip.Addr) (string, bool) {
	for name, list := range z {
		for _, b := range list {
			if a.String() == b {
				return name + ".net1", true
			}
		}
	}
	return "", false
}

func (zone) KeepSingleLabels() bool { return false }

func query(t testing.TB, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	n, err := dnsmessage.NewName(name)
	if err != nil {
		t.Fatal(err)
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 77, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: n, Type: kind, Class: dnsmessage.ClassINET}}}
	out, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// show is what a response holds.
func show(t testing.TB, response []byte) string {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(response); err != nil {
		t.Fatal(err)
	}
	if m.ID != 77 || !m.Response {
		t.Errorf("header %+v", m.Header)
	}
	words := []string{strings.TrimPrefix(m.RCode.String(), "RCode")}
	for _, a := range m.Answers {
		switch b := a.Body.(type) {
		case *dnsmessage.AResource:
			words = append(words, netip.AddrFrom4(b.A).String())
		case *dnsmessage.AAAAResource:
			words = append(words, netip.AddrFrom16(b.AAAA).String())
		case *dnsmessage.PTRResource:
			words = append(words, b.PTR.String())
		}
	}
	return strings.Join(words, " ")
}

func TestAnswer(t *testing.T) {
	z := zone{"web": {"10.0.0.2"}, "both": {"10.0.0.3", "fd00::3"}}
	for _, test := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"web.", dnsmessage.TypeA, "Success 10.0.0.2"},
		{"WEB.", dnsmessage.TypeA, "Success 10.0.0.2"},
		{"web.", dnsmessage.TypeAAAA, "Success"}, // not an error, and nobody else is asked
		{"web.", dnsmessage.TypeMX, "Success"},
		{"both.", dnsmessage.TypeAAAA, "Success fd00::3"},
		{"2.0.0.10.in-addr.arpa.", dnsmessage.TypePTR, "Success web.net1."},
		{"3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.", dnsmessage.TypePTR, "Success both.net1."},
		{"9.0.0.10.in-addr.arpa.", dnsmessage.TypePTR, "forward"},
		{"0.0.10.in-addr.arpa.", dnsmessage.TypePTR, "forward"},
		{"example.com.", dnsmessage.TypeA, "forward"},
		{"other.", dnsmessage.TypeA, "forward"},
		{"web.", dnsmessage.TypePTR, "forward"},
	} {
		out, err := answer(z, query(t, test.name, test.kind), true)
		got := "forward"
		if err == nil {
			got = show(t, out)
		} else if err != errForward {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s %s: %s, want %s", test.name, test.kind, got, test.want)
		}
	}
}

func TestLongAnswersAreCutForUDP(t *testing.T) {
	z := zone{}
	for i := range 200 {
		z["many"] = append(z["many"], netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}).String())
	}
	q := query(t, "many.", dnsmessage.TypeA)
	out, err := answer(z, q, true)
	if err != nil || len(out) > minimal || out[2]&2 == 0 {
		t.Errorf("%d bytes, %v, truncated %v", len(out), err, out[2]&2 != 0)
	}
	if out, err = answer(z, q, false); err != nil || len(strings.Fields(show(t, out))) != 201 {
		t.Errorf("over TCP: %d bytes, %v", len(out), err)
	}
}

func TestForwardTakesTheFirstAnswer(t *testing.T) {
	refusing, good := server(t, zone{}, nil), server(t, zone{"there": {"10.0.0.9"}}, nil)
	front := server(t, zone{}, []Upstream{{Addr: refusing}, {Addr: good}})
	for _, proto := range []string{"udp", "tcp"} {
		out, err := Upstream{Addr: front}.ask(query(t, "there.", dnsmessage.TypeA), proto)
		if err != nil || show(t, out) != "Success 10.0.0.9" {
			t.Errorf("%s: %v", proto, err)
		}
		out, err = Upstream{Addr: front}.ask(query(t, "nowhere.", dnsmessage.TypeA), proto)
		if err != nil || show(t, out) != "Refused" {
			t.Errorf("%s: %v", proto, err)
		}
	}
}

func server(t *testing.T, z zone, servers []Upstream) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(z, servers, c.(*net.UDPConn), l.(*net.TCPListener))
	t.Cleanup(s.Close)
	return netip.MustParseAddrPort(l.Addr().String())
}

// No message crashes the server, and what it answers can be read.
func FuzzAnswer(f *testing.F) {
	for _, name := range []string{"web.", "2.0.0.10.in-addr.arpa.", "x.ip6.arpa."} {
		f.Add(query(f, name, dnsmessage.TypeA))
		f.Add(query(f, name, dnsmessage.TypePTR))
	}
	z := zone{"web": {"10.0.0.2", "fd00::2"}}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, udp := range []bool{true, false} {
			out, err := answer(z, in, udp)
			if err != nil {
				continue
			}
			var m dnsmessage.Message
			if err := m.Unpack(out); err != nil || !m.Response {
				t.Errorf("%x: response %x: %v", in, out, err)
			}
		}
		answers(in, in)
		if len(in) >= headerSize {
			forward(nil, in, "udp")
		}
	})
}
