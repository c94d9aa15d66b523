package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Every bad input gives an error on stderr and leaves nothing: newCLI and ID look for remains.
func TestBadConfigs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit  Edit
		words []string
	}{
		"missing executable":      {Args("foo"), []string{`exec: "foo": executable file not found in $PATH`}},
		"missing absolute path":   {Args("/no/such/program"), []string{"/no/such/program", "no such file or directory"}},
		"executable not allowed":  {both(File("data", "x", 0o644), Args("/data")), []string{"/data", "permission denied"}},
		"no arguments":            {Args(), nil},
		"missing bind source":     {Bind("/no/such/source", "/mnt"), []string{"/no/such/source", "no such file or directory"}},
		"missing root":            {func(b *Bundle) { b.Spec.Root.Path = "absent" }, []string{"absent"}},
		"relative cwd":            {Cwd("tmp"), nil},
		"unknown file system":     {Mount("nosuchfs", "none", "/mnt"), []string{"/mnt", "no such device"}},
		"unknown namespace":       {Namespace("nosuch", ""), []string{"nosuch"}},
		"missing namespace path":  {Namespace(specs.NetworkNamespace, "/no/such/ns"), []string{"/no/such/ns"}},
		"namespace of wrong kind": {Namespace(specs.NetworkNamespace, "/proc/self/ns/uts"), nil},
		"unknown rlimit": {Process(func(p *specs.Process) {
			p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOSUCH", Soft: 1, Hard: 1}}
		}), []string{"RLIMIT_NOSUCH"}},
		"sysctl of the host": {Linux(func(l *specs.Linux) {
			l.Sysctl = map[string]string{"kernel.panic": "0"}
		}), []string{"kernel.panic"}},
		"hostname without namespace": {NoNamespace(specs.UTSNamespace), []string{"hostname"}},
		"unknown seccomp action": {Linux(func(l *specs.Linux) {
			l.Seccomp = &specs.LinuxSeccomp{DefaultAction: "SCMP_ACT_NOSUCH"}
		}), []string{"SCMP_ACT_NOSUCH"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newCLI(t)
			id := r.ID()
			res := r.Detached("create", "--bundle", newBundle(t, c.edit).Dir, id)
			res.Failed(c.words...).Exited(1)
			checkGone(t, id)
		})
	}
}

func both(edits ...Edit) Edit {
	return func(b *Bundle) {
		for _, e := range edits {
			e(b)
		}
	}
}

// dhow refuses before it makes anything what peers only notice late, or never.
func TestBadConfigsThatPeersAccept(t *testing.T) {
	onlyDhow(t, "the peers ignore these")
	t.Parallel()
	for name, c := range map[string]struct {
		edit  Edit
		words []string
	}{
		"unknown mount option": {Mount("tmpfs", "tmpfs", "/mnt", "nosiud"), []string{"/mounts/6/options/0", "nosiud"}},
		"two problems at once": {both(Cwd("tmp"), Namespace("nosuch", "")), []string{"/process/cwd", "nosuch"}},
		"null byte":            {Args("a\x00b"), []string{"/process/args/0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newCLI(t)
			r.Detached("create", "--bundle", newBundle(t, c.edit).Dir, r.ID()).Failed(c.words...).Exited(1)
		})
	}
}

func TestMissingBundle(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	r.Do("create", "--bundle", "/no/such/bundle", r.ID()).Failed("/no/such/bundle", "no such file or directory").Exited(1)
	r.Do("run", "--bundle", t.TempDir(), r.ID()).Failed("config.json").Exited(1)
}

func TestBrokenJSON(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, text := range []string{"", "{", "[]", `{"ociVersion": 7}`, "not json", `{"process": "x"}`} {
		b := newBundle(t)
		must(t, os.WriteFile(filepath.Join(b.Dir, "config.json"), []byte(text), 0o644))
		r.Detached("create", "--bundle", b.Dir, r.ID()).Failed().Exited(1)
	}
}

