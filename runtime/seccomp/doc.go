// Package seccomp compiles linux.seccomp of the OCI runtime specification to the program that seccomp(2)
// takes, and keeps what it compiled: Load. It does not load the filter into the kernel.
//
// libseccomp does the compiling (package libseccomp), and linking C costs a static Go program 0.9 ms at
// every start. So with the build tag embedseccomp, which all products are built with, this package is
// pure Go and carries a small static program that links libseccomp (cmd/seccomp-compile) and runs on
// a cache miss. Without the tag, for development, libseccomp is called in process. Without the tag and
// without cgo, Load can only answer from the cache.
//
// To build with the tag, first make the two files that are embedded (see the go:generate lines of
// compile_embed.go).
//
// # Cache
//
// A cache is a directory of mode 0700 that belongs to the effective user. Each entry is a file of mode
// 0600 that holds what it was made from, in full, and a blob of package compiled, whose checksum is
// verified. What it was made from is the profile's bytes and all else that decides the result: layout,
// libseccomp, architecture, compiler program. Its name is a hash of that, fast and not cryptographic
// (package crypto/sha256 would cost every start of a program 0.07 ms): when two profiles have one name,
// by accident or because somebody wants it, the bytes in the entry differ from those asked for.
// An entry that is anything else (another owner or mode, a symbolic link, a FIFO, another's, damaged)
// is not used, and is replaced. Entries appear by rename, so readers and writers need no lock; of more
// than 256, or than 16 MiB together, the oldest are removed.
//
// A directory that fails the test, or a disk that is full, is no error: the profile is compiled each time.
package seccomp
