// Package command runs containers by the command line of another OCI runtime: runc, and those that take its flags. A Runtime
// has the methods of runtime/container's Store that the shim uses, for one container, and has them done by a program.
//
// What the program is given, and what it gives back, is in memory, under names below /proc/PID/fd: its log, where it says what
// went wrong, the process of an exec, limits. So nothing is left of it, whoever is killed. It is killed with the process that
// has started it. The processes that it leaves behind are its caller's children, if that is a subreaper.
package command
