package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// NoArgs refuses arguments. For a group it names the command that does not exist.
func NoArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		return Unknown(c, args[0])
	}
	return count(c, "accepts no arguments")
}

// Exact wants n arguments.
func Exact(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		return count(c, fmt.Sprintf("requires %d %s", n, plural(n)))
	}
}

// AtLeast wants n arguments or more.
func AtLeast(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return tooFew(c, fmt.Sprintf("requires at least %d %s", n, plural(n)))
	}
}

// AtMost wants n arguments or fewer.
func AtMost(n int) cobra.PositionalArgs {
	return Range(0, n)
}

// Range wants from min to max arguments.
func Range(min, max int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= min && len(args) <= max {
			return nil
		}
		if min == 0 {
			return count(c, fmt.Sprintf("requires at most %d %s", max, plural(max)))
		}
		return count(c, fmt.Sprintf("requires at least %d and at most %d %s", min, max, plural(max)))
	}
}

func plural(n int) string {
	if n == 1 {
		return "argument"
	}
	return "arguments"
}

func count(c *cobra.Command, what string) error {
	return fmt.Errorf("dhow: '%s' %s\n\n%s\n\nRun '%[1]s --help' for more information", c.CommandPath(), what, usageLine(c))
}

// Docker says "See" instead of "Run" when arguments are missing.
func tooFew(c *cobra.Command, what string) error {
	return fmt.Errorf("dhow: '%s' %s\n\n%s\n\nSee '%[1]s --help' for more information", c.CommandPath(), what, usageLine(c))
}

// Unknown is the error for a command that does not exist below c.
func Unknown(c *cobra.Command, name string) error {
	if !c.HasParent() {
		return fmt.Errorf("dhow: unknown command: dhow %s\n\nRun 'dhow --help' for more information", name)
	}
	return fmt.Errorf("dhow: unknown command: %s %s\n\nUsage:  %[1]s\n\nRun '%[1]s --help' for more information", c.CommandPath(), name)
}

// flagError is the answer to flags that do not exist or have bad values.
func flagError(c *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return &StatusError{Code: 125, Message: fmt.Sprintf("%s\n\n%s\n\nRun '%s --help' for more information", err, usageLine(c), c.CommandPath())}
}
