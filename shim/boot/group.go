package boot

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/spec/json"
)

// groupAnnotations say, in this order, to which containers a container belongs: those with the same value have one shim
// together. The second is what Kubernetes' pods have.
var groupAnnotations = [...]string{"io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"}

// group finds the group of the container in a bundle; alone it is its own.
func group(bundle, id string) (string, error) {
	data, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return id, nil
	}
	if err != nil {
		return "", err
	}
	annotations, err := annotations(data)
	if err != nil {
		return "", err
	}
	for _, name := range groupAnnotations {
		if v := annotations[name]; v != "" {
			return v, nil
		}
	}
	return id, nil
}

// annotations reads those of a config.json, and passes over all else.
func annotations(data []byte) (map[string]string, error) {
	d, found := json.New(data), map[string]string{}
	if !d.Object() {
		return found, d.End()
	}
	for d.Next() {
		if d.Name() != "annotations" {
			d.Ignore()
			continue
		}
		for open := d.Object(); open && d.Next(); {
			name, value := d.Name(), ""
			d.String(&value)
			found[name] = value
		}
	}
	return found, d.End()
}
