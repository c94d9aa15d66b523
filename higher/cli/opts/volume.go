package opts

import (
	"errors"
	"path/filepath"
	"strings"
)

// Volume reads the value of --volume: a bind or named volume to be sent on, or the target of an anonymous volume. What is
// wrong with it the daemon says.
func Volume(s string) (bind, target string, err error) {
	if s == "" {
		return "", "", errors.New("invalid empty volume spec")
	}
	source, rest, ok := strings.Cut(s, ":")
	if !ok {
		return "", s, nil
	}
	if strings.HasPrefix(source, ".") {
		if abs, err := filepath.Abs(source); err == nil {
			source = abs
		}
	}
	return source + ":" + rest, "", nil
}
