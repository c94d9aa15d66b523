package network

import (
	"strings"
	"testing"
)

func TestResolvConf(t *testing.T) {
	c := parseResolvConf([]byte("# comment\nnameserver 10.0.0.1 \nnameserver fe80::1%eth0\nnameserver nonsense\ndomain old\nsearch a b\n\toptions ndots:3 timeout:1\noptions rotate\n;x\nnameserver\n"))
	want := "nameserver 10.0.0.1\nnameserver fe80::1%eth0\nsearch a b\noptions ndots:3 timeout:1 rotate\n"
	if got := string(c.bytes()); !strings.HasSuffix(got, want) || strings.Count(got, "nameserver") != 2 {
		t.Errorf("%s\nwant at the end\n%s", got, want)
	}
	if got := string(c.embedded().bytes()); !strings.Contains(got, "nameserver 127.0.0.11\n") || strings.Contains(got, "ndots:0") || !strings.Contains(got, "[10.0.0.1 fe80::1%eth0]") {
		t.Error(got)
	}
	if got := string(resolvConf{}.embedded().bytes()); !strings.Contains(got, "options ndots:0\n") {
		t.Error(got)
	}
}

func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 127.0.0.1\nsearch x\noptions y")
	f.Fuzz(func(t *testing.T, text string) {
		c := parseResolvConf([]byte(text))
		again := parseResolvConf(c.bytes())
		if len(again.servers) != len(c.servers) || len(again.search) != len(c.search) || len(again.options) != len(c.options) {
			t.Errorf("%q is read back as %+v, not %+v", text, again, c)
		}
	})
}
