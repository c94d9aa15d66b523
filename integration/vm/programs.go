package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// hostPrograms are taken into the plain machine where the host has them: peers, and tools of which busybox
// knows too little.
var hostPrograms = []string{"runc", "crun", "unshare", "nsenter"}

// libraryDirs are where Debian keeps shared libraries.
var libraryDirs = []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64"}

func addPrograms(a *archive) error {
	for _, name := range hostPrograms {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if err := addProgram(a, path, path); err != nil {
			return fmt.Errorf("cannot take %s along: %w", path, err)
		}
	}
	return nil
}

// addProgram adds a program or library with the libraries and the interpreter that it names.
func addProgram(a *archive, at, path string) error {
	if a.made[at] {
		return nil
	}
	a.file(at, path)
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	needs, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, need := range append(needs, filepath.Base(interpreter(f))) {
		if need == "." {
			continue
		}
		found, err := findLibrary(need)
		if err != nil {
			return err
		}
		if err := addProgram(a, found, found); err != nil {
			return err
		}
	}
	return nil
}

func interpreter(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			data := make([]byte, p.Filesz-1)
			if _, err := p.ReadAt(data, 0); err == nil {
				return string(data)
			}
		}
	}
	return "."
}

func findLibrary(name string) (string, error) {
	if name == "ld-linux-x86-64.so.2" {
		return "/lib64/" + name, nil
	}
	for _, dir := range libraryDirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no library %s", name)
}
