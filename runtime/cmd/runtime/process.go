package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

// processFlags are exec's changes to the container's process.
type processFlags struct {
	cwd, user       string
	env, gids, caps []string
	tty, noNewPrivs bool
	label, apparmor string
}

func (f *processFlags) flags() []flags.Flag {
	return []flags.Flag{
		{Name: "cwd", Arg: "DIR", Value: &f.cwd, Help: "working directory, inside the container"},
		{Name: "env", Short: "e", Arg: "NAME=VALUE", Value: &f.env, Help: "set an environment variable"},
		{Name: "tty", Short: "t", Value: &f.tty, Help: "give the process a terminal"},
		{Name: "user", Short: "u", Arg: "UID[:GID]", Value: &f.user, Help: "run as this user and group"},
		{Name: "additional-gids", Short: "g", Arg: "GID", Value: &f.gids, Help: "add a supplementary group"},
		{Name: "process-label", Arg: "LABEL", Value: &f.label, Help: "SELinux label of the process"},
		{Name: "apparmor", Arg: "PROFILE", Value: &f.apparmor, Help: "AppArmor profile of the process"},
		{Name: "no-new-privs", Value: &f.noNewPrivs, Help: "keep the process from gaining privileges by execve"},
		{Name: "cap", Short: "c", Arg: "CAPABILITY", Value: &f.caps, Help: "add a capability"},
	}
}

// apply makes the changes. The terminal is the caller's choice alone; no flag takes anything away.
func (f *processFlags) apply(p *specs.Process) error {
	p.Terminal = f.tty
	p.Env = append(p.Env, f.env...)
	p.NoNewPrivileges = p.NoNewPrivileges || f.noNewPrivs
	setIfGiven(&p.Cwd, f.cwd)
	setIfGiven(&p.SelinuxLabel, f.label)
	setIfGiven(&p.ApparmorProfile, f.apparmor)
	for _, c := range f.caps {
		addCapability(p.Capabilities, c)
	}
	if err := setUser(&p.User, f.user); err != nil {
		return err
	}
	for _, g := range f.gids {
		gid, err := parseID(g)
		if err != nil {
			return fmt.Errorf("cannot use --additional-gids %q: %w", g, err)
		}
		p.User.AdditionalGids = append(p.User.AdditionalGids, gid)
	}
	return nil
}

func setIfGiven(field *string, value string) {
	if value != "" {
		*field = value
	}
}

// addCapability adds one to the sets that make it effective. The kernel only takes an ambient capability
// that is inheritable too, and exec makes none inheritable, so it is ambient where the config has it so.
func addCapability(sets *specs.LinuxCapabilities, name string) {
	for _, set := range []*[]string{&sets.Bounding, &sets.Effective, &sets.Permitted} {
		addOnce(set, name)
	}
	if slices.Contains(sets.Inheritable, name) {
		addOnce(&sets.Ambient, name)
	}
}

func addOnce(set *[]string, name string) {
	if !slices.Contains(*set, name) {
		*set = append(*set, name)
	}
}

// setUser reads UID[:GID]. A lone UID leaves the group as the config has it.
func setUser(u *specs.User, value string) error {
	if value == "" {
		return nil
	}
	user, group, hasGroup := strings.Cut(value, ":")
	uid, err := parseID(user)
	if err != nil {
		return fmt.Errorf("cannot use --user %q: %w", value, err)
	}
	u.UID = uid
	if !hasGroup {
		return nil
	}
	if u.GID, err = parseID(group); err != nil {
		return fmt.Errorf("cannot use --user %q: %w", value, err)
	}
	return nil
}

// parseID reads a user or group id. 2³²-1 is not one: to the kernel it means "leave as it is".
func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, fmt.Errorf("%q is not an id, want a number from 0 to 4294967294", s)
	}
	return uint32(n), nil
}

// cloneProcess copies what apply changes, so that the container's own config stays as it is.
func cloneProcess(p *specs.Process) *specs.Process {
	c := *p
	c.Env = slices.Clone(p.Env)
	c.User.AdditionalGids = slices.Clone(p.User.AdditionalGids)
	caps := specs.LinuxCapabilities{}
	if p.Capabilities != nil {
		caps = *p.Capabilities
	}
	for _, set := range []*[]string{&caps.Bounding, &caps.Effective, &caps.Inheritable, &caps.Permitted, &caps.Ambient} {
		*set = slices.Clone(*set)
	}
	c.Capabilities = &caps
	return &c
}
