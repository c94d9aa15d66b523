// Package docker holds the defaults of Docker Engine as data: seccomp profile, capabilities, masked and read-only
// paths, mounts, device rules. The engine composes configurations from them; the runtime does not link this
// package, and what it runs is decided by config.json alone.
//
// Each function returns a value of the caller's own. Source: github.com/moby/moby, daemon/pkg/oci (defaults.go,
// caps/defaults.go), and github.com/moby/profiles.
package docker
