package plan

import (
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	for _, tt := range []struct{ name, env, home, want string }{
		{"nothing", "", "", ""},
		{"home from passwd", "A=1", "/root", "A=1 HOME=/root"},
		{"home of the config", "HOME=/x A=1", "/root", "HOME=/x A=1"},
		{"empty home", "HOME= A=1", "/root", "A=1 HOME=/root"},
		{"empty home, and none known", "HOME= A=1", "", "HOME= A=1"},
		{"home emptied", "HOME=/x HOME=", "/root", "HOME=/root"},
		{"last counts", "A=1 B=2 A= A=3", "/", "B=2 A=3 HOME=/"},
		{"one name is the start of another", "AB=1 A=2 AB=3", "", "A=2 AB=3"},
		{"value with equals sign", "A=1=2 B==", "", "A=1=2 B=="},
	} {
		got := Environment(strings.Fields(tt.env), tt.home)
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, s, tt.want)
		}
	}
}
