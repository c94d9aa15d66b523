// Command peersuite runs runc's own integration tests (tests/integration in its source tree, written for bats)
// with runc and with this runtime, on the hybrid host and below a pure cgroup2 mount, and compares. What runc
// passes has to pass here too, but for the exceptions that integration/README.md lists with their reasons.
//
// The suite stays where it is: only its helper programs and root file systems are made there, in the places
// where it looks for them (tests/cmd/_bin, tests/integration/testdata).
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

type options struct {
	source  string // runc's source tree
	peer    string // runc, built from it when empty
	ours    string
	stages  string
	files   string
	filter  string
	results string
	timeout time.Duration
	only    string

	rootless string
	user     *rootless // of this stage; nil is root
}

func main() {
	var o options
	flag.StringVar(&o.source, "src", "", "runc's source tree")
	flag.StringVar(&o.peer, "peer", "", "runc (default: built in its source tree)")
	flag.StringVar(&o.ours, "ours", "", "the runtime under test (default: $RUNTIME or bin/runtime, built first)")
	flag.StringVar(&o.stages, "stages", "hybrid,unified", "views of /sys/fs/cgroup")
	flag.StringVar(&o.files, "files", "*.bats", "patterns of files of the suite, with commas between them")
	flag.StringVar(&o.filter, "filter", "", "regular expression: only tests with such a name")
	flag.StringVar(&o.results, "results", "", "directory for the TAP output (default: a temporary one)")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "for one file: BATS_TEST_TIMEOUT, for one test, breaks those that wait for all their children")
	flag.StringVar(&o.only, "only", "", "run only `SIDE`: peer, ours or none; other TAP output is taken from -results")
	flag.StringVar(&o.rootless, "rootless", "", "as an ordinary user with these of runc's ROOTLESS_FEATURES: `LIST` of none, idmap, cgroup, idmap+cgroup")
	flag.Parse()
	code, err := o.main()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peersuite:", err)
		code = 2
	}
	os.Exit(code)
}

// main prepares, and then runs this program once more in each stage, a mount namespace of its own.
func (o *options) main() (int, error) {
	if integration.CurrentStage() != integration.Host {
		return o.stage(string(integration.CurrentStage()))
	}
	if err := o.prepare(); err != nil {
		return 2, err
	}
	worst := 0
	for stage := range strings.SplitSeq(o.stages, ",") {
		for features := range strings.SplitSeq(o.rootless, ",") {
			os.Args = o.args(features)
			code, err := integration.Restage(integration.Stage(stage))
			if err != nil {
				return 2, err
			}
			worst = max(worst, code)
		}
	}
	return worst, nil
}

// args is the command line for the stages: everything that prepare found out is in it.
func (o *options) args(features string) []string {
	return []string{os.Args[0], "-src", o.source, "-peer", o.peer, "-ours", o.ours, "-files", o.files,
		"-filter", o.filter, "-results", o.results, "-timeout", o.timeout.String(), "-only", o.only, "-rootless", features}
}

// stage runs the suite with both runtimes and reports; 1 says that something is left to do.
func (o *options) stage(name string) (code int, err error) {
	if err := integration.EnterStage(); err != nil {
		return 2, err
	}
	if o.user, err = enterRootless(o.rootless); err != nil {
		return 2, err
	}
	if o.user != nil {
		name += "-rootless-" + o.rootless
		defer func() { err = errors.Join(err, o.user.leave()) }()
	}
	files, err := o.testFiles()
	if err != nil {
		return 2, err
	}
	peer, ours := results{}, results{}
	for _, file := range files {
		if err := o.side(name, "peer", o.peer, file, peer); err != nil {
			return 2, err
		}
		if err := o.side(name, "ours", o.ours, file, ours); err != nil {
			return 2, err
		}
	}
	known, err := exceptions()
	if err != nil {
		return 2, err
	}
	r := compare(peer, ours, known)
	r.print(os.Stdout, name)
	if len(r.open) > 0 {
		return 1, nil
	}
	return 0, nil
}

// testFiles gives the files of the suite that -files names, in order.
func (o *options) testFiles() ([]string, error) {
	var files []string
	for pattern := range strings.SplitSeq(o.files, ",") {
		found, err := filepath.Glob(filepath.Join(o.source, "tests/integration", pattern))
		if err != nil {
			return nil, fmt.Errorf("cannot use -files %s: %w", pattern, err)
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	if files = slices.Compact(files); len(files) == 0 {
		return nil, fmt.Errorf("cannot find %s in %s/tests/integration", o.files, o.source)
	}
	return files, nil
}
