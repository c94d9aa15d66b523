// Package stdio connects the standard streams of a container's processes with what the client of containerd has for
// them: fifos, files, logging programs.
//
// A container's process writes straight into the client's fifo, and reads from it: no byte goes through the shim. The
// shim keeps the other end open, so that a client that goes away neither kills the process (SIGPIPE) nor ends its
// input, and may come back. A file is not handed to the container, which could truncate it; the shim copies into it,
// as it does for terminals.
package stdio
