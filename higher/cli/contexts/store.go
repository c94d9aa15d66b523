package contexts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/errdefs"
)

// Default is the name of the context made of the environment; it is in no store.
const Default = "default"

// Meta is meta.json.
type Meta struct {
	Name      string
	Metadata  map[string]any
	Endpoints map[string]Endpoint
}

// Endpoint is a daemon's address.
type Endpoint struct {
	Host          string `json:",omitempty"`
	SkipTLSVerify bool
}

// Description is what the user has said of a context.
func (m *Meta) Description() string {
	s, _ := m.Metadata["Description"].(string)
	return s
}

// Docker is the endpoint that counts here.
func (m *Meta) Docker() Endpoint { return m.Endpoints["docker"] }

// TLS are the files of an endpoint: ca.pem, cert.pem, key.pem, those that there are.
type TLS map[string][]byte

// Store is a folder of contexts.
type Store struct{ root string }

// At returns the store in a configuration folder.
func At(configDir string) *Store { return &Store{root: filepath.Join(configDir, "contexts")} }

// CheckName says whether name can be one of a context.
func CheckName(name string) error {
	if name == "" {
		return errors.New("context name cannot be empty")
	}
	if name == Default {
		return errors.New(`"default" is a reserved context name`)
	}
	for i, r := range name {
		word := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !word && (i == 0 || r != '_' && r != '.' && r != '+' && r != '-') {
			return fmt.Errorf("context name %q is invalid, names are validated against regexp %q", name, "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$")
		}
	}
	if len(name) < 2 {
		return fmt.Errorf("context name %q is invalid, names are validated against regexp %q", name, "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$")
	}
	return nil
}

func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// MetaDir and TLSDir are shown by inspect.
func (s *Store) MetaDir(name string) string { return filepath.Join(s.root, "meta", id(name)) }
func (s *Store) TLSDir(name string) string  { return filepath.Join(s.root, "tls", id(name)) }

// Get reads a context.
func (s *Store) Get(name string) (*Meta, error) {
	m, err := read(filepath.Join(s.MetaDir(name), "meta.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errdefs.ErrNotFound.WithMessage(fmt.Sprintf("context %q: context not found: %v", name, err))
	}
	return m, err
}

func read(path string) (*Meta, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Meta{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	return m, nil
}

// List returns all contexts by name.
func (s *Store) List() ([]*Meta, error) {
	dirs, err := os.ReadDir(filepath.Join(s.root, "meta"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []*Meta
	for _, d := range dirs {
		m, err := read(filepath.Join(s.root, "meta", d.Name(), "meta.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *Meta) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Put writes a context; its TLS files, unless tls is nil, replace those that were there.
func (s *Store) Put(m *Meta, tls TLS) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := write(s.MetaDir(m.Name), "meta.json", data, 0o755, 0o644); err != nil || tls == nil {
		return err
	}
	if err := os.RemoveAll(s.TLSDir(m.Name)); err != nil {
		return err
	}
	for name, data := range tls {
		if err := write(filepath.Join(s.TLSDir(m.Name), "docker"), name, data, 0o700, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// TLS reads the files of a context's endpoint.
func (s *Store) TLS(name string) (TLS, error) {
	dir := filepath.Join(s.TLSDir(name), "docker")
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return TLS{}, nil
	}
	if err != nil {
		return nil, err
	}
	all := TLS{}
	for _, f := range files {
		if all[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Remove forgets a context.
func (s *Store) Remove(name string) error {
	if _, err := s.Get(name); err != nil {
		return err
	}
	if err := os.RemoveAll(s.MetaDir(name)); err != nil {
		return err
	}
	return os.RemoveAll(s.TLSDir(name))
}

func write(dir, name string, data []byte, dirMode, mode fs.FileMode) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	t, err := os.CreateTemp(dir, "."+name)
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = t.Write(data)
	if e := t.Chmod(mode); err == nil {
		err = e
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(t.Name(), filepath.Join(dir, name))
}
