package container

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

func appendInt(b []byte, v int) []byte { return strconv.AppendInt(b, int64(v), 10) }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// passwdField finds the entry of uid in the text of a passwd(5) file and returns one of its fields.
func passwdField(text string, uid uint32, field int) string {
	want := strconv.FormatUint(uint64(uid), 10)
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Split(line, ":")
		if len(f) > max(2, field) && f[2] == want {
			return f[field]
		}
	}
	return ""
}

// The fields of passwd(5) that are looked up.
const (
	passwdName = 0
	passwdHome = 5
)
