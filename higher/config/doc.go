// Package config is dhowd's configuration: its flags and the file /etc/dhow/daemon.json, with the names, types and
// defaults of dockerd (https://docs.docker.com/reference/cli/dockerd/). One table (options.go) makes both, so that
// what can be said in one place can be said in the other.
package config
