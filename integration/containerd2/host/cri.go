package host

// Configs of the CRI plugin, of which DIR becomes the host's directory: what a test needs beside the config of README.md, which is own
// directories, an image that is there, and runc's shim as the peer; and nothing that takes CAP_SYS_RESOURCE, which root of a sandbox
// may not have. CRIBefore goes before it, for the top level.
const (
	CRIBefore = `
root = "DIR/root"
state = "DIR/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
`
	criSettings1 = `
[grpc]
  address = "DIR/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:latest"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "DIR/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`
	criSettings2 = `
[grpc]
  address = "DIR/c.sock"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "docker.io/library/pause:latest"
[plugins."io.containerd.cri.v1.runtime"]
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "DIR/cni"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`
)

// CRISettings are those of containerd 1.6 and 1.7, or of 2.
func CRISettings(new bool) string {
	if new {
		return criSettings2
	}
	return criSettings1
}

// CRINetwork is a bridge in the network namespace of the tests, with further plugins if they are named (", {…}").
func CRINetwork(plugins string) string {
	return `{"cniVersion": "0.4.0", "name": "dhowtest", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
  "ipam": {"type": "host-local", "dataDir": "DIR/ipam", "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}` + plugins + `]}`
}
