package plan

import "fmt"

// hostTrees are the mounts of the host's that an unprivileged runtime's child copies.
type hostTrees struct {
	collect bool   // only find out what is wanted
	wanted  []File // in the order in which the Program uses them
	opened  []Arg
}

// hostTree is a detached copy of a mount, found by the host's path. Root has the parent make it before the
// clone (open_tree(2)). Who has no power over the host's mount namespace can only copy what the container's
// new one shows: there openHostTrees has opened it.
func (c *compiler) hostTree(f File) Arg {
	t := &c.trees
	switch {
	case t.collect:
		t.wanted = append(t.wanted, f)
		return num(0)
	case !c.copiesTrees():
		return c.file(f)
	}
	next := t.opened[0]
	t.opened = t.opened[1:]
	return next
}

func (c *compiler) copiesTrees() bool { return c.in.Host.Unprivileged || c.in.Host.UserNamespace }

// openHostTrees copies what hostTree is going to be asked for, all of it before anything is mounted: until
// then the host's paths lead where they lead on the host. A compilation for nothing tells what it is.
func (c *compiler) openHostTrees() error {
	if !c.copiesTrees() {
		return nil
	}
	trial := newCompiler(c.in)
	trial.trees.collect = true
	trial.root = cwd
	if err := trial.mounts(); err != nil {
		return err
	}
	trial.devices()
	for _, f := range trial.trees.wanted {
		if f.IDMap != nil {
			return fmt.Errorf("cannot map the ids of %s (%s): only root of the initial user namespace can", f.Path, f.IDMap.Field)
		}
		c.doing("open "+f.Path, f.Field)
		c.trees.opened = append(c.trees.opened, c.openTree(cwd, f.Path, uint64(f.Flags)).arg())
	}
	return nil
}
