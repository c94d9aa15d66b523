// Package task runs containers' processes: it is the engine's client of our shim, io.containerd.dhow.v2, one for each
// container.
//
// The shim has the runtime built in, keeps the exit status, and serves the streams itself: it writes the log, and serves
// the connections of attached clients, which [Task.Attach] hands over. So all of that outlives the daemon, which finds
// its containers again with [Manager.Load].
//
// A task's life is Create, Start, Wait, Delete. Methods of one task may be called at the same time. Errors are of the
// classes of github.com/containerd/errdefs; a shim that is gone is ErrUnavailable, and then [Manager.Clean] removes what
// it has left and tells how the container ended.
package task
