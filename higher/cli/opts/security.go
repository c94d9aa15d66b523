package opts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Security reads the values of --security-opt. A seccomp profile is a file here, not on the daemon's host, so its content is
// sent; systempaths=unconfined is not an option of the daemon but two lists.
func Security(values []string) (sent []string, unconfined bool, err error) {
	sent = []string{}
	for _, s := range values {
		if s == "systempaths=unconfined" {
			unconfined = true
			continue
		}
		k, v, ok := strings.Cut(s, "=")
		if !ok && k != "no-new-privileges" {
			k, v, ok = strings.Cut(s, ":")
		}
		if (!ok || v == "") && k != "no-new-privileges" {
			return nil, false, fmt.Errorf("invalid --security-opt: %q", s)
		}
		if k == "seccomp" && v != "builtin" && v != "unconfined" {
			if s, err = profile(v); err != nil {
				return nil, false, err
			}
		}
		sent = append(sent, s)
	}
	if len(values) == 0 {
		return nil, false, nil
	}
	return sent, unconfined, nil
}

func profile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("opening seccomp profile (%s) failed: %w", path, err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return "", fmt.Errorf("compacting json for seccomp profile (%s) failed: %w", path, err)
	}
	return "seccomp=" + b.String(), nil
}
