package config

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"
)

// Command is what the command line asks for.
type Command struct {
	*Config
	ValidateOnly, Version bool
}

// Parse reads the command line, without the program's name, and the configuration file. pflag.ErrHelp stands for
// --help; usage says what it shows.
func Parse(args []string) (c *Command, usage string, err error) {
	c = &Command{Config: Default()}
	f := pflag.NewFlagSet("dhowd", pflag.ContinueOnError)
	f.SortFlags = true
	f.Usage = func() {}
	for _, o := range options() {
		p := f.VarPF(&flagValue{c: c.Config, o: o}, o.flag, o.short, o.usage)
		if o.kind == "bool" {
			p.NoOptDefVal = "true"
		}
	}
	file := f.String("config-file", File, "Daemon configuration file")
	f.BoolVar(&c.ValidateOnly, "validate", false, "Validate daemon configuration and exit")
	f.BoolVarP(&c.Version, "version", "v", false, "Print version information and quit")
	usage = "Usage:  dhowd [OPTIONS]\n\nA container engine.\n\nOptions:\n" + f.FlagUsagesWrapped(110)
	if err := f.Parse(args); err != nil {
		return nil, usage, err
	}
	if f.NArg() > 0 {
		return nil, usage, fmt.Errorf("dhowd takes no arguments, got %q", f.Arg(0))
	}
	given := map[string]bool{}
	f.Visit(func(p *pflag.Flag) { given[p.Name] = true })
	if err := c.load(*file, given); err != nil && (given["config-file"] || !errors.Is(err, os.ErrNotExist)) {
		return nil, usage, err
	}
	if c.TLS.Verify {
		c.TLS.Enabled = true
	}
	return c, usage, c.Validate()
}

// flagValue is an option as a flag.
type flagValue struct {
	c *Config
	o option
}

func (v *flagValue) Set(s string) error { return v.c.say(&v.o, s) }

func (v *flagValue) Type() string { return v.o.kind }

func (v *flagValue) String() string {
	if v.o.get == nil || v.c == nil {
		return ""
	}
	return v.o.get(v.c)
}
