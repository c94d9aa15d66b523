package integration

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestShimLogs has output go into a file and to a logging program.
func TestShimLogs(t *testing.T) {
	for _, scheme := range []string{"file", "binary"} {
		t.Run(scheme, func(t *testing.T) {
			s := newShimDirect(t, func(b *Bundle) {
				b.Spec.Process.Args = []string{"sh", "-c", "seq 20000; echo problem >&2"}
			})
			path := filepath.Join(s.bundle.Dir, "log.txt")
			uri := "file://" + path
			if scheme == "binary" {
				logger := filepath.Join(s.bundle.Dir, "logger")
				must(t, os.WriteFile(logger, []byte("#!/bin/sh\nexec 5>&-\ncat <&4 >"+path+".err &\n{ echo $CONTAINER_ID $CONTAINER_NAMESPACE $1 $2; cat <&3; } >"+path+"\nwait\n"), 0o755))
				uri = "binary://" + logger + "?key=value"
			}
			s.create(uri)
			s.must("Start", s.target(""))
			s.wait("")
			s.must("Delete", s.target(""))
			if scheme == "file" {
				if text := readFile(t, path); strings.Count(text, "\n") != 20000 || !strings.HasSuffix(text, "problem") && !strings.Contains(text, "problem\n") {
					t.Errorf("%d lines", strings.Count(text, "\n"))
				}
				return
			}
			await(t, "the logger", func() bool { b, _ := os.ReadFile(path); return bytes.HasSuffix(b, []byte("\n20000\n")) })
			if text := readFile(t, path); !strings.HasPrefix(text, "c1 "+s.namespace+" key value\n1\n") {
				t.Errorf("got %.60q", text)
			}
			await(t, "stderr", func() bool { b, _ := os.ReadFile(path + ".err"); return string(b) == "problem\n" })
		})
	}
}
