// Package metrics makes containerd's statistics messages of a control group's statistics: io.containerd.cgroups.v1.Metrics
// and io.containerd.cgroups.v2.Metrics (github.com/containerd/cgroups, cgroup1/stats and cgroup2/stats).
package metrics
