package seccomp

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newCacheDir returns a directory for a cache with the simple profile in it, and the entry's path.
func newCacheDir(t *testing.T) (dir, entry string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "cache")
	mustLoad(t, simpleProfile, dir)
	k := newKey([]byte(simpleProfile))
	return dir, filepath.Join(dir, k.name())
}

func mustLoad(t testing.TB, profile, dir string) *Filter {
	t.Helper()
	f, err := Load([]byte(profile), dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fromCache tells whether the cache answers for the simple profile.
func fromCache(t *testing.T, dir string) bool {
	t.Helper()
	c, err := openCache(dir)
	if err != nil {
		return false
	}
	defer c.close()
	return c.get(newKey([]byte(simpleProfile))) != nil
}

func TestCacheHit(t *testing.T) {
	dir, entry := newCacheDir(t)
	for path, mode := range map[string]os.FileMode{dir: os.ModeDir | 0o700, entry: 0o600} {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", path, st.Mode(), mode)
		}
	}
	if !fromCache(t, dir) {
		t.Fatal("no hit")
	}
	want, got := mustLoad(t, simpleProfile, ""), mustLoad(t, simpleProfile, dir)
	if !bytes.Equal(want.Insns, got.Insns) || want.Flags != got.Flags || want.Notify != got.Notify {
		t.Errorf("cached %+v\ncompiled %+v", got, want)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("the cache holds %v, %v", names, err)
	}
}

func TestCacheUmask(t *testing.T) {
	old := unix.Umask(0o777)
	defer unix.Umask(old)
	dir := filepath.Join(t.TempDir(), "cache")
	mustLoad(t, simpleProfile, dir)
	unix.Umask(old)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, simpleProfile, dir)
	if !fromCache(t, dir) {
		t.Error("no hit")
	}
}

// TestCacheBadEntry replaces the entry by something that must not be used, and must be replaced in turn.
func TestCacheBadEntry(t *testing.T) {
	write := func(change func([]byte) []byte) func(string) error {
		return func(entry string) error {
			b, err := os.ReadFile(entry)
			if err != nil {
				return err
			}
			return os.WriteFile(entry, change(b), 0o600)
		}
	}
	replace := func(f func(string) error) func(string) error {
		return func(entry string) error {
			if err := os.Rename(entry, entry+".old"); err != nil {
				return err
			}
			return f(entry)
		}
	}
	blobAt := newKey([]byte(simpleProfile)).size()
	tests := map[string]func(entry string) error{
		"empty":         write(func(b []byte) []byte { return nil }),
		"cut":           write(func(b []byte) []byte { return b[:len(b)-8] }),
		"longer":        write(func(b []byte) []byte { return append(b, make([]byte, 8)...) }),
		"huge":          func(e string) error { return os.Truncate(e, 1<<30) },
		"header alone":  write(func(b []byte) []byte { return b[:entryHeader] }),
		"key alone":     write(func(b []byte) []byte { return b[:blobAt] }),
		"magic":         write(func(b []byte) []byte { b[0] ^= 1; return b }),
		"version":       write(func(b []byte) []byte { b[8] ^= 1; return b }),
		"length of id":  write(func(b []byte) []byte { b[12]++; return b }),
		"length":        write(func(b []byte) []byte { b[16]++; return b }),
		"high length":   write(func(b []byte) []byte { b[23] = 0x80; return b }),
		"other program": write(func(b []byte) []byte { b[entryHeader] ^= 1; return b }),
		"other profile": write(func(b []byte) []byte { b[blobAt-1] ^= 1; return b }),
		"flags":         write(func(b []byte) []byte { b[blobAt+12] ^= 1; return b }),
		"instruction":   write(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		"mode":          func(e string) error { return os.Chmod(e, 0o644) },
		"owner":         func(e string) error { return os.Chown(e, 1000, -1) },
		"symbolic link": replace(func(e string) error { return os.Symlink(e+".old", e) }),
		"FIFO":          replace(func(e string) error { return unix.Mkfifo(e, 0o600) }),
	}
	for name, plant := range tests {
		t.Run(name, func(t *testing.T) {
			dir, entry := newCacheDir(t)
			if err := plant(entry); err != nil {
				t.Skip("needs root:", err)
			}
			if fromCache(t, dir) {
				t.Fatal("the entry is used")
			}
			mustLoad(t, simpleProfile, dir)
			if !fromCache(t, dir) {
				t.Error("the entry is not replaced")
			}
		})
	}
}

// TestCacheSymlinkTarget: replacing a planted link must not write through it.
func TestCacheSymlinkTarget(t *testing.T) {
	dir, entry := newCacheDir(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(entry); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, entry); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, simpleProfile, dir)
	if b, err := os.ReadFile(victim); err != nil || string(b) != "precious" {
		t.Errorf("the link's target holds %q, %v", b, err)
	}
}

