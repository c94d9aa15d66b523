// Package ps prints processes from /proc(5) as ps(1) of procps does, for the few of its options that
// callers of an OCI runtime and users of `docker top` pass. Running ps itself would trust a program found through PATH and would
// read every process of the host to print a few.
package ps
