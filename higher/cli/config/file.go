package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is config.json.
type File struct {
	path   string
	fields map[string]json.RawMessage // all that there is
}

// Dir is the folder of the file: the flag, else DOCKER_CONFIG, else ~/.docker.
func Dir(flag string) string {
	if flag != "" {
		return flag
	}
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return filepath.Join(home, ".docker")
}

// Load reads the file in dir; one that is missing is empty. The file is usable even when there is an error.
func Load(dir string) (*File, error) {
	f := &File{path: filepath.Join(dir, "config.json"), fields: map[string]json.RawMessage{}}
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("cannot load config file: %w", err)
	}
	if err := json.Unmarshal(data, &f.fields); err != nil {
		f.fields = map[string]json.RawMessage{}
		return f, fmt.Errorf("cannot load config file: %s: %w", f.path, err)
	}
	return f, nil
}

// Dir is where the file lies, and the contexts beside it.
func (f *File) Dir() string { return filepath.Dir(f.path) }

// String returns a field that is a string: "detachKeys", "psFormat", "credsStore", "currentContext" …
func (f *File) String(name string) string {
	s := ""
	f.get(name, &s)
	return s
}

// Headers are sent with every request ("HttpHeaders").
func (f *File) Headers() map[string]string {
	h := map[string]string{}
	f.get("HttpHeaders", &h)
	delete(h, "User-Agent")
	return h
}

// Set changes a field; an empty string takes it away.
func (f *File) Set(name string, value any) error {
	if s, ok := value.(string); ok && s == "" {
		delete(f.fields, name)
		return nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	f.fields[name] = data
	return nil
}

// get decodes a field. One of another type than docker gives it counts as missing.
func (f *File) get(name string, to any) bool {
	raw, there := f.fields[name]
	return there && json.Unmarshal(raw, to) == nil
}

// Save writes the file, readable by its owner alone, in one step. A link stays what it is: its target is replaced.
func (f *File) Save() error {
	if f.fields["auths"] == nil {
		f.fields["auths"] = json.RawMessage("{}")
	}
	data, err := json.MarshalIndent(f.fields, "", "\t")
	if err != nil {
		return err
	}
	path := f.path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)) // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(t.Name())
	_, err = t.Write(data)
	if e := t.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return os.Rename(t.Name(), path)
}

// List returns a field that is a list of strings.
func (f *File) List(name string) []string {
	var l []string
	f.get(name, &l)
	return l
}

// Path is the file's.
func (f *File) Path() string { return f.path }
