package cli

import (
	"slices"
	"sort"

	"github.com/spf13/cobra"
)

// Entry is a command that is not built yet. Making all 180 with their thousand flags would cost more than most of them
// take to run, so only those are built whose name is among the arguments; the others are names and a line of help.
type Entry struct {
	Name    string
	Aliases []string
	Short   string
	Hidden  bool
	Group   string // heading in `dhow --help`
	New     func(*App) *cobra.Command
	Entries []Entry // of a group
}

// Groups of `dhow --help`, in order.
const (
	GroupCommon     = "Common Commands"
	GroupManagement = "Management Commands"
	GroupSwarm      = "Swarm Commands"
	GroupOther      = "Commands"
)

// Build adds the commands of entries to parent. args are the arguments of the program, from which it is seen what to build.
func Build(a *App, parent *cobra.Command, entries []Entry, args []string) {
	for _, e := range entries {
		parent.AddCommand(e.command(a, args))
	}
}

func (e *Entry) named(args []string) bool {
	return slices.Contains(args, e.Name) || slices.ContainsFunc(e.Aliases, func(n string) bool { return slices.Contains(args, n) })
}

func (e *Entry) command(a *App, args []string) *cobra.Command {
	var c *cobra.Command
	switch {
	case !e.named(args):
		// Runnable, so that it counts as a command; never run, as its name is not among the arguments.
		c = &cobra.Command{Use: e.Name, Run: func(*cobra.Command, []string) {}}
	case e.New != nil:
		c = e.New(a)
	default:
		c = group(a, e, args)
	}
	c.Aliases, c.Hidden, c.GroupID = e.Aliases, e.Hidden, e.Group
	if c.Short == "" {
		c.Short = e.Short
	}
	c.DisableFlagsInUseLine = true
	helpFlag(c)
	return c
}

// helpFlag is -h where that is nothing else, as it is the host name of run. Help does not show it.
func helpFlag(c *cobra.Command) {
	fs, short := c.Flags(), "h"
	if fs.ShorthandLookup(short) != nil {
		short = ""
	}
	fs.BoolP("help", short, false, "Print usage")
	fs.MarkHidden("help")
}

func group(a *App, e *Entry, args []string) *cobra.Command {
	c := &cobra.Command{Use: e.Name, Args: NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		c.SetOut(a.Err)
		c.HelpFunc()(c, nil)
		return nil
	}}
	Build(a, c, e.Entries, args)
	return c
}

// Sorted returns entries in the order of their names, as help shows them.
func Sorted(entries []Entry) []Entry {
	s := slices.Clone(entries)
	sort.Slice(s, func(i, j int) bool { return s[i].Name < s[j].Name })
	return s
}

// As is an entry under another name and heading: `dhow ps` for `dhow container ls`.
func (e Entry) As(name, group string) Entry {
	made := e.New
	e.Name, e.Group, e.Aliases = name, group, nil
	e.New = func(a *App) *cobra.Command {
		c := made(a)
		_, rest := splitUse(c.Use)
		c.Use = name + rest
		return c
	}
	return e
}

func splitUse(use string) (name, rest string) {
	for i, r := range use {
		if r == ' ' {
			return use[:i], use[i:]
		}
	}
	return use, ""
}
