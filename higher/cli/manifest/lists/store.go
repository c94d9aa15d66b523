package lists

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
)

// Store is a folder of lists.
type Store struct{ root string }

// At returns the store in a configuration folder.
func At(configDir string) *Store { return &Store{root: filepath.Join(configDir, "manifests")} }

// fileName is docker's for a reference. A reference has a slash and begins with a letter or a digit, so it is never a path.
func fileName(ref string) string {
	return strings.NewReplacer(":", "-", "/", "_").Replace(ref)
}

func (s *Store) dir(list reference.Named) string {
	return filepath.Join(s.root, fileName(list.String()))
}

// Get returns an image of a list.
func (s *Store) Get(list, image reference.Named) (*Image, error) {
	i, err := read(filepath.Join(s.dir(list), fileName(image.String())))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(image)
	}
	return i, err
}

// List returns the images of a list in the order of their files' names, which is the order in the pushed list.
func (s *Store) List(list reference.Named) ([]*Image, error) {
	entries, err := os.ReadDir(s.dir(list))
	if err == nil && len(entries) == 0 || errors.Is(err, fs.ErrNotExist) { // empty: whoever made it has died before the first image
		return nil, missing(list)
	}
	if err != nil {
		return nil, err
	}
	var all []*Image
	for _, e := range entries {
		i, err := read(filepath.Join(s.dir(list), e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, nil
}

// Save puts an image into a list, which comes to be with the first one.
func (s *Store) Save(list, image reference.Named, i *Image) error {
	if err := os.MkdirAll(s.dir(list), 0o755); err != nil {
		return err
	}
	data, err := json.Marshal(i)
	if err != nil {
		return err
	}
	t, err := os.CreateTemp(s.root, ".new-") // beside the list: all files in there are images
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = t.Write(data)
	err = errors.Join(err, t.Chmod(0o644), t.Close())
	if err != nil {
		return fmt.Errorf("cannot write the manifest of %s: %w", image, err)
	}
	return os.Rename(t.Name(), filepath.Join(s.dir(list), fileName(image.String())))
}

// Remove takes a list away.
func (s *Store) Remove(list reference.Named) error { return os.RemoveAll(s.dir(list)) }

func missing(ref reference.Named) error {
	return errdefs.ErrNotFound.WithMessage("No such manifest: " + ref.String())
}

func read(path string) (*Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var i Image
	if err := json.Unmarshal(data, &i); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	if i.Ref.Named == nil {
		return nil, fmt.Errorf("cannot read %s: it has no Ref", path)
	}
	if len(i.Manifest()) == 0 {
		return nil, fmt.Errorf("%s has no payload", i.Ref)
	}
	return &i, nil
}
