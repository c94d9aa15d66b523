package boot

import (
	"encoding/json"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"

	"github.com/dhow-containers/dhow/shim/wire"
	"github.com/dhow-containers/dhow/spec"
)

// featuresType is how containerd names the features object of the OCI runtime specification.
const featuresType = "types.containerd.io/opencontainers/runtime-spec/1/features/Features"

// runtimeFeatures is the features object (features.md), as far as containerd and CRI go by it: id-mapped mounts, without
// which there are no pods with user namespaces, and the mount options, of which rro is for recursive read-only mounts.
// `runtime features` prints all of it.
func runtimeFeatures() (*wire.Any, error) {
	yes := true
	text, err := json.Marshal(&features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specs.Version,
		Hooks:         []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"},
		MountOptions:  spec.MountOptionNames(),
		Linux: &features.Linux{
			Namespaces:      []string{"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"},
			Cgroup:          &features.Cgroup{V1: &yes, V2: &yes, Systemd: &yes, Rdma: &yes},
			Seccomp:         &features.Seccomp{Enabled: &yes},
			Apparmor:        &features.Apparmor{Enabled: &yes},
			Selinux:         &features.Selinux{Enabled: &yes},
			MountExtensions: &features.MountExtensions{IDMap: &features.IDMap{Enabled: &yes}},
		},
	})
	return &wire.Any{URL: featuresType, Value: text}, err
}
