package spec

import specs "github.com/opencontainers/runtime-spec/specs-go"

func (c *checker) process() {
	if c.spec.Process != nil {
		p := root.at("process")
		c.processAt(&p, c.spec.Process)
	}
}

// processAt checks a process object; p is its place.
func (c *checker) processAt(p *path, process *specs.Process) {
	place := p.at("user")
	c.user(&place, &process.User)
	place = p.at("args")
	if len(process.Args) == 0 {
		c.add(&place, "at least one element is required")
	}
	c.texts(&place, process.Args)
	place = p.at("env")
	c.environment(&place, process.Env)
	place = p.at("cwd")
	c.absolute(&place, process.Cwd)
	place = p.at("rlimits")
	c.rlimits(&place, process.Rlimits)
	place = p.at("apparmorProfile")
	c.line(&place, process.ApparmorProfile)
	place = p.at("oomScoreAdj")
	if adj := process.OOMScoreAdj; adj != nil && (*adj < -1000 || *adj > 1000) {
		c.add(&place, "%d is not between -1000 and 1000", *adj)
	}
	if process.Scheduler != nil {
		place = p.at("scheduler")
		c.scheduler(&place, process.Scheduler)
	}
	place = p.at("selinuxLabel")
	c.line(&place, process.SelinuxLabel)
	if process.IOPriority != nil {
		place = p.at("ioPriority")
		c.ioPriority(&place, process.IOPriority)
	}
	if affinity := process.ExecCPUAffinity; affinity != nil {
		place = p.at("execCPUAffinity/initial")
		c.idList(&place, affinity.Initial)
		place = p.at("execCPUAffinity/final")
		c.idList(&place, affinity.Final)
	}
}

// invalidID is what setuid(2) and chown(2) read as "no change".
const invalidID = 1<<32 - 1

func (c *checker) user(p *path, user *specs.User) {
	var uids, gids []specs.LinuxIDMapping
	if c.spec.Linux != nil && Namespace(c.spec, specs.UserNamespace) != nil {
		uids, gids = c.spec.Linux.UIDMappings, c.spec.Linux.GIDMappings
	}
	place := p.at("uid")
	c.userID(&place, user.UID, uids, "uid")
	place = p.at("gid")
	c.userID(&place, user.GID, gids, "gid")
	place = p.at("umask")
	if user.Umask != nil && *user.Umask > 0o777 {
		c.add(&place, "%d has bits beyond 0777 (decimal 511)", *user.Umask)
	}
	place = p.at("additionalGids")
	for i, gid := range user.AdditionalGids {
		item := place.item(i)
		c.userID(&item, gid, gids, "gid")
	}
}

// userID wants a usable id, one that is mapped when the configuration says what is.
func (c *checker) userID(p *path, id uint32, mappings []specs.LinuxIDMapping, kind string) {
	if id == invalidID {
		c.add(p, "%d is not a valid id", id)
		return
	}
	if len(mappings) == 0 {
		return
	}
	for _, m := range mappings {
		if id >= m.ContainerID && uint64(id) < uint64(m.ContainerID)+uint64(m.Size) {
			return
		}
	}
	c.add(p, "%d is not mapped by /linux/%sMappings", id, kind)
}

func (c *checker) rlimits(p *path, list []specs.POSIXRlimit) {
	var seen uint64
	for i, r := range list {
		item := p.item(i)
		place := item.at("type")
		resource, ok := Rlimit(r.Type)
		if !ok {
			c.add(&place, "unknown resource limit %q", r.Type)
		} else if seen&(1<<resource) != 0 {
			c.add(&place, "%s is given twice", r.Type)
		} else {
			seen |= 1 << resource
		}
		if r.Soft > r.Hard {
			place = item.at("soft")
			c.add(&place, "%d is above the hard limit %d", r.Soft, r.Hard)
		}
	}
}
