package spec

import (
	"encoding/json"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestValidateNamespaces(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"problems": {`{"linux":{"namespaces":[{"type":"pid"},{"type":"pid","path":"/a"},{"type":"net"},{"type":"uts","path":"a"},{}]}}`, []string{
			`/linux/namespaces/1/type: namespace pid is given twice`,
			`/linux/namespaces/2/type: unknown namespace "net"`,
			`/linux/namespaces/3/path: path "a" is not absolute`,
			`/linux/namespaces/4/type: required`}},
		"mappings without a namespace": {`{"linux":{"uidMappings":[{"size":1}]}}`, []string{
			`/linux/uidMappings: cannot be set without a user namespace in /linux/namespaces`}},
		"namespace without mappings": {`{"linux":{"namespaces":[{"type":"user"}]}}`, []string{
			`/linux/uidMappings: required for a new user namespace`, `/linux/gidMappings: required for a new user namespace`}},
		"joined": {`{"linux":{"namespaces":[{"type":"user","path":"/a"}]}}`, nil},
		"joined, with mappings": {`{"linux":{"namespaces":[{"type":"user","path":"/a"}],
			"uidMappings":[{"size":1}],"gidMappings":[{"size":1}]}}`, nil},
		"all ids": {`{"linux":{"namespaces":[{"type":"user"}],
			"uidMappings":[{"size":4294967295}],"gidMappings":[{"size":4294967295}]}}`, nil},
		"overlaps": {`{"linux":{"namespaces":[{"type":"user"}],
			"uidMappings":[{"size":0},{"containerID":0,"hostID":100,"size":10},{"containerID":9,"hostID":200,"size":1},{"containerID":10,"hostID":109,"size":1}],
			"gidMappings":[{"containerID":4294967295,"size":1},{"hostID":2,"size":4294967294}]}}`, []string{
			`/linux/uidMappings/0/size: must not be 0`,
			`/linux/uidMappings/2: container ids overlap with those of entry 1`,
			`/linux/uidMappings/3: host ids overlap with those of entry 1`,
			`/linux/gidMappings/0/size: 1 leads past the last id, 4294967294`,
			`/linux/gidMappings/1/size: 4294967294 leads past the last id, 4294967294`}},
	})
}

func TestValidateManyMappings(t *testing.T) {
	s := Default()
	s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	for i := range uint32(341) {
		s.Linux.UIDMappings = append(s.Linux.UIDMappings, specs.LinuxIDMapping{ContainerID: i, HostID: i, Size: 1})
	}
	s.Linux.GIDMappings = s.Linux.UIDMappings[:340]
	want := "cannot use config.json: /linux/uidMappings: 341 entries are more than the kernel's maximum of 340"
	if err := Validate(s); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestValidateSysctl(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"namespaced": {`{"linux":{"sysctl":{"net.ipv4.ip_forward":"1","net/ipv4/conf/eth0.1/forwarding":"1","net.ipv4.conf.eth0/1.forwarding":"1",
			"kernel.shmmax":"1","kernel/sem":"1","fs.mqueue.msg_max":"1","kernel.domainname":"d"}}}`, nil},
		"of the host": {`{"linux":{"sysctl":{"kernel.panic":"1","vm.swappiness":"1","fs.file-max":"1","nonsense":"1"}}}`, []string{
			`/linux/sysctl/fs.file-max: kernel parameter fs.file-max is not part of a namespace`,
			`/linux/sysctl/kernel.panic: kernel parameter kernel.panic is not part of a namespace`,
			`/linux/sysctl/nonsense: kernel parameter nonsense is not part of a namespace`,
			`/linux/sysctl/vm.swappiness: kernel parameter vm.swappiness is not part of a namespace`}},
		"shared namespaces": {`{"linux":{"namespaces":[],"sysctl":{"net.core.somaxconn":"1","kernel.msgmax":"1","kernel.domainname":"1","user.max_pid_namespaces":"1"}}}`, []string{
			`/linux/sysctl/kernel.domainname: cannot be set without a uts namespace in /linux/namespaces`,
			`/linux/sysctl/kernel.msgmax: cannot be set without a ipc namespace in /linux/namespaces`,
			`/linux/sysctl/net.core.somaxconn: cannot be set without a network namespace in /linux/namespaces`,
			`/linux/sysctl/user.max_pid_namespaces: cannot be set without a user namespace in /linux/namespaces`}},
		"names": {`{"domainname":"d","linux":{"sysctl":{"kernel.hostname":"h","kernel.domainname":"d"}}}`, []string{
			`/linux/sysctl/kernel.domainname: conflicts with /domainname`,
			`/linux/sysctl/kernel.hostname: cannot be set here, use /hostname`}},
		"escapes": {`{"linux":{"sysctl":{"net/../kernel/panic":"1","net.//.kernel.panic":"1","net.":"1","":"1","net.a":"\u0000","/net/x":"1"}}}`, []string{
			`/linux/sysctl/: "" is not the name of a kernel parameter`,
			`/linux/sysctl/~1net~1x: "/net/x" is not the name of a kernel parameter`,
			`/linux/sysctl/net.: "net." is not the name of a kernel parameter`,
			`/linux/sysctl/net.~1~1.kernel.panic: "net.//.kernel.panic" is not the name of a kernel parameter`,
			`/linux/sysctl/net.a: "\x00" contains a NUL character`,
			`/linux/sysctl/net~1..~1kernel~1panic: "net/../kernel/panic" is not the name of a kernel parameter`}},
	})
}

