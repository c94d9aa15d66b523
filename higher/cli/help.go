package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli/stream"
)

// aliases is the annotation that holds the other spellings of a command, as they are shown in its help.
const aliases = "aliases"

// Aliased notes other spellings of a command: "dhow container ls, dhow ps".
func Aliased(c *cobra.Command, spellings ...string) *cobra.Command {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[aliases] = "dhow " + strings.Join(spellings, ", dhow ")
	return c
}

// Setup gives the root the help, usage and errors of docker.
func Setup(a *App, root *cobra.Command) {
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		writeHelp(c.OutOrStdout(), c, width(a))
	})
	root.SetUsageFunc(func(c *cobra.Command) error {
		_, err := fmt.Fprintln(c.OutOrStderr(), usageLine(c))
		return err
	})
	root.SetFlagErrorFunc(flagError)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
}

func width(a *App) int {
	if _, w := a.Out.Size(); w > 0 {
		return int(w)
	}
	return stream.DefaultWidth
}

func usageLine(c *cobra.Command) string {
	line := c.UseLine()
	if c.HasSubCommands() && c.HasParent() {
		line = c.CommandPath()
		if c.HasSubCommands() {
			line += " COMMAND"
		}
	}
	return "Usage:  " + line
}

func writeHelp(w io.Writer, c *cobra.Command, width int) {
	fmt.Fprintf(w, "%s\n", usageLine(c))
	about := c.Long
	if about == "" {
		about = c.Short
	}
	fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(about))
	if s := c.Annotations[aliases]; s != "" {
		fmt.Fprintf(w, "\nAliases:\n  %s\n", s)
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasParent() {
		writeOptions(w, c, "Options", width)
		writeCommands(w, c)
	} else {
		writeCommands(w, c)
		writeOptions(w, c, "Global Options", width)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nRun '%s COMMAND --help' for more information on a command.\n", c.CommandPath())
	}
}

func writeOptions(w io.Writer, c *cobra.Command, title string, width int) {
	if c.HasAvailableFlags() {
		fmt.Fprintf(w, "\n%s:\n%s", title, c.Flags().FlagUsagesWrapped(width-1))
	}
}

func writeCommands(w io.Writer, c *cobra.Command) {
	headings := []string{""}
	if !c.HasParent() {
		headings = []string{GroupCommon, GroupManagement, GroupSwarm, GroupOther}
	}
	for _, h := range headings {
		title := h
		if title == "" {
			title = "Commands"
		}
		for _, sub := range c.Commands() {
			if !sub.IsAvailableCommand() || sub.GroupID != h {
				continue
			}
			if title != "" {
				fmt.Fprintf(w, "\n%s:\n", title)
				title = ""
			}
			fmt.Fprintf(w, "  %-*s  %s\n", max(c.NamePadding(), 11)-1, sub.Name(), sub.Short)
		}
	}
}
