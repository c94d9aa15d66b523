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
// 0600, named by the SHA-256 of the profile's bytes and of all else that decides the result: layout,
// libseccomp, architecture, compiler program. It holds that key and a blob of package compiled, whose
// checksum is verified. An entry that is anything else (another owner or mode, a symbolic link, a FIFO,
// damaged) is not used, and is replaced. Entries appear by rename, so readers and writers need no lock;
// of more than 256 the oldest are removed.
//
// A directory that fails the test, or a disk that is full, is no error: the profile is compiled each time.
package seccomp