func TestValidateDevices(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"problems": {`{"linux":{"devices":[{"path":"/dev/a","type":"c","major":1,"minor":3,"fileMode":8630},{"path":"dev/b","type":"x"},
			{"path":"/dev/a","type":"b","major":4096,"minor":-1,"fileMode":65536,"uid":4294967295,"gid":4294967295},{"path":"/dev/p","type":"p"}]}}`, []string{
			`/linux/devices/1/path: path "dev/b" is not absolute`,
			`/linux/devices/1/type: "x" is none of c, b, u and p`,
			`/linux/devices/2/major: 4096 is not between 0 and 4095`,
			`/linux/devices/2/minor: -1 is not between 0 and 1048575`,
			`/linux/devices/2/fileMode: 65536 has bits beyond a file's mode (decimal 65535)`,
			`/linux/devices/2/uid: 4294967295 is not a valid id`,
			`/linux/devices/2/gid: 4294967295 is not a valid id`,
			`/linux/devices/2/path: path "/dev/a" is that of entry 0 too`}},
		"devices in the root's place": {`{"linux":{"devices":[{"path":"/","type":"b"},{"path":"/dev/..","type":"p"},{"path":"/..x","type":"p"}]}}`, []string{
			`/linux/devices/0/path: path "/" is the root directory, not that of a device`,
			`/linux/devices/1/path: path "/dev/.." is the root directory, not that of a device`}},
		"net devices": {`{"linux":{"netDevices":{"eth0":{"name":"net%d"},"eth1":{"name":"net%d"},"eth2":{},"eth3":{"name":"eth2"},"a/b":{"name":"0123456789abcdef"},"":{}}}}`, []string{
			`/linux/netDevices/: "" is not the name of a network device`,
			`/linux/netDevices/a~1b: "a/b" is not the name of a network device`,
			`/linux/netDevices/a~1b/name: "0123456789abcdef" is not the name of a network device`,
			`/linux/netDevices/eth3/name: "eth2" is the name of eth2 too`}},
		"net devices of the host": {`{"linux":{"namespaces":[],"netDevices":{"eth0":{}}}}`, []string{
			`/linux/netDevices: cannot be set without a network namespace in /linux/namespaces`}},
	})
}

