package seccomp

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

func TestLoadErrors(t *testing.T) {
	bad := strings.Replace(simpleProfile, "SCMP_ACT_ERRNO", "X", 1)
	for _, dir := range []string{"", t.TempDir() + "/cache"} {
		_, err := Load([]byte(bad), dir)
		if err == nil || err.Error() != `/linux/seccomp/syscalls/0/action: unknown action "X"` {
			t.Errorf("cache %q: %v", dir, err)
		}
	}
	if _, err := Load(make([]byte, maxProfile+1), ""); err == nil || !strings.Contains(err.Error(), "the profile has 1048577 bytes") {
		t.Error(err)
	}
}

func TestKeys(t *testing.T) {
	a, b := newKey([]byte(simpleProfile)).name(), newKey([]byte(simpleProfile+" ")).name()
	if a == b || a != newKey([]byte(simpleProfile)).name() {
		t.Error("names do not follow the profile")
	}
	if compilerID() == "" || strings.Count(compilerID(), "sha256:")+strings.Count(compilerID(), "in process") != 1 {
		t.Errorf("compiler %q", compilerID())
	}
	for name, want := range map[string]bool{a: true, a + ".1-2-3": true, a + "x": false,
		a[1:]: false, strings.ToUpper("abcdef" + a[6:]): false, "": false} {
		if isEntry(name) != want {
			t.Errorf("%q: entry %v", name, !want)
		}
	}
}

func TestVersion(t *testing.T) {
	major, rest, _ := strings.Cut(Version(), ".")
	minor, micro, _ := strings.Cut(rest, ".")
	for _, part := range []string{major, minor, micro} {
		if _, err := strconv.Atoi(part); err != nil {
			t.Errorf("libseccomp %q: %v", Version(), err)
		}
	}
}

// TestHitTime holds the promise of 40 µs for a hit, with a margin for a busy machine.
func TestHitTime(t *testing.T) {
	raw, dir := []byte(dockerProfile(t)), t.TempDir()+"/cache"
	mustLoad(t, string(raw), dir)
	best := time.Hour
	for range 200 {
		start := time.Now()
		if _, err := Load(raw, dir); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("%v for a profile of %d bytes", best, len(raw))
	if best > 100*time.Microsecond {
		t.Errorf("a hit takes %v", best)
	}
}

func BenchmarkHit(b *testing.B) {
	raw, dir := []byte(dockerProfile(b)), b.TempDir()+"/cache"
	mustLoad(b, string(raw), dir)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(raw, dir); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	raw := []byte(dockerProfile(b))
	for b.Loop() {
		if _, err := Load(raw, ""); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzCacheEntry reads entries that anybody may have written.
func FuzzCacheEntry(f *testing.F) {
	dir := f.TempDir() + "/cache"
	mustLoad(f, simpleProfile, dir)
	k := newKey([]byte(simpleProfile))
	entry, err := os.ReadFile(dir + "/" + k.name())
	if err != nil {
		f.Fatal(err)
	}
	blob := entry[k.size():]
	f.Add(blob)
	f.Add(blob[:len(blob)-1])
	f.Add([]byte("dhowscmp"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		filter := parseEntry(k, k.entry(blob))
		if filter == nil {
			return
		}
		again, err := compiled.Encode(filter)
		if err != nil || string(again) != string(blob) {
			t.Errorf("an entry of %d bytes reads as %+v, which is written differently (%v)", len(blob), filter, err)
		}
	})
}
