// Package task is containerd's task service (api/runtime/task/v2/shim.proto) on top of runtime/container: containers
// of one shim, their processes from creation to deletion, and the events about them.
//
// What happens to one process happens under its lock `op`, one thing after the other: start, exit, deletion. So the
// event of a start always precedes that of the exit, however soon that comes. The end of a container's init is
// reported after that of all its execs. A checkpoint is one of these things, too: when the container is to end with it,
// the exit is told after the container has been saved.
package task
