package log

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRotatedTwice has a log rotated twice between one file and the next: none is there twice, or behind an older one.
func TestRotatedTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := func(i int) string {
		if i == 0 {
			return path
		}
		return fmt.Sprintf("%s.%d", path, i)
	}
	next := 0
	rotate := func() {
		for i := next - 1; i >= 0; i-- {
			if err := os.Rename(name(i), name(i+1)); err != nil {
				t.Fatal(err)
			}
		}
		write(fmt.Sprint(next))
		next++
	}
	for range 3 {
		rotate()
	}
	var seen []string
	files, err := walk(path, func(f *file) bool {
		if seen = append(seen, string(f.head())); len(seen) == 1 {
			rotate()
			rotate()
		}
		return string(f.head()) == "0"
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(files)
	var got []string
	for _, f := range files {
		got = append(got, string(f.head()))
	}
	if want := []string{"2", "1"}; !slices.Equal(got, want) {
		t.Errorf("got %v of %v, want %v", got, seen, want)
	}
}
