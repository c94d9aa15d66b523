// Package boot is how containerd starts a shim: the command line, the two protocols on its standard streams, the
// socket, and the server process that outlives the command.
package boot