func TestValidateLinuxRest(t *testing.T) {
	runProblemCases(t, map[string]problemCase{
		"paths": {`{"linux":{"maskedPaths":["/a","b"],"readonlyPaths":["","/c\u0000"],"rootfsPropagation":"slav","mountLabel":"a\nb","cgroupsPath":"a\nb"}}`, []string{
			`/linux/cgroupsPath: "a\nb" contains a newline`,
			`/linux/rootfsPropagation: "slav" is none of shared, slave, private and unbindable`,
			`/linux/maskedPaths/1: path "b" is not absolute`,
			`/linux/readonlyPaths/0: a path is required`,
			`/linux/readonlyPaths/1: "/c\x00" contains a NUL character`,
			`/linux/mountLabel: "a\nb" contains a newline`}},
		"propagation": {`{"linux":{"rootfsPropagation":"rslave"}}`, nil},
		"propagation, other word": {`{"linux":{"rootfsPropagation":"ro"}}`, []string{
			`/linux/rootfsPropagation: "ro" is none of shared, slave, private and unbindable`}},
		"rdt": {`{"linux":{"intelRdt":{"closID":"../x","schemata":["a\nb"],"l3CacheSchema":"L3:0=1","memBwSchema":"X:0=1"}}}`, []string{
			`/linux/intelRdt/closID: "../x" is not the name of a directory`,
			`/linux/intelRdt/schemata/0: "a\nb" contains a newline`,
			`/linux/intelRdt/memBwSchema: "X:0=1" does not start with MB:`}},
		"rdt default": {`{"linux":{"intelRdt":{"closID":"/"}}}`, nil},
		"memory policy": {`{"linux":{"memoryPolicy":{"mode":"MPOL_BIND","flags":["MPOL_F_STATIC_NODES","MPOL_F_RELATIVE_NODES","X"]}}}`, []string{
			`/linux/memoryPolicy/nodes: MPOL_BIND mode requires at least one node but got 0`,
			`/linux/memoryPolicy/flags/2: invalid memory policy flag "X"`,
			`/linux/memoryPolicy/flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other`}},
		"memory policy, default": {`{"linux":{"memoryPolicy":{"mode":"MPOL_DEFAULT","nodes":"0-x","flags":["MPOL_F_STATIC_NODES","MPOL_F_NUMA_BALANCING"]}}}`, []string{
			`/linux/memoryPolicy/nodes: invalid memory policy nodes "0-x", want a list such as 0-3,7: "x" is not a number`,
			`/linux/memoryPolicy/flags: MPOL_DEFAULT takes no flags about nodes`,
			`/linux/memoryPolicy/flags: MPOL_F_NUMA_BALANCING requires MPOL_BIND or MPOL_PREFERRED_MANY`}},
		"memory policy, mode": {`{"linux":{"memoryPolicy":{"mode":"","nodes":"0"}}}`, []string{`/linux/memoryPolicy/mode: invalid memory policy mode ""`}},
		"memory policy, no nodes": {`{"linux":{"memoryPolicy":{"mode":"MPOL_LOCAL","nodes":"0-3,7"}}}`, []string{
			`/linux/memoryPolicy/nodes: MPOL_LOCAL mode requires 0 nodes but got 5`}},
		"memory policy, word": {`{"linux":{"memoryPolicy":{"mode":"BIND"}}}`, []string{`/linux/memoryPolicy/mode: invalid memory policy mode "BIND"`}},
		"personality": {`{"linux":{"personality":{"domain":"WINDOWS","flags":["X"]}}}`, []string{
			`/linux/personality/domain: "WINDOWS" is neither LINUX nor LINUX32`,
			`/linux/personality/flags: no flags are defined`}},
		"time": {`{"linux":{"namespaces":[{"type":"time"}],"timeOffsets":{"monotonic":{"nanosecs":1000000000},"realtime":{}}}}`, []string{
			`/linux/timeOffsets/monotonic/nanosecs: 1000000000 is not below 1000000000`,
			`/linux/timeOffsets/realtime: clock "realtime" is neither monotonic nor boottime`}},
		"time of the host": {`{"linux":{"timeOffsets":{"monotonic":{}}}}`, []string{
			`/linux/timeOffsets: cannot be set without a time namespace in /linux/namespaces`}},
		"time of another": {`{"linux":{"namespaces":[{"type":"time","path":"/a"}],"timeOffsets":{"boottime":{}}}}`, []string{
			`/linux/timeOffsets: cannot be set in a time namespace that is joined`}},
	})
}

