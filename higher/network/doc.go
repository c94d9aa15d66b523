// Package network gives containers their networks: the predefined bridge, host and none, and bridges that users make.
//
// A [Manager] holds networks (in the engine's database), hands out addresses, joins containers to bridges by veth pairs,
// publishes ports, answers names, and keeps one nftables table, `inet dhow`, that is changed in single transactions.
//
// What a container holds (its [Sandbox]: addresses, devices, ports) begins with [Manager.Reserve] and ends with
// [Manager.Detach]; it is one file below Options.StateDir, which should lie on a tmpfs as nothing of it outlives the
// kernel. So a daemon that was killed finds all of it again ([Manager.Restore]), and takes back what belongs to
// containers that no longer run.
//
// The life of a container, as its side calls it:
//
//	Reserve for each network → Files → (task created) → Attach with its network namespace → (task started) … Detach
//
// Calls about one container come one after another; calls about several may come at once.
package network
