package task

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	units "github.com/docker/go-units"

	"github.com/dhow-containers/dhow/shim/logfile"
)

// What is kept of a log of which nobody has said.
const (
	defaultMaxSize  = 20 * units.MB
	defaultMaxFiles = 5
	defaultRing     = units.MiB
)

// logOptions are those that the drivers have, as Docker's.
var logOptions = []string{"max-size", "max-file", "compress", "mode", "max-buffer-size", "labels", "labels-regex", "env", "env-regex", "tag"}

// CheckLog says what is wrong with a log's driver and options (ErrInvalidArgument, in Docker's words).
func CheckLog(c LogConfig) error {
	_, err := c.options()
	return err
}

func invalid(format string, args ...any) error {
	return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf(format, args...))
}

// options makes numbers of the options.
func (c *LogConfig) options() (o logfile.Options, err error) {
	o = logfile.Options{Driver: c.Driver, Path: c.Path}
	switch o.Driver {
	case "":
		o.Driver = logfile.JSON
	case logfile.JSON, logfile.Local:
	case logfile.None:
		return logfile.Options{Driver: logfile.None}, nil
	default:
		return o, invalid("logger: no log driver named '%s' is registered", c.Driver)
	}
	for key := range c.Options {
		if !slices.Contains(logOptions, key) {
			return o, invalid("unknown log opt '%s' for %s log driver", key, o.Driver)
		}
	}
	for _, take := range []func(*logfile.Options) error{c.bounds, c.compress, c.mode, c.attrs} {
		if err := take(&o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// bounds reads max-size, whose -1 is no bound, and max-file.
func (c *LogConfig) bounds(o *logfile.Options) (err error) {
	o.MaxSize, o.MaxFiles = defaultMaxSize, defaultMaxFiles
	if v, ok := c.Options["max-size"]; ok && v == "-1" {
		o.MaxSize = 0
	} else if ok {
		if o.MaxSize, err = units.FromHumanSize(v); err != nil {
			return invalid("invalid value for max-size: %v", err)
		}
		if o.MaxSize <= 0 {
			return invalid("max-size must be a positive number")
		}
	}
	if v, ok := c.Options["max-file"]; ok {
		if o.MaxFiles, err = strconv.Atoi(v); err != nil {
			return invalid("invalid value for max-file: %v", err)
		}
		if o.MaxFiles < 1 {
			return invalid("max-file cannot be less than 1")
		}
	}
	return nil
}

// compress is on for local, unless there is nothing to compress.
func (c *LogConfig) compress(o *logfile.Options) (err error) {
	idle := o.MaxFiles < 2 || o.MaxSize == 0
	v, ok := c.Options["compress"]
	if !ok {
		o.Compress = o.Driver == logfile.Local && !idle
		return nil
	}
	if o.Compress, err = strconv.ParseBool(v); err != nil {
		return invalid("invalid value for compress: %v", err)
	}
	if o.Compress && idle {
		return invalid("compress cannot be true when max-file is less than 2 or max-size is not set")
	}
	return nil
}

func (c *LogConfig) mode(o *logfile.Options) error {
	size, sized := c.Options["max-buffer-size"]
	switch mode := c.Options["mode"]; mode {
	case "", "blocking":
		if sized {
			return invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
		}
		return nil
	case "non-blocking":
	default:
		return invalid("logger: logging mode not supported: %s", mode)
	}
	o.Ring = defaultRing
	if !sized {
		return nil
	}
	n, err := units.RAMInBytes(size)
	if err != nil || n <= 0 {
		return invalid("error parsing option max-buffer-size: %s", size)
	}
	o.Ring = int(n)
	return nil
}

// attrs are for json-file; local keeps none.
func (c *LogConfig) attrs(o *logfile.Options) error {
	if len(c.Attrs) == 0 || o.Driver != logfile.JSON {
		return nil
	}
	text, err := json.Marshal(c.Attrs)
	o.Attrs = string(text)
	return err
}
