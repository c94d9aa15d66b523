// Package diagnose says why something failed, beyond what an errno says.
//
// A [Failure] is a failed system call with the config field that asked for it. A table of rules, each an errno, a
// call, a field and a fact about the host or the container, gives the likely reason (hint.go). Facts are looked up
// when something has failed, never before. [Describe] turns any error of this tree into data for programs.
//
// Where the process that failed still stands there, its own view counts: /proc/PID/root, and the file system
// contexts it has open, from which the kernel's own words about a mount are read (fsopen(2), "message retrieval").
package diagnose
