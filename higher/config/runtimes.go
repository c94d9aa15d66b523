package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ourRuntime is the runtime that containers have by default, and its name for containerd. "runc" is another name of it, for clients
// that ask for Docker's default, unless there is a runtime of that name.
const ourRuntime = "dhow"

// OurType is the type of our own runtime.
const OurType = "io.containerd.dhow.v2"

// runcType is containerd's for runtimes by their command line, the program of which its option BinaryName says.
const runcType = "io.containerd.runc.v2"

// Runtime is another OCI runtime, which has runc's command line.
type Runtime struct {
	Path string   `json:"path"` // of the program, or its name in $PATH
	Args []string `json:"runtimeArgs,omitempty"`
}

// argsAfter separates a runtime's path and arguments in what is set.
const argsAfter = "\x00"

func runtimes() option {
	return option{
		flag: "add-runtime", key: "runtimes", usage: "Register an additional OCI compatible runtime", kind: "name=path",
		set: func(c *Config, s string) error {
			name, value, err := pair(s)
			switch {
			case err != nil:
				return err
			case name == ourRuntime:
				return fmt.Errorf("runtime name %q is reserved", name)
			case strings.ContainsAny(name, "/ \t") || name == "." || name == "..": // it is a directory's, too
				return fmt.Errorf("invalid runtime name %q", name)
			}
			parts := strings.Split(value, argsAfter)
			if parts[0] == "" {
				return fmt.Errorf("runtime %s: the path is empty", name)
			}
			c.Runtimes[name] = Runtime{Path: parts[0], Args: parts[1:]}
			return nil
		},
		item: func(name string, v json.RawMessage) (string, error) {
			parts, err := readRuntime(v)
			if err != nil {
				return "", fmt.Errorf("runtime %s: %w", name, err)
			}
			return name + "=" + strings.Join(parts, argsAfter), nil
		},
	}
}

// readRuntime reads a runtime in the file, for its path and arguments. The errors are in dockerd's words.
func readRuntime(v json.RawMessage) ([]string, error) {
	var r struct {
		Path, RuntimeType string
		RuntimeArgs       []string
		Options           *struct{ BinaryName string }
	}
	if err := decodeStrict(v, &r); err != nil {
		return nil, err
	}
	switch {
	case r.Path == "" && r.RuntimeType == "":
		return nil, errors.New("either a runtimeType or a path must be configured")
	case r.Path != "" && r.RuntimeType != "":
		return nil, errors.New("cannot configure both path and runtimeType for the same runtime")
	case r.RuntimeType != "" && len(r.RuntimeArgs) > 0:
		return nil, errors.New("args cannot be used with a runtimeType runtime")
	case r.Path != "" && r.Options != nil:
		return nil, errors.New("options cannot be used with a path runtime")
	case r.RuntimeType == runcType && r.Options != nil && r.Options.BinaryName != "":
		return []string{r.Options.BinaryName}, nil
	case r.RuntimeType != "":
		return nil, fmt.Errorf("cannot use the runtimeType %q: this engine has no shims but its own; give the path of a runtime with runc's command line", r.RuntimeType)
	}
	return append([]string{r.Path}, r.RuntimeArgs...), nil
}

// IsOurRuntime says whether a name is that of our own runtime.
func IsOurRuntime(name string, others map[string]Runtime) bool {
	switch name {
	case "", ourRuntime, OurType, runcType:
		return true
	case "runc":
		_, added := others[name]
		return !added
	}
	return false
}
