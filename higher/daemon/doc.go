// Package daemon is the process around the engine: its sockets and their TLS, the pid file, signals, and how those who
// started it learn that it is ready (systemd's sd_notify(3), and DHOW_READY_FD).
package daemon
