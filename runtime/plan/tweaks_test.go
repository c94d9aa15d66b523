package plan

// tweaks are what of a case's Input is not in its config.json.
var tweaks = map[string]func(*Input){
	"copy-symlink": func(in *Input) {
		in.Host.Links = map[string]string{"/bundle/volumes/link": "../some/where/else"}
	},
	"systemd-unit": func(in *Input) {
		in.Cgroups = map[string]string{"": "/sys/fs/cgroup/system.slice/dhow-c1.scope"}
		in.Unit = &Unit{Name: "dhow-c1.scope", Dirs: []string{in.Cgroups[""]}}
	},
	"systemd-unit-hybrid": func(in *Input) {
		joinHybrid(in)
		in.Cgroups["name=systemd"] = "/sys/fs/cgroup/systemd/system.slice/dhow-c1.scope"
		in.Unit = &Unit{Name: "dhow-c1.scope", Dirs: []string{in.Cgroups["name=systemd"]}}
	},
	"exec-unit": func(in *Input) { in.Unit = &Unit{Name: "dhow-c1.scope"} },
	"default": func(in *Input) {
		in.Wait, in.NewKeyring = true, true
		in.Host = hybrid()
		in.Host.Home = "/root"
		in.TaskFiles = []string{"/sys/fs/cgroup/cpu,cpuacct/c1/tasks", "/sys/fs/cgroup/memory/c1/tasks"}
		in.Cgroups = hybridGroups()
	},
	"docker": func(in *Input) {
		in.Wait, in.NewKeyring = true, true
		in.Rootfs = in.Config.Root.Path
		in.Cgroups = map[string]string{"": "/sys/fs/cgroup/docker/f3a"}
		in.Host.Home, in.Host.ExistsKcore = "/root", true
		in.Filter = fakeFilter()
	},
	"cgroup2-shared":    func(in *Input) { in.Cgroups = map[string]string{"": "/sys/fs/cgroup/c1"} },
	"cgroup1-shared":    func(in *Input) { in.Host, in.Cgroups = hybrid(), hybridGroups() },
	"cgroup1-joins":     joinHybrid,
	"cgroup1-namespace": func(in *Input) { in.Host, in.Cgroups = hybrid(), hybridGroups() },
	"devices":           func(in *Input) { in.Host.ExistsKcore = true },
	"root-no-pivot": func(in *Input) {
		in.NoPivot, in.Rootfs, in.Host.Revealing = true, "/images/a", []string{"/srv/proc", "/sys", "/proc"}
	},
	"ns-join-mount":             func(in *Input) { in.Rootfs = "/images/a" },
	"wait":                      func(in *Input) { in.Wait, in.NewKeyring = true, true },
	"hooks":                     func(in *Input) { in.Wait = true },
	"preserved-fds":             func(in *Input) { joinHybrid(in); in.Preserved, in.Wait = 2, true },
	"user-nonroot":              func(in *Input) { in.Host.Home, in.Host.Capabilities = "/home/app", 1<<5|1<<10 },
	"seccomp-nnp":               func(in *Input) { in.Filter = fakeFilter() },
	"seccomp-privileged":        func(in *Input) { in.Filter = fakeFilter() },
	"seccomp-notify":            func(in *Input) { in.Filter, in.Wait = notifyingFilter(), true },
	"seccomp-notify-privileged": func(in *Input) { in.Filter = notifyingFilter() },
	"lsm":                       func(in *Input) { in.Wait, in.NewKeyring, in.Host.AppArmor, in.Host.SELinux = true, true, true, true },
	"exec-lsm":                  func(in *Input) { in.NewKeyring, in.Host.AppArmor, in.Host.SELinux = true, true, true },
	"exec-notify":               func(in *Input) { in.Filter = notifyingFilter() },
	"exec": func(in *Input) {
		joinHybrid(in)
		in.NewKeyring, in.Filter, in.Preserved = true, fakeFilter(), 1
	},
	"rootless": func(in *Input) {
		in.Wait, in.NewKeyring, in.Host.Unprivileged, in.Host.SetgroupsDenied = true, true, true, true
		in.Host.Home = "/root"
	},
	"rootless-exec":     func(in *Input) { in.NewKeyring, in.Host.Unprivileged, in.Host.SetgroupsDenied = true, true, true },
	"rootless-exec-lsm": func(in *Input) { in.Host.AppArmor, in.Host.Unprivileged, in.Host.SetgroupsDenied = true, true, true },
	"rootless-host-pids": func(in *Input) {
		in.Wait, in.Host.AppArmor, in.Host.Unprivileged, in.Host.SetgroupsDenied = true, true, true, true
	},
	"rootless-no-0": func(in *Input) { in.Host.Unprivileged = true },
	"nested":        func(in *Input) { in.Host.UserNamespace = true },
	"user-mapped":   func(in *Input) { in.Host.Capabilities = 0 },
}

// hybrid is a host with cgroup v1 controllers beside an empty v2 tree.
func hybrid() Host {
	return Host{CgroupRoot: "/sys/fs/cgroup/unified", Capabilities: allCapabilities, CgroupV1: map[string]string{
		"cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
		"memory": "/sys/fs/cgroup/memory", "name=systemd": "/sys/fs/cgroup/systemd",
	}}
}

// hybridGroups are the directories of a container there; it has none in the hierarchy of systemd.
func hybridGroups() map[string]string {
	return map[string]string{"": "/sys/fs/cgroup/unified/c1", "cpu": "/sys/fs/cgroup/cpu,cpuacct/c1",
		"cpuacct": "/sys/fs/cgroup/cpu,cpuacct/c1", "memory": "/sys/fs/cgroup/memory/c1"}
}

func joinHybrid(in *Input) {
	in.Host, in.Cgroups = hybrid(), hybridGroups()
	in.TaskFiles = []string{"/sys/fs/cgroup/cpu,cpuacct/c1/tasks", "/sys/fs/cgroup/memory/c1/tasks"}
}

// fakeFilter has three instructions that mean nothing.
func fakeFilter() *Filter { return &Filter{Insns: make([]byte, 24), Flags: 1} }

func notifyingFilter() *Filter {
	return &Filter{Insns: make([]byte, 24), Notify: true, Pass: [2]uint64{0x1122334455667788, 0x99aabbccddeeff00}}
}
