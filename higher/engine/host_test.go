package engine

import (
	"maps"
	"testing"
)

func TestOSRelease(t *testing.T) {
	got := osRelease([]byte("NAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\n# comment\nID=debian\nPRETTY_NAME=\"A \\\"B\\\"\"\n"))
	want := map[string]string{"NAME": "Debian GNU/Linux", "VERSION_ID": "12", "ID": "debian", "PRETTY_NAME": `A "B"`}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
