package container

import "testing"

func TestGroupBelow(t *testing.T) {
	for _, c := range []struct{ text, below string }{
		{"0::/c1/child/grand\n", "/child/grand"},
		{"4:memory:/c1/other\n0::/c1/child\n", "/child"},
		{"0::/c1\n", ""},
		{"0::/c12/child\n", ""},
		{"0::/elsewhere\n", ""},
		{"0::/c1/child (deleted)\n", ""},
		{"4:memory:/c1/other\n", ""},
		{"", ""},
	} {
		if below, ok := groupBelow(c.text, "/c1"); below != c.below || ok != (c.below != "") {
			t.Errorf("%q: %q, %v", c.text, below, ok)
		}
	}
}
