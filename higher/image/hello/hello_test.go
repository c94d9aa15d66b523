package hello

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

func TestProgramRuns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "hello")
	program := Program(runtime.GOARCH)
	if program == nil {
		t.Skip("there is none for " + runtime.GOARCH)
	}
	if err := os.WriteFile(name, program, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(name).CombinedOutput()
	if err != nil || string(out) != Text {
		t.Errorf("it printed %q, %v", out, err)
	}
}

func TestProgramsAreELF(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		f, err := elf.NewFile(bytes.NewReader(Program(arch)))
		if err != nil || f.Machine != machine || len(f.Progs) != 1 || f.Entry != base+codeAt {
			t.Errorf("%s: %+v, %v", arch, f, err)
		}
	}
	if Program("riscv64") != nil {
		t.Error("a program for riscv64")
	}
}
