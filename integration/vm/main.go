// Command vm runs the tests in a virtual machine: Debian's kernel, control groups version 2 with every
// controller, under software emulation. It writes what `go test -json` would write. See the section about
// the virtual machine in integration/README.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/vm/job"
)

type options struct {
	system, users, run, runUser, skip, packages, shell string
	cpus, memory                                       int
	timeout                                            time.Duration
	verbose                                            bool
}

func main() {
	var o options
	flag.StringVar(&o.system, "system", "plain", "`plain`: nothing but the tests; systemd: Debian with systemd")
	flag.StringVar(&o.users, "user", "root", "with systemd, `names`: root, tester, or both with a comma")
	flag.StringVar(&o.run, "run", "", "tests to run, as for go test")
	flag.StringVar(&o.runUser, "run-user", "", "tests to run as an ordinary user; those of -run, if that is not given")
	flag.StringVar(&o.skip, "skip", "", "tests to leave out, as for go test")
	flag.StringVar(&o.packages, "pkg", "", "`packages` to test, with commas")
	flag.StringVar(&o.shell, "exec", "", "run this shell `command` instead of tests")
	flag.IntVar(&o.cpus, "cpus", 2, "processors")
	flag.IntVar(&o.memory, "memory", 2048, "memory in `MiB`")
	flag.DurationVar(&o.timeout, "timeout", 45*time.Minute, "for the machine, from power on to off: what hangs ends then")
	flag.BoolVar(&o.verbose, "v", false, "show the kernel's console")
	flag.Parse()
	code, err := o.main()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		code = 1
	}
	if errors.Is(err, errInterrupted) {
		code = 130 // as a shell says of SIGINT
	}
	os.Exit(code)
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "vm: %s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

func (o *options) main() (code int, err error) {
	if o.system != "plain" && o.system != "systemd" {
		return 1, fmt.Errorf("-system %s: it must be plain or systemd", o.system)
	}
	cache, unlock, err := integration.Cache("vm")
	if err != nil {
		return 1, err
	}
	k, err := findKernel(cache)
	if err != nil {
		return 1, err
	}
	parser, err := findAppArmor(cache)
	if err != nil {
		return 1, err
	}
	disk := ""
	if o.system == "systemd" {
		if disk, err = findDebian(cache); err != nil {
			return 1, err
		}
	}
	unlock()
	dir, err := os.MkdirTemp("", "dhow-vm-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := o.build(dir, k, parser)
	if err != nil {
		return 1, err
	}
	m := &machine{dir: dir, kernel: k.image(), initrd: p, disk: disk, options: o}
	return m.run()
}

// job lists the programs to run.
func (o *options) job(suites []*suite) job.Job {
	j := job.Job{Systemd: o.system == "systemd"}
	for _, user := range strings.Split(o.users, ",") {
		tests := o.run
		switch {
		case user == "root":
			user = ""
		case o.runUser != "":
			tests = o.runUser
		}
		if o.shell != "" {
			j.Runs = append(j.Runs, job.Run{Name: "shell", Dir: "/", Args: []string{"/bin/sh", "-c", o.shell}, User: user, Env: o.environment()})
			continue
		}
		for _, s := range suites {
			name := s.name
			if user != "" {
				name += " as " + user
			}
			j.Runs = append(j.Runs, job.Run{Name: name, Dir: s.dir(), Args: o.testArgs(s, tests), User: user, Env: o.environment()})
		}
	}
	return j
}

func (o *options) environment() []string {
	return []string{
		"RUNTIME=/dhow/bin/runtime", "DHOW_TEST_FAILPOINT=/dhow/bin/runtime-failpoint", "DHOW_TEST_PROBE=/dhow/bin/probe",
		"DHOW_TEST_VM=" + o.system, "DHOW_TEST_PATIENCE=90s",
	}
}

func (o *options) testArgs(s *suite, tests string) []string {
	// Tests that wait for something leave the processors to others.
	args := []string{s.binary(), "-test.v=test2json", "-test.parallel=" + strconv.Itoa(2*o.cpus), "-test.timeout=" + (o.timeout - o.timeout/10).String()}
	if tests == "" {
		tests = s.run
	}
	if tests != "" {
		args = append(args, "-test.run="+tests)
	}
	if skip := strings.Trim(s.skip+"|"+o.skip, "|"); skip != "" {
		args = append(args, "-test.skip="+skip)
	}
	return args
}
