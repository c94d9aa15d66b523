package container

import (
	"crypto/rand"
	"encoding/hex"
	mrand "math/rand/v2"
	"strings"
)

// newID makes an id of 256 random bits. The first 12 digits become a host name, for which a number is no good.
func newID() string {
	for {
		var b [32]byte
		_, _ = rand.Read(b[:])
		if id := hex.EncodeToString(b[:]); strings.Trim(id[:12], "0123456789") != "" {
			return id
		}
	}
}

// short is an id as people are shown it.
func short(id string) string { return id[:min(12, len(id))] }

const nameCharacters = "[a-zA-Z0-9][a-zA-Z0-9_.-]"

// validName says whether a name is nameCharacters+, without compiling a regular expression at each start.
func validName(name string) bool {
	for i, r := range name {
		alnum := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !alnum && (i == 0 || r != '_' && r != '.' && r != '-') {
			return false
		}
	}
	return len(name) > 1
}

// reserve takes a name for a container; "" for one of our choice.
func (m *Manager) reserve(id, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if name == "" {
		name = m.freeName(id)
		m.byName[name] = id
		return name, nil
	}
	bare := strings.TrimPrefix(name, "/")
	if !validName(bare) {
		return "", invalidf("Invalid container name (%s), only %s are allowed", name, nameCharacters)
	}
	if holder, taken := m.byName[bare]; taken && holder != id {
		return "", conflictf("Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.", "/"+bare, holder)
	}
	m.byName[bare] = id
	return bare, nil
}

func (m *Manager) freeName(id string) string {
	for range 6 {
		name := adjectives[mrand.IntN(len(adjectives))] + "_" + surnames[mrand.IntN(len(surnames))]
		if _, taken := m.byName[name]; !taken {
			return name
		}
	}
	return short(id)
}

// release gives a name back, if it is this container's.
func (m *Manager) release(id, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byName[name] == id {
		delete(m.byName, name)
	}
}
