// Seccomp-compile compiles linux.seccomp, JSON on standard input, to a blob of package compiled on
// standard output. It is embedded in the runtime, which is linked without C; see package seccomp.
//
// With the single argument "id" it prints what the cache key of its results is made from: what the
// result depends on, and the checksum of this program itself.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/libseccomp"
)

// cpuSeconds bounds a compilation; Docker's profile takes 0.02. libseccomp 2.5.4 loops for ever over two
// rules for one system call that share a condition (not an equality) and differ in the next.
const cpuSeconds = 5

func main() {
	run := compile
	if len(os.Args) == 2 && os.Args[1] == "id" {
		run = identify
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func compile() error {
	limit := unix.Rlimit{Cur: cpuSeconds, Max: cpuSeconds}
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &limit); err != nil {
		return fmt.Errorf("cannot limit the processor time: setrlimit: %w", err)
	}
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fmt.Errorf("cannot read the profile: %w", err)
	}
	blob, err := libseccomp.CompileJSON(raw)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.Write(blob); err != nil {
		return fmt.Errorf("cannot write the filter: %w", err)
	}
	return nil
}

func identify() error {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("cannot open this program: %w", err)
	}
	defer self.Close() // read only
	sum := sha256.New()
	if _, err := io.Copy(sum, self); err != nil {
		return fmt.Errorf("cannot read this program: %w", err)
	}
	fmt.Printf("%s sha256:%x\n", libseccomp.Identity(), sum.Sum(nil))
	return nil
}