func TestUnknownOptionsAndMissingArguments(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t)
	r.Do("create", "--no-such-flag", "--bundle", b.Dir, r.ID()).Failed()
	r.Do("--no-such-flag", "list").Failed()
	r.Do("create", "--bundle", b.Dir).Failed()
	r.Do("create", "--bundle", b.Dir, r.ID(), "extra").Failed()
	r.Do("state").Failed()
}

func TestUnknownVerb(t *testing.T) {
	onlyDhow(t, "1.1 prints its help and exits 0")
	t.Parallel()
	newCLI(t).Do("no-such-verb").Failed("no-such-verb")
}

func TestUnwritableRoot(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	r.Root = filepath.Join(file, "root") // root may write anywhere but below a file
	id := "dhowtest-unwritable-" + itoa(os.Getpid())
	r.Detached("create", "--bundle", newBundle(t).Dir, id).Failed("not a directory").Exited(1)
	checkGone(t, id)
}

func TestErrorsAsJSON(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	log := filepath.Join(t.TempDir(), "log")
	r.Do("--log", log, "--log-format", "json", "state", "dhowtest-absent").Failed("does not exist")
	var entry struct{ Level, Msg string }
	all := lines(readFile(t, log))
	decode(t, all[len(all)-1], &entry)
	if entry.Level != "error" || entry.Msg == "" {
		t.Errorf("log entry: %+v of %q", entry, all)
	}
}

// Without --log the JSON goes to stderr.
func TestErrorsAsJSONOnStderr(t *testing.T) {
	t.Parallel()
	res := newCLI(t).Do("--log-format", "json", "state", "dhowtest-absent")
	var entry struct{ Level, Msg string }
	decode(t, res.Stderr, &entry)
	if res.Code != 1 || entry.Level != "error" || entry.Msg == "" {
		t.Errorf("exit %d, stderr %q", res.Code, res.Stderr)
	}
}

// A state in JSON cannot hold a path that is not UTF-8: such a bundle is refused, and leaves nothing.
func TestBundlePathNotUTF8(t *testing.T) {
	onlyDhow(t, "runc and crun record another path")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t)
	dir := b.Dir + "/b\xff"
	must(t, os.Mkdir(dir, 0o755))
	for _, name := range []string{"config.json", "rootfs"} {
		must(t, os.Rename(filepath.Join(b.Dir, name), filepath.Join(dir, name)))
	}
	for _, verb := range []string{"create", "run"} {
		id := r.ID()
		r.Detached(verb, "--bundle", dir, id).Failed("not UTF-8", `b\xff`).Exited(1)
		r.Do("state", id).Failed("does not exist")
		if left := containersIn(r.Root); len(left) > 0 {
			t.Errorf("%s leaves %v", verb, left)
		}
	}
}

// A config is put into the container's record, a few levels deeper: what create accepts can be read back.
func TestDeeplyNestedConfig(t *testing.T) {
	onlyDhow(t, "the peers have other limits")
	t.Parallel()
	r := newCLI(t)
	refused := 0
	for _, depth := range []int{500, 985, 990, 991, 992, 993, 994, 995, 996, 997, 998, 999, 1001} {
		b := newBundle(t)
		config := readFile(t, filepath.Join(b.Dir, "config.json"))
		nested := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		must(t, os.WriteFile(filepath.Join(b.Dir, "config.json"), []byte(`{"x": `+nested+", "+config[1:]), 0o644))
		id := r.ID()
		res := r.Detached("create", "--bundle", b.Dir, id)
		if res.Code != 0 {
			refused++
			r.Do("state", id).Failed("does not exist")
			continue
		}
		r.State(id)
		r.Must("start", id)
		r.AwaitStatus(id, "stopped")
		r.Must("delete", id)
	}
	if refused == 0 || refused == 13 {
		t.Errorf("%d of 13 are refused: the limit is elsewhere", refused)
	}
}
