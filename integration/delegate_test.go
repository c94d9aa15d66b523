package integration

import (
	"os"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// cgroupMount shows the container its own control groups.
func cgroupMount(options ...string) Edit {
	return func(b *Bundle) {
		NoMount("/sys/fs/cgroup")(b)
		Mount("cgroup", "cgroup", "/sys/fs/cgroup", append([]string{"nosuid", "noexec", "nodev"}, options...)...)(b)
	}
}

// The root of a user namespace makes groups below its own, when it has a writable view of them, and moves there.
func TestUnifiedDelegation(t *testing.T) {
	if !unified(t) {
		return
	}
	onlyDhow(t, "it delegates with systemd alone")
	r := newCLI(t)
	script := `set -e
mkdir /sys/fs/cgroup/child /sys/fs/cgroup/child/grandchild
echo 0 > /sys/fs/cgroup/child/grandchild/cgroup.procs
cat /proc/self/cgroup
! echo 1000 > /sys/fs/cgroup/cgroup.max.descendants
! echo 1 > /sys/fs/cgroup/cgroup.freeze
! echo 0 > /sys/fs/cgroup/../cgroup.procs
rmdir /sys/fs/cgroup/child 2>/dev/null || exec sleep 1000`
	b := newBundle(t, Shell(script), MappedUser, Namespace(specs.CgroupNamespace, ""), cgroupMount("rw"))
	id := r.ID()
	out, err := os.CreateTemp(t.TempDir(), "out")
	must(t, err)
	defer out.Close()
	cmd := r.Command("run", "--detach", "--bundle", b.Dir, id)
	cmd.Stdout, cmd.Stderr = out, out
	r.DoCommand(cmd).Exited(0)
	await(t, "the container to move itself", func() bool { return strings.HasSuffix(groupOf(t, r.State(id).Pid), "/child/grandchild") })
	await(t, "what the container says", func() bool { return strings.Contains(readFile(t, out.Name()), "0::/child/grandchild\n") })
	// What the runtime does with the group still works.
	if got := r.processes(id); !slices.Contains(got, r.State(id).Pid) {
		t.Errorf("processes %v", got)
	}
	r.Must("pause", id)
	r.Must("resume", id)
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	checkGone(t, id)
}

// Who else gets the group, and who does not.
func TestUnifiedDelegationOwner(t *testing.T) {
	if !unified(t) {
		return
	}
	onlyDhow(t, "it delegates with systemd alone")
	listed := strings.Fields(readFile(t, "/sys/kernel/cgroup/delegate"))
	own := Namespace(specs.CgroupNamespace, "")
	for name, c := range map[string]struct {
		edits []Edit
		want  uint32
	}{
		"writable":                {[]Edit{MappedUser, own, cgroupMount("rw")}, 100000},
		"another user":            {[]Edit{MappedUser, User(7, 7), own, cgroupMount()}, 100007},
		"no user namespace":       {[]Edit{User(7, 7), own, cgroupMount()}, 7},
		"read-only":               {[]Edit{MappedUser, own, cgroupMount("ro")}, 0},
		"no mount":                {[]Edit{MappedUser, own, NoMount("/sys/fs/cgroup")}, 0},
		"no cgroup namespace":     {[]Edit{MappedUser, NoNamespace(specs.CgroupNamespace), cgroupMount("rw")}, 0},
		"the host's root":         {[]Edit{own, cgroupMount("rw")}, 0},
		"joined cgroup namespace": {[]Edit{Namespace(specs.CgroupNamespace, "/proc/self/ns/cgroup"), User(7, 7), cgroupMount("rw")}, 0},
	} {
		r := newCLI(t)
		id := r.Create(newBundle(t, c.edits...))
		dir := "/sys/fs/cgroup" + groupOf(t, r.State(id).Pid)
		if got := ownerOf(t, dir); got != c.want {
			t.Errorf("%s: the group is of user %d, want %d", name, got, c.want)
		}
		entries, err := os.ReadDir(dir)
		must(t, err)
		for _, e := range entries {
			want := uint32(0)
			if slices.Contains(listed, e.Name()) {
				want = c.want
			}
			if got := ownerOf(t, dir+"/"+e.Name()); got != want {
				t.Errorf("%s: %s is of user %d, want %d", name, e.Name(), got, want)
			}
		}
		r.Must("delete", "--force", id)
	}
}

// On a hybrid host nothing is given away: delegation is not safe in version 1.
func TestNoDelegationOnV1(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t, MappedUser, Namespace(specs.CgroupNamespace, ""), cgroupMount("rw")))
	for _, dir := range cgroupsOf(id) {
		if got := ownerOf(t, strings.TrimPrefix(dir, "cgroup ")); got != 0 {
			t.Errorf("%s is of user %d", dir, got)
		}
	}
}

// A container that hands controllers on has no processes in its own group: exec goes to where the init is.
func TestUnifiedExecFollowsTheInit(t *testing.T) {
	if !unified(t) {
		return
	}
	if !strings.Contains(readFile(t, "/sys/fs/cgroup/cgroup.controllers"), "hugetlb") {
		skip(t, "needs the v2 controller hugetlb")
	}
	r := newCLI(t)
	script := `mkdir /sys/fs/cgroup/child && echo 0 > /sys/fs/cgroup/child/cgroup.procs &&
echo +hugetlb > /sys/fs/cgroup/cgroup.subtree_control && exec sleep 1000`
	hugepages := Resources(func(r *specs.LinuxResources) {
		r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 8 << 20}}
	})
	id := r.Started(newBundle(t, Shell(script), Namespace(specs.CgroupNamespace, ""), cgroupMount("rw"), hugepages))
	dir := "/sys/fs/cgroup" + groupOf(t, r.State(id).Pid)
	await(t, "the controller to be handed on", func() bool {
		return strings.Contains(readFile(t, strings.TrimSuffix(dir, "/child")+"/cgroup.subtree_control"), "hugetlb")
	})
	if got := r.Must("exec", id, "cat", "/proc/self/cgroup").Stdout; !strings.Contains(got, "0::/child\n") {
		t.Errorf("exec ran in %s", got)
	}
}
