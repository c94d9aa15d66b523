package integration

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func hugePages(bytes uint64) Edit {
	return Resources(func(r *specs.LinuxResources) {
		r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: bytes}}
	})
}

func TestVMHugePages(t *testing.T) {
	needV2(t, "hugetlb")
	if readFile(t, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages") == "0" {
		skip(t, "needs huge pages of 2 MiB: make test-vm")
	}
	r := newCLI(t)
	r.Run(newBundle(t, probe("huge", "4"), hugePages(8<<20))).Exited(0).Printed("touched 4 MiB")
	res := r.Run(newBundle(t, probe("huge", "12"), hugePages(8<<20)))
	if res.Code == 0 { // mmap fails, or the first touch is SIGBUS
		t.Errorf("12 MiB of huge pages with a limit of 8: %s", res.Stdout)
	}
	r, id := sleeper(t, hugePages(8<<20))
	dir := v2dir(t, r, id)
	wantV2(t, dir, map[string]string{"hugetlb.2MB.max": "8388608"})
	r.Do("exec", id, "/probe", "huge", "12").Failed()
	if n := v2number(t, dir, "hugetlb.2MB.events", "max"); n == 0 && underTest.kind == Dhow {
		rsvd := readFile(t, dir+"/hugetlb.2MB.rsvd.max")
		if rsvd != "8388608" {
			t.Errorf("the limit was never met, and that of reservations is %s", rsvd)
		}
	}
}

func TestVMHugePagesOfNoSuchSize(t *testing.T) {
	needV2(t, "hugetlb")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Resources(func(r *specs.LinuxResources) {
		r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "3MB", Limit: 3 << 20}}
	}))
	r.Detached("create", "--bundle", b.Dir, r.ID()).Failed("hugepageLimits[0]").Exited(1)
}
