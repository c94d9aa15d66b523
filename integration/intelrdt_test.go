package integration

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Machines without resource control in their processors say so; what happens on others is tested in
// runtime/resctrl, with files in the place of the kernel's.
func TestIntelRdtAbsent(t *testing.T) {
	onlyDhow(t, "errors are ours")
	if exists("/sys/fs/resctrl") {
		skip(t, "this machine has resource control")
	}
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Linux(func(l *specs.Linux) { l.IntelRdt = &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=f"} }))
	r.Run(b).Failed("cannot use linux.intelRdt: this processor, or this kernel, has no resource control: there is no /sys/fs/resctrl").Exited(1)
	r.Do("plan", b.Dir).Failed("cannot use linux.intelRdt").Exited(1)
	id := r.Started(newBundle(t, Args("sleep", "1000")))
	for _, flag := range [][]string{{"--l3-cache-schema", "L3:0=f"}, {"--mem-bw-schema", "MB:0=20"}} {
		r.Do("update", flag[0], flag[1], id).Failed("it was made without linux.intelRdt, and has no class of service").Exited(1)
	}
}
