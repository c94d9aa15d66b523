// Package bpfvm runs seccomp filters on made-up system calls, for tests: an interpreter of classic BPF
// over struct seccomp_data that follows the kernel's checks (bpf_check_classic, seccomp_check_filter).
package bpfvm
