package lists

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
)

// Names are the names of lists, for completion. A folder's name does not tell them with certainty, as slashes and colons are lost;
// so only lists are named that lie in the repository of one of their images under a tag without a hyphen.
func (s *Store) Names() (all []string) {
	entries, err := os.ReadDir(s.root)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if n := s.name(e.Name()); n != "" {
			all = append(all, n)
		}
	}
	return all
}

func (s *Store) name(dir string) string {
	files, err := os.ReadDir(filepath.Join(s.root, dir))
	if err != nil {
		return ""
	}
	for _, f := range files {
		i, err := read(filepath.Join(s.root, dir, f.Name()))
		if err != nil {
			continue
		}
		tag, ok := strings.CutPrefix(dir, fileName(i.Ref.Name()+":"))
		if !ok || strings.Contains(tag, "-") {
			continue
		}
		if named, err := reference.WithTag(reference.TrimNamed(i.Ref), tag); err == nil {
			return reference.FamiliarString(named)
		}
	}
	return ""
}

// Images are the names of the images of a list, for completion.
func (s *Store) Images(list reference.Named) (all []string) {
	images, err := s.List(list)
	if err != nil {
		return nil
	}
	for _, i := range images {
		all = append(all, reference.FamiliarString(i.Ref))
	}
	return all
}
