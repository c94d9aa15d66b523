// Package spec is what all layers know about the OCI runtime specification 1.3: it reads config.json, says what
// is wrong with it, holds the tables that give the specification's words a meaning to the kernel, and makes
// default configurations.
//
//   - Load, Decode and their kin parse without reflection and report unknown properties.
//   - Validate finds all problems at once; Warnings finds what the specification wants mentioned, not refused.
//   - MountOption, Capability, Rlimit, NamespaceFlag and the like are the tables.
//   - Default and ToRootless are what `runtime spec` prints.
//
// Docker's defaults are in the package spec/docker, which the runtime does not link.
//
// Specification: https://github.com/opencontainers/runtime-spec/blob/v1.3.0/config.md and config-linux.md.
package spec

//go:generate go run ./internal/gen
