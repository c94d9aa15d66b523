// Package cgroup places a container in control groups and limits it there.
//
// Compile turns linux.cgroupsPath and linux.resources of the OCI runtime
// specification (config-linux.md, "Control groups") into a Plan: the
// directories, file writes and device filter that the config asks for, each
// with the config field behind it. A Plan is data: it can be printed without
// touching the host. Create carries it out and returns a Group, which later
// processes open again from the paths in the state file.
//
// Unified hosts (cgroups(7), version 2) are the first class. On a hybrid host
// each controller is used where it lives: limits go to the version 1
// hierarchies that hold them, while membership, freezing and killing use the
// version 2 tree. Files are written directly; every one is opened relative to
// the directory of its group, which is resolved by openat2(2) beneath the root
// of its hierarchy, without symbolic links and without crossing mounts.
//
// # Where a container goes
//
// An absolute cgroupsPath starts at the root of each hierarchy. A relative one
// starts, as in runc, at this process's own group in a version 1 hierarchy, and
// beside this process's own group in version 2, where a group that holds
// processes cannot hand controllers to its children. An empty one means the
// relative path that is the container's id.
//
// # Devices
//
// Device rules form a list; a rule speaks for the access bits (r, w, m) that it
// names on the devices that it matches, and for each bit the last rule that
// speaks decides. No rule means denied. The runtime's own rules come after the
// config's (see DefaultDeviceRules). In version 2 the list becomes an eBPF
// program, in version 1 the exceptions of the devices controller; a list that
// version 1 cannot express is an error, never an approximation.
package cgroup
