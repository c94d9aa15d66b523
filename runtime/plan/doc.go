// Package plan turns a container's config.json and facts about the host into a Program: the flat list
// of system calls that will make the container, each with its arguments, the errors it tolerates and
// the config field that asked for it.
//
// Compilation is pure. Nothing here opens, mounts or changes anything, which is why a Program can be
// printed before it runs (runtime plan), compared with a golden file, and checked against the security
// rules. Package launch carries a Program out.
//
// Sources: OCI runtime spec 1.3 (config.md, config-linux.md) and the Linux manual pages of the system
// calls named in calls.go.
package plan
