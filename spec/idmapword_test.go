package spec

import (
	"fmt"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func idmapConfig() *specs.Spec {
	return &specs.Spec{Linux: &specs.Linux{
		UIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: 1, HostID: 2, Size: 1000}},
		GIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 5000, Size: 100}},
	}}
}

func TestParseIDMapWord(t *testing.T) {
	for option, want := range map[string]string{
		"idmap=uids=0-1-10#10-11-10;gids=0-100-10": "[{0 1 10} {10 11 10}] [{0 100 10}]",
		"ridmap=gids=7-8-9;uids=1-2-3":             "[{1 2 3}] [{7 8 9}]",
		"idmap=uids=@1-3-10;gids=@0-1-99":          "[{1 4 10}] [{0 5001 99}]", // the first is the manual's example
		"idmap=uids=@1-3-10#20-30-1;gids=0-0-1":    "[{1 4 10} {20 30 1}] [{0 0 1}]",
	} {
		if word, ok := IDMapWord(option); !ok || word != option[:len(word)] {
			t.Errorf("%s is no such option, but %q", option, word)
		}
		uids, gids, err := ParseIDMapWord(idmapConfig(), option)
		if got := fmt.Sprint(uids, " ", gids); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", option, got, err, want)
		}
	}
}

func TestParseIDMapWordErrors(t *testing.T) {
	for _, option := range []string{
		"idmap=", "idmap=uids=", "idmap=uids=0-1-2", "idmap=uids=0-1-2;gids=", "idmap=uids=0-1;gids=0-1-2", "idmap=uids=0-1-2-3;gids=0-1-2",
		"idmap=uids=a-1-2;gids=0-1-2", "idmap=uids=0-1-4294967296;gids=0-1-2", "idmap=users=0-1-2", "idmap=uids=0-1-2;gids=0-1-2;",
		"idmap=uids=@0-0-2;gids=0-1-2", // over the end of a mapping
		"idmap=uids=@0-2000-1;gids=0-1-2", "idmap=uids=@@0-0-1;gids=0-1-2",
	} {
		if uids, gids, err := ParseIDMapWord(idmapConfig(), option); err == nil {
			t.Errorf("%s is taken for %v %v", option, uids, gids)
		}
	}
	if _, ok := IDMapWord("idmap"); ok {
		t.Error("idmap alone has mappings")
	}
	if _, _, err := ParseIDMapWord(&specs.Spec{}, "idmap=uids=@0-0-1;gids=0-0-1"); err == nil {
		t.Error("relative to nothing")
	}
}

func FuzzParseIDMapWord(f *testing.F) {
	f.Add("idmap=uids=0-1-10#10-11-10;gids=@0-0-10")
	f.Fuzz(func(t *testing.T, option string) {
		uids, gids, err := ParseIDMapWord(idmapConfig(), option)
		if err == nil && (len(uids) == 0 || len(gids) == 0) {
			t.Errorf("%q: %v %v", option, uids, gids)
		}
	})
}