func TestValidateResources(t *testing.T) {
	wrap := func(resources string, want ...string) problemCase {
		return problemCase{`{"linux":{"resources":` + resources + `}}`, want}
	}
	runProblemCases(t, map[string]problemCase{
		"unset":    wrap(`{"memory":{"limit":0,"swap":0},"cpu":{"quota":0,"period":0,"shares":0},"pids":{"limit":0},"blockIO":{"weight":0}}`),
		"no limit": wrap(`{"memory":{"limit":-1,"swap":-1},"cpu":{"quota":-1,"realtimeRuntime":-1},"pids":{"limit":-1}}`),
		"devices": wrap(`{"devices":[{"access":"rwma"},{"type":"p","major":-2,"minor":-2,"access":"rx"},{"type":"a","major":-1,"minor":-1}]}`,
			`/linux/resources/devices/1/type: "p" is none of a, b and c`,
			`/linux/resources/devices/1/major: -2 is negative`,
			`/linux/resources/devices/1/minor: -2 is negative`,
			`/linux/resources/devices/1/access: "rx" has characters other than r, w and m`),
		"memory": wrap(`{"memory":{"limit":-2,"reservation":-2,"kernel":-2,"kernelTCP":-2,"swappiness":101}}`,
			`/linux/resources/memory/limit: -2 is negative and not -1`,
			`/linux/resources/memory/reservation: -2 is negative and not -1`,
			`/linux/resources/memory/kernel: -2 is negative and not -1`,
			`/linux/resources/memory/kernelTCP: -2 is negative and not -1`,
			`/linux/resources/memory/swappiness: 101 is not between 0 and 100`),
		"swap below": wrap(`{"memory":{"limit":10,"swap":9}}`,
			`/linux/resources/memory/swap: 9, the limit of memory and swap together, is below the memory limit 10`),
		"swap alone": wrap(`{"memory":{"swap":9}}`,
			`/linux/resources/memory/swap: requires a memory limit: it is the limit of memory and swap together`),
		"cpu": wrap(`{"cpu":{"quota":999,"burst":1000,"period":1000001,"realtimeRuntime":5,"realtimePeriod":4,"cpus":"0-","mems":"x","idle":2}}`,
			`/linux/resources/cpu/quota: 999 is below the kernel's minimum of 1000 µs`,
			`/linux/resources/cpu/burst: 1000 is above the quota 999`,
			`/linux/resources/cpu/period: 1000001 is not between 1000 and 1000000 µs`,
			`/linux/resources/cpu/realtimeRuntime: 5 is above the realtimePeriod 4`,
			`/linux/resources/cpu/cpus: "0-" is not a list such as 0-3,7: "" is not a number`,
			`/linux/resources/cpu/mems: "x" is not a list such as 0-3,7: "x" is not a number`,
			`/linux/resources/cpu/idle: 2 is neither 0 nor 1`),
		"pids": wrap(`{"pids":{"limit":-2}}`, `/linux/resources/pids/limit: -2 is negative and not -1`),
		"block": wrap(`{"blockIO":{"weight":9,"leafWeight":1001,"weightDevice":[{"major":8,"minor":0}],"throttleWriteIOPSDevice":[{"major":-1,"minor":0}]}}`,
			`/linux/resources/blockIO/weight: 9 is not between 10 and 1000`,
			`/linux/resources/blockIO/leafWeight: 1001 is not between 10 and 1000`,
			`/linux/resources/blockIO/weightDevice/0: weight or leafWeight is required`,
			`/linux/resources/blockIO/throttleWriteIOPSDevice/0/major: -1 is not between 0 and 4095`),
		"huge pages": wrap(`{"hugepageLimits":[{"pageSize":"2MB"},{"pageSize":"64KB"},{"pageSize":"2MB"},{"pageSize":"2M"},{"pageSize":"../1GB"},{"pageSize":"B"}]}`,
			`/linux/resources/hugepageLimits/2/pageSize: page size 2MB is that of entry 0 too`,
			`/linux/resources/hugepageLimits/3/pageSize: "2M" is not a page size such as 2MB`,
			`/linux/resources/hugepageLimits/4/pageSize: "../1GB" is not a page size such as 2MB`,
			`/linux/resources/hugepageLimits/5/pageSize: "B" is not a page size such as 2MB`),
		"network": wrap(`{"network":{"priorities":[{"name":"eth0"},{"name":"a b"}]}}`,
			`/linux/resources/network/priorities/1/name: "a b" is not the name of a network device`),
		"rdma": wrap(`{"rdma":{"mlx":{},"a\nb":{"hcaHandles":1}}}`,
			"/linux/resources/rdma/a\nb: \"a\\nb\" is not the name of a device",
			`/linux/resources/rdma/mlx: hcaHandles or hcaObjects is required`),
		"unified": wrap(`{"unified":{"memory.high":"1","cgroup.max.depth":"1","cgroup.procs":"1","cgroup.freeze":"1","../x.y":"1","memory":"1",".x":"1","a.b":"\u0000"}}`,
			`/linux/resources/unified/..~1x.y: "../x.y" is not the name of a cgroup file`,
			`/linux/resources/unified/.x: ".x" is not the name of a cgroup file`,
			`/linux/resources/unified/a.b: "\x00" contains a NUL character`,
			`/linux/resources/unified/cgroup.freeze: cgroup.freeze is managed by the runtime`,
			`/linux/resources/unified/cgroup.procs: cgroup.procs is managed by the runtime`,
			`/linux/resources/unified/memory: "memory" is not the name of a cgroup file`),
	})
	limit := int64(-5)
	want := "cannot use resources: /pids/limit: -5 is negative and not -1"
	if err := ValidateResources(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestValidateSeccomp(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"nothing": {`{}`, []string{`/defaultAction: required`}},
		"allow":   {`{"defaultAction":"SCMP_ACT_ALLOW"}`, nil},
		"words": {`{"defaultAction":"ALLOW","architectures":["SCMP_ARCH_X86_64","x86"],"flags":["SECCOMP_FILTER_FLAG_TSYNC","X"]}`, []string{
			`/defaultAction: unknown action "ALLOW"`, `/architectures/1: unknown architecture "x86"`, `/flags/1: invalid seccomp flag "X"`}},
		"default notify": {`{"defaultAction":"SCMP_ACT_NOTIFY"}`, []string{
			`/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action`}},
		"errno": {`{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1,"syscalls":[
			{"names":["a"],"action":"SCMP_ACT_ERRNO","errnoRet":4096},{"names":["a"],"action":"SCMP_ACT_TRACE","errnoRet":65536},
			{"names":["a"],"action":"SCMP_ACT_LOG","errnoRet":0},{"names":["a"],"action":"SCMP_ACT_TRACE","errnoRet":65535}]}`, []string{
			`/defaultErrnoRet: action SCMP_ACT_ALLOW does not take an error number`,
			`/syscalls/0/errnoRet: 4096 is not between 0 and 4095`,
			`/syscalls/1/errnoRet: 65536 is not between 0 and 65535`,
			`/syscalls/2/errnoRet: action SCMP_ACT_LOG does not take an error number`}},
		"rules": {`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW"},{"names":["a",""]},
			{"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":6,"op":"EQ"},{}]}]}`, []string{
			`/syscalls/0/names: at least one element is required`,
			`/syscalls/1/names/1: the name of a system call is required`,
			`/syscalls/1/action: required`,
			`/syscalls/2/args/0/index: 6 is not between 0 and 5`,
			`/syscalls/2/args/0/op: unknown operator "EQ"`,
			`/syscalls/2/args/1/op: required`}},
		"listener": {`{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"m","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]}`, []string{
			`/listenerPath: required by action SCMP_ACT_NOTIFY`, `/listenerMetadata: cannot be set without listenerPath`}},
	} {
		t.Run(name, func(t *testing.T) {
			var profile specs.LinuxSeccomp
			if err := json.Unmarshal([]byte(test.text), &profile); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := ValidateSeccomp(&profile); err != nil {
				got = err.Error()
			}
			want := ""
			if len(test.want) > 0 {
				want = "cannot use seccomp profile: " + strings.Join(test.want, "; ")
			}
			if got != want {
				t.Errorf("got\n\t%s\nwant\n\t%s", got, want)
			}
		})
	}
}
