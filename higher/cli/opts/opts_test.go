package opts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/spf13/pflag"
)

func TestPublish(t *testing.T) {
	for in, want := range map[string]string{
		"80":                   "80/tcp=[:]",
		"8080:80":              "80/tcp=[:8080]",
		"1.2.3.4:8080:80/udp":  "80/udp=[1.2.3.4:8080]",
		"1.2.3.4::80":          "80/tcp=[1.2.3.4:]",
		"[::1]:70:70":          "70/tcp=[::1:70]",
		"5000-5010:5000":       "5000/tcp=[:5000-5010]",
		"9000-9001:8000-8001":  "8000/tcp=[:9000] 8001/tcp=[:9001]",
		"9000-9001":            "9000/tcp=[:] 9001/tcp=[:]",
		"published=1,target=2": "2/tcp=[:1]",
	} {
		_, got, err := Publish([]string{in})
		if err != nil || show(got) != want {
			t.Errorf("%s: %s, %v; not %s", in, show(got), err, want)
		}
	}
	for _, in := range []string{"", ":", "x", "70000", "80/foo", "1-2:3-5", "a:1:2", "2-1", "1:", "target=x", "published"} {
		if _, got, err := Publish([]string{in}); err == nil {
			t.Errorf("%q gave %s, not an error", in, show(got))
		}
	}
}

func show(m network.PortMap) string {
	var all []string
	for p, list := range m {
		var bs []string
		for _, b := range list {
			ip := ""
			if b.HostIP.IsValid() {
				ip = b.HostIP.String()
			}
			bs = append(bs, ip+":"+b.HostPort)
		}
		all = append(all, fmt.Sprintf("%s=%v", p, bs))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestReadEnv(t *testing.T) {
	t.Setenv("THERE", "yes")
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte("\ufeffA=1\n# x\n  B=2 = 3\nTHERE\nNOTHERE\nC=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadEnv([]string{path}, []string{"D=4"})
	if want := []string{"A=1", "B=2 = 3", "THERE=yes", "C=", "D=4"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; not %q", got, err, want)
	}
	for _, bad := range []string{"=x", "a b=c", "a=\xff"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadEnv([]string{path}, nil); err == nil {
			t.Errorf("%q gave %q", bad, got)
		}
	}
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		name     string
		check    Check
		good, no []string
	}{
		{"label", Label, []string{"a=b", "a", "a=b c"}, []string{"=b", "a b=c", ""}},
		{"ip", IP, []string{"1.2.3.4", "::1"}, []string{"x", "1.2.3"}},
		{"domain", SearchDomain, []string{"example.com", ".", "a"}, []string{"-a", "a..b", "1.2", "a_b", ""}},
		{"host", Host, []string{"a:1.2.3.4", "a=::1", "a:[::1]", "a:host-gateway"}, []string{"a", ":1.2.3.4", "a:x"}},
		{"rule", CgroupRule, []string{"c 1:3 rwm", "a *:* r", "b 8:* w"}, []string{"x 1:3 r", "c 1 r", "c 1:3", "c 1:3 x", "c a:3 r"}},
		{"sysctl", Sysctl, []string{"net.a=1", "kernel.sem=1"}, []string{"vm.x=1", "net.a", "kernel.x=1"}},
		{"link", Link, []string{"a", "a:b"}, []string{"", "a:b:c"}},
	} {
		for _, s := range c.good {
			if _, err := c.check(s); err != nil {
				t.Errorf("%s %q: %v", c.name, s, err)
			}
		}
		for _, s := range c.no {
			if got, err := c.check(s); err == nil {
				t.Errorf("%s %q gave %q, not an error", c.name, s, got)
			}
		}
	}
}

func TestFilter(t *testing.T) {
	fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
	f := Filter(fs, "f", "")
	if err := fs.Parse([]string{"-f", "Name=a", "-f", "name= b ", "-f", "label=k=v"}); err != nil {
		t.Fatal(err)
	}
	if !f["name"]["a"] || !f["name"]["b"] || !f["label"]["k=v"] {
		t.Errorf("%v", f)
	}
	if fs.Parse([]string{"-f", "x"}) == nil {
		t.Error("a filter without = is none")
	}
}

// What users type is never a panic.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"80:80", "type=bind,src=/a,dst=/b", "name=n,ip=1.2.3.4", "all", "/dev/null:/x:r", "a:b:c", "published=1,target=2", "[::]:1:1/udp", "device=0,\"x=y\""} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		Publish([]string{s})
		Expose(s, network.PortSet{})
		Mount(s)
		Network(s)
		GPUs(s)
		Device(s)
		CDI(s)
		Weight(s)
		Bps(s)
		IOps(s)
		Volume(s)
		Restart(s)
		Host(s)
		CgroupRule(s)
		SearchDomain(s)
	})
}
