// Package container creates, starts, enters, signals and removes OCI containers on this host. It owns
// the state directory (one directory a container), the life cycle of the OCI runtime spec
// (runtime.md) and the locks; what happens inside the container is decided by package plan and
// carried out by package launch.
//
// The state directory of a container holds
//
//	state.json   the record: written before anything else is made, and again with the pid
//	config.json  a copy of the bundle's, for exec and for hooks
//	start.sock   only while the container waits for `start`: the socket its init listens on
//	steps        what the steps after `start` are for, so that a failure of one can be explained
//
// Whatever process dies whenever, the record leads `delete --force` to all there is to remove.
package container
