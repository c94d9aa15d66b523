// Package release says what dhow and dhowd were built from: by the linker's word (see the Makefile), else by what the go
// command leaves in every program.
package release

import "runtime/debug"

// Filled in by the linker: -ldflags "-X github.com/dhow-containers/dhow/higher/release.commit=…".
var version, commit, built string

// fallback is the version of a program that nobody named.
const fallback = "0.1.0"

// Info is a release. Commit and Built are "unknown" where nothing says.
type Info struct {
	Version string
	Commit  string
	Built   string // RFC 3339
}

// Get returns that of this program.
func Get() Info {
	b, _ := debug.ReadBuildInfo()
	return from(Info{version, commit, built}, b)
}

// from completes what the linker was told: with the module's version (of `go install module@version`), and the commit and
// its time, which the go command takes from git.
func from(i Info, b *debug.BuildInfo) Info {
	if b != nil {
		if v := b.Main.Version; i.Version == "" && v != "" && v != "(devel)" {
			i.Version = v
		}
		for _, s := range b.Settings {
			switch {
			case s.Key == "vcs.revision" && i.Commit == "":
				i.Commit = s.Value[:min(len(s.Value), 8)]
			case s.Key == "vcs.time" && i.Built == "":
				i.Built = s.Value
			}
		}
	}
	for field, word := range map[*string]string{&i.Version: fallback, &i.Commit: "unknown", &i.Built: "unknown"} {
		if *field == "" {
			*field = word
		}
	}
	return i
}
