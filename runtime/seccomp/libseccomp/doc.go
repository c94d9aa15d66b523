// Package libseccomp compiles linux.seccomp of the OCI runtime specification to a classic BPF program
// with the C library libseccomp. It is the only package that links C, so only the compiler program and
// builds for development import it; see package seccomp, its parent, for everyone else.
//
// The result depends on the profile, the architecture and the version of libseccomp alone, never on the
// running kernel: the API level is pinned, so a compiled filter may be kept.
//
// Where the specification is silent, profiles mean here what they mean to runc:
//
//   - a system call that libseccomp does not know is skipped;
//   - a rule with the default action is skipped;
//   - a rule with two conditions on one argument, which seccomp_rule_add(3) refuses, becomes one rule
//     for each of its conditions: they are alternatives, all others must hold together;
//   - of two rules without conditions for a system call the first holds, and it holds before any rule
//     with conditions; equal conditions with different actions are an error;
//   - without "flags" the filter is loaded with SECCOMP_FILTER_FLAG_SPEC_ALLOW, with "flags": [] it is not;
//   - system calls newer than the profile fail with ENOSYS; see enosys.go.
//
// # What libseccomp 2.5.4 gets wrong
//
// Rules without conditions, with one rule for each system call, and with SCMP_CMP_EQ alone do what they
// say. Several rules for one system call whose first conditions are other comparisons may not:
//
//   - of random pairs, 6 in 100 decide some call wrongly, for the rule's action or against it;
//   - two that have a condition in common, other than SCMP_CMP_EQ or SCMP_CMP_MASKED_EQ, and differ in
//     the next make seccomp_rule_add(3) loop for ever, so Compile may never return. The compiler program
//     has a limit on its time.
//
// Every runtime that links libseccomp has these filters; common profiles have no such rules.
//
// Sources: runtime-spec config-linux.md "Seccomp", seccomp(2), seccomp_rule_add(3), seccomp_attr_set(3).
package libseccomp
