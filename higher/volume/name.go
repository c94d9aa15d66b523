package volume

import (
	"crypto/rand"
	"encoding/hex"
)

// checkName refuses names that are no directory's of their own below the root.
func checkName(name string) error {
	if len(name) == 1 {
		return invalidf("volume name is too short, names should be at least two alphanumeric characters")
	}
	for i, r := range name {
		alphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alphanumeric && (i == 0 || r != '_' && r != '.' && r != '-') {
			return invalidf(`%q includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`, name)
		}
	}
	if len(name) > 255 {
		return invalidf("volume name %q is longer than 255 characters", name)
	}
	return nil
}

// newName is the name of a volume that nobody named.
func newName() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
