package resctrl

import (
	"strconv"
	"strings"
)

// schema holds values by resource ("L3", "MB") and cache.
type schema map[string]map[string]string

// parse reads lines such as "L3:0=ff;1=c0". The kernel writes back what it was given in its own way: with leading
// zeros or blanks, in order. Values are kept without them.
func parse(text string) schema {
	s := schema{}
	for line := range strings.SplitSeq(text, "\n") {
		name, list, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found {
			continue
		}
		values := s[name]
		if values == nil {
			values = map[string]string{}
			s[name] = values
		}
		for item := range strings.SplitSeq(list, ";") {
			cache, value, _ := strings.Cut(item, "=")
			values[plain(cache, 10)] = plain(value, base(name))
		}
	}
	return s
}

// base is that of a resource's values: bandwidth is a decimal number, parts of a cache are a mask.
func base(resource string) int {
	if resource == "MB" {
		return 10
	}
	return 16
}

func plain(number string, base int) string {
	number = strings.TrimSpace(number)
	if v, err := strconv.ParseUint(strings.TrimPrefix(number, "0x"), base, 64); err == nil {
		return strconv.FormatUint(v, base)
	}
	return number
}

// covers says whether all of want is in s.
func (s schema) covers(want schema) bool {
	for name, values := range want {
		for cache, value := range values {
			if s[name][cache] != value {
				return false
			}
		}
	}
	return true
}
