package task

import "strings"

// defaultKeys are ctrl-p,ctrl-q.
var defaultKeys = []byte{16, 17}

// ParseDetachKeys reads the keys by which a client detaches, as Docker writes them: one after the other with commas between,
// each a character, or ctrl- and a letter or one of @[\]^_. None are the default.
func ParseDetachKeys(s string) ([]byte, error) {
	if s == "" {
		return defaultKeys, nil
	}
	var keys []byte
	for _, key := range strings.Split(s, ",") {
		c, ok := detachKey(key)
		if !ok {
			return nil, invalid("Invalid escape keys (%s) provided", s)
		}
		keys = append(keys, c)
	}
	return keys, nil
}

func detachKey(key string) (byte, bool) {
	if len(key) == 1 {
		return key[0], true
	}
	name, ok := strings.CutPrefix(strings.ToLower(key), "ctrl-")
	if !ok || len(name) != 1 {
		return 0, false
	}
	switch c := name[0]; {
	case c >= 'a' && c <= 'z':
		return c - 'a' + 1, true
	case c == '@':
		return 0, true
	case c >= '[' && c <= '_':
		return c - '[' + 27, true
	}
	return 0, false
}
