// Package launch carries a plan.Program out: it makes the container's first process and lets it walk
// the Program's steps.
//
// The steps are linked into a tiny static ELF executable, a few kilobytes of data behind a
// interpreter of a few hundred bytes written in assembly, that lives in a sealed memfd. The first process is
// cloned into its namespaces and its control group by the standard library and executes that file. So
// the child never runs Go code, never shares or copies the Go heap, holds a few pages of memory while
// it waits for `start`, and /proc/self/exe never leads to the runtime's binary on the host, however
// the container's own program is started (CVE-2019-5736).
//
// The child reports on a SOCK_SEQPACKET socket: a failed step with its errno, or a rendezvous, where it
// waits until the parent has acted. The socket closes on execve, which is how success is known.
//
// This is the only package of the runtime that uses unsafe, to read the interpreter's machine code.
package launch
