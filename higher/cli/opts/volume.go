package opts

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Volume reads the value of --volume: a bind or named volume to be sent on, or the target of an anonymous volume.
func Volume(s string) (bind, target string, err error) {
	if s == "" {
		return "", "", errors.New("invalid empty volume spec")
	}
	parts := strings.Split(s, ":")
	for _, p := range parts {
		if p == "" {
			return "", "", fmt.Errorf("invalid spec: %s: empty section between colons", s)
		}
	}
	switch {
	case len(parts) == 1:
		return "", s, nil
	case len(parts) > 3:
		return "", "", fmt.Errorf("invalid spec: %s: too many colons", s)
	case strings.HasPrefix(parts[0], "."):
		if abs, err := filepath.Abs(parts[0]); err == nil {
			parts[0] = abs
		}
	}
	return strings.Join(parts, ":"), "", nil
}
