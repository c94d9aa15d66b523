package spec

import (
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Validate checks a configuration against config.md and config-linux.md of the specification, version 1.3, and
// returns nil or a *Problems with everything that it found, in document order.
//
// It looks at nothing but the configuration: whether a path exists or the kernel has a feature is for later. Nor
// does it look at linux.seccomp, for which there is ValidateSeccomp. A configuration without a process is valid
// (create needs none); see RequireProcess.
func Validate(s *specs.Spec) error {
	c := checker{spec: s}
	c.version()
	c.process()
	c.root()
	c.names()
	c.mounts()
	c.hooks()
	c.annotations()
	if s.Linux != nil {
		c.linux()
	}
	return c.result("config.json")
}

// RequireProcess returns an error when there is no process to start: config.md requires it of `start`.
func RequireProcess(s *specs.Spec) error {
	if s.Process != nil {
		return nil
	}
	return &Problems{Object: "config.json", List: []Problem{{"/process", "required to start the container"}}}
}

// ValidateProcess checks a process object on its own, as `exec --process` gets it, inside of the container that
// s describes; s may be nil.
func ValidateProcess(process *specs.Process, s *specs.Spec) error {
	var container specs.Spec
	if s != nil {
		container = *s
	}
	container.Process = process
	c := checker{spec: &container}
	c.processAt(root, process)
	return c.result("process")
}

// version wants a version that this package knows the meaning of: 1.x.y (config.md, "Specification version").
func (c *checker) version() {
	p := root.at("ociVersion")
	v := c.spec.Version
	major, ok := semverMajor(v)
	switch {
	case v == "":
		c.add(&p, "required")
	case !ok:
		c.add(&p, "%q is not a semantic version", v)
	case major != 1:
		c.add(&p, "version %q is not supported, only 1.x is", v)
	}
}

// semverMajor returns the first number of a semantic version (semver.org, version 2.0.0).
func semverMajor(v string) (major int, ok bool) {
	v, build, hasBuild := strings.Cut(v, "+")
	core, pre, hasPre := strings.Cut(v, "-")
	if hasBuild && !semverTail(build) || hasPre && !semverTail(pre) {
		return 0, false
	}
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 {
		return 0, false
	}
	for i, n := range numbers {
		value, err := strconv.ParseUint(n, 10, 31)
		if err != nil || len(n) > 1 && n[0] == '0' {
			return 0, false
		}
		if i == 0 {
			major = int(value)
		}
	}
	return major, true
}

// semverTail checks the dot-separated identifiers of a pre-release or build.
func semverTail(s string) bool {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" {
			return false
		}
		for _, r := range id {
			if r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

func (c *checker) root() {
	p := root.at("root")
	if c.spec.Root == nil {
		c.add(&p, "required")
		return
	}
	p = root.at("root/path")
	if c.spec.Root.Path == "" {
		c.add(&p, "a path is required")
	}
	c.text(&p, c.spec.Root.Path)
}

// names checks what the UTS namespace holds. The limit is the kernel's __NEW_UTS_LEN.
func (c *checker) names() {
	for _, n := range [...]struct{ key, value string }{{"hostname", c.spec.Hostname}, {"domainname", c.spec.Domainname}} {
		p := root.at(n.key)
		if n.value == "" || !c.text(&p, n.value) {
			continue
		}
		if len(n.value) > 64 {
			c.add(&p, "%q is longer than 64 bytes", n.value)
		}
		if Namespace(c.spec, specs.UTSNamespace) == nil {
			c.add(&p, "cannot be set without a uts namespace in /linux/namespaces")
		}
	}
}

func (c *checker) annotations() {
	p := root.at("annotations")
	if _, ok := c.spec.Annotations[""]; ok {
		c.add(&p, "a key is empty")
	}
}

func (c *checker) hooks() {
	hooks := c.spec.Hooks
	if hooks == nil {
		return
	}
	p := root.at("hooks")
	for _, list := range [...]struct {
		key   string
		hooks []specs.Hook
	}{
		{"prestart", hooks.Prestart}, //nolint:staticcheck // deprecated, and still required of runtimes
		{"createRuntime", hooks.CreateRuntime},
		{"createContainer", hooks.CreateContainer},
		{"startContainer", hooks.StartContainer},
		{"poststart", hooks.Poststart},
		{"poststop", hooks.Poststop},
	} {
		kind := p.at(list.key)
		for i := range list.hooks {
			item := kind.item(i)
			c.hook(&item, &list.hooks[i])
		}
	}
}

func (c *checker) hook(p *path, h *specs.Hook) {
	place := p.at("path")
	c.absolute(&place, h.Path)
	place = p.at("args")
	c.texts(&place, h.Args)
	place = p.at("env")
	c.environment(&place, h.Env)
	place = p.at("timeout")
	if h.Timeout != nil && *h.Timeout <= 0 {
		c.add(&place, "%d is not greater than zero", *h.Timeout)
	}
}
