// Package hooks runs the hooks of an OCI container (runtime-spec, config.md "POSIX-platform Hooks"): it
// gives each the container's state on standard input, its own environment and nothing else, holds it to
// its timeout, and keeps the end of what it prints for the error when it fails.
package hooks