func TestCacheBadDirectory(t *testing.T) {
	tests := map[string]func(dir string) error{
		"mode":  func(d string) error { return os.Chmod(d, 0o755) },
		"owner": func(d string) error { return os.Chown(d, 1000, -1) },
		"symbolic link": func(d string) error {
			if err := os.Rename(d, d+".old"); err != nil {
				return err
			}
			return os.Symlink(d+".old", d)
		},
		"file": func(d string) error {
			if err := os.RemoveAll(d); err != nil {
				return err
			}
			return os.WriteFile(d, nil, 0o700)
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			dir, _ := newCacheDir(t)
			if err := spoil(dir); err != nil {
				t.Skip("needs root:", err)
			}
			if fromCache(t, dir) {
				t.Fatal("the directory is used")
			}
			mustLoad(t, simpleProfile, dir)
		})
	}
}

func TestCacheBound(t *testing.T) {
	dir, entry := newCacheDir(t)
	past := time.Now().Add(-time.Hour)
	for i := range maxEntries + 20 {
		name := filepath.Join(dir, fmt.Sprintf("%016x", i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, past, past.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	stale, fresh, other := entry+".1-1-1", entry+".2-2-2", filepath.Join(dir, "README")
	for _, name := range []string{stale, fresh, other} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(stale, past, past); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, strings.Replace(simpleProfile, "77", "78", 1), dir)
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != maxEntries+2 {
		t.Errorf("%d files, want %d entries and 2 others", len(names), maxEntries)
	}
	for name, want := range map[string]bool{entry: true, fresh: true, other: true, stale: false, filepath.Join(dir, fmt.Sprintf("%016x", 0)): false} {
		if _, err := os.Lstat(name); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", filepath.Base(name), err, want)
		}
	}
}

// TestCacheBytes has entries that are few, but large.
func TestCacheBytes(t *testing.T) {
	dir, entry := newCacheDir(t)
	past := time.Now().Add(-time.Hour)
	const large = maxBytes / 4
	for i := range 8 {
		name := filepath.Join(dir, fmt.Sprintf("%016x", i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, large); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, past, past.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	mustLoad(t, strings.Replace(simpleProfile, "77", "78", 1), dir)
	for name, want := range map[string]bool{entry: true, filepath.Join(dir, fmt.Sprintf("%016x", 7)): true, filepath.Join(dir, fmt.Sprintf("%016x", 4)): false} {
		if _, err := os.Lstat(name); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", filepath.Base(name), err, want)
		}
	}
}

// TestCacheCollision gives all profiles one name: each must still get its own filter.
func TestCacheCollision(t *testing.T) {
	strict := simpleProfile
	loose := strings.Replace(strict, "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", 1)
	loose = strings.Replace(loose, `,"errnoRet":77`, "", 1)
	want := map[string]*Filter{strict: mustLoad(t, strict, ""), loose: mustLoad(t, loose, "")}
	if bytes.Equal(want[strict].Insns, want[loose].Insns) {
		t.Fatal("the profiles have one filter")
	}
	defer FakeHash(func(uint64, []byte) uint64 { return 0x1234 })()
	dir := filepath.Join(t.TempDir(), "cache")
	for i, profile := range []string{loose, strict, strict, loose, loose + " ", strict} {
		expected := want[strings.TrimSpace(profile)]
		if got := mustLoad(t, profile, dir); !bytes.Equal(got.Insns, expected.Insns) || got.Flags != expected.Flags {
			t.Errorf("load %d returns another profile's filter", i)
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) != 1 || names[0].Name() != "0000000000001234" {
			t.Errorf("load %d: the cache holds %v, %v", i, names, err)
		}
	}
	if !fromCache(t, dir) {
		t.Error("the last profile is not kept")
	}
}

// TestCacheSplicedKey has an entry whose profile begins with the one asked for, and goes on with a blob.
func TestCacheSplicedKey(t *testing.T) {
	k := newKey([]byte(simpleProfile))
	blob, err := compile(k.profile, "")
	if err != nil {
		t.Fatal(err)
	}
	if parseEntry(k, k.entry(blob)) == nil {
		t.Fatal("a good entry is refused")
	}
	longer := key{k.id, append([]byte(simpleProfile), blob...)}
	shorter := key{k.id[:len(k.id)-1], append([]byte{k.id[len(k.id)-1]}, k.profile...)}
	for _, other := range []key{longer, shorter} {
		if parseEntry(k, other.entry(nil)) != nil || parseEntry(k, other.entry(blob)) != nil {
			t.Errorf("the entry of a profile of %d bytes is used for one of %d", len(other.profile), len(k.profile))
		}
	}
}

func TestCacheConcurrently(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	want := mustLoad(t, simpleProfile, "")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				f, err := Load([]byte(simpleProfile), dir)
				if err != nil || !bytes.Equal(f.Insns, want.Insns) {
					t.Errorf("%v, %v", f, err)
				}
				os.RemoveAll(dir)
			}
		})
	}
	wg.Wait()
}
