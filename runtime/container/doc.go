// Package container creates, starts, enters, signals and removes OCI containers on this host. It owns
// the state directory (one directory a container), the life cycle of the OCI runtime spec
// (runtime.md) and the locks; what happens inside the container is decided by package plan and
// carried out by package launch.
//
// The state directory of a container holds
//
//	state.json   the record, with a copy of the config: written before anything else is made
//	init         symbolic link to "PID STARTTIME" of the container's first process, once there is one
//	start.sock   only while the container waits for `start`: the socket its init listens on
//	steps        what the steps after `start` are for, so that a failure of one can be explained
//
// Whatever process dies whenever, the record leads `delete --force` to all there is to remove.
package container
