package oci

import (
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// tmpfsOptions are the words that a tmpfs may be mounted with; of the words of one line the last one counts.
var tmpfsOptions = [...][]string{
	{"ro", "rw"}, {"suid", "nosuid"}, {"dev", "nodev"}, {"exec", "noexec"}, {"sync", "async"}, {"dirsync"},
	{"mand", "nomand"}, {"atime", "noatime"}, {"diratime", "nodiratime"}, {"relatime", "norelatime"},
	{"strictatime", "nostrictatime"},
	{"private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"},
}

// tmpfsValues are the options with a value.
var tmpfsValues = []string{"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"}

// tmpfs is a mount of one, with noexec, nosuid and nodev unless the options say otherwise.
func tmpfs(destination string, options []string) (specs.Mount, error) {
	m := specs.Mount{Destination: destination, Type: "tmpfs", Source: "tmpfs"}
	var err error
	m.Options, err = mergeTmpfs(append([]string{"noexec", "nosuid", "nodev", "rprivate"}, options...))
	return m, err
}

// mergeTmpfs keeps the last of the options that are about the same thing.
func mergeTmpfs(options []string) ([]string, error) {
	var kept []string
	seen := map[string]bool{}
	for _, o := range slices.Backward(options) {
		if o == "defaults" || o == "" {
			continue
		}
		about, _, valued := strings.Cut(o, "=")
		if !valued || !slices.Contains(tmpfsValues, about) {
			at := slices.IndexFunc(tmpfsOptions[:], func(words []string) bool { return slices.Contains(words, o) })
			if at < 0 {
				return nil, invalidf("invalid tmpfs option %q", about)
			}
			about = tmpfsOptions[at][0]
		}
		if !seen[about] {
			seen[about] = true
			kept = append(kept, o)
		}
	}
	slices.Reverse(kept)
	return kept, nil
}
