// Package archive serves `docker cp` and `docker export`: it reads and writes files below the root directory of a
// container, as tar streams.
//
// The root is a descriptor, and every path is resolved below it by openat2(2) with RESOLVE_IN_ROOT, as a process in the
// container would resolve it: no symbolic link, hard link or ".." of a container or of an archive leads out of it.
//
// Of a running container the root is /proc/PID/root of its first process; of one that does not run, what [Mounted] puts
// together for the time of a call.
package archive
