// Package console moves terminals about: the master end of a container's terminal to whoever asked for
// it (runc's --console-socket protocol: its name as data, its descriptor as SCM_RIGHTS, see unix(7)), or
// to and from the caller's own standard streams while a container runs in the foreground.
package console
