package resctrl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Group is the class of service that a container belongs to.
type Group struct {
	Root    string // where resctrl is mounted
	Path    string // directory of the class
	Monitor string // directory of the container's monitoring group, "" for none
	Own     bool   // the class is made for this container, and goes with it

	made bool // Create has made the class
}

// mkdir and rmdir are the kernel's, which fills and empties directories by itself; tests stand in for it.
var (
	mkdir = func(path string) error { return os.Mkdir(path, 0o755) }
	rmdir = os.Remove
)

// Plan decides on the group of the container id and changes nothing.
func Plan(root, id string, c *specs.LinuxIntelRdt) (*Group, error) {
	g := &Group{Root: root, Path: filepath.Join(root, id)}
	if c.ClosID != "" {
		g.Path = filepath.Join(root, c.ClosID)
	}
	if c.EnableMonitoring {
		g.Monitor = filepath.Join(g.Path, "mon_groups", id)
	}
	if err := checkHost(root, c); err != nil {
		return nil, err
	}
	there := exists(g.Path)
	g.Own = c.ClosID == "" && !there
	if c.ClosID == "" {
		return g, nil
	}
	if lines(c) == "" && !there {
		return nil, fmt.Errorf("cannot use the class of service %s (linux.intelRdt.closID): it does not exist, and there is no schema to make it with", c.ClosID)
	}
	if there {
		return g, g.compare(c)
	}
	return g, nil
}

// checkHost refuses what the processor cannot do.
func checkHost(root string, c *specs.LinuxIntelRdt) error {
	switch {
	case c.L3CacheSchema != "" && !exists(root, "info", "L3") && !exists(root, "info", "L3CODE"):
		return errors.New("cannot use linux.intelRdt.l3CacheSchema: the processor cannot divide its L3 cache")
	case c.MemBwSchema != "" && !exists(root, "info", "MB"):
		return errors.New("cannot use linux.intelRdt.memBwSchema: the processor cannot divide memory bandwidth")
	case c.EnableMonitoring && !exists(root, "info", "L3_MON"):
		return errors.New("cannot use linux.intelRdt.enableMonitoring: the processor cannot watch its L3 cache")
	}
	return nil
}

// lines are what the config wants in the file schemata, in the order that the specification asks for.
func lines(c *specs.LinuxIntelRdt) string {
	var b strings.Builder
	for _, line := range append([]string{c.L3CacheSchema, c.MemBwSchema}, c.Schemata...) {
		if line != "" {
			b.WriteString(strings.TrimRight(line, "\n") + "\n")
		}
	}
	return b.String()
}

// compare wants an existing class to be what the config says (config-linux.md, "IntelRdt").
func (g *Group) compare(c *specs.LinuxIntelRdt) error {
	if c.L3CacheSchema == "" && c.MemBwSchema == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(g.Path, "schemata"))
	if err != nil {
		return fmt.Errorf("cannot use the class of service %s (linux.intelRdt.closID): %w", c.ClosID, err)
	}
	have := parse(string(text))
	for _, want := range [...]struct{ field, text string }{{"l3CacheSchema", c.L3CacheSchema}, {"memBwSchema", c.MemBwSchema}} {
		if !have.covers(parse(want.text)) {
			return fmt.Errorf("cannot use the class of service %s (linux.intelRdt.closID): it exists, and is not what linux.intelRdt.%s says, %q",
				c.ClosID, want.field, want.text)
		}
	}
	return nil
}

// Create makes the group. After an error there is nothing that was not there before.
func (g *Group) Create(c *specs.LinuxIntelRdt) (err error) {
	if err := g.makeClass(c); err != nil {
		return err
	}
	if text := lines(c); text != "" {
		if err = write(g.Root, filepath.Join(g.Path, "schemata"), text); err != nil {
			err = fmt.Errorf("cannot write %q to schemata (linux.intelRdt): %w", text, err)
		}
	}
	if err == nil && g.Monitor != "" {
		if err = mkdir(g.Monitor); err != nil {
			err = fmt.Errorf("cannot make a monitoring group (linux.intelRdt.enableMonitoring): %w", explain(g.Root, err))
		}
	}
	if err != nil && g.made {
		err = errors.Join(err, rmdir(g.Path))
		g.made = false
	}
	return err
}

// makeClass makes the class, unless it is there for everybody's use. One of its own that somebody has made since Plan
// is an error: it would be removed with the container.
func (g *Group) makeClass(c *specs.LinuxIntelRdt) error {
	if !g.Own && exists(g.Path) {
		if c.ClosID == "" {
			return nil
		}
		return g.compare(c)
	}
	if err := mkdir(g.Path); err != nil {
		return fmt.Errorf("cannot make a class of service (linux.intelRdt): %w", explain(g.Root, err))
	}
	g.made = true
	return nil
}

// Join adds a process, whose children from then on are in the group too.
func (g *Group) Join(pid int) error {
	for _, dir := range [...]string{g.Path, g.Monitor} {
		if dir == "" {
			continue
		}
		if err := write(g.Root, filepath.Join(dir, "tasks"), strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("cannot add process %d to its class of service (linux.intelRdt): %w", pid, err)
		}
	}
	return nil
}

// Update changes what the class may use; "" leaves a resource as it is.
func (g *Group) Update(l3, memBw string) error {
	c := &specs.LinuxIntelRdt{L3CacheSchema: l3, MemBwSchema: memBw}
	if err := checkHost(g.Root, c); err != nil {
		return err
	}
	text := lines(c)
	if err := write(g.Root, filepath.Join(g.Path, "schemata"), text); err != nil {
		return fmt.Errorf("cannot write %q to schemata: %w", text, err)
	}
	return nil
}

// Remove removes what was made for the container alone. What is gone already is no error.
func (g *Group) Remove() error {
	var list []string
	if g.Monitor != "" {
		list = append(list, g.Monitor)
	}
	if g.Own {
		list = append(list, g.Path)
	}
	for _, dir := range list {
		if err := rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot remove a class of service (linux.intelRdt): %w", err)
		}
	}
	return nil
}

// Undo takes back what Create has made, also a class with a name.
func (g *Group) Undo() error {
	err := g.Remove()
	if g.made && !g.Own {
		err = errors.Join(err, rmdir(g.Path))
	}
	g.made = false
	return err
}

// String says what Create does, a line each.
func (g *Group) String() string {
	text := "use " + g.Path
	if g.Own {
		text = "mkdir " + g.Path
	}
	text += " (linux.intelRdt)"
	if g.Monitor != "" {
		text += "\nmkdir " + g.Monitor + " (linux.intelRdt.enableMonitoring)"
	}
	return text
}
