package libseccomp

import (
	"encoding/json"
	"testing"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/bpfvm"
	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// FuzzCompile compiles profiles of strangers: no crash, and whatever compiles is a filter that the
// kernel takes.
func FuzzCompile(f *testing.F) {
	docker, err := json.Marshal(dockerProfile(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(docker)
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["ioctl","socketcall"],"action":"SCMP_ACT_ERRNO","errnoRet":3,` +
		`"args":[{"index":0,"value":1,"valueTwo":2,"op":"SCMP_CMP_MASKED_EQ"},{"index":1,"value":99999999999,"op":"SCMP_CMP_GE"}]}]}`))
	f.Add([]byte(`{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32","SCMP_ARCH_ARM"],` +
		`"flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["socket","shmat","ipc"],"action":"SCMP_ACT_NOTIFY"},` +
		`{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_LT"},{"index":0,"value":4,"op":"SCMP_CMP_NE"}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 1<<16 {
			return
		}
		blob, err := CompileJSON(raw)
		if err != nil {
			return
		}
		filter, err := compiled.Decode(blob)
		if err != nil {
			t.Fatal(err)
		}
		if err := bpfvm.Check(filter.Insns); err != nil {
			t.Fatal(err)
		}
		for _, nr := range []uint32{0, 1, 16, 41, 500, x32Bit, ^uint32(0)} {
			bpfvm.Run(filter.Insns, &bpfvm.Data{Arch: 0xc000003e, Nr: nr, Args: [6]uint64{1, 2, 3, 4, 5, 6}})
		}
	})
}
