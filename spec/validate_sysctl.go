package spec

import specs "github.com/opencontainers/runtime-spec/specs-go"

// sysctls refuses parameters that would change the host: those of no namespace, or of one that the container
// shares with it.
func (c *checker) sysctls() {
	sysctl := c.spec.Linux.Sysctl
	if len(sysctl) == 0 {
		return
	}
	p := root.at("linux/sysctl")
	for _, name := range sortedKeys(sysctl) {
		place := p.member(name)
		if c.text(&place, name) && c.text(&place, sysctl[name]) {
			c.sysctl(&place, name)
		}
	}
}

func (c *checker) sysctl(p *path, name string) {
	file, err := SysctlFile(name)
	if err != nil {
		c.add(p, "%v", err)
		return
	}
	switch namespace := SysctlNamespace(file); {
	case namespace == "":
		c.add(p, "kernel parameter %s is not part of a namespace", name)
	case Namespace(c.spec, specs.LinuxNamespaceType(namespace)) == nil:
		c.add(p, "cannot be set without a %s namespace in /linux/namespaces", namespace)
	case file == "kernel/hostname":
		c.add(p, "cannot be set here, use /hostname")
	case file == "kernel/domainname" && c.spec.Domainname != "":
		c.add(p, "conflicts with /domainname")
	}
}
