// Package remote talks to registries for `dhow manifest`, which needs no daemon: it gets manifests, mounts blobs from one
// repository into another, and puts manifests (https://github.com/opencontainers/distribution-spec). Which addresses are tried,
// and what is said of errors, is as in docker.
package remote
