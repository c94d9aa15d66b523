package changes

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	image "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/moby/moby/api/types/network"
)

// allowed are the instructions that change a config.
var allowed = []string{"cmd", "entrypoint", "env", "expose", "healthcheck", "label", "onbuild", "stopsignal", "user", "volume", "workdir"}

// Apply applies instructions, one a line, to a config, which is changed only if all of them are right. An error is of
// class errdefs.ErrInvalidArgument.
func Apply(c *image.DockerOCIImageConfig, lines []string) error {
	out := change{DockerOCIImageConfig: clone(c)}
	for _, line := range lines {
		if err := out.applyLine(line); err != nil {
			return errdefs.ErrInvalidArgument.WithMessage(err.Error())
		}
	}
	*c = out.DockerOCIImageConfig
	return nil
}

// change is a config that is changed.
type change struct {
	image.DockerOCIImageConfig
	hasCmd bool // by an instruction of the same change
}

func (c *change) applyLine(line string) error {
	parsed, err := parser.Parse(strings.NewReader(line))
	if err != nil {
		return err
	}
	for _, node := range parsed.AST.Children {
		if !slices.Contains(allowed, strings.ToLower(node.Value)) {
			return fmt.Errorf("%s is not a valid change command", strings.ToUpper(node.Value))
		}
		command, err := instructions.ParseCommand(node)
		if err != nil {
			return err
		}
		if err := expand(command, parsed.EscapeToken, c.Env); err != nil {
			return err
		}
		if err := c.apply(command); err != nil {
			return err
		}
	}
	return nil
}

// expand takes quotes off the words of an instruction, and puts the values of variables in.
func expand(command instructions.Command, escape rune, env []string) error {
	words, ok := command.(instructions.SupportsSingleWordExpansion)
	if !ok {
		return nil
	}
	lex := shell.NewLex(escape)
	return words.Expand(func(word string) (string, error) {
		out, _, err := lex.ProcessWord(word, shell.EnvsFromSlice(env))
		return out, err
	})
}

func (c *change) apply(command instructions.Command) error {
	switch command := command.(type) {
	case *instructions.CmdCommand:
		c.Cmd, c.hasCmd = c.commandLine(command.ShellDependantCmdLine), true
	case *instructions.EntrypointCommand:
		c.Entrypoint = c.commandLine(command.ShellDependantCmdLine)
		if !c.hasCmd { // the one that there was belongs to another program
			c.Cmd = nil
		}
	case *instructions.EnvCommand:
		for _, e := range command.Env {
			c.Env = setEnv(c.Env, e.Key, e.Value)
		}
	case *instructions.ExposeCommand:
		return c.expose(command.Ports)
	case *instructions.HealthCheckCommand:
		c.Healthcheck = command.Health
	case *instructions.LabelCommand:
		for _, l := range command.Labels {
			put(&c.Labels, l.Key, l.Value)
		}
	case *instructions.OnbuildCommand:
		c.OnBuild = append(c.OnBuild, command.Expression)
	case *instructions.StopSignalCommand:
		c.StopSignal = command.Signal
	case *instructions.UserCommand:
		c.User = command.User
	case *instructions.VolumeCommand:
		for _, v := range command.Volumes {
			put(&c.Volumes, v, struct{}{})
		}
	case *instructions.WorkdirCommand:
		c.WorkingDir = workdir(c.WorkingDir, command.Path)
	}
	return nil
}

// commandLine is a command as the config has it: in shell form behind the image's shell.
func (c *change) commandLine(line instructions.ShellDependantCmdLine) []string {
	if !line.PrependShell {
		return line.CmdLine
	}
	shell := c.Shell
	if len(shell) == 0 {
		shell = []string{"/bin/sh", "-c"}
	}
	return append(slices.Clone(shell), line.CmdLine...)
}

// setEnv replaces a variable, or adds it.
func setEnv(env []string, key, value string) []string {
	entry := key + "=" + value
	i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, key+"=") })
	if i < 0 {
		return append(env, entry)
	}
	env[i] = entry
	return env
}

// expose adds ports, each a number or a range with or without a protocol.
func (c *change) expose(ports []string) error {
	for _, p := range ports {
		ports, err := network.ParsePortRange(p)
		if err != nil {
			return err
		}
		for port := range ports.All() {
			put(&c.ExposedPorts, port.String(), struct{}{})
		}
	}
	return nil
}

// workdir is a directory that a path leads to from another.
func workdir(from, to string) string {
	if path.IsAbs(to) {
		return path.Clean(to)
	}
	return path.Join("/", from, to)
}

func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}
