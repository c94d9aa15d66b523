package spec

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLoad(t *testing.T) {
	bundle := t.TempDir()
	data := readTestdata(t, "runc-1.1.json")
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	doc, err := Load(bundle)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Spec.Hostname != "runc" || string(doc.Raw) != string(data) {
		t.Errorf("got %+v", doc)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(bundle, content string) string {
		path := filepath.Join(dir, bundle)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if content != "" {
			if err := os.WriteFile(filepath.Join(path, "config.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	empty := write("empty", "")
	fifo := write("fifo", "")
	if err := unix.Mkfifo(filepath.Join(fifo, "config.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	huge := write("huge", "{}")
	if err := os.Truncate(filepath.Join(huge, "config.json"), maxConfigSize+1); err != nil {
		t.Fatal(err)
	}
	bad := write("bad", `{"ociVersion":"1.0.0"}`)
	file := filepath.Join(bad, "config.json")
	for name, test := range map[string]struct {
		bundle, want string
		is           error
	}{
		"nothing there": {dir + "/none", `cannot read bundle "DIR/none": no such file or directory`, fs.ErrNotExist},
		"a file":        {file, `cannot read bundle "DIR/bad/config.json": not a directory`, unix.ENOTDIR},
		"no file":       {empty, `cannot read bundle "DIR/empty": no config.json: no such file or directory`, fs.ErrNotExist},
		"a pipe":        {fifo, `cannot read bundle "DIR/fifo": config.json: not a regular file`, nil},
		"too large":     {huge, `cannot read bundle "DIR/huge": config.json: 16777217 bytes are more than the maximum of 16777216`, nil},
		"invalid":       {bad, `cannot use config.json: /root: required`, nil},
		"no text":       {write("blank", " "), `cannot use config.json: line 1, column 2: expected a value, found the end of the text`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(test.bundle)
			want := strings.ReplaceAll(test.want, "DIR", dir)
			if err == nil || err.Error() != want {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not %v", err, test.is)
			}
		})
	}
}
