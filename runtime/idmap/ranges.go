package idmap

import (
	"os"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Range is a run of ids of the host that a user may map.
type Range struct{ First, Count uint32 }

// String is the range as first-last.
func (r Range) String() string {
	return strconv.FormatUint(uint64(r.First), 10) + "-" + strconv.FormatUint(uint64(r.First)+uint64(r.Count)-1, 10)
}

// Ranges reads the ranges that a file in the format of subuid(5) gives a user, under the name or the number.
func Ranges(file string, uid int) ([]Range, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseRanges(string(text), strconv.Itoa(uid), UserName(uid)), nil
}

func parseRanges(text string, names ...string) (list []Range) {
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 3 || f[0] == "" || f[0] != names[0] && f[0] != names[len(names)-1] {
			continue
		}
		first, err := strconv.ParseUint(f[1], 10, 32)
		count, err2 := strconv.ParseUint(f[2], 10, 32)
		if err == nil && err2 == nil && count > 0 {
			list = append(list, Range{uint32(first), uint32(count)})
		}
	}
	return list
}

// UserName is the login name of a user, or the number where /etc/passwd has none.
func UserName(uid int) string {
	passwd, _ := os.ReadFile("/etc/passwd")
	return userName(string(passwd), strconv.Itoa(uid))
}

// userName finds the name of a number in the text of a passwd(5) file.
func userName(passwd, uid string) string {
	for line := range strings.SplitSeq(passwd, "\n") {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == uid {
			return f[0]
		}
	}
	return uid
}

// covered says whether one range holds all of a mapping.
func covered(ranges []Range, m specs.LinuxIDMapping) bool {
	for _, r := range ranges {
		if m.HostID >= r.First && uint64(m.HostID)+uint64(m.Size) <= uint64(r.First)+uint64(r.Count) {
			return true
		}
	}
	return false
}

func join(ranges []Range) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		words[i] = r.String()
	}
	return strings.Join(words, ", ")
}
