package api

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
)

// Version is a version of the Engine API: n for 1.n.
type Version int

// The versions that are served.
const (
	MinVersion Version = 40
	MaxVersion Version = 56
)

func (v Version) String() string { return "1." + strconv.Itoa(int(v)) }

// splitVersion takes "/v1.n" off a path. A path without one asks for the newest version.
func splitVersion(path string) (Version, string, error) {
	prefix, ok := strings.CutPrefix(path, "/v")
	if !ok || prefix == "" || prefix[0] < '0' || prefix[0] > '9' {
		return MaxVersion, path, nil
	}
	number, rest, _ := strings.Cut(prefix, "/")
	v, err := ParseVersion(number)
	if err != nil {
		return 0, "", err
	}
	return v, "/" + rest, nil
}

// ParseVersion parses "1.n" and refuses versions that are not served, with Docker's words.
func ParseVersion(s string) (Version, error) {
	major, minor, _ := strings.Cut(s, ".")
	n, err := strconv.Atoi(minor)
	if major != "1" || err != nil || n < 0 {
		return 0, fmt.Errorf("invalid API version %q: %w", s, errdefs.ErrInvalidArgument)
	}
	switch v := Version(n); {
	case v < MinVersion:
		return 0, invalidf("client version %s is too old. Minimum supported API version is %s, please upgrade your client to a newer version", s, MinVersion)
	case v > MaxVersion:
		return 0, invalidf("client version %s is too new. Maximum supported API version is %s", s, MaxVersion)
	default:
		return v, nil
	}
}
