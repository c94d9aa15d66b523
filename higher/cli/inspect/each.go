package inspect

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
)

// Format is the flag for how to print.
func Format(c *cobra.Command, source *string) {
	c.Flags().StringVarP(source, "format", "f", "", "How to print: 'json', or a Go template")
}

// Each gets the objects and prints those that there are; the errors of the others come after them.
func Each(w io.Writer, names []string, source string, get func(string) (format.Inspected, error)) error {
	i, err := format.NewInspector(w, source)
	if err != nil {
		return &cli.StatusError{Code: 64, Message: err.Error()}
	}
	var errs []error
	for _, n := range names {
		o, err := get(n)
		if err == nil {
			err = i.Add(o)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	if err := i.Flush(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return &cli.StatusError{Code: 1, Message: errors.Join(errs...).Error()}
	}
	return nil
}
