package contexts

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// maxArchive bounds what an import reads.
const maxArchive = 10 << 20

// Export writes a context as docker's tar: meta.json and tls/docker/….
func (s *Store) Export(name string, w io.Writer) error {
	m, err := s.Get(name)
	if err != nil {
		return err
	}
	tls, err := s.TLS(name)
	if err != nil {
		return err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	if err := file(t, "meta.json", data, 0o644); err != nil {
		return err
	}
	dirs := []string{"tls"}
	if len(tls) > 0 {
		dirs = append(dirs, "tls/docker")
	}
	for _, d := range dirs {
		if err := t.WriteHeader(&tar.Header{Name: d, Mode: 0o700, Typeflag: tar.TypeDir}); err != nil {
			return err
		}
	}
	for _, n := range names(tls) {
		if err := file(t, path.Join("tls/docker", n), tls[n], 0o600); err != nil {
			return err
		}
	}
	return t.Close()
}

func names(tls TLS) []string {
	var all []string
	for n := range tls {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

func file(t *tar.Writer, name string, data []byte, mode int64) error {
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := t.Write(data)
	return err
}

// Import makes the context name from an archive. Of names in there only meta.json and tls/docker/FILE are taken; others,
// which might lead elsewhere, are refused.
func (s *Store) Import(name string, r io.Reader) error {
	var m *Meta
	tls := TLS{}
	t := tar.NewReader(io.LimitReader(r, maxArchive))
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("cannot read the context: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return fmt.Errorf("cannot read the context: %w", err)
		}
		dir, base := path.Split(h.Name)
		switch {
		case h.Name == "meta.json":
			m = &Meta{}
			if err := json.Unmarshal(data, m); err != nil {
				return fmt.Errorf("cannot read meta.json of the context: %w", err)
			}
		case dir == "tls/docker/" && base != "" && base != "." && base != ".." && !strings.Contains(base, `\`):
			tls[base] = data
		default:
			return fmt.Errorf("%s: unexpected context file", h.Name)
		}
	}
	if m == nil {
		return errors.New("invalid context: no metadata found")
	}
	m.Name = name
	return s.Put(m, tls)
}
