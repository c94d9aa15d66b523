package libseccomp

import (
	"encoding/json"
	"testing"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// dockerProfile is Docker's default profile for a container with capabilities.
func dockerProfile(t testing.TB, capabilities ...string) *specs.LinuxSeccomp {
	t.Helper()
	p, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{
		Capabilities: &specs.LinuxCapabilities{Bounding: capabilities}}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDockerProfile(t *testing.T) {
	prog := mustCompile(t, dockerProfile(t))
	t.Logf("%d instructions", len(prog)/compiled.InsnSize)
	tests := []struct {
		call string
		args []uint64
		want uint32
	}{
		{"read", nil, allow},
		{"execve", nil, allow},
		{"openat2", nil, allow},
		{"personality", []uint64{0}, allow},
		{"personality", []uint64{0xffffffff}, allow},
		{"personality", []uint64{1}, eperm},
		{"clone", []uint64{unix.CLONE_VM | unix.CLONE_THREAD}, allow},
		{"clone", []uint64{unix.CLONE_NEWUSER}, eperm},
		{"clone3", nil, nosys},
		{"socket", []uint64{unix.AF_INET}, allow},
		{"socket", []uint64{unix.AF_VSOCK}, eperm},
		{"mount", nil, eperm},
		{"unshare", nil, eperm},
		{"bpf", nil, eperm},
		{"kexec_load", nil, eperm},
	}
	for _, test := range tests {
		checkRet(t, test.call, decide(t, prog, specs.ArchX86_64, test.call, test.args...), test.want)
	}
	checkRet(t, "number 600", decideNr(prog, specs.ArchX86_64, 600), nosys)
	checkRet(t, "x86 read", decide(t, prog, specs.ArchX86, "read"), allow)
	checkRet(t, "x86 mount", decide(t, prog, specs.ArchX86, "mount"), eperm)
	checkRet(t, "x32 read", decide(t, prog, specs.ArchX32, "read"), allow)
	checkRet(t, "x32 number 600", decideNr(prog, specs.ArchX32, x32Bit|600), nosys)
	checkRet(t, "arm64", decideNr(prog, specs.ArchAARCH64, 63), unix.SECCOMP_RET_KILL_PROCESS)

	prog = mustCompile(t, dockerProfile(t, "CAP_SYS_ADMIN"))
	checkRet(t, "mount with CAP_SYS_ADMIN", decide(t, prog, specs.ArchX86_64, "mount"), allow)
	checkRet(t, "clone3 with CAP_SYS_ADMIN", decide(t, prog, specs.ArchX86_64, "clone3"), allow)
}

func BenchmarkCompileDocker(b *testing.B) {
	raw, err := json.Marshal(dockerProfile(b))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := CompileJSON(raw); err != nil {
			b.Fatal(err)
		}
	}
}
