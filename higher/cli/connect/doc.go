// Package connect finds the daemon that a command is for, as docker does: flags, then DHOW_HOST and DOCKER_HOST, then the
// context in use, then dhowd's socket. It makes the client, with TLS where it is asked for, and starts dhowd when the
// default socket has nobody behind it.
package connect
